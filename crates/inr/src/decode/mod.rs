//! Decoding: from a model to an image, audio or a shape, at any resolution.

#[cfg(feature = "audio")]
mod audio;
#[cfg(feature = "shape")]
mod curvature;
mod derivative;
mod field;
mod image;
mod points;
#[cfg(feature = "shape")]
mod shape;

#[cfg(feature = "audio")]
pub use self::audio::decode_audio;
#[cfg(feature = "shape")]
pub use self::curvature::{MeshAttribute, PrincipalCurvatures, principal_curvatures};
pub use self::derivative::{Derivative, DerivativeMap, derivative_map};
pub use self::image::{PixelRegion, decode_image, image_values};
pub use self::points::{derivatives_at, values_at};
#[cfg(feature = "shape")]
pub use self::shape::{DecodedShape, decode_shape};

use std::path::Path;

use serde_json::Value;
use vi3nr_engine::{Backend, EngineError};

use crate::atomic_file::WriteError;
use crate::model_file::Model;
use crate::pieces::PieceError;
use crate::request::RequestError;
use crate::signal::{SignalError, SignalKind};

/// The number of points evaluated at a time.
const BAND: usize = 1 << 18;

/// Why a model cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A setting belongs to another kind of signal or is out of range.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The result is impossible, for example a size of 0 or an empty surface, or cannot be written.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The model represents another kind of signal.
    #[error("the model is of kind {found}; expected {expected}")]
    Kind {
        /// The requested kind.
        expected: SignalKind,
        /// The kind of the model's signal.
        found: SignalKind,
    },
    /// The library was compiled without support for the model's kind of signal.
    #[error(
        "the model is of kind {kind}, which this program cannot decode: vi3nr-inr was compiled \
         without its cargo feature '{kind}'"
    )]
    CompiledOut {
        /// The kind, which is also the name of the feature.
        kind: SignalKind,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The engine cannot be created or rejects its input.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The pieces of the model cannot be evaluated.
    #[error(transparent)]
    Pieces(#[from] PieceError),
}

/// The settings of decoding. Fields that are `None` have the default for the model's kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DecodeRequest {
    /// The factor for both sides of an image, rounded to whole pixels; 1 by default.
    pub scale: Option<f64>,
    /// Width and height of the result in pixels; those of the image or the region by default.
    pub size: Option<(u32, u32)>,
    /// The part of an image that is decoded, in its own pixels; all of it by default.
    pub region: Option<PixelRegion>,
    /// The derivative of an image that is drawn instead of its values; none by default.
    pub derivative: Option<Derivative>,
    /// The sampling rate of audio in Hz; its own by default.
    pub rate: Option<u32>,
    /// The start of the decoded audio in seconds from the first sample; 0 by default.
    pub start: Option<f64>,
    /// The duration of the decoded audio in seconds; up to the end by default.
    pub duration: Option<f64>,
    /// The sample format of an audio file; 16 bits by default.
    #[cfg(feature = "audio")]
    pub sample_format: Option<crate::signal::audio::SampleFormat>,
    /// The number of cells per side of the grid on which a shape is extracted; 512 by default.
    pub resolution: Option<usize>,
    /// What a PLY file of a shape stores for each vertex beside the normal; nothing by default.
    #[cfg(feature = "shape")]
    pub attributes: Option<MeshAttribute>,
}

impl DecodeRequest {
    /// The names of the settings that are given, with the kind of signal to which they apply.
    fn given(&self) -> Vec<(&'static str, SignalKind)> {
        #[cfg(feature = "audio")]
        let sample_format = self.sample_format.is_some();
        #[cfg(not(feature = "audio"))]
        let sample_format = false;
        #[cfg(feature = "shape")]
        let attributes = self.attributes.is_some();
        #[cfg(not(feature = "shape"))]
        let attributes = false;
        let all = [
            ("scale", SignalKind::Image, self.scale.is_some()),
            ("size", SignalKind::Image, self.size.is_some()),
            ("region", SignalKind::Image, self.region.is_some()),
            ("derivative", SignalKind::Image, self.derivative.is_some()),
            ("rate", SignalKind::Audio, self.rate.is_some()),
            ("start", SignalKind::Audio, self.start.is_some()),
            ("duration", SignalKind::Audio, self.duration.is_some()),
            ("sample_format", SignalKind::Audio, sample_format),
            ("resolution", SignalKind::Shape, self.resolution.is_some()),
            ("attributes", SignalKind::Shape, attributes),
        ];
        all.into_iter().filter(|(.., is)| *is).map(|(name, kind, _)| (name, kind)).collect()
    }
}

/// The result of decoding to a file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Decoded {
    /// The facts about the file, by name.
    pub facts: Value,
    /// The summary of these facts as text.
    pub summary: String,
    /// Warnings, for example about clipped samples.
    pub warnings: Vec<String>,
}

/// Called with the share of the work that is done, from 0 to 1, whenever it grows.
pub type Watch<'a> = &'a mut dyn FnMut(f64);

/// Decodes the signal of `model` to the file `path`: an image as PNG, audio as WAV, a shape as PLY,
/// OBJ or STL depending on the file extension. `watch` is called with the share that is decoded; the
/// share of a shape is that of the blocks of its grid which are known to be near the surface.
///
/// # Errors
/// Returns [`DecodeError::Request`] if a setting belongs to another kind of signal or the file has
/// another extension, [`DecodeError::CompiledOut`] if the kind is not supported, and the errors of
/// `decode_audio`, [`decode_image`], [`derivative_map`] or `decode_shape`.
pub fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<Decoded, DecodeError> {
    let kind = model.signal.kind();
    if let Some((_, other)) = request.given().iter().find(|(_, own)| *own != kind) {
        let fields = request.given().into_iter().filter(|(_, own)| own == other);
        let fields: Vec<&'static str> = fields.map(|(name, _)| name).collect();
        let plural = other.entry().plural;
        let seen =
            format!("only models of {plural} have this setting; this model is of kind {kind}");
        return Err(RequestError::of_fields(&fields, seen, "").into());
    }
    match kind {
        SignalKind::Image => image::decode(model, request, path, backend, watch),
        #[cfg(feature = "audio")]
        SignalKind::Audio => audio::decode(model, request, path, backend, watch),
        #[cfg(feature = "shape")]
        SignalKind::Shape => shape::decode(model, request, path, backend, watch),
        #[cfg(not(all(feature = "audio", feature = "shape")))]
        kind => Err(DecodeError::CompiledOut { kind }),
    }
}

/// Checks that the file extension, if any, is that of the format that models of `kind` are written
/// in.
fn require_extension(path: &Path, kind: SignalKind, extension: &str) -> Result<(), RequestError> {
    match path.extension() {
        Some(own) if !own.eq_ignore_ascii_case(extension) => {
            let expected = format!("a name that ends with .{extension}");
            let seen = format!("'{}' for a model of kind {kind}", path.display());
            Err(RequestError::new("out", seen, expected))
        }
        _ => Ok(()),
    }
}

/// The info of a model that must be of the kind `expected`, which has the info type `T`.
fn info_of<T: Copy + 'static>(model: &Model, expected: SignalKind) -> Result<T, DecodeError> {
    let info = model.signal.as_any().downcast_ref::<T>().copied();
    info.ok_or_else(|| DecodeError::Kind { expected, found: model.signal.kind() })
}
