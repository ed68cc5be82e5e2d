//! Measurement of the machine's peak rate: fused multiply-adds on registers only.
//!
//! The loops use intrinsics where they exist, because the measurement is about exact instructions.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::instruction_set::{InstructionSet, Kind};

/// The number of independent chains of multiply-adds, enough to hide their latency on modern cores.
const CHAINS: usize = 12;
/// The number of multiply-adds of each chain in one call.
const LENGTH: usize = 100_000;
/// The duration of a measurement.
const DURATION: Duration = Duration::from_millis(40);

/// The peak rate of `threads` threads in GFLOP/s (10⁹ floating-point operations per second): the
/// threads run only multiply-adds on registers for 40 ms.
///
/// The rate of a machine varies with its clock frequency and its load. To compare it with that of
/// other work, alternate the two measurements.
pub fn peak_gflops(threads: usize) -> f64 {
    let set = InstructionSet::available()[0];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| one_thread(set))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).sum()
    })
}

/// The rate of one thread in GFLOP/s.
fn one_thread(set: InstructionSet) -> f64 {
    let start = Instant::now();
    let mut operations = 0;
    while start.elapsed() < DURATION {
        operations += multiply_adds(set);
    }
    operations as f64 / start.elapsed().as_secs_f64() / 1e9
}

/// Runs the chains once and returns the number of operations, two per lane of each multiply-add.
fn multiply_adds(set: InstructionSet) -> usize {
    let lanes = match set.kind() {
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => {
            // SAFETY: the value of the set is a proof of the features.
            black_box(unsafe { avx512() });
            16
        }
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => {
            // SAFETY: as above.
            black_box(unsafe { avx2() });
            8
        }
        #[cfg(target_arch = "aarch64")]
        Kind::Neon => {
            // SAFETY: as above.
            black_box(unsafe { neon() });
            4
        }
        Kind::Portable => {
            black_box(portable());
            4
        }
    };
    2 * lanes * CHAINS * LENGTH
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512() -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let (factor, term) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(0.001)));
    let mut sums = [_mm512_set1_ps(0.5); CHAINS];
    for _ in 0..LENGTH {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, factor, term);
        }
    }
    sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2() -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let (factor, term) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
    let mut sums = [_mm256_set1_ps(0.5); CHAINS];
    for _ in 0..LENGTH {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, factor, term);
        }
    }
    sums.into_iter().map(|sum| _mm256_cvtss_f32(sum)).sum()
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon() -> f32 {
    use std::arch::aarch64::{vaddvq_f32, vdupq_n_f32, vfmaq_f32};
    let (factor, term) = (vdupq_n_f32(black_box(0.999)), vdupq_n_f32(black_box(0.001)));
    let mut sums = [vdupq_n_f32(0.5); CHAINS];
    for _ in 0..LENGTH {
        for sum in &mut sums {
            *sum = vfmaq_f32(term, *sum, factor);
        }
    }
    sums.into_iter().map(|sum| vaddvq_f32(sum)).sum()
}

fn portable() -> f32 {
    let (factor, term) = (black_box(0.999f32), black_box(0.001f32));
    let mut sums = [[0.5f32; 4]; CHAINS];
    for _ in 0..LENGTH {
        for sum in sums.as_flattened_mut() {
            *sum = *sum * factor + term;
        }
    }
    sums.as_flattened().iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_counts_its_operations() {
        for set in InstructionSet::available() {
            assert!(multiply_adds(set).is_multiple_of(8 * CHAINS * LENGTH), "{set:?}");
        }
        assert!(peak_gflops(1) > 0.0);
    }

    /// x ← 0.999x + 0.001 converges to 1 on every instruction set.
    #[test]
    fn the_chains_converge_to_one() {
        assert!((portable() / (4 * CHAINS) as f32 - 1.0).abs() < 1e-4);
        #[cfg(target_arch = "x86_64")]
        for set in InstructionSet::available() {
            // avx2 sums one lane of each chain.
            let (sum, lanes) = match set.kind() {
                // SAFETY: the value of the set is a proof of the features.
                Kind::Avx512 => (unsafe { avx512() }, 16),
                // SAFETY: as above.
                Kind::Avx2 => (unsafe { avx2() }, 1),
                Kind::Portable => continue,
            };
            let mean = sum / (lanes * CHAINS) as f32;
            assert!((mean - 1.0).abs() < 1e-4, "{set:?}: {mean}");
        }
    }
}
