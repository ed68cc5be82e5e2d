//! Reads an image file.

use std::borrow::Cow;
use std::path::Path;

use super::Image;
use super::ImageOptions;
use super::decode::{Decoded, decode};
use super::pixels::Pixels;
use super::samples::{Sample, Samples};
use crate::signal::error::SignalError;
use crate::signal::read_file;

/// Below this largest value the PSNR of the paper is more than 26 dB below the usual one.
const LOW_PEAK: f64 = 0.1;

impl Image {
    /// Reads a PNG or JPEG file, recognized by its content: gray, RGB or palette, 8 or 16 bits
    /// (fewer are expanded to 8, CMYK becomes RGB), oriented according to its EXIF data. Color
    /// profiles are ignored.
    ///
    /// Each step rounds to the file's bit depth, so that a PNG file can represent the fitted image
    /// without loss, and so that the reduction gives the samples of Pillow's
    /// `resize(..., LANCZOS)`.
    ///
    /// # Errors
    /// Returns [`SignalError::Read`], [`SignalError::NotAnImage`], [`SignalError::Damaged`] or
    /// [`SignalError::FileSize`] if the file is not a whole image of an accepted size,
    /// [`SignalError::Transparent`] if it has transparent pixels and no rule for them, and
    /// [`SignalError::Downscale`] or [`SignalError::Crop`] if it is too small for these.
    pub fn open(path: &Path, options: &ImageOptions) -> Result<Self, SignalError> {
        Self::decode(path, Cow::Owned(read_file(path)?), options)
    }

    /// Like [`Image::open`], for a file whose bytes have been read.
    pub(in crate::signal) fn decode(
        path: &Path,
        bytes: Cow<'_, [u8]>,
        options: &ImageOptions,
    ) -> Result<Self, SignalError> {
        let (decoded, warnings) = decode(path, &bytes)?;
        drop(bytes);
        let mut image = match decoded {
            Decoded::Eight(samples) => {
                Self::of_samples(prepare(samples, path, options)?, Pixels::Eight)?
            }
            Decoded::Sixteen(samples) => {
                Self::of_samples(prepare(samples, path, options)?, Pixels::Sixteen)?
            }
        };
        image.warnings = warnings;
        if image.paper_peak < LOW_PEAK {
            image.warnings.push(format!(
                "its largest value on [-1, 1] is {:.3}: the PSNR of the paper, whose peak that is, \
                 says little here",
                image.paper_peak
            ));
        }
        Ok(image)
    }

    /// The image with the given samples, which `pixels` holds.
    fn of_samples<T>(
        samples: Samples<T>,
        pixels: impl FnOnce(Vec<T>) -> Pixels,
    ) -> Result<Self, SignalError> {
        let Samples { width, height, channels, bit_depth, data } = samples;
        Self::of_pixels(width, height, channels, bit_depth, pixels(data))
    }
}

/// The samples of the image that is fitted.
fn prepare<T: Sample>(
    samples: Samples<T>,
    path: &Path,
    options: &ImageOptions,
) -> Result<Samples<T>, SignalError> {
    let mut samples = match options.alpha.background() {
        None if samples.is_transparent() => {
            return Err(SignalError::Transparent { path: path.to_owned() });
        }
        background => samples.composite_over(background.unwrap_or_default()),
    };
    samples = downscale(samples, path, options.downscale)?;
    if let Some(side) = options.crop {
        samples = crop(samples, path, side, options.downscale)?;
    }
    if options.gray {
        samples = samples.gray();
    }
    Ok(samples)
}

fn downscale<T: Sample>(
    samples: Samples<T>,
    path: &Path,
    factor: u32,
) -> Result<Samples<T>, SignalError> {
    let Samples { width, height, .. } = samples;
    if factor == 0 || factor > width.min(height) {
        return Err(SignalError::Downscale { path: path.to_owned(), factor, width, height });
    }
    if factor == 1 {
        return Ok(samples);
    }
    Ok(samples.reduced(width / factor, height / factor))
}

fn crop<T: Sample>(
    samples: Samples<T>,
    path: &Path,
    side: u32,
    downscale: u32,
) -> Result<Samples<T>, SignalError> {
    let Samples { width, height, .. } = samples;
    if side == 0 || side > width.min(height) {
        return Err(SignalError::Crop { path: path.to_owned(), side, width, height, downscale });
    }
    Ok(samples.center(side))
}

#[cfg(test)]
mod tests;
