//! Errors of signals.

use std::io;
use std::path::PathBuf;

use vi3nr::printable::excerpt;
use vi3nr_engine::EngineError;

use super::shape::ShapeError;
use crate::atomic_file::WriteError;
#[cfg(feature = "chart")]
use crate::chart::ChartError;

/// Why a signal is refused, with what was seen and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },

    /// Neither the content nor the name of the file tells the kind of signal.
    #[error("'{}' is not a signal of a known kind: {seen}; expected {expected}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What the content is or resembles.
        seen: String,
        /// The kinds with their file formats.
        expected: String,
    },

    /// The reader of this kind was not compiled.
    #[error(
        "'{}' is {kind}, which this program cannot read: vi3nr-inr was compiled without its cargo \
         feature '{feature}'",
        path.display()
    )]
    CompiledOut {
        /// The file.
        path: PathBuf,
        /// `audio` or `a shape`.
        kind: &'static str,
        /// The cargo feature of vi3nr-inr that reads it.
        feature: &'static str,
    },

    /// The content is not that of a supported image format.
    #[error("'{}' is not an image: {seen}; expected a PNG or JPEG file", path.display())]
    NotAnImage {
        /// The file.
        path: PathBuf,
        /// What the content is or resembles.
        seen: String,
    },

    /// The content starts like an image but cannot be decoded.
    #[error("'{}' is a damaged or unsupported {format} image: {}", path.display(), excerpt(reason, 300))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The format: PNG or JPEG.
        format: &'static str,
        /// The error of the decoder.
        reason: String,
    },

    /// The image file has more pixels than are accepted.
    #[error("'{}' has {width}x{height} pixels: {reason}", path.display())]
    FileSize {
        /// The file.
        path: PathBuf,
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
        /// The limit that is exceeded.
        reason: String,
    },

    /// The image has transparent pixels, and no background is given.
    #[error(
        "'{}' has transparent pixels, which a fit cannot keep; choose what to put behind them: \
         white or black",
        path.display()
    )]
    Transparent {
        /// The file.
        path: PathBuf,
    },

    /// The reduction leaves no pixels, or its factor is 0.
    #[error(
        "cannot reduce '{}' ({width}x{height}) by {factor}; expected a factor from 1 to {}",
        path.display(), width.min(height)
    )]
    Downscale {
        /// The file.
        path: PathBuf,
        /// The requested factor.
        factor: u32,
        /// The width before the reduction.
        width: u32,
        /// The height before the reduction.
        height: u32,
    },

    /// The crop is larger than the image, or empty.
    #[error(
        "cannot cut {side}x{side} pixels out of '{}', which has {width}x{height}{}",
        path.display(), after(*downscale)
    )]
    Crop {
        /// The file.
        path: PathBuf,
        /// The requested side.
        side: u32,
        /// The available width.
        width: u32,
        /// The available height.
        height: u32,
        /// The factor by which the image was reduced before the crop.
        downscale: u32,
    },

    /// The size is not a possible size of an image.
    #[error("an image of {width}x{height} pixels: {reason}")]
    Size {
        /// The requested width.
        width: u32,
        /// The requested height.
        height: u32,
        /// The limit that is exceeded.
        reason: String,
    },

    /// The number of channels is neither 1 nor 3.
    #[error("{found} channels; expected 1 (gray) or 3 (RGB)")]
    Channels {
        /// The given number.
        found: usize,
    },

    /// The number of values does not match the size of the image.
    #[error("{found} values for an image that needs {expected}")]
    ValueCount {
        /// The given number of values.
        found: usize,
        /// The number of values for the size and channels.
        expected: usize,
    },

    /// The bit depth is neither 8 nor 16.
    #[error("{found} bits per sample; expected 8 or 16")]
    BitDepth {
        /// The given bit depth.
        found: u8,
    },

    /// The content is not that of a supported audio format.
    #[error("'{}' is not an audio file: {seen}; expected a WAV, FLAC or MP3 file", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What the content is or resembles.
        seen: String,
    },

    /// The content starts like an audio file but cannot be decoded.
    #[error("'{}' is a damaged or unsupported audio file: {}", path.display(), excerpt(reason, 300))]
    DamagedAudio {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },

    /// The audio cannot be fitted with these options.
    #[error("cannot use '{}': {}", path.display(), excerpt(reason, 300))]
    UnusableAudio {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },

    /// The audio is longer than the limit.
    #[error("'{}' has more than {most} samples a channel; choose a part of it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit, in samples.
        most: u64,
    },

    /// The size or rate is not a possible one of audio.
    #[error("audio of {what}; expected {expected}")]
    Audio {
        /// What was seen.
        what: String,
        /// What was expected.
        expected: String,
    },

    /// A chart cannot be drawn.
    #[cfg(feature = "chart")]
    #[error(transparent)]
    Chart(#[from] ChartError),

    /// The network cannot be evaluated.
    #[error(transparent)]
    Engine(#[from] EngineError),

    /// The shape is refused.
    #[error(transparent)]
    Shape(#[from] ShapeError),

    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The note about a size that is not that of the file itself.
fn after(downscale: u32) -> String {
    if downscale > 1 { format!(" after the reduction by {downscale}") } else { String::new() }
}

impl SignalError {
    /// The fields of the request that can avoid the error.
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Transparent { .. } => &["alpha"],
            Self::Downscale { .. } => &["downscale"],
            Self::Crop { .. } => &["crop"],
            Self::TooLong { .. } => &["start", "duration"],
            _ => &[],
        }
    }

    /// Whether the request or the input is at fault, rather than the writing of a result.
    pub fn is_about_request(&self) -> bool {
        match self {
            #[cfg(feature = "chart")]
            Self::Chart(_) => false,
            Self::Write(_) | Self::Engine(_) => false,
            Self::Shape(error) => !matches!(
                error,
                ShapeError::Write(_) | ShapeError::Engine(_) | ShapeError::NoSurface { .. }
            ),
            _ => true,
        }
    }
}
