//! Fits that write a run directory and can be resumed after an interruption.
//!
//! The command line, a sweep and other programs all use it: a [`Run`] is begun from a request or
//! resumed from a directory, and executed with a callback for its events.

mod continuation;
mod execute;

use std::path::{Path, PathBuf};

use serde_json::Value;
use vi3nr_engine::Backend;

use crate::backend::{OpenBackend, Ready, ready};
use crate::checkpoint::CheckpointError;
use crate::model_file::ModelFile;
use crate::pieces::PieceProgress;
use crate::plan::FitPlan;
use crate::prepare::{PrepareError, Prepared, prepare, prepare_file};
use crate::request::{FitRequest, RequestError};
use crate::run_directory::{INPUT_FILE, MetricsLog, RunDirectory, RunError, StoredRun};
use crate::session::Fit;
use crate::signal::{Signal, SignalFile};
use crate::train::Progress;

use continuation::{continues, is_same_run, require_same_plan, require_same_subject};
pub use continuation::{resumed_request, with_own_weights};

/// Where a run directory is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// At this path.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Whether an earlier run in it is removed; otherwise it is an error.
        overwrite: bool,
    },
    /// A new directory inside this one, named after the signal, with a number if that name exists.
    Under(PathBuf),
}

impl Destination {
    /// The directory for the run of a signal called `name`.
    fn create(&self, name: &str) -> Result<RunDirectory, RunError> {
        match self {
            Self::Directory { path, overwrite } => RunDirectory::create(path, *overwrite),
            Self::Under(parent) => RunDirectory::create_new(parent, name),
        }
    }
}

/// A run that is ready to be executed.
#[derive(Debug)]
pub struct Run {
    request: FitRequest,
    prepared: Prepared,
    directory: RunDirectory,
    /// The report of a run that needs no further step.
    ended: Option<Value>,
}

/// An event of a fit or a run, passed to its callback.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// The network has taken a training step.
    Step(&'a Progress),
    /// The progress of a fit in pieces, after each piece and at regular intervals.
    Pieces(&'a PieceProgress),
    /// A checkpoint of a run could not be written; training continues.
    CheckpointFailed(&'a CheckpointError),
}

/// The result of a run.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunOutcome {
    /// The fit.
    pub fit: Fit,
    /// The files that were written for inspection, such as the reconstruction.
    pub files: Vec<PathBuf>,
    /// The logged steps.
    pub log: MetricsLog,
}

impl Run {
    /// Reads the files that `request` names, resolves its plan and creates the run directory, for a
    /// run on `backend`.
    ///
    /// # Errors
    /// Returns [`RunError::Prepare`] if a file cannot be read or a setting is impossible,
    /// [`RunError::Directory`] or [`RunError::Exists`] if the directory cannot be used, and
    /// [`RunError::Write`] if the record cannot be written.
    pub fn begin(
        request: &FitRequest,
        destination: &Destination,
        backend: &dyn Backend,
    ) -> Result<Self, RunError> {
        let prepared = backend.workers().install(|| prepare(request))?;
        Self::create(request.clone(), prepared, destination, None)
    }

    /// Like [`Run::begin`], on the backend that the request asks for, which is opened with `threads`
    /// worker threads, or one per core: see [`ready`].
    ///
    /// `signal` is a signal that was not read from a file, with its name. The run directory stores its
    /// bytes as `input`, so that the run can be resumed.
    ///
    /// # Errors
    /// Those of [`ready`] and of [`Run::begin`], and [`RunError::Write`] if the signal cannot be
    /// stored.
    pub fn open(
        request: &FitRequest,
        signal: Option<(&SignalFile, &str)>,
        destination: &Destination,
        threads: Option<usize>,
    ) -> Result<(Self, OpenBackend), RunError> {
        let Ready { request, prepared, opened } = match signal {
            None => ready(request, threads, prepare)?,
            Some((file, _)) => {
                let request = Self::request_with_input(request);
                ready(&request, threads, |request| prepare_file(request, file))?
            }
        };
        Ok((Self::create(request, prepared, destination, signal)?, opened))
    }

    fn create(
        mut request: FitRequest,
        prepared: Prepared,
        destination: &Destination,
        signal: Option<(&SignalFile, &str)>,
    ) -> Result<Self, RunError> {
        let directory = match signal {
            None => {
                request = absolute(&request)?;
                let stem = request.file.as_deref().and_then(Path::file_stem);
                let name = stem.map_or("test-image".into(), |stem| stem.to_string_lossy());
                destination.create(&name)?
            }
            Some((file, name)) => {
                let directory = destination.create(name)?;
                request.file = Some(directory.keep_input(file.bytes())?);
                request = absolute(&request)?;
                directory
            }
        };
        directory.begin(&request, &prepared.resolved.plan)?;
        Ok(Self { request, prepared, directory, ended: None })
    }

    /// `request` for a signal that was not read from a file: its file has the name under which a
    /// run directory stores the bytes.
    pub fn request_with_input(request: &FitRequest) -> FitRequest {
        let mut request = request.clone();
        request.file = Some(INPUT_FILE.into());
        request
    }

    /// Resumes the run in `directory`, which was begun from `request`, with the settings of
    /// `changes` replacing those of the request, on `backend`; `stored` is the record that
    /// [`RunDirectory::open`] returned.
    ///
    /// An interrupted run continues from its checkpoint, or from the first step if it has none. A
    /// finished run continues from its model if `changes` sets a number of additional steps or a
    /// time limit; otherwise [`Run::ended`] has its report and there is nothing left to do.
    ///
    /// The backend may be another one than before if `changes` names it. The record then names it,
    /// and later resumptions use it.
    ///
    /// # Errors
    /// Returns [`RunError::Prepare`] if a file cannot be read or a setting is impossible,
    /// [`RunError::Checkpoint`] if the settings differ from those of the finished run,
    /// [`RunError::Model`] if the model of the finished run cannot be read, and
    /// [`RunError::Directory`] or [`RunError::Write`] if the directory cannot be written to.
    pub fn resume(
        directory: RunDirectory,
        stored: &StoredRun,
        request: &FitRequest,
        changes: &FitRequest,
        backend: &dyn Backend,
    ) -> Result<Self, RunError> {
        let request = Self::to_resume(&directory, stored, request, changes)?;
        let own = with_own_weights(&request, stored);
        let prepared = backend.workers().install(|| prepare(&own))?;
        Self::go_on(directory, stored, request, prepared, changes)
    }

    /// Like [`Run::resume`], on the backend that the request asks for, which is opened with `threads`
    /// worker threads, or one per core: see [`ready`].
    ///
    /// # Errors
    /// Those of [`ready`] and of [`Run::resume`].
    pub fn reopen(
        directory: RunDirectory,
        stored: &StoredRun,
        request: &FitRequest,
        changes: &FitRequest,
        threads: Option<usize>,
    ) -> Result<(Self, OpenBackend), RunError> {
        let request = Self::to_resume(&directory, stored, request, changes)?;
        let prepare = |request: &FitRequest| prepare(&with_own_weights(request, stored));
        let Ready { request, prepared, opened } = ready(&request, threads, prepare)?;
        Ok((Self::go_on(directory, stored, request, prepared, changes)?, opened))
    }

    /// The request of a run that is resumed.
    fn to_resume(
        directory: &RunDirectory,
        stored: &StoredRun,
        request: &FitRequest,
        changes: &FitRequest,
    ) -> Result<FitRequest, RunError> {
        if let StoredRun::Current(record) = stored
            && record.plan.pieces.is_some()
            && record.has_ended()
            && continues(changes)
        {
            let seen = "a finished fit in pieces cannot be continued";
            return Err(PrepareError::from(RequestError::of_fields(
                &["steps", "time_limit"],
                seen,
                "neither of them, or a new fit",
            ))
            .into());
        }
        resumed_request(directory.path(), stored, request, changes)
    }

    fn go_on(
        directory: RunDirectory,
        stored: &StoredRun,
        mut request: FitRequest,
        prepared: Prepared,
        changes: &FitRequest,
    ) -> Result<Self, RunError> {
        let plan = &prepared.resolved.plan;
        let mut ended = stored.report();
        if ended.is_some() && continues(changes) {
            ended = None;
            // After all checks, so that an invalid request leaves the finished run unchanged.
            require_same_subject(&directory, stored, &prepared)?;
            request.from = Some(absolute_path(&directory.set_aside()?)?);
            directory.remove_checkpoint()?;
            directory.begin(&request, plan)?;
        } else if ended.is_some() {
            require_same_plan(&directory, stored, plan)?;
            // The directory must hold a readable model.
            ModelFile::load(&directory.model_path())?;
        } else if (changes.backend.is_some() || changes.device.is_some())
            && is_same_run(stored, plan)
        {
            directory.begin(&request, plan)?;
        }
        let ended = ended.cloned();
        Ok(Self { request, prepared, directory, ended })
    }

    /// The request, with absolute paths.
    pub fn request(&self) -> &FitRequest {
        &self.request
    }

    /// The plan.
    pub fn plan(&self) -> &FitPlan {
        &self.prepared.resolved.plan
    }

    /// The signal, the plan and the weights to start from.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The signal.
    pub fn signal(&self) -> &dyn Signal {
        &*self.prepared.signal
    }

    /// The run directory.
    pub fn directory(&self) -> &RunDirectory {
        &self.directory
    }

    /// The report of a finished run that is not to be continued.
    pub fn ended(&self) -> Option<&Value> {
        self.ended.as_ref()
    }
}

/// The request with absolute paths, so that the run can be resumed from any folder.
///
/// # Errors
/// Returns [`RunError::Prepare`] if a path cannot be made absolute.
pub fn absolute(request: &FitRequest) -> Result<FitRequest, RunError> {
    let mut request = request.clone();
    for (field, path) in [("file", &mut request.file), ("from", &mut request.from)] {
        if let Some(path) = path {
            *path = std::path::absolute(&*path).map_err(|error| {
                let seen = format!("'{}': {error}", path.display());
                PrepareError::from(RequestError::new(field, seen, "a path"))
            })?;
        }
    }
    Ok(request)
}

fn absolute_path(path: &Path) -> Result<PathBuf, RunError> {
    std::path::absolute(path)
        .map_err(|source| RunError::Directory { path: path.to_owned(), source })
}
