//! How well a model reproduces a signal.

use vi3nr_engine::{CpuEngine, EngineError};

use crate::metrics::Metrics;
use crate::model_file::Model;
use crate::points::Points;
use crate::signal::{Reconstruction, Signal, SignalError};

/// Why a model cannot be compared with a signal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The signal is of another kind or shape than the model's.
    #[error(
        "the model is of {model}, the file has {file}: compare it with the file that was fitted, \
         with the same options"
    )]
    Shape {
        /// The model's kind, size and channels.
        model: String,
        /// The file's.
        file: String,
    },
    /// The engine cannot be built.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The signal cannot be measured.
    #[error(transparent)]
    Signal(#[from] SignalError),
}

/// Compares `model` with `truth`, which must have its kind and shape, by the network's values as
/// they are: neither clamped nor rounded.
///
/// # Errors
/// Another kind, size or number of channels; a model that cannot be evaluated.
pub fn evaluate(
    model: &Model,
    truth: &dyn Signal,
    threads: Option<usize>,
) -> Result<Metrics, EvaluateError> {
    let (ours, file) = (model.signal.shape(), truth.info().shape());
    if ours != file {
        return Err(EvaluateError::Shape { model: ours, file });
    }
    let (network, parameters) = (&model.network, &model.parameters[..]);
    let mut engine = CpuEngine::new(network, parameters, threads)?;
    let values = match truth.points() {
        Points::Drawn(_) => Vec::new(),
        points => points.check_points(model.seed).check(&mut engine)?.values,
    };
    Ok(truth.metrics(&Reconstruction { network, parameters, values: &values, threads })?)
}
