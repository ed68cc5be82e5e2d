//! What a model file must know about its signal to decode it.

use serde::{Deserialize, Serialize};

use super::{BitDepth, Grid, SignalError};

/// The kind and size of a signal, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum SignalInfo {
    /// A picture.
    Image {
        /// Pixels in a row.
        width: u32,
        /// Rows of pixels.
        height: u32,
        /// 1 (gray) or 3 (RGB).
        channels: usize,
        /// Bits per sample of the file it came from.
        bit_depth: BitDepth,
    },
}

impl SignalInfo {
    /// The number of coordinates of a point.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Image { .. } => 2,
        }
    }

    /// The number of values at a point.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Image { channels, .. } => *channels,
        }
    }

    /// Whether two signals have the same kind, size and channels, however finely they are sampled.
    pub fn same_shape(&self, other: &Self) -> bool {
        let Self::Image { width, height, channels, .. } = *self;
        let shape = (width, height, channels);
        let Self::Image { width, height, channels, .. } = *other;
        shape == (width, height, channels)
    }

    /// Refuses a size or number of channels that no signal of this crate has.
    ///
    /// # Errors
    /// What is impossible about it.
    pub fn check(&self) -> Result<(), SignalError> {
        match *self {
            Self::Image { width, height, channels, .. } => {
                Grid::of_image(width, height)?;
                require_channels(channels)
            }
        }
    }
}

/// Refuses what is neither gray nor RGB.
pub(super) fn require_channels(channels: usize) -> Result<(), SignalError> {
    match channels {
        1 | 3 => Ok(()),
        found => Err(SignalError::Channels { found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_part_of_the_file_format() {
        let bit_depth = BitDepth::Sixteen;
        let info = SignalInfo::Image { width: 4, height: 3, channels: 1, bit_depth };
        let text = r#"{"kind":"image","width":4,"height":3,"channels":1,"bit_depth":16}"#;
        assert_eq!(serde_json::to_string(&info).unwrap(), text);
        assert_eq!(serde_json::from_str::<SignalInfo>(text).unwrap(), info);
        for wrong in [text.replace("16", "12"), text.replace("image", "smell")] {
            assert!(serde_json::from_str::<SignalInfo>(&wrong).is_err());
        }
    }

    #[test]
    fn impossible_signals_are_refused() {
        let bit_depth = BitDepth::Eight;
        let image =
            |width, height, channels| SignalInfo::Image { width, height, channels, bit_depth };
        assert!(image(4, 3, 3).check().is_ok());
        for wrong in [image(0, 3, 3), image(4, 3, 2), image(4, 3, 0), image(u32::MAX, 3, 1)] {
            assert!(wrong.check().is_err());
        }
    }
}
