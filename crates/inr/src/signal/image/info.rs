//! The size of a picture, without its pixels.

use serde::{Deserialize, Serialize};

use super::{BitDepth, Grid};
use crate::signal::error::SignalError;

/// What a model file keeps of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Pixels in a row.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// 1 (gray) or 3 (RGB).
    pub channels: usize,
    /// Bits per sample of the file it came from.
    pub bit_depth: BitDepth,
}

impl ImageInfo {
    /// The number of pixels.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Size and colour as people write them, for example `40x30 RGB pixels`.
    pub fn shape(&self) -> String {
        let colour = if self.channels == 1 { "gray" } else { "RGB" };
        format!("{}x{} {colour} pixels", self.width, self.height)
    }

    /// Refuses a size or number of channels that no picture of this crate has.
    ///
    /// # Errors
    /// What is impossible about it.
    pub fn check(&self) -> Result<(), SignalError> {
        Grid::of_image(self.width, self.height)?;
        require_channels(self.channels)
    }
}

/// Refuses what is neither gray nor RGB.
pub(super) fn require_channels(channels: usize) -> Result<(), SignalError> {
    match channels {
        1 | 3 => Ok(()),
        found => Err(SignalError::Channels { found }),
    }
}
