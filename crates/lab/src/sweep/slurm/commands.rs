//! The commands of Slurm.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::SlurmError;
use super::queue::{FORMAT, Task, parse};

/// The number of tasks of an array if the cluster does not say: Slurm's default of `MaxArraySize`.
const DEFAULT_ARRAY_SIZE: usize = 1001;
/// The interval between two attempts of a command that fails.
const RETRY: Duration = Duration::from_secs(2);
/// Environment variables that would hide tasks from `squeue`.
const FILTERS: [&str; 6] = [
    "SQUEUE_ACCOUNT",
    "SQUEUE_LICENSES",
    "SQUEUE_NAMES",
    "SQUEUE_PARTITION",
    "SQUEUE_QOS",
    "SQUEUE_USERS",
];

/// The commands of Slurm, and how patiently they are used. No other command is needed; in particular
/// no accounting database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmCommands {
    /// Submits job arrays.
    pub sbatch: PathBuf,
    /// Lists tasks.
    pub squeue: PathBuf,
    /// Cancels jobs.
    pub scancel: PathBuf,
    /// Shows the configuration of the cluster.
    pub scontrol: PathBuf,
    /// How long a command may fail before the sweep gives up.
    pub patience: Duration,
    /// The maximum interval between two looks at the queue. A sweep that has waited for a short time
    /// looks more often.
    pub max_interval: Duration,
    /// How long the files of a task that has left the queue may take to become visible.
    pub delay: Duration,
}

impl Default for SlurmCommands {
    /// The commands in the search path, a patience of 5 minutes, at most 15 s between two looks at
    /// the queue, and a delay of 2 s.
    fn default() -> Self {
        Self {
            sbatch: "sbatch".into(),
            squeue: "squeue".into(),
            scancel: "scancel".into(),
            scontrol: "scontrol".into(),
            patience: Duration::from_secs(300),
            max_interval: Duration::from_secs(15),
            delay: Duration::from_secs(2),
        }
    }
}

impl SlurmCommands {
    /// Submits an array with these words and returns its number.
    pub(super) fn submit(&self, words: &[impl AsRef<OsStr>]) -> Result<String, SlurmError> {
        let output = run(&self.sbatch, words)?;
        if !output.status.success() {
            let reason = reason(&output);
            return Err(SlurmError::Refused { program: self.sbatch.clone(), reason });
        }
        // The number, and the cluster if there are several.
        let text = String::from_utf8_lossy(&output.stdout);
        let job = text.trim().split(';').next().unwrap_or_default();
        if job.is_empty() || !job.bytes().all(|byte| byte.is_ascii_digit()) {
            let seen = text.trim().lines().next().unwrap_or_default().to_owned();
            let program = self.sbatch.clone();
            return Err(SlurmError::Output { program, seen, expected: "the number of a job" });
        }
        Ok(job.to_owned())
    }

    /// The user's tasks whose names are `name` and a number, including those that have just ended.
    /// While the command fails, it is tried again after a call of `wait`; `None` if that returns
    /// false.
    pub(super) fn tasks(
        &self,
        name: &str,
        wait: &mut dyn FnMut(Duration) -> bool,
    ) -> Result<Option<Vec<Task>>, SlurmError> {
        let format = format!("--format={FORMAT}");
        let words = ["--me", "--array", "--noheader", "--states=all", &format];
        let Some(text) = self.patiently(&self.squeue, &words, wait)? else { return Ok(None) };
        let tasks = parse(&text, name).map_err(|seen| SlurmError::Output {
            program: self.squeue.clone(),
            seen,
            expected: "name|job|index|state|nodes|reason",
        })?;
        Ok(Some(tasks))
    }

    /// Asks for the queue once, so that a cluster that does not answer is an error at once. Later failures
    /// are waited for.
    pub(super) fn contact(&self) -> Result<(), SlurmError> {
        let output = run(&self.squeue, &["--me", "--noheader"])?;
        if output.status.success() {
            return Ok(());
        }
        Err(SlurmError::Unreachable { program: self.squeue.clone(), reason: reason(&output) })
    }

    /// Cancels jobs.
    pub(super) fn cancel(&self, jobs: &[&str]) -> Result<(), SlurmError> {
        // A job that has just ended is not an error.
        let words: Vec<&str> = ["--quiet"].into_iter().chain(jobs.iter().copied()).collect();
        let mut wait = |interval| {
            std::thread::sleep(interval);
            true
        };
        self.patiently(&self.scancel, &words, &mut wait).map(drop)
    }

    /// The maximum number of tasks of an array: `MaxArraySize`.
    pub(super) fn max_array_size(&self) -> Result<usize, SlurmError> {
        let output = run(&self.scontrol, &["show", "config"])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut pairs = text.lines().filter_map(|line| line.split_once('='));
        let size = pairs.find(|(name, _)| name.trim() == "MaxArraySize");
        let size = size.and_then(|(_, size)| size.trim().parse().ok());
        Ok(size.unwrap_or(DEFAULT_ARRAY_SIZE).max(1))
    }

    /// The standard output of a command, which is repeated while it fails.
    fn patiently(
        &self,
        program: &Path,
        words: &[&str],
        wait: &mut dyn FnMut(Duration) -> bool,
    ) -> Result<Option<String>, SlurmError> {
        let began = Instant::now();
        loop {
            let output = run(program, words)?;
            if output.status.success() {
                return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
            }
            if began.elapsed() >= self.patience {
                let (program, seconds) = (program.to_owned(), began.elapsed().as_secs());
                return Err(SlurmError::Silent { program, seconds, reason: reason(&output) });
            }
            if !wait(RETRY.min(self.max_interval)) {
                return Ok(None);
            }
        }
    }
}

fn run(program: &Path, words: &[impl AsRef<OsStr>]) -> Result<Output, SlurmError> {
    let mut command = Command::new(program);
    for name in FILTERS {
        command.env_remove(name);
    }
    command
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| SlurmError::Start { program: program.to_owned(), source })
}

/// What a command that failed wrote, or else its exit status.
fn reason(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    match said.trim() {
        "" => output.status.to_string(),
        said => said.lines().map(str::trim).collect::<Vec<_>>().join("; "),
    }
}
