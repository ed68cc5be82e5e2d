use vi3nr::{InitRule, Scheme};

use super::*;

/// The variance of the weights between hidden layers.
pub(super) fn hidden_variance(scheme: Scheme, activation: &Activation, width: usize) -> f64 {
    InitRule::new(scheme).hidden_layer(activation, width, width).unwrap().variance()
}

pub(super) fn plan(activation: &str, sigma_p: f64) -> PropagationPlan {
    let activation: Activation = activation.parse().unwrap();
    let scheme = Scheme::ours(sigma_p);
    PropagationPlan {
        weight_variance: hidden_variance(scheme, &activation, 64),
        bias_variance: 0.0,
        weights: WeightShape::Uniform,
        activation,
        sigma_p,
        depth: 10,
        width: 64,
        batch: 50,
        seed: 5,
        threads: Some(1),
    }
}

/// The definition as plain loops in double precision.
fn plain(plan: &PropagationPlan) -> (Vec<f64>, Vec<f64>) {
    let PropagationPlan { depth, width, batch, .. } = *plan;
    let bound = (3.0 * plan.weight_variance).sqrt();
    let weight = |layer: usize, out: usize, input: usize| {
        let element = (out * width + input) as u64;
        let word = Random::new(plan.seed, Stream::WEIGHTS, layer as u32).bits(element / 4)
            [element as usize % 4];
        bound * ((f64::from(word) + 0.5) / 2f64.powi(31) - 1.0)
    };
    let weights: Vec<Vec<f64>> = (0..depth)
        .map(|l| (0..width * width).map(|e| weight(l, e / width, e % width)).collect())
        .collect();
    let spread = |v: &[f64]| {
        let mean = v.iter().sum::<f64>() / width as f64;
        v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (width - 1) as f64
    };
    let (mut forward, mut backward) = (vec![0.0; depth], vec![0.0; depth]);
    for n in 0..batch {
        let normal = |stream, unit: usize| {
            Random::new(plan.seed, Stream::SAMPLES, stream).normal((n * width + unit) as u64)
        };
        let mut z: Vec<f64> = (0..width).map(|u| plan.sigma_p * normal(INPUTS, u)).collect();
        let mut all = Vec::new();
        for layer in 0..depth {
            let x: Vec<f64> = z.iter().map(|z| plan.activation.value(*z)).collect();
            all.push(z);
            z = (0..width)
                .map(|j| {
                    let sum: f64 = (0..width).map(|k| weights[layer][j * width + k] * x[k]).sum();
                    let normal = Random::new(plan.seed, Stream::BIASES, layer as u32);
                    sum + plan.bias_variance.sqrt() * normal.normal(j as u64)
                })
                .collect();
            forward[layer] += spread(&z) / batch as f64;
        }
        let mut g: Vec<f64> = (0..width).map(|u| normal(GRADIENTS, u)).collect();
        for layer in (0..depth).rev() {
            let pulled = |k: usize| -> f64 {
                (0..width).map(|j| weights[layer][j * width + k] * g[j]).sum()
            };
            g = (0..width)
                .map(|k| pulled(k) * plan.activation.value_and_slope(all[layer][k]).1)
                .collect();
            backward[layer] += spread(&g) / batch as f64;
        }
    }
    (forward, backward)
}

#[test]
fn variances_agree_with_plain_loops() {
    for (activation, sigma_p, bias_variance) in [
        ("tanh", 1.0, 0.0),
        ("gaussian:sigma=0.5", 0.8, 0.0),
        ("relu", 1.0, 0.0),
        ("tanh", 1.0, 0.15),
    ] {
        let plan = PropagationPlan { bias_variance, ..plan(activation, sigma_p) };
        let seen = propagate(&plan).unwrap();
        let (forward, backward) = plain(&plan);
        for (seen, exact) in seen.forward_variance.iter().zip(&forward) {
            assert!((seen / exact - 1.0).abs() < 1e-4, "{activation}: {seen}, not {exact}");
        }
        for (seen, exact) in seen.backward_variance.iter().zip(&backward) {
            assert!((seen / exact - 1.0).abs() < 1e-3, "{activation}: {seen}, not {exact}");
        }
        assert_eq!((seen.forward_non_finite, seen.backward_non_finite), (0, 0));
    }
}

#[test]
fn results_depend_on_the_seed_but_not_on_the_threads() {
    let one = plan("sinc:a=1", 2.223335);
    let three = PropagationPlan { threads: Some(3), ..one.clone() };
    let other = PropagationPlan { seed: 6, ..one.clone() };
    let seen = propagate(&one).unwrap();
    assert_eq!(seen, propagate(&three).unwrap());
    assert_ne!(seen, propagate(&other).unwrap());
}

#[test]
fn smape_has_no_factor_two_and_counts_non_finite_values_as_one() {
    assert_eq!(smape(&[1.0, 3.0], 1.0), (25.0, 0));
    assert_eq!(smape(&[f64::NAN, 1.0, f64::INFINITY, 1.0], 1.0), (50.0, 2));
    assert_eq!(smape(&[0.0], 1.0), (100.0, 0));
    assert_eq!(smape(&[0.0], 0.0), (0.0, 0));
}

/// A gradient that grows 200-fold per layer overflows float32 and is counted.
#[test]
fn overflow_is_counted() {
    let plan = PropagationPlan { depth: 60, ..plan("gaussian:sigma=0.05", 1.0) };
    let seen = propagate(&plan).unwrap();
    assert_eq!((seen.e_b, seen.backward_non_finite), (100.0, 50));
    assert_eq!(seen.forward_non_finite, 0);
    assert!(seen.e_f < 50.0);
}

#[test]
fn invalid_plans_are_rejected() {
    let good = plan("tanh", 1.0);
    for bad in [
        PropagationPlan { depth: 0, ..good.clone() },
        PropagationPlan { width: 1, ..good.clone() },
        PropagationPlan { batch: 0, ..good.clone() },
        PropagationPlan { width: MAX_WIDTH + 1, ..good.clone() },
        PropagationPlan { sigma_p: f64::NAN, ..good.clone() },
        PropagationPlan { weight_variance: 0.0, ..good.clone() },
        PropagationPlan { bias_variance: -1.0, ..good.clone() },
        PropagationPlan { bias_variance: f64::INFINITY, ..good.clone() },
    ] {
        assert!(propagate(&bad).is_err(), "{bad:?}");
    }
}

/// All distributions have the same variance, which the first layers preserve, but other draws.
#[test]
fn every_distribution_of_weights_preserves_the_variance() {
    let mut seen = Vec::new();
    for weights in [
        WeightShape::Uniform,
        WeightShape::Normal,
        WeightShape::TruncatedNormal,
        WeightShape::Orthogonal,
    ] {
        let plan = PropagationPlan { weights, width: 256, depth: 3, ..plan("tanh", 1.0) };
        let scheme = Scheme::ours(1.0);
        let weight_variance = hidden_variance(scheme, &plan.activation, 256);
        let plan = PropagationPlan { weight_variance, ..plan };
        let measured = propagate(&plan).unwrap();
        assert_eq!(measured, propagate(&PropagationPlan { threads: Some(2), ..plan }).unwrap());
        for variance in &measured.forward_variance {
            assert!((variance - 1.0).abs() < 0.1, "{weights:?}: {variance}");
        }
        assert!(seen.iter().all(|other| *other != measured));
        seen.push(measured);
    }
}

/// The mean of 30 networks against the prediction for the width, of small networks without and with
/// biases. A network is one draw of a wide distribution, so that the mean still deviates by some 15 %.
#[test]
fn the_width_explains_the_errors() {
    for (activation, sigma_p, bias_variance) in
        [("tanh", 1.0, 0.0), ("relu", 1.0, 0.0), ("sine:omega=1", 1.0, 0.2), ("gelu", 1.0, 0.0)]
    {
        let own = plan(activation, sigma_p);
        let share = 1.0 - bias_variance / (sigma_p * sigma_p);
        let weight_variance = share * own.weight_variance * 64.0 / 256.0;
        let plan = PropagationPlan { weight_variance, bias_variance, depth: 6, width: 256, ..own };
        let expected = expectation(&plan).unwrap();
        let networks = 30;
        let (mut e_f, mut e_b) = (0.0, 0.0);
        for seed in 0..networks {
            let seen = propagate(&PropagationPlan { seed, batch: 8, ..plan.clone() }).unwrap();
            e_f += seen.e_f / networks as f64;
            e_b += seen.e_b / networks as f64;
        }
        let near = |seen: f64, expected: f64| (seen / expected - 1.0).abs() < 0.2;
        assert!(near(e_f, expected.e_f), "{activation}: E_f {e_f}, not {}", expected.e_f);
        assert!(near(e_b, expected.e_b), "{activation}: E_b {e_b}, not {}", expected.e_b);
    }
}
