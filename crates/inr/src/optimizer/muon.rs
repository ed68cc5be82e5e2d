//! Muon (Jordan et al. 2024): steps along the orthogonal factor of the momentum.
//!
//! For each hidden weight matrix W with gradient g: b ← 0.95 b + g, W ← W - lr·Z with Z the result
//! of five Newton-Schulz steps from g + 0.95 b toward its nearest orthogonal matrix. Adam updates
//! the first layer, the last layer and the biases.

use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vi3nr::{Layer, Network};
use vi3nr_engine::{Adam, Backend, Engine, EngineError, Update, Workers};

use super::{
    Method, Optimizer, OptimizerState, Problem, RatesMut, Schedule, StateError, StepContext,
    StepOutcome, StepStatus,
};

/// The settings of Muon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MuonSettings {
    /// The initial learning rate of the hidden weights.
    pub learning_rate: f64,
    /// The initial learning rate of Adam for all other parameters.
    pub adam_learning_rate: f64,
    /// The schedule of both rates, after a warm-up from 0 over the first 5 % of the run.
    pub schedule: Schedule,
}

impl MuonSettings {
    /// The default rates: for even activations those found best for Gaussian networks, for all
    /// others those found best for sine networks.
    pub fn for_network(network: &Network) -> Self {
        let even = network.activation().is_even();
        let (learning_rate, adam_learning_rate) = if even { (5e-3, 3e-4) } else { (1.5e-3, 1e-3) };
        Self { learning_rate, adam_learning_rate, schedule: Schedule::Cosine }
    }
}

impl Method for MuonSettings {
    fn suited_to(problem: &Problem<'_>) -> Self {
        Self::for_network(problem.network)
    }

    fn rates_mut(&mut self) -> Option<RatesMut<'_>> {
        let Self { learning_rate, schedule, .. } = self;
        Some(RatesMut { learning_rate, schedule })
    }

    fn start(
        &self,
        network: &Network,
        _: u64,
        backend: &dyn Backend,
    ) -> Result<Box<dyn Optimizer>, EngineError> {
        Ok(Box::new(Muon::new(*self, network, backend.workers().clone())))
    }
}

/// The decay of the momentum per step.
const MOMENTUM: f32 = 0.95;
/// The fraction of the run over which the rates rise.
const WARM_UP: f64 = 0.05;
/// The number of Newton-Schulz steps.
const ITERATIONS: usize = 5;
/// X ← aX + (bXXᵀ + c(XXᵀ)²)X moves all singular values of X toward 1.
const COEFFICIENTS: [f32; 3] = [3.4445, -4.7750, 2.0315];

struct Muon {
    settings: MuonSettings,
    hidden: Vec<Layer>,
    /// The indices of the hidden layers.
    hidden_indices: Vec<usize>,
    /// b of each hidden layer, shaped as the layer's weights.
    momentum: Vec<Vec<f32>>,
    /// Floating-point operations of orthogonalizing all hidden weights once.
    operations: f64,
    workers: Arc<Workers>,
}

impl Muon {
    fn new(settings: MuonSettings, network: &Network, workers: Arc<Workers>) -> Self {
        let last = network.layer_count() - 1;
        let hidden: Vec<Layer> = network
            .layers()
            .into_iter()
            .filter(|layer| layer.index > 0 && layer.index < last)
            .collect();
        let operations = hidden.iter().map(|layer| {
            let (few, many) =
                (layer.fan_in.min(layer.fan_out) as f64, layer.fan_in.max(layer.fan_out) as f64);
            ITERATIONS as f64 * (4.0 * few * few * many + 2.0 * few.powi(3))
        });
        Self {
            settings,
            hidden_indices: hidden.iter().map(|layer| layer.index).collect(),
            momentum: hidden.iter().map(|layer| vec![0.0; layer.weights.len()]).collect(),
            operations: operations.sum(),
            hidden,
            workers,
        }
    }
}

impl Optimizer for Muon {
    fn step(
        &mut self,
        engine: &mut dyn Engine,
        at: &StepContext<'_>,
    ) -> Result<StepOutcome, EngineError> {
        let warm = (at.progress.max((at.step + 1) as f64 * 1e-9) / WARM_UP).min(1.0);
        let of = |first: f64| warm * self.settings.schedule.rate(first, at.step, at.progress);
        let rate = of(self.settings.learning_rate);
        if !at.loss.is_finite() {
            return Ok(StepOutcome { status: StepStatus::Diverged, rate, operations: 0.0 });
        }
        let gradient = engine.gradient()?;
        let (hidden, momentum) = (&self.hidden, &mut self.momentum);
        let directions: Vec<Vec<f32>> = self.workers.install(|| {
            let layers = hidden.par_iter().zip(momentum);
            layers.map(|(layer, momentum)| direction(layer, &gradient, momentum)).collect()
        });
        for (layer, direction) in hidden.iter().zip(&directions) {
            // Scaled so that updates of non-square matrices change their outputs as much as square
            // ones.
            let scale = (layer.fan_out as f64 / layer.fan_in as f64).max(1.0).sqrt();
            let rate = (rate * scale) as f32;
            engine.apply(&Update::Displace { layer: layer.index, direction, rate })?;
        }
        engine.apply(&Update::Adam {
            constants: Adam::default(),
            learning_rate: of(self.settings.adam_learning_rate),
            except_weights_of: &self.hidden_indices,
        })?;
        Ok(StepOutcome { status: StepStatus::Moved, rate, operations: self.operations })
    }

    fn save(&self, engine: &dyn Engine) -> Result<OptimizerState, EngineError> {
        let mut state = OptimizerState::default();
        state.put_adam(engine)?;
        for (layer, momentum) in self.hidden.iter().zip(&self.momentum) {
            state.put_single(&name(layer), momentum);
        }
        Ok(state)
    }

    fn restore(
        &mut self,
        engine: &mut dyn Engine,
        state: &OptimizerState,
        step: u64,
    ) -> Result<(), StateError> {
        let momentum =
            |layer: &Layer| state.single(&name(layer), layer.weights.len()).map(<[f32]>::to_vec);
        self.momentum = self.hidden.iter().map(momentum).collect::<Result<_, _>>()?;
        state.restore_adam(engine, step)
    }
}

fn name(layer: &Layer) -> String {
    format!("muon.{}.momentum", layer.index)
}

/// Updates the momentum of a layer and returns Z, row-major.
fn direction(layer: &Layer, gradient: &[f32], momentum: &mut [f32]) -> Vec<f32> {
    let gradient = &gradient[layer.weights.clone()];
    for (b, g) in momentum.iter_mut().zip(gradient) {
        *b = MOMENTUM * *b + g;
    }
    let ahead = Mat::from_fn(layer.fan_out, layer.fan_in, |j, k| {
        let index = j * layer.fan_in + k;
        gradient[index] + MOMENTUM * momentum[index]
    });
    let z = orthogonal(ahead);
    (0..layer.weights.len()).map(|index| z[(index / layer.fan_in, index % layer.fan_in)]).collect()
}

/// A matrix with the singular vectors of `matrix` and singular values near 1: those above a
/// thousandth of the Frobenius norm end between 0.68 and 1.21.
fn orthogonal(matrix: Mat<f32>) -> Mat<f32> {
    if matrix.nrows() > matrix.ncols() {
        return orthogonal(matrix.transpose().to_owned()).transpose().to_owned();
    }
    let norm = matrix.norm_l2();
    if norm == 0.0 || !norm.is_finite() {
        return Mat::zeros(matrix.nrows(), matrix.ncols());
    }
    let mut x = Mat::from_fn(matrix.nrows(), matrix.ncols(), |j, k| matrix[(j, k)] / norm);
    let rows = x.nrows();
    let product = |left: MatRef<'_, f32>, right: MatRef<'_, f32>| {
        let mut result = Mat::zeros(left.nrows(), right.ncols());
        matmul(result.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
        result
    };
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..ITERATIONS {
        let square = product(x.as_ref(), x.transpose());
        let fourth = product(square.as_ref(), square.as_ref());
        let polynomial = Mat::from_fn(rows, rows, |j, k| {
            let identity = if j == k { a } else { 0.0 };
            identity + b * square[(j, k)] + c * fourth[(j, k)]
        });
        x = product(polynomial.as_ref(), x.as_ref());
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: usize, columns: usize) -> Mat<f32> {
        Mat::from_fn(rows, columns, |j, k| ((j * columns + k) as f32 * 1.7).sin())
    }

    #[test]
    fn orthogonalized_matrices_have_singular_values_near_one() {
        for (rows, columns) in [(24, 24), (10, 30), (30, 10), (1, 5), (1, 1)] {
            // Singular values spread over two decades.
            let mut matrix = numbers(rows, columns);
            for j in 0..rows {
                for k in 0..columns {
                    matrix[(j, k)] += if j == k { 3.0 / (1.0 + j as f32) } else { 0.0 };
                }
            }
            let before = matrix.singular_values().unwrap();
            let values = orthogonal(matrix).singular_values().unwrap();
            let norm = before.iter().map(|value| value * value).sum::<f32>().sqrt();
            for (value, before) in values.iter().zip(&before) {
                if *before > 2e-3 * norm {
                    assert!((0.6..1.3).contains(value), "{rows}x{columns}: {before} to {value}");
                }
            }
        }
        assert_eq!(orthogonal(Mat::zeros(3, 2)), Mat::<f32>::zeros(3, 2));
    }

    /// Z has the singular vectors of the matrix: ZMᵀ is symmetric and positive.
    #[test]
    fn orthogonalizing_keeps_the_singular_vectors() {
        let matrix = numbers(12, 12);
        let z = orthogonal(matrix.clone());
        let product = z * matrix.transpose();
        for j in 0..12 {
            assert!(product[(j, j)] > 0.0);
            for k in 0..12 {
                assert!((product[(j, k)] - product[(k, j)]).abs() < 2e-3, "{j} {k}");
            }
        }
    }
}
