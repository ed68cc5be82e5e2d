//! Bounds of the results of a program, which show where it could overflow.

use vi3nr::activation::formula::{Binary, Unary};

/// The largest magnitude of the argument of an activation that the bounds hold for. A network whose
/// preactivations are larger has diverged.
const LARGEST_ARGUMENT: f64 = 1e15;

/// What results are bounded by: below the largest float32 number by more than rounding errors.
pub(super) const LARGEST: f64 = 3.4e38;

/// All numbers from `lo` to `hi`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) lo: f64,
    pub(super) hi: f64,
}

/// Every number, also those that overflow.
const UNBOUNDED: Range = Range { lo: f64::NEG_INFINITY, hi: f64::INFINITY };

impl Range {
    /// The arguments of the activation.
    pub(super) const INPUT: Self = Self { lo: -LARGEST_ARGUMENT, hi: LARGEST_ARGUMENT };

    pub(super) fn point(value: f64) -> Self {
        Self { lo: value, hi: value }
    }

    /// The part within ±[`LARGEST`].
    pub(super) fn bounded(self) -> Self {
        Self { lo: self.lo.clamp(-LARGEST, LARGEST), hi: self.hi.clamp(-LARGEST, LARGEST) }
    }

    /// The numbers of both.
    pub(super) fn or(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// The range of an increasing function.
    fn increasing(self, function: impl Fn(f64) -> f64) -> Self {
        Self { lo: function(self.lo), hi: function(self.hi) }
    }

    fn magnitude(self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    fn multiply(self, other: Self) -> Self {
        let products =
            [self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi];
        products.map(Self::point).into_iter().reduce(Self::or).unwrap_or(UNBOUNDED)
    }

    /// The squares.
    pub(super) fn squared(self) -> Self {
        let square = self.multiply(self);
        let least = if self.lo > 0.0 || self.hi < 0.0 { square.lo } else { 0.0 };
        Self { lo: least.max(0.0), hi: square.hi }
    }

    fn divide(self, other: Self) -> Self {
        if other.lo <= 0.0 && other.hi >= 0.0 {
            return UNBOUNDED;
        }
        self.multiply(Self { lo: 1.0 / other.hi, hi: 1.0 / other.lo })
    }

    /// The range of `function` as the library computes it.
    pub(super) fn unary(self, function: Unary) -> Self {
        let within = |lo: f64, hi: f64| Self { lo, hi };
        match function {
            Unary::Negate => within(-self.hi, -self.lo),
            Unary::Absolute => {
                let least = if self.lo > 0.0 { self.lo } else { (-self.hi).max(0.0) };
                within(least, self.magnitude())
            }
            Unary::Exp => self.increasing(f64::exp).bounded(),
            Unary::ExpM1 => self.increasing(f64::exp_m1).bounded(),
            Unary::Ln => {
                within(self.lo.max(1e-38).ln(), self.hi.max(1e-38).ln()).with_pole(self.lo)
            }
            Unary::Ln1P => Self { lo: self.lo + 1.0, hi: self.hi + 1.0 }.unary(Unary::Ln),
            Unary::Sqrt => within(self.lo.max(0.0).sqrt(), self.hi.max(0.0).sqrt()),
            Unary::Tan => UNBOUNDED,
            Unary::Sinh => self.increasing(f64::sinh).bounded(),
            Unary::Cosh => within(1.0, self.magnitude().cosh()).bounded(),
            Unary::Sech | Unary::Sigmoid => within(0.0, 1.0),
            Unary::Erfc | Unary::Atan => within(-2.0, 2.0),
            Unary::Softplus => within(0.0, self.hi.max(0.0) + 1.0),
            Unary::Sign
            | Unary::Sin
            | Unary::Cos
            | Unary::Tanh
            | Unary::Erf
            | Unary::Sinc
            | Unary::SincSlope
            | Unary::SincSecond
            | Unary::SincThird => within(-1.0, 1.0),
        }
    }

    /// The range of a logarithm, which is -[`LARGEST`] where its argument is 0.
    fn with_pole(self, least_argument: f64) -> Self {
        if least_argument > 0.0 { self } else { Self { lo: -LARGEST, ..self } }
    }

    /// The range of `function` of two numbers.
    pub(super) fn binary(self, function: Binary, other: Self) -> Self {
        match function {
            Binary::Add => Self { lo: self.lo + other.lo, hi: self.hi + other.hi },
            Binary::Subtract => Self { lo: self.lo - other.hi, hi: self.hi - other.lo },
            Binary::Multiply => self.multiply(other),
            Binary::Divide => self.divide(other),
            // The library bounds it.
            Binary::Power => Self { lo: 0.0, hi: LARGEST },
            Binary::Maximum => Self { lo: self.lo.max(other.lo), hi: self.hi.max(other.hi) },
            Binary::Minimum => Self { lo: self.lo.min(other.lo), hi: self.hi.min(other.hi) },
        }
    }
}
