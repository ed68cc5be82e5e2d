//! The requested options of reading a file, and the complete ones.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SignalKind;
use super::audio::{AudioOptions, AudioRequest};
use super::image::{ImageOptions, ImageRequest};
use super::shape::{ShapeOptions, ShapeRequest};
use crate::preset::Preset;

/// The requested options of reading a file, for every kind of signal. In JSON and TOML the fields
/// of all kinds are on one level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SignalRequest {
    /// The options of images.
    #[serde(flatten)]
    pub image: ImageRequest,
    /// The options of audio.
    #[serde(flatten)]
    pub audio: AudioRequest,
    /// The options of shapes.
    #[serde(flatten)]
    pub shape: ShapeRequest,
}

impl SignalRequest {
    /// How a file is read.
    pub fn options(&self, preset: Preset) -> SignalOptions {
        SignalOptions {
            image: self.image.options(),
            audio: self.audio.options(),
            shape: self.shape.options(preset),
        }
    }

    /// The fields that are set, grouped by their kind.
    pub fn set_fields(&self) -> Vec<(SignalKind, &'static str)> {
        let set = match serde_json::to_value(self) {
            Ok(Value::Object(set)) => set,
            _ => Map::new(),
        };
        let is_set = |field: &str| set.get(field).is_some_and(|value| !value.is_null());
        let fields = SignalKind::ALL
            .iter()
            .flat_map(|kind| kind.entry().fields.iter().map(move |field| (*kind, *field)));
        fields.filter(|(_, field)| is_set(field)).collect()
    }
}

/// The options of reading files of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct SignalOptions {
    /// The options of images.
    pub image: ImageOptions,
    /// The options of audio.
    pub audio: AudioOptions,
    /// The options of shapes.
    pub shape: ShapeOptions,
}

impl SignalOptions {
    /// The options of `kind` as in a plan.
    pub fn to_json(&self, kind: SignalKind) -> Value {
        // Plain numbers and text.
        (kind.entry().options_to_json)(self).unwrap_or_default()
    }

    /// The inverse of [`SignalOptions::to_json`]; other kinds have their defaults.
    ///
    /// # Errors
    /// Returns the error of `serde_json` if `value` is not what [`SignalOptions::to_json`] gives.
    pub fn from_json(kind: SignalKind, value: &Value) -> serde_json::Result<Self> {
        (kind.entry().options_from_json)(value)
    }
}
