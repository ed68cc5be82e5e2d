//! Signals as coordinate networks: fitting, decoding, measuring, keeping.
//!
//! Read in the order in which a fit meets them: [`signal`] (what can be fitted), [`recipe`] (how,
//! where nothing is asked for), [`fn@fit`] (from signal and plan to a model), [`points`] (where training
//! finds its points), [`mod@train`] (the steps), [`optimiser`] (what makes a step of a gradient), [`metrics`] (how far a reconstruction is from the
//! truth), [`model_file`] (a trained network on disk), [`run_directory`] (all that a fit leaves
//! behind), [`mod@decode`] and [`mod@evaluate`] (what a model is good for), [`chart`] (curves as SVG and
//! PNG files).
//!
//! Cargo features, all of them on by default: `audio` (recordings: WAV, FLAC and MP3 files; includes
//! `chart`, for their waveforms), `shape` (surfaces: PLY, OBJ, STL and XYZ files) and `chart`. Without
//! them this crate fits pictures, and refuses other files with
//! [`SignalError::CompiledOut`].

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod atomic_file;
mod bounded_read;
#[cfg(feature = "chart")]
pub mod chart;
pub mod checkpoint;
pub mod decode;
pub mod encoded_png;
pub mod evaluate;
pub mod fit;
pub mod metrics;
pub mod model_file;
pub mod optimiser;
pub mod points;
pub mod recipe;
pub mod run_directory;
pub mod signal;
#[cfg(test)]
mod test_data;
pub mod train;

pub use atomic_file::{WriteError, write_atomically};
#[cfg(feature = "audio")]
pub use decode::decode_audio;
pub use decode::{DecodeError, decode_image};
#[cfg(feature = "shape")]
pub use decode::{DecodedShape, decode_shape};
pub use evaluate::{EvaluateError, evaluate};
pub use fit::{EngineChoice, Fit, FitError, FitPlan, FitReport, fit};
pub use model_file::{Model, ModelError};
pub use run_directory::{MetricsLog, RunDirectory, RunError};
#[cfg(feature = "shape")]
pub use signal::ShapeSignal;
pub use signal::{
    AlphaRule, AudioInfo, AudioOptions, BitDepth, ChannelRule, Grid, Image, ImageInfo,
    ImageOptions, ShapeInfo, ShapeOptions, Signal, SignalError, SignalInfo, SignalOptions,
    test_picture,
};
#[cfg(feature = "audio")]
pub use signal::{Audio, SampleFormat};

/// Compiles and runs the example of README.md with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
