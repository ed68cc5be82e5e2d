//! The specification: plain loops in double precision that anyone can read.

mod curvature;

use vi3nr::{Layer, Network};

use crate::adam::Adam;
use crate::batch::{check_length, check_parameters, check_values};
use crate::curvature::{check_directions, check_signs};
use crate::{AdamMemory, Batch, Engine, EngineError, LayerCurvature};

/// The engine that every other is tested against. One thread, no tricks.
#[derive(Debug, Clone)]
pub struct ReferenceEngine {
    network: Network,
    parameters: Vec<f64>,
    gradient: Vec<f64>,
    mean: Vec<f64>,
    mean_square: Vec<f64>,
    step: u64,
}

impl ReferenceEngine {
    /// An engine for `network` that starts from `parameters`, in the order of [`Network::layers`].
    ///
    /// # Errors
    /// The number of parameters is not the network's.
    pub fn new(network: &Network, parameters: &[f32]) -> Result<Self, EngineError> {
        check_parameters(network, parameters.len())?;
        let zeros = vec![0.0; parameters.len()];
        Ok(Self {
            network: network.clone(),
            parameters: parameters.iter().map(|p| f64::from(*p)).collect(),
            gradient: zeros.clone(),
            mean: zeros.clone(),
            mean_square: zeros,
            step: 0,
        })
    }
}

impl Engine for ReferenceEngine {
    fn network(&self) -> &Network {
        &self.network
    }

    fn backpropagate(&mut self, batch: &Batch<'_>) -> f64 {
        let (loss, gradient) = reference_gradient(&self.network, &self.parameters, batch);
        self.gradient = gradient;
        loss
    }

    fn adam_step(&mut self, adam: &Adam, learning_rate: f64) {
        self.step += 1;
        let a = adam.step(self.step, learning_rate);
        for (i, g) in self.gradient.iter().enumerate() {
            self.mean[i] = a.beta1 * self.mean[i] + (1.0 - a.beta1) * g;
            self.mean_square[i] = a.beta2 * self.mean_square[i] + (1.0 - a.beta2) * g * g;
            let root = self.mean_square[i].sqrt() * a.root_correction + a.epsilon;
            self.parameters[i] -= a.step_size * self.mean[i] / root;
        }
    }

    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError> {
        check_values(&self.network, points, values)?;
        let points = points.chunks_exact(self.network.inputs());
        for (point, value) in points.zip(values.chunks_exact_mut(self.network.outputs())) {
            let trace = forward(&self.network, &self.parameters, point);
            for (value, output) in value.iter_mut().zip(trace.output) {
                *value = output as f32;
            }
        }
        Ok(())
    }

    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let count = check_values(&self.network, points, values)?;
        check_length("derivatives", derivatives.len(), count, outputs * inputs)?;
        let results =
            values.chunks_exact_mut(outputs).zip(derivatives.chunks_exact_mut(outputs * inputs));
        for (point, (value, derivative)) in points.chunks_exact(inputs).zip(results) {
            let trace = forward(&self.network, &self.parameters, point);
            for (output, by_input) in derivative.chunks_exact_mut(inputs).enumerate() {
                let mut delta = vec![0.0; outputs];
                delta[output] = 1.0;
                for layer in self.network.layers().into_iter().rev() {
                    let slopes = layer.index.checked_sub(1).map(|below| &trace.slopes[below][..]);
                    delta = pull_back(&layer, &self.parameters, &delta, slopes);
                }
                for (out, exact) in by_input.iter_mut().zip(delta) {
                    *out = exact as f32;
                }
            }
            for (value, output) in value.iter_mut().zip(trace.output) {
                *value = output as f32;
            }
        }
        Ok(())
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) {
        parameters.clear();
        parameters.extend(self.parameters.iter().map(|p| *p as f32));
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        check_parameters(&self.network, parameters.len())?;
        self.parameters = parameters.iter().map(|p| f64::from(*p)).collect();
        Ok(())
    }

    fn gradient(&self) -> Vec<f32> {
        self.gradient.iter().map(|g| *g as f32).collect()
    }

    fn curvature(
        &mut self,
        points: &[f32],
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        check_signs(&self.network, points, signs)?;
        Ok(curvature::curvature(&self.network, &self.parameters, points, signs))
    }

    fn tangents(
        &mut self,
        points: &[f32],
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        check_directions(&self.network, points, directions)?;
        let tangent = |direction: &&[f32]| {
            curvature::tangent(&self.network, &self.parameters, points, direction)
        };
        Ok(directions.iter().map(tangent).collect())
    }

    fn adam_memory(&self) -> AdamMemory {
        let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
        AdamMemory {
            mean: single(&self.mean),
            mean_square: single(&self.mean_square),
            steps: self.step,
        }
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        memory.check(&self.network)?;
        let double = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
        (self.mean, self.mean_square) = (double(&memory.mean), double(&memory.mean_square));
        self.step = memory.steps;
        Ok(())
    }
}

/// What the backward pass needs of one point's forward pass.
struct Trace {
    /// x_i: the input of each layer.
    inputs: Vec<Vec<f64>>,
    /// f'(z_i) after each layer but the last.
    slopes: Vec<Vec<f64>>,
    /// z_n, the network's value.
    output: Vec<f64>,
}

/// Eq. (1) and (2) at one point.
fn forward(network: &Network, parameters: &[f64], point: &[f32]) -> Trace {
    let mut inputs = vec![point.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>()];
    let mut slopes = Vec::new();
    let last = network.layer_count() - 1;
    for layer in network.layers() {
        let weights = &parameters[layer.weights];
        let biases = &parameters[layer.biases];
        let input = &inputs[layer.index];
        let mut z = vec![0.0; layer.fan_out];
        for j in 0..layer.fan_out {
            z[j] = biases[j];
            for k in 0..layer.fan_in {
                z[j] += weights[j * layer.fan_in + k] * input[k];
            }
        }
        if layer.index == last {
            return Trace { inputs, slopes, output: z };
        }
        let (values, slope) = z.iter().map(|z| network.activation().value_and_slope(*z)).unzip();
        inputs.push(values);
        slopes.push(slope);
    }
    unreachable!("a network has at least one layer")
}

/// The loss of a network on `batch` and its gradient, both in double precision.
///
/// `parameters` and the gradient are in the order of [`Network::layers`].
///
/// # Panics
/// If `parameters` is not the network's number of parameters.
pub fn reference_gradient(
    network: &Network,
    parameters: &[f64],
    batch: &Batch<'_>,
) -> (f64, Vec<f64>) {
    assert_eq!(parameters.len(), network.parameter_count(), "one number per weight and bias");
    let mut gradient = vec![0.0; parameters.len()];
    let mut sum = 0.0;
    let scale = 1.0 / (batch.count * network.outputs()) as f64;
    let points = batch.points.chunks_exact(network.inputs());
    let rows = points.zip(batch.targets.chunks_exact(network.outputs()));
    for (index, (point, target)) in rows.enumerate() {
        let trace = forward(network, parameters, point);
        // dL/dz of the layer at hand, from the last to the first.
        let mut delta = Vec::new();
        for (value, target) in trace.output.iter().zip(target) {
            let (loss, slope) = batch.loss.value_and_slope(*value, f64::from(*target));
            sum += batch.weight(index) * loss;
            delta.push(scale * batch.weight(index) * slope);
        }
        for layer in network.layers().into_iter().rev() {
            let input = &trace.inputs[layer.index];
            for j in 0..layer.fan_out {
                gradient[layer.biases.start + j] += delta[j];
                for k in 0..layer.fan_in {
                    gradient[layer.weights.start + j * layer.fan_in + k] += delta[j] * input[k];
                }
            }
            if layer.index == 0 {
                break;
            }
            let slopes = &trace.slopes[layer.index - 1];
            delta = pull_back(&layer, parameters, &delta, Some(slopes));
        }
    }
    (sum * scale, gradient)
}

/// Eq. (8): dL/dz_{i-1} = (W_i^T dL/dz_i) f'(z_{i-1}); without slopes dL/dx_i, the layer's input.
fn pull_back(layer: &Layer, parameters: &[f64], delta: &[f64], slopes: Option<&[f64]>) -> Vec<f64> {
    let weights = &parameters[layer.weights.clone()];
    let mut previous = vec![0.0; layer.fan_in];
    for k in 0..layer.fan_in {
        for j in 0..layer.fan_out {
            previous[k] += weights[j * layer.fan_in + k] * delta[j];
        }
        if let Some(slopes) = slopes {
            previous[k] *= slopes[k];
        }
    }
    previous
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loss;

    /// The gradient against difference quotients of the loss.
    #[test]
    fn gradient_is_the_derivative_of_the_loss() {
        for name in ["sine:omega=2", "gaussian:sigma=0.7", "tanh", "wavelet", "sinc:a=3"] {
            let network = Network::new(vec![2, 5, 4, 3], name.parse().unwrap()).unwrap();
            let wave = |i: usize, f: f64| (f * (i as f64 + 1.0)).sin();
            let parameters: Vec<f64> =
                (0..network.parameter_count()).map(|i| 0.6 * wave(i, 1.7)).collect();
            let points: Vec<f32> = (0..14).map(|i| wave(i, 2.3) as f32).collect();
            let targets: Vec<f32> = (0..21).map(|i| wave(i, 0.9) as f32).collect();
            let weights = [1.0, 0.5, 2.0, 0.0, 1.5, 3.0, 1.0];
            let plain = Batch::new(&network, &points, &targets).unwrap();
            let weighted = plain.with_loss(Loss::Absolute).with_weights(&weights).unwrap();
            for (batch, i) in [plain, weighted]
                .iter()
                .flat_map(|batch| (0..parameters.len()).map(move |i| (batch, i)))
            {
                let (_, gradient) = reference_gradient(&network, &parameters, batch);
                let at = |h: f64| {
                    let mut moved = parameters.clone();
                    moved[i] += h;
                    reference_gradient(&network, &moved, batch).0
                };
                let quotient = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((gradient[i] - quotient).abs() < 1e-9, "{name} {i}: {quotient}");
            }
        }
    }

    /// The derivatives by the coordinates against difference quotients of the values.
    #[test]
    fn derivatives_are_those_of_the_values() {
        let network = Network::new(vec![3, 6, 5, 2], "sine:omega=2".parse().unwrap()).unwrap();
        let parameters: Vec<f32> =
            (0..network.parameter_count()).map(|i| 0.6 * (1.7 * i as f32).sin()).collect();
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        let point = [0.3f32, -0.2, 0.7];
        let (mut values, mut derivatives) = ([0.0; 2], [0.0; 6]);
        engine.differentiate(&point, &mut values, &mut derivatives).unwrap();
        let at = |point: &[f32]| forward(&network, &engine.parameters, point).output;
        for (o, d) in (0..2).flat_map(|o| (0..3).map(move |d| (o, d))) {
            let step = 1.0 / 1024.0;
            let (mut above, mut below) = (point, point);
            (above[d], below[d]) = (point[d] + step, point[d] - step);
            let quotient = (at(&above)[o] - at(&below)[o]) / f64::from(above[d] - below[d]);
            let seen = f64::from(derivatives[o * 3 + d]);
            assert!((seen - quotient).abs() < 1e-4, "({o}, {d}): {seen}, not {quotient}");
        }
        assert_eq!(f64::from(values[0]), f64::from(at(&point)[0] as f32));
    }

    /// J·d against difference quotients along d.
    #[test]
    fn tangents_are_directional_derivatives() {
        for name in ["sine:omega=2", "gaussian:sigma=0.7", "tanh"] {
            let network = Network::new(vec![2, 5, 4, 3], name.parse().unwrap()).unwrap();
            let wave = |i: usize, f: f32| (f * (i as f32 + 1.0)).sin();
            let count = network.parameter_count();
            let parameters: Vec<f32> = (0..count).map(|i| 0.6 * wave(i, 1.7)).collect();
            let directions: Vec<Vec<f32>> =
                [0.7, 1.1].map(|f| (0..count).map(|i| wave(i, f)).collect()).into();
            let points: Vec<f32> = (0..14).map(|i| wave(i, 2.3)).collect();
            let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
            let borrowed: Vec<&[f32]> = directions.iter().map(|d| &d[..]).collect();
            let tangents = engine.tangents(&points, &borrowed).unwrap();
            for (direction, tangent) in directions.iter().zip(&tangents) {
                let at = |h: f64| -> Vec<f64> {
                    let moved: Vec<f64> = parameters
                        .iter()
                        .zip(direction)
                        .map(|(p, d)| f64::from(*p) + h * f64::from(*d))
                        .collect();
                    points.chunks(2).flat_map(|x| forward(&network, &moved, x).output).collect()
                };
                for ((above, below), seen) in at(1e-5).iter().zip(at(-1e-5)).zip(tangent) {
                    let quotient = (above - below) / 2e-5;
                    assert!((quotient - f64::from(*seen)).abs() < 1e-6, "{name}: {seen}");
                }
            }
        }
    }

    /// The factors against outer products of gradients of Σ u·Φ: a single point's gradient of a
    /// layer is s h̄ᵀ, so its products with itself hold both factors.
    #[test]
    fn factors_are_second_moments_of_one_points_gradients() {
        let network = Network::new(vec![2, 3, 4, 2], "tanh".parse().unwrap()).unwrap();
        let wave = |i: usize, f: f32| (f * (i as f32 + 1.0)).sin();
        let parameters: Vec<f32> =
            (0..network.parameter_count()).map(|i| 0.6 * wave(i, 1.7)).collect();
        let points: Vec<f32> = (0..6).map(|i| wave(i, 2.3)).collect();
        let signs = [1.0, -1.0, -1.0, -1.0, 1.0, 1.0];
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        let factors = engine.curvature(&points, &signs).unwrap();
        for layer in network.layers() {
            let (rows, columns) = (layer.fan_out, layer.fan_in + 1);
            let mut inputs = vec![0.0; columns * columns];
            let mut slopes = vec![0.0; rows * rows];
            for (point, signs) in points.chunks(2).zip(signs.chunks(2)) {
                // The loss whose gradient is that of Σ u·Φ: (Φ - y)² with y = Φ - u, mean of two.
                let mut values = [0.0; 2];
                engine.evaluate(point, &mut values).unwrap();
                let targets = [values[0] - signs[0], values[1] - signs[1]];
                engine.backpropagate(&Batch::new(&network, point, &targets).unwrap());
                let (weights, biases) = (
                    &engine.gradient[layer.weights.clone()],
                    &engine.gradient[layer.biases.clone()],
                );
                let trace = forward(&network, &engine.parameters, point);
                let mut input = trace.inputs[layer.index].clone();
                input.push(1.0);
                for j in 0..rows {
                    for k in 0..layer.fan_in {
                        let product = biases[j] * input[k];
                        assert!((weights[j * layer.fan_in + k] - product).abs() < 1e-9);
                    }
                    for i in 0..rows {
                        slopes[j * rows + i] += biases[j] * biases[i] / 3.0;
                    }
                }
                for (j, a) in input.iter().enumerate() {
                    for (k, b) in input.iter().enumerate() {
                        inputs[j * columns + k] += a * b / 3.0;
                    }
                }
            }
            let near = |seen: &[f64], exact: &[f64]| {
                seen.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-6)
            };
            assert!(near(&factors[layer.index].inputs, &inputs), "layer {}", layer.index);
            assert!(near(&factors[layer.index].slopes, &slopes), "layer {}", layer.index);
        }
    }

    /// Adam against its closed form for a constant gradient: each step is lr·sign(g) up to ε.
    #[test]
    fn adam_moves_by_the_learning_rate() {
        let network = Network::new(vec![1, 1], "relu".parse().unwrap()).unwrap();
        let mut engine = ReferenceEngine::new(&network, &[0.5, 0.25]).unwrap();
        engine.gradient = vec![3.0, -1e-3];
        for _ in 0..10 {
            engine.adam_step(&Adam::default(), 0.01);
        }
        assert!((engine.parameters[0] - 0.4).abs() < 1e-8);
        assert!((engine.parameters[1] - 0.35).abs() < 1e-5);
    }
}
