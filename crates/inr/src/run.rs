//! Fits that write a run directory and can be resumed after an interruption.
//!
//! The command line, a sweep and other programs all use it: a [`Run`] is begun from a request or
//! resumed from a directory, and executed with a callback for its events.

mod continuation;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use vi3nr_engine::{Backend, CpuBackend, EngineError, ReferenceBackend, Workers};

use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointInterval, Identity};
use crate::model_file::{Model, ModelFile};
use crate::pieces::{FittedPiece, Journal, PieceProgress, PieceSession};
use crate::plan::FitPlan;
use crate::prepare::{PrepareError, Prepared, prepare, prepare_file};
use crate::request::{EngineName, FitRequest, RequestError};
use crate::run_directory::{INPUT_FILE, MetricsLog, RunDirectory, RunError, StoredRun};
use crate::session::{Beginning, Fit, Session};
use crate::signal::{Signal, SignalFile};
use crate::train::{Progress, Stop};

pub use continuation::resumed_request;
use continuation::{continues, require_same_plan, require_same_subject};

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
    /// Reads the files that `request` names, resolves its plan and creates the run directory.
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
        let request = absolute(request)?;
        let stem = request.file.as_deref().and_then(Path::file_stem);
        let name = stem.map_or("test-image".into(), |stem| stem.to_string_lossy());
        let directory = destination.create(&name)?;
        directory.begin(&request, &prepared.resolved.plan)?;
        Ok(Self { request, prepared, directory, ended: None })
    }

    /// Like [`Run::begin`], for a signal called `name` that was not read from a file. The run
    /// directory stores its bytes as `input`, so that the run can be resumed.
    ///
    /// # Errors
    /// Those of [`Run::begin`], and [`RunError::Write`] if the signal cannot be stored.
    pub fn begin_with(
        signal: &SignalFile,
        name: &str,
        request: &FitRequest,
        destination: &Destination,
        backend: &dyn Backend,
    ) -> Result<Self, RunError> {
        let mut request = Self::request_with_input(request);
        let prepared = backend.workers().install(|| prepare_file(&request, signal))?;
        let directory = destination.create(name)?;
        request.file = Some(directory.keep_input(signal.bytes())?);
        let request = absolute(&request)?;
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
    /// `changes` replacing those of the request; `stored` is the record that [`RunDirectory::open`]
    /// returned.
    ///
    /// An interrupted run continues from its checkpoint, or from the first step if it has none. A
    /// finished run continues from its model if `changes` sets a number of additional steps or a
    /// time limit; otherwise [`Run::ended`] has its report and there is nothing left to do.
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
        let mut request = resumed_request(directory.path(), stored, request, changes)?;
        let prepared = backend.workers().install(|| prepare(&request))?;
        let mut ended = stored.report();
        if ended.is_some() && continues(changes) {
            ended = None;
            // After all checks, so that an invalid request leaves the finished run unchanged.
            require_same_subject(&directory, stored, &prepared)?;
            request.from = Some(absolute_path(&directory.set_aside()?)?);
            directory.remove_checkpoint()?;
            directory.begin(&request, &prepared.resolved.plan)?;
        }
        if ended.is_some() {
            require_same_plan(&directory, stored, &prepared.resolved.plan)?;
            // The directory must hold a readable model.
            ModelFile::load(&directory.model_path())?;
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

    /// Trains from the checkpoint, if there is one, to the end, writes a checkpoint at every
    /// `interval`, and writes all files. The time limit counts from `started`. If the callback
    /// `watch` returns [`ControlFlow::Break`], the run ends with the best model so far and a
    /// checkpoint from which it can be resumed.
    ///
    /// # Errors
    /// Returns [`RunError::Checkpoint`] if the checkpoint cannot be used, [`RunError::Fit`] if the
    /// fit fails, and another [`RunError`] if a file cannot be written.
    pub fn execute(
        &self,
        backend: &dyn Backend,
        interval: CheckpointInterval,
        started: Instant,
        watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RunOutcome, RunError> {
        if self.plan().pieces.is_some() {
            return self.execute_pieces(backend, started, watch);
        }
        let (plan, signal) = (self.plan(), self.signal());
        let checkpoint = self.directory.checkpoint(plan, signal)?;
        let (state, mut log) = match checkpoint {
            Some(checkpoint) => (Some(checkpoint.state), MetricsLog::resumed(checkpoint.log)),
            None => (None, MetricsLog::default()),
        };
        let beginning = Beginning {
            started: Some(started),
            weights: self.prepared.weights.as_deref(),
            state: state.as_ref(),
        };
        let mut session = Session::new(plan, signal, backend, beginning)?;
        let mut last = (state.as_ref().map_or(0, |state| state.step), Instant::now());
        let (mut has_failed, mut ends_here) = (false, false);
        while let Some(progress) = session.step()? {
            log.record(&progress);
            ends_here |= watch(RunEvent::Step(&progress)).is_break();
            let is_due = ends_here || interval.is_due(progress.step - last.0, last.1.elapsed());
            // An engine that takes many steps at a time is ahead of the log in between.
            if is_due && session.is_settled() {
                let checkpoint = Checkpoint {
                    identity: Identity::Plan(plan.to_json()),
                    request: Some(self.request.clone()),
                    state: session.state()?,
                    log: log.rows().to_vec(),
                };
                // A full disk does not end training.
                if let Err(error) = checkpoint.save(&self.directory.checkpoint_path()) {
                    if !has_failed {
                        let _ = watch(RunEvent::CheckpointFailed(&error));
                    }
                    has_failed = true;
                }
                last = (progress.step, Instant::now());
            }
            if ends_here {
                session.interrupt();
            }
        }
        let fit = session.finish(&self.request)?;
        let files = self.directory.save(&self.request, &fit, signal, &log, backend)?;
        if fit.report.stopped != Stop::Interrupted {
            self.directory.remove_checkpoint()?;
        }
        Ok(RunOutcome { fit, files, log })
    }

    /// [`Run::execute`] for a plan in pieces. Pieces in the journal are not fitted again.
    fn execute_pieces(
        &self,
        backend: &dyn Backend,
        started: Instant,
        watch: &mut dyn FnMut(RunEvent<'_>) -> ControlFlow<()>,
    ) -> Result<RunOutcome, RunError> {
        let (plan, signal) = (self.plan(), self.signal());
        let mut session = PieceSession::new(plan, signal, backend, started)?;
        let pieces = plan.pieces.as_ref().map_or(0, |pieces| pieces.grid.piece_count());
        let mut journal = Journal::open(&self.directory.pieces_path(), plan, pieces)?;
        journal.reports().for_each(|report| session.count_earlier(report));
        let mut watch = |progress: &PieceProgress| watch(RunEvent::Pieces(progress));
        let missing = journal.missing();
        let mut keep = |piece: FittedPiece| -> Result<(), RunError> { Ok(journal.add(piece)?) };
        let ended = session.train(missing, &mut watch, &mut keep)?;
        let reports: Vec<_> = journal.reports().cloned().collect();
        let storages = session.storages(reports.iter());
        let path = self.directory.model_path();
        // The model is evaluated as the file stores it, after rounding.
        let model = |storage| -> Result<Model, RunError> {
            let set = journal.set(plan, session.axes())?;
            session.model(set, storage, &self.request).save(&path)?;
            Ok(Model::load(&path)?)
        };
        let fit = session.finish_as(&storages, reports, ended, model)?;
        let per_sample = session.operations_per_sample();
        let files = self.directory.save_pieces(&self.request, &fit, signal, per_sample, backend)?;
        drop(journal);
        if fit.report.stopped != Stop::Interrupted {
            self.directory.remove_checkpoint()?;
        }
        Ok(RunOutcome { fit, files, log: MetricsLog::default() })
    }
}

/// The backend of this name with `threads` worker threads, or one per core if `None`.
///
/// # Errors
/// Returns [`EngineError::Threads`] if the threads cannot be started.
pub fn backend(name: EngineName, threads: Option<usize>) -> Result<Box<dyn Backend>, EngineError> {
    let workers = Workers::new(threads)?;
    Ok(match name {
        EngineName::Cpu => Box::new(CpuBackend::with_workers(workers)),
        EngineName::Reference => Box::new(ReferenceBackend::with_workers(workers)),
    })
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
