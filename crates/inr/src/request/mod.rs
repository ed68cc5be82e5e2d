//! What a fit is asked to be, before anything is decided.
//!
//! A [`FitRequest`] has a named field for every setting of a fit, all of them optional. The command
//! line, a sweep's TOML file, a Python keyword and a stored run all fill the same one;
//! [`resolve`](crate::plan::resolve) turns it, together with what is known of the signal, into a
//! [`FitPlan`](crate::plan::FitPlan) that leaves nothing open.
//!
//! ```
//! use vi3nr_inr::request::FitRequest;
//!
//! let settings = serde_json::json!({"activation": "gaussian:sigma=0.05", "sigma_p": "2*auto", "crop": 64});
//! let request = FitRequest::from_settings(settings.as_object().unwrap())?;
//! assert_eq!(request.signal.image.crop, Some(64));
//! let refused = serde_json::json!({"steps": "many"});
//! let error = FitRequest::from_settings(refused.as_object().unwrap()).unwrap_err();
//! assert_eq!(error.fields, ["steps"]);
//! # Ok::<(), vi3nr_inr::request::RequestError>(())
//! ```

mod choices;
mod error;
mod settings;
mod text;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, BiasRule, WeightShape};

pub use choices::{BatchSize, EngineName, ScheduleName, TileSide};
pub use error::RequestError;

use crate::model_file::StorageRule;
use crate::optimizer::OptimizerName;
use crate::preset::Preset;
use crate::signal::SignalRequest;

/// Everything that may be asked of a fit. What is `None` is decided by
/// [`resolve`](crate::plan::resolve).
///
/// In JSON and TOML all settings lie on one level, the signal's among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FitRequest {
    /// The image, audio or shape file; the program's own test image if none. A name that is not
    /// Unicode is written with U+FFFD for what is not, and cannot be read again from there.
    #[serde(serialize_with = "text::path", skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// What every other setting is chosen for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// How the file is read.
    #[serde(flatten)]
    pub signal: SignalRequest,
    /// Coordinates reach from minus this to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_scale: Option<f64>,

    /// The nonlinearity.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// The number of weight matrices, the first and the last included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
    /// The number of units of each hidden layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,

    /// A model or a file of initial weights whose parameters the fit starts from; written as `file`
    /// is.
    #[serde(serialize_with = "text::path", skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The scheme of the initial weights.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub init: Option<SchemeRequest>,
    /// The standard deviation of the preactivations, for the schemes that have one.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub sigma_p: Option<SigmaRequest>,
    /// The standard deviation of the network's initial output, where it is not `sigma_p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sigma_p: Option<f64>,
    /// The distribution of the initial weights.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightShape>,
    /// The initial biases of all layers.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub biases: Option<BiasRule>,
    /// The initial biases of the first layer, where they are not `biases`.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub first_bias: Option<BiasRule>,
    /// The seed of the initial weights and of the order of mini-batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,

    /// The maximum number of steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// The number of points of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchSize>,
    /// The optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerName>,
    /// The initial learning rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// The learning-rate schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleName>,
    /// The factor of the exponential schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_decay: Option<f64>,
    /// Seconds after which the fit, its files included, must be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<f64>,
    /// The PSNR (peak 2, dB) of the training loss at which the fit stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_psnr: Option<f64>,
    /// The quality in dB at which the fit stops, of every piece where there are pieces: the PSNR of
    /// an image, the SNR of audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Whether and how the signal is cut into pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tile: Option<TileSide>,
    /// The number of parameters, all pieces together, that the width is chosen for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// How the model's parameters are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageRule>,
    /// The engine that trains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineName>,
}
