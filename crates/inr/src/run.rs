//! A fit that leaves a run directory behind, loses nothing when it is cut off, and can go on.
//!
//! Every door uses it: a [`Run`] is begun from a request or resumed from a directory, executed with a
//! watcher, and returns what it left.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use vi3nr_engine::{Backend, CpuBackend, EngineError, ReferenceBackend, Workers};

use crate::checkpoint::{Checkpoint, CheckpointError, CheckpointInterval, Identity, version_1};
use crate::model_file::{Model, ModelFile};
use crate::pieces::{FittedPiece, Journal, PieceProgress, PieceSession};
use crate::plan::{FitPlan, differences};
use crate::prepare::{PrepareError, Prepared, prepare};
use crate::request::{EngineName, FitRequest, RequestError};
use crate::run_directory::{MODEL_FILE, MetricsLog, RunDirectory, RunError, StoredRun};
use crate::session::{Beginning, Fit, Session};
use crate::signal::Signal;
use crate::train::{Progress, Stop};

/// Where a run directory is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Here.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Whether an earlier run there is removed; else it is an error.
        overwrite: bool,
    },
    /// In a folder of such, under the signal's name, with a number if that exists.
    Under(PathBuf),
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

/// What an execution tells its watcher.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunEvent<'a> {
    /// A step was done.
    Step(&'a Progress),
    /// A piece has ended, or a moment has passed.
    Pieces(&'a PieceProgress),
    /// A checkpoint could not be written; training goes on.
    CheckpointFailed(&'a CheckpointError),
}

/// What an execution leaves behind.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunOutcome {
    /// The fit.
    pub fit: Fit,
    /// The pictures that were written.
    pub files: Vec<PathBuf>,
    /// The steps.
    pub log: MetricsLog,
}

impl Run {
    /// Reads and decides everything that `request` names, and makes the run directory.
    ///
    /// # Errors
    /// Returns [`RunError::Prepare`] if the request cannot be carried out, [`RunError::Directory`] or
    /// [`RunError::Exists`] if the directory cannot be used.
    pub fn begin(
        request: &FitRequest,
        destination: &Destination,
        backend: &dyn Backend,
    ) -> Result<Self, RunError> {
        let prepared = backend.workers().install(|| prepare(request))?;
        let request = absolute(request)?;
        let directory = match destination {
            Destination::Directory { path, overwrite } => RunDirectory::create(path, *overwrite)?,
            Destination::Under(parent) => {
                let stem = request.file.as_deref().and_then(Path::file_stem);
                let name = stem.map_or("test-picture".into(), |stem| stem.to_string_lossy());
                RunDirectory::create_new(parent, &name)?
            }
        };
        directory.begin(&request, &prepared.resolved.plan)?;
        Ok(Self { request, prepared, directory, ended: None })
    }

    /// The run in `directory`, which was asked for by `request`, with the settings of `changes` in
    /// place of its own; `stored` is what [`RunDirectory::open`] read of it.
    ///
    /// A run that was cut off goes on from its checkpoint, or from the beginning if it has none. A
    /// run that has ended goes on from its model if `changes` has a number of steps, which are done in
    /// addition, or a time limit; else it has nothing left to do.
    ///
    /// # Errors
    /// Returns [`RunError::Prepare`] if the request cannot be carried out, [`RunError::Checkpoint`] if
    /// the settings are not those of the run that has ended, and what
    /// [`RunDirectory::set_aside`] returns.
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
            && goes_on(changes)
        {
            let seen = "a finished fit in pieces, which does not go on";
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
        if ended.is_some() && goes_on(changes) {
            ended = None;
            // Only now: a request that is refused leaves the finished run as it was.
            require_same_subject(&directory, stored, &prepared)?;
            request.from = Some(absolute_path(&directory.set_aside()?)?);
            directory.forget_checkpoint()?;
            directory.begin(&request, &prepared.resolved.plan)?;
        }
        if ended.is_some() {
            require_same(&directory, stored, &prepared.resolved.plan)?;
            // What is there must be a model.
            ModelFile::load(&directory.model_path())?;
        }
        let ended = ended.cloned();
        Ok(Self { request, prepared, directory, ended })
    }

    /// The request, its paths absolute.
    pub fn request(&self) -> &FitRequest {
        &self.request
    }

    /// The plan.
    pub fn plan(&self) -> &FitPlan {
        &self.prepared.resolved.plan
    }

    /// What was read and decided.
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

    /// The report of a run that has ended and has nothing left to do.
    pub fn ended(&self) -> Option<&Value> {
        self.ended.as_ref()
    }

    /// Trains from the checkpoint, if there is one, to the end, with a checkpoint at every
    /// `interval`, and writes all files. The time limit runs from `started`. A watcher that breaks the
    /// run off gets a model of what has been reached, and a checkpoint to go on from.
    ///
    /// # Errors
    /// Returns [`RunError::Checkpoint`] if the checkpoint cannot be used, [`RunError::Fit`] if the fit
    /// fails, and another [`RunError`] if a file cannot be written.
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
        let mut has_failed = false;
        while let Some(progress) = session.step()? {
            log.note(&progress);
            let ends_here = watch(RunEvent::Step(&progress)).is_break();
            if ends_here || interval.is_due(progress.step - last.0, last.1.elapsed()) {
                let checkpoint = Checkpoint {
                    identity: Identity::Plan(plan.to_json()),
                    request: Some(self.request.clone()),
                    state: session.state(),
                    log: log.rows().to_vec(),
                };
                // A full disk ends no training.
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
            self.directory.forget_checkpoint()?;
        }
        Ok(RunOutcome { fit, files, log })
    }

    /// The same for a plan in pieces: those that an earlier session finished are not fitted again.
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
        // What is measured is what the file holds, after rounding.
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
            self.directory.forget_checkpoint()?;
        }
        Ok(RunOutcome { fit, files, log: MetricsLog::default() })
    }
}

/// Whether a run that has ended is to go on.
fn goes_on(changes: &FitRequest) -> bool {
    changes.steps.is_some() || changes.time_limit.is_some()
}

/// The request that [`Run::resume`] carries out for the run in the directory `path`, with the same
/// arguments.
///
/// # Errors
/// Returns [`RunError::Prepare`] if settings contradict each other.
pub fn resumed_request(
    path: &Path,
    stored: &StoredRun,
    request: &FitRequest,
    changes: &FitRequest,
) -> Result<FitRequest, RunError> {
    let with_changes = |own: &FitRequest| -> Result<FitRequest, RunError> {
        Ok(own.with(&absolute(changes)?).map_err(PrepareError::from)?)
    };
    let Some(report) = stored.report().filter(|_| goes_on(changes)) else {
        return with_changes(request);
    };
    if changes.from.is_some() {
        let seen = "a finished run goes on from its own model";
        return Err(PrepareError::from(RequestError::new("from", seen, "none")).into());
    }
    // The network is the model's own; what is asked for now must agree with it.
    let mut request = with_changes(&request.without_network())?;
    request.from = Some(path.join(MODEL_FILE));
    if let (None, Some(limit)) = (changes.steps, changes.time_limit) {
        request.steps = Some(steps_within(report, limit));
    }
    Ok(request)
}

/// More steps than are done within `limit` seconds, as fast as those of the finished run went: the time
/// ends the run, and its log has enough rows.
fn steps_within(report: &Value, limit: f64) -> u64 {
    let number = |name: &str| report.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let rate = number("steps") / number("training_seconds").max(1e-3);
    (4.0 * rate * limit).clamp(1_000.0, 1e12) as u64
}

/// Checks that a run that goes on has the signal and the network that the finished one had.
fn require_same_subject(
    directory: &RunDirectory,
    stored: &StoredRun,
    prepared: &Prepared,
) -> Result<(), RunError> {
    let plan = &prepared.resolved.plan;
    let part = |whole: &Value, names: &[&str]| -> Value {
        names.iter().map(|&name| (name.to_owned(), whole[name].clone())).collect()
    };
    let (kept, asked, names) = match stored {
        StoredRun::Current(record) => {
            (record.plan.to_json(), plan.to_json(), &["signal", "source", "network"])
        }
        // Version 1 had a checksum that depends on the seed.
        StoredRun::Version1(run) => (
            run.run.clone().unwrap_or_default(),
            version_1::identity(plan, &*prepared.signal),
            &["signal", "points", "network"],
        ),
    };
    foreign(directory, &part(&kept, names), &part(&asked, names))
}

/// The error of a run with other settings, if these differ.
fn foreign(directory: &RunDirectory, kept: &Value, asked: &Value) -> Result<(), RunError> {
    let differences = differences(kept, asked);
    match differences.is_empty() {
        true => Ok(()),
        false => {
            let path = directory.path().to_owned();
            Err(CheckpointError::Foreign { path, differences }.into())
        }
    }
}

/// Checks that the run that has ended in `directory` is that of `plan`.
fn require_same(
    directory: &RunDirectory,
    stored: &StoredRun,
    plan: &FitPlan,
) -> Result<(), RunError> {
    // Version 1 kept no plan.
    let StoredRun::Current(record) = stored else { return Ok(()) };
    foreign(directory, &record.plan.to_json(), &plan.to_json())
}

/// The backend of this name with `threads` worker threads, or one per core.
///
/// # Errors
/// Returns [`EngineError::Threads`] if they cannot be started.
pub fn backend(name: EngineName, threads: Option<usize>) -> Result<Box<dyn Backend>, EngineError> {
    let workers = Workers::new(threads)?;
    Ok(match name {
        EngineName::Cpu => Box::new(CpuBackend::with_workers(workers)),
        EngineName::Reference => Box::new(ReferenceBackend::with_workers(workers)),
    })
}

/// The request with absolute paths, so that it can be resumed from any folder.
fn absolute(request: &FitRequest) -> Result<FitRequest, RunError> {
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
