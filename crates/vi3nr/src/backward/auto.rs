//! A σ_p where none is given.

use super::answer::Solution;
use super::backward_condition;
use super::solve::solve;
use crate::{Activation, Error, Gain};

/// |condition - 1| that networks of usual depth bear: that of SIREN's own σ_p = 1/ω, coth(1) - 1.
pub(crate) const MAX_DEVIATION: f64 = 0.3131;

/// Failures in a row after which no smaller σ_p is tried: each may take a second.
const PATIENCE: usize = 16;

/// A σ_p to start from when none is given.
///
/// The smallest σ_p at which the backward condition, Eq. (13), holds; where it never does or always
/// does, 1 if the condition there is within SIREN's own distance of 1 (coth 1 - 1 = 0.313), else the
/// largest σ_p below 1 for which it is: 1/ω for sin(ωx). Where moments are finite for small σ_p only, as
/// those of exp(x²), larger ones do not count.
///
/// # Errors
/// Returns [`Error::Moment`] if no σ_p up to 1 has moments.
///
/// ```
/// let gaussian = "gaussian:sigma=0.05".parse()?;
/// assert!((vi3nr::auto_sigma_p(&gaussian)? - 0.0776886987).abs() < 1e-9);
/// let sine = "sine:omega=30".parse()?;
/// assert!((vi3nr::auto_sigma_p(&sine)? - 1.0 / 30.0).abs() < 1e-4);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn auto_sigma_p(activation: &Activation) -> Result<f64, Error> {
    smallest_root(activation)?.map_or_else(|| fallback(activation).map(|found| found.0), Ok)
}

/// The smallest root of Eq. (13), where it has isolated ones. Where E\[f'²\] does not exist there is no
/// condition, and so no root.
pub(crate) fn smallest_root(activation: &Activation) -> Result<Option<f64>, Error> {
    if activation.singularities().is_some_and(|known| known.divergent[3].is_some()) {
        return Ok(None);
    }
    match solve(activation, 1.0)?.solution {
        Solution::Roots(roots) => Ok(roots.first().map(|root| root.sigma_p)),
        _ => Ok(None),
    }
}

/// Which σ_p is taken where Eq. (13) singles out none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// 1, where the condition is that near.
    One,
    /// The largest below 1 for which it is.
    LargestNear,
    /// The largest up to 1 that has moments.
    LargestFinite,
}

/// The σ_p of [`auto_sigma_p`] where Eq. (13) has no root or every σ_p is one.
pub(crate) fn fallback(activation: &Activation) -> Result<(f64, Fallback), Error> {
    let slack = |sigma_p: f64| {
        Ok::<f64, Error>(MAX_DEVIATION - (backward_condition(activation, sigma_p)? - 1.0).abs())
    };
    let at_1 = slack(1.0);
    if matches!(at_1, Ok(slack) if slack >= 0.0) {
        return Ok((1.0, Fallback::One));
    }
    if activation.singularities().is_some_and(|known| known.divergent[3].is_some()) {
        // Only the forward condition is left.
        return Gain::of(activation, 1.0).map(|_| (1.0, Fallback::LargestFinite));
    }
    // Down in steps of a tenth; then the exact place by bisection. What cannot be computed, such as
    // moments that are infinite for larger sigma_p, is passed over.
    let mut largest = at_1.as_ref().ok().map(|_| 1.0);
    let (mut above, mut failures) = (1.0, 0);
    for _ in 0..100 {
        let below = above / 1.1;
        if let Ok(seen) = slack(below) {
            if seen >= 0.0 {
                let (mut low, mut high) = (below, above);
                for _ in 0..60 {
                    let middle = 0.5 * (low + high);
                    let is_near = matches!(slack(middle), Ok(slack) if slack >= 0.0);
                    if is_near { low = middle } else { high = middle }
                }
                return Ok((low, Fallback::LargestNear));
            }
            largest = largest.or(Some(below));
            failures = 0;
        } else {
            failures += 1;
            if failures == PATIENCE {
                break;
            }
        }
        above = below;
    }
    match (largest, at_1) {
        (Some(sigma_p), _) => Ok((sigma_p, Fallback::LargestFinite)),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Ok((1.0, Fallback::LargestFinite)),
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
        ] {
            let seen = auto_sigma_p(&name.parse().unwrap()).unwrap();
            assert!((seen / sigma_p - 1.0).abs() < 1e-4, "{name}: {seen}, not {sigma_p}");
        }
    }
}
