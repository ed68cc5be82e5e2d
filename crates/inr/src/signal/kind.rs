//! The kinds of signals and their entries in the registry.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{Signal, SignalError, SignalInfo, SignalOptions};

/// The kinds of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignalKind {
    /// PNG and JPEG files.
    Image,
    /// WAV, FLAC and MP3 files.
    Audio,
    /// PLY, OBJ, STL, XYZ and PCD files.
    Shape,
}

/// The interface of a kind of signal to the rest of the crate. Each kind's folder has one.
pub struct KindEntry {
    /// The name in model files.
    pub name: &'static str,
    /// The plural of the name.
    pub plural: &'static str,
    /// The kind and its file formats, for messages: `an image (PNG, JPEG)`.
    pub formats: &'static str,
    /// File name extensions, in lower case.
    pub endings: &'static [&'static str],
    /// The fields of a [`FitRequest`](crate::request::FitRequest) that belong to this kind alone.
    pub fields: &'static [&'static str],
    /// The options of this kind, as in a plan.
    pub options_to_json: fn(&SignalOptions) -> serde_json::Result<Value>,
    /// The inverse; the options of other kinds have their defaults.
    pub options_from_json: fn(&Value) -> serde_json::Result<SignalOptions>,
    /// Whether the first bytes of a file are those of this kind.
    pub recognizes: fn(&[u8]) -> bool,
    /// Reads the signal from the bytes of a file.
    pub open: Open,
    /// Reads the fields that a model file keeps; fails with the expectation in words.
    pub info: fn(Value) -> Result<Arc<dyn SignalInfo>, String>,
    /// The ways to read a file that is compared with a model of this signal, given how the model's
    /// own file was read.
    pub comparable: fn(&dyn SignalInfo, &SignalOptions) -> Comparable,
    /// A signal of the default size whose points have the given numbers of coordinates and values,
    /// for networks that have not been trained.
    pub blank: fn(usize, usize) -> Option<Arc<dyn SignalInfo>>,
}

/// The ways to read a file that is compared with a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// Like the model's own file, with the scales of the model.
    pub own: SignalOptions,
    /// As a whole and without preparation, as a file that was decoded from the model must be read.
    /// The first reading that gives a signal of the model's size is used.
    pub whole: Vec<SignalOptions>,
}

/// Reads the signal in a file of the given bytes.
pub type Open = fn(&Path, Cow<'_, [u8]>, &SignalOptions) -> Result<Box<dyn Signal>, SignalError>;
