//! Several steps of Adam in one call.

use crate::{Adam, Engine, EngineError, Update};

/// Steps of Adam on the loaded batch, for [`Engine::run`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRun<'a> {
    /// β₁, β₂ and ε.
    pub constants: Adam,
    /// The learning rate of each step.
    pub learning_rates: &'a [f64],
    /// The loss at which the run ends: the step at which it is reached is not taken.
    pub target_loss: Option<f64>,
}

/// The parameters with the smallest loss so far.
#[derive(Debug, Clone, PartialEq)]
pub struct BestParameters {
    /// Their loss; infinity if there are none yet.
    pub loss: f64,
    /// The parameters, in the order of [`Network::layers`](vi3nr::Network::layers).
    pub parameters: Vec<f32>,
}

impl Default for BestParameters {
    /// No parameters, with an infinite loss.
    fn default() -> Self {
        Self { loss: f64::INFINITY, parameters: Vec::new() }
    }
}

/// The result of [`Engine::run`].
#[derive(Debug, Clone, PartialEq)]
pub struct RunOutcome {
    /// The loss before each step, and, if the run ended early, the loss that ended it.
    pub losses: Vec<f64>,
    /// The number of steps taken. It can be smaller than the number of learning rates without an
    /// end: an engine takes as many steps in one call as suit its device, but at least one.
    pub steps: usize,
    /// The index of the smallest loss, if it is below that of the best parameters before.
    pub best: Option<usize>,
    /// Why the run ended early, if it did.
    pub end: Option<RunEnd>,
}

/// Why a run ended before all its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// The loss reached the target.
    Target,
    /// The loss is not finite.
    Diverged,
}

/// [`Engine::run`] by single steps.
///
/// # Errors
/// Returns the errors of [`Engine::loss_and_gradient`] and [`Engine::apply`].
pub(crate) fn by_single_steps<E: Engine + ?Sized>(
    engine: &mut E,
    run: &AdamRun<'_>,
    best: &mut BestParameters,
) -> Result<RunOutcome, EngineError> {
    let mut outcome = RunOutcome { losses: Vec::new(), steps: 0, best: None, end: None };
    for learning_rate in run.learning_rates {
        let loss = engine.loss_and_gradient()?;
        outcome.losses.push(loss);
        if !loss.is_finite() {
            outcome.end = Some(RunEnd::Diverged);
            break;
        }
        if loss < best.loss {
            best.loss = loss;
            outcome.best = Some(outcome.steps);
            engine.copy_parameters(&mut best.parameters)?;
        }
        if run.target_loss.is_some_and(|target| loss <= target) {
            outcome.end = Some(RunEnd::Target);
            break;
        }
        engine.apply(&Update::adam(run.constants, *learning_rate))?;
        outcome.steps += 1;
    }
    Ok(outcome)
}
