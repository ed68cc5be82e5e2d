//! The errors that the width of the network alone explains.

use serde::Serialize;
use vi3nr::finite_width::{FiniteWidth, Layers};
use vi3nr::stability::{Depth, Instability};
use vi3nr::{Error, Moments};

use super::PropagationPlan;

/// A relative difference up to which a variance counts as kept.
const KEPT: f64 = 1e-6;

/// What the theory predicts for an experiment whose layers keep the variance σ_p² in the mean over
/// networks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expectation {
    /// χ: what a layer without biases multiplies an error in the variance by.
    pub chi: f64,
    /// What a layer of this experiment multiplies it by: χ times the share of the weights in the
    /// variance.
    pub error_factor: f64,
    /// What a layer multiplies the variance of the gradient by, Eq. (10).
    pub gradient_growth: f64,
    /// The mean forward error over networks of this width, in percent. It describes small deviations:
    /// where `error_factor` is above 1, they do not stay small.
    pub e_f: f64,
    /// The mean backward error over networks of this width, in percent.
    pub e_b: f64,
    /// The largest number of layers after which the variance is within a factor of 2 of σ_p² with a
    /// probability of 95 %; `None` if it is at every depth.
    pub max_depth: Option<usize>,
    /// Why the variance does not stay, in a sentence.
    pub warning: Option<String>,
}

/// The expectation for `plan`; `None` if its layers do not keep σ_p², as with a scheme that has no
/// σ_p, or if an expectation of the theory does not exist.
pub fn expectation(plan: &PropagationPlan) -> Option<Expectation> {
    try_expectation(plan).ok().flatten()
}

fn try_expectation(plan: &PropagationPlan) -> Result<Option<Expectation>, Error> {
    let PropagationPlan { ref activation, sigma_p, width, depth, .. } = *plan;
    let moments = Moments::of(activation, sigma_p)?;
    let product = plan.weight_variance * width as f64;
    let share = product * moments.second_moment.value / (sigma_p * sigma_p);
    let kept = share + plan.bias_variance / (sigma_p * sigma_p);
    if (kept - 1.0).abs() > KEPT {
        return Ok(None);
    }
    let growth = product * moments.derivative_second_moment.value;
    let layers = Layers { share, growth, width, depth };
    let own = FiniteWidth::of(activation, sigma_p)?;
    let unstable = Instability::of(activation, &Depth { sigma_p, share, width, layers: depth })?;
    Ok(Some(Expectation {
        chi: own.chi,
        error_factor: share * own.chi,
        gradient_growth: growth,
        e_f: own.forward(&layers).smape(),
        e_b: own.backward(&layers).smape(),
        max_depth: own.max_depth(share, width),
        warning: unstable.map(|unstable| unstable.to_string()),
    }))
}
