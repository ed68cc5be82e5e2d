//! The initialization of a network, for a fit and for drawing initial weights alone.

use vi3nr::number::significant;
use vi3nr::scheme::{SchemeField, SchemeRefusal, SchemeRequest, SigmaReason};
use vi3nr::{InitRule, Network, variance_sensitivity};

use super::Reason;
use crate::recipe::Recipe;
use crate::request::{FitRequest, RequestError};

/// Digits of sigma_p in its reason.
const DIGITS: usize = 6;

/// The initialization of a network, with the reasons for its defaults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Initialization {
    /// The rule by which the initial weights are drawn.
    pub rule: InitRule,
    /// The reasons for the settings that were not given.
    pub reasons: Vec<Reason>,
    /// Warnings that the scheme was not designed for the activation.
    pub warnings: Vec<String>,
}

/// Resolves the initialization of `network` from the settings of `request` and the defaults of
/// `recipe`. Both a fit and drawing initial weights alone use it.
///
/// # Errors
/// Returns a [`RequestError`] that names the fields if a number is out of range, if settings
/// contradict each other, or if the scheme does not support the activation.
pub fn resolve_initialization(
    request: &FitRequest,
    network: &Network,
    recipe: &Recipe,
) -> Result<Initialization, RequestError> {
    let activation = network.activation();
    let chosen = request
        .init
        .unwrap_or(SchemeRequest::Auto)
        .resolve(activation, request.sigma_p, request.last_sigma_p, recipe.sigma_p_factor)
        .map_err(request_error)?;
    let mut reasons = Vec::new();
    if request.init.is_none_or(|asked| asked == SchemeRequest::Auto) {
        let text = match chosen.sigma_p {
            None => format!("{}, which was published with this activation", chosen.scheme),
            Some(_) => format!("{}, the paper's scheme", chosen.scheme),
        };
        reasons.push(Reason { field: "init", text });
    }
    if let Some(sigma_p) = chosen.sigma_p.filter(|own| own.reason != SigmaReason::Given) {
        let text = format!("{}, {}", significant(sigma_p.value, DIGITS), sigma_p.reason);
        reasons.push(Reason { field: "sigma_p", text });
    }
    let biases = request.biases.unwrap_or(recipe.biases);
    let first_biases = match (request.first_bias, request.biases) {
        (Some(first), _) => first,
        (None, Some(all)) => all,
        (None, None) => recipe.first_biases(activation),
    };
    if request.first_bias.is_none() && first_biases != biases {
        let text = format!("{first_biases}: with f(-x) = f(x) and no biases the network is even");
        reasons.push(Reason { field: "first_bias", text });
    }
    let rule = InitRule::new(chosen.scheme)
        .with_weights(request.weights.unwrap_or(chosen.scheme.usual_weights()))
        .with_biases(biases)
        .with_first_biases(first_biases);
    let mut warnings = chosen.scheme.warnings(activation);
    warnings.extend(instability(network, chosen.sigma_p.map(|own| own.value)));
    Ok(Initialization { rule, reasons, warnings })
}

/// A warning if an error in the variance of the preactivations grows tenfold within the network.
fn instability(network: &Network, sigma_p: Option<f64>) -> Option<String> {
    let chi = variance_sensitivity(network.activation(), sigma_p?).ok()?;
    let layers = std::f64::consts::LN_10 / chi.ln();
    let is_grown = chi > 1.0 + 1e-6 && network.layer_count() as f64 > layers;
    is_grown.then(|| {
        format!(
            "sigma_p is not stable for {}: a layer multiplies an error in the variance by {chi:.3}, \
             tenfold in {layers:.0} layers",
            network.activation()
        )
    })
}

/// The error as one in the fields of the request.
fn request_error(refusal: SchemeRefusal) -> RequestError {
    let field = match refusal.field() {
        Some(SchemeField::Scheme) => "init",
        Some(SchemeField::SigmaP) => "sigma_p",
        Some(SchemeField::LastSigmaP) => "last_sigma_p",
        _ => "activation",
    };
    RequestError::new(field, refusal.to_string(), "")
}
