//! Error measures of a reconstruction against the ground truth, both on the \[-1, 1\] scale.
//!
//! Every function takes the reconstruction first and accumulates in double precision. If a value is
//! NaN, so is the result; a perfect reconstruction has an infinite PSNR. In JSON both are null.

mod metric;
#[cfg(feature = "audio")]
mod spectral;
mod ssim;

pub use metric::{Digits, Metric, Metrics};
#[cfg(feature = "audio")]
pub use spectral::spectral_convergence;
pub use ssim::ssim;

/// The mean of the squared differences; NaN for empty slices.
///
/// # Panics
/// If the lengths differ.
pub fn mean_squared_error(reconstruction: &[f32], truth: &[f32]) -> f64 {
    let sum: f64 = differences(reconstruction, truth).map(|difference| difference.powi(2)).sum();
    sum / truth.len() as f64
}

/// The largest absolute difference; 0 for empty slices, NaN if a value is NaN.
///
/// # Panics
/// If the lengths differ.
pub fn max_error(reconstruction: &[f32], truth: &[f32]) -> f64 {
    let larger = |largest: f64, difference: f64| {
        let size = difference.abs();
        if largest >= size || largest.is_nan() { largest } else { size }
    };
    differences(reconstruction, truth).fold(0.0, larger)
}

/// PSNR with peak 2, the length of \[-1, 1\], in dB: 10·log10(4/mse). This is the usual convention
/// and equals the PSNR with peak 255 on 8-bit samples. Infinite for a perfect reconstruction.
///
/// # Panics
/// If the lengths differ.
pub fn psnr(reconstruction: &[f32], truth: &[f32]) -> f64 {
    psnr_of_mse(mean_squared_error(reconstruction, truth))
}

/// PSNR in dB with peak 2 of a mean squared error on the \[-1, 1\] scale.
pub fn psnr_of_mse(mse: f64) -> f64 {
    10.0 * (4.0 / mse).log10()
}

/// The mean squared error whose PSNR with peak 2 is `psnr` dB.
pub fn mse_of_psnr(psnr: f64) -> f64 {
    4.0 * 10f64.powf(-psnr / 10.0)
}

/// PSNR in the paper's convention, 10·log10(max(truth)²/mse) with the truth on \[-1, 1\], in dB.
///
/// The peak is at most 1, so that this PSNR is 6.02 dB below [`psnr`] if the truth reaches 1, and
/// lower still if it does not. Infinite for a perfect reconstruction.
///
/// # Panics
/// If the lengths differ.
pub fn psnr_paper(reconstruction: &[f32], truth: &[f32]) -> f64 {
    psnr_paper_of_mse(mean_squared_error(reconstruction, truth), paper_peak(truth))
}

/// PSNR in the paper's convention of a mean squared error, with the truth's [`paper_peak`].
pub fn psnr_paper_of_mse(mse: f64, peak: f64) -> f64 {
    // Avoids 0/0 for a perfect reconstruction of an all-zero truth.
    if mse == 0.0 { f64::INFINITY } else { 10.0 * (peak * peak / mse).log10() }
}

/// The peak of [`psnr_paper`]: the largest value of the truth, with its sign.
pub fn paper_peak(truth: &[f32]) -> f64 {
    f64::from(truth.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

fn differences(reconstruction: &[f32], truth: &[f32]) -> impl Iterator<Item = f64> {
    assert_eq!(reconstruction.len(), truth.len(), "both slices have the same length");
    reconstruction.iter().zip(truth).map(|(&a, &b)| f64::from(a) - f64::from(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reconstruction and its truth, by a formula that Python can repeat exactly.
    pub(super) fn pair(width: usize, height: usize, channels: usize) -> [Vec<f32>; 2] {
        let (mut truth, mut reconstruction) = (Vec::new(), Vec::new());
        for y in 0..height {
            for x in 0..width {
                for channel in 0..channels {
                    let value =
                        ((x * x + 3 * y * y + x * y + 5 * channel) % 64) as f32 / 32.0 - 1.0;
                    let error = ((7 * x + 11 * y + 3 * channel) % 16) as f32 / 64.0 - 0.125;
                    truth.push(value);
                    reconstruction.push((value + error).clamp(-1.0, 1.0));
                }
            }
        }
        [reconstruction, truth]
    }

    /// NumPy and scikit-image 0.26.0: `peak_signal_noise_ratio(data_range=2)`.
    #[test]
    fn errors_agree_with_scikit_image() {
        for (size, mse, db, paper_db) in [
            ((23, 17, 3), 0.005062847999, 28.976651025, 22.680285422),
            ((16, 11, 1), 0.005071466619, 28.969264200, 22.672898597),
            ((40, 29, 1), 0.004964683796, 29.061683981, 22.765318378),
        ] {
            let [reconstruction, truth] = pair(size.0, size.1, size.2);
            assert!((mean_squared_error(&reconstruction, &truth) - mse).abs() < 1e-12);
            assert!((psnr(&reconstruction, &truth) - db).abs() < 1e-8);
            assert!((psnr_paper(&reconstruction, &truth) - paper_db).abs() < 1e-8);
            assert_eq!(max_error(&reconstruction, &truth), 0.125);
        }
    }

    #[test]
    fn the_conventions_are_6_02_db_apart_where_the_truth_reaches_white() {
        let (truth, reconstruction) = ([1.0, -1.0, 0.5], [0.9, -1.0, 0.5]);
        let gap = psnr(&reconstruction, &truth) - psnr_paper(&reconstruction, &truth);
        assert!((gap - 20.0 * 2f64.log10()).abs() < 1e-12);
    }

    #[test]
    fn a_perfect_reconstruction_is_infinitely_good() {
        for truth in [[0.25f32, -0.5], [0.0, 0.0], [-1.0, -1.0]] {
            assert_eq!(psnr(&truth, &truth), f64::INFINITY);
            assert_eq!(psnr_paper(&truth, &truth), f64::INFINITY);
            assert_eq!(max_error(&truth, &truth), 0.0);
        }
    }

    #[test]
    fn nan_values_make_the_results_nan() {
        let (truth, reconstruction) = ([0.0, 0.5, 0.7], [0.1, f32::NAN, 0.0]);
        assert!(psnr(&reconstruction, &truth).is_nan());
        assert!(psnr_paper(&reconstruction, &truth).is_nan());
        assert!(max_error(&reconstruction, &truth).is_nan());
    }
}
