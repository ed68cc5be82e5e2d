//! What an optimizer remembers, as plain arrays and numbers under names.

use std::collections::BTreeMap;

use vi3nr_engine::{AdamMemory, Engine, EngineError};

/// A copy of an optimizer's memory. Exact: what is put back gives the same bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimizerState {
    /// Arrays of float32 numbers.
    pub single: BTreeMap<String, Vec<f32>>,
    /// Arrays of double-precision numbers.
    pub double: BTreeMap<String, Vec<f64>>,
    /// Whole numbers.
    pub counters: BTreeMap<String, u64>,
}

/// A memory that cannot be put back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Something is not there.
    #[error("the optimizer's state has no '{name}'")]
    Missing {
        /// What.
        name: String,
    },
    /// Something has another size than the network asks for.
    #[error("the optimizer's state has {seen} numbers in '{name}', expected {expected}")]
    Length {
        /// What.
        name: String,
        /// Its numbers.
        seen: usize,
        /// What would fit.
        expected: usize,
    },
    /// The engine refuses it.
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

    /// Adds a whole number.
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

    /// The whole number `name`.
    pub(super) fn counter(&self, name: &str) -> Result<u64, StateError> {
        self.counters.get(name).copied().ok_or_else(|| missing(name))
    }

    /// Adds the memory of the engine's Adam.
    pub(super) fn put_adam(&mut self, engine: &dyn Engine) {
        let AdamMemory { mean, mean_square, steps } = engine.adam_memory();
        self.single.insert("adam.mean".into(), mean);
        self.single.insert("adam.mean_square".into(), mean_square);
        self.counters.insert("adam.steps".into(), steps);
    }

    /// Puts the memory of Adam back into the engine.
    pub(super) fn restore_adam(&self, engine: &mut dyn Engine) -> Result<(), StateError> {
        let count = engine.network().parameter_count();
        let memory = AdamMemory {
            mean: self.single("adam.mean", count)?.to_vec(),
            mean_square: self.single("adam.mean_square", count)?.to_vec(),
            steps: self.counter("adam.steps")?,
        };
        Ok(engine.set_adam_memory(&memory)?)
    }
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
