//! Bounds on the values of an activation's steps, which save operations against overflow.

use vi3nr::activation::formula::{Binary, Unary};

use super::function::{Source, Step};

/// An interval that contains all values of a step, for any input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

const NOT_NEGATIVE: Range = Range { low: 0.0, high: f64::INFINITY };

impl Range {
    /// All numbers.
    pub(super) const WHOLE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The range of a source, if `ranges` are those of the steps that it may be.
    pub(super) fn of_source(source: Source, ranges: &[Self]) -> Self {
        match source {
            Source::Input => Self::WHOLE,
            Source::Constant(value) => Self { low: value, high: value },
            Source::Step(index) => ranges[index],
        }
    }

    /// The range of a step, if `ranges` are those of the earlier steps.
    pub(super) fn of_step(step: &Step, ranges: &[Self]) -> Self {
        let of = |source| Self::of_source(source, ranges);
        match *step {
            Step::Unary(function, u) => of(u).unary(function),
            Step::Binary(function, u, v) => of(u).binary(function, of(v)),
            Step::Power(_, exponent) if exponent % 2 == 0 => NOT_NEGATIVE,
            Step::Power(..) => Self::WHOLE,
            Step::Choose([.., then, otherwise]) => {
                let (then, otherwise) = (of(then), of(otherwise));
                let (low, high) = (then.low.min(otherwise.low), then.high.max(otherwise.high));
                Self { low, high }
            }
        }
    }

    fn unary(self, function: Unary) -> Self {
        match function {
            Unary::Negate => Self { low: -self.high, high: -self.low },
            Unary::Sign | Unary::Sin | Unary::Cos | Unary::Tanh | Unary::Erf | Unary::Sinc => {
                Self { low: -1.0, high: 1.0 }
            }
            Unary::Sech | Unary::Sigmoid => Self { low: 0.0, high: 1.0 },
            Unary::Erfc => Self { low: 0.0, high: 2.0 },
            Unary::Absolute | Unary::Exp | Unary::Sqrt | Unary::Cosh | Unary::Softplus => {
                NOT_NEGATIVE
            }
            Unary::Atan | Unary::SincSlope | Unary::SincSecond | Unary::SincThird => {
                Self { low: -1.6, high: 1.6 }
            }
            Unary::ExpM1 => Self { low: -1.0, high: f64::INFINITY },
            Unary::Ln | Unary::Ln1P | Unary::Tan | Unary::Sinh => Self::WHOLE,
        }
    }

    fn binary(self, function: Binary, other: Self) -> Self {
        let combined = match function {
            Binary::Add => Self { low: self.low + other.low, high: self.high + other.high },
            Binary::Subtract => Self { low: self.low - other.high, high: self.high - other.low },
            Binary::Maximum => {
                Self { low: self.low.max(other.low), high: self.high.max(other.high) }
            }
            Binary::Minimum => {
                Self { low: self.low.min(other.low), high: self.high.min(other.high) }
            }
            Binary::Multiply => {
                let corners =
                    [self.low, self.high].map(|a| [other.low, other.high].map(|b| product(a, b)));
                let corners = corners.as_flattened();
                Self {
                    low: corners.iter().copied().fold(f64::INFINITY, f64::min),
                    high: corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                }
            }
            Binary::Power => NOT_NEGATIVE,
            Binary::Divide => Self::WHOLE,
        };
        if combined.low <= combined.high { combined } else { Self::WHOLE }
    }
}

/// The product of two ends of ranges, which are approached and not reached if infinite.
fn product(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { a * b }
}

#[cfg(test)]
mod tests {
    use super::super::function::Steps;

    #[test]
    fn exponents_of_bell_curves_are_bounded() {
        let range = |text: &str| {
            let steps =
                Steps::of(&text.parse::<vi3nr::Activation>().unwrap().to_formula().unwrap());
            steps.value_range()
        };
        for text in ["-x^2/(2*0.05^2)", "-abs(x)/3", "min(x,0)", "-sin(x)*80", "x^2*-cosh(x)"] {
            assert!(range(text).high <= 88.0, "{text}: {:?}", range(text));
        }
        for text in ["x", "x^3", "abs(x)-1", "x*-abs(x)", "sin(x)/x*x", "exp(x)"] {
            assert!(range(text).high > 88.0, "{text}: {:?}", range(text));
        }
    }
}
