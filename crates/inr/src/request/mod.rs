//! The settings of a fit, before defaults are filled in.
//!
//! A [`FitRequest`] has a field for every setting of a fit, all of them optional. The command line,
//! the TOML file of a sweep and the record of a run all use it. [`resolve`](crate::plan::resolve)
//! combines it with the facts about the signal into a complete [`FitPlan`](crate::plan::FitPlan).
//!
//! ```
//! use vi3nr_inr::request::FitRequest;
//! let settings = serde_json::json!({"activation": "gaussian:sigma=0.05", "crop": 64});
//! let request = FitRequest::from_settings(settings.as_object().unwrap())?;
//! assert_eq!(request.signal.image.crop, Some(64));
//! let invalid = serde_json::json!({"steps": "many"});
//! let error = FitRequest::from_settings(invalid.as_object().unwrap()).unwrap_err();
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

pub use choices::{BatchSize, ScheduleName, TileSide};
pub use error::RequestError;

use crate::backend::BackendChoice;
use crate::model_file::StorageRule;
use crate::optimizer::OptimizerName;
use crate::preset::Preset;
use crate::signal::SignalRequest;
use crate::supervision::{Supervise, TermList};

/// The settings of a fit. [`resolve`](crate::plan::resolve) chooses a value for every field that is
/// `None`.
///
/// In JSON and TOML all settings are on one level, including those of the signal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FitRequest {
    /// The image, audio or shape file; if `None`, the built-in test image. A path that is not
    /// Unicode is serialized with U+FFFD in place of the invalid parts, and is then not read back.
    #[serde(serialize_with = "text::path", skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The preset, which decides all settings that are not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// The options for reading the file.
    #[serde(flatten)]
    pub signal: SignalRequest,
    /// The coordinate scale s: coordinates lie in \[-s, s\].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_scale: Option<f64>,

    /// The activation.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// The number of weight matrices, the first and the last included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
    /// The number of units of each hidden layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,

    /// The model, run directory or file of initial weights from whose parameters the fit starts;
    /// serialized as `file`.
    #[serde(serialize_with = "text::path", skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The initialization scheme.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub init: Option<SchemeRequest>,
    /// The standard deviation σ_p of the preactivations, for schemes that use one.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub sigma_p: Option<SigmaRequest>,
    /// The standard deviation of the first layer's preactivations, if it differs from `sigma_p`.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub first_sigma_p: Option<SigmaRequest>,
    /// The standard deviation of the network's initial output, if it differs from `sigma_p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sigma_p: Option<f64>,
    /// The distribution of the initial weights.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightShape>,
    /// The initial biases of all layers.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub biases: Option<BiasRule>,
    /// The initial biases of the first layer, if they differ from `biases`.
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub first_bias: Option<BiasRule>,
    /// The seed of the initial weights and of the mini-batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,

    /// The maximum number of steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// What the network learns from the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervise: Option<Supervise>,
    /// The terms of the loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermList>,
    /// The number of points per step.
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
    /// The factor per step of the exponential schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_decay: Option<f64>,
    /// The time limit in seconds, including the writing of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<f64>,
    /// The PSNR (peak 2, dB) of the training loss at which the fit stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_psnr: Option<f64>,
    /// The target quality in dB at which the fit, or each of its pieces, stops: PSNR for an image,
    /// SNR for audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// The side of the pieces into which the signal is cut, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tile: Option<TileSide>,
    /// The maximum number of parameters of the model, from which the width is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// How the model's parameters are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageRule>,
    /// The backend that trains. Requests of earlier versions call it `engine`.
    #[serde(alias = "engine", skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendChoice>,
    /// The number of the GPU that trains, in the list of [`devices`](crate::backend::devices).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<usize>,
}

impl FitRequest {
    /// Whether no setting says or implies an activation or a scheme of the initial weights. An input scale
    /// implies SIREN's scheme for a sine.
    pub(crate) fn leaves_weights_open(&self) -> bool {
        self.activation.is_none()
            && self.init.is_none_or(|init| init == SchemeRequest::Auto)
            && self.from.is_none()
            && self.input_scale.is_none()
            && self.sigma_p.is_none()
            && self.first_sigma_p.is_none()
            && self.last_sigma_p.is_none()
    }
}
