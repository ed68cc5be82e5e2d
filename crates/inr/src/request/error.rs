//! Errors in the settings of a request.

use std::fmt;

/// A setting is invalid, or several settings contradict each other.
///
/// The error names fields of the request, not command-line flags or keyword arguments: an interface
/// maps [`RequestError::fields`] to its own names with [`RequestError::message`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// The names of the fields, as in [`FitRequest`](super::FitRequest).
    pub fields: Vec<&'static str>,
    /// The value that was seen, or why it is invalid.
    pub seen: String,
    /// The expected value; may be empty.
    pub expected: String,
}

impl RequestError {
    /// An error in one field.
    pub fn new(field: &'static str, seen: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::of_fields(&[field], seen, expected)
    }

    /// An error in several fields together.
    pub fn of_fields(
        fields: &[&'static str],
        seen: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { fields: fields.to_vec(), seen: seen.into(), expected: expected.into() }
    }

    /// The message, where `name` maps each field to the name that is shown.
    pub fn message(&self, name: impl Fn(&str) -> String) -> String {
        let fields: Vec<String> = self.fields.iter().map(|field| name(field)).collect();
        let mut message = fields.join(", ");
        for (mark, part) in [(": ", &self.seen), ("; expected ", &self.expected)] {
            if !part.is_empty() {
                // Without fields, the message begins with `seen`.
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
