//! Variances in a deep network: the paper's controlled experiment (Sec. 3.7).
//!
//! The preactivations z_0 ~ N(0, σ_p²) are drawn, and z_{i+1} = W_i f(z_i) without biases, where
//! W_i has the variance that a scheme gives to hidden layers (uniform weights in the paper). After
//! the last layer a gradient g ~ N(0, 1) is drawn and propagated back: g_i = (W_iᵀ g_{i+1})
//! f'(z_i), Eq. (8). The forward error compares the variance of the last preactivations with σ_p²,
//! and the backward error that of the first gradients with 1, both by SMAPE without the factor 2.

mod choice;
mod derivatives;
mod weights;

pub use choice::{ChoiceError, choose_scheme};
pub use derivatives::{DerivativePropagation, MAX_COORDINATES, propagate_derivatives};
use serde::Serialize;
use vi3nr::rng::{Random, Stream};
use vi3nr::{Activation, Error, InitRule, Scheme, WeightShape};
use vi3nr_engine::{DenseLayers, EngineError};
use weights::Weights;

/// The maximum number of layers.
pub const MAX_DEPTH: usize = 10_000;
/// The maximum number of units per layer: the weights and their packed copy take half a gigabyte.
pub const MAX_WIDTH: usize = 8_192;
/// The maximum number of samples.
pub const MAX_SAMPLES: usize = 10_000_000;
/// The maximum number of slopes that are kept for the backward pass: 600 MB, or those of one
/// sample.
const MAX_KEPT_VALUES: usize = 150_000_000;
/// The random stream of inputs and gradients: that of [`Stream::SAMPLES`], whose substream 0 is
/// used by Monte Carlo moments.
const SAMPLES: Stream = Stream::new(3);
/// The substreams of inputs and of gradients.
const INPUTS: u32 = 1;
const GRADIENTS: u32 = 2;

/// The settings of the experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct PropagationPlan {
    /// The activation of every layer.
    pub activation: Activation,
    /// σ²(W) of every layer.
    pub weight_variance: f64,
    /// The distribution of the weights.
    pub weights: WeightShape,
    /// The standard deviation of the input preactivations.
    pub sigma_p: f64,
    /// The number of layers (weight matrices).
    pub depth: usize,
    /// The number of units per layer.
    pub width: usize,
    /// The number of samples.
    pub batch: usize,
    /// The seed of weights, inputs and gradients. Another seed is an independent repetition.
    pub seed: u64,
    /// The number of worker threads; one per core if `None`. It does not affect the result.
    pub threads: Option<usize>,
}

/// The measured errors and variances. A variance is that over the units of one sample (divisor
/// units - 1), averaged over the samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Propagation {
    /// The forward error in percent: 100 times the mean over samples of |v - σ_p²|/(|v| + σ_p²),
    /// where v is the variance of the last preactivations.
    pub e_f: f64,
    /// The backward error in percent: the same for the variance of the gradient with respect to the
    /// first preactivations, compared with 1.
    pub e_b: f64,
    /// The variance of the preactivations that each layer computes, from the first layer to the
    /// last.
    pub forward_variance: Vec<f64>,
    /// The variance of the gradient with respect to the input preactivations of each layer.
    pub backward_variance: Vec<f64>,
    /// The number of samples whose last preactivations had no finite variance. Each counts as an
    /// error of 100 % in `e_f`.
    pub forward_non_finite: usize,
    /// The number of samples whose first gradient had no finite variance. Each counts as an error
    /// of 100 % in `e_b`.
    pub backward_non_finite: usize,
}

/// An error of the experiment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PropagateError {
    /// A quantity is out of range, or the scheme does not apply.
    #[error(transparent)]
    Theory(#[from] Error),
    /// Memory or threads are unavailable.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The variance σ²(W) that `scheme` gives to a layer between two hidden layers of `width` units.
///
/// # Errors
/// Returns an [`Error`] if the scheme does not apply to the activation or the width is out of
/// range.
pub fn hidden_variance(
    scheme: &Scheme,
    activation: &Activation,
    width: usize,
) -> Result<f64, Error> {
    Ok(InitRule::new(*scheme).hidden_layer(activation, width, width)?.variance())
}

/// The symmetric mean absolute percentage error of `values` against `target`, in percent and
/// without the factor 2: 100 times the mean of |v - t|/(|v| + |t|). A value that is not a finite
/// number counts as an error of 1. Also returns the number of such values.
pub fn smape(values: &[f64], target: f64) -> (f64, usize) {
    let error = |value: &f64| match value.is_finite() {
        true if *value == target => 0.0,
        true => (value - target).abs() / (value.abs() + target.abs()),
        false => 1.0,
    };
    let sum: f64 = values.iter().map(error).sum();
    let lost = values.iter().filter(|value| !value.is_finite()).count();
    (100.0 * sum / values.len() as f64, lost)
}

/// Propagates the batch forward through all layers and the gradients backward.
///
/// The samples are processed in groups whose slopes take at most 600 MB. Uniform weights, and
/// others that take more than 600 MB, are drawn again for each group and each direction.
///
/// # Errors
/// Returns [`PropagateError::Theory`] if a size or a deviation is out of range, and
/// [`PropagateError::Engine`] if memory or threads are unavailable.
pub fn propagate(plan: &PropagationPlan) -> Result<Propagation, PropagateError> {
    check(plan)?;
    let PropagationPlan { depth, width, batch, sigma_p, .. } = *plan;
    let mut layers = DenseLayers::new(&plan.activation, plan.threads)?;
    let group = (MAX_KEPT_VALUES / (depth * width)).clamp(1, batch);
    let mut weights = Weights::new(plan, &layers)?;
    let mut values = zeros(group * width)?;
    let mut next = zeros(group * width)?;
    let mut slopes = zeros(group * width * depth)?;
    let mut forward_variance = vec![0.0; depth];
    let mut backward_variance = vec![0.0; depth];
    let (mut last, mut first) = (Vec::new(), Vec::new());
    for start in (0..batch).step_by(group) {
        let len = group.min(batch - start) * width;
        let (mut values, mut next) = (&mut values[..len], &mut next[..len]);
        draw_normal(&layers, plan, INPUTS, start, sigma_p, values);
        for (layer, mean) in forward_variance.iter_mut().enumerate() {
            layers.value_and_slope(values, &mut slopes[layer * len..(layer + 1) * len])?;
            let weights = weights.layer(&layers, layer);
            layers.forward(weights, width, values, next)?;
            std::mem::swap(&mut values, &mut next);
            add_variances(&layers, width, values, mean, (layer + 1 == depth).then_some(&mut last));
        }
        draw_normal(&layers, plan, GRADIENTS, start, 1.0, values);
        for (layer, mean) in backward_variance.iter_mut().enumerate().rev() {
            let weights = weights.layer(&layers, layer);
            layers.backward(weights, width, values, next)?;
            layers.multiply(next, &slopes[layer * len..(layer + 1) * len])?;
            std::mem::swap(&mut values, &mut next);
            add_variances(&layers, width, values, mean, (layer == 0).then_some(&mut first));
        }
    }
    for sum in forward_variance.iter_mut().chain(&mut backward_variance) {
        *sum /= batch as f64;
    }
    let (e_f, forward_non_finite) = smape(&last, sigma_p * sigma_p);
    let (e_b, backward_non_finite) = smape(&first, 1.0);
    Ok(Propagation {
        e_f,
        e_b,
        forward_variance,
        backward_variance,
        forward_non_finite,
        backward_non_finite,
    })
}

/// Returns [`Error::OutOfRange`] for sizes and deviations that are out of range.
fn check(plan: &PropagationPlan) -> Result<(), Error> {
    let within = |quantity: &str, value: usize, max: usize, expected| {
        let min = if quantity == "width" { 2 } else { 1 };
        if (min..=max).contains(&value) {
            return Ok(());
        }
        Err(Error::OutOfRange { quantity: quantity.into(), value: value as f64, expected })
    };
    within("depth", plan.depth, MAX_DEPTH, "from 1 to 10000 layers")?;
    within("width", plan.width, MAX_WIDTH, "from 2 to 8192 units")?;
    within("batch", plan.batch, MAX_SAMPLES, "from 1 to 10000000 samples")?;
    for (quantity, value) in
        [("sigma_p", plan.sigma_p), ("the variance of the weights", plan.weight_variance)]
    {
        if !(value.is_finite() && value > 0.0) {
            let expected = "a finite number above 0";
            return Err(Error::OutOfRange { quantity: quantity.into(), value, expected });
        }
    }
    Ok(())
}

fn zeros(len: usize) -> Result<Vec<f32>, EngineError> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(len)
        .map_err(|_| EngineError::Memory { mebibytes: len.div_ceil(1 << 18) })?;
    values.resize(len, 0.0);
    Ok(values)
}

/// Draws from N(0, std²) for the samples from `start` on. The numbers of a sample do not depend on
/// its group.
fn draw_normal(
    layers: &DenseLayers,
    plan: &PropagationPlan,
    substream: u32,
    start: usize,
    std: f64,
    values: &mut [f32],
) {
    let random = Random::new(plan.seed, SAMPLES, substream);
    layers.fill_rows(values, plan.width, |row, values| {
        let first = (start + row) * plan.width;
        for (unit, value) in values.iter_mut().enumerate() {
            *value = (std * random.normal((first + unit) as u64)) as f32;
        }
    });
}

/// Adds the variance of each row to `sum`, in the order of the rows, and appends it to `keep`.
fn add_variances(
    layers: &DenseLayers,
    width: usize,
    values: &[f32],
    sum: &mut f64,
    keep: Option<&mut Vec<f64>>,
) {
    let variances = layers.map_rows(values, width, variance);
    *sum += variances.iter().sum::<f64>();
    if let Some(keep) = keep {
        keep.extend(variances);
    }
}

/// Σ (x - mean)²/(n - 1).
fn variance(values: &[f32]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
    let squares = values.iter().map(|x| (f64::from(*x) - mean) * (f64::from(*x) - mean));
    squares.sum::<f64>() / (count - 1.0)
}

#[cfg(test)]
mod derivative_tests;
#[cfg(test)]
mod tests;
