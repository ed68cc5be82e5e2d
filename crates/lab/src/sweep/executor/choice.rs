//! Choosing where trials run.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;

use super::{ChildExecutor, Executor, InProcessExecutor, TrialFolders};
use crate::sweep::setting::invalid;
use crate::sweep::slurm::{Slurm, SlurmOptions};
use crate::sweep::{Event, Plan, Store, SweepError, run};

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
    /// [`Slurm`].
    Slurm,
}

/// The number of floating-point operations, 6·weights·points·steps, up to which a trial is small:
/// starting a process would take a noticeable part of its time, and little work is lost in a crash.
const MAX_SMALL: f64 = 2e11;

impl ExecutorName {
    /// All executors.
    pub const ALL: [Self; 4] = [Self::Auto, Self::InProcess, Self::Process, Self::Slurm];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::InProcess => "in-process",
            Self::Process => "process",
            Self::Slurm => "slurm",
        }
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

/// Where the trials of a sweep are to run.
#[derive(Debug, Clone, Default)]
pub struct ExecutorRequest {
    /// The executor.
    pub name: ExecutorName,
    /// The path of `vi3nr`, which child processes and the tasks of a cluster run.
    pub program: PathBuf,
    /// How trials are submitted to a cluster; only for [`ExecutorName::Slurm`].
    pub slurm: SlurmOptions,
}

impl ExecutorRequest {
    /// The executor of the trials of `plan`.
    ///
    /// # Errors
    /// Returns [`SweepError::Setting`] if there are options of Slurm for another executor,
    /// [`SweepError::Slurm`] if they are invalid, and the errors of [`Plan::first_scheduled`].
    pub fn runner(&self, plan: &Plan) -> Result<Runner, SweepError> {
        if self.name != ExecutorName::Slurm && self.slurm != SlurmOptions::default() {
            let reason = format!("'{}' takes no settings of Slurm; expected 'slurm'", self.name);
            return Err(invalid("executor", reason));
        }
        let in_process = match self.name {
            ExecutorName::Auto => are_small(plan)?,
            ExecutorName::InProcess => true,
            ExecutorName::Process => false,
            ExecutorName::Slurm => {
                return Ok(Runner::Slurm(Slurm::new(self.program.clone(), &self.slurm)?));
            }
        };
        Ok(Runner::Local(match in_process {
            true => Box::new(InProcessExecutor::default()),
            false => Box::new(ChildExecutor::new(self.program.clone())),
        }))
    }
}

/// Runs the trials of a sweep.
#[derive(Debug)]
pub enum Runner {
    /// On this machine, one by one.
    Local(Box<dyn Executor>),
    /// On a cluster, in job arrays.
    Slurm(Slurm),
}

impl Runner {
    /// Runs the pending trials, `jobs` at a time, until none is left or `stop` is set. Returns
    /// whether all trials have ended.
    ///
    /// # Errors
    /// As [`run`] and [`Slurm::run`].
    pub fn run(
        &self,
        plan: &Plan,
        store: &mut Store,
        folders: &TrialFolders,
        jobs: Option<usize>,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, SweepError> {
        match self {
            Self::Local(executor) => run(plan, store, folders, &**executor, jobs, stop, watch),
            Self::Slurm(slurm) => slurm.run(plan, store, folders, jobs, stop, watch),
        }
    }
}

/// Whether all trials are small. A trial whose file cannot be read ends at once.
fn are_small(plan: &Plan) -> Result<bool, SweepError> {
    for trial in plan.first_scheduled()? {
        if plan.operations(&trial)? > MAX_SMALL {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
            match ExecutorRequest::default().runner(&plan).unwrap() {
                Runner::Local(executor) => {
                    format!("{executor:?}").split(' ').next().unwrap().to_owned()
                }
                Runner::Slurm(slurm) => panic!("{slurm:?}"),
            }
        };
        assert_eq!(executor("width = 8\nlayers = 3\nsteps = [10, 20]"), "InProcessExecutor");
        assert_eq!(executor("width = 8\nlayers = 3\nsteps = [10, 100000]"), "ChildExecutor");
        assert_eq!(executor(""), "ChildExecutor");
        assert_eq!(executor("file = 'no/such.png'"), "InProcessExecutor");
    }

    #[test]
    fn settings_of_slurm_belong_to_slurm() {
        let file = toml::from_str("maximize = 'psnr'").unwrap();
        let plan = Plan::new(&file, Path::new("")).unwrap();
        let slurm = SlurmOptions { mem: Some("4G".into()), ..SlurmOptions::default() };
        let request = ExecutorRequest { slurm, ..ExecutorRequest::default() };
        let error = request.runner(&plan).unwrap_err();
        assert!(
            matches!(&error, SweepError::Setting { name, .. } if name == "executor"),
            "{error}"
        );
        let request = ExecutorRequest { name: ExecutorName::Slurm, ..request };
        assert!(matches!(request.runner(&plan).unwrap(), Runner::Slurm(_)));
    }
}
