//! A grid of values with interpolation between them: the baseline that a network has to exceed.
//!
//! "Grids Often Outperform Implicit Neural Representations at Compressing Dense Signals" (2025)
//! compares networks with such grids at the same number of parameters. Adam fits the values to all
//! pixels at once, so that steps and times compare with those of a network.

mod descent;
mod interpolation;
#[cfg(test)]
mod tests;

pub use interpolation::Interpolation;

use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;
use vi3nr_engine::Workers;
use vi3nr_inr::metrics::{psnr, psnr_of_mse};
use vi3nr_inr::signal::SignalError;
use vi3nr_inr::signal::image::{Grid, Image};

use descent::{Descent, Memory, mix};
use interpolation::{Axis, add};

/// The levels of PSNR, in dB, for which a report gives the first step and time.
const LEVELS: [f64; 5] = [30.0, 35.0, 40.0, 44.0, 50.0];

/// The settings of a grid and its fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridPlan {
    /// The number of values in a row, at most one for each pixel.
    pub columns: usize,
    /// The number of rows, at most one for each row of pixels.
    pub rows: usize,
    /// The interpolation between values.
    pub interpolation: Interpolation,
    /// The number of Adam steps, each over all pixels; with 0, the initial values are measured.
    pub steps: u32,
    /// The initial learning rate, on the scale where black is -1 and white is 1. It decays to 0 by
    /// a cosine schedule.
    pub learning_rate: f64,
}

impl GridPlan {
    /// The default of [`steps`](Self::steps).
    pub const STEPS: u32 = 300;
    /// The default of [`learning_rate`](Self::learning_rate).
    pub const LEARNING_RATE: f64 = 0.02;

    /// A grid with the proportions of `image` and the number of parameters (columns·rows·channels)
    /// nearest to `parameters`, but at most one value per pixel.
    ///
    /// # Errors
    /// Returns [`GridError::NoParameters`] for 0 parameters.
    pub fn of_parameters(
        image: &Image,
        parameters: u64,
        interpolation: Interpolation,
    ) -> Result<Self, GridError> {
        if parameters == 0 {
            return Err(GridError::NoParameters);
        }
        let (width, height) = (u64::from(image.width()), u64::from(image.height()));
        // Along both sides, so that a narrow image has as many candidates as a square one.
        let by_columns = (1..=width).flat_map(|columns| {
            let exact = columns * height / width;
            [exact, exact + 1].map(|rows| (columns, rows.clamp(1, height)))
        });
        let by_rows = (1..=height).flat_map(|rows| {
            let exact = rows * width / height;
            [exact, exact + 1].map(|columns| (columns.clamp(1, width), rows))
        });
        let distance = |&(columns, rows): &(u64, u64)| {
            (columns * rows * image.channels() as u64).abs_diff(parameters)
        };
        let (columns, rows) = by_columns.chain(by_rows).min_by_key(distance).unwrap_or((1, 1));
        Ok(Self {
            columns: columns as usize,
            rows: rows as usize,
            interpolation,
            steps: Self::STEPS,
            learning_rate: Self::LEARNING_RATE,
        })
    }

    /// The learning rate of step `step`, counted from 0.
    fn rate(&self, step: u32) -> f64 {
        let share = f64::from(step) / f64::from(self.steps);
        self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
    }
}

/// A grid that cannot be fitted or evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// The grid has no values.
    #[error("a grid of 0 parameters; expected at least 1")]
    NoParameters,
    /// The grid has a side of 0, or more values than pixels.
    #[error(
        "a grid of {columns}x{rows} values for {width}x{height} pixels; expected at least 1x1 and \
         at most one value for each pixel"
    )]
    Size {
        /// The number of values in a row.
        columns: usize,
        /// The number of rows.
        rows: usize,
        /// The width of the image in pixels.
        width: u32,
        /// The height of the image in pixels.
        height: u32,
    },
    /// The learning rate is invalid.
    #[error("a learning rate of {found}; expected a finite number above 0")]
    LearningRate {
        /// The learning rate.
        found: f64,
    },
    /// The image has values that are not finite, or the learning rate is far too high.
    #[error(
        "the error is no longer a finite number after {steps} steps; expected an image of finite \
         values and a learning rate of about {}",
        GridPlan::LEARNING_RATE
    )]
    Diverged {
        /// The number of steps so far.
        steps: u32,
    },
    /// The image is invalid.
    #[error(transparent)]
    Image(#[from] SignalError),
}

/// The step and the time at which a quality was first reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GridLevel {
    /// The PSNR in dB, peak 2.
    pub psnr: f64,
    /// The number of steps; `None` if the level was not reached.
    pub steps: Option<u32>,
    /// The time since the beginning of the fit, in seconds.
    pub seconds: Option<f64>,
}

/// The result of fitting a grid.
#[derive(Debug, Clone, Serialize)]
pub struct GridReport {
    /// The number of values in a row.
    pub columns: usize,
    /// The number of rows.
    pub rows: usize,
    /// The interpolation between values.
    pub interpolation: Interpolation,
    /// The number of values: columns·rows·channels.
    pub parameters: usize,
    /// Bits per pixel of the image with 32 bits per value.
    pub bits_per_pixel: f64,
    /// The number of steps: all, or fewer if the error became 0.
    pub steps: u32,
    /// The initial learning rate.
    pub learning_rate: f64,
    /// The number of worker threads.
    pub threads: usize,
    /// The PSNR over all pixels in dB, peak 2, of values that are neither clamped nor rounded.
    /// Infinite (null in JSON) if each pixel has a value of its own.
    pub psnr: f64,
    /// The duration of the fit after the initial values, in seconds.
    pub seconds: f64,
    /// When 30, 35, 40, 44 and 50 dB were first reached.
    pub levels: Vec<GridLevel>,
}

/// A fitted grid.
#[derive(Debug, Clone)]
pub struct GridFit {
    /// The result.
    pub report: GridReport,
    /// Row by row, with the channels of a position interleaved.
    values: Vec<f32>,
    channels: usize,
}

impl GridFit {
    /// The values of the grid: row by row, with the channels of a position interleaved.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The image at `width` x `height` pixels: row by row, with the channels of a pixel side by
    /// side. Pixels divide the extent of the image into equal areas, and each has the value at its
    /// center. There is no filter: a size far below that of the grid skips values.
    ///
    /// Runs on the threads of the caller's pool: see [`Workers::install`].
    ///
    /// # Errors
    /// Returns [`GridError::Image`] for a side of 0 or more pixels than the maximum.
    pub fn values_at(&self, width: u32, height: u32) -> Result<Vec<f32>, GridError> {
        Grid::of_image(width, height)?;
        let GridReport { columns, rows, interpolation, .. } = self.report;
        let columns = Axis::new(interpolation, columns, width as usize);
        let rows = Axis::new(interpolation, rows, height as usize);
        Ok(pixels(&self.values, &rows, &columns, self.channels))
    }
}

/// All pixels of a grid.
fn pixels(grid: &[f32], rows: &Axis, columns: &Axis, channels: usize) -> Vec<f32> {
    let mut pixels = vec![0.0; rows.pixels() * columns.pixels() * channels];
    pixels.par_chunks_mut(columns.pixels() * channels).enumerate().for_each_init(
        || vec![0.0; columns.values() * channels],
        |mixed, (row, pixels)| {
            mix(grid, rows, row, mixed);
            for (pixel, sum) in pixels.chunks_exact_mut(channels).enumerate() {
                let (first, weights) = columns.of_pixel(pixel);
                let values = mixed[first * channels..].chunks_exact(channels);
                for (weight, values) in weights.iter().zip(values) {
                    add(sum, *weight, values);
                }
            }
        },
    );
    pixels
}

/// Fits a grid to all pixels of `image` by Adam with β = (0.9, 0.99), from the image reduced to the
/// grid. The result does not depend on the number of `workers`.
///
/// # Errors
/// Returns [`GridError::Size`] for a grid without values or finer than the pixels,
/// [`GridError::LearningRate`] for a rate that is not positive, [`GridError::Diverged`] if the
/// error is no longer finite.
pub fn fit_grid(image: &Image, plan: &GridPlan, workers: &Workers) -> Result<GridFit, GridError> {
    let &GridPlan { columns, rows, interpolation, learning_rate, .. } = plan;
    let (width, height) = (image.width(), image.height());
    if !(1..=width as usize).contains(&columns) || !(1..=height as usize).contains(&rows) {
        return Err(GridError::Size { columns, rows, width, height });
    }
    if !(learning_rate.is_finite() && learning_rate > 0.0) {
        return Err(GridError::LearningRate { found: learning_rate });
    }
    let channels = image.channels();
    let columns = Axis::new(interpolation, columns, width as usize);
    let rows = Axis::new(interpolation, rows, height as usize);
    workers.install(|| {
        let target = image.values();
        let began = Instant::now();
        let mut levels = LEVELS.map(|psnr| GridLevel { psnr, steps: None, seconds: None });
        let mut descent = Descent::new(&rows, &columns, channels, &target);
        let mut values = start(&rows, &columns, channels, &mut descent);
        let mut memory = Memory::new(values.len());
        let mut steps = 0;
        loop {
            let squares = descent.compare(&values);
            if !squares.is_finite() {
                return Err(GridError::Diverged { steps });
            }
            let reached = psnr_of_mse(squares / target.len() as f64);
            let seconds = began.elapsed().as_secs_f64();
            for level in &mut levels {
                if reached >= level.psnr && level.steps.is_none() {
                    (level.steps, level.seconds) = (Some(steps), Some(seconds));
                }
            }
            // Without an error there is nothing left to improve.
            if steps == plan.steps || squares == 0.0 {
                break;
            }
            memory.step(&mut values, &descent, plan.rate(steps));
            steps += 1;
        }
        let seconds = began.elapsed().as_secs_f64();
        let reached = psnr(&pixels(&values, &rows, &columns, channels), &target);
        let report = GridReport {
            columns: columns.values(),
            rows: rows.values(),
            interpolation,
            parameters: values.len(),
            bits_per_pixel: 32.0 * values.len() as f64 / image.pixel_count() as f64,
            steps,
            learning_rate,
            threads: workers.threads(),
            psnr: reached,
            seconds,
            levels: levels.to_vec(),
        };
        Ok(GridFit { report, values, channels })
    })
}

/// The image reduced to the grid: each value is the weighted mean of the pixels that depend on it,
/// with the weights of the interpolation. A grid as fine as the image is the image.
fn start(rows: &Axis, columns: &Axis, channels: usize, descent: &mut Descent<'_>) -> Vec<f32> {
    let mut values = vec![0.0; rows.values() * columns.values() * channels];
    // For values of 0 the gradient is the negative transposed interpolation of the image.
    descent.compare(&values);
    let (row_shares, column_shares) = (rows.shares(), columns.shares());
    let length = columns.values() * channels;
    values.par_chunks_mut(length).zip(row_shares).enumerate().for_each(|(row, (values, share))| {
        descent.gradient(row, values);
        for (values, column_share) in values.chunks_exact_mut(channels).zip(&column_shares) {
            values.iter_mut().for_each(|value| *value /= -share * column_share);
        }
    });
    values
}
