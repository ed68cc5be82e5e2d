//! Options of reading an audio file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text_or_number::{self, TextOrNumber};

/// The channels that are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChannelRule {
    /// The mean of all channels.
    #[default]
    Mean,
    /// All channels, with one output each.
    All,
    /// One channel, counted from 1.
    One(usize),
}

impl fmt::Display for ChannelRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mean => formatter.write_str("mean"),
            Self::All => formatter.write_str("all"),
            Self::One(number) => number.fmt(formatter),
        }
    }
}

impl FromStr for ChannelRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("mean", _) => Ok(Self::Mean),
            ("all", _) => Ok(Self::All),
            (_, Ok(number)) if number > 0 => Ok(Self::One(number)),
            _ => Err("expected mean, all, or the number of a channel from 1".into()),
        }
    }
}

impl Serialize for ChannelRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text_or_number::write(self, serializer)
    }
}

impl<'de> Deserialize<'de> for ChannelRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOrNumber::deserialize(deserializer)?.parse()
    }
}

/// Options of reading an audio file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AudioOptions {
    /// The channels.
    pub channels: ChannelRule,
    /// The seconds to skip at the beginning.
    pub start: f64,
    /// The seconds to keep; `None` for all.
    pub duration: Option<f64>,
    /// The divisor of the samples, for comparison with a model on its scale; `None` for their
    /// largest absolute value.
    #[serde(skip)]
    pub scale: Option<f64>,
}

/// The requested [`AudioOptions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioRequest {
    /// [`AudioOptions::channels`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<ChannelRule>,
    /// [`AudioOptions::start`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// [`AudioOptions::duration`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
}

impl AudioRequest {
    /// The names of the fields.
    pub(super) const FIELDS: &'static [&'static str] = &["channels", "start", "duration"];

    /// The options, with their defaults for fields that are not given.
    pub fn options(&self) -> AudioOptions {
        AudioOptions {
            channels: self.channels.unwrap_or_default(),
            start: self.start.unwrap_or(0.0),
            duration: self.duration,
            scale: None,
        }
    }
}
