//! The state of an optimizer, as named arrays and numbers.

use std::collections::BTreeMap;

use vi3nr_engine::{AdamMemory, Engine, EngineError};

/// A copy of an optimizer's state. It is exact: a restored optimizer takes the same steps, bit for
/// bit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Arrays of float32 numbers.
    pub single: BTreeMap<String, Vec<f32>>,
    /// Arrays of double-precision numbers.
    pub double: BTreeMap<String, Vec<f64>>,
    /// Integers.
    pub counters: BTreeMap<String, u64>,
}

/// Why a state cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// An entry is missing.
    #[error("the optimizer's state has no '{name}'")]
    Missing {
        /// The name of the entry.
        name: String,
    },
    /// An array has another length than the network requires.
    #[error("the optimizer's state has {seen} numbers in '{name}', expected {expected}")]
    Length {
        /// The name of the entry.
        name: String,
        /// The length of the array.
        seen: usize,
        /// The required length.
        expected: usize,
    },
    /// A number that no run of these settings can have.
    #[error("the state has {seen} for '{name}', expected {expected}")]
    Counter {
        /// The name of the number.
        name: String,
        /// The number.
        seen: String,
        /// The possible numbers.
        expected: String,
    },
    /// The engine rejects the state.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl OptimizerState {
    /// Adds an array of float32 numbers.
    pub(super) fn put_single(&mut self, name: &str, values: &[f32]) {
        self.single.insert(name.into(), values.to_vec());
    }

    /// Adds an array of double-precision numbers.
    pub(super) fn put_double(&mut self, name: &str, values: &[f64]) {
        self.double.insert(name.into(), values.to_vec());
    }

    /// Adds an integer.
    pub(super) fn put_counter(&mut self, name: &str, value: u64) {
        self.counters.insert(name.into(), value);
    }

    /// The float32 array `name` of `expected` numbers.
    pub(super) fn single(&self, name: &str, expected: usize) -> Result<&[f32], StateError> {
        sized(self.single.get(name).map(Vec::as_slice), name, expected)
    }

    /// The double-precision array `name` of `expected` numbers.
    pub(super) fn double(&self, name: &str, expected: usize) -> Result<&[f64], StateError> {
        sized(self.double.get(name).map(Vec::as_slice), name, expected)
    }

    /// The integer `name`.
    pub(super) fn counter(&self, name: &str) -> Result<u64, StateError> {
        self.counters.get(name).copied().ok_or_else(|| missing(name))
    }

    /// The number `name` of steps or events, of which there is at most one per step.
    pub(super) fn counter_up_to(&self, name: &str, step: u64) -> Result<u64, StateError> {
        let value = self.counter(name)?;
        check_counter(name, value, 0, step)?;
        Ok(value)
    }

    /// Adds the moments of the engine's Adam.
    pub(super) fn put_adam(&mut self, engine: &dyn Engine) -> Result<(), EngineError> {
        let AdamMemory { mean, mean_square, steps } = engine.adam_memory()?;
        self.single.insert("adam.mean".into(), mean);
        self.single.insert("adam.mean_square".into(), mean_square);
        self.counters.insert("adam.steps".into(), steps);
        Ok(())
    }

    /// Restores the moments of the engine's Adam after `step` steps.
    pub(super) fn restore_adam(
        &self,
        engine: &mut dyn Engine,
        step: u64,
    ) -> Result<(), StateError> {
        let count = engine.network().parameter_count();
        let steps = self.counter("adam.steps")?;
        check_counter("adam.steps", steps, step, step)?;
        let memory = AdamMemory {
            mean: self.single("adam.mean", count)?.to_vec(),
            mean_square: self.single("adam.mean_square", count)?.to_vec(),
            steps,
        };
        Ok(engine.set_adam_memory(&memory)?)
    }
}

/// Checks that a number of a state is from `min` to `max`.
///
/// # Errors
/// Returns [`StateError::Counter`] if it is not.
pub(crate) fn check_counter(name: &str, seen: u64, min: u64, max: u64) -> Result<(), StateError> {
    if (min..=max).contains(&seen) {
        return Ok(());
    }
    let expected = if min == max { min.to_string() } else { format!("{min} to {max}") };
    Err(StateError::Counter { name: name.into(), seen: seen.to_string(), expected })
}

fn sized<'a, T>(
    found: Option<&'a [T]>,
    name: &str,
    expected: usize,
) -> Result<&'a [T], StateError> {
    match found {
        None => Err(missing(name)),
        Some(values) if values.len() != expected => {
            Err(StateError::Length { name: name.into(), seen: values.len(), expected })
        }
        Some(values) => Ok(values),
    }
}

fn missing(name: &str) -> StateError {
    StateError::Missing { name: name.into() }
}
