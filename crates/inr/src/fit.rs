//! From a signal to a trained model.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use vi3nr::{InitRule, Network};
use vi3nr_engine::{CpuEngine, Engine, EngineError, ReferenceEngine};

use crate::metrics::Metrics;
use crate::model_file::Model;
use crate::signal::{Reconstruction, Signal, SignalError};
use crate::train::{Outcome, Run, Stop, TrainError, TrainSettings, TrainState, Watch, train};

/// Which implementation trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// The fused float32 engine.
    Cpu,
    /// Plain loops in double precision: slow, for comparison.
    Reference,
}

/// Everything that decides a fit, besides the signal.
#[derive(Debug, Clone, PartialEq)]
pub struct FitPlan {
    /// The shape and the activation.
    pub network: Network,
    /// The first weights.
    pub init: InitRule,
    /// Of the weights and of the order of mini-batches.
    pub seed: u64,
    /// The steps.
    pub training: TrainSettings,
    /// Who computes them.
    pub engine: EngineChoice,
    /// Worker threads; one per core if none. They do not change the result.
    pub threads: Option<usize>,
    /// What is fitted and how it was prepared: not read here, kept in the model file.
    pub source: serde_json::Value,
}

/// Why there is no model at the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The initialisation is impossible.
    #[error(transparent)]
    Init(#[from] vi3nr::Error),
    /// The engine cannot be built or fed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The steps cannot be taken.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The signal cannot be measured.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// Not even the first loss was finite.
    #[error(
        "the loss of the initial weights is not a finite number: with {init} the values of {activation} \
         overflow on their way through {layers} layers; choose a smaller --sigma-p or fewer layers"
    )]
    HopelessStart {
        /// The scheme.
        init: String,
        /// The activation.
        activation: String,
        /// The number of weight matrices.
        layers: usize,
    },
}

/// A fitted signal.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The network with its best parameters.
    pub model: Model,
    /// Its values at the signal's sampled points; empty where points are drawn.
    pub reconstruction: Vec<f32>,
    /// How it went.
    pub report: FitReport,
    /// What decided it: [`FitPlan::identity`].
    pub identity: serde_json::Value,
    threads: Option<usize>,
}

impl Fit {
    /// What the signal measures and draws.
    pub fn reconstruction(&self) -> Reconstruction<'_> {
        reconstruction(&self.model, &self.reconstruction, self.threads)
    }
}

/// The numbers of a fit. Infinite values are null in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct FitReport {
    /// Steps done.
    pub steps: u64,
    /// Seconds from the start of the fit to its last value.
    pub seconds: f64,
    /// Seconds of training alone.
    pub training_seconds: f64,
    /// The loss of the model that is kept: see [`Signal::loss_convention`].
    pub loss: f64,
    /// What the signal measures of it: [`Signal::metrics_of_fit`].
    #[serde(flatten)]
    pub metrics: Metrics,
    /// Points through forward and backward pass per second of training.
    pub points_per_second: f64,
    /// What trained: adam, muon or kfac.
    pub optimizer: &'static str,
    /// Floating-point operations of training, counted as in the repository's docs/optimisers.md,
    /// divided by those of one forward and backward pass over all points (of a signal whose points
    /// are drawn, over a usual step's).
    pub gradient_equivalents: f64,
    /// Why training ended: steps, target, time, converged, interrupted or diverged.
    pub stopped: &'static str,
    /// The step after which the kept parameters stood.
    pub kept_step: u64,
    /// The loss of the last parameters; above `loss` where earlier ones were better, null where the
    /// last are not finite.
    pub last_loss: f64,
    /// The metrics of that loss, `last_` before their names.
    #[serde(flatten)]
    pub last: Metrics,
    /// What went wrong and what to try, if training diverged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Fits `plan.network` to `signal`, from the first weights or where `from` left off. The time limit
/// runs from `started`, less the time that `from` took; `watch` sees every step and may end the run
/// early, which keeps what has been reached.
///
/// # Errors
/// An impossible initialisation, an engine that cannot be built, a start without a finite loss, or
/// the state of another run.
pub fn fit(
    signal: &dyn Signal,
    plan: &FitPlan,
    from: Option<&TrainState>,
    started: Instant,
    watch: &mut Watch<'_>,
) -> Result<Fit, FitError> {
    let earlier = from.map_or(Duration::ZERO, |state| state.elapsed);
    let started = started.checked_sub(earlier).unwrap_or(started);
    let points = signal.points();
    let first = vi3nr::draw(&plan.network, &plan.init.plan(&plan.network)?, plan.seed);
    let mut engine = plan.engine(&first)?;
    let run = Run { seed: plan.seed, threads: plan.threads, started, from };
    let outcome = train(&mut *engine, points, &plan.training, run, watch)?;

    let mut parameters = Vec::new();
    engine.copy_parameters(&mut parameters);
    let check_points = points.check_points(plan.seed);
    let last = check_points.check(&mut *engine)?;
    let last_loss = last.loss;
    let usable = last_loss.is_finite() && parameters.iter().all(|value| value.is_finite());
    let (mut kept, mut kept_step) = (last, outcome.steps);
    match &outcome.best {
        None if !usable => return Err(plan.hopeless_start()),
        // An epoch's mean loss is not that of the parameters at its end: compare what they give.
        Some(best) if !usable || best.loss < last_loss => {
            let found = check_points.check(&mut *plan.engine(&best.parameters)?)?;
            if !usable || found.loss < last_loss {
                (kept, kept_step) = (found, best.step);
                parameters.clone_from(&best.parameters);
            }
        }
        _ => {}
    }

    let model = Model {
        network: plan.network.clone(),
        parameters,
        signal: signal.info(),
        seed: plan.seed,
        settings: plan.settings(),
    };
    let metrics =
        signal.metrics_of_fit(kept.loss, &reconstruction(&model, &kept.values, plan.threads))?;
    let seconds = outcome.elapsed.as_secs_f64().max(1e-9);
    let report = FitReport {
        steps: outcome.steps,
        seconds: started.elapsed().as_secs_f64(),
        training_seconds: outcome.elapsed.as_secs_f64(),
        loss: kept.loss,
        metrics,
        points_per_second: outcome.points_seen as f64 / seconds,
        optimizer: plan.training.optimiser.name(),
        gradient_equivalents: outcome.operations
            / (6.0 * plan.network.weight_count() as f64 * points.usual_count() as f64),
        stopped: outcome.stop.word(),
        kept_step,
        last_loss,
        last: Metrics { prefix: "last_", ..signal.metrics_of_loss(last_loss) },
        problem: plan.problem(&outcome),
    };
    let (identity, threads) = (plan.identity(signal), plan.threads);
    Ok(Fit { model, reconstruction: kept.values, report, identity, threads })
}

fn reconstruction<'a>(
    model: &'a Model,
    values: &'a [f32],
    threads: Option<usize>,
) -> Reconstruction<'a> {
    Reconstruction { network: &model.network, parameters: &model.parameters, values, threads }
}

impl FitPlan {
    /// All that decides the result of a fit to `signal`: what a checkpoint must agree in.
    pub fn identity(&self, signal: &dyn Signal) -> serde_json::Value {
        json!({
            "signal": signal.info(),
            "points": signal.points().fingerprint(self.seed),
            "network": {
                "dims": self.network.dims(),
                "activation": self.network.activation().to_string(),
                "parameters": self.network.parameter_count(),
            },
            "seed": self.seed,
            "settings": self.settings(),
        })
    }

    fn engine(&self, parameters: &[f32]) -> Result<Box<dyn Engine>, EngineError> {
        Ok(match self.engine {
            EngineChoice::Cpu => Box::new(CpuEngine::new(&self.network, parameters, self.threads)?),
            EngineChoice::Reference => Box::new(ReferenceEngine::new(&self.network, parameters)?),
        })
    }

    fn hopeless_start(&self) -> FitError {
        FitError::HopelessStart {
            init: self.init.scheme.to_string(),
            activation: self.network.activation().to_string(),
            layers: self.network.layer_count(),
        }
    }

    /// The likely cause of a divergence and what to try.
    fn problem(&self, outcome: &Outcome) -> Option<String> {
        let Stop::Diverged { step } = outcome.stop else { return None };
        let cause = self.training.optimiser.learning_rate().map(|rate| {
            let less = rate / 10.0;
            format!(" The likely cause is the learning rate {rate}; try --lr {less:.1e}.")
        });
        Some(format!(
            "training diverged at step {step}: the loss is no longer a finite number.{} The best \
             weights before that are kept",
            cause.unwrap_or_default()
        ))
    }

    /// What decided the result, for the model file: nothing that depends on the machine.
    fn settings(&self) -> serde_json::Value {
        let training = &self.training;
        let mut settings = json!({
            "source": self.source,
            "init": self.init.scheme.to_string(),
            "weights": self.init.weights.name(),
            "biases": self.init.biases.to_string(),
            "first_biases": self.init.first_biases.to_string(),
            "engine": match self.engine {
                EngineChoice::Cpu => "cpu",
                EngineChoice::Reference => "reference",
            },
            "steps": training.steps,
            "batch": training.batch,
            "target_psnr": training.target_psnr,
            "time_limit": training.time_limit.map(|limit| limit.as_secs_f64()),
        });
        // The optimiser's name and its own settings stand among them.
        if let (Some(settings), serde_json::Value::Object(own)) =
            (settings.as_object_mut(), json!(training.optimiser))
        {
            settings.extend(own);
        }
        settings
    }
}
