//! The name and the accepted range of a parameter of a built-in form or scheme.

/// The numbers that a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// Finite and above 0.
    Positive,
    /// Finite and at least 0.
    NotNegative,
    /// Any finite number.
    Finite,
    /// An integer from 1 to 2^53.
    Whole,
}

impl Accepted {
    /// Whether `value` is accepted.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Self::Positive => value.is_finite() && value > 0.0,
            Self::NotNegative => value.is_finite() && value >= 0.0,
            Self::Finite => value.is_finite(),
            Self::Whole => (1.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0,
        }
    }

    /// The accepted range in words, to follow "expected" in a message.
    pub fn description(self) -> &'static str {
        match self {
            Self::Positive => "a finite number above 0",
            Self::NotNegative => "a finite number of at least 0",
            Self::Finite => "a finite number",
            Self::Whole => "a whole number above 0",
        }
    }
}

/// A parameter of a built-in form or scheme: its name, default and accepted range.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The key in `NAME:key=value`.
    pub name: &'static str,
    /// The value if the key is omitted.
    pub default: f64,
    /// What the parameter does, in a phrase.
    pub meaning: &'static str,
    /// The accepted values.
    pub accepted: Accepted,
}

impl Parameter {
    /// A parameter that must be a finite number above 0.
    pub const fn positive(name: &'static str, default: f64, meaning: &'static str) -> Self {
        Self { name, default, meaning, accepted: Accepted::Positive }
    }

    /// A parameter that must be a finite number of at least 0.
    pub const fn not_negative(name: &'static str, default: f64, meaning: &'static str) -> Self {
        Self { name, default, meaning, accepted: Accepted::NotNegative }
    }

    /// A parameter that may be any finite number.
    pub const fn finite(name: &'static str, default: f64, meaning: &'static str) -> Self {
        Self { name, default, meaning, accepted: Accepted::Finite }
    }

    /// A parameter that must be a whole number above 0.
    pub const fn whole(name: &'static str, default: f64, meaning: &'static str) -> Self {
        Self { name, default, meaning, accepted: Accepted::Whole }
    }
}
