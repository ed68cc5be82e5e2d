//! What a network is fitted to.
//!
//! A [`Signal`] is all that a fit knows of a picture, a recording or a shape: where its points come
//! from, what a model file keeps of it, what is measured and what is drawn at the end. [`open`]
//! finds the right one for a file. A new kind is a folder beside [`image`], [`audio`] and [`shape`] with
//! its reader and its `impl Signal`, a variant of [`SignalInfo`], and one in `kind.rs`, which tells kinds apart.

pub mod audio;
mod error;
pub mod image;
mod info;
mod kind;
pub mod shape;

use std::borrow::Cow;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use vi3nr::Network;

pub use self::image::{AlphaRule, BitDepth, Grid, Image, ImageInfo, ImageOptions, test_picture};
#[cfg(feature = "audio")]
pub use audio::{Audio, SampleFormat};
pub use audio::{AudioInfo, AudioOptions, ChannelRule};
pub use error::SignalError;
pub use info::{SignalInfo, Unit};
#[cfg(feature = "shape")]
pub use shape::ShapeSignal;
pub use shape::{ShapeInfo, ShapeOptions};

use crate::bounded_read::read_at_most;
use crate::metrics::Metrics;
use crate::points::Points;
use crate::recipe::{ByPreset, PaperTable, Recipe};
use kind::SignalKind;

/// Most bytes of a file that is read.
const MOST_BYTES: u64 = 1 << 30;

/// Something that a network can be fitted to.
pub trait Signal: Debug + Send + Sync {
    /// What a model file keeps of it.
    fn info(&self) -> SignalInfo;

    /// What people should know about the file before its fit is believed.
    fn warnings(&self) -> &[String] {
        &[]
    }

    /// Where training finds its points, and what they are to give.
    fn points(&self) -> Points<'_>;

    /// What a fit does where nothing is asked for.
    fn recipes(&self) -> ByPreset<Recipe>;

    /// What the paper reached on signals of this kind.
    fn paper_table(&self) -> PaperTable;

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

    /// All that can be said about a network that represents this signal.
    ///
    /// # Errors
    /// A network that cannot be evaluated.
    fn metrics(&self, reconstruction: &Reconstruction<'_>) -> Result<Metrics, SignalError>;

    /// Writes what people look at into `directory` and returns its files.
    ///
    /// # Errors
    /// What the system reports, with the file's name.
    fn save_pictures(
        &self,
        reconstruction: &Reconstruction<'_>,
        directory: &Path,
    ) -> Result<Vec<PathBuf>, SignalError>;
}

/// A network that represents a signal.
#[derive(Debug, Clone, Copy)]
pub struct Reconstruction<'a> {
    /// Its shape and activation.
    pub network: &'a Network,
    /// Its weights and biases.
    pub parameters: &'a [f32],
    /// Its values at the signal's sampled points, in their order; empty where points are drawn.
    pub values: &'a [f32],
    /// Worker threads for whoever evaluates it elsewhere.
    pub threads: Option<usize>,
}

/// How files of each kind are turned into signals.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SignalOptions {
    /// Of pictures.
    pub image: ImageOptions,
    /// Of shapes.
    pub shape: ShapeOptions,
    /// Of recordings.
    pub audio: AudioOptions,
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
    Ok(match SignalKind::of(path, &bytes)? {
        SignalKind::Image => Box::new(Image::decode(path, &bytes, &options.image)?),
        #[cfg(feature = "shape")]
        SignalKind::Shape => Box::new(ShapeSignal::decode(path, &bytes, options.shape)?),
        #[cfg(feature = "audio")]
        SignalKind::Audio => Box::new(Audio::decode(path, bytes.into_owned(), &options.audio)?),
        #[cfg(not(all(feature = "audio", feature = "shape")))]
        kind => return Err(kind.compiled_out(path)),
    })
}

/// All bytes of a file, once: it may be a pipe.
fn read_file(path: &Path) -> Result<Vec<u8>, SignalError> {
    read_at_most(path, MOST_BYTES)
        .map_err(|source| SignalError::Read { path: path.to_owned(), source })
}
