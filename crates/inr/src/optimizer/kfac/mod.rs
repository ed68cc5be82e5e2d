//! K-FAC with Gauss-Newton factors and a two-dimensional quadratic model, without learning rate and
//! schedule (after Martens and Grosse 2015; see the repository's docs/optimizers.md).
//!
//! The objective is h(θ) = ½ mean over points of Σ_o e², its curvature B = (1/n) Σ JᵀJ + λI.
//!
//! 1. The factors A and G of each layer are means over random points ([`factors`]).
//! 2. The direction of each layer is d = -G⁻¹gA⁻¹ with damped factors.
//! 3. The step is αd + μp, where p is the previous step and (α, μ) minimizes a quadratic model with
//!    the exact Jacobian J at other random points ([`model`]).
//! 4. The next call gets the loss after the step. If it rose, the step is undone and modeled again
//!    at twice as many points or, if the model already uses all points, λ is doubled. Otherwise λ
//!    is adapted to how well the model predicted the decrease. The gradient at the new iterate is
//!    computed together with its loss, so that an accepted trial costs no extra pass.

mod factors;
mod model;
mod subset;

use serde::{Deserialize, Serialize};
use vi3nr::Network;
use vi3nr_engine::{Backend, Curvature, Engine, EngineError, Residuals};

use super::{
    Method, Optimizer, OptimizerState, Problem, RatesMut, StateError, StepContext, StepOutcome,
    StepStatus, check_counter,
};
use factors::Factors;
use model::Quadratic;
use subset::Subsets;

/// The settings of K-FAC, which depend on the size of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KfacSettings {
    /// The number of points per update of the factors.
    pub factor_points: usize,
    /// The smallest number of points of the quadratic model; rejected steps increase it.
    pub model_points: usize,
}

impl KfacSettings {
    /// The settings that were found best for signals of `count` points.
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

/// The interval in steps between updates of the factors, after the first steps.
const FACTOR_INTERVAL: u64 = 3;
/// The number of first steps, each of which updates the factors.
const FIRST_STEPS: u64 = 10;
/// The interval in steps between inversions of the damped factors.
const INVERSE_INTERVAL: u64 = 5;
/// The initial λ.
const FIRST_DAMPING: f64 = 1e-2;
/// The smallest λ.
const MIN_DAMPING: f64 = 1e-12;
/// The largest λ; above it, steps are negligibly short.
const MAX_DAMPING: f64 = 1e8;
/// The factor by which λ is multiplied after a good prediction of the model, and divided after a
/// poor one.
const DAMPING_DECAY: f64 = 0.85;
/// The factor by which the number of the model's points grows after a rejection. A few points with
/// large errors can determine the step length, and a small sample misses them; λ and the previous
/// step are kept until the model uses all points.
const POINT_GROWTH: usize = 2;
/// The factor by which the number of the model's points shrinks after an accepted step.
const POINT_DECAY: f64 = 0.95;
/// The number of successive rejections after which the optimizer stops.
const MAX_REJECTIONS: u64 = 20;
/// The number of accepted steps within which the objective must fall by [`MIN_DECREASE`].
const PATIENCE: u64 = 40;
/// The smallest relative decrease of the objective over [`PATIENCE`] accepted steps.
const MIN_DECREASE: f64 = 0.01;

/// The largest number of the model's points in a saved state; no signal has more points.
const MAX_MODEL_POINTS: u64 = u32::MAX as u64;

struct Kfac {
    settings: KfacSettings,
    /// The name of the engines' backend.
    backend: &'static str,
    network: Network,
    subsets: Subsets,
    factors: Factors,
    /// λ.
    damping: f64,
    /// The number of points of the next model: see [`POINT_GROWTH`].
    model_points: usize,
    /// The number of accepted steps.
    accepted: u64,
    /// The number of rejections since the last accepted step.
    rejections: u64,
    /// The parameters after the last accepted step.
    iterate: Option<Iterate>,
    /// p, the last accepted step.
    previous: Option<Vec<f32>>,
    /// The step that is being tried.
    trial: Option<Trial>,
    /// The objective at the start of the current [`PATIENCE`] accepted steps.
    stretch_began: f64,
}

/// Parameters with their objective and its gradient.
struct Iterate {
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    objective: f64,
}

/// A step whose loss is not yet known.
struct Trial {
    step: Vec<f32>,
    /// The decrease of the objective that the model predicts.
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

    /// Accepts the engine's parameters, whose objective is `objective`, as the new iterate, or
    /// restores the last iterate. `all` is the number of points of the batch, whose loss is that of
    /// `residuals`.
    fn accept_or_reject(
        &mut self,
        engine: &mut dyn Engine,
        objective: f64,
        (all, residuals): (usize, Residuals),
    ) -> Result<TrialOutcome, EngineError> {
        let Some(iterate) = &mut self.iterate else {
            if !objective.is_finite() {
                return Ok(TrialOutcome::NonFiniteStart);
            }
            let parameters = engine.parameters()?;
            let gradient = self.objective_gradient(engine)?;
            self.iterate = Some(Iterate { parameters, gradient, objective });
            self.stretch_began = objective;
            if residuals != Residuals::VALUES {
                // Derivatives have any scale, unlike values, whose objective starts near 1.
                self.damping = (FIRST_DAMPING * objective).clamp(MIN_DAMPING, MAX_DAMPING);
            }
            return Ok(TrialOutcome::Accepted);
        };
        let trial = self.trial.take();
        // False if the objective is NaN.
        let falls = objective < iterate.objective;
        if !falls {
            if self.model_points < all {
                self.model_points = all.min(POINT_GROWTH * self.model_points);
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
                self.damping = (DAMPING_DECAY * self.damping).max(MIN_DAMPING);
            } else if ratio < 0.25 {
                self.damping = (self.damping / DAMPING_DECAY).min(MAX_DAMPING);
            }
            self.previous = Some(step);
        }
        engine.copy_parameters(&mut iterate.parameters)?;
        iterate.objective = objective;
        let gradient = self.objective_gradient(engine)?;
        if let Some(iterate) = &mut self.iterate {
            iterate.gradient = gradient;
        }
        let fewer = (POINT_DECAY * self.model_points as f64) as usize;
        self.model_points = fewer.max(self.settings.model_points);
        self.accepted += 1;
        self.rejections = 0;
        Ok(TrialOutcome::Accepted)
    }

    /// The factor from the engine's loss, which is also a mean over the outputs, to
    /// h = ½ · outputs · loss.
    fn scale(&self) -> f64 {
        0.5 * self.network.outputs() as f64
    }

    fn objective_gradient(&self, engine: &dyn Engine) -> Result<Vec<f32>, EngineError> {
        let scale = self.scale() as f32;
        let mut gradient = engine.gradient()?;
        gradient.iter_mut().for_each(|g| *g *= scale);
        Ok(gradient)
    }

    /// Whether recent steps reduced the objective too little, or too many were rejected.
    fn is_exhausted(&mut self, objective: f64) -> bool {
        if self.rejections > MAX_REJECTIONS {
            return true;
        }
        if self.rejections > 0 || self.accepted == 0 || !self.accepted.is_multiple_of(PATIENCE) {
            return false;
        }
        let is_small = objective > (1.0 - MIN_DECREASE) * self.stretch_began;
        self.stretch_began = objective;
        is_small
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
        let all = at.batch.coordinates().len() / self.network.inputs();
        let residuals = at.batch.residuals().unwrap_or(Residuals::VALUES);
        let stop = |status, operations| Ok(StepOutcome { status, rate: 0.0, operations });
        let outcome = self.accept_or_reject(engine, self.scale() * at.loss, (all, residuals))?;
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
            let subset =
                self.subsets.for_factors(&self.network, (at.batch, residuals), self.accepted);
            let factors =
                self.curvature(engine)?.factors(&subset.points, residuals, &subset.signs)?;
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

        // Every trial, accepted or not, uses different random points.
        let points = self.model_points;
        let subset = self.subsets.for_model(&self.network, at.batch, points, at.step);
        let mut directions = vec![&direction[..]];
        directions.extend(self.previous.as_deref());
        let tangents = self.curvature(engine)?.tangents(&subset.points, residuals, &directions)?;
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

    fn save(&self, _: &dyn Engine) -> Result<OptimizerState, EngineError> {
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
        Ok(state)
    }

    fn restore(
        &mut self,
        _: &mut dyn Engine,
        state: &OptimizerState,
        step: u64,
    ) -> Result<(), StateError> {
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
        let model_points = state.counter("kfac.model_points")?;
        let min = self.settings.model_points as u64;
        check_counter("kfac.model_points", model_points, min, min.max(MAX_MODEL_POINTS))?;
        self.model_points = model_points as usize;
        self.accepted = state.counter_up_to("kfac.accepted", step.saturating_add(1))?;
        self.rejections = state.counter_up_to("kfac.rejections", step.min(MAX_REJECTIONS + 1))?;
        self.factors.restore(state, step)
    }
}
