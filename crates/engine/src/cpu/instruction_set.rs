//! Run-time dispatch of a task to code compiled for the best instruction set of this machine.

use std::fmt;

use super::vector::Vector;

/// The vector instructions that the engine's loops are compiled for.
///
/// A value is a proof that this machine has the instructions: only [`InstructionSet::available`] makes
/// one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InstructionSet(Kind);

/// The kinds of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// 16 float32 lanes, 32 registers, fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 8 float32 lanes, 16 registers, fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 4 float32 lanes, 32 registers, fused multiply-add.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// The baseline of the target architecture, without a fused multiply-add.
    Portable,
}

/// Work that is compiled once for each instruction set.
///
/// `run` must be `#[inline(always)]`, so that its body is compiled inside the function that enables
/// the instructions. `X` is a vector register, `ROWS` x `VECTORS` is the number of accumulators of
/// a matrix product that fit the registers, and `FUSED` says whether a fused multiply-add is one
/// instruction.
pub(super) trait Task {
    /// The result of the task.
    type Output;

    /// Runs the task.
    fn run<X: Vector, const ROWS: usize, const VECTORS: usize, const FUSED: bool>(
        self,
    ) -> Self::Output;
}

impl InstructionSet {
    /// The instruction sets that this machine supports, best first.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("fma")
            {
                sets.push(Self(Kind::Avx512));
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Self(Kind::Avx2));
            }
        }
        #[cfg(target_arch = "aarch64")]
        sets.push(Self(Kind::Neon));
        sets.push(Self(Kind::Portable));
        sets
    }

    /// The best instruction set that this machine supports.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// The number of columns of a packed panel, which is that of a block of accumulators.
    pub(super) fn panel_columns(self) -> usize {
        struct Columns;
        impl Task for Columns {
            type Output = usize;
            #[inline(always)]
            fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) -> usize {
                X::LANES * V
            }
        }
        self.run(Columns)
    }

    /// The kind of the instructions.
    pub(super) fn kind(self) -> Kind {
        self.0
    }

    /// Runs `task` compiled for these instructions.
    #[inline]
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            // SAFETY: only `available` makes a value of this kind, after it has detected the features.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2(task) },
            // Every 64-bit Arm machine has NEON with a fused multiply-add.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => task.run::<std::arch::aarch64::float32x4_t, 12, 2, true>(),
            Kind::Portable => task.run::<[f32; 4], 6, 2, false>(),
        }
    }
}

impl fmt::Debug for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn avx512<T: Task>(task: T) -> T::Output {
    task.run::<std::arch::x86_64::__m512, 12, 2, true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Task>(task: T) -> T::Output {
    task.run::<std::arch::x86_64::__m256, 6, 2, true>()
}
