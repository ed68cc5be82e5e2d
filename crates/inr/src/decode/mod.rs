//! From a model back to an image, audio or a shape, at any resolution.

#[cfg(feature = "audio")]
mod audio;
mod field;
mod image;
#[cfg(feature = "shape")]
mod shape;

#[cfg(feature = "audio")]
pub use self::audio::decode_audio;
pub use self::image::{PixelRegion, decode_image};
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

/// The number of points whose values are computed at a time.
const BAND: usize = 1 << 18;

/// Why a model gives no signal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A setting that belongs to another kind of model, or that is impossible.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The size cannot be, or there is no surface.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The model is of something else.
    #[error("the model is of kind {found}; expected {expected}")]
    Kind {
        /// What was asked for.
        expected: SignalKind,
        /// What the model is of.
        found: SignalKind,
    },
    /// Signals of the model's kind were left out of the program.
    #[error(
        "the model is of kind {kind}, which this program cannot decode: vi3nr-inr was compiled without its cargo feature '{kind}'"
    )]
    CompiledOut {
        /// The kind, which is also the name of the feature.
        kind: SignalKind,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The engine cannot be built.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The pieces of the model cannot be evaluated.
    #[error(transparent)]
    Pieces(#[from] PieceError),
}

/// How a model is decoded; what is `None` has the default of the model's kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DecodeRequest {
    /// What both sides of an image are multiplied by, rounded to whole pixels; 1 by default.
    pub scale: Option<f64>,
    /// Width and height of the result in pixels; those of the image or the region by default.
    pub size: Option<(u32, u32)>,
    /// The part of an image that is decoded, in its own pixels; all of it by default.
    pub region: Option<PixelRegion>,
    /// Samples a second of audio; its own by default.
    pub rate: Option<u32>,
    /// Where in the audio the result begins, in seconds from its first sample; 0 by default.
    pub start: Option<f64>,
    /// How long the result is, in seconds; to the end by default.
    pub duration: Option<f64>,
    /// How an audio file holds its samples; 16 bits by default.
    #[cfg(feature = "audio")]
    pub sample_format: Option<crate::signal::audio::SampleFormat>,
    /// Cells a side of the grid over a shape's space; 512 by default.
    pub resolution: Option<usize>,
}

impl DecodeRequest {
    /// The settings that are given, by name, with the kind that they belong to.
    fn given(&self) -> Vec<(&'static str, SignalKind)> {
        #[cfg(feature = "audio")]
        let sample_format = self.sample_format.is_some();
        #[cfg(not(feature = "audio"))]
        let sample_format = false;
        let all = [
            ("scale", SignalKind::Image, self.scale.is_some()),
            ("size", SignalKind::Image, self.size.is_some()),
            ("region", SignalKind::Image, self.region.is_some()),
            ("rate", SignalKind::Audio, self.rate.is_some()),
            ("start", SignalKind::Audio, self.start.is_some()),
            ("duration", SignalKind::Audio, self.duration.is_some()),
            ("sample_format", SignalKind::Audio, sample_format),
            ("resolution", SignalKind::Shape, self.resolution.is_some()),
        ];
        all.into_iter().filter(|(.., is)| *is).map(|(name, kind, _)| (name, kind)).collect()
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Decoded {
    /// Its numbers by name.
    pub facts: Value,
    /// The same for people.
    pub summary: String,
    /// What people should know about the file.
    pub warnings: Vec<String>,
}

/// Writes the signal of `model` to the file `path`: an image as PNG, audio as WAV, a shape as PLY,
/// OBJ or STL by the file's ending.
///
/// # Errors
/// Returns [`DecodeError::Request`] for a setting that belongs to another kind of model, and what
/// the decoding of the model's kind returns.
pub fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
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
        SignalKind::Image => image::decode(model, request, path, backend),
        #[cfg(feature = "audio")]
        SignalKind::Audio => audio::decode(model, request, path, backend),
        #[cfg(feature = "shape")]
        SignalKind::Shape => shape::decode(model, request, path, backend),
        #[cfg(not(all(feature = "audio", feature = "shape")))]
        kind => Err(DecodeError::CompiledOut { kind }),
    }
}

/// Checks that a name that has an ending has that of the format that is written.
fn require_ending(path: &Path, ending: &str) -> Result<(), RequestError> {
    match path.extension() {
        Some(own) if !own.eq_ignore_ascii_case(ending) => {
            let expected = format!("a name that ends with .{ending}");
            Err(RequestError::new("out", format!("'{}'", path.display()), expected))
        }
        _ => Ok(()),
    }
}

/// The info of a model that must be of `kind`.
fn info_of<T: Copy + 'static>(model: &Model, expected: SignalKind) -> Result<T, DecodeError> {
    let info = model.signal.as_any().downcast_ref::<T>().copied();
    info.ok_or_else(|| DecodeError::Kind { expected, found: model.signal.kind() })
}
