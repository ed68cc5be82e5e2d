//! What can be wrong with a signal.

use std::io;
use std::path::PathBuf;

use vi3nr_engine::EngineError;

use super::shape::ShapeError;
use crate::atomic_file::WriteError;
#[cfg(feature = "chart")]
use crate::chart::ChartError;

/// Everything that is refused about a signal, with what was seen and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The system did not let the file be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// Neither content nor name tell what kind of signal it is.
    #[error("'{}' is not a signal of a known kind: {seen}; expected {expected}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What the content is or looks like.
        seen: String,
        /// The kinds with their file formats.
        expected: String,
    },

    /// A file of a kind whose reader was not compiled.
    #[error(
        "'{}' is {kind}, which this program cannot read: vi3nr-inr was compiled without its cargo \
         feature '{feature}'",
        path.display()
    )]
    CompiledOut {
        /// The file.
        path: PathBuf,
        /// `a recording` or `a shape`.
        kind: &'static str,
        /// The cargo feature of vi3nr-inr that reads it.
        feature: &'static str,
    },

    /// The content is not that of a supported image format.
    #[error("'{}' is not an image: {seen}; expected a PNG or JPEG file", path.display())]
    NotAnImage {
        /// The file.
        path: PathBuf,
        /// What the content is or looks like.
        seen: String,
    },

    /// The content starts like an image and cannot be decoded.
    #[error("'{}' is a damaged or unsupported {format} image: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// PNG or JPEG.
        format: &'static str,
        /// What the decoder found.
        reason: String,
    },

    /// An image file with more pixels than are accepted.
    #[error("'{}' has {width}x{height} pixels: {reason}", path.display())]
    FileSize {
        /// The file.
        path: PathBuf,
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
        /// Which limit it breaks.
        reason: String,
    },

    /// Transparency without a background to put behind it.
    #[error(
        "'{}' has transparent pixels, which a fit cannot keep; choose what to put behind them: \
         white or black",
        path.display()
    )]
    Transparent {
        /// The file.
        path: PathBuf,
    },

    /// A reduction that leaves nothing, or a factor of 0.
    #[error(
        "cannot reduce '{}' ({width}x{height}) by {factor}; expected a factor from 1 to {}",
        path.display(), width.min(height)
    )]
    Downscale {
        /// The file.
        path: PathBuf,
        /// The factor asked for.
        factor: u32,
        /// The width before.
        width: u32,
        /// The height before.
        height: u32,
    },

    /// A crop that does not fit.
    #[error(
        "cannot cut {side}x{side} pixels out of '{}', which has {width}x{height}{}",
        path.display(), after(*downscale)
    )]
    Crop {
        /// The file.
        path: PathBuf,
        /// The side asked for.
        side: u32,
        /// The width available.
        width: u32,
        /// The height available.
        height: u32,
        /// The factor by which the image was reduced before.
        downscale: u32,
    },

    /// A size that no image can have.
    #[error("an image of {width}x{height} pixels: {reason}")]
    Size {
        /// The width asked for.
        width: u32,
        /// The height asked for.
        height: u32,
        /// Which limit it breaks.
        reason: String,
    },

    /// A number of channels other than 1 and 3.
    #[error("{found} channels; expected 1 (gray) or 3 (RGB)")]
    Channels {
        /// The number given.
        found: usize,
    },

    /// Values that do not fill the image.
    #[error("{found} values for an image that needs {expected}")]
    ValueCount {
        /// How many were given.
        found: usize,
        /// How many the size and channels need.
        expected: usize,
    },

    /// A bit depth other than 8 and 16.
    #[error("{found} bits per sample; expected 8 or 16")]
    BitDepth {
        /// The number given.
        found: u8,
    },

    /// The content is not that of a supported audio format.
    #[error("'{}' is not a recording: {seen}; expected a WAV, FLAC or MP3 file", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What the content is or looks like.
        seen: String,
    },

    /// The content starts like a recording and cannot be decoded.
    #[error("'{}' is a damaged or unsupported recording: {reason}", path.display())]
    DamagedAudio {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },

    /// A recording that cannot be fitted as asked.
    #[error("cannot use '{}': {reason}", path.display())]
    UnusableAudio {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },

    /// More audio than is fitted at once.
    #[error("'{}' has more than {most} samples a channel; choose a part of it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        most: u64,
    },

    /// A recording that cannot be.
    #[error("a recording of {what}; expected {expected}")]
    Recording {
        /// What was given.
        what: String,
        /// What is possible.
        expected: String,
    },

    /// A chart could not be drawn.
    #[cfg(feature = "chart")]
    #[error(transparent)]
    Chart(#[from] ChartError),

    /// A network that cannot be evaluated.
    #[error(transparent)]
    Engine(#[from] EngineError),

    /// What is wrong with a shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),

    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What to add to a size that is not the file's own.
fn after(downscale: u32) -> String {
    if downscale > 1 { format!(" after the reduction by {downscale}") } else { String::new() }
}

impl SignalError {
    /// The fields of the request by which the error can be avoided.
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Transparent { .. } => &["alpha"],
            Self::Downscale { .. } => &["downscale"],
            Self::Crop { .. } => &["crop"],
            Self::TooLong { .. } => &["start", "duration"],
            _ => &[],
        }
    }

    /// Whether what was asked for or read is at fault, and not the writing of a result.
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
