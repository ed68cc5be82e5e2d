//! Settings with a few named values.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use vi3nr::number;

use crate::text_or_number::{self, TextOrNumber};

/// The number of points per step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// All points at each step.
    Full,
    /// This many points, 1 to [`BatchSize::MAX`].
    Points(usize),
}

impl BatchSize {
    /// The largest number of points per step; their coordinates and targets are held in memory.
    pub const MAX: usize = 1 << 28;
}

impl fmt::Display for BatchSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => formatter.write_str("full"),
            Self::Points(points) => points.fmt(formatter),
        }
    }
}

impl FromStr for BatchSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, whole(text)) {
            ("full", _) => Ok(Self::Full),
            (_, Some(points @ 1..=Self::MAX)) => Ok(Self::Points(points)),
            _ => Err(format!("expected a whole number from 1 to {}, or full", Self::MAX)),
        }
    }
}

impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text_or_number::write(self, serializer)
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOrNumber::deserialize(deserializer)?.parse()
    }
}

/// Whether a signal is cut into pieces, and their size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileSide {
    /// One network for the whole signal.
    None,
    /// Pieces of about this many samples (pixels of an image) along each axis, from
    /// [`TileSide::MIN`] to [`TileSide::MAX`].
    Samples(usize),
}

impl TileSide {
    /// The shortest side of a piece.
    pub const MIN: usize = 8;
    /// The longest side of a piece.
    pub const MAX: usize = 1 << 20;
}

impl fmt::Display for TileSide {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Samples(side) => side.fmt(formatter),
        }
    }
}

impl FromStr for TileSide {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, whole(text)) {
            ("none", _) => Ok(Self::None),
            (_, Some(side @ Self::MIN..=Self::MAX)) => Ok(Self::Samples(side)),
            _ => {
                Err(format!("expected a whole number from {} to {}, or none", Self::MIN, Self::MAX))
            }
        }
    }
}

impl Serialize for TileSide {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text_or_number::write(self, serializer)
    }
}

impl<'de> Deserialize<'de> for TileSide {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOrNumber::deserialize(deserializer)?.parse()
    }
}

/// A whole number in text, where it can be a size.
fn whole(text: &str) -> Option<usize> {
    number::whole(text)?.try_into().ok()
}

/// A learning-rate schedule without its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ScheduleName {
    /// The learning rate is constant.
    Constant,
    /// The learning rate is multiplied by a factor after each step.
    Exponential,
    /// The learning rate falls to 0 along half a period of a cosine.
    Cosine,
}
