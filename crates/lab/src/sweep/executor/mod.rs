//! Executors, which run the trials of a sweep.

mod child;
mod choice;
mod in_process;
mod stored;

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vi3nr_inr::request::FitRequest;

pub use child::ChildExecutor;
pub use choice::{ExecutorName, ExecutorRequest, Runner};
pub use in_process::InProcessExecutor;
pub(super) use stored::{CHANGED, StoredTrial, prepare, tail};

use super::{Plan, SweepError, Trial};

/// Runs trials one by one. [`Executor::execute`] is called once for each trial, from several threads
/// at a time. [`Slurm`](super::slurm::Slurm) takes all trials together instead.
///
/// The result of a trial depends only on its request, not on where it runs.
pub trait Executor: Sync + Debug {
    /// Runs a trial until it ends, from its checkpoint if it was interrupted before. After
    /// [`Executor::stop`] it returns [`Outcome::Interrupted`] as soon as possible.
    ///
    /// # Errors
    /// Returns an error that prevents all trials from running, such as [`SweepError::Start`]. A
    /// failure of this trial alone is an [`Outcome::Failed`].
    fn execute(&self, job: &Job) -> Result<Ended, SweepError>;

    /// Interrupts all running trials and starts no others. It may be called more than once.
    fn stop(&self);
}

/// A trial to run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// The number of its row.
    pub id: i64,
    /// The request, with absolute paths.
    pub request: FitRequest,
    /// The key of its row: the canonical form of its plan.
    pub key: String,
    /// The run directory. It need not exist, and may hold an interrupted run or the run of another
    /// trial.
    pub directory: PathBuf,
    /// The number of threads that the trial may use.
    pub threads: usize,
}

impl Job {
    /// The job for a trial with the row `id`, whose run directory lies in the folder `trials`.
    pub(super) fn new(
        plan: &Plan,
        trial: &Trial,
        id: i64,
        trials: &Path,
        threads: usize,
    ) -> Result<Self, SweepError> {
        let (request, key) = (plan.request(trial), plan.identity(trial)?.key.clone());
        Ok(Self { id, request, key, directory: TrialFolders::directory_in(trials, id), threads })
    }
}

/// The end of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The outcome.
    pub outcome: Outcome,
    /// The duration of this attempt, in seconds.
    pub seconds: f64,
}

/// The outcome of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The report of the fit, as in `run.json`.
    Report(Value),
    /// The error message.
    Failed(String),
    /// The trial was interrupted, possibly with a checkpoint, and is still pending.
    Interrupted,
}

/// The folder of a sweep's run directories, locked against other sweeps.
#[derive(Debug)]
pub struct TrialFolders {
    path: PathBuf,
    /// The lock is held while this is open.
    _lock: fs::File,
}

impl TrialFolders {
    /// Locks the folder `path`, which is created if it does not exist.
    ///
    /// # Errors
    /// Returns [`SweepError::Directory`] if it cannot be created, and [`SweepError::Locked`] if
    /// another sweep uses it.
    pub fn lock(path: &Path) -> Result<Self, SweepError> {
        let fail = |source| SweepError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(fail)?;
        let path = fs::canonicalize(path).map_err(fail)?;
        let lock = fs::File::create(path.join(".lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(SweepError::Locked { path }),
            Err(fs::TryLockError::Error(error)) => Err(fail(error)),
        }
    }

    /// The folder, as an absolute path without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run directory of the trial with this number.
    pub fn directory(&self, id: i64) -> PathBuf {
        Self::directory_in(&self.path, id)
    }

    /// The run directory of a trial in the folder `trials`.
    pub fn directory_in(trials: &Path, id: i64) -> PathBuf {
        trials.join(Self::name(id))
    }

    /// The name of the run directory of a trial.
    pub(super) fn name(id: i64) -> String {
        format!("{id:05}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_trials_belongs_to_one_sweep() {
        let folder = tempfile::tempdir().unwrap();
        let first = TrialFolders::lock(folder.path()).unwrap();
        assert!(matches!(TrialFolders::lock(folder.path()), Err(SweepError::Locked { .. })));
        assert!(first.directory(7).ends_with("00007"));
        drop(first);
        TrialFolders::lock(folder.path()).unwrap();
    }
}
