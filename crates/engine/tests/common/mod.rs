//! What the tests of gradients share.

use vi3nr::rng::{Random, Stream};
use vi3nr::{BiasRule, InitRule, Network, Scheme, WeightShape};

/// Reproducible numbers in [-1, 1].
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let random = Random::new(seed, Stream::new(2), 0);
    (0..count as u64).map(|i| (2.0 * random.uniform(i) - 1.0) as f32).collect()
}

/// Initial weights and biases of the variances that belong to `sigma_p`.
pub(crate) fn weights(network: &Network, sigma_p: f64) -> Vec<f32> {
    let rule = InitRule {
        scheme: Scheme::ours(sigma_p),
        weights: WeightShape::Uniform,
        biases: BiasRule::LikeWeights,
        first_biases: BiasRule::LikeWeights,
    };
    vi3nr::draw(network, &rule.plan(network).unwrap(), 11)
}
