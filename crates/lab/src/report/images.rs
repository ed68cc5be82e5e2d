//! Comparing an image with its reconstruction.

use serde_json::json;
use vi3nr_engine::Backend;
use vi3nr_inr::encoded_png::encode_png;
use vi3nr_inr::metrics::ssim;
use vi3nr_inr::model_file::{Body, Model};
use vi3nr_inr::pieces::{PieceError, PieceField, all_values};
use vi3nr_inr::signal::SignalInfo;
use vi3nr_inr::signal::image::{BitDepth, Image};

use super::{ReportImage, cell};

/// The images that a run directory may hold, with their captions.
pub(super) const LEFT_IMAGES: [(&str, &str); 3] = [
    ("reconstruction.png", "reconstruction"),
    (
        "waveform.png",
        "waveforms of the ground truth, the reconstruction and the error at one scale",
    ),
    ("preview.png", "ground truth (if the file is a mesh) and reconstruction from four sides"),
];

/// The side of a crop at 100 %, in pixels, and the least distance between the crops of which one is
/// chosen.
const CROP: usize = 256;
const STRIDE: usize = 64;
/// The percentile of the absolute errors that is shown as white.
const PERCENTILE: f64 = 99.0;

/// An image and its reconstruction.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageComparison {
    /// The ground truth, the reconstruction and their absolute difference.
    pub images: Vec<ReportImage>,
    /// The same three at the crop with the largest mean error; empty for images that are not larger
    /// than a crop.
    pub crops: Vec<ReportImage>,
    /// The structural similarity of the two.
    pub ssim: f64,
}

/// Compares `truth` with the values of `model` at its pixels, computed on `backend`. `None` if the
/// model is that of an image of another size.
///
/// The error is the mean of the absolute differences over the channels, scaled so that its 99th
/// percentile over the pixels is white: single outliers do not darken the rest.
///
/// # Errors
/// Returns the [`PieceError`] of a model that cannot be evaluated.
pub fn compare_images(
    truth: &Image,
    model: &Model,
    backend: &dyn Backend,
) -> Result<Option<ImageComparison>, PieceError> {
    if *model.signal != *(&truth.image_info() as &dyn SignalInfo) {
        return Ok(None);
    }
    let (own, values) = (truth.values(), values(truth, model, backend)?);
    let (width, channels) = (truth.width() as usize, truth.channels());
    let height = truth.height() as usize;
    let errors: Vec<f32> = own
        .chunks_exact(channels)
        .zip(values.chunks_exact(channels))
        .map(|(own, ours)| mean_error(own, ours))
        .collect();
    let white = percentile(&errors, PERCENTILE);
    let largest = errors.iter().copied().fold(0.0, f32::max);
    let percent = |share: f32| cell(&json!(100.0 * f64::from(share)));
    let levels =
        |values: &[f32]| values.iter().map(|value| BitDepth::Eight.sample(*value) as u8).collect();
    let scaled = |error: &f32| (255.0 * (error / white).clamp(0.0, 1.0)).round() as u8;
    let layers: [(String, Vec<u8>); 3] = [
        ("ground truth".into(), levels(&own)),
        ("reconstruction".into(), levels(&values)),
        (
            format!(
                "absolute error; white is {} % of the range, the {PERCENTILE}th percentile; \
                 largest {} %",
                percent(white),
                percent(largest)
            ),
            errors.iter().map(scaled).collect(),
        ),
    ];
    let encode = |caption: String, width: usize, height: usize, levels: &[u8]| {
        let png = encode_png(width as u32, height as u32, levels).ok()?;
        Some(ReportImage { caption, png })
    };
    let images = layers
        .iter()
        .filter_map(|(caption, levels)| encode(caption.clone(), width, height, levels))
        .collect();
    let mut crops = Vec::new();
    if let Some((left, top)) = worst_crop(&errors, width, height) {
        let (across, down) = (CROP.min(width), CROP.min(height));
        for ((_, levels), name) in layers.iter().zip(["ground truth", "reconstruction", "error"]) {
            let samples = levels.len() / (width * height);
            let row = |y: usize| &levels[samples * (y * width + left)..][..samples * across];
            let crop: Vec<u8> = (top..top + down).flat_map(row).copied().collect();
            let caption = format!("{name} from pixel ({left}, {top}), at 100 %");
            crops.extend(encode(caption, across, down, &crop));
        }
    }
    let ssim = ssim(&values, &own, width, height, channels);
    Ok(Some(ImageComparison { images, crops, ssim }))
}

/// The 8-bit PNG of an image, if it can be encoded.
pub(super) fn tile(image: &Image, caption: String) -> Option<ReportImage> {
    let levels: Vec<u8> =
        image.values().iter().map(|value| BitDepth::Eight.sample(*value) as u8).collect();
    let png = encode_png(image.width(), image.height(), &levels).ok()?;
    Some(ReportImage { caption, png })
}

/// The mean absolute difference over the channels of a pixel, as a share of the range \[-1, 1\].
fn mean_error(own: &[f32], ours: &[f32]) -> f32 {
    let sum: f32 = own.iter().zip(ours).map(|(a, b)| (a - b).abs() / 2.0).sum();
    sum / own.len() as f32
}

/// The value below which `percent` % of the values are; at least the smallest positive number, so
/// that it can be divided by. NaN counts as larger than every number.
fn percentile(values: &[f32], percent: f64) -> f32 {
    let mut sorted = values.to_vec();
    let rank = ((percent / 100.0 * values.len() as f64).ceil() as usize).clamp(1, values.len());
    let (_, value, _) = sorted.select_nth_unstable_by(rank - 1, f32::total_cmp);
    value.max(f32::MIN_POSITIVE)
}

/// The left and the top pixel of the crop with the largest mean error, if the image is larger than
/// a crop.
fn worst_crop(errors: &[f32], width: usize, height: usize) -> Option<(usize, usize)> {
    if width <= CROP && height <= CROP {
        return None;
    }
    let starts = |length: usize| {
        let last = length.saturating_sub(CROP);
        // At most 32 along a side, whatever the size of the image.
        (0..last).step_by(STRIDE.max(last / 32)).chain([last])
    };
    let sum = |left: usize, top: usize| -> f64 {
        let rows = top..height.min(top + CROP);
        let row = |y: usize| &errors[y * width + left..y * width + width.min(left + CROP)];
        rows.flat_map(row).map(|error| f64::from(*error)).sum()
    };
    let corners = starts(height).flat_map(|top| starts(width).map(move |left| (left, top)));
    let sums = corners.map(|corner| (sum(corner.0, corner.1), corner));
    sums.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, corner)| corner)
}

/// The model's values at the pixels of `truth`.
fn values(truth: &Image, model: &Model, backend: &dyn Backend) -> Result<Vec<f32>, PieceError> {
    match &model.body {
        Body::Network { network, parameters } => {
            let mut values = vec![0.0; truth.pixel_count() * truth.channels()];
            let mut engine = backend.engine(network, parameters)?;
            engine.evaluate(&truth.coordinates(), &mut values)?;
            Ok(values)
        }
        Body::Pieces(set) => {
            let field = PieceField::new(set, model.input_scale, backend)?;
            all_values(set, &field, truth.channels())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_darken_the_error_image() {
        let mut errors = vec![0.001; 990];
        errors.extend([0.5; 10]);
        assert_eq!(percentile(&errors, 99.0), 0.001);
        assert_eq!(percentile(&errors, 99.1), 0.5);
        assert_eq!(percentile(&[0.0; 5], 99.0), f32::MIN_POSITIVE);
        assert_eq!(percentile(&[0.25], 99.0), 0.25);
    }

    #[test]
    fn the_crop_shows_the_largest_errors() {
        let (width, height) = (400, 300);
        let mut errors = vec![0.0; width * height];
        assert_eq!(worst_crop(&errors[..256 * 256], 256, 256), None);
        errors[290 * width + 399] = 1.0;
        assert_eq!(worst_crop(&errors, width, height), Some((144, 44)));
        errors[290 * width + 399] = 0.0;
        errors[0] = 1.0;
        assert_eq!(worst_crop(&errors, width, height), Some((0, 0)));
        // An image that is narrower than a crop.
        assert_eq!(worst_crop(&errors[..100 * 300], 100, 300), Some((0, 0)));
    }
}
