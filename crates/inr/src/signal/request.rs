//! What is asked of the way a file is read, and what that means.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SignalKind;
use super::audio::{AudioOptions, AudioRequest};
use super::image::{ImageOptions, ImageRequest};
use super::shape::{ShapeOptions, ShapeRequest};
use crate::preset::Preset;

/// What is asked of the way a file becomes a signal, for every kind of signal. In JSON and TOML the
/// fields of all kinds lie on one level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SignalRequest {
    /// Of images.
    #[serde(flatten)]
    pub image: ImageRequest,
    /// Of audio.
    #[serde(flatten)]
    pub audio: AudioRequest,
    /// Of shapes.
    #[serde(flatten)]
    pub shape: ShapeRequest,
}

impl SignalRequest {
    /// How files are read.
    pub fn options(&self, preset: Preset) -> SignalOptions {
        SignalOptions {
            image: self.image.options(),
            audio: self.audio.options(),
            shape: self.shape.options(preset),
        }
    }

    /// The fields that are set, by the kind that they belong to.
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

/// How files of each kind are turned into signals.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct SignalOptions {
    /// Of images.
    pub image: ImageOptions,
    /// Of audio.
    pub audio: AudioOptions,
    /// Of shapes.
    pub shape: ShapeOptions,
}

impl SignalOptions {
    /// The options of `kind` as a plan keeps them.
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
