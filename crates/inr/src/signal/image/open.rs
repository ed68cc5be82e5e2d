//! From an image file to a picture.

use std::path::Path;

use super::Image;
use super::ImageOptions;
use super::decode::decode;
use super::samples::Samples;
use crate::signal::error::SignalError;
use crate::signal::read_file;

impl Image {
    /// Reads a PNG or JPEG file, recognized by its content: gray, RGB or palette, 8 or 16 bits
    /// (fewer are expanded to 8, CMYK becomes RGB), turned as its EXIF orientation says. Colour
    /// profiles are ignored.
    ///
    /// Each step rounds to the file's bit depth, so that a PNG file can hold what is fitted without
    /// loss, and so that the reduction gives the samples of Pillow's `resize(..., LANCZOS)`.
    ///
    /// # Errors
    /// A file that cannot be read, is no image, is damaged, cut short or too large, transparency
    /// without a rule for it, or a reduction or crop that is impossible.
    pub fn open(path: &Path, options: &ImageOptions) -> Result<Self, SignalError> {
        Self::decode(path, &read_file(path)?, options)
    }

    /// [`Image::open`] of a file whose bytes have been read.
    pub(in crate::signal) fn decode(
        path: &Path,
        bytes: &[u8],
        options: &ImageOptions,
    ) -> Result<Self, SignalError> {
        let mut samples = decode(path, bytes)?;
        samples = match options.alpha.background() {
            None if samples.is_transparent() => {
                return Err(SignalError::Transparent { path: path.to_owned() });
            }
            background => samples.in_front_of(background.unwrap_or_default()),
        };
        samples = downscale(samples, path, options.downscale)?;
        if let Some(side) = options.crop {
            samples = crop(samples, path, side, options.downscale)?;
        }
        if options.gray {
            samples = samples.gray();
        }
        let Samples { width, height, channels, bit_depth, data } = samples;
        Self::from_samples(width, height, channels, bit_depth, &data)
    }
}

fn downscale(samples: Samples, path: &Path, factor: u32) -> Result<Samples, SignalError> {
    let Samples { width, height, .. } = samples;
    if factor == 0 || factor > width.min(height) {
        return Err(SignalError::Downscale { path: path.to_owned(), factor, width, height });
    }
    if factor == 1 {
        return Ok(samples);
    }
    Ok(samples.reduced(width / factor, height / factor))
}

fn crop(samples: Samples, path: &Path, side: u32, downscale: u32) -> Result<Samples, SignalError> {
    let Samples { width, height, .. } = samples;
    if side == 0 || side > width.min(height) {
        return Err(SignalError::Crop { path: path.to_owned(), side, width, height, downscale });
    }
    Ok(samples.centre(side))
}

#[cfg(test)]
mod tests;
