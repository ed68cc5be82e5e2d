//! The plan as files keep it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vi3nr::{InitRule, Network};

use super::{FitPlan, PLAN_FORMAT, Source, Start};
use crate::optimizer::OptimizerSettings;
use crate::request::EngineName;
use crate::signal::{SignalInfo, info_json};
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
    training: StoredTraining,
    engine: EngineName,
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
        Self {
            format: PLAN_FORMAT,
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
            training: StoredTraining {
                steps: training.steps,
                batch: training.batch,
                target_psnr: training.target_psnr,
                time_limit: training.time_limit.map(|limit| limit.as_secs_f64()),
                optimizer: training.optimizer,
            },
            engine: plan.engine,
        }
    }
}

impl TryFrom<StoredPlan> for FitPlan {
    type Error = String;

    fn try_from(stored: StoredPlan) -> Result<Self, String> {
        let StoredPlan { format, network, init, training, .. } = stored;
        if format != PLAN_FORMAT {
            return Err(format!("its plan has format {format}, expected {PLAN_FORMAT}"));
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
            training: TrainSettings {
                steps: training.steps,
                batch: training.batch,
                optimizer: training.optimizer,
                target_psnr: training.target_psnr,
                time_limit: time_limit.map_err(|error| format!("time_limit: {error}"))?,
            },
            engine: stored.engine,
        })
    }
}
