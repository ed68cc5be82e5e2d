//! Numbers below 1.2e-38 become zero on the threads that run kernels.
//!
//! A badly initialized network saturates, and its activations and gradients shrink through the
//! subnormal range, where modern cores take a hundred times as long for an operation. At these sizes
//! nothing is lost. Only kernels of this crate run on these threads, never a caller's closure.
//!
//! Rust does not promise that compiled arithmetic respects a changed control register: the compiler
//! may assume the default one. This relies on how LLVM compiles float32 arithmetic, as instructions
//! that obey the register; constant folding, which does not, is harmless here, as it could only keep
//! a subnormal number that would have been dropped.

/// Makes the calling thread treat subnormal float32 numbers as zero, operands and results alike.
pub(super) fn flush_to_zero() {
    #[cfg(target_arch = "x86_64")]
    {
        /// Flush-to-zero and denormals-are-zero of the control register MXCSR.
        const FLUSH: u32 = 1 << 15 | 1 << 6;
        let mut control = 0u32;
        // SAFETY: SSE belongs to every x86-64 machine; the pointer is to a live u32; the two bits
        // change how subnormal numbers are treated and neither rounding nor exceptions. See above for
        // what is relied on.
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
        // SAFETY: FPCR may be read and written by every program; the bit changes how subnormal
        // numbers are treated and nothing else. See above for what is relied on.
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
    fn only_the_thread_that_asks_is_changed() {
        let product = || black_box(1e-30f32) * black_box(1e-12f32);
        let flushed = std::thread::spawn(move || {
            flush_to_zero();
            product()
        });
        assert_eq!(flushed.join().unwrap(), 0.0);
        assert!(product() > 0.0);
    }
}
