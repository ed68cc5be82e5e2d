//! Why a request is refused.

use std::fmt;

/// A setting, or several together, that a fit cannot have.
///
/// It names the fields of the request, never a command-line flag or a Python keyword: a door maps
/// [`RequestError::fields`] to its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// The names of the fields that are concerned, as in [`FitRequest`](super::FitRequest).
    pub fields: Vec<&'static str>,
    /// What was seen and why it cannot be.
    pub seen: String,
    /// What was expected instead.
    pub expected: String,
}

impl RequestError {
    /// An error of one field.
    pub fn new(field: &'static str, seen: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::of_fields(&[field], seen, expected)
    }

    /// An error of several fields together.
    pub fn of_fields(
        fields: &[&'static str],
        seen: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { fields: fields.to_vec(), seen: seen.into(), expected: expected.into() }
    }

    /// The message, each field under the name that `name` gives it.
    pub fn message(&self, name: impl Fn(&str) -> String) -> String {
        let fields: Vec<String> = self.fields.iter().map(|field| name(field)).collect();
        let mut message = fields.join(", ");
        for (mark, part) in [(": ", &self.seen), ("; expected ", &self.expected)] {
            if !part.is_empty() {
                // A message without fields begins with what was seen.
                message += if message.is_empty() { "" } else { mark };
                message += part;
            }
        }
        message
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message(str::to_owned))
    }
}

impl std::error::Error for RequestError {}
