//! Float32 arithmetic in which every operation is rounded once, to compare errors with.

use std::ops::{Add, Div, Mul, Neg, Sub};

use vi3nr::Real;

/// A float32 number with correctly rounded functions.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Single(pub(super) f32);

impl Single {
    /// The rounded result of a function in double precision.
    fn rounded(self, function: impl Fn(f64) -> f64) -> Self {
        Self(function(self.0.into()) as f32)
    }

    fn both(self, function: impl Fn(f64) -> (f64, f64)) -> (Self, Self) {
        let (first, second) = function(self.0.into());
        (Self(first as f32), Self(second as f32))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $operator:tt) => {
        impl $trait for Single {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0 $operator other.0)
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl Neg for Single {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

macro_rules! functions {
    ($($name:ident),*) => {
        $(fn $name(self) -> Self {
            self.rounded(Real::$name)
        })*
    };
}

impl Real for Single {
    fn from_f64(value: f64) -> Self {
        Self(value as f32)
    }

    fn mul_add(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }

    functions!(
        abs, exp, exp_m1, ln, ln_1p, sqrt, tanh, sinh, cosh, sech, erf, erfc, atan, sigmoid,
        softplus
    );

    fn sin_cos(self) -> (Self, Self) {
        self.both(f64::sin_cos)
    }

    fn sinc_and_slope(self) -> (Self, Self) {
        self.both(Real::sinc_and_slope)
    }

    fn sinc_jet(self) -> [Self; 4] {
        Real::sinc_jet(f64::from(self.0)).map(|value| Self(value as f32))
    }

    fn powf(self, exponent: Self) -> Self {
        self.rounded(|x| Real::powf(x, exponent.0.into()))
    }
}
