//! Who runs a trial.

mod child;
mod in_process;

use std::fmt::{self, Debug};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;
use vi3nr_inr::plan::FitPlan;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run_directory::{RunDirectory, RunRecord, StoredRun};

pub use child::ChildExecutor;
pub use in_process::InProcessExecutor;

use super::{Plan, SweepError};

/// Runs trials, several at a time: a call of [`Executor::execute`] for each.
///
/// What a trial gives depends on its request alone, not on who runs it. An executor for a cluster hands
/// the request to a queue and waits for the run directory.
pub trait Executor: Sync + Debug {
    /// Runs a trial to its end, from its checkpoint if it was cut off before. After
    /// [`Executor::stop`] it returns [`Outcome::Interrupted`] as soon as it can.
    ///
    /// # Errors
    /// Returns what keeps this and all other trials from being run, such as [`SweepError::Start`]. A
    /// trial that fails is an [`Outcome::Failed`].
    fn execute(&self, job: &Job) -> Result<Ended, SweepError>;

    /// Ends all trials that are running, and begins no other. It may be called more than once.
    fn stop(&self);
}

/// A trial that is to be run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// The number of its row.
    pub id: i64,
    /// What is asked for, with absolute paths.
    pub request: FitRequest,
    /// The key of its row: the canonical form of its plan.
    pub key: String,
    /// Its run directory, which need not exist and may hold a run that was cut off, or that of another
    /// trial.
    pub directory: PathBuf,
    /// How many threads it may use.
    pub threads: usize,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// What it left.
    pub outcome: Outcome,
    /// How long it ran, this time.
    pub seconds: f64,
}

/// What a trial leaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The report of the fit, as `run.json` has it.
    Report(Value),
    /// Its last words.
    Failed(String),
    /// It was stopped, perhaps with a checkpoint to go on from, and counts as not begun.
    Interrupted,
}

/// Which executor runs a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecutorName {
    /// The one in this process where every trial is small, else child processes.
    #[default]
    Auto,
    /// [`InProcessExecutor`].
    InProcess,
    /// [`ChildExecutor`].
    Process,
}

/// The number of floating-point operations, 6·weights·points·steps, up to which a trial is small: its
/// own process would take a noticeable part of its time, and little is lost with it.
const MAX_SMALL: f64 = 2e11;

impl ExecutorName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::InProcess, Self::Process];

    /// As it is written on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::InProcess => "in-process",
            Self::Process => "process",
        }
    }

    /// The executor of this name for `plan`; `program` is `vi3nr`, of which children are made.
    ///
    /// # Errors
    /// What [`Plan::first_scheduled`] returns.
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

/// Whether all trials are small. One whose file cannot be read ends at once.
fn are_small(plan: &Plan) -> Result<bool, SweepError> {
    for trial in plan.first_scheduled()? {
        let identity = plan.identity(&trial)?;
        if identity.plan.as_ref().is_ok_and(|plan| operations(plan) > MAX_SMALL) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn operations(plan: &FitPlan) -> f64 {
    let all = plan.signal.points().default_count();
    let points = plan.training.batch.unwrap_or(all);
    6.0 * plan.network.weight_count() as f64 * points as f64 * plan.training.steps as f64
}

/// The run directories of a sweep's trials, which no other sweep uses at the same time.
#[derive(Debug)]
pub struct TrialFolders {
    path: PathBuf,
    /// Held for as long as the sweep runs.
    _lock: fs::File,
}

impl TrialFolders {
    /// Takes the directory `path`, which is made if need be.
    ///
    /// # Errors
    /// Returns [`SweepError::Directory`] if it cannot be made, [`SweepError::Locked`] if another sweep uses
    /// it.
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

    /// The same in the folder `trials`.
    pub fn directory_in(trials: &Path, id: i64) -> PathBuf {
        trials.join(format!("{id:05}"))
    }
}

/// Why a trial has no result where its run went another way than the plan by which its row is found.
const CHANGED: &str = "a file that it reads has changed since the sweep began; run the sweep again";

/// What a run directory holds of a trial.
#[derive(Debug)]
enum StoredTrial {
    /// Nothing: it does not exist, or another run is there.
    Nothing,
    /// The trial's run, cut off.
    Interrupted(RunDirectory, Box<RunRecord>),
    /// The trial's run with its report. Who ran it did not come to say so.
    Ended(Value),
}

impl StoredTrial {
    fn of(job: &Job) -> Self {
        // What cannot be read is not the trial's run, and is overwritten.
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
