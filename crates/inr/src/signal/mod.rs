//! What a network is fitted to.
//!
//! A [`Signal`] is all that a fit knows of an image, of audio or of a shape: where its points come
//! from, what a model file keeps of it, what is measured and what is drawn at the end. [`open`]
//! finds the right one for a file. Nothing here knows how a network is trained.
//!
//! A new kind of signal is a folder beside [`image`], with its reader, its `impl Signal`, its
//! `impl SignalInfo` and its [`KindEntry`], and a variant of [`SignalKind`] and its registration in `registry.rs`. The compiler then asks
//! for its recipe (`recipe/`) and for how its models are decoded (`decode/`).

pub mod audio;
mod error;
pub mod image;
mod info;
mod kind;
mod registry;
mod request;
pub mod shape;
mod spectrum;

use std::borrow::Cow;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vi3nr_engine::Backend;

pub use error::SignalError;
pub use info::{PointCount, SignalInfo, Unit, info_from_json, info_json, info_to_json};
pub use kind::{Comparable, KindEntry, Open, SignalKind};
pub use request::{SignalOptions, SignalRequest};
pub use spectrum::spectral_centroid;

use crate::bounded_read::read_at_most;
use crate::metrics::Metrics;
use crate::model_file::Body;
use crate::points::{Points, Region};
use crate::supervision::Supervision;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Something that a network can be fitted to.
pub trait Signal: Debug + Send + Sync {
    /// What a model file keeps of it.
    fn info(&self) -> Arc<dyn SignalInfo>;

    /// What people should know about the file before its fit is believed.
    fn warnings(&self) -> &[String] {
        &[]
    }

    /// Where training finds its points, and what they are to give. Coordinates reach from
    /// -`input_scale` to `input_scale`. The supervision is one of [`SignalInfo::supervisions`] or the
    /// values.
    fn points<'a>(&'a self, input_scale: f64, supervision: &'a Supervision) -> Points<'a>;

    /// Appends the values of the samples in `region` of the [`SignalInfo::axes`], the values of a
    /// sample side by side; nothing where points are drawn.
    fn push_values(&self, _region: &Region, _values: &mut Vec<f32>) {}

    /// The training loss at a quality of 0 dB: 4 for images, whose quality is the PSNR with peak 2,
    /// and the power of the waveform for audio, whose quality is the SNR. None where there is no
    /// such measure.
    fn loss_at_0_db(&self) -> Option<f64> {
        None
    }

    /// A checksum of all values, for telling signals apart: eight hexadecimal digits.
    fn fingerprint(&self) -> String;

    /// What the training loss is, in words.
    fn loss_convention(&self) -> &'static str;

    /// What follows from a training loss alone: columns of `metrics.csv`; people are shown the
    /// first.
    fn metrics_of_loss(&self, loss: f64) -> Metrics;

    /// What a fit reports of its model, besides the loss; it takes but a moment.
    ///
    /// # Errors
    /// A network that cannot be evaluated.
    fn metrics_of_fit(
        &self,
        loss: f64,
        _reconstruction: &Reconstruction<'_>,
    ) -> Result<Metrics, SignalError> {
        Ok(self.metrics_of_loss(loss))
    }

    /// Whether a network that was trained with an unsigned supervision represents -Φ instead of Φ.
    ///
    /// # Errors
    /// A network that cannot be evaluated.
    fn is_negated(&self, _reconstruction: &Reconstruction<'_>) -> Result<bool, SignalError> {
        Ok(false)
    }

    /// All that can be said about a network that represents this signal.
    ///
    /// # Errors
    /// A network that cannot be evaluated.
    fn metrics(&self, reconstruction: &Reconstruction<'_>) -> Result<Metrics, SignalError>;

    /// Writes what people look at into `directory` and returns its files.
    ///
    /// # Errors
    /// What the system reports, with the file's name.
    fn save_images(
        &self,
        reconstruction: &Reconstruction<'_>,
        directory: &Path,
    ) -> Result<Vec<PathBuf>, SignalError>;
}

/// What represents a signal.
#[derive(Debug, Clone, Copy)]
pub struct Reconstruction<'a> {
    /// Its network or networks.
    pub body: &'a Body,
    /// Its values at the signal's sampled points, in their order; empty where points are drawn.
    pub values: &'a [f32],
    /// For whoever evaluates it elsewhere.
    pub backend: &'a dyn Backend,
}

/// Reads the signal in a file, whose kind is told by its content.
///
/// # Errors
/// A file that cannot be read, is of no known kind, is damaged or too large, or options that it
/// cannot meet.
pub fn open(path: &Path, options: &SignalOptions) -> Result<Box<dyn Signal>, SignalError> {
    decode(path, Cow::Owned(read_file(path)?), options)
}

/// A file that has been read, for those who try more than one way to understand it.
#[derive(Debug, Clone)]
pub struct SignalFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl SignalFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read or is too large.
    pub fn read(path: &Path) -> Result<Self, SignalError> {
        Ok(Self { path: path.to_owned(), bytes: read_file(path)? })
    }

    /// The same for bytes that are at hand; messages call them `path`.
    pub fn of_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        Self { path: path.to_owned(), bytes }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signal in it, as [`open`] gives it.
    ///
    /// # Errors
    /// Those of [`open`].
    pub fn decode(&self, options: &SignalOptions) -> Result<Box<dyn Signal>, SignalError> {
        decode(&self.path, Cow::Borrowed(&self.bytes), options)
    }
}

fn decode(
    path: &Path,
    bytes: Cow<'_, [u8]>,
    options: &SignalOptions,
) -> Result<Box<dyn Signal>, SignalError> {
    (SignalKind::of_file(path, &bytes)?.entry().open)(path, bytes, options)
}

/// All bytes of a file, once: it may be a pipe.
fn read_file(path: &Path) -> Result<Vec<u8>, SignalError> {
    read_at_most(path, MAX_BYTES)
        .map_err(|source| SignalError::Read { path: path.to_owned(), source })
}

/// The checksum of a signal while its values come in: see [`Signal::fingerprint`].
pub(crate) struct Fingerprint {
    hasher: crc32fast::Hasher,
}

impl Fingerprint {
    /// That of a signal without values yet.
    pub(crate) fn of(info: &dyn SignalInfo) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(info_to_json(info).to_string().as_bytes());
        Self { hasher }
    }

    /// Takes the next values.
    pub(crate) fn add(&mut self, values: &[f32]) {
        let mut bytes = Vec::new();
        for values in values.chunks(1 << 14) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            self.hasher.update(&bytes);
        }
    }

    /// Eight hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        format!("{:08x}", self.hasher.finalize())
    }
}
