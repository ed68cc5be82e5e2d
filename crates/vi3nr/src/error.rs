//! The errors of this crate.

use crate::number::significant;
use crate::printable::excerpt;
use crate::suggest::hint;

/// An error of this crate. The message states what was given and what was expected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No activation has this name.
    #[error("unknown activation '{}'; {}", excerpt(name, 80), hint(name, known))]
    UnknownActivation {
        /// The name as given.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },

    /// No initialization scheme has this name.
    #[error("unknown initialization scheme '{}'; {}", excerpt(name, 80), hint(name, known))]
    UnknownScheme {
        /// The name as given.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },

    /// The text does not have the form `NAME` or `NAME:key=value,key=value`.
    #[error(
        "cannot read '{}': {}; expected NAME or NAME:key=value,key=value",
        excerpt(text, 80),
        excerpt(reason, 200)
    )]
    Syntax {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The expression of a formula cannot be parsed or compiled.
    #[error(
        "cannot read the formula '{}': column {column}: {}",
        excerpt(formula, 200),
        excerpt(reason, 800)
    )]
    Formula {
        /// The expression as given (its first 200 characters).
        formula: String,
        /// The column of the mistake in characters, counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },

    /// A value was given for a symbol that does not occur in the formula.
    #[error(
        "the formula '{}' has no symbol '{}', but a value for it is given",
        excerpt(formula, 200),
        excerpt(parameter, 80)
    )]
    UnusedParameter {
        /// The expression as given.
        formula: String,
        /// The symbol.
        parameter: String,
    },

    /// The text is not one of the values that a setting may have.
    #[error("cannot read '{}' as {quantity}; expected {expected}", excerpt(text, 80))]
    Unreadable {
        /// What the text should describe.
        quantity: &'static str,
        /// The text as given.
        text: String,
        /// What is accepted.
        expected: &'static str,
    },

    /// A required value is missing.
    #[error("{missing} is not given; expected {expected}")]
    Incomplete {
        /// What is missing.
        missing: &'static str,
        /// What must be given.
        expected: &'static str,
    },

    /// A parameter of a scheme that has no default is not given.
    #[error(
        "'{scheme}' is without {parameter}; expected {scheme}:{parameter}=VALUE, where VALUE is {expected}"
    )]
    MissingParameter {
        /// The scheme as given.
        scheme: String,
        /// The parameter.
        parameter: &'static str,
        /// What is accepted.
        expected: &'static str,
    },

    /// The activation or scheme has no parameter of this name.
    #[error(
        "'{}' has no parameter '{}'; {}",
        excerpt(owner, 80),
        excerpt(parameter, 80),
        hint(parameter, known)
    )]
    UnknownParameter {
        /// The activation or scheme.
        owner: String,
        /// The parameter as given.
        parameter: String,
        /// The parameters that exist, or "none".
        known: String,
    },

    /// A number is outside its accepted range.
    #[error("{quantity} is {value}; expected {expected}")]
    OutOfRange {
        /// What the number stands for.
        quantity: String,
        /// The number.
        value: f64,
        /// The accepted range, in words.
        expected: &'static str,
    },

    /// The scheme does not apply to this activation.
    #[error("the scheme {scheme} does not apply to {activation}: {reason}")]
    Scheme {
        /// The scheme in its text form.
        scheme: String,
        /// The activation in its text form.
        activation: String,
        /// Why it does not apply.
        reason: String,
    },

    /// A network cannot have these layer sizes.
    #[error("a network with layer sizes {}: {reason}", listed(dims))]
    Network {
        /// The number of inputs, the hidden widths, and the number of outputs (at most the first
        /// eight).
        dims: Vec<usize>,
        /// Why the sizes are not accepted.
        reason: String,
    },

    /// An expectation is infinite, undefined, or could not be resolved.
    #[error(
        "{moment} of {activation} under N(0, {}^2) cannot be computed: {reason}",
        significant(*sigma, 6)
    )]
    Moment {
        /// The name of the expectation.
        moment: &'static str,
        /// The activation in its text form.
        activation: String,
        /// The standard deviation of the normal distribution.
        sigma: f64,
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    /// Creates [`Error::Unreadable`].
    pub(crate) fn unreadable(quantity: &'static str, text: &str, expected: &'static str) -> Self {
        Self::Unreadable { quantity, text: text.to_owned(), expected }
    }
}

/// Checks that a number is finite and above 0.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if it is not.
pub(crate) fn require_positive(quantity: &str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::OutOfRange { quantity: quantity.into(), value, expected: "a finite number above 0" })
}

/// Layer sizes as they are written on a command line: `2,128,3`.
fn listed(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}
