//! What JSON and TOML hold as text, or as a number where the text is one.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Serializer};

/// A value as it is written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text or a number")]
pub(crate) enum TextOrNumber {
    Text(String),
    Whole(u64),
    Number(f64),
}

impl TextOrNumber {
    /// The value that the text means.
    pub(crate) fn parse<T: FromStr<Err: Display>, E: Error>(self) -> Result<T, E> {
        let text = match self {
            Self::Text(text) => text,
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
        };
        text.parse().map_err(E::custom)
    }
}

/// Writes a value as the number that its text is, else as text: what [`TextOrNumber`] reads.
pub(crate) fn write<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    let text = value.to_string();
    match text.parse::<u64>() {
        Ok(number) => serializer.serialize_u64(number),
        Err(_) => serializer.serialize_str(&text),
    }
}
