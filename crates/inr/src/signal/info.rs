//! What a model file must know about its signal to decode it.

use serde::{Deserialize, Serialize};

use super::{AudioInfo, ImageInfo, ShapeInfo, SignalError};

/// The kind and size of a signal, without its values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum SignalInfo {
    /// A picture.
    Image(ImageInfo),
    /// A surface in space.
    Shape(ShapeInfo),
    /// A recording.
    Audio(AudioInfo),
}

/// What a model's size is divided by to tell how much it compresses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// `pixel` or `sample`.
    pub name: &'static str,
    /// How many the signal has.
    pub count: f64,
}

impl SignalInfo {
    /// `image` or `audio`, as in the file format.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Image(_) => "image",
            Self::Shape(_) => "shape",
            Self::Audio(_) => "audio",
        }
    }

    /// The number of coordinates of a point.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Image(_) => 2,
            Self::Shape(_) => 3,
            Self::Audio(_) => 1,
        }
    }

    /// The number of values at a point.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Image(image) => image.channels,
            Self::Shape(_) => 1,
            Self::Audio(audio) => audio.channels,
        }
    }

    /// Kind, size and channels in words; equal for signals that can be compared point by point,
    /// however finely they are sampled.
    pub fn shape(&self) -> String {
        match self {
            Self::Image(image) => image.shape(),
            Self::Shape(_) => "a surface in space".into(),
            Self::Audio(audio) => audio.shape(),
        }
    }

    /// What bits of the model are counted by, if by anything.
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Self::Image(image) => Some(Unit { name: "pixel", count: image.pixels() as f64 }),
            Self::Shape(_) => None,
            Self::Audio(audio) => Some(Unit { name: "sample", count: audio.values() as f64 }),
        }
    }

    /// Everything known, in a line for people.
    pub fn details(&self) -> String {
        match self {
            Self::Image(ImageInfo { width, height, channels, bit_depth }) => {
                let bits = bit_depth.bits();
                format!("{width}x{height}, {channels} channels, {bits} bits per sample")
            }
            Self::Shape(shape) => shape.details(),
            Self::Audio(audio) => audio.details(),
        }
    }

    /// Refuses a size or number of channels that no signal of this crate has.
    ///
    /// # Errors
    /// What is impossible about it.
    pub fn check(&self) -> Result<(), SignalError> {
        match self {
            Self::Image(image) => image.check(),
            Self::Shape(shape) => Ok(shape.check()?),
            Self::Audio(audio) => audio.check(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::image::BitDepth;

    #[test]
    fn the_text_form_is_part_of_the_file_format() {
        let bit_depth = BitDepth::Sixteen;
        let info = SignalInfo::Image(ImageInfo { width: 4, height: 3, channels: 1, bit_depth });
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
        let image = |width, height, channels| {
            SignalInfo::Image(ImageInfo { width, height, channels, bit_depth })
        };
        assert!(image(4, 3, 3).check().is_ok());
        for wrong in [image(0, 3, 3), image(4, 3, 2), image(4, 3, 0), image(u32::MAX, 3, 1)] {
            assert!(wrong.check().is_err());
        }
    }
}
