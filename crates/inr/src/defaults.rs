//! What a fit does where nothing is asked for, chosen by measurement (docs/defaults.md).

use vi3nr::{Activation, Error, Network, Scheme};
use vi3nr_engine::Adam;

use crate::train::{Schedule, TrainSettings};

/// Floating-point operations of a whole fit: about 40 s on two present cores.
const BUDGET: f64 = 6e12;
/// Points of a step.
const BATCH: usize = 16_384;
/// Fewest and most steps that the budget is divided into.
const STEPS: (f64, f64) = (200.0, 5_000.0);

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
/// allows (not of time, so that the result is the same on every machine), on at most 16,384 points
/// each.
pub fn default_training(network: &Network, points: usize) -> TrainSettings {
    let batch = BATCH.min(points.max(1));
    let step = 6.0 * network.weight_count() as f64 * batch as f64;
    TrainSettings {
        steps: (BUDGET / step).clamp(STEPS.0, STEPS.1) as u64,
        batch: (points > BATCH).then_some(BATCH),
        learning_rate: 1e-3,
        schedule: Schedule::Cosine,
        target_psnr: None,
        time_limit: None,
        adam: Adam::default(),
    }
}
