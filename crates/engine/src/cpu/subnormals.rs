//! Numbers below 1.2e-38 become zero on the engine's own threads.
//!
//! A badly initialised network saturates, and its activations and gradients shrink through the
//! subnormal range, where present cores take a hundred times as long for an operation. At these sizes
//! nothing is lost, and nobody else's arithmetic runs on these threads.

/// Makes the calling thread treat subnormal float32 numbers as zero, operands and results alike.
pub(super) fn flush_to_zero() {
    #[cfg(target_arch = "x86_64")]
    {
        /// Flush-to-zero and denormals-are-zero of the control register MXCSR.
        const FLUSH: u32 = 1 << 15 | 1 << 6;
        let mut control = 0u32;
        // SAFETY: SSE belongs to every x86-64 machine; the pointer is to a live u32; the two bits
        // change how subnormal numbers are treated and neither rounding nor exceptions, on a thread
        // that runs this engine's arithmetic only.
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
        // numbers are treated, on a thread that runs this engine's arithmetic only.
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
