//! Run directories: the files of a fit on disk.
//!
//! `model.safetensors` (the network, see [`crate::model_file`]), `metrics.csv` (a row per logged
//! step), `run.json` (request, plan and report: a [`RunRecord`]) and the files of the signal's
//! kind, for example `reconstruction.png`. During training there is also a `checkpoint.safetensors`
//! ([`crate::checkpoint`]) or, for a fit in pieces, a `pieces.journal`. A fit in pieces has a table
//! of its pieces (`pieces.csv`) and maps of them instead of the metrics. A run that continues a
//! finished one has `start.safetensors`, the weights that it starts from, and the steps of the
//! finished run as `metrics-1.csv`.

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

use crate::atomic_file::{remove_leftovers, temporary_names, write_atomically};
use crate::bounded_read::read_at_most;
use crate::checkpoint::{CHECKPOINT_FILE, Checkpoint, CheckpointError};
use crate::decode::{Derivative, derivative_map};
use crate::pieces::{MAP_FILES, PIECES_FILE, TABLE_FILE};
use crate::plan::FitPlan;
use crate::request::FitRequest;
use crate::session::Fit;
use crate::signal::Signal;
use crate::supervision::Supervision;

/// The file name of the model inside a run directory.
pub const MODEL_FILE: &str = "model.safetensors";
/// The file name of the run's record.
const RUN_FILE: &str = "run.json";
/// The largest record that is read, in bytes.
const MAX_RECORD_BYTES: u64 = 1 << 26;
/// The file name of the command line of a run of version 1.
const COMMAND_FILE: &str = "command.json";
/// The file name of the logged steps.
const METRICS_FILE: &str = "metrics.csv";
/// The file name of the weights that a continued run starts from.
const START_FILE: &str = "start.safetensors";
/// The file name of the signal itself, if it was not read from a file.
pub(crate) const INPUT_FILE: &str = "input";
/// All files that a run may have written, besides those that its record lists and the metrics of
/// earlier runs.
const OWN_FILES: [&str; 19] = [
    INPUT_FILE,
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
    "gradient.png",
    "laplacian.png",
    "reconstruction.wav",
    "waveform.png",
    "waveform.svg",
    "preview.png",
    "events.out.tfevents.vi3nr",
];

/// A run directory that is known to be writable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Creates `path` with its parents if necessary and writes to it once, so that a directory that
    /// cannot be written to is reported before training. Temporary files that a killed run left in it
    /// are removed. With `overwrite`, the files of an earlier
    /// run in it are removed.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] if the directory cannot be created or written to, and
    /// [`RunError::Exists`] if it holds a run and `overwrite` is not set.
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

    /// Creates a new directory in `parent`: `name`, or `name-2`, `name-3`, … if that exists.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] if it cannot be created or written to.
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
        temporary_names().tempfile_in(path).map_err(fail)?;
        remove_leftovers(path).map_err(fail)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens an existing directory and reads the record of its run.
    ///
    /// # Errors
    /// Returns [`RunError::NoRun`] if it holds no run, [`RunError::Record`] if the record cannot be
    /// read, and [`RunError::Directory`] if the directory cannot be written to.
    pub fn open(path: &Path) -> Result<(Self, StoredRun), RunError> {
        let stored = Self::read(path)?;
        Ok((Self::writable(path)?, stored))
    }

    /// Reads the record of the run in an existing directory, which is not written to.
    ///
    /// # Errors
    /// Returns [`RunError::NoRun`] if the directory holds no run, and [`RunError::Record`] if the
    /// record cannot be read.
    pub fn read(path: &Path) -> Result<StoredRun, RunError> {
        let command = read_json::<StartingCommand>(&path.join(COMMAND_FILE))?;
        let run = read_json::<Value>(&path.join(RUN_FILE))?;
        match (command, run) {
            // Version 1 stored a command line beside a record without a format.
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
                            "it has format {newer}, and this program reads formats up to \
                             {RUN_FORMAT}: upgrade vi3nr"
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

    /// Writes the record of a run that begins, with its request and plan.
    ///
    /// # Errors
    /// Returns [`RunError::Write`] if the record cannot be written.
    pub fn begin(&self, request: &FitRequest, plan: &FitPlan) -> Result<(), RunError> {
        self.write_json(RUN_FILE, &RunRecord::new(request, plan))
    }

    /// Stores the bytes of a signal that was not read from a file, and returns the path of the
    /// file.
    ///
    /// # Errors
    /// Returns [`RunError::Write`] if the file cannot be written.
    pub fn keep_input(&self, bytes: &[u8]) -> Result<PathBuf, RunError> {
        let path = self.path.join(INPUT_FILE);
        write_atomically(&path, |writer| writer.write_all(bytes))?;
        Ok(path)
    }

    /// The path of the checkpoint.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT_FILE)
    }

    /// Reads the checkpoint, if there is one.
    ///
    /// # Errors
    /// Returns [`RunError::Checkpoint`] if it cannot be read, is damaged, or belongs to another fit
    /// than that of `plan` to `signal`.
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

    /// Removes the checkpoint and the journal of pieces, if they exist.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] if they cannot be removed.
    pub fn remove_checkpoint(&self) -> Result<(), RunError> {
        self.remove(CHECKPOINT_FILE)?;
        self.remove(PIECES_FILE)
    }

    /// The path of the model.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL_FILE)
    }

    /// Copies the model of the finished run to `start.safetensors` and renames its `metrics.csv`,
    /// for a run that continues it. Returns the path of the copy.
    ///
    /// # Errors
    /// Returns [`RunError::Directory`] if a file cannot be copied or renamed.
    pub fn set_aside(&self) -> Result<PathBuf, RunError> {
        let fail = |source| RunError::Directory { path: self.path.clone(), source };
        let start = self.path.join(START_FILE);
        let copy = temporary_names().tempfile_in(&self.path).map_err(fail)?;
        fs::copy(self.model_path(), copy.path()).map_err(fail)?;
        copy.persist(&start).map_err(|error| fail(error.error))?;
        let metrics = self.path.join(METRICS_FILE);
        let free = (1..).map(|part| self.path.join(format!("metrics-{part}.csv")));
        if let (true, Some(part)) = (metrics.exists(), free.into_iter().find(|p| !p.exists())) {
            fs::rename(metrics, part).map_err(fail)?;
        }
        Ok(start)
    }

    /// Writes the model, the files of the signal's kind, the metrics and the record, each of them
    /// atomically. Returns the paths of the signal's files.
    ///
    /// # Errors
    /// Returns [`RunError::Model`], [`RunError::Signal`], [`RunError::Decode`] or
    /// [`RunError::Write`] if a file cannot be written.
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
        let mut files =
            backend.workers().install(|| signal.save_images(&reconstruction, &self.path))?;
        if matches!(fit.plan.supervision, Supervision::Derivatives(_)) {
            for (derivative, name) in
                [(Derivative::Norm, "gradient.png"), (Derivative::Laplacian, "laplacian.png")]
            {
                let path = self.path.join(name);
                derivative_map(&fit.model, derivative, None, None, backend)?.save(&path)?;
                files.push(path);
            }
        }
        let rows = log.to_csv(signal, &fit.plan.supervision);
        write_atomically(&self.path.join(METRICS_FILE), |writer| {
            writer.write_all(rows.as_bytes())
        })?;
        self.write_json(RUN_FILE, &RunRecord::ended(request, fit, signal, &files))?;
        Ok(files)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        write_atomically(&self.path.join(name), |writer| {
            serde_json::to_writer_pretty(&mut *writer, value)?;
            writer.write_all(b"\n")
        })?;
        Ok(())
    }

    /// Removes the files of an earlier run.
    fn clear(&self) -> Result<(), RunError> {
        if let Ok(StoredRun::Current(record)) = Self::read(&self.path) {
            // File names only: a record may come from another source and must not name files
            // outside the directory.
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

/// Reads a JSON file, if it exists.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, RunError> {
    let text = match read_at_most(path, MAX_RECORD_BYTES) {
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
    fn existing_names_get_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("runs");
        let name = |run: RunDirectory| run.path().file_name().unwrap().to_owned();
        assert_eq!(name(RunDirectory::create_new(&parent, "a").unwrap()), "a");
        assert_eq!(name(RunDirectory::create_new(&parent, "a").unwrap()), "a-2");
        assert_eq!(name(RunDirectory::create_new(&parent, "a").unwrap()), "a-3");
        assert_eq!(fs::read_dir(parent.join("a")).unwrap().count(), 0);
    }

    #[test]
    fn a_path_through_a_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = RunDirectory::create(&path.join("run"), false).unwrap_err().to_string();
        assert!(error.contains("file/run") && error.contains("Not a directory"), "{error}");
    }

    #[test]
    fn a_run_is_overwritten_only_on_request_and_completely() {
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
    fn a_damaged_record_is_an_error() {
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
