//! A fit of one network, step by step: from a plan and a signal to a trained model.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;
use vi3nr_engine::{Backend, EngineError};

use crate::learned;
use crate::metrics::{Metrics, mean_squared_error};
use crate::model_file::{Model, Origin, Storage};
use crate::optimizer::OptimizerName;
use crate::pieces::{PieceError, Pieces, PiecesReport};
use crate::plan::FitPlan;
use crate::points::{EvalLoss, Points};
use crate::request::FitRequest;
use crate::signal::{Reconstruction, Signal, SignalError};
use crate::supervision::TermReport;
use crate::train::{Progress, RunContext, Stop, TrainError, TrainOutcome, TrainState, Trainer};
use crate::undetermined;

/// Why a fit fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The initial weights cannot be computed.
    #[error(transparent)]
    Init(#[from] vi3nr::Error),
    /// The engine cannot be created or rejects its input.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A training step fails.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The metrics of the signal cannot be computed.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The plan starts from given weights, and the session got other weights or none.
    #[error("the plan starts from weights of checksum {expected}; the given weights have {seen}")]
    Weights {
        /// The checksum in the plan.
        expected: String,
        /// The checksum of the given weights, or `none`.
        seen: String,
    },
    /// The plan has no pieces, or its pieces do not match the size of the signal.
    #[error("the plan has no pieces that match the size of the signal")]
    NoPieces,
    /// The plan is in pieces, and the operation needs one network for the whole signal.
    #[error("the plan has pieces; expected one network for the whole signal")]
    InPieces,
    /// The pieces cannot be evaluated.
    #[error(transparent)]
    Pieces(#[from] PieceError),
    /// The loss of the initial weights is not finite, and no later loss was.
    #[error(
        "the loss of the initial weights is not a finite number: with {init} the values of \
         {activation} overflow in a network of {layers} layers; choose a smaller sigma_p or fewer \
         layers"
    )]
    NonFiniteInitialLoss {
        /// The initialization scheme.
        init: String,
        /// The activation.
        activation: String,
        /// The number of weight matrices.
        layers: usize,
    },
}

impl FitError {
    /// The fields of the request whose values can avoid the error.
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::NonFiniteInitialLoss { .. } => &["sigma_p", "layers"],
            _ => &[],
        }
    }
}

/// A fitted signal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fit {
    /// The network with its best parameters.
    pub model: Model,
    /// Its values at the signal's sampled points, shape (n, outputs). Empty for signals whose
    /// points are drawn, and for a fit in pieces, where they may not fit into memory.
    pub reconstruction: Vec<f32>,
    /// The results.
    pub report: FitReport,
    /// The plan of the fit.
    pub plan: FitPlan,
    /// The results of each piece, for a fit in pieces.
    pub pieces: Option<Pieces>,
}

/// The results of a fit. Values that are not finite are null in JSON.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FitReport {
    /// The number of steps that were done.
    pub steps: u64,
    /// Seconds from the start of the fit to the end of its evaluation.
    pub seconds: f64,
    /// Seconds spent in training.
    pub training_seconds: f64,
    /// The loss of the model: see [`Signal::loss_convention`].
    pub loss: f64,
    /// The metrics of the model: see [`Signal::metrics_of_fit`].
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Points per second of training, forward and backward pass.
    pub points_per_second: f64,
    /// The backend: [`Backend::name`].
    pub backend: &'static str,
    /// The GPU, if it is one: [`Backend::device_name`].
    pub device: Option<String>,
    /// The optimizer: adam, muon or kfac.
    pub optimizer: OptimizerName,
    /// Floating-point operations of training, counted as in the repository's docs/optimizers.md,
    /// divided by those of one forward and backward pass over all points. For signals whose points
    /// are drawn, the divisor is that of a step of the default size.
    pub gradient_equivalents: f64,
    /// Why training ended.
    pub stopped: Stop,
    /// The step after which the network had the parameters of the model.
    pub kept_step: u64,
    /// The loss of the last parameters; above `loss` if earlier ones were better, null in JSON if
    /// they are not finite.
    pub last_loss: f64,
    /// The metrics of that loss, their names prefixed with `last_`.
    #[serde(flatten)]
    pub last: Metrics,
    /// The loss of each term of the model, if the loss is a sum of terms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermReport>,
    /// The summary of the pieces, for a fit in pieces, whose steps, operations and points are those
    /// of all pieces together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces: Option<PiecesReport>,
    /// Warnings that the model represents little of the signal; none if training diverged, was
    /// interrupted or reached its target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The likely cause and a remedy, if training diverged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The field of the request that may avoid the problem, and a value for it.
    #[serde(skip)]
    pub advice: Option<(&'static str, String)>,
}

/// The starting point of a session; by default freshly drawn weights and the first step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beginning<'a> {
    /// The instant from which the time limit counts; now if `None`.
    pub started: Option<Instant>,
    /// The weights of [`FitPlan::start`], in the order of [`vi3nr::Network::layers`].
    pub weights: Option<&'a [f32]>,
    /// The state of an earlier session of the same plan, to resume from.
    pub state: Option<&'a TrainState>,
}

/// A fit in progress.
///
/// ```
/// use vi3nr_engine::CpuBackend;
/// use vi3nr_inr::prepare::prepare;
/// use vi3nr_inr::request::FitRequest;
/// use vi3nr_inr::session::{Beginning, Session};
///
/// let mut request = FitRequest::default();
/// (request.width, request.layers, request.steps) = (Some(16), Some(3), Some(20));
/// let prepared = prepare(&request)?;
/// let backend = CpuBackend::new(Some(1))?;
/// let plan = &prepared.resolved.plan;
/// let mut session = Session::new(plan, &*prepared.signal, &backend, Beginning::default())?;
/// let mut last = f64::INFINITY;
/// while let Some(progress) = session.step()? {
///     last = progress.loss;
/// }
/// let fit = session.finish(&request)?;
/// assert!(fit.report.steps == 20 && fit.report.loss <= last);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Session<'a> {
    plan: &'a FitPlan,
    signal: &'a dyn Signal,
    backend: &'a dyn Backend,
    started: Instant,
    points: Points<'a>,
    trainer: Trainer<'a>,
}

impl<'a> Session<'a> {
    /// Creates a session of `plan`, which was resolved for `signal`, with an engine and the worker
    /// threads of `backend`.
    ///
    /// # Errors
    /// Returns [`FitError::InPieces`] if the plan is in pieces, [`FitError::Init`] if the initial
    /// weights cannot be computed, [`FitError::Engine`] if the engine cannot be created,
    /// [`FitError::Train`] if the state belongs to another plan, and [`FitError::Weights`] if the
    /// plan starts from other weights than those given.
    pub fn new(
        plan: &'a FitPlan,
        signal: &'a dyn Signal,
        backend: &'a dyn Backend,
        beginning: Beginning<'_>,
    ) -> Result<Self, FitError> {
        if plan.pieces.is_some() {
            return Err(FitError::InPieces);
        }
        let initial = match beginning.state {
            Some(state) => state.parameters.clone(),
            None => initial(plan, beginning.weights)?,
        };
        let engine = backend.engine(&plan.network, &initial)?;
        let earlier = beginning.state.map_or(Duration::ZERO, |state| state.elapsed);
        let started = beginning.started.unwrap_or_else(Instant::now);
        let started = started.checked_sub(earlier).unwrap_or(started);
        let context = RunContext { seed: plan.seed, started, backend };
        let points = signal.points(plan.input_scale, &plan.supervision);
        let mut trainer = Trainer::new(engine, points.clone(), plan.training.clone(), context)?;
        if let Some(state) = beginning.state {
            trainer.restore(state)?;
        }
        Ok(Self { plan, signal, backend, started, points, trainer })
    }

    /// Takes one training step and returns its progress, or `None` if training has ended.
    ///
    /// # Errors
    /// Returns [`FitError::Train`] if the points do not match the network or the optimizer, or if
    /// memory cannot be allocated.
    pub fn step(&mut self) -> Result<Option<Progress>, FitError> {
        Ok(self.trainer.step()?)
    }

    /// Takes steps until training ends. The callback `watch` is called after each step; if it
    /// returns [`ControlFlow::Break`], training is interrupted.
    ///
    /// # Errors
    /// Returns the errors of [`Session::step`].
    pub fn run(
        &mut self,
        mut watch: impl FnMut(&Progress, &Self) -> ControlFlow<()>,
    ) -> Result<(), FitError> {
        while let Some(progress) = self.step()? {
            if watch(&progress, self).is_break() {
                self.interrupt();
            }
        }
        Ok(())
    }

    /// Ends training early; [`Session::finish`] then returns the best model so far.
    pub fn interrupt(&mut self) {
        self.trainer.interrupt();
    }

    /// Whether [`Session::state`] is the state after the last returned step: see
    /// [`Trainer::is_settled`].
    pub fn is_settled(&self) -> bool {
        self.trainer.is_settled()
    }

    /// The training state, which with the plan determines all further steps.
    ///
    /// # Errors
    /// Returns [`FitError::Engine`] if the parameters cannot be read from a device.
    pub fn state(&self) -> Result<TrainState, FitError> {
        Ok(self.trainer.state()?)
    }

    /// The plan.
    pub fn plan(&self) -> &'a FitPlan {
        self.plan
    }

    /// Evaluates the best parameters and returns them as a model. The model stores `request`, from
    /// which the plan was resolved.
    ///
    /// # Errors
    /// Returns [`FitError::NonFiniteInitialLoss`] if no loss was finite, and [`FitError::Engine`]
    /// or [`FitError::Signal`] if the model cannot be evaluated.
    pub fn finish(self, request: &FitRequest) -> Result<Fit, FitError> {
        let Self { plan, signal, backend, started, points, trainer } = self;
        let (mut engine, outcome) = trainer.finish();
        let mut parameters = engine.parameters()?;
        let eval_points = backend.workers().install(|| points.eval_points(plan.seed));
        let last = eval_points.evaluate(&mut *engine)?;
        let last_loss = last.loss;
        let is_finite = last_loss.is_finite() && parameters.iter().all(|value| value.is_finite());
        let (mut kept, mut kept_step) = (last, outcome.steps);
        match &outcome.best {
            None if !is_finite => return Err(non_finite_start(plan)),
            // The mean loss of an epoch is not the loss of the parameters at its end: compare the
            // latter.
            Some(best) if !is_finite || best.loss < last_loss => {
                let mut engine = backend.engine(&plan.network, &best.parameters)?;
                let found = eval_points.evaluate(&mut *engine)?;
                if !is_finite || found.loss < last_loss {
                    (kept, kept_step) = (found, best.step);
                    parameters.clone_from(&best.parameters);
                }
            }
            _ => {}
        }
        // Before the parameters are rounded for the file.
        let samples = undetermined::samples(plan, signal);
        if let Some(samples) = &samples {
            undetermined::settle_constants(plan, samples, &mut parameters, &mut kept.values);
        }
        let mut storage = Storage::F32;
        if let Some(format) = plan.storage.rounded() {
            let mut rounded = parameters.clone();
            format.round_all(&mut rounded);
            let found = eval_points.evaluate(&mut *backend.engine(&plan.network, &rounded)?)?;
            if plan.storage.accepts(kept.loss, found.loss, plan.training.target_loss()) {
                (kept, parameters, storage) = (found, rounded, format);
            }
        }
        if plan.supervision.is_unsigned() {
            undetermined::settle_sign(plan, signal, backend, &mut parameters)?;
        }
        let EvalLoss { loss, terms, values } = kept;
        let loss_on_values = samples.map_or(loss, |samples| mean_squared_error(&values, &samples));
        let terms = plan.supervision.report(&terms);
        let model = Model {
            input_scale: plan.input_scale,
            seed: plan.seed,
            storage,
            origin: Origin::fit(request, plan),
            ..Model::new(plan.network.clone(), parameters, plan.signal.clone())
        };
        let reconstruction = Reconstruction { body: &model.body, values: &values, backend };
        let mut metrics =
            backend.workers().install(|| signal.metrics_of_fit(loss_on_values, &reconstruction))?;
        metrics.all.extend(model.size_metrics());
        let seconds = outcome.elapsed.as_secs_f64().max(1e-9);
        let all = plan.signal.points().default_count() as f64;
        let (problem, advice) = problem(plan, &outcome);
        let training = learned::Training { loss, steps: outcome.steps, kept_step };
        let warnings = learned::warnings(plan.signal.kind(), training, outcome.stop, || {
            learned::constant_loss(&eval_points, plan.network.outputs())
        });
        let report = FitReport {
            steps: outcome.steps,
            seconds: started.elapsed().as_secs_f64(),
            training_seconds: outcome.elapsed.as_secs_f64(),
            loss,
            metrics,
            points_per_second: outcome.points_seen as f64 / seconds,
            backend: backend.name(),
            device: backend.device_name().map(str::to_owned),
            optimizer: plan.training.optimizer.name(),
            gradient_equivalents: outcome.operations
                / (6.0 * plan.network.weight_count() as f64 * all),
            stopped: outcome.stop,
            kept_step,
            last_loss,
            last: Metrics {
                prefix: "last_",
                ..plan.supervision.metrics_of_loss(signal, last_loss)
            },
            terms,
            pieces: None,
            warnings,
            problem,
            advice,
        };
        let plan = plan.clone();
        Ok(Fit { model, reconstruction: values, report, plan, pieces: None })
    }
}

impl Fit {
    /// The reconstruction, from which the signal computes metrics and writes files.
    pub fn reconstruction<'a>(&'a self, backend: &'a dyn Backend) -> Reconstruction<'a> {
        Reconstruction { body: &self.model.body, values: &self.reconstruction, backend }
    }
}

/// The initial weights of a fit: drawn, or `given` if they are the weights that the plan starts
/// from.
fn initial(plan: &FitPlan, given: Option<&[f32]>) -> Result<Vec<f32>, FitError> {
    let Some(start) = &plan.start else {
        return Ok(vi3nr::draw(&plan.network, &plan.init.plan(&plan.network)?, plan.seed));
    };
    let seen = given.map(crate::model_file::parameters_fingerprint);
    match given {
        Some(weights) if seen.as_ref() == Some(&start.parameters) => Ok(weights.to_vec()),
        _ => Err(FitError::Weights {
            expected: start.parameters.clone(),
            seen: seen.unwrap_or_else(|| "none".into()),
        }),
    }
}

pub(crate) fn non_finite_start(plan: &FitPlan) -> FitError {
    FitError::NonFiniteInitialLoss {
        init: plan.init.scheme.to_string(),
        activation: plan.network.activation().to_string(),
        layers: plan.network.layer_count(),
    }
}

/// The likely cause of a divergence with a remedy, and the setting that may avoid it.
fn problem(
    plan: &FitPlan,
    outcome: &TrainOutcome,
) -> (Option<String>, Option<(&'static str, String)>) {
    if outcome.stop != Stop::Diverged {
        return (None, None);
    }
    let step = outcome.steps + 1;
    let rate = plan.training.optimizer.learning_rate();
    let cause = rate.map(|rate| {
        let less = rate / 10.0;
        format!(" The likely cause is the learning rate {rate}; try {less:.1e}.")
    });
    let text = format!(
        "training diverged at step {step}: the loss is no longer a finite number.{} The best \
         weights before that step are kept",
        cause.unwrap_or_default()
    );
    (Some(text), rate.map(|rate| ("lr", format!("{:.1e}", rate / 10.0))))
}
