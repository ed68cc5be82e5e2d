use vi3nr::{BiasRule, InitRule, Network};
use vi3nr_engine::{Backend, CpuBackend};

use super::tests::plan;
use super::*;

/// Measured derivatives against the theory, in layers that keep the variance and in layers that do
/// not: the means over networks are within four standard errors, and 2 % for the finite width.
#[test]
fn derivatives_have_the_predicted_variances() {
    const NETWORKS: u64 = 16;
    for (activation, sigma_p, scale, coordinates) in [
        ("tanh", 1.0, 1.0, 2),
        ("gaussian:sigma=0.5", 0.8, 1.0, 3),
        ("sin(2*x)", 0.7, 0.8, 1),
        ("silu", 1.0, 1.0, 2),
    ] {
        let plan = PropagationPlan { width: 256, depth: 3, batch: 16, ..plan(activation, sigma_p) };
        let scheme = Scheme::ours(sigma_p);
        let kept = hidden_variance(&scheme, &plan.activation, 256).unwrap();
        let seen: Vec<DerivativePropagation> = (0..NETWORKS)
            .map(|seed| {
                let plan = PropagationPlan { weight_variance: scale * kept, seed, ..plan.clone() };
                propagate_derivatives(&plan, coordinates).unwrap()
            })
            .collect();
        assert_eq!(seen[0].missing, None);
        let predicted = [
            seen[0].predicted_derivative_variance.as_ref().unwrap(),
            seen[0].predicted_laplacian_variance.as_ref().unwrap(),
        ];
        for (which, predicted) in predicted.into_iter().enumerate() {
            assert_eq!(predicted.len(), 3);
            for (layer, predicted) in predicted.iter().enumerate() {
                let measured = seen.iter().map(|one| match which {
                    0 => one.derivative_variance[layer],
                    _ => one.laplacian_variance[layer],
                });
                let (mean, error) = mean_and_error(measured);
                assert!(
                    (mean - predicted).abs() <= 4.0 * error + 0.02 * predicted
                        && error < 0.06 * predicted,
                    "{activation}, {which}, layer {layer}: {mean} ± {error}, not {predicted}"
                );
            }
        }
    }
}

/// A first layer at a point, in double precision, whose derivatives are difference quotients.
#[test]
fn derivatives_are_those_of_the_network() {
    for activation in ["tanh", "x*exp(-x^2)"] {
        let plan = PropagationPlan { batch: 1, depth: 2, width: 16, ..plan(activation, 0.9) };
        let width = plan.width;
        let normal = |substream: u32, unit: usize| {
            Random::new(plan.seed, Stream::SAMPLES, substream).normal(unit as u64)
        };
        let bound = (3.0 * plan.weight_variance).sqrt();
        let weight = |layer: usize, element: usize| {
            let word = Random::new(plan.seed, Stream::WEIGHTS, layer as u32)
                .bits(element as u64 / 4)[element % 4];
            bound * ((f64::from(word) + 0.5) / 2f64.powi(31) - 1.0)
        };
        let distance = (2.0f64 / 3.0).sqrt();
        // The last preactivations at x = (distance + along, across).
        let outputs = |along: f64, across: f64| {
            let row = |u: usize| 0.9 / distance * normal(INPUTS, u);
            let mut z: Vec<f64> = (0..width)
                .map(|u| row(u) * (distance + along) + 0.9 / distance * normal(3, u) * across)
                .collect();
            for layer in 0..2 {
                z = (0..width)
                    .map(|j| {
                        (0..width)
                            .map(|k| weight(layer, j * width + k) * plan.activation.value(z[k]))
                            .sum()
                    })
                    .collect();
            }
            z
        };
        let h = 1e-3;
        let quotient = |combine: &dyn Fn(usize) -> f64| {
            let values: Vec<f32> = (0..width).map(|unit| combine(unit) as f32).collect();
            variance(&values)
        };
        let points = [(0.0, 0.0), (h, 0.0), (-h, 0.0), (0.0, h), (0.0, -h)];
        let [middle, right, left, up, down] = points.map(|(a, b)| outputs(a, b));
        let along = quotient(&|u| (right[u] - left[u]) / (2.0 * h));
        let across = quotient(&|u| (up[u] - down[u]) / (2.0 * h));
        let laplacian =
            quotient(&|u| (right[u] + left[u] + up[u] + down[u] - 4.0 * middle[u]) / (h * h));
        let seen = propagate_derivatives(&plan, 2).unwrap();
        let derivative = 0.5 * (along + across);
        assert!((seen.derivative_variance[1] / derivative - 1.0).abs() < 1e-4, "{seen:?}");
        assert!((seen.laplacian_variance[1] / laplacian - 1.0).abs() < 1e-4, "{seen:?}");
    }
}

#[test]
fn derivatives_say_what_is_not_predicted() {
    let relu = propagate_derivatives(&plan("relu", 1.0), 2).unwrap();
    assert!(relu.missing.unwrap().contains("E[f''^2]"));
    assert!(relu.predicted_laplacian_variance.is_none());
    assert!(relu.laplacian_variance.iter().all(|variance| *variance == 0.0));
    let predicted = relu.predicted_derivative_variance.unwrap();
    assert!(predicted.iter().all(|variance| (variance / 1.5 - 1.0).abs() < 1e-9), "{predicted:?}");
    for coordinates in [0, MAX_COORDINATES + 1] {
        assert!(propagate_derivatives(&plan("tanh", 1.0), coordinates).is_err());
    }
    let one = plan("tanh", 1.0);
    let three = PropagationPlan { threads: Some(3), ..one.clone() };
    let seen = propagate_derivatives(&one, 2).unwrap();
    assert_eq!(seen, propagate_derivatives(&three, 2).unwrap());
}

/// The initial networks of a rule, drawn and differentiated by the engine, against what the rule
/// predicts: the means over the networks are within four standard errors, and 4 % for the width.
#[test]
fn initial_networks_have_the_predicted_derivatives() {
    const NETWORKS: u64 = 48;
    let ours = |sigma_p, last_sigma_p| {
        InitRule::new(Scheme::VarianceInformed { sigma_p, first_sigma_p: None, last_sigma_p })
            .with_weights(WeightShape::Normal)
    };
    let backend = CpuBackend::new(Some(1)).unwrap();
    for (activation, dims, rule) in [
        ("tanh", vec![2, 128, 96, 128, 8], ours(1.0, None)),
        (
            "gaussian:sigma=0.05",
            vec![2, 128, 128, 8],
            ours(0.15, Some(0.5)).with_first_biases(BiasRule::LikeWeights),
        ),
        (
            "sine:omega=30",
            vec![3, 128, 128, 8],
            InitRule::new(Scheme::Siren { omega: 30.0 }).with_weights(WeightShape::Normal),
        ),
        (
            "softplus:beta=5",
            vec![1, 128, 128, 8],
            InitRule::new(Scheme::Xavier)
                .with_weights(WeightShape::Normal)
                .with_biases(BiasRule::Uniform { bound: 0.4 }),
        ),
    ] {
        let network = Network::new(dims, activation.parse().unwrap()).unwrap();
        let (inputs, outputs) = (network.inputs(), network.outputs());
        let plan = rule.plan(&network).unwrap();
        // All coordinates of a point have the size 1/√3, so that |x|² = D/3.
        let points: Vec<f32> = (0..4 * inputs)
            .map(|i| if (i * 7 + i / inputs) % 3 == 0 { -1.0 } else { 1.0 } / 3f32.sqrt())
            .collect();
        let measured: Vec<[f64; 2]> = (0..NETWORKS)
            .map(|seed| {
                let parameters = vi3nr::draw(&network, &plan, seed);
                let mut engine = backend.engine(&network, &parameters).unwrap();
                let (mut values, mut slopes) =
                    (vec![0.0; 4 * outputs], vec![0.0; 4 * outputs * inputs]);
                let mut hessians = vec![0.0; slopes.len() * inputs];
                engine
                    .differentiate_twice(&points, &mut values, &mut slopes, &mut hessians)
                    .unwrap();
                let laplacians: Vec<f32> = hessians
                    .chunks(inputs * inputs)
                    .map(|hessian| hessian.iter().step_by(inputs + 1).sum())
                    .collect();
                [slopes, laplacians].map(|list| {
                    list.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / list.len() as f64
                })
            })
            .collect();
        let found = rule.derivative_variances(&network).unwrap();
        let last = network.layer_count() - 1;
        let predicted = [found.derivatives[last], found.laplacians.unwrap()[last]];
        for (k, predicted) in predicted.into_iter().enumerate() {
            let (mean, error) = mean_and_error(measured.iter().map(|one| one[k]));
            assert!(
                (mean - predicted).abs() <= 4.0 * error + 0.04 * predicted
                    && error < 0.12 * predicted,
                "{activation}, {k}: {mean} ± {error}, not {predicted}"
            );
        }
    }
}

/// The mean of independent numbers and its standard error.
fn mean_and_error(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / n;
    let square: f64 = numbers.map(|one| (one - mean).powi(2)).sum();
    (mean, (square / (n - 1.0) / n).sqrt())
}
