//! Activations as data: a function, its derivative, its kinks and its parameters.
//!
//! The text form of an [`Activation`] is `NAME` or `NAME:key=value,key=value`, for example
//! `gaussian:sigma=0.05`, or as an expression in x, for example `exp(-x^2/(2*s^2)):s=0.05` (see
//! [`mod@formula`]). Code that evaluates the function on its own number type, such as a vector loop
//! of an engine, calls [`Activation::visit`].
//!
//! # Adding a form
//! A built-in form needs one file in `builtin/`, which implements [`Function`] and `Builtin` (its
//! name, parameters, definition as a formula, and feature width), and two lines in
//! `builtin/mod.rs`. It can then be parsed, initialized, solved for and trained. Optional additions
//! are its moments in closed form in `moments/closed/`, and a published scheme and PyTorch's gain
//! in `scheme/published.rs`. No other code depends on which form an activation is.
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
use formula::Derived;
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
    /// A formula, with the built-in form that it is equal to, if there is one.
    Formula(Formula, Option<Form>),
}

impl Activation {
    /// f(x) and f'(x) in double precision.
    pub fn value_and_slope(&self, x: f64) -> (f64, f64) {
        self.value_and_slope_on(x)
    }

    /// f(x) and its first three derivatives in double precision; see [`Function::jet`]. For a
    /// formula whose higher derivatives exceed the limits of [`Formula::jet_program`], the last two
    /// are NaN.
    ///
    /// ```
    /// let sine: vi3nr::Activation = "sine:omega=2".parse()?;
    /// let [value, slope, second, third] = sine.jet(0.5);
    /// assert!((second + 4.0 * value).abs() < 1e-15 && (third + 4.0 * slope).abs() < 1e-15);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn jet(&self, x: f64) -> [f64; 4] {
        struct At(f64);
        impl Visitor for At {
            type Output = [f64; 4];
            fn visit<F: Function>(self, function: F) -> [f64; 4] {
                function.jet(self.0)
            }
        }
        self.visit(At(x))
    }

    /// f(x) in double precision.
    pub fn value(&self, x: f64) -> f64 {
        self.value_and_slope(x).0
    }

    /// f(x) and f'(x) on any number type, for a single evaluation.
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

    /// Whether f is even or odd, as far as a built-in form states it or the expression of a formula
    /// proves it.
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

    /// Whether f(-x) = f(x), by [`Activation::symmetry`], or, if that is unknown, by a test at 200
    /// points from 1e-4 to 1e3. A network without biases in its first layer is then an even
    /// function of its input.
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
            Symmetry::Unknown => (0..200).all(|step| {
                let x = 1e-4 * libm::pow(1e7, f64::from(step) / 199.0);
                let (right, left) = (self.value(x), self.value(-x));
                (right - left).abs() <= 1e-12 * right.abs().max(left.abs())
            }),
        }
    }

    /// ω if the activation is sin(ωx), as the built-in form or as a formula that is equal to it.
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

    /// The ω of sin(ω(|x| + 1)x), if the activation is that of FINER.
    pub fn finer_frequency(&self) -> Option<f64> {
        match self.form() {
            Some(Form::Finer(finer)) => Some(finer.omega),
            _ => None,
        }
    }

    /// The built-in form that the activation is, or that its formula is equal to.
    pub(crate) fn form(&self) -> Option<&Form> {
        match &self.kind {
            Kind::Builtin(form) => Some(form),
            Kind::Formula(_, form) => form.as_ref(),
        }
    }

    /// The points at which f or f' is not smooth, in increasing order. For a formula they are those
    /// of [`Formula::kinks`].
    pub fn kinks(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Builtin(form) => form.kinks(),
            Kind::Formula(formula, _) => formula.kinks().to_vec(),
        }
    }

    /// The names and values of the parameters, in the order of the text form.
    pub fn parameters(&self) -> Vec<(&str, f64)> {
        match &self.kind {
            Kind::Builtin(form) => form.parameters(),
            Kind::Formula(formula, _) => {
                formula.parameters().iter().map(|(name, value)| (name.as_str(), *value)).collect()
            }
        }
    }

    /// The value of the parameter `name`.
    pub fn parameter(&self, name: &str) -> Option<f64> {
        self.parameters().into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The formula, if the activation is one.
    pub fn formula(&self) -> Option<&Formula> {
        match &self.kind {
            Kind::Builtin(_) => None,
            Kind::Formula(formula, _) => Some(formula),
        }
    }

    /// The activation as a formula. For a built-in form it is the form's definition.
    ///
    /// # Errors
    /// Returns [`Error::Formula`] if the definition of a built-in form cannot be parsed, which the
    /// tests exclude.
    pub fn to_formula(&self) -> Result<Formula, Error> {
        match &self.kind {
            Kind::Builtin(form) => Formula::of_definition(form.definition(), &form.parameters()),
            Kind::Formula(formula, _) => Ok(formula.clone()),
        }
    }

    /// f', f² or f'² as an activation with its own derivative, for expectations. Its text cannot be
    /// parsed.
    ///
    /// # Errors
    /// Returns [`Error::Formula`] if the program of both exceeds the limits of programs.
    pub(crate) fn derived(&self, what: Derived) -> Result<Self, Error> {
        let is_form = matches!(self.kind, Kind::Builtin(_));
        let formula = self.to_formula()?.derived(what, &self.to_string(), self.kinks(), is_form)?;
        Ok(Self { kind: Kind::Formula(formula, None) })
    }

    /// The width of the function's finest feature. It is a heuristic length scale, not a bound.
    pub(crate) fn feature_width(&self) -> f64 {
        match &self.kind {
            Kind::Builtin(form) => form.feature_width(),
            Kind::Formula(formula, _) => feature_width(formula),
        }
    }

    /// The expression that defines a built-in form, in x and the names of its parameters.
    ///
    /// ```
    /// let gaussian: vi3nr::Activation = "gaussian".parse()?;
    /// assert_eq!(gaussian.definition(), Some("exp(-x^2/(2*sigma^2))"));
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn definition(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Builtin(form) => Some(form.definition()),
            Kind::Formula(..) => None,
        }
    }

    /// Calls `visitor` with the concrete function.
    pub fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
        match &self.kind {
            Kind::Builtin(form) => form.visit(visitor),
            Kind::Formula(formula, _) => visitor.visit_formula(formula),
        }
    }
}

/// The smallest |x| at which a formula differs from its tangent at 0 by a tenth, or 1 if it does so
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

    /// Reads `NAME` or `NAME:key=value,key=value` for a built-in form, otherwise an expression in x
    /// with its parameters after a colon.
    ///
    /// # Errors
    /// Returns [`Error::Syntax`] if the text does not have this form,
    /// [`Error::UnknownActivation`] or [`Error::UnknownParameter`] if a name or key is unknown,
    /// [`Error::OutOfRange`] if a value is not accepted, and for an expression also the errors of
    /// [`Formula::read`].
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
