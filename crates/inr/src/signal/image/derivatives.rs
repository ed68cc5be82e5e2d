//! The gradient and the Laplacian of an image, for training on them.
//!
//! They are those of the cosine series that interpolates the pixels, mirrored at the border (the
//! type-II discrete cosine transform). Its derivatives at the pixels determine the picture up to a
//! constant, unlike differences of neighboring pixels, which weaken fine detail.

use std::f64::consts::PI;

use vi3nr::Real;
use vi3nr_engine::{Term, WeightedTerm};

use super::{Grid, Image};
use crate::points::{Indices, PointBatch, PointGroup, Sampled};

/// All pixels with the targets of `terms`.
pub(super) struct Derivatives<'a> {
    image: &'a Image,
    grid: Grid,
    input_scale: f32,
    terms: &'a [WeightedTerm],
    /// dy_o/dx_d with respect to the coordinates, shape (pixels, channels, 2); empty if no term
    /// needs it.
    gradients: Vec<f32>,
    /// The sum of the second derivatives, shape (pixels, channels); empty if no term needs it.
    laplacians: Vec<f32>,
}

impl<'a> Derivatives<'a> {
    /// The pixels of `image`, whose coordinates reach to `input_scale`.
    pub(super) fn new(image: &'a Image, input_scale: f64, terms: &'a [WeightedTerm]) -> Self {
        let needs = |wanted: fn(&Term) -> bool| terms.iter().any(|one| wanted(&one.term));
        let density = density(image, input_scale);
        let gradients = match needs(|term| matches!(term, Term::Gradient { .. })) {
            true => gradients(image, density),
            false => Vec::new(),
        };
        let laplacians = match needs(|term| matches!(term, Term::Laplacian { .. })) {
            true => laplacians(image, density),
            false => Vec::new(),
        };
        let input_scale = input_scale as f32;
        Self { image, grid: image.grid, input_scale, terms, gradients, laplacians }
    }
}

impl Sampled for Derivatives<'_> {
    fn count(&self) -> usize {
        self.image.pixel_count()
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        if batch.groups.is_empty() {
            let uses = (0..self.terms.len()).collect();
            batch.groups.push(PointGroup { uses, ..PointGroup::default() });
            batch.terms = self.terms.to_vec();
        }
        let channels = self.image.channels();
        let has_values = self.terms.iter().any(|one| one.term.order() == 0);
        let PointGroup { points, values, gradients, laplacians, .. } = &mut batch.groups[0];
        indices.for_each(|index| {
            points.extend(self.grid.point(index).map(|x| self.input_scale * x));
            let samples = channels * index..channels * (index + 1);
            if has_values {
                self.image.pixels.push(samples.clone(), values);
            }
            if !self.gradients.is_empty() {
                gradients.extend_from_slice(&self.gradients[2 * samples.start..2 * samples.end]);
            }
            if !self.laplacians.is_empty() {
                laplacians.extend_from_slice(&self.laplacians[samples]);
            }
        });
    }
}

/// The number of pixels per unit of a coordinate, if the coordinates of the longest side of `image`
/// reach to `input_scale`.
fn density(image: &Image, input_scale: f64) -> f64 {
    (f64::from(image.width().max(image.height()).max(2)) - 1.0) / 2.0 / input_scale
}

/// The gradient of `image` at every pixel with respect to the network's coordinates, which reach
/// from -`input_scale` to `input_scale` along the longest side: shape (pixels, channels, 2), x
/// first. It is the target of the term `gradient`.
///
/// The derivatives are those of the cosine series that interpolates the pixels, mirrored at the
/// border. For derivatives per pixel, `input_scale` is (s - 1)/2, where s is the longest side.
pub fn image_gradients(image: &Image, input_scale: f64) -> Vec<f32> {
    gradients(image, density(image, input_scale))
}

fn gradients(image: &Image, density: f64) -> Vec<f32> {
    let values = image.values();
    let (x, y) = (along(image, &values, 0, (1, density)), along(image, &values, 1, (1, density)));
    x.into_iter().zip(y).flat_map(|(x, y)| [x, y]).collect()
}

fn laplacians(image: &Image, density: f64) -> Vec<f32> {
    let values = image.values();
    let mut sums = along(image, &values, 0, (2, density));
    sums.iter_mut().zip(along(image, &values, 1, (2, density))).for_each(|(sum, y)| *sum += y);
    sums
}

/// The derivatives of an order along an axis (x is 0, y is 1).
fn along(image: &Image, values: &[f32], axis: usize, (order, density): (u32, f64)) -> Vec<f32> {
    let shape = [image.width() as usize, image.height() as usize, image.channels()];
    apply(&derivative_matrix(shape[axis], order, density), values, shape, axis)
}

/// The matrix, (n, n) row-major, that maps n samples to the derivatives of `order` (1 or 2) of
/// their cosine series at the samples, which are 1/`density` apart.
fn derivative_matrix(n: usize, order: u32, density: f64) -> Vec<f64> {
    let scale = 2.0 / n as f64 * density.powi(order as i32);
    // cos(πm/(2n)) and sin(πm/(2n)) for one period of m.
    let table: Vec<(f64, f64)> = (0..4 * n)
        .map(|m| {
            let (sine, cosine) = Real::sin_cos(PI * m as f64 / (2 * n) as f64);
            (cosine, sine)
        })
        .collect();
    let at = |frequency: usize, sample: usize| table[frequency * (2 * sample + 1) % (4 * n)];
    let mut matrix = vec![0.0; n * n];
    for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
        for k in 1..n {
            let rate = PI * k as f64 / n as f64;
            let (cosine, sine) = at(k, i);
            let basis = scale * if order == 1 { -rate * sine } else { -rate * rate * cosine };
            for (j, element) in row.iter_mut().enumerate() {
                *element += basis * at(k, j).0;
            }
        }
    }
    matrix
}

/// Applies `matrix` along an axis (x is 0, y is 1) of `values`, shape (height, width, channels),
/// where `shape` is \[width, height, channels\].
fn apply(matrix: &[f64], values: &[f32], shape: [usize; 3], axis: usize) -> Vec<f32> {
    let [width, height, channels] = shape;
    let n = shape[axis];
    let row = width * channels;
    let mut results = vec![0.0; values.len()];
    let mut sums = vec![0.0; row];
    for (y, result) in results.chunks_exact_mut(row.max(1)).enumerate() {
        sums.fill(0.0);
        if axis == 1 {
            for j in 0..height {
                let factor = matrix[y * n + j];
                for (sum, value) in sums.iter_mut().zip(&values[j * row..]) {
                    *sum += factor * f64::from(*value);
                }
            }
        } else {
            let own = &values[y * row..][..row];
            for (x, sums) in sums.chunks_exact_mut(channels).enumerate() {
                for (factor, pixel) in matrix[x * n..][..n].iter().zip(own.chunks_exact(channels)) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += factor * f64::from(*value);
                    }
                }
            }
        }
        for (result, sum) in result.iter_mut().zip(&sums) {
            *result = *sum as f32;
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture that is a cosine series of low order has its exact derivatives.
    #[test]
    fn derivatives_of_a_cosine_series_are_exact() {
        let (width, height) = (17usize, 12usize);
        let (a, b) = (3.0 * PI / width as f64, 2.0 * PI / height as f64);
        let at = |x: f64, y: f64| {
            let (cx, sx) = ((a * (x + 0.5)).cos(), (a * (x + 0.5)).sin());
            let (cy, sy) = ((b * (y + 0.5)).cos(), (b * (y + 0.5)).sin());
            // The value, its derivatives per pixel and its Laplacian.
            [cx * cy, -a * sx * cy, -b * cx * sy, -(a * a + b * b) * cx * cy].map(|v| 0.7 * v)
        };
        let points: Vec<(f64, f64)> =
            (0..height).flat_map(|y| (0..width).map(move |x| (x as f64, y as f64))).collect();
        let values = points.iter().map(|(x, y)| at(*x, *y)[0] as f32).collect();
        let image = Image::from_values(width as u32, height as u32, 1, values).unwrap();
        let terms = ["value:1", "gradient:1", "laplacian:1"].map(|term| term.parse().unwrap());
        let derivatives = Derivatives::new(&image, 2.0, &terms);
        let mut batch = PointBatch::default();
        derivatives.push(Indices::Range(0..points.len()), &mut batch);
        let group = &batch.groups[0];
        // 16 pixels span the coordinates from -2 to 2.
        let density = 4.0;
        for (index, (x, y)) in points.iter().enumerate() {
            let [value, dx, dy, laplacian] = at(*x, *y);
            let near = |seen: f32, exact: f64| (f64::from(seen) - exact).abs() < 1e-4;
            assert!(near(group.values[index], value));
            assert!(near(group.gradients[2 * index], density * dx), "{index}");
            assert!(near(group.gradients[2 * index + 1], density * dy), "{index}");
            assert!(near(group.laplacians[index], density * density * laplacian), "{index}");
        }
    }

    #[test]
    fn a_side_of_one_pixel_has_no_derivative() {
        let image = Image::from_values(1, 3, 1, vec![0.5, -0.5, 0.25]).unwrap();
        let terms = ["gradient:1".parse().unwrap()];
        let derivatives = Derivatives::new(&image, 1.0, &terms);
        assert!(derivatives.gradients.iter().step_by(2).all(|dx| *dx == 0.0));
        assert!(derivatives.gradients.iter().skip(1).step_by(2).all(|dy| dy.is_finite()));
    }
}
