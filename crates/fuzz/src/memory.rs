//! An allocator that counts the bytes in use.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The largest number of bytes that a case may use.
pub(crate) const MAX_BYTES: usize = 1 << 30;
/// Allocations beyond this number of bytes fail.
const MAX_TOTAL: usize = 2 << 30;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The allocator of the system, with the bytes counted.
pub(crate) struct Counting;

impl Counting {
    /// Counts `size` bytes; false if they are too many.
    fn take(size: usize) -> bool {
        let used = USED.fetch_add(size, Ordering::Relaxed).saturating_add(size);
        PEAK.fetch_max(used, Ordering::Relaxed);
        let fits = used <= MAX_TOTAL;
        if !fits {
            USED.fetch_sub(size, Ordering::Relaxed);
        }
        fits
    }
}

// SAFETY: every method passes its arguments to the allocator of the system and returns its answer,
// or a null pointer, which stands for memory that cannot be had. `realloc` is the trait's, which
// calls these methods.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !Self::take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller guarantees what `System` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !Self::take(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller guarantees what `System` requires.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller guarantees that `System` allocated it with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Begins a new peak and returns the bytes that are in use.
pub(crate) fn begin() -> usize {
    let used = USED.load(Ordering::Relaxed);
    PEAK.store(used, Ordering::Relaxed);
    used
}

/// The largest number of bytes in use since [`begin`].
pub(crate) fn peak() -> usize {
    PEAK.load(Ordering::Relaxed)
}
