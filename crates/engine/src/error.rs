//! The errors of engines and backends.

/// An error of an engine, a backend or their threads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// An array has a length that does not fit the network.
    #[error("{what}: {seen} numbers, expected {expected}")]
    Length {
        /// The name of the array.
        what: &'static str,
        /// Its length.
        seen: usize,
        /// The length that fits, in words.
        expected: String,
    },
    /// A batch was created for a network with another number of inputs or outputs.
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
    /// A loss is needed, but no batch is loaded.
    #[error("no batch is loaded: expected load_batch before loss_and_gradient")]
    NoBatch,
    /// A gradient is needed, but none has been computed.
    #[error("no gradient is known: expected loss_and_gradient first")]
    NoGradient,
    /// The network has no layer with this index.
    #[error("there is no layer {layer} (from 0): the network has {layers}")]
    NoLayer {
        /// The layer, counted from 0.
        layer: usize,
        /// The number of layers of the network.
        layers: usize,
    },
    /// The backend does not offer what an optimizer or a signal needs.
    #[error(
        "the backend '{backend}' does not offer {missing}; expected another backend or optimizer"
    )]
    Unsupported {
        /// The backend's name: [`Backend::name`](crate::Backend::name).
        backend: &'static str,
        /// What is missing, as a noun phrase.
        missing: &'static str,
    },
    /// The text of a term of the loss cannot be read.
    #[error("the term '{text}': {reason}")]
    Term {
        /// The text.
        text: String,
        /// What was expected.
        reason: String,
    },
    /// The higher derivatives of the activation cannot be compiled.
    #[error("losses on derivatives need more derivatives of the activation: {reason}")]
    Activation {
        /// The error of the formula.
        reason: String,
    },
    /// A GPU cannot be used, or it failed.
    #[error("{seen}; expected {expected}")]
    Device {
        /// What was found or what failed.
        seen: String,
        /// What would work instead.
        expected: String,
    },
    /// The memory that training needs cannot be allocated.
    #[error(
        "not enough memory: training this network needs {mebibytes} MiB more; expected fewer points \
         for each step, a smaller network, or memory that other programs free"
    )]
    Memory {
        /// The size of the failed allocation in MiB, rounded up.
        mebibytes: usize,
    },
    /// The worker threads cannot be started.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// The number of threads that were requested.
        threads: usize,
        /// The error of the operating system.
        reason: String,
    },
}

impl EngineError {
    /// The error for a failed allocation of `count` values of type `T`.
    pub(crate) fn memory_for<T>(count: usize) -> Self {
        Self::Memory { mebibytes: count.saturating_mul(size_of::<T>()).div_ceil(1 << 20) }
    }
}

/// A vector of `count` default values of `T`.
///
/// # Errors
/// Returns [`EngineError::Memory`] if the allocation fails.
pub(crate) fn try_zeros<T: Clone + Default>(count: usize) -> Result<Vec<T>, EngineError> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| EngineError::memory_for::<T>(count))?;
    values.resize(count, T::default());
    Ok(values)
}
