//! What a fit does where nothing is asked for, chosen by measurement (docs/defaults.md).

use vi3nr::{Activation, Error, Network, Scheme};
use vi3nr_engine::Adam;

use crate::train::{Schedule, TrainSettings};

/// Floating-point operations of a whole fit: 30 to 40 s on two present cores.
const BUDGET: f64 = 5e12;
/// Points of a step: at an equal amount of work many small steps beat few large ones, down to where
/// the threads have too little to share.
const BATCH: usize = 4_096;
/// Fewest and most steps that the budget is divided into.
const STEPS: (f64, f64) = (500.0, 20_000.0);
/// Adam's first learning rate: twice this fits small pictures better and fails on large ones.
const LEARNING_RATE: f64 = 5e-4;

/// The initialisation that is used when none is asked for: the one that was published with the
/// activation, else the paper's with σ_p from Eq. (13).
///
/// # Errors
/// An activation without a finite gain.
pub fn default_scheme(activation: &Activation) -> Result<Scheme, Error> {
    match activation.own_scheme() {
        Some(scheme) => Ok(scheme),
        None => {
            let sigma_p = vi3nr::auto_sigma_p(activation)?;
            Ok(Scheme::VarianceInformed { sigma_p, last_sigma_p: None })
        }
    }
}

/// The training that is used when nothing is asked for: as many steps as a budget of arithmetic
/// allows (not of time, so that the result is the same on every machine), on at most 4,096 points
/// each.
pub fn default_training(network: &Network, points: usize) -> TrainSettings {
    let batch = BATCH.min(points.max(1));
    let step = 6.0 * network.weight_count() as f64 * batch as f64;
    TrainSettings {
        steps: (BUDGET / step).clamp(STEPS.0, STEPS.1) as u64,
        batch: (points > BATCH).then_some(BATCH),
        learning_rate: LEARNING_RATE,
        schedule: Schedule::Cosine,
        target_psnr: None,
        time_limit: None,
        adam: Adam::default(),
    }
}
