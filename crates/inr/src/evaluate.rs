//! How well a model reproduces a picture.

use serde::Serialize;

use crate::metrics::{max_error, psnr, psnr_paper, ssim};
use crate::{DecodeError, Image, Model, decode_image};

/// The distances between a model and a picture, from the network's values as they are: neither
/// clamped nor rounded to 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// PSNR in dB with peak 2 on the \[-1, 1\] scale: the usual 8-bit convention.
    pub psnr: f64,
    /// PSNR in dB with the picture's largest value as peak: the paper's convention.
    pub psnr_paper: f64,
    /// Structural similarity (Wang et al. 2004), at most 1.
    pub ssim: f64,
    /// The largest difference on the \[-1, 1\] scale.
    pub max_error: f64,
}

/// Why a model cannot be compared with a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The picture is of another shape than the model's.
    #[error(
        "the model is of {model} pixels, the image has {image}: compare it with the image that \
         was fitted, or give the same --downscale, --crop and --gray"
    )]
    Shape {
        /// The model's width, height and channels.
        model: String,
        /// The picture's.
        image: String,
    },
    /// The model gives no picture.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Compares `model` with `truth`, which must have its size and channels.
///
/// # Errors
/// Another size or number of channels; a model that cannot be decoded.
pub fn evaluate_image(
    model: &Model,
    truth: &Image,
    threads: Option<usize>,
) -> Result<Evaluation, EvaluateError> {
    let decoded = decode_image(model, None, threads)?;
    let shape = |image: &Image| {
        let colour = if image.channels() == 1 { "gray" } else { "RGB" };
        format!("{}x{} {colour}", image.width(), image.height())
    };
    let (model, image) = (shape(&decoded), shape(truth));
    if model != image {
        return Err(EvaluateError::Shape { model, image });
    }
    let (values, truth_values) = (decoded.values(), truth.values());
    let (width, height) = (truth.width() as usize, truth.height() as usize);
    Ok(Evaluation {
        psnr: psnr(values, truth_values),
        psnr_paper: psnr_paper(values, truth_values),
        ssim: ssim(values, truth_values, width, height, truth.channels()),
        max_error: max_error(values, truth_values),
    })
}
