//! Signals as coordinate networks: fitting, decoding, measuring, keeping.
//!
//! Read in the order in which a fit meets them: [`signal`] (what can be fitted), [`recipe`] (how,
//! where nothing is asked for), [`fn@fit`] (from signal and plan to a model), [`points`] (where training
//! finds its points), [`mod@train`] (the steps), [`optimiser`] (what makes a step of a gradient), [`metrics`] (how far a reconstruction is from the
//! truth), [`model_file`] (a trained network on disk), [`run_directory`] (all that a fit leaves
//! behind), [`mod@decode`] and [`mod@evaluate`] (what a model is good for), [`chart`] (curves as SVG and
//! PNG files).

pub mod atomic_file;
mod bounded_read;
pub mod chart;
pub mod checkpoint;
pub mod decode;
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
pub use decode::{DecodeError, DecodedShape, decode_audio, decode_image, decode_shape};
pub use evaluate::{EvaluateError, evaluate};
pub use fit::{EngineChoice, Fit, FitError, FitPlan, FitReport, fit};
pub use model_file::{Model, ModelError};
pub use run_directory::{MetricsLog, RunDirectory, RunError};
pub use signal::{
    AlphaRule, Audio, AudioInfo, AudioOptions, BitDepth, ChannelRule, Grid, Image, ImageInfo,
    ImageOptions, SampleFormat, ShapeInfo, ShapeOptions, ShapeSignal, Signal, SignalError,
    SignalInfo, SignalOptions, test_picture,
};
