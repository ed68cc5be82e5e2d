//! The condition and the gain over a range of σ_p, as one draws them.

use crate::moments::budget::Budget;
use crate::{Activation, Error, Gain, require_positive};

/// Failures in a row after which no farther σ_p is tried in that direction: each may take a part of a second.
const PATIENCE: usize = 2;

/// Operations for each direction, and for one integral.
const OPERATIONS: u64 = 20_000_000;
const PER_INTEGRAL: u64 = 4_000_000;

/// What one σ_p gives.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct CurvePoint {
    /// The standard deviation of the preactivations.
    pub sigma_p: f64,
    /// gain²(f, σ_p), Eq. (15).
    pub gain_squared: f64,
    /// The left side of Eq. (13) for M_i = M_{i+1}.
    pub condition: f64,
}

/// Gain and condition from exact moments at `count` σ_p (at least 2) from `from` to `to`, evenly
/// spaced in their logarithms. What cannot be computed is left out; from the middle of the range
/// outwards, each side ends after two failures in a row.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if the ends are not finite numbers with 0 < `from` < `to`, and
/// [`Error::Moment`] if nothing can be computed.
///
/// ```
/// use vi3nr::backward::curve;
///
/// let points = curve(&"tanh".parse()?, 1e-3, 1e3, 61)?;
/// assert_eq!(points.len(), 61);
/// assert!(points.iter().all(|point| point.condition > 1.0));
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn curve(
    activation: &Activation,
    from: f64,
    to: f64,
    count: usize,
) -> Result<Vec<CurvePoint>, Error> {
    require_positive("the lowest sigma_p", from)?;
    require_positive("the highest sigma_p", to)?;
    if from >= to {
        return Err(Error::OutOfRange {
            quantity: "the highest sigma_p".into(),
            value: to,
            expected: "more than the lowest",
        });
    }
    let count = count.max(2);
    let (low, high) = (libm::log(from), libm::log(to));
    let budget = Budget::of(OPERATIONS, PER_INTEGRAL);
    let point = |index: usize| {
        let share = index as f64 / (count - 1) as f64;
        let sigma_p = libm::exp(low + share * (high - low)).clamp(from, to);
        let gain = Gain::within(activation, sigma_p, &budget)?;
        Ok(CurvePoint {
            sigma_p,
            gain_squared: gain.gain_squared.value,
            condition: gain.finite_condition(activation)?.value,
        })
    };
    let middle = count / 2;
    let (mut below, first) = outwards((0..middle).rev().map(point));
    budget.renew();
    let (above, second) = outwards((middle..count).map(point));
    below.reverse();
    below.extend(above);
    match (below.is_empty(), second.or(first)) {
        (true, Some(error)) => Err(error),
        _ => Ok(below),
    }
}

/// The points up to where patience ends, and the last error.
fn outwards(
    points: impl Iterator<Item = Result<CurvePoint, Error>>,
) -> (Vec<CurvePoint>, Option<Error>) {
    let (mut kept, mut last, mut failures) = (Vec::new(), None, 0);
    for point in points {
        match point {
            Ok(point) => {
                kept.push(point);
                failures = 0;
            }
            Err(error) => {
                last = Some(error);
                failures += 1;
                if failures == PATIENCE {
                    break;
                }
            }
        }
    }
    (kept, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_in_order_and_end_where_moments_do() {
        let points = curve(&"gaussian".parse().unwrap(), 1e-2, 10.0, 31).unwrap();
        assert!(points.windows(2).all(|pair| pair[0].sigma_p < pair[1].sigma_p));
        assert_eq!((points[0].sigma_p, points[30].sigma_p), (1e-2, 10.0));
        // E[exp(2x²)] is finite for sigma_p < 1/2 only.
        let partial = curve(&"exp(x^2)".parse().unwrap(), 1e-2, 10.0, 31).unwrap();
        assert!(partial.last().unwrap().sigma_p < 0.5 && partial.len() > 10);
    }

    #[test]
    fn impossible_ranges_are_refused() {
        let tanh = "tanh".parse().unwrap();
        for (from, to) in [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, f64::INFINITY)] {
            assert!(curve(&tanh, from, to, 10).is_err());
        }
        assert!(curve(&"1/x".parse().unwrap(), 0.1, 1.0, 10).is_err());
    }
}
