//! What a model file must know about its signal to decode it.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use super::{SignalError, SignalKind};

/// The kind and size of a signal, without its values.
///
/// Each kind of signal has one type that implements it, in the kind's own folder. Code that is about
/// one kind only gets that type back with [`SignalInfo::as_any`].
pub trait SignalInfo: Debug + Send + Sync {
    /// The kind of signal.
    fn kind(&self) -> SignalKind;

    /// This value as its own type.
    fn as_any(&self) -> &dyn Any;

    /// The number of coordinates of a point.
    fn inputs(&self) -> usize;

    /// The number of values at a point.
    fn outputs(&self) -> usize;

    /// How many points the signal has.
    fn points(&self) -> PointCount;

    /// The number of samples along each axis, the fastest varying first: width and height of an image,
    /// the length of a recording. Empty where points are drawn.
    fn axes(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Kind, size and channels in words; equal for signals that can be compared point by point,
    /// however finely they are sampled.
    fn shape(&self) -> String;

    /// Everything known, in one line for people.
    fn details(&self) -> String;

    /// What the bits of a model are counted by, if by anything.
    fn unit(&self) -> Option<Unit>;

    /// What the network's values mean, for readers of model files.
    fn value_range(&self) -> &'static str;

    /// Where coordinates lie when they reach from -`input_scale` to `input_scale`, for readers of
    /// model files.
    fn coordinate_range(&self, input_scale: f64) -> String;

    /// Checks that a signal of this crate can have this size and number of channels.
    ///
    /// # Errors
    /// Returns the [`SignalError`] that says what is impossible about it.
    fn check(&self) -> Result<(), SignalError>;

    /// The fields as JSON, without the kind.
    fn to_json(&self) -> Value;
}

/// How many points a signal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointCount {
    /// Finitely many.
    Sampled(usize),
    /// As many as are asked for; by default this many for each step.
    Drawn(usize),
}

impl PointCount {
    /// All points, or the default number of drawn ones.
    pub fn default_count(self) -> usize {
        match self {
            Self::Sampled(count) | Self::Drawn(count) => count,
        }
    }
}

/// What a model's size is divided by to tell how much it compresses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// `pixel` or `sample`.
    pub name: &'static str,
    /// What the bits for each are called in files: `bits_per_pixel`.
    pub bits: &'static str,
    /// The unit of these bits: `bits/pixel`.
    pub bits_unit: &'static str,
    /// How many the signal has.
    pub count: f64,
}

impl PartialEq for dyn SignalInfo {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.to_json() == other.to_json()
    }
}

/// The info with its kind under `kind`, as files keep it.
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
/// Returns what was expected in words if the kind is not known or a field is not what it must be.
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
    /// Returns the deserializer's error, or what is wrong with the info.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<dyn SignalInfo>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        info_from_json(value.clone())
            .map_err(|expected| D::Error::custom(format!("seen {value}; expected {expected}")))
    }
}
