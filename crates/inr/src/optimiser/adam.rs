//! Adam: the engine does all of it.

use serde::Serialize;
use vi3nr_engine::{Adam, Engine, EngineError};

use super::{Optimiser, OptimiserState, Schedule, Situation, StateError, Taken, Verdict};

/// How Adam trains; its constants are [`Adam::default`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AdamSettings {
    /// The first learning rate.
    pub learning_rate: f64,
    /// How it falls.
    pub schedule: Schedule,
}

#[derive(Debug)]
pub(super) struct AdamOptimiser {
    settings: AdamSettings,
}

impl AdamOptimiser {
    pub(super) fn new(settings: AdamSettings) -> Self {
        Self { settings }
    }
}

impl Optimiser for AdamOptimiser {
    fn step(&mut self, engine: &mut dyn Engine, at: &Situation<'_>) -> Result<Taken, EngineError> {
        let AdamSettings { learning_rate, schedule } = self.settings;
        let rate = schedule.rate(learning_rate, at.step, at.progress);
        if !at.loss.is_finite() {
            return Ok(Taken { verdict: Verdict::Diverged, rate, operations: 0.0 });
        }
        engine.adam_step(&Adam::default(), rate);
        Ok(Taken { verdict: Verdict::Moved, rate, operations: 0.0 })
    }

    fn save(&self, engine: &dyn Engine) -> OptimiserState {
        let mut state = OptimiserState::default();
        state.put_adam(engine);
        state
    }

    fn restore(
        &mut self,
        engine: &mut dyn Engine,
        state: &OptimiserState,
    ) -> Result<(), StateError> {
        state.restore_adam(engine)
    }
}
