//! What a fit leaves on disk: a directory that anyone can look into.
//!
//! `model.safetensors` (the network, see [`crate::model_file`]), `metrics.csv` (a row per logged
//! step), `run.json` (settings, numbers, version), `command.json` (what was typed, to go on with) and
//! what the signal draws, for example `reconstruction.png`. While it trains there is a
//! `checkpoint.safetensors` too ([`crate::checkpoint`]).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::atomic_file::{WriteError, write_atomically};
use crate::checkpoint::{CHECKPOINT_FILE, Checkpoint, CheckpointError, differences};
use crate::fit::Fit;
use crate::model_file::ModelError;
use crate::signal::{Signal, SignalError};
use crate::train::Progress;

/// The model's file name inside a run directory.
pub const MODEL_FILE: &str = "model.safetensors";
/// What was typed, inside a run directory.
const COMMAND_FILE: &str = "command.json";
/// The numbers of a run that has ended, inside its directory.
const RUN_FILE: &str = "run.json";
/// Rows of `metrics.csv` at most, the last step not counted.
const MOST_ROWS: u64 = 2000;

/// A run that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The directory cannot be made or written to.
    #[error("cannot use '{}' as the run directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The model cannot be written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What the signal draws cannot be written.
    #[error(transparent)]
    Picture(#[from] SignalError),
    /// Another file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Nothing says how the run was begun.
    #[error("cannot go on with '{}': {reason}; expected the directory of a run", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
}

/// What was typed to begin a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartingCommand {
    /// Where, for paths.
    pub folder: PathBuf,
    /// The words after `vi3nr fit`.
    pub words: Vec<String>,
}

/// A directory that has been found writable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes `path` with its parents if need be and writes to it once, so that a place that cannot
    /// be written is found before the training and not after.
    ///
    /// # Errors
    /// What the system reports.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        let fail = |source| RunError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(fail)?;
        tempfile::NamedTempFile::new_in(path).map_err(fail)?;
        Ok(Self { path: path.to_owned() })
    }

    /// A directory of its own under `parent`: `name`, or `name-2`, `name-3`, … if that exists.
    ///
    /// # Errors
    /// What the system reports.
    pub fn create_new(parent: &Path, name: &str) -> Result<Self, RunError> {
        let fail = |path: &Path, source| RunError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(parent).map_err(|source| fail(parent, source))?;
        let mut number = 1;
        loop {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = parent.join(format!("{name}{suffix}"));
            match fs::create_dir(&path) {
                Ok(()) => return Self::create(&path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(fail(&path, source)),
            }
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An existing directory, for going on with its run.
    ///
    /// # Errors
    /// What the system reports.
    pub fn open(path: &Path) -> Result<(Self, StartingCommand), RunError> {
        let fail = |reason| RunError::NoRun { path: path.to_owned(), reason };
        let file = path.join(COMMAND_FILE);
        let text = fs::read_to_string(&file)
            .map_err(|error| fail(format!("'{}': {error}", file.display())))?;
        let command = serde_json::from_str(&text)
            .map_err(|error| fail(format!("'{}': {error}", file.display())))?;
        Ok((Self::create(path)?, command))
    }

    /// Keeps what was typed, and forgets what an earlier run in this directory left to go on with.
    ///
    /// # Errors
    /// What the system reports, with the file's name.
    pub fn begin(&self, command: &StartingCommand) -> Result<(), RunError> {
        self.forget_checkpoint()?;
        match fs::remove_file(self.path.join(RUN_FILE)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(RunError::Directory { path: self.path.clone(), source });
            }
            _ => {}
        }
        write_atomically(&self.path.join(COMMAND_FILE), |writer| {
            serde_json::to_writer_pretty(&mut *writer, command)?;
            writer.write_all(b"\n")
        })?;
        Ok(())
    }

    /// Where the checkpoint is written.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT_FILE)
    }

    /// The checkpoint, if one was reached.
    ///
    /// # Errors
    /// One that is damaged or belongs to other settings than `identity`.
    pub fn checkpoint(&self, identity: &Value) -> Result<Option<Checkpoint>, RunError> {
        let path = self.checkpoint_path();
        if !path.exists() {
            return Ok(None);
        }
        let checkpoint = Checkpoint::load(&path)?;
        let differences = differences(&checkpoint.settings, identity);
        match differences.is_empty() {
            true => Ok(Some(checkpoint)),
            false => Err(CheckpointError::Foreign { path, differences }.into()),
        }
    }

    /// Removes the checkpoint of a run that has ended.
    ///
    /// # Errors
    /// What the system reports.
    pub fn forget_checkpoint(&self) -> Result<(), RunError> {
        match fs::remove_file(self.checkpoint_path()) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(RunError::Directory { path: self.path.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// What `run.json` says of a run that has ended, if this one has.
    ///
    /// # Errors
    /// A run of other settings than `identity`.
    pub fn ended(&self, identity: &Value) -> Result<Option<Value>, RunError> {
        let path = self.path.join(RUN_FILE);
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        let Ok(run) = serde_json::from_slice::<Value>(&text) else { return Ok(None) };
        let was_cut = run["report"]["stopped"] == "interrupted";
        if was_cut || self.checkpoint_path().exists() {
            return Ok(None);
        }
        // The rest is what came out.
        let names = identity.as_object().map(Map::keys).into_iter().flatten();
        let kept: Map<_, _> = names.map(|name| (name.clone(), run[name].clone())).collect();
        let differences = differences(&Value::Object(kept), identity);
        match differences.is_empty() {
            true => Ok(Some(run)),
            false => Err(CheckpointError::Foreign { path, differences }.into()),
        }
    }

    /// Where the model is written.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL_FILE)
    }

    /// Writes the model, the signal's pictures, the metrics and `run.json`, each whole or not at
    /// all; returns the files of the pictures.
    ///
    /// # Errors
    /// What the system reports, with the file's name.
    pub fn save(
        &self,
        fit: &Fit,
        signal: &dyn Signal,
        log: &MetricsLog,
    ) -> Result<Vec<PathBuf>, RunError> {
        fit.model.save(&self.model_path())?;
        let pictures = signal.save_pictures(&fit.reconstruction(), &self.path)?;
        let rows = log.to_csv(signal);
        write_atomically(&self.path.join("metrics.csv"), |writer| {
            writer.write_all(rows.as_bytes())
        })?;
        let mut conventions = Map::new();
        conventions.insert("loss".into(), signal.loss_convention().into());
        for metric in &fit.report.metrics.all {
            let words = [metric.unit, metric.convention].map(str::to_owned);
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            conventions.insert(metric.name.into(), words.join(", ").into());
        }
        let mut run = fit.identity.clone();
        run["vi3nr_version"] = json!(env!("CARGO_PKG_VERSION"));
        run["report"] = json!(fit.report);
        run["conventions"] = Value::Object(conventions);
        write_atomically(&self.path.join(RUN_FILE), |writer| {
            serde_json::to_writer_pretty(&mut *writer, &run)?;
            writer.write_all(b"\n")
        })?;
        Ok(pictures)
    }
}

/// The steps that `metrics.csv` will hold.
#[derive(Debug, Clone, Default)]
pub struct MetricsLog {
    rows: Vec<Progress>,
    last: Option<Progress>,
}

impl MetricsLog {
    /// Notes a step: every one of a short run, evenly spaced ones of a long run, and the last.
    pub fn note(&mut self, progress: &Progress) {
        let every = progress.steps.div_ceil(MOST_ROWS);
        if progress.step == 1 || progress.step.is_multiple_of(every) {
            self.rows.push(*progress);
            self.last = None;
        } else {
            self.last = Some(*progress);
        }
    }

    /// The log of a run that goes on.
    pub fn resumed(rows: Vec<Progress>) -> Self {
        Self { rows, last: None }
    }

    /// The rows so far, without the last step where that will not be one of them.
    pub fn rows(&self) -> &[Progress] {
        &self.rows
    }

    /// All steps that `metrics.csv` will hold, the last one included.
    pub fn steps(&self) -> impl Iterator<Item = &Progress> {
        self.rows.iter().chain(&self.last)
    }

    /// As CSV: the step, its loss before the update, what `signal` says of that loss, the learning
    /// rate and the seconds since training began.
    fn to_csv(&self, signal: &dyn Signal) -> String {
        let names = signal.metrics_of_loss(1.0).all.into_iter().map(|metric| metric.name);
        let head = ["step", "loss"].into_iter().chain(names).chain(["learning_rate", "seconds"]);
        let mut text = head.collect::<Vec<_>>().join(",") + "\n";
        for row in self.steps() {
            text += &format!("{},{:e},", row.step, row.loss);
            for metric in signal.metrics_of_loss(row.loss).all {
                text += &format!("{:.4},", metric.value);
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
    use crate::signal::image::Image;

    #[test]
    fn names_that_exist_get_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("runs");
        let name = |run: RunDirectory| run.path().file_name().unwrap().to_owned();
        assert_eq!(name(RunDirectory::create_new(&parent, "a").unwrap()), "a");
        assert_eq!(name(RunDirectory::create_new(&parent, "a").unwrap()), "a-2");
        assert_eq!(name(RunDirectory::create_new(&parent, "a").unwrap()), "a-3");
        assert_eq!(fs::read_dir(parent.join("a")).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = RunDirectory::create(&path.join("run")).unwrap_err().to_string();
        assert!(error.contains("file/run") && error.contains("Not a directory"), "{error}");
    }

    #[test]
    fn long_runs_are_thinned_and_end_with_the_last_step() {
        let mut log = MetricsLog::default();
        for step in 1..=10_001 {
            log.note(&Progress {
                step,
                steps: 10_001,
                loss: 0.04,
                learning_rate: 1e-3,
                points_seen: step,
                operations: 0.0,
                elapsed: Duration::from_millis(step),
            });
        }
        let white = Image::from_values(1, 1, 1, vec![1.0]).unwrap();
        let text = log.to_csv(&white);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "step,loss,psnr,psnr_paper,learning_rate,seconds");
        assert_eq!(lines[1], "1,4e-2,20.0000,13.9794,1e-3,0.001");
        assert_eq!(lines[2], "6,4e-2,20.0000,13.9794,1e-3,0.006");
        assert_eq!(lines.last().unwrap(), &"10001,4e-2,20.0000,13.9794,1e-3,10.001");
        assert!(lines.len() < 2005);
    }
}
