//! A σ_p where none is given.

use super::answer::Solution;
use super::refine::{Condition, crossing};
use super::solve::solve;
use crate::moments::budget::Budget;
use crate::{Activation, Bounded, Error, Gain, Real};

/// |condition - 1| that networks of usual depth bear: that of SIREN's own σ_p = 1/ω, coth(1) - 1.
pub(crate) const MAX_DEVIATION: f64 = 0.3131;

/// The factor from one σ_p to the next, its largest value where moments cannot be computed, and the σ_p
/// below which none is tried.
const STEP: f64 = 1.1;
const MAX_STEP: f64 = 2.0;
const SMALLEST: f64 = 1e-4;
/// Failures in a row after which no smaller σ_p is tried.
const PATIENCE: usize = 16;
/// Operations for the search and, once more, for the exact place; and for one integral.
const OPERATIONS: u64 = 12_000_000;
const PER_INTEGRAL: u64 = 2_000_000;

/// A σ_p to start from when none is given.
///
/// The smallest σ_p at which the backward condition, Eq. (13), holds; where it never does or always
/// does, 1 if the condition there is within SIREN's own distance of 1 (coth 1 - 1 = 0.313), else the
/// largest σ_p below 1 for which it is: 1/ω for sin(ωx). Where moments are finite for small σ_p only, as
/// those of exp(x²), larger ones do not count.
///
/// # Errors
/// Returns [`Error::Moment`] if no σ_p up to 1 has moments that can be computed.
///
/// ```
/// let gaussian = "gaussian:sigma=0.05".parse()?;
/// assert!((vi3nr::auto_sigma_p(&gaussian)? - 0.0776886987).abs() < 1e-9);
/// let sine = "sine:omega=30".parse()?;
/// assert!((vi3nr::auto_sigma_p(&sine)? - 1.0 / 30.0).abs() < 1e-4);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn auto_sigma_p(activation: &Activation) -> Result<f64, Error> {
    Ok(choose(activation)?.0)
}

/// Why a σ_p is taken where none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It is the smallest root of Eq. (13).
    SmallestRoot,
    /// 1, since every σ_p is a root.
    Every,
    /// 1, where the condition is near enough to 1.
    One,
    /// The largest below 1 for which it is.
    LargestNear,
    /// The largest up to 1 that has moments.
    LargestFinite,
}

/// The σ_p of [`auto_sigma_p`] with the reason for it.
pub(crate) fn choose(activation: &Activation) -> Result<(f64, Choice), Error> {
    // Where E[f'²] does not exist there is no condition, and so no root.
    let has_condition = activation.singularities().is_none_or(|known| known.divergent[3].is_none());
    if !has_condition {
        // Only the forward condition is left.
        return Gain::of(activation, 1.0).map(|_| (1.0, Choice::LargestFinite));
    }
    let solution = solve(activation, 1.0)?.solution;
    if let Solution::Roots(roots) = &solution
        && let Some(root) = roots.first()
    {
        return Ok((root.sigma_p, Choice::SmallestRoot));
    }
    let (sigma_p, choice) = without_root(activation)?;
    match (choice, solution) {
        (Choice::One, Solution::Every) => Ok((sigma_p, Choice::Every)),
        _ => Ok((sigma_p, choice)),
    }
}

/// The choice where Eq. (13) has no isolated root.
fn without_root(activation: &Activation) -> Result<(f64, Choice), Error> {
    let budget = Budget::of(OPERATIONS, PER_INTEGRAL);
    let slack = |sigma_p: f64| -> Result<Bounded, Error> {
        let gain = Gain::within(activation, sigma_p, &budget)?;
        let away = (gain.finite_condition(activation)? - Bounded::exact(1.0)).abs();
        Ok(Bounded::exact(MAX_DEVIATION) - away)
    };
    let at_1 = slack(1.0);
    if matches!(at_1, Ok(slack) if slack.value >= 0.0) {
        return Ok((1.0, Choice::One));
    }
    // Down in steps of a tenth; then the exact place. What cannot be computed, such as moments that are
    // infinite for larger sigma_p, is passed over in ever larger steps.
    let mut largest = at_1.as_ref().ok().map(|_| 1.0);
    let (mut above, mut step, mut failures) = (1.0, STEP, 0);
    while above > SMALLEST {
        let below = above / step;
        match slack(below) {
            Ok(seen) if seen.value >= 0.0 => {
                budget.renew();
                return Ok((last_near(below, above, &slack)?, Choice::LargestNear));
            }
            Ok(_) => {
                largest = largest.or(Some(below));
                (step, failures) = (STEP, 0);
            }
            Err(_) => {
                (step, failures) = ((step * step).min(MAX_STEP), failures + 1);
                if failures == PATIENCE {
                    break;
                }
            }
        }
        above = below;
    }
    match (largest, at_1) {
        (Some(sigma_p), _) => Ok((sigma_p, Choice::LargestFinite)),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Ok((1.0, Choice::LargestFinite)),
    }
}

/// Where `slack` falls below 0 between `near`, where it is not, and `far`, where it is or cannot be
/// computed.
fn last_near(near: f64, far: f64, slack: Condition) -> Result<f64, Error> {
    let (mut near, mut far) = (near, far);
    for _ in 0..60 {
        match slack(far) {
            Ok(_) => break,
            Err(_) => {
                let middle = 0.5 * (near + far);
                match slack(middle) {
                    Ok(seen) if seen.value >= 0.0 => near = middle,
                    _ => far = middle,
                }
            }
        }
    }
    let shifted = |sigma_p: f64| Ok(Bounded::exact(1.0) + slack(sigma_p)?);
    match slack(far) {
        Ok(_) => Ok(crossing(near, far, &shifted)?.unwrap_or(near)),
        Err(_) => Ok(near),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_sigmas() {
        for (name, sigma_p) in [
            ("gaussian:sigma=0.2", 0.2 * (1.0 + 2f64.sqrt()).sqrt()),
            ("sigmoid", 6.754575),
            ("sinc:a=1", 2.223335),
            ("wavelet:a=1", 0.870469),
            ("tanh", 1.0),
            ("relu", 1.0),
            ("sine:omega=5", 0.2),
            ("sin(5*x)", 0.2),
            ("exp(x^2)", 0.4550898605622273),
            // At 1 and a little below the oscillation is not resolved.
            ("sin(sinh(2*x))", 0.32551947912955),
        ] {
            let seen = auto_sigma_p(&name.parse().unwrap()).unwrap();
            assert!((seen / sigma_p - 1.0).abs() < 1e-4, "{name}: {seen}, not {sigma_p}");
        }
    }
}
