//! What a fit does where nothing is asked for, chosen by measurement (docs/defaults.md).

use vi3nr::{Activation, Error, Network, Solution};
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

/// Pictures want twice the σ_p at which gradients keep their variance, for every activation that has
/// one: the paper's Fig. 2b, and our own measurement.
const PICTURE_FACTOR: f64 = 2.0;

/// The σ_p of a fit where none is asked for: twice the smallest root of Eq. (13), or what
/// [`vi3nr::auto_sigma_p`] chooses where there is no root.
///
/// # Errors
/// An activation without a finite gain.
pub fn default_sigma_p(activation: &Activation) -> Result<f64, Error> {
    match vi3nr::backward::solve(activation, 1.0)? {
        Solution::Roots(roots) if !roots.is_empty() => Ok(PICTURE_FACTOR * roots[0].sigma_p),
        _ => vi3nr::auto_sigma_p(activation),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigma_p_is_twice_the_root_where_there_is_one() {
        let at = |text: &str| default_sigma_p(&text.parse().unwrap()).unwrap();
        assert!((at("gaussian:sigma=0.05") - 2.0 * 0.0776886987).abs() < 1e-9);
        assert_eq!(at("relu"), 1.0);
        assert!((at("sine:omega=30") - 1.0 / 30.0).abs() < 1e-4);
    }

    #[test]
    fn the_budget_fixes_the_steps() {
        let network = Network::uniform(2, 128, 8, 3, "sine".parse().unwrap()).unwrap();
        let steps = |points| default_training(&network, points).steps;
        assert_eq!(steps(16_384), steps(1 << 24));
        assert_eq!(steps(16_384), 2056);
        assert_eq!(default_training(&network, 4_096).batch, None);
        assert_eq!(default_training(&network, 4_097).batch, Some(4_096));
        assert_eq!(steps(1), 20_000);
    }
}
