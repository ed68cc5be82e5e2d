//! Measurement of a device's peak rate: multiply-adds on registers only.

use std::time::Instant;

use super::device::{Access, Bindings, Buffer, Device, Dispatch, Kernel};
use super::kernels::peak::{self, INVOCATIONS, OPERATIONS};
use super::passes::KernelCache;
use crate::EngineError;

/// The largest number of workgroups: so many that each processor of a large GPU has its share of them
/// to within two percent.
const MAX_GROUPS: u64 = 8192;

/// The work of the first launch, as a number of workgroups times passes of the loop.
const FIRST_WORK: u64 = 16;
/// The time of a launch in seconds. Drivers reset a device that does not answer for about two seconds.
const LAUNCH_SECONDS: f64 = 0.02;
/// The largest growth from a launch to the next, so that none takes much longer than
/// [`LAUNCH_SECONDS`].
const MAX_GROWTH: f64 = 4.0;
/// The number of launches of which the fastest counts.
const LAUNCHES: usize = 5;

/// The peak rate of `device` in GFLOP/s; see [`Backend::peak_gflops`](crate::Backend::peak_gflops).
/// It takes about 0.15 s, and longer if the kernel is compiled.
///
/// # Errors
/// Returns [`EngineError::Memory`] if there is no room for the results of 32 MiB, and
/// [`EngineError::Device`] if the kernel cannot be compiled or the device is lost.
pub(super) fn peak_gflops(device: &Device, cache: &KernelCache) -> Result<f64, EngineError> {
    let results = device.buffer::<[f32; 4]>(MAX_GROUPS as usize * INVOCATIONS)?;
    let peak = Peak::new(device, cache, &results)?;
    // Some drivers compile at the first launch.
    peak.launch(Work::of(FIRST_WORK))?;
    let mut work = Work::of(FIRST_WORK);
    let work = loop {
        let growth = LAUNCH_SECONDS / peak.launch(work)?.max(1e-9);
        let next = Work::of((work.total() as f64 * growth.min(MAX_GROWTH)) as u64);
        if growth <= 2.0 || next == work {
            break next;
        }
        work = next;
    };
    let mut fastest = f64::INFINITY;
    for _ in 0..LAUNCHES {
        fastest = fastest.min(peak.launch(work)?);
    }
    Ok(work.operations() / fastest / 1e9)
}

/// The size of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Work {
    groups: u32,
    /// The number of passes of the loop.
    count: u32,
}

impl Work {
    /// About `total` workgroups times passes, at least one: first more workgroups, then more passes.
    fn of(total: u64) -> Self {
        let groups = total.clamp(1, MAX_GROUPS);
        let count = (total / groups).clamp(1, u64::from(u32::MAX));
        Self { groups: groups as u32, count: count as u32 }
    }

    fn total(self) -> u64 {
        u64::from(self.groups) * u64::from(self.count)
    }

    fn operations(self) -> f64 {
        self.total() as f64 * (INVOCATIONS * OPERATIONS) as f64
    }
}

/// The kernel with its buffers.
struct Peak<'a> {
    device: &'a Device,
    kernel: Kernel,
    bindings: Bindings,
}

impl<'a> Peak<'a> {
    /// Compiles the kernel, which writes one vector for each invocation to `results`.
    fn new(device: &'a Device, cache: &KernelCache, results: &Buffer) -> Result<Self, EngineError> {
        let kernel = cache.get(device, peak::peak(), &[Access::Read, Access::Write])?;
        let numbers = device.upload(&numbers())?;
        let bindings = device.bind(&kernel, &[&numbers, results]);
        Ok(Self { device, kernel, bindings })
    }

    /// Runs the kernel and returns the time in seconds, from the call to the end.
    fn launch(&self, work: Work) -> Result<f64, EngineError> {
        let began = Instant::now();
        let mut commands = self.device.commands();
        commands.run([Dispatch {
            kernel: &self.kernel,
            bindings: &self.bindings,
            immediates: [work.count, 0, 0, 0, 0, 0, 0, 0],
            groups: [work.groups, 1],
        }]);
        self.device.submit(commands);
        self.device.wait()?;
        Ok(began.elapsed().as_secs_f64())
    }
}

/// For each invocation of a workgroup f, g and the start, four numbers each.
fn numbers() -> Vec<[f32; 4]> {
    let one = |index: usize| {
        let f: [f32; 4] = std::array::from_fn(|c| 0.1 + 1e-4 * (4 * index + c) as f32);
        let start = std::array::from_fn(|c| 1.0 + 1e-3 * (4 * index + c) as f32);
        [f, f.map(|f| -f), start]
    };
    (0..INVOCATIONS).flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::device::{Checks, tests::device};

    /// What an invocation writes after `rotations`, in double precision.
    fn expected(rotations: usize) -> Vec<f64> {
        let numbers = numbers();
        let component = |index: usize, c: usize| {
            let [f, g, start] = [0, 1, 2].map(|which| f64::from(numbers[3 * index + which][c]));
            let pair = |k: usize| {
                let (mut p, mut q) = (start + k as f64, -start - k as f64);
                for _ in 0..rotations {
                    p += q * f;
                    q += p * g;
                }
                p + q
            };
            (0..4).map(pair).sum()
        };
        (0..INVOCATIONS).flat_map(|index| (0..4).map(move |c| component(index, c))).collect()
    }

    #[test]
    fn the_kernel_computes_the_recurrence() {
        let Some(device) = device() else { return };
        let checks = [Checks::None, Checks::None, Checks::All];
        for (checks, (groups, count)) in checks.into_iter().zip([(1, 0), (1, 1), (3, 7)]) {
            let results = device.buffer::<[f32; 4]>(4 * INVOCATIONS).unwrap();
            let peak = Peak::new(&device, &KernelCache::new(checks), &results).unwrap();
            peak.launch(Work { groups, count }).unwrap();
            let mut seen = vec![0.0f32; groups as usize * INVOCATIONS * 4];
            device.read(&results, 0, &mut seen).unwrap();
            let expected = expected(peak::UNROLLED * count as usize).repeat(groups as usize);
            // Sums of 8 numbers below 8, each after two roundings of half an epsilon for each rotation.
            let rotations = peak::UNROLLED as f64 * f64::from(count);
            let bound = 8.0 * 8.0 * f64::from(f32::EPSILON) * (1.0 + rotations);
            let differences = seen.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs());
            let largest = differences.fold(0.0, f64::max);
            assert!(largest <= bound, "{groups} {count}: {largest:e} of {bound:e}");
            // Nothing is written beyond.
            let mut beyond = [1.0f32; 4];
            device.read(&results, seen.len(), &mut beyond).unwrap();
            assert_eq!(beyond, [0.0; 4]);
        }
    }

    #[test]
    fn the_peak_is_a_finite_rate() {
        let Some(device) = device() else { return };
        let rate = peak_gflops(&device, &KernelCache::new(Checks::None)).unwrap();
        assert!(rate.is_finite() && rate > 0.0, "{rate}");
    }

    #[test]
    fn work_grows_by_workgroups_and_then_by_passes() {
        for (total, groups, count) in [
            (0, 1, 1),
            (5, 5, 1),
            (MAX_GROUPS, MAX_GROUPS as u32, 1),
            (2 * MAX_GROUPS + 1, MAX_GROUPS as u32, 2),
            (u64::MAX, MAX_GROUPS as u32, u32::MAX),
        ] {
            assert_eq!(Work::of(total), Work { groups, count }, "{total}");
        }
        let work = Work::of(3 * MAX_GROUPS);
        // Two operations for each component of 8 vectors.
        assert_eq!(work.operations(), 3.0 * 8192.0 * 256.0 * 4.0 * 64.0);
    }
}
