//! Reduction by Lanczos resampling, compatible with Pillow.
//!
//! The rows are resampled first and then the columns, with integer samples in between: Pillow
//! rounds and clamps them there, which at sharp edges changes the result by up to ten levels. The
//! resampling of the `image` crate does not, so it cannot produce the images of the experiments.

use std::f64::consts::PI;

use super::samples::Sample;

/// Half the width of the filter, in samples of the result.
const RADIUS: f64 = 3.0;

/// The fractional bits of the weights: Pillow's for samples of 8 bits, which have at most 10 bits
/// beside them in 32; more for samples of 16 bits, which Pillow does not resample.
const fn fraction_bits(largest: u16) -> u32 {
    if largest <= 255 { 22 } else { 40 }
}

/// The samples of the original that contribute to one of the result.
struct Taps {
    first: usize,
    /// Fixed-point numbers.
    weights: Vec<i64>,
}

/// Shortens one axis of an array of samples from `length` to `new_length`.
///
/// `data` is blocks of `length` lines of `line` samples: for the rows of an image a line is a
/// pixel, for its columns a line is a row.
pub(super) fn shorten<T: Sample>(
    data: &[T],
    line: usize,
    length: usize,
    new_length: usize,
    largest: u16,
) -> Vec<T> {
    let bits = fraction_bits(largest);
    let taps: Vec<Taps> =
        (0..new_length).map(|index| taps(index, length, new_length, bits)).collect();
    let mut result = Vec::with_capacity(data.len() / length * new_length);
    let mut sums = vec![0i64; line];
    for block in data.chunks_exact(length * line) {
        for Taps { first, weights } in &taps {
            // Half a level, so that the shift below rounds.
            sums.fill(1 << (bits - 1));
            for (samples, weight) in block[first * line..].chunks_exact(line).zip(weights) {
                for (sum, &sample) in sums.iter_mut().zip(samples) {
                    let sample: u16 = sample.into();
                    *sum += weight * i64::from(sample);
                }
            }
            let largest = i64::from(largest);
            let whole = |sum: &i64| T::of((sum >> bits).clamp(0, largest) as u16);
            result.extend(sums.iter().map(whole));
        }
    }
    result
}

/// The taps of sample `index` of the result, whose weights sum to about 1.
fn taps(index: usize, length: usize, new_length: usize, bits: u32) -> Taps {
    let scale = length as f64 / new_length as f64;
    let center = (index as f64 + 0.5) * scale;
    let nearest = |position: f64| (position.max(0.0) + 0.5) as usize;
    let first = nearest(center - RADIUS * scale);
    let end = nearest(center + RADIUS * scale).min(length);
    let weight = |sample: usize| lanczos((sample as f64 - center + 0.5) * (1.0 / scale));
    let weights: Vec<f64> = (first..end).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    let unit = (1i64 << bits) as f64;
    let fixed = |weight: f64| (weight / sum * unit).round() as i64;
    Taps { first, weights: weights.into_iter().map(fixed).collect() }
}

/// sinc(x)·sinc(x/3) with sinc(x) = sin(πx)/(πx), inside the radius.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    if x.abs() < RADIUS { sinc(x) * sinc(x / RADIUS) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pillow 13.0: `Image.fromarray(row).resize((new_length, 1), LANCZOS)` of 8-bit samples.
    const ROWS: [(usize, &[u16]); 4] = [
        (11, &[43, 132, 160, 117, 115, 194, 200, 130, 153, 202, 190]),
        (7, &[75, 155, 111, 187, 162, 158, 202]),
        (3, &[112, 160, 178]),
        (1, &[150]),
    ];

    #[test]
    fn it_agrees_with_pillow() {
        let row: Vec<u16> = (0..23u16).map(|x| (x * x * 37 + 11 * x) % 256).collect();
        for (new_length, expected) in ROWS {
            assert_eq!(shorten(&row, 1, 23, new_length, 255), expected);
            // The same along the other axis, with two adjacent columns.
            let pairs: Vec<u16> = row.iter().flat_map(|&sample| [sample, 255 - sample]).collect();
            let result = shorten(&pairs, 2, 23, new_length, 255);
            let left: Vec<u16> = result.iter().copied().step_by(2).collect();
            assert_eq!(left, expected);
        }
    }

    #[test]
    fn a_constant_stays_and_overshoot_is_clamped() {
        assert_eq!(shorten(&[200u16; 64], 1, 64, 7, 255), [200; 7]);
        let step: Vec<u16> = (0..64).map(|x| if x < 31 { 0 } else { 255 }).collect();
        let result = shorten(&step, 1, 64, 32, 255);
        assert_eq!((result.iter().min(), result.iter().max()), (Some(&0), Some(&255)));
    }
}
