//! The one σ_p at which the condition crosses 1, where it crosses at most once and upwards.

use super::ends::Ends;
use super::refine::{Condition, crossing, is_sure};
use super::survey::{Sample, close_in};
use crate::{Activation, Error, Moments};

/// The factor from one σ_p to the next, and how many are tried in each direction.
const STEP: f64 = 4.0;
const STEPS: i32 = 14;
/// The factor to a neighbor where the sign at a σ_p is not certain.
const ASIDE: f64 = 1.2;
/// Failures in a row after which no farther σ_p is tried.
const PATIENCE: u32 = 2;
/// The smallest and the largest σ_p that are tried.
const RANGE: [f64; 2] = [1e-150, 1e150];
/// The distance of a limit from 1 below which its side is not certain.
const UNCERTAIN: f64 = 1e-9;

/// What the search has found.
pub(super) struct Crossing {
    /// The root, where both signs were seen.
    pub(super) root: Option<f64>,
    /// The σ_p whose signs are certain, in increasing order.
    pub(super) seen: Vec<Sample>,
}

/// Steps away from the function's own scale, up where the condition is below 1 and down where it is
/// above, until the other sign is certain; then the root between. If the limit of the condition,
/// which is `ratio` times that for equal fans, has the other sign, the steps grow until it is seen.
///
/// # Errors
/// Returns the error of the condition at the function's own scale if it cannot be computed anywhere near.
pub(super) fn find(
    activation: &Activation,
    ratio: f64,
    condition: Condition,
) -> Result<Crossing, Error> {
    let scale = activation.feature_width();
    let at = |sigma: f64| -> Result<Option<Sample>, Error> {
        for place in [sigma, sigma * ASIDE] {
            let cond = condition(place)?;
            if is_sure(cond) {
                return Ok(Some((place, cond)));
            }
        }
        Ok(None)
    };
    let mut first = None;
    let mut failure = None;
    for power in [0, 1, -1, 2, -2, 3, -3, 5, -5, 8, -8] {
        match at(scale * libm::pow(STEP, f64::from(power))) {
            Ok(Some(sample)) => {
                first = Some(sample);
                break;
            }
            Ok(None) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let Some(first) = first else {
        return match failure {
            Some(error) => Err(error),
            None => Ok(Crossing { root: None, seen: Vec::new() }),
        };
    };
    let is_below = first.1.value < 1.0;
    let changes_beyond = || {
        let limits = Ends::of(activation).times(ratio);
        let limit = if is_below { limits.infinity } else { limits.zero };
        limit.is_some_and(|limit| (limit - 1.0).abs() > UNCERTAIN && (limit < 1.0) != is_below)
    };
    let mut factor = if is_below { STEP } else { 1.0 / STEP };
    let mut seen = vec![first];
    let (mut sigma, mut failures) = (first.0, 0);
    for step in 0.. {
        // The limit is computed only if the usual steps have not been enough.
        if RANGE.contains(&sigma) || (step == STEPS && !changes_beyond()) {
            break;
        }
        if step >= STEPS {
            factor *= factor;
        }
        sigma = (sigma * factor).clamp(RANGE[0], RANGE[1]);
        match at(sigma) {
            Ok(Some(sample)) => {
                seen.push(sample);
                failures = 0;
            }
            // So close to 1 that the sign is lost: it is that of a limit.
            Ok(None) => {}
            Err(_) if !Moments::exist(activation, sigma) => {
                close_in(activation, &mut seen, sigma, condition);
                break;
            }
            Err(_) => failures += 1,
        }
        if failures == PATIENCE || seen.last().is_some_and(|last| (last.1.value < 1.0) != is_below)
        {
            break;
        }
    }
    seen.retain(|sample| is_sure(sample.1));
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let change = seen.windows(2).find(|pair| pair[0].1.value < 1.0 && pair[1].1.value > 1.0);
    let root = match change {
        Some(pair) => crossing(pair[0].0, pair[1].0, condition)?,
        None => None,
    };
    Ok(Crossing { root, seen })
}
