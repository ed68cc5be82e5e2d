//! The distributions of initial weights and biases, and their text forms.

use std::fmt;
use std::str::FromStr;

use crate::{Error, number, require_positive};

/// The distribution of the weights, with mean 0 and the variance σ²(W) that the scheme determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightShape {
    /// U(-c, c) with c = √3 times the standard deviation, Eq. (7).
    Uniform,
    /// N(0, σ²(W)).
    Normal,
    /// A normal distribution truncated at two of its own standard deviations, and scaled by 1.1369
    /// to have the variance σ²(W).
    TruncatedNormal,
    /// Rows (or columns, if there are fewer of them) of a random orthogonal matrix, scaled to the
    /// variance σ²(W). The paper does not use it. The variances of the theory hold, and all
    /// singular values are equal. Layers can have at most
    /// [`MAX_ORTHOGONAL_WIDTH`](super::MAX_ORTHOGONAL_WIDTH) units.
    Orthogonal,
}

impl WeightShape {
    /// All distributions.
    pub const ALL: [Self; 4] =
        [Self::Uniform, Self::Normal, Self::TruncatedNormal, Self::Orthogonal];

    /// The name in files and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::TruncatedNormal => "truncated-normal",
            Self::Orthogonal => "orthogonal",
        }
    }

    /// The distribution of biases that are drawn like the weights: the entries of a random orthogonal
    /// matrix are nearly normal.
    fn of_biases(self) -> Self {
        match self {
            Self::Orthogonal => Self::Normal,
            shape => shape,
        }
    }
}

/// A rule for the initial biases.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum BiasRule {
    /// All biases are 0, as the theory of the paper assumes.
    Zero,
    /// Drawn from the distribution of the layer's weights without noise, as in the paper's networks for
    /// audio.
    /// Biases of a layer with orthogonal weights are normal.
    LikeWeights,
    /// Drawn from U(-b, b) with b = 1/√fan-in of each layer, PyTorch's default for `nn.Linear`.
    FanIn,
    /// Drawn from U(-bound, bound).
    Uniform {
        /// The largest magnitude, a finite number above 0.
        bound: f64,
    },
    /// Drawn from N(0, std²).
    Normal {
        /// The standard deviation, a finite number above 0.
        std: f64,
    },
    /// As the scheme determines: normal biases for [`Scheme::EdgeOfChaos`](super::Scheme::EdgeOfChaos),
    /// 0 for schemes without biases.
    Scheme,
}

impl BiasRule {
    /// The distribution and the standard deviation of the biases of a layer with `fan_in` inputs and these
    /// weights, for which the scheme determines normal biases of the variance `of_scheme`.
    pub(super) fn distribution(
        self,
        fan_in: usize,
        weights: WeightShape,
        weight_std: f64,
        of_scheme: f64,
    ) -> (WeightShape, f64) {
        match self {
            Self::Zero => (WeightShape::Normal, 0.0),
            Self::LikeWeights => (weights.of_biases(), weight_std),
            Self::FanIn => (WeightShape::Uniform, libm::sqrt(1.0 / (3.0 * fan_in as f64))),
            Self::Uniform { bound } => (WeightShape::Uniform, bound / libm::sqrt(3.0)),
            Self::Normal { std } => (WeightShape::Normal, std),
            Self::Scheme => (WeightShape::Normal, libm::sqrt(of_scheme)),
        }
    }

    /// Checks the number of the rule.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if it is not finite and above 0.
    pub(super) fn check(self) -> Result<(), Error> {
        match self {
            Self::Uniform { bound } => require_positive("the bound of the biases", bound),
            Self::Normal { std } => require_positive("the standard deviation of the biases", std),
            Self::Zero | Self::LikeWeights | Self::FanIn | Self::Scheme => Ok(()),
        }
    }
}

/// Writes `zero`, `like-weights`, `fan-in`, `uniform:B`, `normal:S` or `scheme`.
impl fmt::Display for BiasRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("zero"),
            Self::LikeWeights => f.write_str("like-weights"),
            Self::FanIn => f.write_str("fan-in"),
            Self::Uniform { bound } => write!(f, "uniform:{bound}"),
            Self::Normal { std } => write!(f, "normal:{std}"),
            Self::Scheme => f.write_str("scheme"),
        }
    }
}

impl FromStr for BiasRule {
    type Err = Error;

    /// Reads `zero`, `like-weights`, `fan-in`, `uniform:B`, `normal:S` or `scheme`.
    ///
    /// # Errors
    /// Returns [`Error::Unreadable`] if the text is none of these or a number is not finite and above
    /// 0.
    fn from_str(text: &str) -> Result<Self, Error> {
        let number_after = |prefix| {
            let value = number::real(text.strip_prefix(prefix)?)?;
            (value.is_finite() && value > 0.0).then_some(value)
        };
        let rule = match text {
            "zero" => Some(Self::Zero),
            "like-weights" => Some(Self::LikeWeights),
            "fan-in" => Some(Self::FanIn),
            "scheme" => Some(Self::Scheme),
            _ => number_after("uniform:")
                .map(|bound| Self::Uniform { bound })
                .or_else(|| number_after("normal:").map(|std| Self::Normal { std })),
        };
        let expected = "zero, like-weights, fan-in, uniform:B or normal:S with a finite number above 0, \
                        or scheme";
        rule.ok_or_else(|| Error::unreadable("a rule for biases", text, expected))
    }
}

/// Writes the [`name`](WeightShape::name).
impl fmt::Display for WeightShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for WeightShape {
    type Err = Error;

    /// Reads `uniform`, `normal`, `truncated-normal` or `orthogonal`.
    ///
    /// # Errors
    /// Returns [`Error::Unreadable`] if the text is none of these.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|shape| shape.name() == text).ok_or_else(|| {
            let expected = "uniform, normal, truncated-normal or orthogonal";
            Error::unreadable("a distribution of weights", text, expected)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_rules_are_read_as_they_are_written() {
        for rule in [
            BiasRule::Zero,
            BiasRule::LikeWeights,
            BiasRule::FanIn,
            BiasRule::Uniform { bound: 0.3 },
            BiasRule::Normal { std: 0.2 },
            BiasRule::Scheme,
        ] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        for text in [
            "",
            "uniform",
            "uniform:",
            "uniform:0",
            "uniform:-1",
            "uniform:inf",
            "normal:",
            "normal:nan",
            "0.3",
        ] {
            assert!(text.parse::<BiasRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn weight_shapes_are_read_by_their_names() {
        for shape in WeightShape::ALL {
            assert_eq!(shape.to_string().parse(), Ok(shape));
        }
        let error = "gaussian".parse::<WeightShape>().unwrap_err().to_string();
        assert!(error.contains("'gaussian'") && error.contains("truncated-normal"), "{error}");
    }
}
