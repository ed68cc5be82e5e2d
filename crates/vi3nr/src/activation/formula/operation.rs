//! The elementary functions of formulas.

use crate::Real;

/// A function of one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the functions of `Real` by their names
pub enum Unary {
    Negate,
    Absolute,
    Sign,
    Exp,
    ExpM1,
    Ln,
    Ln1P,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Tanh,
    Sinh,
    Cosh,
    Sech,
    Erf,
    Erfc,
    Atan,
    Sigmoid,
    Softplus,
    Sinc,
    SincSlope,
    SincSecond,
    SincThird,
}

impl Unary {
    /// The function at `x`.
    #[inline(always)]
    pub fn apply<R: Real>(self, x: R) -> R {
        match self {
            Self::Negate => -x,
            Self::Absolute => x.abs(),
            Self::Sign => x.sign(),
            Self::Exp => x.exp(),
            Self::ExpM1 => x.exp_m1(),
            Self::Ln => x.ln(),
            Self::Ln1P => x.ln_1p(),
            Self::Sqrt => x.sqrt(),
            Self::Sin => x.sin_cos().0,
            Self::Cos => x.sin_cos().1,
            Self::Tan => {
                let (sine, cosine) = x.sin_cos();
                sine / cosine
            }
            Self::Tanh => x.tanh(),
            Self::Sinh => x.sinh(),
            Self::Cosh => x.cosh(),
            Self::Sech => x.sech(),
            Self::Erf => x.erf(),
            Self::Erfc => x.erfc(),
            Self::Atan => x.atan(),
            Self::Sigmoid => x.sigmoid(),
            Self::Softplus => x.softplus(),
            Self::Sinc => x.sinc_and_slope().0,
            Self::SincSlope => x.sinc_and_slope().1,
            Self::SincSecond => x.sinc_jet()[2],
            Self::SincThird => x.sinc_jet()[3],
        }
    }
}

/// A function of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b.
    Add,
    /// a - b.
    Subtract,
    /// a b.
    Multiply,
    /// a/b.
    Divide,
    /// a^b, for a of at least 0.
    Power,
    /// The larger of both; a if they are equal.
    Maximum,
    /// The smaller of both; a if they are equal.
    Minimum,
}

impl Binary {
    /// The function at (`a`, `b`).
    #[inline(always)]
    pub fn apply<R: Real>(self, a: R, b: R) -> R {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => a.powf(b),
            // Written so that a NaN in `a` propagates.
            Self::Maximum => R::select(a < b, b, a),
            Self::Minimum => R::select(a > b, b, a),
        }
    }
}

/// Two functions of one operand that are cheaper to compute together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pair {
    /// The sine and the cosine.
    SinCos,
    /// sin(x)/x and its derivative.
    SincAndSlope,
}

impl Pair {
    /// All pairs.
    pub(super) const ALL: [Self; 2] = [Self::SinCos, Self::SincAndSlope];

    /// The two functions, each by itself.
    pub fn functions(self) -> (Unary, Unary) {
        match self {
            Self::SinCos => (Unary::Sin, Unary::Cos),
            Self::SincAndSlope => (Unary::Sinc, Unary::SincSlope),
        }
    }

    /// Both functions at `x`.
    #[inline(always)]
    pub fn apply<R: Real>(self, x: R) -> (R, R) {
        match self {
            Self::SinCos => x.sin_cos(),
            Self::SincAndSlope => x.sinc_and_slope(),
        }
    }
}
