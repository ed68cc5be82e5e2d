//! Drawing the initial parameters of a network.

mod orthogonal;

use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

use crate::rng::{Random, Stream};
use crate::{LayerPlan, Network, WeightShape};

/// Draws the initial parameters of `network` according to `plan`, which has one entry per layer.
/// Returns them in the order of [`Network::layers`]. A seed gives the same bytes on every machine.
///
/// # Panics
/// Panics if `plan` does not have one entry per layer.
///
/// ```
/// use vi3nr::{InitRule, Network, Scheme};
///
/// let network = Network::uniform(2, 64, 4, 3, "tanh".parse()?)?;
/// let rule = InitRule::new(Scheme::ours(1.0));
/// let parameters = vi3nr::draw(&network, &rule.plan(&network)?, 1);
/// assert_eq!(parameters.len(), network.parameter_count());
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn draw(network: &Network, plan: &[LayerPlan], seed: u64) -> Vec<f32> {
    assert_eq!(plan.len(), network.layer_count(), "one plan per layer");
    let mut parameters = vec![0.0; network.parameter_count()];
    for (layer, plan) in network.layers().iter().zip(plan) {
        let random = |stream| Random::new(seed, stream, layer.index as u32);
        let weights = &mut parameters[layer.weights.clone()];
        fill(plan.weights, plan.weight_std, layer.fan_in, &random(Stream::WEIGHTS), weights);
        if plan.noise_std > 0.0 {
            let noise = random(Stream::WEIGHT_NOISE);
            for (element, weight) in weights.iter_mut().enumerate() {
                let noise = plan.noise_std * noise.normal(element as u64);
                *weight = (f64::from(*weight) + noise) as f32;
            }
        }
        let biases = &mut parameters[layer.biases.clone()];
        if plan.bias_std > 0.0 {
            fill(plan.biases, plan.bias_std, 1, &random(Stream::BIASES), biases);
        }
    }
    parameters
}

/// Fills `weights`, shape (fan-out, `fan_in`), row-major, with random numbers of the distribution
/// `shape` and the standard deviation `std`. Element e of the matrix is drawn from element e of
/// `random`, except that each entry of an orthogonal matrix depends on many elements.
pub fn fill(shape: WeightShape, std: f64, fan_in: usize, random: &Random, weights: &mut [f32]) {
    let draw: &dyn Fn(u64) -> f64 = match shape {
        WeightShape::Uniform => {
            let bound = std * libm::sqrt(3.0);
            &move |element| bound * (2.0 * random.uniform(element) - 1.0)
        }
        WeightShape::Normal => &|element| std * random.normal(element),
        WeightShape::TruncatedNormal => {
            &|element| std / TRUNCATED_STD * truncated_normal(random.uniform(element))
        }
        WeightShape::Orthogonal => {
            let fan_out = weights.len().checked_div(fan_in).unwrap_or(0);
            return orthogonal::fill(weights, fan_out, fan_in, std, random);
        }
    };
    for (element, weight) in weights.iter_mut().enumerate() {
        *weight = draw(element as u64) as f32;
    }
}

/// The standard deviation of the standard normal distribution truncated to ±2.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

/// The quantile of the standard normal distribution truncated to ±2 at the probability `uniform`.
fn truncated_normal(uniform: f64) -> f64 {
    let share = (2.0 * uniform - 1.0) * libm::erf(SQRT_2);
    // Newton's method for erf(t) = share from t = 0, which converges since erf is concave for t > 0
    // and odd.
    let mut t = 0.0;
    for _ in 0..60 {
        let step = (share - libm::erf(t)) / FRAC_2_SQRT_PI * libm::exp(t * t);
        t += step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    SQRT_2 * t
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BiasRule, InitRule, Scheme};

    fn parameters(weights: WeightShape, biases: BiasRule, seed: u64) -> (Network, Vec<f32>) {
        let network = Network::uniform(2, 256, 4, 3, "gaussian".parse().unwrap()).unwrap();
        let scheme = Scheme::ours(0.15);
        let rule = InitRule { scheme, weights, biases, first_biases: biases };
        let plan = rule.plan(&network).unwrap();
        let drawn = draw(&network, &plan, seed);
        (network, drawn)
    }

    #[test]
    fn weights_have_the_planned_variance_and_biases_the_rule() {
        for shape in [
            WeightShape::Uniform,
            WeightShape::Normal,
            WeightShape::TruncatedNormal,
            WeightShape::Orthogonal,
        ] {
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

    /// The biases of the edge of chaos are normal, with the variance that the weights leave.
    #[test]
    fn biases_of_the_edge_of_chaos_have_their_variance() {
        const UNITS: usize = 16_384;
        let network = Network::new(vec![2, 16, UNITS, 1], "tanh".parse().unwrap()).unwrap();
        let rule = InitRule::new(Scheme::EdgeOfChaos { sigma_p: 2.0, first_sigma_p: None });
        let plan = rule.plan(&network).unwrap();
        let drawn = draw(&network, &plan, 3);
        let [first, second, ..] = &network.layers()[..] else { panic!() };
        assert!(drawn[first.biases.clone()].iter().all(|bias| *bias == 0.0));
        let mean_of = |power: i32, range: &std::ops::Range<usize>| {
            let values = &drawn[range.clone()];
            values.iter().map(|x| f64::from(*x).powi(power)).sum::<f64>() / values.len() as f64
        };
        // Five standard errors, of weights and of biases.
        let variance = mean_of(2, &second.weights);
        let five = 5.0 * (0.8 / (16 * UNITS) as f64).sqrt();
        assert!((variance / plan[1].variance() - 1.0).abs() < five, "{variance}");
        let condition = crate::backward_condition(network.activation(), 2.0).unwrap();
        let expected = 4.0 * (1.0 - 1.0 / condition);
        let five = 5.0 * (2.0 / UNITS as f64).sqrt();
        let variance = mean_of(2, &second.biases);
        assert!((variance / expected - 1.0).abs() < five, "{variance} {expected}");
        // The fourth moment of a normal distribution.
        let kurtosis = mean_of(4, &second.biases) / (variance * variance);
        assert!((kurtosis - 3.0).abs() < 5.0 * (24.0 / UNITS as f64).sqrt(), "{kurtosis}");
    }

    /// The noise of WINNER is normal, independent of the weights, and in the first two layers only.
    #[test]
    fn noise_is_added_to_the_weights_of_the_first_two_layers() {
        let network = Network::new(vec![8, 512, 256, 64, 3], "sine".parse().unwrap()).unwrap();
        let drawn = |scheme: &str| {
            let rule = InitRule::new(scheme.parse().unwrap());
            (rule.plan(&network).unwrap(), draw(&network, &rule.plan(&network).unwrap(), 6))
        };
        let (_, siren) = drawn("siren:omega=30");
        let (plan, winner) = drawn("winner:omega=30,s0=2,s1=0.01");
        let mut others: Option<Vec<f64>> = None;
        for (layer, own) in network.layers().iter().zip(&plan) {
            let range = layer.weights.clone();
            let base: Vec<f64> = siren[range.clone()].iter().map(|w| f64::from(*w)).collect();
            let noise: Vec<f64> =
                winner[range].iter().zip(&base).map(|(w, base)| f64::from(*w) - base).collect();
            if layer.index > 1 {
                assert!(own.noise_std == 0.0 && noise.iter().all(|noise| *noise == 0.0));
                continue;
            }
            let std = [2.0, 0.01][layer.index];
            assert_eq!((own.noise_std, own.bound()), (std, None));
            let count = noise.len() as f64;
            let moment = |power| noise.iter().map(|x| (x / std).powi(power)).sum::<f64>() / count;
            // Five standard errors.
            assert!((moment(2) - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{}", moment(2));
            assert!((moment(4) - 3.0).abs() < 5.0 * (96.0 / count).sqrt(), "{}", moment(4));
            let with_base = noise.iter().zip(&base).map(|(x, w)| x / std * w).sum::<f64>() / count;
            assert!(with_base.abs() < 5.0 * own.weight_std / count.sqrt(), "{with_base}");
            // The layers' noise is not the same.
            if let Some(others) = &others {
                assert!((others[0] - noise[0] / std).abs() > 1e-3);
            }
            others = Some(noise.iter().map(|x| x / std).collect());
            assert!((own.variance() - own.weight_std.powi(2) - std * std).abs() < 1e-12);
        }
        let without = drawn("winner:omega=30,s0=0,s1=0").1;
        assert_eq!(without, siren);
        let predicted = InitRule::new("winner:omega=30,s0=2,s1=0.01".parse().unwrap());
        let predicted = predicted.derivative_variances(&network).unwrap().derivatives[0];
        assert!((predicted - plan[0].variance()).abs() < 1e-12);
    }

    fn largest(values: &[f32]) -> f64 {
        f64::from(values.iter().fold(0.0f32, |most, value| most.max(value.abs())))
    }

    /// Every layer has the bound of its own fan-in, as in PyTorch.
    #[test]
    fn biases_can_follow_the_fan_in() {
        let network = Network::uniform(2, 400, 3, 900, "relu".parse().unwrap()).unwrap();
        let rule = InitRule::new(Scheme::Xavier).with_biases(BiasRule::FanIn);
        let plan = rule.plan(&network).unwrap();
        let drawn = draw(&network, &plan, 4);
        for (layer, plan) in network.layers().iter().zip(&plan) {
            let bound = 1.0 / (layer.fan_in as f64).sqrt();
            let largest = largest(&drawn[layer.biases.clone()]);
            assert!((0.95..1.0).contains(&(largest / bound)), "{largest}");
            assert!((plan.bias_variance() - bound * bound / 3.0).abs() < 1e-15);
        }
    }

    /// The biases of the first layer have their own rule, and all others are 0.
    #[test]
    fn first_biases_have_a_rule_of_their_own() {
        let network = Network::uniform(2, 256, 4, 3, "gaussian".parse().unwrap()).unwrap();
        for (rule, bound) in [(BiasRule::Uniform { bound: 0.3 }, 0.3), (BiasRule::LikeWeights, 3.0)]
        {
            let rule = InitRule {
                scheme: Scheme::ours(2f64.sqrt()),
                weights: WeightShape::Uniform,
                biases: BiasRule::Zero,
                first_biases: rule,
            };
            let drawn = draw(&network, &rule.plan(&network).unwrap(), 4);
            let [first, second, ..] = &network.layers()[..] else { panic!() };
            let largest = largest(&drawn[first.biases.clone()]);
            assert!((0.95..1.0).contains(&(largest / bound)), "{largest}");
            assert!(drawn[second.biases.clone()].iter().all(|bias| *bias == 0.0));
        }
        let rule = InitRule {
            scheme: Scheme::Xavier,
            weights: WeightShape::Uniform,
            biases: BiasRule::Zero,
            first_biases: BiasRule::Uniform { bound: f64::NAN },
        };
        assert!(rule.plan(&network).unwrap_err().to_string().contains("bound of the biases"));
    }

    #[test]
    fn truncated_normals_stay_within_two_deviations() {
        let random = Random::new(1, Stream::WEIGHTS, 0);
        let draw = |i| truncated_normal(random.uniform(i));
        let square = (0..100_000).map(|i| draw(i).powi(2)).sum::<f64>() / 1e5;
        assert!((0..100_000).all(|i| draw(i).abs() <= 2.0));
        assert!((square.sqrt() - TRUNCATED_STD).abs() < 0.01);
        for (uniform, exact) in [(0.5, 0.0), (0.0, -2.0), (1.0, 2.0)] {
            assert!((truncated_normal(uniform) - exact).abs() < 1e-12);
        }
        // Phi(1) = 0.8413447460685429, within the middle 0.9544997361036416.
        let uniform = 0.5 + 0.341_344_746_068_542_9 / 0.954_499_736_103_641_6;
        assert!((truncated_normal(uniform) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn orthogonal_layers_have_equal_singular_values() {
        let network = Network::new(vec![24, 40, 16], "tanh".parse().unwrap()).unwrap();
        let scheme = Scheme::Normal { std: 0.5 };
        let biases = BiasRule::Zero;
        let weights = WeightShape::Orthogonal;
        let rule = InitRule { scheme, weights, biases, first_biases: biases };
        let drawn = draw(&network, &rule.plan(&network).unwrap(), 9);
        for layer in network.layers() {
            let weights = &drawn[layer.weights.clone()];
            let (rows, columns) = (layer.fan_out, layer.fan_in);
            let at = |row: usize, column: usize| f64::from(weights[row * columns + column]);
            let (few, many) = (rows.min(columns), rows.max(columns));
            for i in 0..few {
                for j in 0..few {
                    let product: f64 =
                        (0..many)
                            .map(|k| {
                                if rows < columns {
                                    at(i, k) * at(j, k)
                                } else {
                                    at(k, i) * at(k, j)
                                }
                            })
                            .sum();
                    let exact = if i == j { 0.25 * many as f64 } else { 0.0 };
                    assert!((product - exact).abs() < 1e-5 * many as f64, "{i} {j} {product}");
                }
            }
        }
    }

    #[test]
    fn a_seed_decides_every_byte() {
        let draw = |seed| parameters(WeightShape::Normal, BiasRule::LikeWeights, seed).1;
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }
}
