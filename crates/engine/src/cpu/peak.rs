//! The machine's own limit, measured: fused multiply-adds in registers alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::instruction_set::{InstructionSet, Task};
use super::lane::mul_add;

/// Floating-point operations per second, in 10⁹, of `threads` threads that do nothing but
/// multiply-adds on registers: the best of several short rounds.
pub fn peak_gflops(threads: usize) -> f64 {
    let set = InstructionSet::available()[0];
    let rounds = (0..8).map(|_| {
        let each = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| one_thread(set))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).collect::<Vec<_>>()
        });
        each.iter().sum::<f64>()
    });
    rounds.fold(0.0, f64::max)
}

/// One thread's rate over about 50 ms.
fn one_thread(set: InstructionSet) -> f64 {
    let start = Instant::now();
    let mut operations = 0u64;
    while start.elapsed() < Duration::from_millis(50) {
        operations += set.run(MultiplyAdds { count: 100_000 });
    }
    operations as f64 / start.elapsed().as_secs_f64() / 1e9
}

/// Independent chains of multiply-adds, enough to hide their latency; returns the operations done.
struct MultiplyAdds {
    count: u64,
}

impl Task for MultiplyAdds {
    type Output = u64;

    #[inline(always)]
    fn run<const LANES: usize, const R: usize, const V: usize, const FUSED: bool>(self) -> u64 {
        const CHAINS: usize = 12;
        let mut sums = [[black_box(0.5f32); LANES]; CHAINS];
        let (factor, term) = (black_box(0.999f32), black_box(0.001f32));
        for _ in 0..self.count {
            for sum in &mut sums {
                for lane in sum {
                    *lane = mul_add::<FUSED>(*lane, factor, term);
                }
            }
        }
        black_box(sums);
        self.count * (2 * LANES * CHAINS) as u64
    }
}
