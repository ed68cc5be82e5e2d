//! The kinds of signals, and what is known of each.

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
    /// PLY, OBJ, STL and XYZ files.
    Shape,
}

/// What the rest of the crate knows of a kind of signal. Each kind's folder has one.
pub struct KindEntry {
    /// The name as in model files.
    pub name: &'static str,
    /// What several of them are called.
    pub plural: &'static str,
    /// The kind and its file formats, for messages: `an image (PNG, JPEG)`.
    pub formats: &'static str,
    /// Endings of file names, in lower case.
    pub endings: &'static [&'static str],
    /// The fields of a [`FitRequest`](crate::request::FitRequest) that belong to this kind alone.
    pub fields: &'static [&'static str],
    /// This kind's part of the options, as a plan keeps it.
    pub options_to_json: fn(&SignalOptions) -> serde_json::Result<Value>,
    /// The inverse; other kinds have their defaults.
    pub options_from_json: fn(&Value) -> serde_json::Result<SignalOptions>,
    /// Whether a file's first bytes are those of such a file.
    pub recognizes: fn(&[u8]) -> bool,
    /// Reads the signal in a file of these bytes.
    pub open: Open,
    /// Reads the fields that a model file keeps; fails with what was expected.
    pub info: fn(Value) -> Result<Arc<dyn SignalInfo>, String>,
    /// The ways to read a file that may be compared with a model of this signal, given how the model's
    /// own file was read.
    pub comparable: fn(&dyn SignalInfo, &SignalOptions) -> Comparable,
    /// A signal of the default size whose points have so many coordinates and values, for networks
    /// that have not been trained.
    pub blank: fn(usize, usize) -> Option<Arc<dyn SignalInfo>>,
}

/// The ways to read a file that may be compared with a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// As the model's own file was read, on the model's scales.
    pub own: SignalOptions,
    /// As a whole, prepared in no way, as a file that was decoded from the model must be read; the
    /// first that gives a signal of the model's shape is meant.
    pub whole: Vec<SignalOptions>,
}

/// Reads the signal in a file of the given bytes.
pub type Open = fn(&Path, Cow<'_, [u8]>, &SignalOptions) -> Result<Box<dyn Signal>, SignalError>;
