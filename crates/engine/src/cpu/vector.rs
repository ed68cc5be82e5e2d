//! Vector registers of float32 numbers, in which the matrix product is written.
//!
//! The compiler vectorizes elementwise loops on its own. The product must keep dozens of
//! accumulators in registers, which is certain only if each of them is one value of a vector type.

/// A register of `LANES` numbers.
pub(super) trait Vector: Copy {
    /// The number of lanes.
    const LANES: usize;

    /// A vector with `value` in every lane.
    ///
    /// # Safety
    /// The machine must support the instructions of this type, as for every function of this trait.
    unsafe fn splat(value: f32) -> Self;

    /// Loads `LANES` numbers from `from`, which need not be aligned.
    ///
    /// # Safety
    /// `LANES` numbers must be readable at `from`.
    unsafe fn load(from: *const f32) -> Self;

    /// Stores the numbers at `to`, which need not be aligned.
    ///
    /// # Safety
    /// `LANES` numbers must be writable at `to`.
    unsafe fn store(self, to: *mut f32);

    /// Prefetches the cache line at `from`, which need not be readable, if the machine offers that.
    ///
    /// # Safety
    /// The machine must support the instructions.
    #[inline(always)]
    unsafe fn prefetch(from: *const f32) {
        let _ = from;
    }

    /// Lane by lane `self * factor + term`, with one rounding if the machine has a fused
    /// multiply-add.
    ///
    /// # Safety
    /// The machine must support the instructions.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;

    /// Lane by lane `self + other`.
    ///
    /// # Safety
    /// The machine must support the instructions.
    unsafe fn add(self, other: Self) -> Self;

    /// Lane by lane `self * other`.
    ///
    /// # Safety
    /// The machine must support the instructions.
    unsafe fn mul(self, other: Self) -> Self;
}

/// Implements [`Vector`] for a register type with the intrinsics of its architecture.
macro_rules! vector {
    ($arch:ident, $register:ident, $lanes:literal: $splat:ident, $load:ident, $store:ident,
     $mul_add:expr, $add:ident, $mul:ident, $prefetch:expr) => {
        impl Vector for std::arch::$arch::$register {
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                // SAFETY: the caller guarantees that the machine has the instruction.
                unsafe { std::arch::$arch::$splat(value) }
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: the caller guarantees the instruction and readable numbers.
                unsafe { std::arch::$arch::$load(from) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: the caller guarantees the instruction and writable memory.
                unsafe { std::arch::$arch::$store(to, self) }
            }

            #[inline(always)]
            unsafe fn prefetch(from: *const f32) {
                // SAFETY: the caller guarantees the instruction, which accesses no memory.
                unsafe { $prefetch(from) }
            }

            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: the caller guarantees that the machine has the instruction.
                unsafe { $mul_add(self, factor, term) }
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the caller guarantees that the machine has the instruction.
                unsafe { std::arch::$arch::$add(self, other) }
            }

            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                // SAFETY: the caller guarantees that the machine has the instruction.
                unsafe { std::arch::$arch::$mul(self, other) }
            }
        }
    };
}

/// Prefetches the line at `from` into the first-level cache.
///
/// # Safety
/// Always safe: every 64-bit x86 machine has the instruction, and it accesses no memory.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn prefetch_line(from: *const f32) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint; any address is allowed.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
}

/// Does nothing: no stable intrinsic prefetches a line on Arm.
///
/// # Safety
/// None: it touches no memory. It is `unsafe` because `prefetch_line` on x86 is.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
unsafe fn no_prefetch(_from: *const f32) {}

#[cfg(target_arch = "x86_64")]
vector!(
    x86_64, __m512, 16: _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps,
    std::arch::x86_64::_mm512_fmadd_ps, _mm512_add_ps, _mm512_mul_ps, prefetch_line
);
#[cfg(target_arch = "x86_64")]
vector!(
    x86_64, __m256, 8: _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps,
    std::arch::x86_64::_mm256_fmadd_ps, _mm256_add_ps, _mm256_mul_ps, prefetch_line
);
#[cfg(target_arch = "aarch64")]
vector!(
    aarch64, float32x4_t, 4: vdupq_n_f32, vld1q_f32, vst1q_f32,
    // The Arm instruction names the term first.
    |factor, other, term| std::arch::aarch64::vfmaq_f32(term, factor, other), vaddq_f32, vmulq_f32,
    no_prefetch
);

/// Four numbers in registers that the compiler chooses; the product and the sum are rounded
/// separately.
impl Vector for [f32; 4] {
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller guarantees four readable numbers; the alignment is that of one.
        unsafe { from.cast::<Self>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller guarantees four writable numbers; the alignment is that of one.
        unsafe { to.cast::<Self>().write(self) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        [0, 1, 2, 3].map(|lane| self[lane] * factor[lane] + term[lane])
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        [0, 1, 2, 3].map(|lane| self[lane] + other[lane])
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        [0, 1, 2, 3].map(|lane| self[lane] * other[lane])
    }
}

#[cfg(test)]
mod tests {
    use super::super::instruction_set::{InstructionSet, Task};
    use super::*;

    /// Every operation of every vector type of this machine, lane by lane.
    #[test]
    fn operations_act_lane_by_lane() {
        struct Try;
        impl Task for Try {
            type Output = ();
            #[inline(always)]
            fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
                let a: Vec<f32> = (0..X::LANES + 1).map(|i| i as f32 + 0.5).collect();
                let b: Vec<f32> = a.iter().map(|x| 3.0 - x).collect();
                let mut seen = vec![0.0; 3 * X::LANES + 1];
                // SAFETY: the set is available; each array has LANES numbers from index 1 on, and
                // `seen` three times as many.
                unsafe {
                    let (x, y) = (X::load(a[1..].as_ptr()), X::load(b[1..].as_ptr()));
                    let to = seen[1..].as_mut_ptr();
                    x.mul_add(y, X::splat(2.0)).store(to);
                    x.add(y).store(to.add(X::LANES));
                    x.mul(y).store(to.add(2 * X::LANES));
                }
                for lane in 0..X::LANES {
                    let (x, y) = (a[lane + 1], b[lane + 1]);
                    assert_eq!(seen[1 + lane], x * y + 2.0);
                    assert_eq!(seen[1 + X::LANES + lane], x + y);
                    assert_eq!(seen[1 + 2 * X::LANES + lane], x * y);
                }
            }
        }
        for set in InstructionSet::available() {
            set.run(Try);
        }
    }
}
