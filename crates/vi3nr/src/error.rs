//! What can be wrong with a request to this crate.

/// Everything this crate refuses, with what was seen and what was expected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No activation has this name.
    #[error("unknown activation '{name}'; known: {known}")]
    UnknownActivation {
        /// The name as typed.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },

    /// No initialization scheme has this name.
    #[error("unknown initialization scheme '{name}'; known: {known}")]
    UnknownScheme {
        /// The name as typed.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },

    /// Text that is not `NAME` or `NAME:key=value,key=value`.
    #[error("cannot read '{text}': {reason}; expected NAME or NAME:key=value,key=value")]
    Syntax {
        /// The text as typed.
        text: String,
        /// What is wrong with it.
        reason: String,
    },

    /// An expression that cannot be read.
    #[error("cannot read the formula '{formula}': column {column}: {reason}")]
    Formula {
        /// The expression as typed (its first 200 characters).
        formula: String,
        /// The place of the mistake in characters, the first being 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },

    /// A value for a symbol that does not occur in the formula.
    #[error("the formula '{formula}' has no symbol '{parameter}', but a value for it is given")]
    UnusedParameter {
        /// The expression as typed.
        formula: String,
        /// The symbol.
        parameter: String,
    },

    /// Text that is none of the values that a setting may have.
    #[error("cannot read '{text}' as {quantity}; expected {expected}")]
    Unreadable {
        /// What the text was read as.
        quantity: &'static str,
        /// The text as typed (its first 80 characters).
        text: String,
        /// What is accepted.
        expected: &'static str,
    },

    /// Something that must be known is not given.
    #[error("{missing} is not given; expected {expected}")]
    Incomplete {
        /// What is missing.
        missing: &'static str,
        /// What to give.
        expected: &'static str,
    },

    /// A parameter that the activation or scheme does not have.
    #[error("'{owner}' has no parameter '{parameter}'; it has: {known}")]
    UnknownParameter {
        /// The activation or scheme.
        owner: String,
        /// The parameter as typed.
        parameter: String,
        /// The parameters that exist, or "none".
        known: String,
    },

    /// A number outside the range in which the mathematics holds.
    #[error("{quantity} is {value}; expected {expected}")]
    OutOfRange {
        /// What the number is.
        quantity: String,
        /// The number.
        value: f64,
        /// The range that is accepted.
        expected: &'static str,
    },

    /// A scheme that gives no variance for this activation or network.
    #[error("the scheme {scheme} does not apply to {activation}: {reason}")]
    Scheme {
        /// The scheme as written.
        scheme: String,
        /// The activation as written.
        activation: String,
        /// Why not.
        reason: String,
    },

    /// A network that cannot be built.
    #[error("network with layer sizes {dims:?}: {reason}")]
    Network {
        /// Inputs, hidden widths, outputs.
        dims: Vec<usize>,
        /// Why it is refused.
        reason: String,
    },

    /// An expectation that is infinite, undefined, or could not be resolved.
    #[error("{moment} of {activation} under N(0, {sigma}^2) cannot be computed: {reason}")]
    Moment {
        /// Which expectation.
        moment: &'static str,
        /// The activation as written.
        activation: String,
        /// The standard deviation.
        sigma: f64,
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    /// [`Error::Unreadable`], with the text cut to what a message can hold.
    pub(crate) fn unreadable(quantity: &'static str, text: &str, expected: &'static str) -> Self {
        Self::Unreadable { quantity, text: text.chars().take(80).collect(), expected }
    }
}

/// A number that must be finite and above 0.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if it is not.
pub(crate) fn require_positive(quantity: &str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::OutOfRange { quantity: quantity.into(), value, expected: "a finite number above 0" })
}
