//! What JSON and TOML hold as text, or as a number where the text is one.

use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::Error;

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
