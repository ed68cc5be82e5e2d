//! What a fit leaves on disk: a directory that anyone can look into.
//!
//! `model.safetensors` (the network, see [`crate::model_file`]), `metrics.csv` (a row per logged
//! step), `run.json` (request, plan, results: a [`RunRecord`]) and what the signal draws, for
//! example `reconstruction.png`. While it trains there is a `checkpoint.safetensors` too
//! ([`crate::checkpoint`]), or, of a fit in pieces, a `pieces.journal`; such a fit leaves a table
//! of its pieces (`pieces.csv`) and maps of them in place of the metrics. A run that goes on with a
//! finished one has `start.safetensors`, the weights that it started from, and the finished run's
//! steps as `metrics-1.csv`.

mod error;
mod metrics_log;
mod pieces;
mod record;

pub use error::RunError;
pub use metrics_log::MetricsLog;
pub use record::{RUN_FORMAT, RunRecord, StartingCommand, StoredRun, Version1Run};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use vi3nr_engine::Backend;

use crate::atomic_file::write_atomically;
use crate::checkpoint::{CHECKPOINT_FILE, Checkpoint, CheckpointError};
use crate::pieces::{MAP_FILES, PIECES_FILE, TABLE_FILE};
use crate::plan::FitPlan;
use crate::request::FitRequest;
use crate::session::Fit;
use crate::signal::Signal;

/// The model's file name inside a run directory.
pub const MODEL_FILE: &str = "model.safetensors";
/// The file name of the record of a run, inside its directory.
const RUN_FILE: &str = "run.json";
/// The command line of a run of version 1.
const COMMAND_FILE: &str = "command.json";
/// The steps.
const METRICS_FILE: &str = "metrics.csv";
/// The weights that a continued run starts from.
const START_FILE: &str = "start.safetensors";
/// Everything that any run may have left besides what its record lists, and earlier parts of the
/// metrics.
const OWN_FILES: [&str; 16] = [
    MODEL_FILE,
    RUN_FILE,
    COMMAND_FILE,
    METRICS_FILE,
    START_FILE,
    CHECKPOINT_FILE,
    PIECES_FILE,
    TABLE_FILE,
    MAP_FILES[0],
    MAP_FILES[1],
    "reconstruction.png",
    "reconstruction.wav",
    "waveform.png",
    "waveform.svg",
    "preview.png",
    "events.out.tfevents.vi3nr",
];

/// A directory that has been found writable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes `path` with its parents if need be and writes to it once, so that a place that cannot
    /// be written is found before the training and not after. With `overwrite`, whatever an earlier
    /// run left there is removed.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] with what the system reports, or [`RunError::Exists`] if the
    /// directory holds a run and `overwrite` is not set.
    pub fn create(path: &Path, overwrite: bool) -> Result<Self, RunError> {
        let directory = Self::writable(path)?;
        let holds_run = [RUN_FILE, COMMAND_FILE, MODEL_FILE, CHECKPOINT_FILE, PIECES_FILE]
            .iter()
            .any(|name| path.join(name).exists());
        match (holds_run, overwrite) {
            (true, false) => return Err(RunError::Exists { path: path.to_owned() }),
            (true, true) => directory.clear()?,
            (false, _) => {}
        }
        Ok(directory)
    }

    /// A directory of its own under `parent`: `name`, or `name-2`, `name-3`, … if that exists.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] with what the system reports.
    pub fn create_new(parent: &Path, name: &str) -> Result<Self, RunError> {
        let fail = |path: &Path, source| RunError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(parent).map_err(|source| fail(parent, source))?;
        let mut number = 1;
        loop {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = parent.join(format!("{name}{suffix}"));
            match fs::create_dir(&path) {
                Ok(()) => return Self::writable(&path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(fail(&path, source)),
            }
        }
    }

    fn writable(path: &Path) -> Result<Self, RunError> {
        let fail = |source| RunError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(fail)?;
        tempfile::NamedTempFile::new_in(path).map_err(fail)?;
        Ok(Self { path: path.to_owned() })
    }

    /// An existing directory, and what it says of its run.
    ///
    /// # Errors
    /// Returns [`RunError::NoRun`] if there is no run in it, [`RunError::Record`] if what it says
    /// is damaged, [`RunError::Directory`] if it cannot be written.
    pub fn open(path: &Path) -> Result<(Self, StoredRun), RunError> {
        let stored = Self::read(path)?;
        Ok((Self::writable(path)?, stored))
    }

    /// What an existing directory says of its run, without writing to it.
    ///
    /// # Errors
    /// As [`RunDirectory::open`].
    pub fn read(path: &Path) -> Result<StoredRun, RunError> {
        let command = read_json::<StartingCommand>(&path.join(COMMAND_FILE))?;
        let run = read_json::<Value>(&path.join(RUN_FILE))?;
        match (command, run) {
            // Version 1 kept a command line beside a record without a format.
            (Some(command), run) if run.as_ref().is_none_or(|run| run.get("format").is_none()) => {
                Ok(StoredRun::Version1(Version1Run { command, run }))
            }
            (_, Some(run)) => {
                let damaged =
                    |reason: String| RunError::Record { path: path.join(RUN_FILE), reason };
                let format = run.get("format").and_then(Value::as_u64);
                if format != Some(u64::from(RUN_FORMAT)) {
                    let reason = match format {
                        Some(newer) if newer > u64::from(RUN_FORMAT) => format!(
                            "it has format {newer}, this program reads up to {RUN_FORMAT}: upgrade vi3nr"
                        ),
                        _ => format!("it has no format number; expected format {RUN_FORMAT}"),
                    };
                    return Err(damaged(reason));
                }
                let record = serde_json::from_value(run);
                let record = record.map_err(|error| damaged(error.to_string()))?;
                Ok(StoredRun::Current(Box::new(record)))
            }
            (_, None) => {
                let reason = format!("it has no {RUN_FILE}");
                Err(RunError::NoRun { path: path.to_owned(), reason })
            }
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps what the run was asked for and what it does, before its first step.
    ///
    /// # Errors
    /// Returns [`RunError::Write`] with what the system reports.
    pub fn begin(&self, request: &FitRequest, plan: &FitPlan) -> Result<(), RunError> {
        self.write_json(RUN_FILE, &RunRecord::new(request, plan))
    }

    /// Where the checkpoint is written.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT_FILE)
    }

    /// The checkpoint, if one was reached.
    ///
    /// # Errors
    /// Returns [`RunError::Checkpoint`] if it is damaged or belongs to another fit than that of
    /// `plan` to `signal`.
    pub fn checkpoint(
        &self,
        plan: &FitPlan,
        signal: &dyn Signal,
    ) -> Result<Option<Checkpoint>, RunError> {
        let path = self.checkpoint_path();
        if !path.exists() {
            return Ok(None);
        }
        let checkpoint = Checkpoint::load(&path)?;
        let differences = checkpoint.differences(plan, signal);
        match differences.is_empty() {
            true => Ok(Some(checkpoint)),
            false => Err(CheckpointError::Foreign { path, differences }.into()),
        }
    }

    /// Removes the checkpoint of a run that has ended.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] with what the system reports.
    pub fn forget_checkpoint(&self) -> Result<(), RunError> {
        self.remove(CHECKPOINT_FILE)?;
        self.remove(PIECES_FILE)
    }

    /// Where the model is written.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL_FILE)
    }

    /// Puts the finished run's model and steps aside, for a run that goes on from them; returns the
    /// file of the weights to start from.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] with what the system reports.
    pub fn set_aside(&self) -> Result<PathBuf, RunError> {
        let fail = |source| RunError::Directory { path: self.path.clone(), source };
        let start = self.path.join(START_FILE);
        let copy = tempfile::NamedTempFile::new_in(&self.path).map_err(fail)?;
        fs::copy(self.model_path(), copy.path()).map_err(fail)?;
        copy.persist(&start).map_err(|error| fail(error.error))?;
        let metrics = self.path.join(METRICS_FILE);
        let free = (1..).map(|part| self.path.join(format!("metrics-{part}.csv")));
        if let (true, Some(part)) = (metrics.exists(), free.into_iter().find(|p| !p.exists())) {
            fs::rename(metrics, part).map_err(fail)?;
        }
        Ok(start)
    }

    /// Writes the model, the signal's pictures, the metrics and the record, each whole or not at
    /// all; returns the files of the pictures.
    ///
    /// # Errors
    /// Returns [`RunError::Model`], [`RunError::Picture`] or [`RunError::Write`] with what the
    /// system reports and the file's name.
    pub fn save(
        &self,
        request: &FitRequest,
        fit: &Fit,
        signal: &dyn Signal,
        log: &MetricsLog,
        backend: &dyn Backend,
    ) -> Result<Vec<PathBuf>, RunError> {
        fit.model.save(&self.model_path())?;
        let reconstruction = fit.reconstruction(backend);
        let pictures =
            backend.workers().install(|| signal.save_pictures(&reconstruction, &self.path))?;
        let rows = log.to_csv(signal);
        write_atomically(&self.path.join(METRICS_FILE), |writer| {
            writer.write_all(rows.as_bytes())
        })?;
        self.write_json(RUN_FILE, &RunRecord::ended(request, fit, signal, &pictures))?;
        Ok(pictures)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        write_atomically(&self.path.join(name), |writer| {
            serde_json::to_writer_pretty(&mut *writer, value)?;
            writer.write_all(b"\n")
        })?;
        Ok(())
    }

    /// Removes everything that an earlier run left.
    fn clear(&self) -> Result<(), RunError> {
        if let Ok(StoredRun::Current(record)) = Self::read(&self.path) {
            // Names only: a record from elsewhere must not reach out of the directory.
            let mut names = record.files.iter().filter_map(|file| file.file_name()?.to_str());
            names.try_for_each(|name| self.remove(name))?;
        }
        let parts = (1..).map(|part| format!("metrics-{part}.csv"));
        for part in parts.take_while(|part| self.path.join(part).exists()) {
            self.remove(&part)?;
        }
        OWN_FILES.iter().try_for_each(|name| self.remove(name))
    }

    fn remove(&self, name: &str) -> Result<(), RunError> {
        match fs::remove_file(self.path.join(name)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(RunError::Directory { path: self.path.clone(), source })
            }
            _ => Ok(()),
        }
    }
}

/// A JSON file, if there is one.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, RunError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(RunError::Record { path: path.to_owned(), reason: error.to_string() });
        }
    };
    let read = serde_json::from_slice(&text);
    read.map(Some)
        .map_err(|error| RunError::Record { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let error = RunDirectory::create(&path.join("run"), false).unwrap_err().to_string();
        assert!(error.contains("file/run") && error.contains("Not a directory"), "{error}");
    }

    #[test]
    fn a_run_is_overwritten_only_when_asked_and_nothing_of_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for name in OWN_FILES.iter().chain(&["metrics-1.csv", "metrics-2.csv", "own notes.txt"]) {
            fs::write(path.join(name), "").unwrap();
        }
        let error = RunDirectory::create(path, false).unwrap_err();
        assert!(matches!(error, RunError::Exists { .. }), "{error}");
        RunDirectory::create(path, true).unwrap();
        let left: Vec<_> = fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["own notes.txt"]);
    }

    #[test]
    fn a_broken_record_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(matches!(RunDirectory::read(path), Err(RunError::NoRun { .. })));
        for broken in ["", "{", "[]", "{\"format\": 9}", "{\"format\": 2}"] {
            fs::write(path.join(RUN_FILE), broken).unwrap();
            let error = RunDirectory::read(path).unwrap_err();
            assert!(matches!(error, RunError::Record { .. }), "{broken}: {error}");
        }
    }
}
