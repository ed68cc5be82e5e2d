//! The scheme that the experiment compares, from what the user asked for.

use vi3nr::scheme::{SchemeRefusal, SchemeRequest, SigmaRequest, SigmaRequests};
use vi3nr::{Activation, Error, Scheme};

/// Why a scheme cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChoiceError {
    /// The scheme does not apply to the activation, or needs a number.
    #[error(transparent)]
    Scheme(#[from] SchemeRefusal),
    /// The σ_p of the inputs cannot be computed.
    #[error(transparent)]
    SigmaP(#[from] Error),
}

/// The scheme of all layers and the standard deviation of the input preactivations.
///
/// All activations are compared under the paper's scheme if none is given. `sigma_p` is that of the
/// scheme; schemes that have none take it for their inputs only, where it is 1 by default.
///
/// # Errors
/// Returns [`ChoiceError::Scheme`] if the scheme does not apply, and [`ChoiceError::SigmaP`] if
/// `sigma_p` cannot be computed.
pub fn choose_scheme(
    activation: &Activation,
    init: SchemeRequest,
    sigma_p: Option<SigmaRequest>,
) -> Result<(Scheme, f64), ChoiceError> {
    let asked = match init {
        SchemeRequest::Auto => SchemeRequest::VarianceInformed,
        asked => asked,
    };
    let has_own = matches!(
        asked,
        SchemeRequest::VarianceInformed | SchemeRequest::MonteCarlo | SchemeRequest::EdgeOfChaos
    );
    let own = SigmaRequests { sigma_p: sigma_p.filter(|_| has_own), ..SigmaRequests::default() };
    let scheme = asked.resolve(activation, &own, 1.0)?.scheme;
    let input = match sigma_p {
        Some(asked) => asked.resolve(activation)?.value,
        None => scheme.sigma_p().unwrap_or(1.0),
    };
    Ok((scheme, input))
}
