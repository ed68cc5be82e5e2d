//! Running trials as child processes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{CHANGED, Ended, Executor, Job, Outcome, StoredTrial, prepare, tail};
use crate::sweep::SweepError;

/// Runs trials as child processes.
///
/// The standard input of a child is a pipe. The child ends as soon as the pipe is closed
/// (`--end-with-input`), so no child outlives its parent, however the parent ends.
#[derive(Debug)]
pub struct ChildExecutor {
    program: PathBuf,
    children: Mutex<Children>,
}

#[derive(Debug, Default)]
struct Children {
    /// The pipes of the running children.
    pipes: HashMap<i64, ChildStdin>,
    is_stopping: bool,
}

impl ChildExecutor {
    /// An executor whose children run `program`, which is `vi3nr`.
    pub fn new(program: PathBuf) -> Self {
        Self { program, children: Mutex::default() }
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the trial; `None` after [`Executor::stop`].
    fn start(&self, job: &Job, arguments: &[&Path]) -> Result<Option<Child>, SweepError> {
        // The lock is held while the child starts, so that `stop` misses none.
        let mut children = self.children();
        if children.is_stopping {
            return Ok(None);
        }
        let mut child = Command::new(&self.program)
            .arg("fit")
            .args(arguments)
            .args(["--threads", &job.threads.to_string(), "--json", "--end-with-input"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| SweepError::Start { program: self.program.clone(), source })?;
        if let Some(pipe) = child.stdin.take() {
            children.pipes.insert(job.id, pipe);
        }
        Ok(Some(child))
    }

    fn run(&self, job: &Job) -> Result<Outcome, SweepError> {
        let arguments = match prepare(job) {
            Ok(arguments) => arguments,
            Err(outcome) => return Ok(outcome),
        };
        let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
        let Some(child) = self.start(job, &arguments)? else { return Ok(Outcome::Interrupted) };
        let output = child.wait_with_output();
        let is_stopping = {
            let mut children = self.children();
            children.pipes.remove(&job.id);
            children.is_stopping
        };
        let output = match output {
            Ok(output) => output,
            Err(error) => return Ok(Outcome::Failed(error.to_string())),
        };
        // The run directory decides, not the exit status: a fit that diverged has a report, too.
        Ok(match StoredTrial::of(job) {
            StoredTrial::Ended(report) => Outcome::Report(report),
            _ if is_stopping => Outcome::Interrupted,
            StoredTrial::Interrupted(_, record) if record.report.is_some() => Outcome::Interrupted,
            _ if output.status.success() => Outcome::Failed(CHANGED.into()),
            _ => Outcome::Failed(error_message(&output)),
        })
    }
}

impl Executor for ChildExecutor {
    fn execute(&self, job: &Job) -> Result<Ended, SweepError> {
        let began = Instant::now();
        let outcome = self.run(job)?;
        Ok(Ended { outcome, seconds: began.elapsed().as_secs_f64() })
    }

    /// Running children end at once. A later run resumes them from their last checkpoints.
    fn stop(&self) {
        let mut children = self.children();
        children.is_stopping = true;
        children.pipes.clear();
    }
}

fn error_message(output: &std::process::Output) -> String {
    match tail(&String::from_utf8_lossy(&output.stderr)) {
        said if said.is_empty() => output.status.to_string(),
        said => said,
    }
}
