//! Interpolation between the values of a grid along one axis.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// An interpolation between the values of a grid, applied along each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Linear interpolation of the nearest 2 values.
    Bilinear,
    /// Cubic convolution of the nearest 4 values (Keys, 1981) with a = -0.5, as Pillow's BICUBIC.
    /// It reproduces quadratic polynomials.
    Bicubic,
}

/// The maximum number of values on which a pixel depends, along one axis.
const MAX_TAPS: usize = 4;

impl Interpolation {
    /// The number of values on which a pixel depends.
    fn taps(self) -> usize {
        match self {
            Self::Bilinear => 2,
            Self::Bicubic => MAX_TAPS,
        }
    }

    /// The weight of a value at this distance, in steps of the grid.
    fn kernel(self, distance: f64) -> f64 {
        let d = distance.abs();
        match self {
            Self::Bilinear => (1.0 - d).max(0.0),
            Self::Bicubic if d <= 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
            Self::Bicubic if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
            Self::Bicubic => 0.0,
        }
    }
}

/// The pixels of an axis as weighted sums of a grid's values.
///
/// Pixel i of n is the area from i/n to (i+1)/n of the extent and has the value at its middle,
/// (i+0.5)/n; value j of m lies at (j+0.5)/m. Values beyond the ends equal the outermost value.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    /// The number of values of the grid.
    values: usize,
    /// The number of values on which a pixel depends.
    taps: usize,
    /// The first of these values for each pixel, in non-decreasing order.
    firsts: Vec<usize>,
    /// The weights of each pixel; those beyond `taps` are 0.
    weights: Vec<[f32; MAX_TAPS]>,
}

impl Axis {
    /// An axis with `pixels` pixels and `values` values, at least one of each.
    pub(super) fn new(interpolation: Interpolation, values: usize, pixels: usize) -> Self {
        let taps = interpolation.taps().min(values);
        let last = values as i64 - 1;
        let (mut firsts, mut all) = (Vec::with_capacity(pixels), Vec::with_capacity(pixels));
        for pixel in 0..pixels {
            let position = (pixel as f64 + 0.5) * values as f64 / pixels as f64 - 0.5;
            let leftmost = position.floor() as i64 + 1 - interpolation.taps() as i64 / 2;
            let first = leftmost.clamp(0, (values - taps) as i64);
            let mut weights = [0.0; MAX_TAPS];
            for neighbor in leftmost..leftmost + interpolation.taps() as i64 {
                let weight = interpolation.kernel(position - neighbor as f64);
                weights[(neighbor.clamp(0, last) - first) as usize] += weight;
            }
            firsts.push(first as usize);
            all.push(weights.map(|weight| weight as f32));
        }
        Self { values, taps, firsts, weights: all }
    }

    /// The number of values of the grid.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// The number of pixels along the axis.
    pub(super) fn pixels(&self) -> usize {
        self.firsts.len()
    }

    /// The first value on which pixel `pixel` depends, and the weights of this value and the next
    /// ones.
    pub(super) fn of_pixel(&self, pixel: usize) -> (usize, &[f32]) {
        (self.firsts[pixel], &self.weights[pixel][..self.taps])
    }

    /// The pixels that may depend on value `value`.
    fn pixels_of(&self, value: usize) -> Range<usize> {
        let start = self.firsts.partition_point(|first| first + self.taps <= value);
        start..self.firsts.partition_point(|&first| first <= value)
    }

    /// The pixels that depend on value `value`, with its weights: the transpose of
    /// [`of_pixel`](Self::of_pixel).
    pub(super) fn of_value(&self, value: usize) -> impl Iterator<Item = (usize, f32)> {
        self.pixels_of(value)
            .map(move |pixel| (pixel, self.weights[pixel][value - self.firsts[pixel]]))
    }

    /// The sum of the weights of each value over all pixels.
    pub(super) fn shares(&self) -> Vec<f32> {
        let share = |value| self.of_value(value).map(|(_, weight)| weight).sum();
        (0..self.values).map(share).collect()
    }
}

/// Adds `weight` times `row` to `sum`.
pub(super) fn add(sum: &mut [f32], weight: f32, row: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += weight * value;
    }
}
