//! How far a value lies from its target.

/// What is averaged over points and outputs, with e = Φ(x) - y.
///
/// ```
/// use vi3nr_engine::Loss;
///
/// assert_eq!(Loss::Squared.value_and_slope(3.0, 1.0), (4.0, 4.0));
/// assert_eq!(Loss::Absolute.value_and_slope(1.0, 3.0), (2.0, -1.0));
/// // Both are beyond 0.1: nothing is to be learnt here.
/// let clamped = Loss::ClampedAbsolute { limit: 0.1 };
/// assert_eq!(clamped.value_and_slope(1.0, 3.0), (0.0, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// e².
    #[default]
    Squared,
    /// |e|, whose slope at 0 is taken as 0.
    Absolute,
    /// |clamp(Φ(x)) - clamp(y)|, both clamped to [-limit, limit]: the usual loss of signed distances,
    /// which are wanted near the surface only. The slope is the sign of that difference even where
    /// Φ(x) exceeds the limit, so that a value far on the wrong side is drawn back; it is 0 where both
    /// lie beyond the same limit.
    ClampedAbsolute {
        /// The largest distance that counts; positive.
        limit: f64,
    },
    /// The square of what [`Loss::ClampedAbsolute`] is, under the same rules.
    ClampedSquared {
        /// The largest distance that counts; positive.
        limit: f64,
    },
}

impl Loss {
    /// The loss of `value` against `target` and its derivative by `value`. NaN stays NaN.
    pub fn value_and_slope(self, value: f64, target: f64) -> (f64, f64) {
        match self {
            Self::Squared => squared(value - target),
            Self::Absolute => absolute(value - target),
            Self::ClampedSquared { limit } => squared(clamped(value, target, limit)),
            Self::ClampedAbsolute { limit } => absolute(clamped(value, target, limit)),
        }
    }
}

/// The difference of both clamped to [-limit, limit].
fn clamped(value: f64, target: f64, limit: f64) -> f64 {
    // Not `clamp`, which panics where the limit is not a number.
    let inside = |x: f64| if x.abs() > limit { limit.copysign(x) } else { x };
    inside(value) - inside(target)
}

/// e² and its slope.
fn squared(error: f64) -> (f64, f64) {
    (error * error, 2.0 * error)
}

/// |e| and its sign.
fn absolute(error: f64) -> (f64, f64) {
    (error.abs(), if error == 0.0 { 0.0 } else { error.signum() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_derivatives_and_not_a_number_stays() {
        for loss in [
            Loss::Squared,
            Loss::Absolute,
            Loss::ClampedAbsolute { limit: 0.5 },
            Loss::ClampedSquared { limit: 0.5 },
        ] {
            for (value, target) in [(0.3, -0.2), (-0.1, 0.4), (0.2, 0.9), (-0.3, -2.0)] {
                let at = |x| loss.value_and_slope(x, target).0;
                let quotient = (at(value + 1e-6) - at(value - 1e-6)) / 2e-6;
                let slope = loss.value_and_slope(value, target).1;
                assert!((slope - quotient).abs() < 1e-8, "{loss:?} at {value}, {target}");
            }
            assert_eq!(loss.value_and_slope(0.25, 0.25), (0.0, 0.0));
            let (seen, slope) = loss.value_and_slope(f64::NAN, 0.0);
            assert!(seen.is_nan() && slope.is_nan(), "{loss:?}");
        }
    }

    /// On the wrong side of the surface a value is drawn back however far it is.
    #[test]
    fn clamping_forgives_only_the_same_side() {
        let loss = Loss::ClampedAbsolute { limit: 0.5 };
        assert_eq!(loss.value_and_slope(9.0, 0.7), (0.0, 0.0));
        assert_eq!(loss.value_and_slope(9.0, -0.7), (1.0, 1.0));
        assert_eq!(loss.value_and_slope(9.0, 0.25), (0.25, 1.0));
        let loss = Loss::ClampedSquared { limit: 0.5 };
        assert_eq!(loss.value_and_slope(9.0, 0.7), (0.0, 0.0));
        assert_eq!(loss.value_and_slope(9.0, -0.7), (1.0, 2.0));
        assert_eq!(loss.value_and_slope(9.0, 0.25), (0.0625, 0.5));
    }
}
