//! The metrics of a model against a signal.

use std::path::Path;

use vi3nr_engine::{Backend, EngineError};

use crate::metrics::Metrics;
use crate::model_file::{Body, Model};
use crate::pieces::{PieceError, PieceField, all_values, measure};
use crate::points::Points;
use crate::preset::Preset;
use crate::request::RequestError;
use crate::signal::{
    Comparable, Reconstruction, Signal, SignalError, SignalFile, SignalKind, SignalOptions,
    SignalRequest,
};
use crate::supervision::Supervision;

/// Why a model cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The signal has another kind, size or number of channels than the model's.
    #[error(
        "the model is of {model}, but the file has {file}; expected the file that was fitted, \
         read with the same options"
    )]
    Shape {
        /// The kind, size and channels of the model's signal.
        model: String,
        /// The kind, size and channels of the file's signal.
        file: String,
    },
    /// A setting belongs to another kind of signal.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The engine cannot be created or rejects its input.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The signal cannot be read, or its metrics cannot be computed.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The pieces cannot be evaluated.
    #[error(transparent)]
    Pieces(#[from] PieceError),
}

/// Reads the signal in `file` as the ground truth for `model`.
///
/// If `asked` sets any option, the file is read with those options. Otherwise it is read whole if
/// it then has the size of the model's signal, else with the options of the fit. `grid` is the
/// number of grid points along each side for the IoU of a shape.
///
/// # Errors
/// Returns [`EvaluateError::Request`] if `asked` or `grid` has settings of another kind of signal,
/// and [`EvaluateError::Signal`] if the file cannot be read.
pub fn open_truth(
    file: &Path,
    model: &Model,
    asked: &SignalRequest,
    grid: Option<usize>,
) -> Result<Box<dyn Signal>, EvaluateError> {
    let kind = model.signal.kind();
    if let Some(grid) = grid.filter(|_| kind != SignalKind::Shape) {
        let seen = format!("{grid}, but only shapes have a grid, and the model is of kind {kind}");
        return Err(RequestError::new("grid", seen, "").into());
    }
    let read = SignalFile::read(file)?;
    let given = asked.set_fields();
    let mut own = model.origin.options(kind);
    if !given.is_empty() {
        own = SignalOptions::from_json(kind, &asked.options(Preset::Fast).to_json(kind))
            .unwrap_or(own);
    }
    let Comparable { mut own, whole } = (kind.entry().comparable)(&*model.signal, &own);
    own.shape.grid = grid.unwrap_or(own.shape.grid);
    if !given.is_empty() {
        let signal = read.decode(&own)?;
        require_own(&given, signal.info().kind())?;
        return Ok(signal);
    }
    for options in whole {
        let signal = read.decode(&options)?;
        if signal.info().shape() == model.signal.shape() {
            return Ok(signal);
        }
    }
    Ok(read.decode(&own)?)
}

/// Checks that every setting belongs to signals of `kind`.
fn require_own(given: &[(SignalKind, &'static str)], kind: SignalKind) -> Result<(), RequestError> {
    let Some((other, _)) = given.iter().find(|(own, _)| *own != kind) else { return Ok(()) };
    let fields = given.iter().filter(|(own, _)| own == other).map(|(_, field)| *field);
    let plural = other.entry().plural;
    let seen = format!("only {plural} have this setting, and the signal is of kind {kind}");
    Err(RequestError::of_fields(&fields.collect::<Vec<_>>(), seen, ""))
}

/// The largest number of values, samples times channels, for which a model in pieces gets all
/// metrics; above it, only those that do not need all values in memory.
const MAX_VALUES: usize = 1 << 26;

/// The metrics of `model` against `truth`, from the network's values neither clamped nor rounded.
///
/// # Errors
/// Returns [`EvaluateError::Shape`] if `truth` has another kind, size or number of channels than
/// the model's signal, and [`EvaluateError::Engine`], [`EvaluateError::Pieces`] or
/// [`EvaluateError::Signal`] if the model cannot be evaluated.
pub fn evaluate(
    model: &Model,
    truth: &dyn Signal,
    backend: &dyn Backend,
) -> Result<Metrics, EvaluateError> {
    let (ours, file) = (model.signal.shape(), truth.info().shape());
    if ours != file {
        return Err(EvaluateError::Shape { model: ours, file });
    }
    let points = truth.points(model.input_scale, &Supervision::Values);
    let values = match (&model.body, &points) {
        (_, Points::Drawn(..)) => Vec::new(),
        (Body::Network { network, parameters }, Points::Sampled(_)) => {
            let mut engine = backend.engine(network, parameters)?;
            points.eval_points(model.seed).evaluate(&mut *engine)?.values
        }
        (Body::Pieces(set), Points::Sampled(_)) => {
            let field = PieceField::new(set, model.input_scale, backend)?;
            let samples = set.axes().iter().product::<usize>();
            if samples * model.signal.outputs() > MAX_VALUES {
                let loss = measure(set, &field, truth)?.loss;
                let mut metrics = truth.metrics_of_loss(loss);
                metrics.all.extend(model.size_metrics());
                return Ok(metrics);
            }
            all_values(set, &field, model.signal.outputs())?
        }
    };
    let reconstruction = Reconstruction { body: &model.body, values: &values, backend };
    let mut metrics = backend.workers().install(|| truth.metrics(&reconstruction))?;
    metrics.all.extend(model.size_metrics());
    Ok(metrics)
}
