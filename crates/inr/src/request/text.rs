//! Serialization of optional values as text, which may also be read from numbers.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serializer};

use crate::text_or_number::TextOrNumber;

pub(super) fn serialize<T: Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        None => serializer.serialize_none(),
        Some(value) => serializer.collect_str(value),
    }
}

/// Serializes a path as text, lossily if it is not Unicode.
pub(super) fn path<S: Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        None => serializer.serialize_none(),
        Some(path) => serializer.collect_str(&path.display()),
    }
}

pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let given = Option::<TextOrNumber>::deserialize(deserializer)?;
    given.map(TextOrNumber::parse).transpose()
}
