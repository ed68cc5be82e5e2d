//! Adam, which the engine implements.

use serde::{Deserialize, Serialize};
use vi3nr::Network;
use vi3nr_engine::{Adam, Backend, Engine, EngineError, Update};

use super::{
    Method, Optimizer, OptimizerState, Problem, RatesMut, Schedule, StateError, StepContext,
    StepOutcome, StepStatus,
};

/// The settings of Adam. β₁, β₂ and ε are those of [`Adam::default`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamSettings {
    /// The initial learning rate.
    pub learning_rate: f64,
    /// The learning-rate schedule.
    pub schedule: Schedule,
}

impl Method for AdamSettings {
    fn suited_to(problem: &Problem<'_>) -> Self {
        problem.adam
    }

    fn rates_mut(&mut self) -> Option<RatesMut<'_>> {
        let Self { learning_rate, schedule } = self;
        Some(RatesMut { learning_rate, schedule })
    }

    fn start(
        &self,
        _: &Network,
        _: u64,
        _: &dyn Backend,
    ) -> Result<Box<dyn Optimizer>, EngineError> {
        Ok(Box::new(AdamOptimizer { settings: *self }))
    }
}

#[derive(Debug)]
struct AdamOptimizer {
    settings: AdamSettings,
}

impl AdamOptimizer {
    fn rate(&self, step: u64, progress: f64) -> f64 {
        let AdamSettings { learning_rate, schedule } = self.settings;
        schedule.rate(learning_rate, step, progress)
    }
}

impl Optimizer for AdamOptimizer {
    fn step(
        &mut self,
        engine: &mut dyn Engine,
        at: &StepContext<'_>,
    ) -> Result<StepOutcome, EngineError> {
        let rate = self.rate(at.step, at.progress);
        if !at.loss.is_finite() {
            return Ok(StepOutcome { status: StepStatus::Diverged, rate, operations: 0.0 });
        }
        engine.apply(&Update::adam(Adam::default(), rate))?;
        Ok(StepOutcome { status: StepStatus::Moved, rate, operations: 0.0 })
    }

    fn adam_rate(&self, step: u64, progress: f64) -> Option<f64> {
        Some(self.rate(step, progress))
    }

    fn save(&self, engine: &dyn Engine) -> Result<OptimizerState, EngineError> {
        let mut state = OptimizerState::default();
        state.put_adam(engine)?;
        Ok(state)
    }

    fn restore(
        &mut self,
        engine: &mut dyn Engine,
        state: &OptimizerState,
        step: u64,
    ) -> Result<(), StateError> {
        state.restore_adam(engine, step)
    }
}
