//! K-FAC with Gauss-Newton factors and a two-dimensional quadratic model: no learning rate, no
//! schedule (after Martens and Grosse 2015; see the repository's docs/optimizers.md).
//!
//! The objective is h(θ) = ½ mean over points of Σ_o e², its curvature B = (1/n) Σ JᵀJ + λI.
//!
//! 1. Each layer's factors A and G are means over random points ([`factors`]).
//! 2. The direction is d = -G⁻¹gA⁻¹, layer by layer, with damped factors.
//! 3. The step is αd + μp, p the previous step, where the quadratic model with the true J at other
//!    random points is smallest ([`model`]).
//! 4. The next call knows the loss there. If it rose the step is taken back, with its gradient, and
//!    modeled at twice as many points, or, once it has been at all of them, λ is doubled; otherwise
//!    λ follows how well the model foretold the decrease. The gradient at the new place has come
//!    with its loss, so trying a step costs nothing beyond the next one's start.

mod factors;
mod model;
mod subset;

use serde::{Deserialize, Serialize};
use vi3nr::Network;
use vi3nr_engine::{Backend, Curvature, Engine, EngineError};

use super::{
    Method, Optimizer, OptimizerState, Problem, RatesMut, StateError, StepContext, StepOutcome,
    StepStatus,
};
use factors::Factors;
use model::Quadratic;
use subset::Subsets;

/// The numbers of `kfac` that depend on the signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KfacSettings {
    /// Points over which the factors are averaged at a time.
    pub factor_points: usize,
    /// Points at which the model knows J, at least; more after steps that it misjudged.
    pub model_points: usize,
}

impl KfacSettings {
    /// What was measured to suit a signal of this many points.
    pub fn for_points(count: usize) -> Self {
        Self {
            factor_points: (count / 4).clamp(1024, 8192),
            model_points: (count / 16).clamp(512, 4096),
        }
    }
}

impl Method for KfacSettings {
    fn suited_to(problem: &Problem<'_>) -> Self {
        Self::for_points(problem.points)
    }

    fn rates_mut(&mut self) -> Option<RatesMut<'_>> {
        None
    }

    fn needs_all_points(&self) -> bool {
        true
    }

    fn start(
        &self,
        network: &Network,
        seed: u64,
        backend: &dyn Backend,
    ) -> Result<Box<dyn Optimizer>, EngineError> {
        if !backend.capabilities().curvature {
            return Err(lacks_curvature(backend.name()));
        }
        Ok(Box::new(Kfac::new(*self, network, seed, backend)))
    }
}

fn lacks_curvature(backend: &'static str) -> EngineError {
    EngineError::Unsupported { backend, missing: "curvature, which kfac needs" }
}

/// Steps between two updates of the factors, once the first ten are past.
const FACTOR_INTERVAL: u64 = 3;
/// Steps in each of which the factors are updated.
const FIRST_STEPS: u64 = 10;
/// Steps between two inversions of the damped factors.
const INVERSE_INTERVAL: u64 = 5;
/// λ at the start.
const FIRST_DAMPING: f64 = 1e-2;
/// λ at least.
const MIN_DAMPING: f64 = 1e-12;
/// λ at most: beyond, steps are too short to matter.
const MAX_DAMPING: f64 = 1e8;
/// What λ is multiplied by where the model foretells well; divided by where it does badly.
const EASING: f64 = 0.85;
/// What the model's points are multiplied by after a rejection. Few points with large errors can
/// decide how far a step may go, and a small sample misses them; λ and the previous step are left
/// alone until the model has seen all points.
const MORE_POINTS: usize = 2;
/// What is kept of them after an accepted step.
const FEWER_POINTS: f64 = 0.95;
/// Rejections in a row after which there is nothing more to gain.
const MAX_REJECTIONS: u64 = 20;
/// Accepted steps within which the loss has to fall ...
const PATIENCE: u64 = 40;
/// ... by this share.
const NOTICEABLE: f64 = 0.01;

struct Kfac {
    settings: KfacSettings,
    /// The name of the engines' backend.
    backend: &'static str,
    network: Network,
    subsets: Subsets,
    factors: Factors,
    /// λ.
    damping: f64,
    /// Points of the next model: see [`MORE_POINTS`].
    model_points: usize,
    /// Steps that were accepted.
    accepted: u64,
    /// Rejections since the last of them.
    rejections: u64,
    /// Where the last accepted step led.
    iterate: Option<Iterate>,
    /// p, the last accepted step.
    previous: Option<Vec<f32>>,
    /// The step that is being tried.
    trial: Option<Trial>,
    /// The objective at the start of the present stretch of [`PATIENCE`] steps.
    stretch_began: f64,
}

/// Parameters with their objective and its gradient.
struct Iterate {
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    objective: f64,
}

struct Trial {
    step: Vec<f32>,
    /// By how much the model says that the objective falls.
    predicted: f64,
}

impl Kfac {
    fn new(settings: KfacSettings, network: &Network, seed: u64, backend: &dyn Backend) -> Self {
        Self {
            backend: backend.name(),
            network: network.clone(),
            subsets: Subsets::new(settings, seed),
            factors: Factors::new(network, backend.workers().clone()),
            damping: FIRST_DAMPING,
            model_points: settings.model_points,
            settings,
            accepted: 0,
            rejections: 0,
            iterate: None,
            previous: None,
            trial: None,
            stretch_began: f64::INFINITY,
        }
    }

    fn curvature<'a>(
        &self,
        engine: &'a mut dyn Engine,
    ) -> Result<&'a mut dyn Curvature, EngineError> {
        engine.curvature().ok_or_else(|| lacks_curvature(self.backend))
    }

    /// Judges where the engine stands now: takes it as the new iterate, or goes back.
    fn accept_or_reject(
        &mut self,
        engine: &mut dyn Engine,
        objective: f64,
        all: usize,
    ) -> Result<TrialOutcome, EngineError> {
        let Some(iterate) = &mut self.iterate else {
            if !objective.is_finite() {
                return Ok(TrialOutcome::NonFiniteStart);
            }
            let parameters = engine.parameters();
            let gradient = self.objective_gradient(engine)?;
            self.iterate = Some(Iterate { parameters, gradient, objective });
            self.stretch_began = objective;
            return Ok(TrialOutcome::Accepted);
        };
        let trial = self.trial.take();
        // False where the objective is no number.
        let falls = objective < iterate.objective;
        if !falls {
            if self.model_points < all {
                self.model_points = all.min(MORE_POINTS * self.model_points);
            } else {
                self.damping = (2.0 * self.damping).min(MAX_DAMPING);
                self.previous = None;
            }
            self.rejections += 1;
            engine.set_parameters(&iterate.parameters)?;
            return Ok(TrialOutcome::Rejected);
        }
        if let Some(Trial { step, predicted }) = trial {
            let ratio = (iterate.objective - objective) / predicted;
            if ratio > 0.75 {
                self.damping = (EASING * self.damping).max(MIN_DAMPING);
            } else if ratio < 0.25 {
                self.damping = (self.damping / EASING).min(MAX_DAMPING);
            }
            self.previous = Some(step);
        }
        engine.copy_parameters(&mut iterate.parameters);
        iterate.objective = objective;
        let gradient = self.objective_gradient(engine)?;
        if let Some(iterate) = &mut self.iterate {
            iterate.gradient = gradient;
        }
        let fewer = (FEWER_POINTS * self.model_points as f64) as usize;
        self.model_points = fewer.max(self.settings.model_points);
        self.accepted += 1;
        self.rejections = 0;
        Ok(TrialOutcome::Accepted)
    }

    /// The engine's loss is a mean over outputs too: h = ½ · outputs · loss.
    fn scale(&self) -> f64 {
        0.5 * self.network.outputs() as f64
    }

    fn objective_gradient(&self, engine: &dyn Engine) -> Result<Vec<f32>, EngineError> {
        let scale = self.scale() as f32;
        let mut gradient = engine.gradient()?;
        gradient.iter_mut().for_each(|g| *g *= scale);
        Ok(gradient)
    }

    /// Whether the last stretch of steps gained too little.
    fn is_exhausted(&mut self, objective: f64) -> bool {
        if self.rejections > MAX_REJECTIONS {
            return true;
        }
        if self.rejections > 0 || self.accepted == 0 || !self.accepted.is_multiple_of(PATIENCE) {
            return false;
        }
        let little = objective > (1.0 - NOTICEABLE) * self.stretch_began;
        self.stretch_began = objective;
        little
    }
}

/// What [`Kfac::accept_or_reject`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrialOutcome {
    /// The engine's parameters are the new iterate.
    Accepted,
    /// The engine has the parameters of the last iterate again.
    Rejected,
    /// The initial parameters have no finite loss.
    NonFiniteStart,
}

impl Optimizer for Kfac {
    fn step(
        &mut self,
        engine: &mut dyn Engine,
        at: &StepContext<'_>,
    ) -> Result<StepOutcome, EngineError> {
        let all = at.batch.points.len() / self.network.inputs();
        let stop = |status, operations| Ok(StepOutcome { status, rate: 0.0, operations });
        let outcome = self.accept_or_reject(engine, self.scale() * at.loss, all)?;
        let (Some(iterate), false) = (&self.iterate, outcome == TrialOutcome::NonFiniteStart)
        else {
            return stop(StepStatus::Diverged, 0.0);
        };
        let objective = iterate.objective;
        if objective == 0.0 || self.is_exhausted(objective) {
            return stop(StepStatus::Exhausted, 0.0);
        }
        let mut operations = 0.0;
        let rejected = outcome == TrialOutcome::Rejected;
        let update = !rejected
            && (self.accepted < FIRST_STEPS || self.accepted.is_multiple_of(FACTOR_INTERVAL));
        if update {
            let subset = self.subsets.for_factors(&self.network, at.batch, self.accepted);
            let factors = self.curvature(engine)?.factors(&subset.points, &subset.signs)?;
            self.factors.update(factors);
            operations += self.factors.update_operations(subset.count);
        }
        if update
            || (rejected && self.previous.is_none())
            || self.accepted.is_multiple_of(INVERSE_INTERVAL)
        {
            self.factors.invert(self.damping);
            operations += self.factors.invert_operations();
        }
        let Some(iterate) = &self.iterate else { return stop(StepStatus::Diverged, operations) };
        let direction = self.factors.precondition(&iterate.gradient);
        operations += self.factors.precondition_operations();

        // Every evaluation looks at points of its own, rejected ones included.
        let points = self.model_points;
        let subset = self.subsets.for_model(&self.network, at.batch, points, at.step);
        let mut directions = vec![&direction[..]];
        directions.extend(self.previous.as_deref());
        let tangents = self.curvature(engine)?.tangents(&subset.points, &directions)?;
        operations += Quadratic::operations(&self.network, subset.count, directions.len());
        let quadratic =
            Quadratic::new(&directions, &tangents, &iterate.gradient, subset.count, self.damping);
        let Some(minimum) = quadratic.minimum() else {
            return stop(StepStatus::Exhausted, operations);
        };
        let mut step = vec![0.0f32; direction.len()];
        for (coefficient, direction) in minimum.coefficients.iter().zip(&directions) {
            for (step, d) in step.iter_mut().zip(*direction) {
                *step += *coefficient as f32 * d;
            }
        }
        let moved: Vec<f32> = iterate.parameters.iter().zip(&step).map(|(p, s)| p + s).collect();
        engine.set_parameters(&moved)?;
        self.trial = Some(Trial { step, predicted: minimum.decrease });
        let rate = minimum.coefficients[0];
        Ok(StepOutcome { status: StepStatus::Moved, rate, operations })
    }

    fn save(&self, _: &dyn Engine) -> OptimizerState {
        let mut state = OptimizerState::default();
        if let Some(iterate) = &self.iterate {
            state.put_single("kfac.parameters", &iterate.parameters);
            state.put_single("kfac.gradient", &iterate.gradient);
            state.put_double("kfac.objective", &[iterate.objective]);
        }
        if let Some(previous) = &self.previous {
            state.put_single("kfac.previous", previous);
        }
        if let Some(trial) = &self.trial {
            state.put_single("kfac.trial", &trial.step);
            state.put_double("kfac.predicted", &[trial.predicted]);
        }
        state.put_double("kfac.damping", &[self.damping]);
        state.put_double("kfac.stretch_began", &[self.stretch_began]);
        state.put_counter("kfac.model_points", self.model_points as u64);
        state.put_counter("kfac.accepted", self.accepted);
        state.put_counter("kfac.rejections", self.rejections);
        self.factors.save(&mut state);
        state
    }

    fn restore(&mut self, _: &mut dyn Engine, state: &OptimizerState) -> Result<(), StateError> {
        let count = self.network.parameter_count();
        let number = |name: &str| state.double(name, 1).map(|values| values[0]);
        let array = |name: &str| state.single(name, count).map(<[f32]>::to_vec);
        let has = |name: &str| state.single.contains_key(name);
        self.iterate = match has("kfac.parameters") {
            true => Some(Iterate {
                parameters: array("kfac.parameters")?,
                gradient: array("kfac.gradient")?,
                objective: number("kfac.objective")?,
            }),
            false => None,
        };
        self.previous = if has("kfac.previous") { Some(array("kfac.previous")?) } else { None };
        self.trial = match has("kfac.trial") {
            true => {
                Some(Trial { step: array("kfac.trial")?, predicted: number("kfac.predicted")? })
            }
            false => None,
        };
        self.damping = number("kfac.damping")?;
        self.stretch_began = number("kfac.stretch_began")?;
        self.model_points = state.counter("kfac.model_points")? as usize;
        self.accepted = state.counter("kfac.accepted")?;
        self.rejections = state.counter("kfac.rejections")?;
        self.factors.restore(state)
    }
}
