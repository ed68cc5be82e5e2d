//! The initialization of a network, for a fit and for drawing initial weights alone.

use vi3nr::number::significant;
use vi3nr::scheme::{
    ChosenScheme, SchemeField, SchemeRefusal, SchemeRequest, SigmaReason, SigmaRequests,
};
use vi3nr::stability::{Depth, Instability};
use vi3nr::{BiasRule, Error, InitRule, Network, Scheme};

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
/// `recipe`. Both a fit and drawing initial weights alone use it. `centroid` is the
/// [`spectral_centroid`](crate::signal::spectral_centroid) of the signal, if one is at hand.
///
/// # Errors
/// Returns a [`RequestError`] that names the fields if a number is out of range, if settings
/// contradict each other, or if the scheme does not support the activation.
pub fn resolve_initialization(
    request: &FitRequest,
    network: &Network,
    recipe: &Recipe,
    centroid: Option<f64>,
) -> Result<Initialization, RequestError> {
    let activation = network.activation();
    let sigmas = SigmaRequests {
        sigma_p: request.sigma_p,
        first_sigma_p: request.first_sigma_p,
        last_sigma_p: request.last_sigma_p,
    };
    let chosen =
        with_noise(request.init.unwrap_or(SchemeRequest::Auto), network, recipe, centroid)?
            .resolve(activation, &sigmas, recipe.sigma_p_factor)
            .map_err(request_error)?;
    let mut reasons = Vec::new();
    if request.init.is_none_or(|asked| asked == SchemeRequest::Auto) {
        let text = match chosen.sigma_p {
            None => format!("{}, which was published with this activation", chosen.scheme),
            Some(_) => format!("{}, the paper's scheme", chosen.scheme),
        };
        reasons.push(Reason { field: "init", text });
    }
    if let (true, Some(centroid)) = (request.init.is_some_and(|own| own.needs_spectrum()), centroid)
    {
        let centroid = significant(centroid, DIGITS);
        let text = format!("{}, noise for a spectral centroid of {centroid}", chosen.scheme);
        reasons.push(Reason { field: "init", text });
    }
    for (field, sigma_p) in [("sigma_p", chosen.sigma_p), ("first_sigma_p", chosen.first_sigma_p)] {
        if let Some(sigma_p) = sigma_p.filter(|own| own.reason != SigmaReason::Given) {
            let text = format!("{}, {}", significant(sigma_p.value, DIGITS), sigma_p.reason);
            reasons.push(Reason { field, text });
        }
    }
    let (first_biases, biases) = biases(request, network, recipe, &chosen);
    let is_chosen = request.first_bias.is_none() && request.biases.is_none();
    if is_chosen && activation.is_even() && ![biases, BiasRule::Zero].contains(&first_biases) {
        let text = format!("{first_biases}: with f(-x) = f(x) and no biases the network is even");
        reasons.push(Reason { field: "first_bias", text });
    }
    let rule = InitRule::new(chosen.scheme)
        .with_weights(request.weights.unwrap_or(chosen.scheme.usual_weights()))
        .with_biases(biases)
        .with_first_biases(first_biases);
    let mut warnings = chosen.scheme.warnings(activation);
    warnings.extend(instability(network, &rule));
    Ok(Initialization { rule, reasons, warnings })
}

/// The request with the noise that follows from the spectral centroid of the signal, if it depends on it.
/// Without a signal it is left as it is.
fn with_noise(
    asked: SchemeRequest,
    network: &Network,
    recipe: &Recipe,
    centroid: Option<f64>,
) -> Result<SchemeRequest, RequestError> {
    if !asked.needs_spectrum() {
        return Ok(asked);
    }
    let Some(noise) = recipe.winner else {
        let seen = "winner, whose noise follows from the spectrum of an image or of audio; a shape has none";
        return Err(RequestError::new("init", seen, "winner:s0=S,s1=S or another scheme"));
    };
    // Another activation is refused with the request as it was written.
    Ok(match (centroid, network.activation().sine_frequency()) {
        (Some(centroid), Some(omega)) => {
            SchemeRequest::Winner { noise: Some(noise.stds(centroid, network.outputs(), omega)) }
        }
        _ => asked,
    })
}

/// The biases of the first layer and of the others: those of the request, of the scheme if it determines
/// any, or of the recipe, in this order.
fn biases(
    request: &FitRequest,
    network: &Network,
    recipe: &Recipe,
    chosen: &ChosenScheme,
) -> (BiasRule, BiasRule) {
    let own = chosen.scheme.usual_biases();
    let others = match (request.biases, own) {
        (Some(given), _) => given,
        (None, BiasRule::Zero) => recipe.biases,
        (None, own) => own,
    };
    let own_first = chosen.scheme.usual_first_biases();
    let first = match (request.first_bias, request.biases, own) {
        (Some(first), ..) => first,
        (None, Some(all), _) => all,
        (None, None, _) if own_first != BiasRule::Zero => own_first,
        // The scheme keeps the variance without biases there, but an even network would stay even.
        (None, None, BiasRule::Scheme) if !network.activation().is_even() => BiasRule::Zero,
        (None, None, _) => recipe.first_biases(network.activation()),
    };
    (first, others)
}

/// A warning if an error in the variance of the preactivations grows within the network.
/// [`Scheme::EdgeOfChaos`] warns of it itself, at any depth.
fn instability(network: &Network, rule: &InitRule) -> Option<String> {
    if matches!(rule.scheme, Scheme::EdgeOfChaos { .. }) {
        return None;
    }
    let depth = Depth::of(rule, network, rule.scheme.sigma_p()?).ok()??;
    let unstable = Instability::of(network.activation(), &depth).ok()??;
    Some(unstable.to_string())
}

/// The error as one in the fields of the request.
fn request_error(refusal: SchemeRefusal) -> RequestError {
    let field = match refusal.field() {
        Some(SchemeField::Scheme) => "init",
        Some(SchemeField::SigmaP) => "sigma_p",
        Some(SchemeField::FirstSigmaP) => "first_sigma_p",
        Some(SchemeField::LastSigmaP) => "last_sigma_p",
        _ if matches!(refusal, SchemeRefusal::Theory(Error::Scheme { .. })) => "init",
        _ => "activation",
    };
    RequestError::new(field, refusal.to_string(), "")
}
