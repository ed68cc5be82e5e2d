//! Resolving what a network learns from a signal.

use super::Reason;
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
    let given = [("supervise", request.supervise.is_some()), ("terms", request.terms.is_some())];
    let given: Vec<&'static str> =
        given.into_iter().filter(|(_, is)| *is).map(|(field, _)| field).collect();
    let Some(default) = offered.first() else {
        if given.is_empty() {
            return Ok(Supervision::Values);
        }
        let seen = format!("only shapes have this setting, and the signal is of kind {kind}");
        return Err(RequestError::of_fields(&given, seen, ""));
    };
    let supervise = match (request.supervise, &request.terms) {
        (Some(Supervise::Distance), Some(_)) => {
            let seen = "terms, but signed distances are learned without terms";
            return Err(RequestError::of_fields(&given, seen, "surface, or no terms"));
        }
        (Some(asked), _) => asked,
        (None, Some(_)) => Supervise::Surface,
        (None, None) => *default,
    };
    match supervise {
        Supervise::Distance => Ok(Supervision::Values),
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
    let given = [
        ("clamp", shape.clamp.is_some()),
        ("loss", shape.loss.is_some()),
        ("target_psnr", request.target_psnr.is_some()),
    ];
    let given: Vec<&'static str> =
        given.into_iter().filter(|(_, is)| *is).map(|(field, _)| field).collect();
    if given.is_empty() {
        return Ok(());
    }
    let seen = "this is a setting of the loss on signed distances, and the loss is a sum of terms";
    Err(RequestError::of_fields(&given, seen, "none, or to supervise by distance"))
}

/// The default terms of a shape.
fn default_terms(reasons: &mut Vec<Reason>) -> Result<TermList, RequestError> {
    let text = format!("{SURFACE_TERMS}, the best by measurement for points of a surface");
    reasons.push(Reason { field: "terms", text });
    SURFACE_TERMS.parse().map_err(|error: String| RequestError::new("terms", error, ""))
}
