//! From a request to what a session needs: the signal, the plan and the weights to start from.

use crate::model_file::{ModelError, Weights};
use crate::plan::{Resolved, SignalFacts, Start, StartFacts, check_numbers, resolve};
use crate::request::{FitRequest, RequestError};
use crate::signal::image::test_image;
use crate::signal::{Signal, SignalError, SignalFile, SignalOptions, open};

/// The side in pixels of the test image, which is fitted if a request names no file.
pub const TEST_IMAGE_SIDE: u32 = 128;

/// Why a request cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A setting is out of range or contradicts another one.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The signal cannot be read.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The weights to start from cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The signal, the plan and the weights of a request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// The signal.
    pub signal: Box<dyn Signal>,
    /// The facts about the signal and the weights from which the plan was resolved.
    pub facts: SignalFacts,
    /// The plan, with the reasons for its settings.
    pub resolved: Resolved,
    /// The weights that the fit starts from, if the request names a file of weights.
    pub weights: Option<Vec<f32>>,
}

/// Reads the signal and the weights that `request` names, and resolves its plan.
///
/// The signed distance to a shape is prepared on the calling thread's pool: see
/// [`Workers::install`](vi3nr_engine::Workers::install).
///
/// ```
/// use vi3nr_inr::prepare::prepare;
/// use vi3nr_inr::request::FitRequest;
///
/// let mut request = FitRequest::default();
/// request.width = Some(32);
/// let prepared = prepare(&request)?;
/// assert_eq!(prepared.resolved.plan.network.dims()[1], 32);
/// # Ok::<(), vi3nr_inr::prepare::PrepareError>(())
/// ```
///
/// # Errors
/// Returns [`PrepareError::Request`] if a setting is out of range or contradicts another one,
/// [`PrepareError::Signal`] if the signal cannot be read, and [`PrepareError::Model`] if the
/// weights to start from cannot be read.
pub fn prepare(request: &FitRequest) -> Result<Prepared, PrepareError> {
    prepare_with(request, |options| match &request.file {
        Some(file) => Ok(open(file, options)?),
        None => {
            require_no_fields(request)?;
            Ok(Box::new(test_image(TEST_IMAGE_SIDE)?))
        }
    })
}

/// Like [`prepare`], for a signal whose bytes have been read, for example from standard input. The
/// file that `request` names is not read; only its name is used.
///
/// # Errors
/// Those of [`prepare`].
pub fn prepare_file(request: &FitRequest, file: &SignalFile) -> Result<Prepared, PrepareError> {
    prepare_with(request, |options| Ok(file.decode(options)?))
}

/// Like [`prepare`], for a signal that is not read from a file.
///
/// # Errors
/// Those of [`prepare`]. The request must not have a file or settings for reading one.
pub fn prepare_signal(
    request: &FitRequest,
    signal: Box<dyn Signal>,
) -> Result<Prepared, PrepareError> {
    if let Some(file) = &request.file {
        let seen = format!("'{}', but the signal is given", file.display());
        return Err(RequestError::new("file", seen, "none").into());
    }
    prepare_with(request, |_| Ok(signal))
}

fn prepare_with(
    request: &FitRequest,
    signal: impl FnOnce(&SignalOptions) -> Result<Box<dyn Signal>, PrepareError>,
) -> Result<Prepared, PrepareError> {
    // Checked before a large file is read in vain.
    check_numbers(request)?;
    let options = request.signal.options(request.preset.unwrap_or_default());
    let signal = signal(&options)?;
    let mut facts = SignalFacts::of_request(request, &*signal, &options);
    let mut weights = None;
    if let Some(path) = &request.from {
        let read = Weights::load(path)?;
        let start = Start { parameters: read.fingerprint() };
        let Weights { network, parameters, input_scale } = read;
        facts.start = Some(StartFacts { network, input_scale, start });
        weights = Some(parameters);
    }
    let resolved = resolve(request, &facts)?;
    Ok(Prepared { signal, facts, resolved, weights })
}

/// Checks that the request, which names no file, has no settings for reading a file.
fn require_no_fields(request: &FitRequest) -> Result<(), RequestError> {
    let fields: Vec<&'static str> =
        request.signal.set_fields().into_iter().map(|(_, field)| field).collect();
    match fields.is_empty() {
        true => Ok(()),
        false => Err(RequestError::of_fields(&fields, "this needs a FILE", "")),
    }
}
