//! Resolving what a network learns from a signal.

use vi3nr_engine::{Power, Term, WeightedTerm};

use super::Reason;
use super::check::set;
use crate::recipe::SURFACE_TERMS;
use crate::request::{FitRequest, RequestError};
use crate::signal::SignalInfo;
use crate::supervision::{Supervise, Supervision, TermList, regions};

/// The supervision of a fit, by the request or the default of the signal.
pub(super) fn resolve_supervision(
    request: &FitRequest,
    info: &dyn SignalInfo,
    reasons: &mut Vec<Reason>,
) -> Result<Supervision, RequestError> {
    let offered = info.supervisions();
    let kind = info.kind();
    let given =
        set(&[("supervise", request.supervise.is_some()), ("terms", request.terms.is_some())]);
    let Some(default) = offered.first() else {
        if given.is_empty() {
            return Ok(Supervision::Values);
        }
        let seen =
            format!("only images and shapes have this setting; the signal is of kind {kind}");
        return Err(RequestError::of_fields(&given, seen, ""));
    };
    if let Some(asked) = request.supervise.filter(|asked| !offered.contains(asked)) {
        let known: Vec<&str> = offered.iter().map(|offer| offer.as_str()).collect();
        let seen = format!("{}, which a signal of kind {kind} does not offer", asked.as_str());
        return Err(RequestError::new("supervise", seen, format!("one of {}", known.join(", "))));
    }
    let supervise = match (request.supervise, &request.terms) {
        (Some(Supervise::Value), Some(_)) => {
            let seen = "terms, but values are learned without terms";
            return Err(RequestError::of_fields(
                &given,
                seen,
                "gradient or laplacian, or no terms",
            ));
        }
        (None, Some(_)) if offered.contains(&Supervise::Gradient) => Supervise::Gradient,
        (Some(Supervise::Distance), Some(_)) => {
            let seen = "terms, but signed distances are learned without terms";
            return Err(RequestError::of_fields(&given, seen, "surface, or no terms"));
        }
        (Some(asked), _) => asked,
        (None, Some(_)) => Supervise::Surface,
        (None, None) => *default,
    };
    match supervise {
        Supervise::Distance | Supervise::Value => Ok(Supervision::Values),
        Supervise::Gradient | Supervise::Laplacian => {
            require_no_values(request)?;
            let terms = match &request.terms {
                Some(list) => list.terms(),
                None if supervise == Supervise::Gradient => vec![GRADIENT],
                None => vec![LAPLACIAN],
            };
            derivatives(terms)
        }
        Supervise::Surface => {
            require_no_values(request)?;
            let list = match &request.terms {
                Some(list) => list.clone(),
                None => default_terms(reasons)?,
            };
            surface(&list)
        }
    }
}

/// The term of `supervise = gradient` without terms.
const GRADIENT: WeightedTerm =
    WeightedTerm { term: Term::Gradient { power: Power::Two, signed: true }, weight: 1.0 };
/// The term of `supervise = laplacian` without terms.
const LAPLACIAN: WeightedTerm =
    WeightedTerm { term: Term::Laplacian { power: Power::Two }, weight: 1.0 };

/// The terms of an image.
fn derivatives(terms: Vec<WeightedTerm>) -> Result<Supervision, RequestError> {
    let has_target = |weighted: &&WeightedTerm| {
        matches!(
            weighted.term,
            Term::Value { signed: true, .. }
                | Term::Gradient { signed: true, .. }
                | Term::Laplacian { .. }
        )
    };
    if let Some(foreign) = terms.iter().find(|term| !has_target(term)) {
        let seen = format!("{foreign}, for which images have no targets");
        return Err(RequestError::new("terms", seen, "value, gradient or laplacian"));
    }
    if terms.iter().all(|weighted| weighted.term.order() == 0) {
        let seen = "no term on a derivative";
        return Err(RequestError::new(
            "terms",
            seen,
            "gradient or laplacian with a weight above 0",
        ));
    }
    Ok(Supervision::Derivatives(terms))
}

/// The terms of `list` for a shape.
fn surface(list: &TermList) -> Result<Supervision, RequestError> {
    let terms = list.terms();
    if terms.is_empty() {
        let seen = format!("{list}, whose weights are 0");
        return Err(RequestError::new("terms", seen, "a term with a weight above 0"));
    }
    if let Some(foreign) = terms.iter().find(|term| regions(term.term).is_empty()) {
        let seen = format!("{foreign}, for which shapes have no targets");
        return Err(RequestError::new("terms", seen, "another term"));
    }
    Ok(Supervision::Surface(terms))
}

/// Checks that there are no settings of a loss on values.
fn require_no_values(request: &FitRequest) -> Result<(), RequestError> {
    let shape = &request.signal.shape;
    let given = set(&[
        ("clamp", shape.clamp.is_some()),
        ("loss", shape.loss.is_some()),
        ("target_psnr", request.target_psnr.is_some()),
        ("quality", request.quality.is_some()),
        ("tile", request.tile.is_some()),
    ]);
    if given.is_empty() {
        return Ok(());
    }
    let seen = "this is a setting of the loss on values, and the loss is a sum of terms";
    Err(RequestError::of_fields(&given, seen, "none, or no terms"))
}

/// The default terms of a shape.
fn default_terms(reasons: &mut Vec<Reason>) -> Result<TermList, RequestError> {
    let text = format!("{SURFACE_TERMS}, the best by measurement for points of a surface");
    reasons.push(Reason { field: "terms", text });
    SURFACE_TERMS.parse().map_err(|error: String| RequestError::new("terms", error, ""))
}
