//! One step of the fit: interpolation, errors and gradient.
//!
//! The interpolation is separable: rows of pixels are computed from rows of values, then the pixels
//! of a row. The gradient applies the transposes in the opposite order. Rows of pixels are
//! processed in bands of [`LANES`] rows. Inside a band, the same pixel of all rows lies side by
//! side, so that the weights of a column apply to contiguous numbers. The order of every sum
//! depends only on the sizes, so the number of threads does not affect the result.

use rayon::prelude::*;

use super::interpolation::{Axis, add};

/// The number of rows of pixels in a band.
const LANES: usize = 8;

/// The decay rate of the mean gradient.
const BETA1: f32 = 0.9;
/// The decay rate of the mean squared gradient.
const BETA2: f32 = 0.99;
/// The number that is added to the root of the mean squared gradient.
const EPSILON: f32 = 1e-8;

/// An image to fit, and the memory of a step.
pub(super) struct Descent<'a> {
    rows: &'a Axis,
    columns: &'a Axis,
    channels: usize,
    /// The image in bands: pixel by pixel, channel by channel, row by row; 0 below the last row.
    target: Vec<f32>,
    /// The transpose of the columns' interpolation, applied to the errors of each row of pixels.
    spread: Vec<f32>,
}

impl<'a> Descent<'a> {
    /// A fit of `image`, given as values with the channels of a pixel interleaved.
    pub(super) fn new(rows: &'a Axis, columns: &'a Axis, channels: usize, image: &[f32]) -> Self {
        let length = columns.pixels() * channels;
        let bands = rows.pixels().div_ceil(LANES);
        let mut target = vec![0.0; bands * LANES * length];
        let band = |(band, rows): (&mut [f32], &[f32])| {
            for (lane, row) in rows.chunks(length).enumerate() {
                spread_over_lane(band, lane, row);
            }
        };
        let rows_of_bands = image.par_chunks(LANES * length);
        target.par_chunks_mut(LANES * length).zip(rows_of_bands).for_each(band);
        let spread = vec![0.0; bands * LANES * columns.values() * channels];
        Self { rows, columns, channels, target, spread }
    }

    /// Compares the pixels of `grid` with the image and returns the sum of squared errors. Then
    /// [`gradient`](Self::gradient) gives the gradient of half that sum.
    pub(super) fn compare(&mut self, grid: &[f32]) -> f64 {
        match self.channels {
            1 => self.compare_in_lanes::<LANES>(grid),
            _ => self.compare_in_lanes::<{ 3 * LANES }>(grid),
        }
    }

    /// [`compare`](Self::compare) with `N` numbers per pixel of a band.
    fn compare_in_lanes<const N: usize>(&mut self, grid: &[f32]) -> f64 {
        let (rows, columns) = (self.rows, self.columns);
        let length = columns.values() * self.channels;
        let memory = || (vec![0.0; length], vec![[0.0; N]; columns.values()]);
        let band = |(row, values): &mut (Vec<f32>, Vec<[f32; N]>),
                    (band, (spread, target)): (usize, (&mut [f32], &[f32]))| {
            for lane in 0..LANES {
                match band * LANES + lane {
                    pixel if pixel < rows.pixels() => mix(grid, rows, pixel, row),
                    _ => row.fill(0.0),
                }
                spread_over_lane(values.as_flattened_mut(), lane, row);
            }
            let mut back = vec![[0.0; N]; columns.values()];
            let mut squares = [0.0f32; N];
            for (pixel, target) in target.chunks_exact(N).enumerate() {
                let (first, weights) = columns.of_pixel(pixel);
                let mut error = [0.0; N];
                for (weight, values) in weights.iter().zip(&values[first..]) {
                    add(&mut error, *weight, values);
                }
                for ((error, target), square) in error.iter_mut().zip(target).zip(&mut squares) {
                    *error -= target;
                    *square += *error * *error;
                }
                for (weight, back) in weights.iter().zip(&mut back[first..]) {
                    add(back, *weight, &error);
                }
            }
            let back = back.as_flattened();
            for (lane, row) in spread.chunks_exact_mut(length).enumerate() {
                for (number, value) in row.iter_mut().enumerate() {
                    *value = back[number * LANES + lane];
                }
            }
            squares.iter().map(|&square| f64::from(square)).sum()
        };
        let bands = self.spread.par_chunks_mut(LANES * length);
        let target = self.target.par_chunks(N * columns.pixels());
        let squares: Vec<f64> = bands.zip(target).enumerate().map_init(memory, band).collect();
        // In the order of the bands, independent of the threads.
        squares.iter().sum()
    }

    /// The gradient of half the last sum of squared errors with respect to row `row` of the grid.
    pub(super) fn gradient(&self, row: usize, gradient: &mut [f32]) {
        gradient.fill(0.0);
        for (pixel, weight) in self.rows.of_value(row) {
            add(gradient, weight, &self.spread[pixel * gradient.len()..][..gradient.len()]);
        }
    }
}

/// Interpolates `grid` along its columns at row `pixel` of the image.
pub(super) fn mix(grid: &[f32], rows: &Axis, pixel: usize, row: &mut [f32]) {
    let (first, weights) = rows.of_pixel(pixel);
    let length = row.len();
    row.fill(0.0);
    for (weight, values) in weights.iter().zip(grid[first * length..].chunks_exact(length)) {
        add(row, *weight, values);
    }
}

/// Writes a row into its lane of a band.
fn spread_over_lane(band: &mut [f32], lane: usize, row: &[f32]) {
    for (lanes, value) in band.chunks_exact_mut(LANES).zip(row) {
        lanes[lane] = *value;
    }
}

/// The moments of Adam (Kingma and Ba, 2015) for a grid.
pub(super) struct Memory {
    mean: Vec<f32>,
    mean_square: Vec<f32>,
    steps: u32,
}

impl Memory {
    pub(super) fn new(parameters: usize) -> Self {
        Self { mean: vec![0.0; parameters], mean_square: vec![0.0; parameters], steps: 0 }
    }

    /// Updates `grid` by one Adam step along the gradient of the last comparison.
    pub(super) fn step(&mut self, grid: &mut [f32], descent: &Descent<'_>, learning_rate: f64) {
        self.steps += 1;
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(f64::from(self.steps));
        let step = (learning_rate / correction(BETA1)) as f32;
        let root = (1.0 / correction(BETA2).sqrt()) as f32;
        let length = descent.columns.values() * descent.channels;
        let means = self.mean.par_chunks_mut(length).zip(self.mean_square.par_chunks_mut(length));
        grid.par_chunks_mut(length).zip(means).enumerate().for_each_init(
            || vec![0.0; length],
            |gradient, (row, (values, (means, squares)))| {
                descent.gradient(row, gradient);
                let memory = means.iter_mut().zip(squares.iter_mut());
                for ((value, (mean, square)), g) in values.iter_mut().zip(memory).zip(gradient) {
                    *mean = BETA1 * *mean + (1.0 - BETA1) * *g;
                    *square = BETA2 * *square + (1.0 - BETA2) * *g * *g;
                    *value -= step * *mean / (square.sqrt() * root + EPSILON);
                }
            },
        );
    }
}
