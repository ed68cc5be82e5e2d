//! The constant that derivatives leave open.

use crate::plan::FitPlan;
use crate::points::Region;
use crate::signal::Signal;

/// If a fit on derivatives leaves the constant of each output open, adds the constant that brings
/// the mean of the `values` at the samples to that of the signal: to the values and to the biases
/// of the last layer. Returns the mean squared error of the values.
pub(crate) fn settle(
    plan: &FitPlan,
    signal: &dyn Signal,
    parameters: &mut [f32],
    values: &mut [f32],
) -> f64 {
    let mut truth = Vec::with_capacity(values.len());
    let whole = plan.signal.axes().into_iter().map(|length| 0..length).collect();
    signal.push_values(&Region::new(whole), &mut truth);
    let outputs = plan.network.outputs();
    if plan.supervision.leaves_constant_open()
        && let Some(last) = plan.network.layers().last()
    {
        let count = (values.len() / outputs).max(1) as f64;
        for output in 0..outputs {
            let pairs = values.iter().zip(&truth).skip(output).step_by(outputs);
            let sum: f64 = pairs.map(|(value, y)| f64::from(*y) - f64::from(*value)).sum();
            let constant = (sum / count) as f32;
            parameters[last.biases.start + output] += constant;
            values.iter_mut().skip(output).step_by(outputs).for_each(|value| *value += constant);
        }
    }
    crate::metrics::mean_squared_error(values, &truth)
}
