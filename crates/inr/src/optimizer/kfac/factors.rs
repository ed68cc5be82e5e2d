//! The Kronecker factors: averages over steps, damped inverses and the preconditioned gradient.

use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::DenseSolveCore;
use faer::{Accum, Mat, MatRef, Par, Side};
use rayon::prelude::*;
use vi3nr::{Layer, Network};
use vi3nr_engine::{LayerCurvature, Workers};

use crate::optimizer::{OptimizerState, StateError};

/// The largest weight of the old factors in the average with new ones.
const MEMORY: f64 = 0.75;
/// The smallest damping of a factor, relative to its trace.
const MIN_SHARE: f64 = 1e-8;

/// The factors A and G of every layer and the inverses of the damped factors. Layers are processed
/// in parallel, each matrix by one thread, so that results do not depend on the number of threads.
pub(super) struct Factors {
    layers: Vec<LayerFactors>,
    /// The number of updates so far.
    updates: u64,
    /// λ of the current inverses.
    inverted: f64,
    workers: Arc<Workers>,
}

struct LayerFactors {
    layer: Layer,
    curvature: LayerCurvature,
    /// (A + π√λ I)⁻¹.
    inputs: Mat<f64>,
    /// (G + √λ/π I)⁻¹.
    slopes: Mat<f64>,
}

impl Factors {
    pub(super) fn new(network: &Network, workers: Arc<Workers>) -> Self {
        let zero = |layer: Layer| LayerFactors {
            curvature: LayerCurvature {
                inputs: vec![0.0; (layer.fan_in + 1).pow(2)],
                slopes: vec![0.0; layer.fan_out.pow(2)],
            },
            inputs: Mat::identity(layer.fan_in + 1, layer.fan_in + 1),
            slopes: Mat::identity(layer.fan_out, layer.fan_out),
            layer,
        };
        let layers = network.layers().into_iter().map(zero).collect();
        Self { layers, updates: 0, inverted: 0.0, workers }
    }

    /// Averages the factors with new ones. The old ones have the weight min(1 - 1/(k+1),
    /// [`MEMORY`]) at the k-th update (from 0).
    pub(super) fn update(&mut self, new: Vec<LayerCurvature>) {
        let old = (1.0 - 1.0 / (self.updates + 1) as f64).min(MEMORY);
        for (factors, new) in self.layers.iter_mut().zip(new) {
            average(&mut factors.curvature.inputs, &new.inputs, old);
            average(&mut factors.curvature.slopes, &new.slopes, old);
        }
        self.updates += 1;
    }

    /// Inverts the factors with the damping λ, distributed between A and G by
    /// π = √((tr A/dim A)/(tr G/dim G)).
    pub(super) fn invert(&mut self, damping: f64) {
        self.inverted = damping;
        let layers = &mut self.layers;
        // Two tasks per layer, so that shallow networks also use several threads.
        self.workers.install(|| {
            layers.par_iter_mut().with_max_len(1).for_each(|factors| {
                let (columns, rows) = (factors.layer.fan_in + 1, factors.layer.fan_out);
                let LayerCurvature { inputs, slopes } = &factors.curvature;
                let (input_mean, slope_mean) =
                    (mean_of_diagonal(inputs, columns), mean_of_diagonal(slopes, rows));
                let ratio = (input_mean / slope_mean).sqrt();
                let share = if ratio.is_finite() && ratio > 0.0 { ratio } else { 1.0 };
                let root = damping.sqrt();
                let (a, g) = (&mut factors.inputs, &mut factors.slopes);
                rayon::join(
                    || *a = inverse(inputs, columns, share * root, input_mean),
                    || *g = inverse(slopes, rows, root / share, slope_mean),
                );
            });
        });
    }

    /// d = -G⁻¹gA⁻¹ for every layer. Gradient and result are in the order of [`Network::layers`].
    pub(super) fn precondition(&self, gradient: &[f32]) -> Vec<f32> {
        let parts: Vec<Mat<f64>> = self.workers.install(|| {
            let layers = self.layers.par_iter().with_max_len(1);
            layers.map(|factors| factors.precondition(gradient)).collect()
        });
        let mut direction = vec![0.0; gradient.len()];
        for (factors, part) in self.layers.iter().zip(parts) {
            let layer = &factors.layer;
            for j in 0..layer.fan_out {
                let row = &mut direction[layer.weights.start + j * layer.fan_in..][..layer.fan_in];
                for (k, value) in row.iter_mut().enumerate() {
                    *value = part[(j, k)] as f32;
                }
                direction[layer.biases.start + j] = part[(j, layer.fan_in)] as f32;
            }
        }
        direction
    }

    /// Floating-point operations of an update over `points` points: forward pass, backward pass and
    /// outer products.
    pub(super) fn update_operations(&self, points: usize) -> f64 {
        let each = self.sum(|rows, columns| {
            4.0 * rows * (columns - 1.0) + 2.0 * columns * columns + 2.0 * rows * rows
        });
        each * points as f64
    }

    /// Floating-point operations of all inversions: Cholesky, the triangular inverse and its square
    /// take n³ together, counted twice for double precision.
    pub(super) fn invert_operations(&self) -> f64 {
        2.0 * self.sum(|rows, columns| rows.powi(3) + columns.powi(3))
    }

    /// Floating-point operations of applying all inverses, counted twice for double precision.
    pub(super) fn precondition_operations(&self) -> f64 {
        2.0 * self.sum(|rows, columns| 2.0 * rows * columns * (rows + columns))
    }

    /// The sum of a function of fan-out and fan-in + 1 over the layers.
    fn sum(&self, each: impl Fn(f64, f64) -> f64) -> f64 {
        let of = |factors: &LayerFactors| {
            each(factors.layer.fan_out as f64, (factors.layer.fan_in + 1) as f64)
        };
        self.layers.iter().map(of).sum()
    }

    /// Adds the factors to `state`. The inverses are computed from them.
    pub(super) fn save(&self, state: &mut OptimizerState) {
        for factors in &self.layers {
            let index = factors.layer.index;
            state.put_double(&format!("kfac.{index}.inputs"), &factors.curvature.inputs);
            state.put_double(&format!("kfac.{index}.slopes"), &factors.curvature.slopes);
        }
        state.put_counter("kfac.updates", self.updates);
        state.put_double("kfac.inverted", &[self.inverted]);
    }

    /// Restores the factors from `state` and inverts them with the saved damping.
    pub(super) fn restore(&mut self, state: &OptimizerState, step: u64) -> Result<(), StateError> {
        for factors in &mut self.layers {
            let LayerFactors { layer, curvature, .. } = factors;
            let array = |name: &str, expected| {
                let name = format!("kfac.{}.{name}", layer.index);
                state.double(&name, expected).map(<[f64]>::to_vec)
            };
            curvature.inputs = array("inputs", (layer.fan_in + 1).pow(2))?;
            curvature.slopes = array("slopes", layer.fan_out.pow(2))?;
        }
        self.updates = state.counter_up_to("kfac.updates", step.saturating_add(1))?;
        let inverted = state.double("kfac.inverted", 1)?[0];
        if self.updates > 0 {
            self.invert(inverted);
        }
        Ok(())
    }
}

impl LayerFactors {
    fn precondition(&self, gradient: &[f32]) -> Mat<f64> {
        let layer = &self.layer;
        let (rows, columns) = (layer.fan_out, layer.fan_in + 1);
        let weights = &gradient[layer.weights.clone()];
        let biases = &gradient[layer.biases.clone()];
        let gradient = Mat::from_fn(rows, columns, |j, k| {
            -f64::from(if k < layer.fan_in { weights[j * layer.fan_in + k] } else { biases[j] })
        });
        let left = product(self.slopes.as_ref(), gradient.as_ref());
        product(left.as_ref(), self.inputs.as_ref())
    }
}

fn product(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut result = Mat::zeros(left.nrows(), right.ncols());
    matmul(result.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
    result
}

fn average(old: &mut [f64], new: &[f64], old_weight: f64) {
    for (old, new) in old.iter_mut().zip(new) {
        *old = old_weight * *old + (1.0 - old_weight) * new;
    }
}

/// tr M / dim M.
fn mean_of_diagonal(matrix: &[f64], side: usize) -> f64 {
    matrix.iter().step_by(side + 1).sum::<f64>() / side as f64
}

/// (M + damping I)⁻¹ by Cholesky. The damping of a factor that is not positive definite is
/// increased until it is.
fn inverse(matrix: &[f64], side: usize, damping: f64, mean: f64) -> Mat<f64> {
    let mut damping = damping.max(MIN_SHARE * mean * side as f64).max(f64::MIN_POSITIVE);
    for _ in 0..40 {
        let damped = Mat::from_fn(side, side, |j, k| {
            matrix[j * side + k] + if j == k { damping } else { 0.0 }
        });
        if let Ok(factor) = damped.llt(Side::Lower) {
            return factor.inverse();
        }
        damping *= 10.0;
    }
    // The factor is not finite: use the gradient itself, so that the trial is rejected.
    Mat::identity(side, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize, frequency: f64) -> Vec<f64> {
        (0..count).map(|i| (frequency * (i as f64 + 1.0)).sin()).collect()
    }

    /// A positive definite matrix.
    fn squared(side: usize, frequency: f64) -> Vec<f64> {
        let root = wave(side * side, frequency);
        let element = |j: usize, k: usize| -> f64 {
            (0..side).map(|i| root[i * side + j] * root[i * side + k]).sum()
        };
        (0..side * side).map(|index| element(index / side, index % side)).collect()
    }

    fn example() -> (Network, Factors) {
        let network = Network::new(vec![2, 4, 3], "tanh".parse().unwrap()).unwrap();
        let mut factors = Factors::new(&network, Workers::new(Some(2)).unwrap());
        let curvature = |layer: Layer| LayerCurvature {
            inputs: squared(layer.fan_in + 1, 1.3),
            slopes: squared(layer.fan_out, 0.7),
        };
        factors.update(network.layers().into_iter().map(curvature).collect());
        (network, factors)
    }

    /// G d A = -g with the damped factors, element by element.
    #[test]
    fn directions_solve_the_damped_equations() {
        let (network, mut factors) = example();
        let damping: f64 = 0.04;
        factors.invert(damping);
        let gradient: Vec<f32> =
            wave(network.parameter_count(), 2.1).iter().map(|value| *value as f32).collect();
        let direction = factors.precondition(&gradient);
        for layer in network.layers() {
            let (rows, columns) = (layer.fan_out, layer.fan_in + 1);
            let (a, g) = (squared(columns, 1.3), squared(rows, 0.7));
            let share = (mean_of_diagonal(&a, columns) / mean_of_diagonal(&g, rows)).sqrt();
            let at = |array: &[f32], j: usize, k: usize| -> f64 {
                let index = match k == layer.fan_in {
                    true => layer.biases.start + j,
                    false => layer.weights.start + j * layer.fan_in + k,
                };
                f64::from(array[index])
            };
            let damped = |m: &[f64], side: usize, j: usize, k: usize, extra: f64| {
                m[j * side + k] + if j == k { extra } else { 0.0 }
            };
            for j in 0..rows {
                for k in 0..columns {
                    let mut sum = 0.0;
                    for i in 0..rows {
                        for l in 0..columns {
                            sum += damped(&g, rows, j, i, damping.sqrt() / share)
                                * at(&direction, i, l)
                                * damped(&a, columns, l, k, damping.sqrt() * share);
                        }
                    }
                    let expected = -at(&gradient, j, k);
                    assert!((sum - expected).abs() < 1e-4, "({j}, {k}): {sum}, not {expected}");
                }
            }
        }
    }

    /// The first update replaces the initial zeros; the second has the same weight as the first.
    #[test]
    fn factors_are_averaged_over_time() {
        let (network, mut factors) = example();
        let before = factors.layers[0].curvature.inputs.clone();
        assert_eq!(before, squared(3, 1.3));
        let ones = |layer: Layer| LayerCurvature {
            inputs: vec![1.0; (layer.fan_in + 1).pow(2)],
            slopes: vec![1.0; layer.fan_out.pow(2)],
        };
        factors.update(network.layers().into_iter().map(ones).collect());
        for (after, before) in factors.layers[0].curvature.inputs.iter().zip(before) {
            assert!((after - 0.5 * (before + 1.0)).abs() < 1e-15);
        }
    }

    /// Factors of rank one, zeros, huge values and NaN still have an inverse.
    #[test]
    fn degenerate_factors_are_damped_until_they_can_be_inverted() {
        for matrix in [vec![1.0; 9], vec![0.0; 9], vec![1e300; 9], vec![f64::NAN; 9]] {
            let inverse = inverse(&matrix, 3, 1e-12, 1.0);
            assert_eq!((inverse.nrows(), inverse.ncols()), (3, 3));
            assert!(matrix[0].is_nan() || (0..3).all(|i| inverse[(i, i)].is_finite()));
        }
    }
}
