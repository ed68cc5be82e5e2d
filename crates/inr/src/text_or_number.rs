//! Values that JSON and TOML hold as text, or as a number if the text is a number.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Serializer};

/// A value in JSON or TOML.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text or a number")]
pub(crate) enum TextOrNumber {
    Text(String),
    Whole(u64),
    Number(f64),
}

impl TextOrNumber {
    /// Parses the value from its text.
    pub(crate) fn parse<T: FromStr<Err: Display>, E: Error>(self) -> Result<T, E> {
        let text = match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
        };
        text.parse().map_err(E::custom)
    }
}

/// Serializes a value as a number if its text is a whole number, else as text, as [`TextOrNumber`]
/// reads it.
pub(crate) fn write<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    let text = value.to_string();
    match text.parse::<u64>() {
        Ok(number) => serializer.serialize_u64(number),
        Err(_) => serializer.serialize_str(&text),
    }
}
