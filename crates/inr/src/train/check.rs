//! Checks of a stored training state, which may come from a damaged file.

use super::TrainState;
use crate::optimizer::{StateError, check_counter};

impl TrainState {
    /// Checks every number of the state that a run of at most `steps` steps with at most
    /// `points_per_step` points each can have.
    ///
    /// # Errors
    /// Returns [`StateError::Counter`] with the first number that is impossible.
    pub(super) fn check(&self, steps: u64, points_per_step: usize) -> Result<(), StateError> {
        check_counter("step", self.step, 0, steps)?;
        // Training that ends at its target or diverges has seen the points of one more step.
        let max = (points_per_step as u64).saturating_mul(self.step.saturating_add(1));
        check_counter("points_seen", self.points_seen, self.step, max.min(i64::MAX as u64))?;
        check_counter("epoch.count", self.epoch.count as u64, 0, self.points_seen)?;
        if let Some(best) = &self.best {
            check_counter("best.step", best.step, 0, self.step)?;
        }
        let operations = self.operations;
        if !(operations >= 0.0 && operations.is_finite()) {
            return Err(StateError::Counter {
                name: "operations".into(),
                seen: operations.to_string(),
                expected: "a finite number of at least 0".into(),
            });
        }
        Ok(())
    }
}
