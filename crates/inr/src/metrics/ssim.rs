//! Structural similarity (SSIM).

/// The side of the window in pixels.
const WINDOW: usize = 11;
/// The standard deviation of the window's weights in pixels.
const SIGMA: f64 = 1.5;
/// (K1·L)² and (K2·L)² with K1 = 0.01, K2 = 0.03 and the dynamic range L = 2.
const STABILIZERS: [f64; 2] = [0.02 * 0.02, 0.06 * 0.06];

/// The mean structural similarity of two images on the \[-1, 1\] scale, at most 1.
///
/// Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
/// structural similarity", 2004: a Gaussian window of 11x11 pixels with σ = 1.5, K1 = 0.01, K2 =
/// 0.03 and dynamic range 2, averaged over the channels and all positions at which the window lies
/// inside the image. Along a side shorter than 11 pixels the window has the length of that side.
///
/// Both slices have shape (height, width, channels). The result is NaN for an empty image.
///
/// # Panics
/// If a slice does not have width·height·channels values.
pub fn ssim(
    reconstruction: &[f32],
    truth: &[f32],
    width: usize,
    height: usize,
    channels: usize,
) -> f64 {
    assert_eq!(truth.len(), width * height * channels, "both slices fill the image");
    assert_eq!(reconstruction.len(), truth.len(), "both slices have the same length");
    if truth.is_empty() {
        return f64::NAN;
    }
    let (down, across) = (window(height), window(width));
    let row_length = width * channels;
    let positions = (width - across.len() + 1) * channels;
    let mut columns = vec![[0.0; 5]; row_length];
    let mut sum = 0.0;
    for top in 0..=height - down.len() {
        // The window is separable: first along each column, then along the row of results.
        columns.fill([0.0; 5]);
        for (offset, &weight) in down.iter().enumerate() {
            let row = (top + offset) * row_length..(top + offset + 1) * row_length;
            let pairs = reconstruction[row.clone()].iter().zip(&truth[row]);
            for (column, (&a, &b)) in columns.iter_mut().zip(pairs) {
                add(column, weight, moments(f64::from(a), f64::from(b)));
            }
        }
        for position in 0..positions {
            let mut window = [0.0; 5];
            for (column, &weight) in columns[position..].iter().step_by(channels).zip(&across) {
                add(&mut window, weight, *column);
            }
            sum += similarity(window);
        }
    }
    sum / ((height - down.len() + 1) * positions) as f64
}

/// The Gaussian weights along a side, which sum to 1.
fn window(side: usize) -> Vec<f64> {
    let length = side.min(WINDOW);
    let middle = (length - 1) as f64 / 2.0;
    let weight = |i: usize| (-((i as f64 - middle) / SIGMA).powi(2) / 2.0).exp();
    let weights: Vec<f64> = (0..length).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The quantities averaged over the window: a, b, a², b² and a·b.
fn moments(a: f64, b: f64) -> [f64; 5] {
    [a, b, a * a, b * b, a * b]
}

fn add(sums: &mut [f64; 5], weight: f64, values: [f64; 5]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

/// The similarity of one window from its averages.
fn similarity([a, b, aa, bb, ab]: [f64; 5]) -> f64 {
    let [small, smaller] = STABILIZERS;
    let (variance_a, variance_b, covariance) = (aa - a * a, bb - b * b, ab - a * b);
    (2.0 * a * b + small) * (2.0 * covariance + smaller)
        / ((a * a + b * b + small) * (variance_a + variance_b + smaller))
}

#[cfg(test)]
mod tests {
    use super::super::tests::pair;
    use super::*;

    /// scikit-image 0.26.0: `structural_similarity(gaussian_weights=True, sigma=1.5,
    /// use_sample_covariance=False, data_range=2)` of each channel, averaged.
    #[test]
    fn it_agrees_with_scikit_image() {
        for ((width, height, channels), expected) in [
            ((23, 17, 3), 0.963234504310),
            ((16, 11, 1), 0.984290361636),
            ((40, 29, 1), 0.967853514051),
        ] {
            let [reconstruction, truth] = pair(width, height, channels);
            let found = ssim(&reconstruction, &truth, width, height, channels);
            assert!((found - expected).abs() < 1e-10, "{found} {expected}");
        }
    }

    #[test]
    fn it_is_one_for_the_same_image_of_any_size() {
        for (width, height) in [(1, 1), (3, 40), (10, 10), (11, 11), (30, 2)] {
            let [reconstruction, truth] = pair(width, height, 3);
            assert!((ssim(&truth, &truth, width, height, 3) - 1.0).abs() < 1e-12);
            let worse = ssim(&reconstruction, &truth, width, height, 3);
            assert!((-1.0..1.0).contains(&worse), "{width}x{height}: {worse}");
        }
    }

    #[test]
    fn a_single_pixel_compares_means_only() {
        // (2ab + 0.0004)/(a² + b² + 0.0004), the variances being 0.
        let expected = (2.0 * 0.5 * 0.25 + 0.0004) / (0.25 + 0.0625 + 0.0004);
        assert!((ssim(&[0.5], &[0.25], 1, 1, 1) - expected).abs() < 1e-12);
    }
}
