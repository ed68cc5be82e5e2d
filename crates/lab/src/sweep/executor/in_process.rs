//! Running trials in this process.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;
use vi3nr_engine::Backend;
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run};
use vi3nr_inr::run_directory::{RunError, StoredRun};
use vi3nr_inr::train::Stop;

use super::{CHANGED, Ended, Executor, Job, Outcome, StoredTrial};
use crate::sweep::SweepError;

/// Runs trials in this process, each on threads of its own. It suits many small networks, for which
/// starting a process each would be a large part of the work.
///
/// A trial that panics has failed, and the others continue. A trial that exhausts the memory ends
/// the process; results that were stored before are kept.
#[derive(Debug, Default)]
pub struct InProcessExecutor {
    is_stopping: AtomicBool,
}

impl Executor for InProcessExecutor {
    fn execute(&self, job: &Job) -> Result<Ended, SweepError> {
        let began = Instant::now();
        let outcome = guarded(|| self.fit(job, began));
        Ok(Ended { outcome, seconds: began.elapsed().as_secs_f64() })
    }

    /// Running trials stop at their next step and leave a checkpoint.
    fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }
}

impl InProcessExecutor {
    fn fit(&self, job: &Job, began: Instant) -> Result<Outcome, RunError> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Ok(Outcome::Interrupted);
        }
        let (run, opened) = match StoredTrial::of(job) {
            StoredTrial::Ended(report) => return Ok(Outcome::Report(report)),
            StoredTrial::Interrupted(directory, record) => {
                let stored = StoredRun::Current(record);
                let none = FitRequest::default();
                Run::reopen(directory, &stored, &job.request, &none, Some(job.threads))?
            }
            StoredTrial::Nothing => {
                let path = job.directory.clone();
                let destination = Destination::Directory { path, overwrite: true };
                Run::open(&job.request, None, &destination, Some(job.threads))?
            }
        };
        if run.plan().canonical() != job.key {
            return Ok(Outcome::Failed(CHANGED.into()));
        }
        self.execute_run(&run, &*opened.backend, began)
    }

    fn execute_run(
        &self,
        run: &Run,
        backend: &dyn Backend,
        began: Instant,
    ) -> Result<Outcome, RunError> {
        let mut watch =
            |_: vi3nr_inr::run::RunEvent<'_>| match self.is_stopping.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
        let outcome = run.execute(backend, CheckpointInterval::default(), began, &mut watch)?;
        let report = outcome.fit.report;
        Ok(match report.stopped {
            Stop::Interrupted => Outcome::Interrupted,
            _ => Outcome::Report(json!(report)),
        })
    }
}

/// The outcome of `work`; a panic is a failure like any other.
fn guarded(work: impl FnOnce() -> Result<Outcome, RunError>) -> Outcome {
    // A trial shares no mutable state with others, so a panic leaves nothing inconsistent.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Failed(error.to_string()),
        Err(panic) => Outcome::Failed(format!("it panicked: {}", panic_message(&*panic))),
    }
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_of_its_trial() {
        let outcome = guarded(|| panic!("index {} out of bounds", 7));
        assert_eq!(outcome, Outcome::Failed("it panicked: index 7 out of bounds".into()));
    }
}
