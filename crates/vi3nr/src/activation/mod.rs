//! Activations as data: a function, its derivative, its kinks and its parameters.
//!
//! An [`Activation`] is written `NAME` or `NAME:key=value,key=value`, for example
//! `gaussian:sigma=0.05`, or as an expression in x, for example `exp(-x^2/(2*s^2)):s=0.05` (see
//! [`mod@formula`]). Code that needs the function itself in its own number type (an engine's vector
//! loop) calls [`Activation::visit`].
//!
//! # Adding a form
//! A built-in form is one file of `builtin/`, which implements [`Function`] and `Builtin` (its name,
//! parameters, definition as a formula, feature width), and two lines in `builtin/mod.rs`. That is all:
//! it can be typed, drawn, solved for and trained with. What is known of it beyond that is said where
//! it is used, and by default is nothing: moments in closed form in `moments/closed/`, a scheme
//! that was published with it and PyTorch's gain in `scheme/published.rs`. Nothing else asks which
//! form an activation holds.
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
mod construct;
pub mod formula;
mod function;
mod named;
mod parameter;
mod symmetry;
mod visitor;

use std::fmt;
use std::str::FromStr;

use crate::{Error, Real};
use builtin::Form;
pub use formula::Formula;
pub use function::Function;
pub(crate) use named::{Named, write as write_named};
pub use parameter::{Accepted, Parameter};
pub use symmetry::Symmetry;
pub use visitor::Visitor;

/// The nonlinearity between the layers of a network: a built-in form or a formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Builtin(Form),
    /// With the built-in form that it spells out, if it does.
    Formula(Formula, Option<Form>),
}

impl Activation {
    /// f(x) and f'(x) in double precision.
    pub fn value_and_slope(&self, x: f64) -> (f64, f64) {
        self.value_and_slope_on(x)
    }

    /// f(x) in double precision.
    pub fn value(&self, x: f64) -> f64 {
        self.value_and_slope(x).0
    }

    /// f(x) and f'(x) on any number type; a visitor that evaluates once.
    pub(crate) fn value_and_slope_on<R: Real>(&self, x: R) -> (R, R) {
        struct At<R>(R);
        impl<R: Real> Visitor for At<R> {
            type Output = (R, R);
            fn visit<F: Function>(self, function: F) -> (R, R) {
                function.value_and_slope(self.0)
            }
        }
        self.visit(At(x))
    }

    /// Whether f is even or odd, as far as its form tells: what a built-in form states, or what the
    /// expression of a formula proves.
    ///
    /// ```
    /// use vi3nr::activation::Symmetry;
    ///
    /// let symmetry = |text: &str| text.parse::<vi3nr::Activation>().unwrap().symmetry();
    /// assert_eq!(symmetry("gaussian:sigma=0.05"), Symmetry::Even);
    /// assert_eq!(symmetry("x*abs(x)"), Symmetry::Odd);
    /// assert_eq!(symmetry("relu"), Symmetry::Unknown);
    /// ```
    pub fn symmetry(&self) -> Symmetry {
        match &self.kind {
            Kind::Builtin(form) => form.symmetry(),
            Kind::Formula(formula, form) => match (formula.symmetry(), form) {
                (Symmetry::Unknown, Some(form)) => form.symmetry(),
                (proven, _) => proven,
            },
        }
    }

    /// Whether f(-x) = f(x): by [`Activation::symmetry`], and where that is unknown tried at 200 places
    /// from 1e-4 to 1e3. A network without first biases is then an even function of its input.
    ///
    /// ```
    /// let is_even = |text: &str| text.parse::<vi3nr::Activation>().unwrap().is_even();
    /// assert!(is_even("gaussian:sigma=0.05") && is_even("sinc") && is_even("abs(x)"));
    /// assert!(!is_even("sine") && !is_even("relu") && !is_even("cos(x)+0.001*x"));
    /// assert!(is_even("leaky_relu:slope=-1"));
    /// ```
    pub fn is_even(&self) -> bool {
        match self.symmetry() {
            Symmetry::Even => true,
            Symmetry::Odd => false,
            Symmetry::Unknown => (0..200).all(|place| {
                let x = 1e-4 * libm::pow(1e7, f64::from(place) / 199.0);
                let (right, left) = (self.value(x), self.value(-x));
                (right - left).abs() <= 1e-12 * right.abs().max(left.abs())
            }),
        }
    }

    /// ω where the activation is sin(ωx), as the built-in form or as a formula that spells it.
    ///
    /// ```
    /// let omega = |text: &str| text.parse::<vi3nr::Activation>().unwrap().sine_frequency();
    /// assert_eq!(omega("sine:omega=30"), Some(30.0));
    /// assert_eq!(omega("sin(30*x)"), Some(30.0));
    /// assert_eq!(omega("cos(30*x)"), None);
    /// ```
    pub fn sine_frequency(&self) -> Option<f64> {
        match self.form() {
            Some(Form::Sine(sine)) => Some(sine.omega),
            _ => None,
        }
    }

    /// The built-in form that the activation is or that its formula spells out.
    pub(crate) fn form(&self) -> Option<&Form> {
        match &self.kind {
            Kind::Builtin(form) => Some(form),
            Kind::Formula(_, form) => form.as_ref(),
        }
    }

    /// The points where f or f' is not smooth, in increasing order; for a formula those of
    /// [`Formula::kinks`].
    pub fn kinks(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Builtin(form) => form.kinks(),
            Kind::Formula(formula, _) => formula.kinks().to_vec(),
        }
    }

    /// The parameters by name, in the order in which they are written.
    pub fn parameters(&self) -> Vec<(&str, f64)> {
        match &self.kind {
            Kind::Builtin(form) => form.parameters(),
            Kind::Formula(formula, _) => {
                formula.parameters().iter().map(|(name, value)| (name.as_str(), *value)).collect()
            }
        }
    }

    /// A parameter's value by its name.
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.parameters().into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The formula, where the activation is one.
    pub fn formula(&self) -> Option<&Formula> {
        match &self.kind {
            Kind::Builtin(_) => None,
            Kind::Formula(formula, _) => Some(formula),
        }
    }

    /// The activation as a formula; for a built-in form the one that it states as its definition.
    ///
    /// # Errors
    /// Returns [`Error::Formula`] if the definition of a built-in form cannot be read, which the tests
    /// rule out.
    pub fn to_formula(&self) -> Result<Formula, Error> {
        match &self.kind {
            Kind::Builtin(form) => Formula::of_definition(form.definition(), &form.parameters()),
            Kind::Formula(formula, _) => Ok(formula.clone()),
        }
    }

    /// The width of the function's finest feature: a length by which scales are judged, not a
    /// bound on anything.
    pub(crate) fn feature_width(&self) -> f64 {
        match &self.kind {
            Kind::Builtin(form) => form.feature_width(),
            Kind::Formula(formula, _) => feature_width(formula),
        }
    }

    /// Hands the concrete function to `visitor`.
    pub fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
        match &self.kind {
            Kind::Builtin(form) => form.visit(visitor),
            Kind::Formula(formula, _) => visitor.visit_formula(formula),
        }
    }
}

/// The least |x| at which a formula differs from its tangent at 0 by a tenth; 1 where it does so
/// at every scale or at none.
fn feature_width(formula: &Formula) -> f64 {
    let (start, slope) = formula.program().run(1e-150);
    for step in -96..=96 {
        let width = libm::exp2(0.25 * f64::from(step));
        for x in [width, -width] {
            let value = formula.program().run(x).0;
            let tangent = start + slope * x;
            let scale = value.abs() + start.abs() + (slope * x).abs();
            if (value - tangent).abs() > 0.1 * scale {
                return if step == -96 { 1.0 } else { width };
            }
        }
    }
    1.0
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Builtin(form) => named::write(f, form.name(), &self.parameters()),
            Kind::Formula(formula, _) => formula.fmt(f),
        }
    }
}

impl FromStr for Activation {
    type Err = Error;

    /// Reads `NAME` or `NAME:key=value,key=value` for a built-in form, else an expression in x
    /// with its parameters after a colon.
    ///
    /// # Errors
    /// Returns [`Error::Syntax`] if the text is neither a form nor an expression with its parameters,
    /// [`Error::UnknownActivation`] or [`Error::UnknownParameter`] if a name or key is unknown,
    /// [`Error::OutOfRange`] if a value is not accepted, and for expressions also the
    /// [`Error::Formula`] and [`Error::UnusedParameter`] of [`Formula::read`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = Named::parse(text)?;
        let is_name = named.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && named.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let kind = if is_name && !formula::is_expression(&named.name) {
            Kind::Builtin(Form::from_named(&named)?)
        } else {
            let formula = Formula::from_named(&named, text)?;
            let form = Form::spelled_by(&formula);
            Kind::Formula(formula, form)
        };
        Ok(Self { kind })
    }
}
