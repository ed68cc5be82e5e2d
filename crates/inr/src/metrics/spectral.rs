//! The distance between the spectrograms of two waveforms.

use realfft::RealFftPlanner;

/// The length of a window in samples.
const WINDOW: usize = 1024;
/// The distance between successive windows in samples.
const HOP: usize = 256;

/// Spectral convergence, ‖|S(truth)| - |S(reconstruction)|‖ / ‖|S(truth)|‖ in the Frobenius norm
/// (Arık, Jun and Diamos, "Fast spectrogram inversion using multi-head convolutional neural
/// networks", 2018), over all channels.
///
/// S is the short-time Fourier transform with periodic Hann windows of 1,024 samples at intervals
/// of 256. The first window starts at the first sample, and the last one is padded with zeros. The
/// result is 0 for equal magnitudes, infinite if only the truth is silent, and NaN if a value is
/// NaN.
///
/// # Panics
/// If the lengths differ.
pub fn spectral_convergence(reconstruction: &[f32], truth: &[f32], channels: usize) -> f64 {
    assert_eq!(reconstruction.len(), truth.len(), "both slices have the same length");
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(WINDOW);
    let window: Vec<f64> = (0..WINDOW)
        .map(|i| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / WINDOW as f64).cos())
        .collect();
    let mut frame = transform.make_input_vec();
    let mut spectrum = transform.make_output_vec();
    let mut magnitudes = |values: &[f32], channel: usize, first: usize| -> Vec<f64> {
        for (index, (slot, weight)) in frame.iter_mut().zip(&window).enumerate() {
            let sample = values.get((first + index) * channels + channel).copied();
            *slot = f64::from(sample.unwrap_or(0.0)) * weight;
        }
        // Cannot fail: the buffers have the lengths that the transform requires.
        let _ = transform.process(&mut frame, &mut spectrum);
        spectrum.iter().map(|value| value.norm()).collect()
    };
    let count = truth.len() / channels;
    let (mut difference, mut size) = (0.0, 0.0);
    for channel in 0..channels {
        for first in (0..=count.saturating_sub(WINDOW).next_multiple_of(HOP)).step_by(HOP) {
            let ours = magnitudes(reconstruction, channel, first);
            let own = magnitudes(truth, channel, first);
            for (ours, own) in ours.iter().zip(&own) {
                difference += (own - ours).powi(2);
                size += own.powi(2);
            }
        }
    }
    if difference == 0.0 { 0.0 } else { (difference / size).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone, by a formula that Python can repeat.
    fn tone(count: usize, frequency: f64, size: f64) -> Vec<f32> {
        (0..count).map(|i| (size * (frequency * i as f64).sin()) as f32).collect()
    }

    #[test]
    fn equal_magnitudes_have_distance_zero() {
        let truth = tone(5000, 0.1, 1.0);
        assert_eq!(spectral_convergence(&truth, &truth, 1), 0.0);
        let turned: Vec<f32> = truth.iter().map(|value| -value).collect();
        assert_eq!(spectral_convergence(&turned, &truth, 1), 0.0);
        assert_eq!(spectral_convergence(&[0.0; 9], &[0.0; 9], 1), 0.0);
    }

    #[test]
    fn scaling_gives_the_missing_fraction() {
        for (count, channels) in [(5000, 1), (5000, 2), (300, 1), (1, 1)] {
            let truth = tone(count, 0.3, 1.0).iter().map(|x| x + 0.5).collect::<Vec<_>>();
            let half: Vec<f32> = truth.iter().map(|value| 0.5 * value).collect();
            let found = spectral_convergence(&half, &truth, channels);
            // The first weight of a window is 0, so that a single sample has no spectrum.
            let expected = if count == 1 { 0.0 } else { 0.5 };
            assert!((found - expected).abs() < 1e-6, "{count}: {found}");
        }
        assert_eq!(spectral_convergence(&tone(2000, 0.1, 1.0), &[0.0; 2000], 1), f64::INFINITY);
        assert!(spectral_convergence(&[f32::NAN; 2000], &[0.5; 2000], 1).is_nan());
    }

    /// Plain loops in Python: sums over the padded signal times the window, magnitudes, norms.
    #[test]
    fn agrees_with_a_direct_sum() {
        let truth = tone(4321, 0.05, 0.8);
        let other: Vec<f32> = truth.iter().zip(tone(4321, 0.9, 0.1)).map(|(a, b)| a + b).collect();
        let found = spectral_convergence(&other, &truth, 1);
        assert!((found - DIRECT).abs() < 1e-9, "{found}");
    }

    const DIRECT: f64 = 0.12499706945515746;
}
