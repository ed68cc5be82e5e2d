//! Who runs a trial: here, a child process.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use super::{SweepError, Trial};
use vi3nr_inr::run_directory::RunDirectory;

/// Characters of a failed trial's last words that are kept.
const MOST_WORDS: usize = 2_000;

/// Runs trials as child processes of this one.
///
/// A child holds the reading end of a pipe as its standard input and ends as soon as that is closed
/// (`--end-with-input`), so that none outlives its parent, however that ends.
#[derive(Debug)]
pub struct ChildExecutor {
    program: PathBuf,
    folder: PathBuf,
    trials: PathBuf,
    /// The pipes of the running children.
    pipes: Mutex<HashMap<i64, ChildStdin>>,
    /// Held for as long as the sweep runs.
    _lock: fs::File,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The object that it printed, if it did.
    pub result: Option<Value>,
    /// Its last words, or how it was ended.
    pub error: String,
    /// How long it ran.
    pub seconds: f64,
}

impl ChildExecutor {
    /// Trials run `program` in `folder`; their run directories are made in `trials`, which no other
    /// sweep may use at the same time.
    ///
    /// # Errors
    /// A directory that cannot be made or is in use.
    pub fn new(program: PathBuf, folder: &Path, trials: &Path) -> Result<Self, SweepError> {
        let fail = |source| SweepError::Directory { path: trials.to_owned(), source };
        fs::create_dir_all(trials).map_err(fail)?;
        let trials = fs::canonicalize(trials).map_err(fail)?;
        let lock = fs::File::create(trials.join(".lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(SweepError::Locked { path: trials }),
            Err(fs::TryLockError::Error(error)) => return Err(fail(error)),
        }
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok(Self {
            program,
            folder: folder.to_owned(),
            trials,
            pipes: Mutex::default(),
            _lock: lock,
        })
    }

    /// The run directory of the trial with this number.
    pub fn directory(trials: &Path, id: i64) -> PathBuf {
        trials.join(format!("{id:05}"))
    }

    /// Runs a trial to its end, from its checkpoint if it was cut off before.
    ///
    /// # Errors
    /// A program that cannot be started.
    pub fn execute(&self, trial: &Trial, id: i64, threads: usize) -> Result<Ended, SweepError> {
        let began = Instant::now();
        let directory = Self::directory(&self.trials, id);
        let mut command = Command::new(&self.program);
        match was_begun(&directory, trial) {
            true => command.args(["fit", "--resume"]),
            false => command.args(trial.arguments()).arg("--out"),
        };
        let mut child = command
            .arg(directory)
            .args(["--threads", &threads.to_string(), "--json", "--end-with-input"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| SweepError::Start { program: self.program.clone(), source })?;
        if let Some(pipe) = child.stdin.take() {
            self.pipes.lock().unwrap_or_else(PoisonError::into_inner).insert(id, pipe);
        }
        let ended = wait(child, began);
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        Ok(ended)
    }

    /// Ends all children at once.
    pub fn stop(&self) {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Whether the run in `directory` is that of `trial`, cut off.
fn was_begun(directory: &Path, trial: &Trial) -> bool {
    let arguments = trial.arguments();
    let is_own = |words: &[String]| {
        words
            .strip_prefix(&arguments[1..])
            .is_some_and(|rest| rest.first().is_some_and(|word| word == "--out"))
    };
    directory.is_dir() && RunDirectory::open(directory).is_ok_and(|(_, begun)| is_own(&begun.words))
}

fn wait(child: Child, began: Instant) -> Ended {
    let output = match child.wait_with_output() {
        Ok(output) => output,
        Err(error) => {
            let seconds = began.elapsed().as_secs_f64();
            return Ended { result: None, error: error.to_string(), seconds };
        }
    };
    // A fit that diverged has a result too, and says so in it.
    let result = serde_json::from_slice(&output.stdout).ok().filter(Value::is_object);
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let skipped = said.chars().count().saturating_sub(MOST_WORDS);
    let words: String = said.chars().skip(skipped).collect();
    let error = if words.is_empty() { output.status.to_string() } else { words };
    Ended { result, error, seconds: began.elapsed().as_secs_f64() }
}
