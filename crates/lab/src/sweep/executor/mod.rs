//! Executors, which run the trials of a sweep.

mod child;
mod in_process;

use std::fmt::{self, Debug};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run_directory::{RunDirectory, RunRecord, StoredRun};

pub use child::ChildExecutor;
pub use in_process::InProcessExecutor;

use super::estimate::operations;
use super::{Plan, SweepError};

/// Runs trials. [`Executor::execute`] is called once for each trial, from several threads at a
/// time.
///
/// The result of a trial depends only on its request, not on the executor. An executor for a
/// cluster submits the request as a job and waits for the run directory.
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

/// The name of an executor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecutorName {
    /// [`InProcessExecutor`] if every trial is small, otherwise [`ChildExecutor`].
    #[default]
    Auto,
    /// [`InProcessExecutor`].
    InProcess,
    /// [`ChildExecutor`].
    Process,
}

/// The number of floating-point operations, 6·weights·points·steps, up to which a trial is small:
/// starting a process would take a noticeable part of its time, and little work is lost in a crash.
const MAX_SMALL: f64 = 2e11;

impl ExecutorName {
    /// All executors.
    pub const ALL: [Self; 3] = [Self::Auto, Self::InProcess, Self::Process];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::InProcess => "in-process",
            Self::Process => "process",
        }
    }

    /// The executor with this name for `plan`. Child processes run `program`, which is `vi3nr`.
    ///
    /// # Errors
    /// Returns the errors of [`Plan::first_scheduled`].
    pub fn executor(self, plan: &Plan, program: &Path) -> Result<Box<dyn Executor>, SweepError> {
        let in_process = match self {
            Self::Auto => are_small(plan)?,
            Self::InProcess => true,
            Self::Process => false,
        };
        Ok(match in_process {
            true => Box::new(InProcessExecutor::default()),
            false => Box::new(ChildExecutor::new(program.to_owned())),
        })
    }
}

impl fmt::Display for ExecutorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ExecutorName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// Whether all trials are small. A trial whose file cannot be read ends at once.
fn are_small(plan: &Plan) -> Result<bool, SweepError> {
    for trial in plan.first_scheduled()? {
        let identity = plan.identity(&trial)?;
        if identity.plan.as_ref().is_ok_and(|plan| operations(plan) > MAX_SMALL) {
            return Ok(false);
        }
    }
    Ok(true)
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

    /// The run directory of the trial with this number.
    pub fn directory(&self, id: i64) -> PathBuf {
        Self::directory_in(&self.path, id)
    }

    /// The run directory of a trial in the folder `trials`.
    pub fn directory_in(trials: &Path, id: i64) -> PathBuf {
        trials.join(format!("{id:05}"))
    }
}

/// Why a trial has no result if its run followed another plan than that of its row.
const CHANGED: &str = "a file that it reads has changed since the sweep began; run the sweep again";

/// The state of a trial in its run directory.
#[derive(Debug)]
enum StoredTrial {
    /// The directory does not exist, or holds another run.
    Nothing,
    /// The directory holds the interrupted run of the trial.
    Interrupted(RunDirectory, Box<RunRecord>),
    /// The directory holds the run with its report, which the sweep was killed before storing.
    Ended(Value),
}

impl StoredTrial {
    fn of(job: &Job) -> Self {
        // A directory that cannot be read is overwritten.
        let Ok((directory, StoredRun::Current(record))) = RunDirectory::open(&job.directory) else {
            return Self::Nothing;
        };
        if record.plan.canonical() != job.key {
            return Self::Nothing;
        }
        match (record.has_ended(), &record.report) {
            (true, Some(report)) => Self::Ended(report.clone()),
            _ => Self::Interrupted(directory, record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executors_have_names() {
        for name in ExecutorName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert!("cluster".parse::<ExecutorName>().unwrap_err().contains("in-process"));
    }

    #[test]
    fn small_trials_need_no_process() {
        let executor = |settings: &str| {
            let file = format!("maximize = 'psnr'\n[settings]\n{settings}");
            let file = toml::from_str(&file).unwrap();
            let plan = Plan::new(&file, Path::new("")).unwrap();
            let executor = ExecutorName::Auto.executor(&plan, Path::new("vi3nr")).unwrap();
            format!("{executor:?}").split(' ').next().unwrap().to_owned()
        };
        assert_eq!(executor("width = 8\nlayers = 3\nsteps = [10, 20]"), "InProcessExecutor");
        assert_eq!(executor("width = 8\nlayers = 3\nsteps = [10, 100000]"), "ChildExecutor");
        assert_eq!(executor(""), "ChildExecutor");
        assert_eq!(executor("file = 'no/such.png'"), "InProcessExecutor");
    }

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
