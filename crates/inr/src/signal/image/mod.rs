//! An image as values on \[-1, 1\].

mod as_signal;
mod decode;
mod derivatives;
mod grid;
mod info;
mod jpeg;
mod jpeg_scan;
mod kind;
mod lanczos;
mod open;
mod options;
mod orientation;
mod pixels;
mod png_chunks;
mod png_file;
mod samples;
mod test_image;

pub use derivatives::image_gradients;
pub use grid::Grid;
pub use info::ImageInfo;
pub(super) use kind::KIND;
pub use options::{AlphaRule, ImageOptions, ImageRequest};
pub(crate) use png_file::write_png;
pub use test_image::test_image;

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SignalError;
use info::require_channels;
use pixels::Pixels;

/// The longest side, in pixels, of an image that is read or drawn.
pub const MAX_SIDE: u32 = 1 << 15;
/// The largest number of pixels of an image that is read or drawn: 3 GiB of RGB in float32.
pub const MAX_PIXELS: u64 = 1 << 28;
/// The longest side, in pixels, of an image that is decoded to a file.
pub const MAX_DECODED_SIDE: u32 = 1 << 20;
/// The largest number of pixels of an image that is decoded to a file; it is never stored as a
/// whole.
pub const MAX_DECODED_PIXELS: u64 = 1 << 34;

/// The bit depth of an image file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum BitDepth {
    /// 256 levels.
    Eight,
    /// 65,536 levels.
    Sixteen,
}

impl BitDepth {
    /// Bits per sample.
    pub fn bits(self) -> u8 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }

    /// The largest sample, which is white.
    pub fn largest_sample(self) -> u16 {
        match self {
            Self::Eight => 255,
            Self::Sixteen => 65_535,
        }
    }

    /// The value on \[-1, 1\] of a sample: 2·sample/largest - 1.
    fn value(self, sample: u16) -> f32 {
        (2.0 * f64::from(sample) / f64::from(self.largest_sample()) - 1.0) as f32
    }

    /// The sample nearest to a value; values beyond \[-1, 1\] are clamped and NaN becomes 0.
    pub fn sample(self, value: f32) -> u16 {
        let share = (f64::from(value.clamp(-1.0, 1.0)) + 1.0) / 2.0;
        // A cast takes NaN to 0.
        (share * f64::from(self.largest_sample())).round() as u16
    }
}

impl From<BitDepth> for u8 {
    fn from(depth: BitDepth) -> Self {
        depth.bits()
    }
}

impl TryFrom<u8> for BitDepth {
    type Error = SignalError;

    fn try_from(bits: u8) -> Result<Self, SignalError> {
        match bits {
            8 => Ok(Self::Eight),
            16 => Ok(Self::Sixteen),
            found => Err(SignalError::BitDepth { found }),
        }
    }
}

/// A gray or RGB image: rows of pixels from the top, with the channels of a pixel interleaved.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The size, and the positions of the pixels.
    grid: Grid,
    channels: usize,
    bit_depth: BitDepth,
    pixels: Pixels,
    /// The largest value.
    paper_peak: f64,
    /// Warnings about the file.
    warnings: Vec<String>,
}

impl Image {
    /// An image with the given values, of bit depth 8.
    ///
    /// # Errors
    /// Returns a [`SignalError`] if the size is impossible, the channels are not 1 or 3, or the
    /// number of values is not width·height·channels.
    pub fn from_values(
        width: u32,
        height: u32,
        channels: usize,
        values: Vec<f32>,
    ) -> Result<Self, SignalError> {
        Self::of_pixels(width, height, channels, BitDepth::Eight, Pixels::Values(values))
    }

    /// An image with the given samples of 8 bits, from 0 (black) to 255 (white).
    ///
    /// # Errors
    /// Returns the errors of [`Image::from_values`].
    pub fn from_bytes(
        width: u32,
        height: u32,
        channels: usize,
        samples: Vec<u8>,
    ) -> Result<Self, SignalError> {
        Self::of_pixels(width, height, channels, BitDepth::Eight, Pixels::Eight(samples))
    }

    /// An image with the given samples of 16 bits, from 0 (black) to 65,535 (white).
    ///
    /// # Errors
    /// Returns the errors of [`Image::from_values`].
    pub fn from_words(
        width: u32,
        height: u32,
        channels: usize,
        samples: Vec<u16>,
    ) -> Result<Self, SignalError> {
        Self::of_pixels(width, height, channels, BitDepth::Sixteen, Pixels::Sixteen(samples))
    }

    fn of_pixels(
        width: u32,
        height: u32,
        channels: usize,
        bit_depth: BitDepth,
        pixels: Pixels,
    ) -> Result<Self, SignalError> {
        let grid = Grid::of_image(width, height)?;
        require_channels(channels)?;
        let (found, expected) = (pixels.len(), width as usize * height as usize * channels);
        if found != expected {
            return Err(SignalError::ValueCount { found, expected });
        }
        let paper_peak = pixels.peak();
        Ok(Self { grid, channels, bit_depth, pixels, paper_peak, warnings: Vec::new() })
    }

    /// The number of pixels per row.
    pub fn width(&self) -> u32 {
        self.grid.width()
    }

    /// The number of rows of pixels.
    pub fn height(&self) -> u32 {
        self.grid.height()
    }

    /// The number of channels: 1 (gray) or 3 (RGB).
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The bit depth of the file.
    pub fn bit_depth(&self) -> BitDepth {
        self.bit_depth
    }

    /// The values on \[-1, 1\]: row by row, with the channels of a pixel interleaved. For an image
    /// from a file they are computed in each call, since the image is stored as the bytes of the
    /// file.
    pub fn values(&self) -> Cow<'_, [f32]> {
        self.pixels.values()
    }

    /// The number of pixels.
    pub fn pixel_count(&self) -> usize {
        self.pixels.len() / self.channels
    }

    /// The properties that a model file keeps.
    pub fn image_info(&self) -> ImageInfo {
        ImageInfo {
            width: self.width(),
            height: self.height(),
            channels: self.channels,
            bit_depth: self.bit_depth,
        }
    }

    /// The coordinates of its pixels as (x, y) pairs, in the order of the values: see [`Grid`].
    pub fn coordinates(&self) -> Vec<f32> {
        self.grid.points()
    }

    /// Writes a PNG file, atomically: see [`write_atomically`](crate::atomic_file::write_atomically).
    ///
    /// Values are rounded to the nearest sample; those beyond \[-1, 1\] are clamped and NaN becomes
    /// 0 (black).
    ///
    /// # Errors
    /// Returns the error of the system, with the path.
    pub fn save_png(&self, path: &Path, bit_depth: BitDepth) -> Result<(), SignalError> {
        let info = ImageInfo { bit_depth, ..self.image_info() };
        write_png(path, info, |rows| {
            let mut result = Ok(());
            self.pixels.for_each_part(|part| {
                if result.is_ok() {
                    result = rows(part);
                }
            });
            result
        })?;
        Ok(())
    }
}

/// The limits of the size of an image.
struct Limits {
    /// The longest side, in pixels.
    longest: u32,
    pixels: u64,
}

/// The limits of images that are read or drawn.
const WHOLE: Limits = Limits { longest: MAX_SIDE, pixels: MAX_PIXELS };
/// The limits of images that are decoded to a file.
const DECODED: Limits = Limits { longest: MAX_DECODED_SIDE, pixels: MAX_DECODED_PIXELS };

impl Limits {
    /// The reason why an image of this size is refused, if it is.
    fn problem(&self, width: u32, height: u32) -> Option<String> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 {
            Some("both sides must be at least 1 pixel".into())
        } else if width.max(height) > self.longest {
            Some(format!("a side may have at most {} pixels", self.longest))
        } else if pixels > self.pixels {
            Some(format!("{pixels} pixels, at most {} are accepted", self.pixels))
        } else {
            None
        }
    }

    fn require(&self, width: u32, height: u32) -> Result<(), SignalError> {
        match self.problem(width, height) {
            Some(reason) => Err(SignalError::Size { width, height, reason }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::image::ImageOptions;

    fn open(path: &Path) -> Image {
        Image::open(path, &ImageOptions::default()).unwrap()
    }

    #[test]
    fn every_sample_survives_the_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        for (depth, width, height) in [(BitDepth::Eight, 16, 16), (BitDepth::Sixteen, 256, 256)] {
            for channels in [1, 3] {
                let count = usize::from(depth.largest_sample()) + 1;
                let samples: Vec<u16> =
                    (0..count * channels).map(|i| (i * 7 / channels % count) as u16).collect();
                let pixels = match depth {
                    BitDepth::Eight => Pixels::Eight(samples.iter().map(|s| *s as u8).collect()),
                    BitDepth::Sixteen => Pixels::Sixteen(samples),
                };
                let image = Image::of_pixels(width, height, channels, depth, pixels).unwrap();
                image.save_png(&path, depth).unwrap();
                assert_eq!(open(&path), image);
            }
        }
    }

    #[test]
    fn values_are_clamped_rounded_and_never_undefined() {
        let depth = BitDepth::Eight;
        for (value, sample) in [
            (-1.0, 0),
            (1.0, 255),
            (-7.0, 0),
            (f32::INFINITY, 255),
            (f32::NEG_INFINITY, 0),
            (f32::NAN, 0),
            (2.0 * 100.4 / 255.0 - 1.0, 100),
            (2.0 * 100.6 / 255.0 - 1.0, 101),
        ] {
            assert_eq!(depth.sample(value), sample, "{value}");
        }
        assert_eq!(BitDepth::Sixteen.sample(1.0), 65_535);
    }

    #[test]
    fn coordinates_and_values_are_in_the_same_order() {
        let values = (0..15).map(|i| i as f32 / 15.0).collect();
        let image = Image::from_values(5, 3, 1, values).unwrap();
        let coordinates = image.coordinates();
        assert_eq!(coordinates.len(), 2 * image.pixel_count());
        // Pixel 7 is the second of the second row: the middle.
        assert_eq!(coordinates[14..16], [0.0, 0.0]);
        assert_eq!(coordinates[18..20], [1.0, 0.0]);
    }

    #[test]
    fn impossible_images_are_refused() {
        assert!(Image::from_values(2, 2, 3, vec![0.0; 12]).is_ok());
        assert!(Image::from_values(2, 2, 3, vec![0.0; 11]).is_err());
        assert!(Image::from_values(2, 2, 2, vec![0.0; 8]).is_err());
        assert!(Image::from_values(0, 2, 3, vec![]).is_err());
        assert!(Image::from_values(u32::MAX, u32::MAX, 3, vec![]).is_err());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let image = Image::from_values(1, 1, 1, vec![0.0]).unwrap();
        let error = image.save_png(Path::new("missing/a.png"), BitDepth::Eight).unwrap_err();
        assert!(error.to_string().starts_with("cannot write 'missing/a.png': No such"), "{error}");
    }
}
