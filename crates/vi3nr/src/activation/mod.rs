//! Activations as data: a function, its derivative, its kinks and its parameters.
//!
//! An [`Activation`] is written `NAME` or `NAME:key=value,key=value`, for example
//! `gaussian:sigma=0.05`. Each built-in form lives in one file of this folder and is listed once in
//! [`mod@builtin`]; nothing outside this folder asks which one it holds. Code that needs the
//! function itself in its own number type (an engine's vector loop) calls [`Activation::visit`].
//!
//! ```
//! use vi3nr::Activation;
//!
//! let activation: Activation = "gaussian:sigma=0.1".parse()?;
//! let (value, slope) = activation.value_and_slope(0.1);
//! assert!((value - (-0.5f64).exp()).abs() < 1e-15);
//! assert!((slope + value / 0.1).abs() < 1e-13);
//! assert_eq!(activation.to_string(), "gaussian:sigma=0.1");
//! # Ok::<(), vi3nr::Error>(())
//! ```

pub mod builtin;
mod gaussian;
mod named;
mod relu;
mod sigmoid;
mod sinc;
mod sine;
mod tanh;
mod wavelet;

pub(crate) use named::Named;

use std::fmt;
use std::str::FromStr;

use crate::moments::Moments;
use crate::{Error, Real, Scheme};
use builtin::Form;

/// A scalar function with its derivative, evaluated on any [`Real`].
pub trait Function: Clone + Send + Sync + 'static {
    /// f(x) and f'(x). At a kink the derivative is that of the left side.
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R);

    /// f(x) alone, the same bits as the first part of [`Function::value_and_slope`].
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        self.value_and_slope(x).0
    }
}

/// A caller that wants the concrete [`Function`] behind an [`Activation`].
///
/// The one way to be compiled for each activation without naming any: `visit` is instantiated for
/// every built-in form.
pub trait Visitor {
    /// What the visit returns.
    type Output;

    /// Called with the function of the activation.
    fn visit<F: Function>(self, function: F) -> Self::Output;
}

/// A parameter of a built-in form or scheme: its name, default and accepted range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// The key in `NAME:key=value`.
    pub name: &'static str,
    /// The value when the key is left out.
    pub default: f64,
    /// What the parameter does, in a phrase.
    pub meaning: &'static str,
}

/// The nonlinearity between the layers of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    form: Form,
}

impl Activation {
    /// f(x) and f'(x) in double precision.
    pub fn value_and_slope(&self, x: f64) -> (f64, f64) {
        struct At(f64);
        impl Visitor for At {
            type Output = (f64, f64);
            fn visit<F: Function>(self, function: F) -> (f64, f64) {
                function.value_and_slope(self.0)
            }
        }
        self.visit(At(x))
    }

    /// f(x) in double precision.
    pub fn value(&self, x: f64) -> f64 {
        self.value_and_slope(x).0
    }

    /// The points where f or f' is not smooth, in increasing order.
    pub fn kinks(&self) -> Vec<f64> {
        self.form.kinks()
    }

    /// The parameters by name, in the order in which they are written.
    pub fn parameters(&self) -> Vec<(&'static str, f64)> {
        self.form.parameters()
    }

    /// A parameter's value by its name.
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.parameters().into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The initialisation that was published with this activation, where one was (SIREN's with the
    /// sine).
    pub fn own_scheme(&self) -> Option<Scheme> {
        self.form.own_scheme()
    }

    /// The width of the function's finest feature, the first guess for a quadrature panel.
    pub(crate) fn feature_width(&self) -> f64 {
        self.form.feature_width()
    }

    /// Closed-form moments under N(0, sigma²), where they are known.
    pub(crate) fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        self.form.closed_moments(sigma)
    }

    /// Hands the concrete function to `visitor`.
    pub fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
        self.form.visit(visitor)
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named::write(f, self.form.name(), &self.parameters())
    }
}

impl FromStr for Activation {
    type Err = Error;

    /// Reads `NAME` or `NAME:key=value,key=value`.
    ///
    /// # Errors
    /// An unknown name or key, a value that is not a number, or one out of range.
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(Self { form: Form::from_named(&Named::parse(text)?)? })
    }
}
