//! The size of an image, without its pixels.

use std::any::Any;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{BitDepth, Grid};
use crate::signal::error::SignalError;
use crate::signal::info::{PointCount, SignalInfo, Unit};
use crate::signal::kind::SignalKind;
use crate::supervision::Supervise;

/// The properties of an image that a model file keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// The number of pixels per row.
    pub width: u32,
    /// The number of rows of pixels.
    pub height: u32,
    /// The number of channels: 1 (gray) or 3 (RGB).
    pub channels: usize,
    /// The number of bits per sample of the file.
    pub bit_depth: BitDepth,
}

impl ImageInfo {
    /// The number of pixels.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl SignalInfo for ImageInfo {
    fn kind(&self) -> SignalKind {
        SignalKind::Image
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn inputs(&self) -> usize {
        2
    }

    fn outputs(&self) -> usize {
        self.channels
    }

    fn points(&self) -> PointCount {
        PointCount::Sampled(self.pixels() as usize)
    }

    fn supervisions(&self) -> &'static [Supervise] {
        &[Supervise::Value, Supervise::Gradient, Supervise::Laplacian]
    }

    fn axes(&self) -> Vec<usize> {
        vec![self.width as usize, self.height as usize]
    }

    fn shape(&self) -> String {
        let color = if self.channels == 1 { "gray" } else { "RGB" };
        format!("{}x{} {color} pixels", self.width, self.height)
    }

    fn details(&self) -> String {
        let Self { width, height, channels, bit_depth } = self;
        let plural = if *channels == 1 { "" } else { "s" };
        format!(
            "{width}x{height}, {channels} channel{plural}, {} bits per sample",
            bit_depth.bits()
        )
    }

    fn unit(&self) -> Option<Unit> {
        Some(Unit {
            name: "pixel",
            bits: "bits_per_pixel",
            bits_unit: "bits/pixel",
            count: self.pixels() as f64,
        })
    }

    fn value_range(&self) -> &'static str {
        "-1,1"
    }

    fn coordinate_range(&self, input_scale: f64) -> String {
        let scale = input_scale;
        format!("-{scale},{scale} on the longest side, same spacing on all, ends included")
    }

    fn check(&self) -> Result<(), SignalError> {
        Grid::of_image(self.width, self.height)?;
        require_channels(self.channels)
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// Checks that the number of channels is that of gray or RGB.
pub(super) fn require_channels(channels: usize) -> Result<(), SignalError> {
    match channels {
        1 | 3 => Ok(()),
        found => Err(SignalError::Channels { found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{info_from_json, info_to_json};

    #[test]
    fn the_text_form_is_part_of_the_file_format() {
        let bit_depth = BitDepth::Sixteen;
        let info = ImageInfo { width: 4, height: 3, channels: 1, bit_depth };
        let json = json!({"kind":"image","width":4,"height":3,"channels":1,"bit_depth":16});
        assert_eq!(info_to_json(&info), json);
        let read = info_from_json(json.clone()).unwrap();
        assert_eq!(read.as_any().downcast_ref(), Some(&info));
        let text = json.to_string();
        for wrong in [text.replace("16", "12"), text.replace("image", "smell")] {
            assert!(info_from_json(serde_json::from_str(&wrong).unwrap()).is_err());
        }
    }

    #[test]
    fn impossible_images_are_refused() {
        let bit_depth = BitDepth::Eight;
        let image = |width, height, channels| ImageInfo { width, height, channels, bit_depth };
        assert!(image(4, 3, 3).check().is_ok());
        for wrong in [image(0, 3, 3), image(4, 3, 2), image(4, 3, 0), image(u32::MAX, 3, 1)] {
            assert!(wrong.check().is_err());
        }
    }
}
