//! Plans: the complete settings of a fit.
//!
//! [`resolve`] combines a [`FitRequest`] and the facts about a signal into a [`FitPlan`]. The plan
//! determines the result bit for bit. Its canonical JSON identifies a fit: a checkpoint is used only
//! with an equal plan, a model file stores it, and a sweep identifies its trials by it.

mod check;
mod differences;
mod initialization;
mod pieces;
mod resolve;
mod stored;
mod supervision;
mod training;

pub(crate) use check::numbers as check_numbers;
pub use differences::differences;
pub(crate) use differences::differences_but_backend;
pub use initialization::{Initialization, resolve_initialization};
pub use resolve::{Reason, Resolved, SignalFacts, StartFacts, resolve};

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vi3nr::{InitRule, Network};

use crate::backend::BackendName;
use crate::model_file::StorageRule;
use crate::pieces::PiecePlan;
use crate::request::FitRequest;
use crate::signal::{Signal, SignalInfo, SignalKind, SignalOptions, spectral_centroid};
use crate::supervision::Supervision;
use crate::train::TrainSettings;

/// The version of the plan's JSON and its meaning. Results of different versions are never mixed
/// up. Plans that are not for a GPU are still written as version 4, those that also have no terms as
/// version 3, and those that also have no pieces and 32-bit parameters as version 2.
pub const PLAN_FORMAT: u32 = 5;
/// The version of plans that are not for a GPU.
const FORMAT_WITHOUT_GPU: u32 = 4;
/// The version of plans that also have no terms.
const FORMAT_WITHOUT_TERMS: u32 = 3;
/// The oldest version whose plans have the same meaning.
const OLDEST_FORMAT: u32 = 2;

/// Everything that determines the result of a fit.
///
/// The number of threads, the destination of files and the checkpoint interval do not change the
/// result and are not part of the plan. Neither is the GPU that is used, although the results of
/// different GPUs and drivers differ in the last bits, as do those of different CPUs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "stored::StoredPlan", try_from = "stored::StoredPlan")]
#[non_exhaustive]
pub struct FitPlan {
    /// The kind and size of the signal.
    pub signal: Arc<dyn SignalInfo>,
    /// The source of the signal.
    pub source: Source,
    /// The coordinate scale s: coordinates lie in \[-s, s\].
    pub input_scale: f64,
    /// The shape and activation of the network.
    pub network: Network,
    /// The rule by which the initial weights are drawn; unused if [`FitPlan::start`] is set.
    pub init: InitRule,
    /// The weights that the fit starts from, if they are not drawn.
    pub start: Option<Start>,
    /// The seed of the initial weights and of the mini-batches.
    pub seed: u64,
    /// How the signal is cut into pieces, if it is. The network, its initialization and the
    /// training settings then apply to every piece.
    pub pieces: Option<PiecePlan>,
    /// What the network learns from the signal.
    pub supervision: Supervision,
    /// The training settings.
    pub training: TrainSettings,
    /// How the model's parameters are stored.
    pub storage: StorageRule,
    /// The backend that trains; `engine` in JSON.
    pub backend: BackendName,
}

/// The file from which a signal was read, and the options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The name of the file without its folder; `None` for signals that are not from a file.
    pub file: Option<String>,
    /// The options with which the file was read, as [`SignalOptions::to_json`] returns them for the
    /// signal's kind.
    pub options: Value,
    /// A checksum of all values of the signal: [`Signal::fingerprint`].
    pub fingerprint: String,
}

/// The weights that a fit starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// CRC-32 of the parameters in the order of [`Network::layers`], little-endian float32, in
    /// hexadecimal.
    pub parameters: String,
}

impl PartialEq for FitPlan {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl FitPlan {
    /// The canonical JSON of the plan: keys in alphabetical order, no spaces. Equal plans have
    /// equal text; plans of different versions never do.
    pub fn canonical(&self) -> String {
        self.to_json().to_string()
    }

    /// The plan as a JSON value.
    pub fn to_json(&self) -> Value {
        // Cannot fail: a plan consists of numbers and text.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Source {
    /// The options with which the file was read, for reading another file of the same `kind`.
    ///
    /// # Errors
    /// Returns the error of `serde_json` if the options are not those of `kind`.
    pub fn options(&self, kind: SignalKind) -> serde_json::Result<SignalOptions> {
        SignalOptions::from_json(kind, &self.options)
    }
}

impl SignalFacts {
    /// The facts about `signal`, which was read from `file` with `options`.
    pub fn of(
        signal: &dyn Signal,
        file: Option<&std::path::Path>,
        options: &SignalOptions,
    ) -> Self {
        let info = signal.info();
        let name = file.and_then(std::path::Path::file_name);
        let source = Source {
            file: name.map(|name| name.to_string_lossy().into_owned()),
            options: options.to_json(info.kind()),
            fingerprint: signal.fingerprint(),
        };
        let loss_at_0_db = signal.loss_at_0_db();
        Self { info, source, loss_at_0_db, spectral_centroid: None, start: None }
    }

    /// The facts about `signal` on which the plan of `request` depends. `options` are those with which
    /// it was read.
    pub fn of_request(request: &FitRequest, signal: &dyn Signal, options: &SignalOptions) -> Self {
        let facts = Self::of(signal, request.file.as_deref(), options);
        let needs_spectrum = request.init.is_some_and(|init| init.needs_spectrum());
        let spectral_centroid = needs_spectrum.then(|| spectral_centroid(signal)).flatten();
        Self { spectral_centroid, ..facts }
    }
}

#[cfg(test)]
mod tests;
