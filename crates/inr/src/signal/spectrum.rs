//! The spectral centroid of a sampled signal.

use realfft::RealFftPlanner;

use super::Signal;
use crate::points::Region;

/// The largest number of samples of a transform. Longer rows are cut into equal parts.
const MAX_LENGTH: usize = 1 << 22;

/// The spectral centroid ψ of a signal, from 0 to 1/C for C channels, as the authors of WINNER define it
/// (`spectral_centroid` in their code, arXiv 2509.09719):
///
/// ψ = (2/C) · mean over channels and rows of Σ_k f_k |X_k| / Σ_k |X_k|,
///
/// where X is the discrete Fourier transform of a row of samples along the first axis (the time of audio,
/// the horizontal axis of an image) and f_k = k/n the frequency in cycles per sample. A row of zeros has
/// the centroid 0. Rows of more than 4,194,304 samples are cut into equal parts, whose centroids are
/// averaged.
///
/// `None` if the points of the signal are drawn instead of sampled.
pub fn spectral_centroid(signal: &dyn Signal) -> Option<f64> {
    let info = signal.info();
    let (axes, channels) = (info.axes(), info.outputs());
    let (&along, others) = axes.split_first()?;
    let parts = along.div_ceil(MAX_LENGTH).max(1);
    let length = along / parts;
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(length.max(1));
    let mut row = transform.make_input_vec();
    let mut spectrum = transform.make_output_vec();
    let mut scratch = transform.make_scratch_vec();
    let rows: usize = others.iter().product();
    let mut values = Vec::new();
    let mut sum = 0.0;
    for index in 0..rows {
        let mut rest = index;
        let across = others.iter().map(|axis| {
            let at = rest % axis;
            rest /= axis;
            at..at + 1
        });
        let ranges = std::iter::once(0..along).chain(across).collect();
        values.clear();
        signal.push_values(&Region::new(ranges), &mut values);
        for part in 0..parts {
            for channel in 0..channels {
                for (sample, slot) in row.iter_mut().enumerate() {
                    let at = (part * length + sample) * channels + channel;
                    *slot = values.get(at).map_or(0.0, |value| f64::from(*value));
                }
                // Cannot fail: the buffers have the lengths that the transform requires.
                let _ = transform.process_with_scratch(&mut row, &mut spectrum, &mut scratch);
                sum += centroid(spectrum.iter().map(|value| value.norm()), length);
            }
        }
    }
    let mean = sum / (rows * parts * channels) as f64;
    Some(2.0 * mean / channels as f64)
}

/// Σ f_k m_k / Σ m_k of the magnitudes of a transform of `length` samples, in cycles per sample.
fn centroid(magnitudes: impl Iterator<Item = f64>, length: usize) -> f64 {
    let (mut weighted, mut total) = (0.0, 0.0);
    for (index, magnitude) in magnitudes.enumerate() {
        weighted += index as f64 * magnitude;
        total += magnitude;
    }
    if total > 0.0 { weighted / (total * length as f64) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::image::Image;

    fn image(width: u32, height: u32, channels: usize, value: impl Fn(f64, usize) -> f64) -> Image {
        let rows = 0..height;
        let values = rows.flat_map(|_| 0..width).flat_map(|x| {
            (0..channels).map(|channel| value(f64::from(x), channel) as f32).collect::<Vec<_>>()
        });
        Image::from_values(width, height, channels, values.collect()).unwrap()
    }

    /// A wave of 5 periods over 40 pixels has 1/8 cycles per pixel.
    #[test]
    fn waves_have_their_frequency() {
        let wave = |x: f64, _: usize| 0.5 * (std::f64::consts::TAU * x / 8.0).sin();
        let gray = spectral_centroid(&image(40, 3, 1, wave)).unwrap();
        assert!((gray - 2.0 / 8.0).abs() < 1e-6, "{gray}");
        // The mean over channels, divided by their number once more.
        let color = |x: f64, channel: usize| if channel == 0 { wave(x, 0) } else { 0.0 };
        let color = spectral_centroid(&image(40, 3, 3, color)).unwrap();
        assert!((color - 2.0 / 8.0 / 9.0).abs() < 1e-6, "{color}");
        assert!(spectral_centroid(&image(40, 3, 1, |_, _| 0.5)).unwrap() < 1e-15);
        assert_eq!(spectral_centroid(&image(1, 1, 1, |_, _| 0.5)), Some(0.0));
    }

    /// The numbers of NumPy for the authors' function: `np.abs(np.fft.rfft([0, 1, 0, 0, -0.5]))`.
    #[test]
    fn a_short_row_has_the_authors_centroid() {
        let values = [0.0, 1.0, 0.0, 0.0, -0.5];
        let seen = spectral_centroid(&image(5, 1, 1, |x, _| values[x as usize])).unwrap();
        assert!((seen - 2.0 * EXPECTED).abs() < 1e-6, "{seen}");
    }

    const EXPECTED: f64 = 0.232_361_279_851_876_8;
}
