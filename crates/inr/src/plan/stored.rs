//! The JSON form of a plan.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vi3nr::{InitRule, Network};

use super::{
    FORMAT_WITHOUT_GPU, FORMAT_WITHOUT_TERMS, FitPlan, OLDEST_FORMAT, PLAN_FORMAT, Source, Start,
};
use crate::backend::BackendName;
use crate::model_file::StorageRule;
use crate::optimizer::OptimizerSettings;
use crate::pieces::PiecePlan;
use crate::signal::{SignalInfo, info_json};
use crate::supervision::Supervision;
use crate::train::TrainSettings;

/// The JSON of a plan.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPlan {
    format: u32,
    #[serde(with = "info_json")]
    signal: Arc<dyn SignalInfo>,
    source: Source,
    input_scale: f64,
    network: StoredNetwork,
    init: StoredInit,
    start: Option<Start>,
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pieces: Option<PiecePlan>,
    #[serde(default, skip_serializing_if = "Supervision::is_values")]
    supervision: Supervision,
    training: StoredTraining,
    #[serde(default, skip_serializing_if = "is_plain")]
    storage: StorageRule,
    /// Called so since version 2, in which it identifies plans.
    engine: BackendName,
}

fn is_plain(storage: &StorageRule) -> bool {
    *storage == StorageRule::F32
}

#[derive(Serialize, Deserialize)]
struct StoredNetwork {
    dims: Vec<usize>,
    activation: String,
}

#[derive(Serialize, Deserialize)]
struct StoredInit {
    scheme: String,
    weights: String,
    biases: String,
    first_biases: String,
}

#[derive(Serialize, Deserialize)]
struct StoredTraining {
    steps: u64,
    batch: Option<usize>,
    target_psnr: Option<f64>,
    /// In seconds.
    time_limit: Option<f64>,
    #[serde(flatten)]
    optimizer: OptimizerSettings,
}

impl From<FitPlan> for StoredPlan {
    fn from(plan: FitPlan) -> Self {
        let FitPlan { training, init, network, .. } = plan;
        let is_old = plan.pieces.is_none() && is_plain(&plan.storage);
        Self {
            format: match plan.supervision.is_values() {
                _ if plan.backend == BackendName::Gpu => PLAN_FORMAT,
                true if is_old => OLDEST_FORMAT,
                true => FORMAT_WITHOUT_TERMS,
                false => FORMAT_WITHOUT_GPU,
            },
            signal: plan.signal,
            source: plan.source,
            input_scale: plan.input_scale,
            network: StoredNetwork {
                dims: network.dims().to_vec(),
                activation: network.activation().to_string(),
            },
            init: StoredInit {
                scheme: init.scheme.to_string(),
                weights: init.weights.name().into(),
                biases: init.biases.to_string(),
                first_biases: init.first_biases.to_string(),
            },
            start: plan.start,
            seed: plan.seed,
            pieces: plan.pieces,
            supervision: plan.supervision,
            storage: plan.storage,
            training: StoredTraining {
                steps: training.steps,
                batch: training.batch,
                target_psnr: training.target_psnr,
                time_limit: training.time_limit.map(|limit| limit.as_secs_f64()),
                optimizer: training.optimizer,
            },
            engine: plan.backend,
        }
    }
}

impl TryFrom<StoredPlan> for FitPlan {
    type Error = String;

    fn try_from(stored: StoredPlan) -> Result<Self, String> {
        let StoredPlan { format, network, init, training, .. } = stored;
        if !(OLDEST_FORMAT..=PLAN_FORMAT).contains(&format) {
            let expected = format!("{OLDEST_FORMAT} to {PLAN_FORMAT}");
            return Err(format!("its plan has format {format}, expected {expected}"));
        }
        let axes = stored.signal.axes();
        if let Some(problem) = stored.pieces.as_ref().and_then(|pieces| pieces.grid.problem(&axes))
        {
            return Err(format!("its plan has {problem}"));
        }
        let wrong = |error: vi3nr::Error| error.to_string();
        let activation = network.activation.parse().map_err(wrong)?;
        let time_limit = training.time_limit.map(Duration::try_from_secs_f64).transpose();
        Ok(Self {
            signal: stored.signal,
            source: stored.source,
            input_scale: stored.input_scale,
            network: Network::new(network.dims, activation).map_err(wrong)?,
            init: InitRule::new(init.scheme.parse().map_err(wrong)?)
                .with_weights(init.weights.parse().map_err(wrong)?)
                .with_biases(init.biases.parse().map_err(wrong)?)
                .with_first_biases(init.first_biases.parse().map_err(wrong)?),
            start: stored.start,
            seed: stored.seed,
            pieces: stored.pieces,
            supervision: stored.supervision,
            storage: stored.storage,
            training: TrainSettings {
                steps: training.steps,
                batch: training.batch,
                optimizer: training.optimizer,
                target_psnr: training.target_psnr,
                time_limit: time_limit.map_err(|error| format!("time_limit: {error}"))?,
            },
            backend: stored.engine,
        })
    }
}
