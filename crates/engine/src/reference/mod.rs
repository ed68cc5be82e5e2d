//! The reference engine, which is the specification: plain loops in double precision.

mod curvature;
mod jets;

pub use jets::reference_term_gradient;

use vi3nr::{Layer, Network};

use crate::batch::{LoadedBatch, check_derivatives, check_length, check_parameters, check_values};
use crate::curvature::{check_directions, check_signs};
use crate::terms::{LoadedTerms, Tally};
use crate::{
    AdamMemory, Batch, Curvature, Engine, EngineError, LayerCurvature, Residuals, TermBatch, Update,
};

/// The engine that all others are tested against. It runs on the calling thread and is not
/// optimized.
#[derive(Debug, Clone)]
pub struct ReferenceEngine {
    network: Network,
    parameters: Vec<f64>,
    batch: LoadedBatch,
    terms: LoadedTerms,
    tally: Tally,
    gradient: Option<Vec<f64>>,
    mean: Vec<f64>,
    mean_square: Vec<f64>,
    step: u64,
}

impl ReferenceEngine {
    /// Creates an engine for `network` with the initial `parameters`, in the order of
    /// [`Network::layers`].
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one parameter per weight and bias.
    pub fn new(network: &Network, parameters: &[f32]) -> Result<Self, EngineError> {
        check_parameters("parameters", network, parameters.len())?;
        let zeros = vec![0.0; parameters.len()];
        Ok(Self {
            network: network.clone(),
            parameters: parameters.iter().map(|p| f64::from(*p)).collect(),
            batch: LoadedBatch::default(),
            terms: LoadedTerms::default(),
            tally: Tally::default(),
            gradient: None,
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

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        self.terms.clear();
        self.batch.load(&self.network, batch)
    }

    fn load_terms(&mut self, batch: &TermBatch<'_>) -> Result<(), EngineError> {
        self.batch.clear();
        self.terms.load(&self.network, batch)
    }

    fn term_losses(&self) -> &[f64] {
        &self.tally.losses
    }

    fn loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        self.gradient = None;
        self.tally.losses.clear();
        if let Some(batch) = self.terms.get() {
            let (sums, gradient) = jets::sums_and_gradient(&self.network, &self.parameters, &batch);
            self.gradient = Some(gradient);
            return Ok(self.tally.set(&batch, &sums));
        }
        let batch = self.batch.get()?;
        let (loss, gradient) = reference_gradient(&self.network, &self.parameters, &batch)?;
        self.gradient = Some(gradient);
        Ok(loss)
    }

    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError> {
        update.check(&self.network)?;
        let layers = self.network.layers();
        match *update {
            Update::Adam { constants, learning_rate, except_weights_of } => {
                let gradient = self.gradient.as_ref().ok_or(EngineError::NoGradient)?;
                self.step += 1;
                let a = constants.step(self.step, learning_rate);
                for layer in layers {
                    let excepted = except_weights_of.contains(&layer.index);
                    let weights = if excepted { 0..0 } else { layer.weights };
                    for i in weights.chain(layer.biases) {
                        let g = gradient[i];
                        self.mean[i] = a.beta1 * self.mean[i] + (1.0 - a.beta1) * g;
                        self.mean_square[i] =
                            a.beta2 * self.mean_square[i] + (1.0 - a.beta2) * g * g;
                        let root = self.mean_square[i].sqrt() * a.root_correction + a.epsilon;
                        self.parameters[i] -= a.step_size * self.mean[i] / root;
                    }
                }
            }
            Update::Displace { layer, direction, rate } => {
                let weights = &mut self.parameters[layers[layer].weights.clone()];
                for (weight, d) in weights.iter_mut().zip(direction) {
                    *weight -= f64::from(rate) * f64::from(*d);
                }
            }
        }
        Ok(())
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

    fn differentiate_twice(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
        hessians: &mut [f32],
    ) -> Result<(), EngineError> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        check_derivatives(&self.network, points, (values, derivatives, hessians))?;
        let results = values
            .chunks_exact_mut(outputs)
            .zip(derivatives.chunks_exact_mut(outputs * inputs))
            .zip(hessians.chunks_exact_mut(outputs * inputs * inputs));
        for (point, ((value, derivative), hessian)) in points.chunks_exact(inputs).zip(results) {
            let results = (value, derivative, hessian);
            jets::second_derivatives(&self.network, &self.parameters, point, results);
        }
        Ok(())
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) -> Result<(), EngineError> {
        parameters.clear();
        parameters.extend(self.parameters.iter().map(|p| *p as f32));
        Ok(())
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        check_parameters("parameters", &self.network, parameters.len())?;
        self.parameters = parameters.iter().map(|p| f64::from(*p)).collect();
        Ok(())
    }

    fn gradient(&self) -> Result<Vec<f32>, EngineError> {
        let gradient = self.gradient.as_ref().ok_or(EngineError::NoGradient)?;
        Ok(gradient.iter().map(|g| *g as f32).collect())
    }

    fn adam_memory(&self) -> Result<AdamMemory, EngineError> {
        let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect();
        Ok(AdamMemory {
            mean: single(&self.mean),
            mean_square: single(&self.mean_square),
            steps: self.step,
        })
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        memory.check(&self.network)?;
        let double = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
        (self.mean, self.mean_square) = (double(&memory.mean), double(&memory.mean_square));
        self.step = memory.steps;
        Ok(())
    }

    fn curvature(&mut self) -> Option<&mut dyn Curvature> {
        Some(self)
    }
}

impl Curvature for ReferenceEngine {
    fn factors(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        check_signs(&self.network, points, residuals, signs)?;
        curvature::factors(&self.network, &self.parameters, points, (residuals, signs))
    }

    fn tangents(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        check_directions(&self.network, points, directions)?;
        let tangent = |direction: &&[f32]| {
            curvature::tangent(&self.network, &self.parameters, points, (residuals, direction))
        };
        directions.iter().map(tangent).collect()
    }
}

/// The intermediate results of the forward pass of one point, for the backward pass.
struct Trace {
    /// x_i: the input of each layer.
    inputs: Vec<Vec<f64>>,
    /// f'(z_i) after each layer but the last.
    slopes: Vec<Vec<f64>>,
    /// z_n, the value of the network.
    output: Vec<f64>,
}

/// The forward pass at one point, Eq. (1) and (2).
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

/// Computes the loss of a network on `batch` and its gradient, both in double precision.
///
/// `parameters` and the gradient are in the order of [`Network::layers`].
///
/// # Errors
/// Returns [`EngineError::Length`] if there is not one parameter per weight and bias, and
/// [`EngineError::BatchShape`] if the batch was created for a network with another number of inputs
/// or outputs.
pub fn reference_gradient(
    network: &Network,
    parameters: &[f64],
    batch: &Batch<'_>,
) -> Result<(f64, Vec<f64>), EngineError> {
    check_parameters("parameters", network, parameters.len())?;
    batch.check(network)?;
    let mut gradient = vec![0.0; parameters.len()];
    let mut sum = 0.0;
    let scale = 1.0 / (batch.count * network.outputs()) as f64;
    let points = batch.points.chunks_exact(network.inputs());
    let rows = points.zip(batch.targets.chunks_exact(network.outputs()));
    for (index, (point, target)) in rows.enumerate() {
        let trace = forward(network, parameters, point);
        // dL/dz of the current layer, from the last to the first.
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
    Ok((sum * scale, gradient))
}

/// Eq. (8): dL/dz_{i-1} = (W_iᵀ dL/dz_i) f'(z_{i-1}), with `slopes` = f'(z_{i-1}). Without slopes,
/// the result is the derivative with respect to the layer's input, W_iᵀ dL/dz_i.
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
mod tests;
