//! The properties of a signal that a model file keeps for decoding.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use super::{SignalError, SignalKind};
use crate::supervision::Supervise;

/// The kind and size of a signal, without its values.
///
/// Each kind of signal has one type that implements this trait, in the folder of the kind. Code for
/// a single kind gets that type back with [`SignalInfo::as_any`].
pub trait SignalInfo: Debug + Send + Sync {
    /// The kind of signal.
    fn kind(&self) -> SignalKind;

    /// This value as [`Any`], for downcasting.
    fn as_any(&self) -> &dyn Any;

    /// The number of coordinates of a point.
    fn inputs(&self) -> usize;

    /// The number of values at a point.
    fn outputs(&self) -> usize;

    /// The number of points of the signal.
    fn points(&self) -> PointCount;

    /// The values of `supervise` that this signal offers, the default first; empty if its networks
    /// can only learn its values.
    fn supervisions(&self) -> &'static [Supervise] {
        &[]
    }

    /// The number of samples along each axis, the fastest varying first: width and height of an
    /// image, the length of audio. Empty if points are drawn.
    fn axes(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Kind, size and channels in words; equal for signals that can be compared point by point, at
    /// any bit depth.
    fn shape(&self) -> String;

    /// All properties, in one line.
    fn details(&self) -> String;

    /// The unit for bits per unit of a model; `None` if there is no such unit.
    fn unit(&self) -> Option<Unit>;

    /// The meaning of the network's outputs, for readers of model files.
    fn value_range(&self) -> &'static str;

    /// The positions of the coordinates if they span -`input_scale` to `input_scale`, for readers
    /// of model files.
    fn coordinate_range(&self, input_scale: f64) -> String;

    /// Checks that a signal of this crate can have this size and number of channels.
    ///
    /// # Errors
    /// Returns the [`SignalError`] that says which property is impossible.
    fn check(&self) -> Result<(), SignalError>;

    /// The fields as JSON, without the kind.
    fn to_json(&self) -> Value;
}

/// The number of points of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointCount {
    /// A finite number.
    Sampled(usize),
    /// Points are drawn, by default this many for each step.
    Drawn(usize),
}

impl PointCount {
    /// The number of all points, or the default number of drawn points.
    pub fn default_count(self) -> usize {
        match self {
            Self::Sampled(count) | Self::Drawn(count) => count,
        }
    }
}

/// The unit by which the size of a model is divided, to show its compression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// `pixel` or `sample`.
    pub name: &'static str,
    /// The key of the bits per unit in files: `bits_per_pixel`.
    pub bits: &'static str,
    /// The unit of these bits: `bits/pixel`.
    pub bits_unit: &'static str,
    /// The number of units of the signal.
    pub count: f64,
}

impl PartialEq for dyn SignalInfo {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.to_json() == other.to_json()
    }
}

/// The info with its kind under the key `kind`, as in files.
pub fn info_to_json(info: &dyn SignalInfo) -> Value {
    let mut object = serde_json::Map::from_iter([("kind".to_owned(), info.kind().name().into())]);
    if let Value::Object(fields) = info.to_json() {
        object.extend(fields);
    }
    Value::Object(object)
}

/// The inverse of [`info_to_json`].
///
/// # Errors
/// Returns the expectation in words if the kind is unknown or a field is invalid.
pub fn info_from_json(mut value: Value) -> Result<Arc<dyn SignalInfo>, String> {
    let kind = value.as_object_mut().and_then(|fields| fields.remove("kind"));
    let name = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
    match SignalKind::named(name) {
        Some(kind) => (kind.entry().info)(value),
        None => Err(format!("a signal of kind {}", SignalKind::names())),
    }
}

/// Serialization of infos in files: `#[serde(with = "info_json")]`.
pub mod info_json {
    use std::sync::Arc;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::{SignalInfo, info_from_json, info_to_json};

    /// Writes the info with its kind.
    ///
    /// # Errors
    /// Returns the serializer's error.
    pub fn serialize<S: Serializer>(
        info: &Arc<dyn SignalInfo>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        info_to_json(&**info).serialize(serializer)
    }

    /// Reads an info of any kind.
    ///
    /// # Errors
    /// Returns the deserializer's error, or the reason why the info is invalid.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<dyn SignalInfo>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        info_from_json(value.clone())
            .map_err(|expected| D::Error::custom(format!("seen {value}; expected {expected}")))
    }
}
