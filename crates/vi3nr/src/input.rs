//! The distribution of the network's inputs, on which the first layer depends.

use crate::{Error, require_positive};

/// The distribution of an input coordinate x_0. The variance of the first layer's weights depends
/// on its second moment E\[x_0²\] = μ²(x_0) + σ²(x_0), Eq. (4) for i = 0.
///
/// ```
/// use vi3nr::InputDistribution;
///
/// // Eq. (22) and (23): uniform on [-1, 1].
/// assert_eq!(InputDistribution::COORDINATES.second_moment()?, 1.0 / 3.0);
/// let data = InputDistribution::Measured { mean: 0.5, variance: 0.04 };
/// assert!((data.second_moment()? - 0.29).abs() < 1e-15);
/// # Ok::<(), vi3nr::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InputDistribution {
    /// U(lo, hi).
    Uniform {
        /// The smallest coordinate.
        lo: f64,
        /// The largest coordinate.
        hi: f64,
    },
    /// N(mean, std²).
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Any distribution with this mean and variance, for example those measured on data.
    Measured {
        /// The mean μ(x_0).
        mean: f64,
        /// The variance σ²(x_0).
        variance: f64,
    },
}

impl InputDistribution {
    /// Coordinates uniform on [-1, 1], Eq. (22) and (23).
    pub const COORDINATES: Self = Self::Uniform { lo: -1.0, hi: 1.0 };

    /// E\[x_0²\].
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `hi` is below `lo`, the standard deviation or variance is
    /// below 0, or the second moment is 0 or not finite.
    pub fn second_moment(&self) -> Result<f64, Error> {
        let (spread, second_moment) = match *self {
            Self::Uniform { lo, hi } => (hi - lo, (lo * lo + lo * hi + hi * hi) / 3.0),
            Self::Normal { mean, std } => (std, mean * mean + std * std),
            Self::Measured { mean, variance } => (variance, mean * mean + variance),
        };
        if spread.is_nan() || spread < 0.0 {
            return Err(Error::OutOfRange {
                quantity: "the spread of the inputs".into(),
                value: spread,
                expected: "a finite number, at least 0",
            });
        }
        require_positive("the mean square of the inputs", second_moment)?;
        Ok(second_moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_moments() {
        let of = |input: InputDistribution| input.second_moment().unwrap();
        assert_eq!(of(InputDistribution::COORDINATES), 1.0 / 3.0);
        assert_eq!(of(InputDistribution::Uniform { lo: 0.0, hi: 3.0 }), 3.0);
        assert_eq!(of(InputDistribution::Uniform { lo: 2.0, hi: 2.0 }), 4.0);
        assert_eq!(of(InputDistribution::Normal { mean: 3.0, std: 4.0 }), 25.0);
        for bad in [
            InputDistribution::Uniform { lo: 1.0, hi: -1.0 },
            InputDistribution::Uniform { lo: 0.0, hi: f64::INFINITY },
            InputDistribution::Normal { mean: 0.0, std: 0.0 },
            InputDistribution::Normal { mean: 1.0, std: -1.0 },
            InputDistribution::Measured { mean: f64::NAN, variance: 1.0 },
        ] {
            assert!(bad.second_moment().is_err(), "{bad:?}");
        }
    }
}
