//! Running a task compiled for the best instruction set of this machine.

use super::vector::Vector;

/// The vector instructions that the engine's loops are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionSet {
    /// 16 float32 lanes, 32 registers, fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 8 float32 lanes, 16 registers, fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 4 float32 lanes, 32 registers, fused multiply-add.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Whatever the compiler assumes of every machine of this kind.
    Portable,
}

/// Work that is compiled once for each instruction set.
///
/// `run` must be `#[inline(always)]`, so that its body lands inside the function that enables the
/// instructions. `X` is a vector; `ROWS` x `VECTORS` accumulators of a matrix
/// product fit the registers; `FUSED` says that a fused multiply-add is one instruction.
pub(super) trait Task {
    /// What the task returns.
    type Output;

    /// Does the work.
    fn run<X: Vector, const ROWS: usize, const VECTORS: usize, const FUSED: bool>(
        self,
    ) -> Self::Output;
}

impl InstructionSet {
    /// Those that this machine can run, best first.
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
                sets.push(Self::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        sets.push(Self::Neon);
        sets.push(Self::Portable);
        sets
    }

    /// The best of those that this machine can run.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// The columns of a packed panel: as many as a block of accumulators covers.
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

    /// Runs `task` compiled for these instructions.
    ///
    /// # Panics
    /// Never, if `self` came from [`InstructionSet::available`] on this machine.
    #[inline]
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            // SAFETY: these values come from `available`, which found the features on this machine.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(task) },
            // NEON with fused multiply-add belongs to every 64-bit Arm machine.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => task.run::<std::arch::aarch64::float32x4_t, 12, 2, true>(),
            Self::Portable => task.run::<[f32; 4], 6, 2, false>(),
        }
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
