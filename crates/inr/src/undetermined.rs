//! What a loss on terms leaves open: a constant, or the sign.

use vi3nr_engine::Backend;

use crate::model_file::Body;
use crate::plan::FitPlan;
use crate::points::Region;
use crate::signal::{Reconstruction, Signal, SignalError};
use crate::supervision::Supervision;

/// The values of the signal at all samples, for a fit on derivatives, whose loss does not measure
/// them.
pub(crate) fn samples(plan: &FitPlan, signal: &dyn Signal) -> Option<Vec<f32>> {
    matches!(plan.supervision, Supervision::Derivatives(_)).then(|| {
        let mut samples = Vec::new();
        let whole = plan.signal.axes().into_iter().map(|length| 0..length).collect();
        signal.push_values(&Region::new(whole), &mut samples);
        samples
    })
}

/// If a fit leaves the constant of each output open, adds the constant that brings the mean of the
/// `values` at the samples to that of the signal's `samples`: to the values and to the biases of the
/// last layer.
pub(crate) fn settle_constants(
    plan: &FitPlan,
    samples: &[f32],
    parameters: &mut [f32],
    values: &mut [f32],
) {
    if !plan.supervision.leaves_constant_open() {
        return;
    }
    let Some(last) = plan.network.layers().pop() else { return };
    let outputs = plan.network.outputs();
    let count = (values.len() / outputs).max(1) as f64;
    for output in 0..outputs {
        let pairs = values.iter().zip(samples).skip(output).step_by(outputs);
        let sum: f64 = pairs.map(|(value, y)| f64::from(*y) - f64::from(*value)).sum();
        let constant = (sum / count) as f32;
        parameters[last.biases.start + output] += constant;
        values.iter_mut().skip(output).step_by(outputs).for_each(|value| *value += constant);
    }
}

/// Changes the parameters of Φ into those of -Φ if the network represents the latter.
///
/// # Errors
/// Returns the error of [`Signal::is_negated`].
pub(crate) fn settle_sign(
    plan: &FitPlan,
    signal: &dyn Signal,
    backend: &dyn Backend,
    parameters: &mut [f32],
) -> Result<(), SignalError> {
    let body = Body::Network { network: plan.network.clone(), parameters: parameters.to_vec() };
    let own = Reconstruction { body: &body, values: &[], backend };
    if backend.workers().install(|| signal.is_negated(&own))?
        && let Some(last) = plan.network.layers().pop()
    {
        for range in [last.weights, last.biases] {
            parameters[range].iter_mut().for_each(|parameter| *parameter = -*parameter);
        }
    }
    Ok(())
}
