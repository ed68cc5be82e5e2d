//! Timing, in turn with measurements of the peak.

use std::time::{Duration, Instant};

use vi3nr_engine::{Backend, EngineError};

use super::members::{Member, Members};
use super::{BenchError, Rate};

/// The time between two measurements of the peak, relative to the time of such a measurement.
const TURN: u32 = 5;
/// The least number of calls before the timed ones: the first may compile kernels, and only later calls
/// show how many steps suit the device.
const MIN_WARM_UP: usize = 3;
/// The largest number of calls in which an engine finds out how many steps suit its device.
const MAX_WARM_UP: usize = 16;
/// The least number of timed calls.
const MIN_CALLS: usize = 3;
/// The least time of a call of several threads, so that starting them takes little of it.
const THREADS_TIME: Duration = Duration::from_millis(100);

/// The duration of a repetition in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    pub(super) median: f64,
    pub(super) best: f64,
}

/// Measures times and the peak of a backend in turn, so that a slow moment affects both.
pub(super) struct Clock<'a> {
    backend: &'a dyn Backend,
    /// The peaks in GFLOP/s.
    peaks: Vec<f64>,
    /// The time between two measurements of the peak.
    turn: Duration,
}

impl<'a> Clock<'a> {
    pub(super) fn new(backend: &'a dyn Backend) -> Result<Self, EngineError> {
        // The first measurement may include compilation.
        backend.peak_gflops()?;
        let began = Instant::now();
        let peaks = vec![backend.peak_gflops()?];
        Ok(Self { backend, peaks, turn: TURN * began.elapsed() })
    }

    /// Repeats `work` for all networks at least [`MIN_CALLS`] times and for at least `min_duration`,
    /// after warming up. `work` returns how much was done, in repetitions.
    pub(super) fn time(
        &mut self,
        min_duration: Duration,
        members: &mut Members,
        work: impl Fn(&mut Member) -> Result<usize, BenchError> + Sync,
    ) -> Result<Time, BenchError> {
        let mut calls = 1;
        let mut call = |members: &mut Members| -> Result<(f64, f64), BenchError> {
            let began = Instant::now();
            let done = members.each(|member| (0..calls).map(|_| work(member)).sum())?;
            let elapsed = began.elapsed();
            if members.threads() > 1 && elapsed < THREADS_TIME {
                calls *= 2;
            }
            let each = done.iter().sum::<usize>() as f64 / done.len() as f64;
            Ok((each, elapsed.as_secs_f64()))
        };
        let mut most = 0.0;
        for index in 0..MAX_WARM_UP {
            let (done, _) = call(members)?;
            if index + 1 >= MIN_WARM_UP && done <= most {
                break;
            }
            most = done.max(most);
        }
        let turn = self.turn.min(min_duration);
        let (mut times, mut total) = (Vec::new(), Duration::ZERO);
        while times.len() < MIN_CALLS || total < min_duration {
            self.peaks.push(self.backend.peak_gflops()?);
            let began = Instant::now();
            loop {
                let (done, seconds) = call(members)?;
                times.push(seconds / done);
                if began.elapsed() >= turn {
                    break;
                }
            }
            total += began.elapsed();
        }
        let median = median(&times);
        Ok(Time { median, best: times.into_iter().fold(f64::INFINITY, f64::min) })
    }

    /// The rate of `operations` floating-point operations in each repetition.
    pub(super) fn rate(&self, operations: f64, time: Time) -> Rate {
        let best_peak = self.peaks.iter().copied().fold(0.0, f64::max);
        let gflops = operations / time.median / 1e9;
        Rate {
            seconds: time.median,
            gflops,
            fraction_of_peak: gflops / self.peak(),
            fraction_of_peak_at_best: operations / time.best / 1e9 / best_peak,
        }
    }

    /// The median peak in GFLOP/s.
    pub(super) fn peak(&self) -> f64 {
        median(&self.peaks)
    }
}

/// The median; of an even number, the larger one in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use vi3nr_engine::{CpuBackend, ReferenceBackend};

    use super::*;

    #[test]
    fn rates_follow_from_medians_and_from_the_best() {
        let backend = CpuBackend::new(Some(1)).unwrap();
        let peaks = vec![8.0, 2.0, 4.0];
        let clock = Clock { backend: &backend, peaks, turn: Duration::ZERO };
        assert_eq!((clock.peak(), median(&[3.0, 1.0])), (4.0, 3.0));
        let rate = clock.rate(6e9, Time { median: 3.0, best: 1.5 });
        let expected = Rate {
            seconds: 3.0,
            gflops: 2.0,
            fraction_of_peak: 0.5,
            fraction_of_peak_at_best: 0.5,
        };
        assert_eq!(rate, expected);
    }

    #[test]
    fn a_backend_without_a_peak_is_refused() {
        let backend = ReferenceBackend::new(Some(1)).unwrap();
        assert!(matches!(Clock::new(&backend), Err(EngineError::Unsupported { .. })));
    }
}
