//! The logged steps of a run, written to `metrics.csv`.

use crate::signal::Signal;
use crate::supervision::Supervision;
use crate::train::Progress;

/// The maximum number of rows of `metrics.csv`, not counting the last step.
const MAX_ROWS: u64 = 2000;

/// The steps that are logged to `metrics.csv`: all of a short run, evenly spaced ones of a long
/// run, and the last.
#[derive(Debug, Clone, Default)]
pub struct MetricsLog {
    rows: Vec<Progress>,
    last: Option<Progress>,
}

impl MetricsLog {
    /// Adds a step, or drops it if it is not to be logged.
    pub fn record(&mut self, progress: &Progress) {
        let every = progress.steps.div_ceil(MAX_ROWS);
        if progress.step == 1 || progress.step.is_multiple_of(every) {
            self.rows.push(*progress);
            self.last = None;
        } else {
            self.last = Some(*progress);
        }
    }

    /// The log of a resumed run, with the `rows` of its checkpoint.
    pub fn resumed(rows: Vec<Progress>) -> Self {
        Self { rows, last: None }
    }

    /// The evenly spaced rows so far.
    pub fn rows(&self) -> &[Progress] {
        &self.rows
    }

    /// All logged steps, including the last one.
    pub fn steps(&self) -> impl Iterator<Item = &Progress> {
        self.rows.iter().chain(&self.last)
    }

    /// The log as CSV: the step, its loss before the update, the metrics of `signal` for that loss,
    /// the mean loss of each term of `supervision`, the learning rate and the seconds since training began.
    pub(super) fn to_csv(&self, signal: &dyn Signal, supervision: &Supervision) -> String {
        let names =
            supervision.metrics_of_loss(signal, 1.0).all.into_iter().map(|metric| metric.name);
        let terms = supervision.terms().iter().map(|term| term.term.name());
        let head = ["step", "loss"].into_iter().chain(names).chain(terms);
        let head = head.chain(["learning_rate", "seconds"]);
        let mut text = head.collect::<Vec<_>>().join(",") + "\n";
        for row in self.steps() {
            text += &format!("{},{:e},", row.step, row.loss);
            for metric in supervision.metrics_of_loss(signal, row.loss).all {
                text += &format!("{:.4},", metric.value);
            }
            for loss in &*row.terms {
                text += &format!("{loss:e},");
            }
            let seconds = row.elapsed.as_secs_f64();
            text += &format!("{:e},{seconds:.3}\n", row.learning_rate);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::points::TermLosses;
    use crate::signal::image::Image;

    #[test]
    fn long_runs_are_thinned_and_end_with_the_last_step() {
        let mut log = MetricsLog::default();
        for step in 1..=10_001 {
            log.record(&Progress {
                step,
                steps: 10_001,
                loss: 0.04,
                terms: TermLosses::default(),
                learning_rate: 1e-3,
                points_seen: step,
                operations: 0.0,
                elapsed: Duration::from_millis(step),
            });
        }
        let white = Image::from_values(1, 1, 1, vec![1.0]).unwrap();
        let text = log.to_csv(&white, &Supervision::Values);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "step,loss,psnr,psnr_paper,learning_rate,seconds");
        assert_eq!(lines[1], "1,4e-2,20.0000,13.9794,1e-3,0.001");
        assert_eq!(lines[2], "6,4e-2,20.0000,13.9794,1e-3,0.006");
        assert_eq!(lines.last().unwrap(), &"10001,4e-2,20.0000,13.9794,1e-3,10.001");
        assert!(lines.len() < 2005);
    }
}
