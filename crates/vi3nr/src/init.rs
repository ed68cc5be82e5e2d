//! Drawing a network's first parameters.

use crate::rng::{Random, Stream};
use crate::{BiasRule, LayerPlan, Network, WeightShape};

/// The parameters of `network` drawn after `plan` (one entry per layer), in the order of
/// [`Network::layers`]. The same seed gives the same bytes everywhere.
///
/// # Panics
/// If `plan` does not have one entry per layer.
pub fn draw(network: &Network, plan: &[LayerPlan], seed: u64) -> Vec<f32> {
    assert_eq!(plan.len(), network.layer_count(), "one plan per layer");
    let mut parameters = vec![0.0; network.parameter_count()];
    for (layer, plan) in network.layers().iter().zip(plan) {
        let fill = |stream: Stream, values: &mut [f32]| {
            let random = Random::new(seed, stream, layer.index as u32);
            for (element, value) in values.iter_mut().enumerate() {
                *value = draw_one(plan, &random, element as u64) as f32;
            }
        };
        fill(Stream::Weights, &mut parameters[layer.weights.clone()]);
        if plan.biases == BiasRule::LikeWeights {
            fill(Stream::Biases, &mut parameters[layer.biases.clone()]);
        }
    }
    parameters
}

fn draw_one(plan: &LayerPlan, random: &Random, element: u64) -> f64 {
    match plan.weights {
        WeightShape::Uniform => {
            let bound = plan.weight_std * libm::sqrt(3.0);
            bound * (2.0 * random.uniform(element) - 1.0)
        }
        WeightShape::Normal => plan.weight_std * random.normal(element),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InitRule, Scheme};

    fn parameters(weights: WeightShape, biases: BiasRule, seed: u64) -> (Network, Vec<f32>) {
        let network = Network::uniform(2, 256, 4, 3, "gaussian".parse().unwrap()).unwrap();
        let scheme = Scheme::VarianceInformed { sigma_p: 0.15, last_sigma_p: None };
        let plan = InitRule { scheme, weights, biases }.plan(&network).unwrap();
        let drawn = draw(&network, &plan, seed);
        (network, drawn)
    }

    #[test]
    fn weights_have_the_planned_variance_and_biases_the_rule() {
        for shape in [WeightShape::Uniform, WeightShape::Normal] {
            let (network, drawn) = parameters(shape, BiasRule::Zero, 3);
            let layer = &network.layers()[1];
            let weights = &drawn[layer.weights.clone()];
            let square: f64 = weights.iter().map(|w| f64::from(*w).powi(2)).sum();
            let variance = square / weights.len() as f64;
            let expected = 0.0980752 / 256.0;
            // Five standard errors of a normal sample's variance.
            let five = 5.0 * (2.0 / weights.len() as f64).sqrt();
            assert!((variance / expected - 1.0).abs() < five, "{variance} is not {expected}");
            assert!(drawn[layer.biases.clone()].iter().all(|bias| *bias == 0.0));
        }
        let (network, drawn) = parameters(WeightShape::Uniform, BiasRule::LikeWeights, 3);
        let layer = &network.layers()[1];
        let bound = (3.0f64 * 0.0980752 / 256.0).sqrt() as f32 * 1.00001;
        assert!(drawn[layer.biases.clone()].iter().all(|bias| *bias != 0.0 && bias.abs() <= bound));
    }

    #[test]
    fn a_seed_decides_every_byte() {
        let draw = |seed| parameters(WeightShape::Normal, BiasRule::LikeWeights, seed).1;
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }
}
