//! What engines and backends refuse.

/// Why an engine cannot do what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An array whose length does not fit the network.
    #[error("{what}: {seen} numbers, expected {expected}")]
    Length {
        /// Which array.
        what: &'static str,
        /// Its length.
        seen: usize,
        /// What would fit.
        expected: String,
    },
    /// A batch that was made for a network of other inputs or outputs.
    #[error(
        "the batch has points of {} coordinates and targets of {} values, expected {} and {}",
        seen.0, seen.1, expected.0, expected.1
    )]
    BatchShape {
        /// Inputs and outputs of the batch.
        seen: (usize, usize),
        /// Inputs and outputs of the engine's network.
        expected: (usize, usize),
    },
    /// A loss is asked for, but the engine holds no batch.
    #[error("no batch is loaded: expected load_batch before loss_and_gradient")]
    NoBatch,
    /// A gradient is asked for, but none has been computed.
    #[error("no gradient is known: expected loss_and_gradient first")]
    NoGradient,
    /// A layer that the network does not have.
    #[error("there is no layer {layer} (from 0): the network has {layers}")]
    NoLayer {
        /// The layer, counted from 0.
        layer: usize,
        /// How many the network has.
        layers: usize,
    },
    /// The backend lacks something that is needed.
    #[error(
        "the engine '{backend}' does not offer {missing}; expected another engine or optimizer"
    )]
    Unsupported {
        /// The backend's name: [`Backend::name`](crate::Backend::name).
        backend: &'static str,
        /// What it lacks.
        missing: &'static str,
    },
    /// The machine does not give the memory that training needs.
    #[error("not enough memory: training this network needs {mebibytes} MiB more")]
    Memory {
        /// The size of the allocation that failed.
        mebibytes: usize,
    },
    /// The worker threads cannot be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// The system's answer.
        reason: String,
    },
}

impl EngineError {
    /// The failed allocation of `count` values of type `T`.
    pub(crate) fn memory_for<T>(count: usize) -> Self {
        Self::Memory { mebibytes: count.saturating_mul(size_of::<T>()).div_ceil(1 << 20) }
    }
}

/// `count` values of zero (or whatever a new `T` is).
///
/// # Errors
/// Returns [`EngineError::Memory`] if the allocation fails.
pub(crate) fn try_zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, EngineError> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| EngineError::memory_for::<T>(count))?;
    values.resize(count, T::default());
    Ok(values)
}
