//! Flushing of subnormal numbers (below 1.2e-38) to zero on the threads that run kernels.
//!
//! The activations and gradients of a badly initialized network can shrink through the subnormal
//! range, where modern cores need about a hundred times as long for an operation. Numbers of this
//! size do not affect training. Only kernels of this crate run on these threads, never a caller's
//! closure.
//!
//! Rust does not guarantee that compiled arithmetic respects a changed control register, since the
//! compiler may assume the default one. This module relies on LLVM compiling float32 arithmetic to
//! instructions that obey the register. Constant folding does not obey it, which is harmless: it
//! can only keep a subnormal number that would have been flushed.

/// Makes the calling thread treat subnormal float32 operands and results as zero.
pub(super) fn flush_to_zero() {
    #[cfg(target_arch = "x86_64")]
    {
        /// Flush-to-zero and denormals-are-zero of the control register MXCSR.
        const FLUSH: u32 = 1 << 15 | 1 << 6;
        let mut control = 0u32;
        // SAFETY: every x86-64 machine has SSE; the pointer is to a live u32; the two bits change
        // how subnormal numbers are treated, and neither rounding nor exceptions. The documentation
        // of the module says what this relies on.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack));
            control |= FLUSH;
            std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack));
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        /// Flush-to-zero of the control register FPCR.
        const FLUSH: u64 = 1 << 24;
        let mut control: u64;
        // SAFETY: every program may read and write FPCR; the bit changes only how subnormal numbers
        // are treated. The documentation of the module says what this relies on.
        unsafe {
            std::arch::asm!("mrs {}, fpcr", out(reg) control, options(nostack));
            control |= FLUSH;
            std::arch::asm!("msr fpcr, {}", in(reg) control, options(nostack));
        }
    }
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn only_the_calling_thread_is_changed() {
        let product = || black_box(1e-30f32) * black_box(1e-12f32);
        let flushed = std::thread::spawn(move || {
            flush_to_zero();
            product()
        });
        assert_eq!(flushed.join().unwrap(), 0.0);
        assert!(product() > 0.0);
    }
}
