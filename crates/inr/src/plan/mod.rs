//! What a fit does, with nothing left open.
//!
//! [`resolve`] turns a [`FitRequest`](crate::request::FitRequest) and the size of a signal into a
//! [`FitPlan`]. The plan decides every byte of the result: its canonical JSON is what a checkpoint
//! must agree with, what a model file keeps and what tells the trials of a sweep apart.

mod check;
mod differences;
mod initialization;
mod pieces;
mod resolve;
mod stored;
mod training;

pub(crate) use check::numbers as check_numbers;
pub use differences::differences;
pub use initialization::{Initialization, resolve_initialization};
pub use resolve::{Reason, Resolved, SignalFacts, StartFacts, resolve};

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vi3nr::{InitRule, Network};

use crate::model_file::StorageRule;
use crate::pieces::PiecePlan;
use crate::request::EngineName;
use crate::signal::{Signal, SignalInfo, SignalKind, SignalOptions};
use crate::train::TrainSettings;

/// The version of the plan's JSON and of what it means. Another version's results are never taken
/// for this one's. Plans without pieces and with 32-bit parameters are those of version 2.
pub const PLAN_FORMAT: u32 = 3;
/// The oldest version whose plans mean the same.
const OLDEST_FORMAT: u32 = 2;

/// Everything that decides a fit.
///
/// The number of threads, where files are written and how often are not part of it: they do not
/// change the result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "stored::StoredPlan", try_from = "stored::StoredPlan")]
#[non_exhaustive]
pub struct FitPlan {
    /// The kind and size of the signal.
    pub signal: Arc<dyn SignalInfo>,
    /// Where the signal came from.
    pub source: Source,
    /// Coordinates reach from minus this to this.
    pub input_scale: f64,
    /// The shape and activation of the network.
    pub network: Network,
    /// The initial weights; with [`FitPlan::start`] only how they would have been drawn.
    pub init: InitRule,
    /// The trained weights that the fit starts from, if it does not draw its own.
    pub start: Option<Start>,
    /// The seed of the initial weights and of the order of mini-batches.
    pub seed: u64,
    /// How the signal is cut into pieces, if it is: the network, its initial weights and the steps
    /// are then those of every piece.
    pub pieces: Option<PiecePlan>,
    /// The steps.
    pub training: TrainSettings,
    /// How the model's parameters are stored.
    pub storage: StorageRule,
    /// The engine that trains.
    pub engine: EngineName,
}

/// The file that a signal was read from, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The file's name without its folder; none for signals that are not from a file.
    pub file: Option<String>,
    /// How the file was read: the options of the signal's kind, from
    /// [`SignalOptions::to_json`].
    pub options: Value,
    /// A checksum of all values of the signal: [`Signal::fingerprint`].
    pub fingerprint: String,
}

/// Weights that a fit goes on from.
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
    /// equal text, and a plan of another version never has the same.
    pub fn canonical(&self) -> String {
        self.to_json().to_string()
    }

    /// The plan as a JSON value.
    pub fn to_json(&self) -> Value {
        // Plain numbers and text: nothing that JSON cannot hold.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Source {
    /// How the file was read, for reading another file of the same `kind` likewise.
    ///
    /// # Errors
    /// Returns the error of `serde_json` if the options are not those of `kind`.
    pub fn options(&self, kind: SignalKind) -> serde_json::Result<SignalOptions> {
        SignalOptions::from_json(kind, &self.options)
    }
}

impl SignalFacts {
    /// What a plan must know of `signal`, which was read from `file` with `options`.
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
        Self { info, source, loss_at_0_db: signal.loss_at_0_db(), start: None }
    }
}

#[cfg(test)]
mod tests;
