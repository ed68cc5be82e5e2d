//! A fit in pieces, from its plan to a report.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;
use vi3nr_engine::Backend;

use super::field::PieceField;
use super::measure::{Measured, measure};
use super::schedule::{PieceProgress, Tally, fit_pieces, samples};
use super::set::PieceSet;
use super::train::{FittedPiece, Job, PieceReport};
use crate::learned;
use crate::metrics::Metrics;
use crate::model_file::{Body, Model, Origin, RoundedPiece, Storage};
use crate::plan::FitPlan;
use crate::request::FitRequest;
use crate::session::{Fit, FitError, FitReport};
use crate::signal::Signal;
use crate::train::Stop;

/// A summary of all pieces of a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PiecesReport {
    /// The number of pieces along each axis, the fastest varying first.
    pub counts: Vec<usize>,
    /// The largest loss of a piece, over the samples of its core.
    pub worst_loss: f64,
    /// The metrics of the signal that follow from that loss.
    #[serde(flatten)]
    pub worst: Metrics,
    /// The number of pieces whose training stalled and that were fitted again.
    pub stalled: usize,
    /// The number of pieces that miss the target quality after all attempts.
    pub below_target: usize,
    /// The number of pieces that were not fully trained because of an interruption or the time
    /// limit.
    pub unfinished: usize,
}

/// A fit in pieces while it runs.
pub(crate) struct PieceSession<'a> {
    plan: &'a FitPlan,
    signal: &'a dyn Signal,
    backend: &'a dyn Backend,
    axes: Vec<usize>,
    started: Instant,
    tally: Tally,
}

/// How the training of all pieces ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// The reason, unless the training of all pieces was completed.
    pub(crate) early: Option<Stop>,
    /// The duration.
    pub(crate) elapsed: Duration,
}

impl<'a> PieceSession<'a> {
    /// A session of `plan`, which must have pieces. The time limit counts from `started`.
    pub(crate) fn new(
        plan: &'a FitPlan,
        signal: &'a dyn Signal,
        backend: &'a dyn Backend,
        started: Instant,
    ) -> Result<Self, FitError> {
        let axes = signal.info().axes();
        let pieces = plan.pieces.as_ref().ok_or(FitError::NoPieces)?;
        if pieces.grid.problem(&axes).is_some() {
            return Err(FitError::NoPieces);
        }
        let tally = Tally::new(pieces.grid.piece_count());
        Ok(Self { plan, signal, backend, axes, started, tally })
    }

    /// The number of samples of the signal along each axis.
    pub(crate) fn axes(&self) -> &[usize] {
        &self.axes
    }

    fn job(&self) -> Job<'_> {
        Job { plan: self.plan, signal: self.signal, axes: &self.axes }
    }

    /// Counts a piece that an earlier session fitted.
    pub(crate) fn count_earlier(&mut self, report: &PieceReport) {
        let samples = samples(self.job(), report.index);
        self.tally.add(report.loss, samples, report.attempts);
        self.tally.begin();
    }

    /// Fits the pieces `todo`, and passes each to `keep`. If `watch` stops the fit or the time
    /// limit is reached, each piece that was not started is represented by the mean of its samples.
    pub(crate) fn train<E: From<FitError>>(
        &mut self,
        todo: Vec<usize>,
        watch: &mut dyn FnMut(&PieceProgress) -> ControlFlow<()>,
        keep: &mut dyn FnMut(FittedPiece) -> Result<(), E>,
    ) -> Result<Ended, E> {
        let began = Instant::now();
        let deadline = self.deadline();
        let mut is_interrupted = false;
        let mut watch = |progress: &PieceProgress| {
            let answer = watch(progress);
            is_interrupted |= answer.is_break();
            answer
        };
        let mut early = None;
        let mut keep_and_note = |piece: FittedPiece| {
            if !piece.report.is_finished() {
                early = Some(piece.report.stopped);
            }
            keep(piece)
        };
        let job = Job { plan: self.plan, signal: self.signal, axes: &self.axes };
        let (backend, tally) = (self.backend, &mut self.tally);
        let left = fit_pieces(job, backend, todo, deadline, tally, &mut watch, &mut keep_and_note)?;
        let reason = if is_interrupted { Stop::Interrupted } else { Stop::Time };
        for index in left {
            if let Some(piece) = job.piece(index) {
                keep_and_note(job.constant(&piece, reason)?)?;
            }
        }
        Ok(Ended { early, elapsed: began.elapsed() })
    }

    /// The time at which the last piece must be trained, so that measuring and writing end in time.
    fn deadline(&self) -> Option<Instant> {
        /// In seconds per value and thread: the model is evaluated twice, and files are written.
        const FINISHING: f64 = 1e-6;
        const LEAST: f64 = 0.3;
        let limit = self.plan.training.time_limit?;
        let values = self.axes.iter().product::<usize>() * self.signal.info().outputs();
        let threads = self.backend.workers().threads() as f64;
        let finishing = LEAST + FINISHING * values as f64 / threads;
        let finishing = Duration::from_secs_f64(finishing).min(limit / 2);
        Some(self.started + (limit - finishing))
    }

    /// The formats in which a model of these pieces may be stored, the preferred one first. If
    /// there is a second, the first is used only if the model [reaches](Self::reaches_target) the
    /// target.
    pub(crate) fn storages<'r>(
        &self,
        reports: impl Iterator<Item = &'r PieceReport>,
    ) -> Vec<Storage> {
        let pieces = reports.map(|report| RoundedPiece {
            samples: samples(self.job(), report.index),
            loss: report.loss,
            rounded: report.rounded_loss.unwrap_or(f64::INFINITY),
        });
        self.plan.storage.candidates(pieces, self.job().target_loss())
    }

    /// Whether the model has the target quality; also true if there is no target, or if pieces miss
    /// it for other reasons than the storage of their parameters.
    fn reaches_target(&self, fit: &Fit) -> bool {
        let misses = fit.report.pieces.as_ref().is_some_and(|pieces| pieces.below_target > 0);
        misses || self.job().target_loss().is_none_or(|target| fit.report.loss <= target)
    }

    /// The model of these pieces; it keeps `request`, from which the plan was resolved.
    pub(crate) fn model(&self, set: PieceSet, storage: Storage, request: &FitRequest) -> Model {
        let signal = self.plan.signal.clone();
        let network = self.plan.network.clone();
        Model {
            body: Body::Pieces(set),
            input_scale: self.plan.input_scale,
            seed: self.plan.seed,
            storage,
            origin: Origin::fit(request, self.plan),
            ..Model::new(network, Vec::new(), signal)
        }
    }

    /// Measures `model` and assembles the result; `reports` are those of all pieces.
    fn finish(
        &self,
        model: Model,
        reports: Vec<PieceReport>,
        ended: Ended,
    ) -> Result<Fit, FitError> {
        let Body::Pieces(set) = &model.body else { return Err(FitError::NoPieces) };
        let field = PieceField::new(set, model.input_scale, self.backend)?;
        let Measured { loss, losses } = measure(set, &field, self.signal)?;
        let target = self.job().target_loss();
        // Blending and rounding slightly change a piece that has just reached its target.
        let misses = |report: &&PieceReport| {
            target.is_some_and(|_| report.stopped != Stop::Target || report.attempts == 0)
        };
        let worst_loss = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let pieces = PiecesReport {
            counts: set.grid().counts().to_vec(),
            worst_loss,
            worst: Metrics { prefix: "worst_", ..self.signal.metrics_of_loss(worst_loss) },
            stalled: reports.iter().filter(|report| report.attempts > 1).count(),
            below_target: reports.iter().filter(misses).count(),
            unfinished: reports.iter().filter(|report| !report.is_finished()).count(),
        };
        let stop = ended.early.unwrap_or_else(|| common_stop(&reports));
        let operations: f64 = reports.iter().map(|report| report.operations).sum();
        // A damaged journal can hold any numbers.
        let total =
            |value: fn(&PieceReport) -> u64| reports.iter().map(value).fold(0, u64::saturating_add);
        let (steps, seen) = (total(|report| report.steps), total(|report| report.points_seen));
        let training = learned::Training { loss, steps, kept_step: steps };
        let warnings = learned::warnings(self.plan.signal.kind(), training, stop, || {
            let points = self.signal.points(model.input_scale, &self.plan.supervision);
            let points = points.eval_points(self.plan.seed);
            learned::constant_loss(&points, self.plan.network.outputs())
        });
        let training_seconds = ended.elapsed.as_secs_f64().max(1e-9);
        let mut metrics = self.signal.metrics_of_loss(loss);
        metrics.all.extend(model.size_metrics());
        let report = FitReport {
            steps,
            seconds: self.started.elapsed().as_secs_f64(),
            training_seconds,
            loss,
            metrics,
            points_per_second: seen as f64 / training_seconds,
            backend: self.backend.name(),
            device: self.backend.device_name().map(str::to_owned),
            optimizer: self.plan.training.optimizer.name(),
            gradient_equivalents: operations
                / (self.operations_per_sample() * self.axes.iter().product::<usize>() as f64),
            stopped: stop,
            kept_step: steps,
            last_loss: loss,
            last: Metrics { prefix: "last_", ..self.signal.metrics_of_loss(loss) },
            terms: Vec::new(),
            pieces: Some(pieces),
            warnings,
            problem: None,
            advice: None,
        };
        let plan = self.plan.clone();
        let pieces = Some(Pieces { reports, losses });
        Ok(Fit { model, reconstruction: Vec::new(), report, plan, pieces })
    }

    /// The number of floating-point operations of a forward and backward pass over one sample.
    pub(crate) fn operations_per_sample(&self) -> f64 {
        6.0 * self.plan.network.weight_count() as f64
    }

    /// Runs the whole fit in memory.
    pub(crate) fn run(
        mut self,
        request: &FitRequest,
        watch: &mut dyn FnMut(&PieceProgress) -> ControlFlow<()>,
    ) -> Result<Fit, FitError> {
        let count = self.tally.progress().pieces;
        let mut fitted: Vec<Option<FittedPiece>> = vec![None; count];
        let ended = self.train((0..count).collect(), watch, &mut |piece: FittedPiece| {
            let index = piece.report.index;
            fitted[index] = Some(piece);
            Ok::<(), FitError>(())
        })?;
        let fitted: Vec<FittedPiece> = fitted.into_iter().flatten().collect();
        let storages = self.storages(fitted.iter().map(|piece| &piece.report));
        self.finish_as(
            &storages,
            fitted.iter().map(|piece| piece.report.clone()).collect(),
            ended,
            |storage| {
                let rounded = |piece: &FittedPiece| {
                    let mut parameters = piece.parameters.clone();
                    storage.round_all(&mut parameters);
                    (piece.network.clone(), parameters)
                };
                let grid = self.plan.pieces.as_ref().map(|pieces| pieces.grid.clone());
                let grid = grid.ok_or(FitError::NoPieces)?;
                let networks = fitted.iter().map(rounded).collect();
                let set = PieceSet::new(grid, self.axes.clone(), networks);
                Ok(self.model(set.map_err(|_| FitError::NoPieces)?, storage, request))
            },
        )
    }

    /// Finishes with the model that `model` builds with the first of `storages` that is sufficient.
    pub(crate) fn finish_as<E: From<FitError>>(
        &self,
        storages: &[Storage],
        reports: Vec<PieceReport>,
        ended: Ended,
        model: impl Fn(Storage) -> Result<Model, E>,
    ) -> Result<Fit, E> {
        let (last, others) = storages.split_last().ok_or(FitError::NoPieces)?;
        for storage in others {
            let fit = self.finish(model(*storage)?, reports.clone(), ended)?;
            if self.reaches_target(&fit) {
                return Ok(fit);
            }
        }
        Ok(self.finish(model(*last)?, reports, ended)?)
    }
}

/// The reports and losses of all pieces of a fit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pieces {
    /// The training report of each piece.
    pub reports: Vec<PieceReport>,
    /// The mean squared error of the model over the core of each piece.
    pub losses: Vec<f64>,
}

/// The reason for all pieces: that of the first piece that did not reach its target, if any.
fn common_stop(reports: &[PieceReport]) -> Stop {
    let other = reports.iter().map(|report| report.stopped).find(|stop| *stop != Stop::Target);
    other.unwrap_or(Stop::Target)
}
