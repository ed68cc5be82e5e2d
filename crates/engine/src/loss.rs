//! The loss of a single value.

/// The loss ρ of one value Φ(x) and its target y, with e = Φ(x) - y. The loss of a
/// [`Batch`](crate::Batch) is the mean of ρ over points and outputs.
///
/// ```
/// use vi3nr_engine::Loss;
///
/// assert_eq!(Loss::Squared.value_and_slope(3.0, 1.0), (4.0, 4.0));
/// assert_eq!(Loss::Absolute.value_and_slope(1.0, 3.0), (2.0, -1.0));
/// // Both values are clamped to 0.1, so the loss is 0.
/// let clamped = Loss::ClampedAbsolute { limit: 0.1 };
/// assert_eq!(clamped.value_and_slope(1.0, 3.0), (0.0, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// ρ = e², with the slope 2e.
    #[default]
    Squared,
    /// ρ = |e|, with the slope sign(e), which is 0 at e = 0.
    Absolute,
    /// ρ = |clamp(Φ(x)) - clamp(y)|, with both values clamped to [-limit, limit]. This is the
    /// common loss for signed distances, which matter only near the surface.
    ///
    /// The slope is the sign of the clamped difference even where |Φ(x)| exceeds the limit, so that
    /// a value far on the wrong side of the surface still has a gradient. It is 0 where both values
    /// lie beyond the same limit.
    ClampedAbsolute {
        /// The largest distance that counts; positive.
        limit: f64,
    },
    /// ρ = (clamp(Φ(x)) - clamp(y))², with twice the clamped difference as its slope; otherwise as
    /// [`Loss::ClampedAbsolute`].
    ClampedSquared {
        /// The largest distance that counts; positive.
        limit: f64,
    },
}

impl Loss {
    /// The loss ρ of `value` for `target`, and its derivative with respect to `value`.
    ///
    /// Neither contains a factor 1/2 or the factor 1/(n · outputs) of the mean: the squared loss e²
    /// has the slope 2e. If `value` or `target` is NaN, both results are NaN.
    pub fn value_and_slope(self, value: f64, target: f64) -> (f64, f64) {
        match self {
            Self::Squared => squared(value - target),
            Self::Absolute => absolute(value - target),
            Self::ClampedSquared { limit } => squared(clamped(value, target, limit)),
            Self::ClampedAbsolute { limit } => absolute(clamped(value, target, limit)),
        }
    }
}

/// The difference of `value` and `target`, both clamped to [-limit, limit].
fn clamped(value: f64, target: f64, limit: f64) -> f64 {
    // `f64::clamp` would panic if the limit is NaN or negative.
    let inside = |x: f64| if x.abs() > limit { limit.copysign(x) } else { x };
    inside(value) - inside(target)
}

/// e² and its slope.
fn squared(error: f64) -> (f64, f64) {
    (error * error, 2.0 * error)
}

/// |e| and its slope, the sign of e.
fn absolute(error: f64) -> (f64, f64) {
    (error.abs(), if error == 0.0 { 0.0 } else { error.signum() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_derivatives_and_nan_propagates() {
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

    /// A value on the wrong side of the surface has a gradient however far away it is.
    #[test]
    fn clamping_ignores_errors_only_on_the_same_side() {
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
