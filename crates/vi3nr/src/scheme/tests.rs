use super::*;
use crate::{Activation, InputDistribution, Network};

fn plan(scheme: Scheme, activation: &str) -> Vec<LayerPlan> {
    let network = Network::uniform(2, 128, 4, 3, activation.parse().unwrap()).unwrap();
    let rule = InitRule {
        scheme,
        weights: WeightShape::Uniform,
        biases: BiasRule::Zero,
        first_biases: BiasRule::Zero,
    };
    rule.plan(&network).unwrap()
}

#[test]
fn hidden_layers_follow_eq_7_and_the_last_its_own_sigma() {
    let scheme: Scheme = "ours:sigma_p=0.15,last_sigma_p=0.3".parse().unwrap();
    let plan = plan(scheme, "gaussian:sigma=0.05");
    let hidden = (0.0980752f64 / 128.0).sqrt();
    assert!((plan[1].weight_std / hidden - 1.0).abs() < 1e-6);
    assert!((plan[2].weight_std / hidden - 1.0).abs() < 1e-6);
    assert!((plan[3].weight_std / (2.0 * hidden) - 1.0).abs() < 1e-6);
}

/// The second layer sees the outputs of a first layer with another sigma_p, and has its own again.
#[test]
fn a_first_sigma_p_changes_the_first_two_layers() {
    let scheme: Scheme = "ours:sigma_p=0.15,first_sigma_p=0.6,last_sigma_p=0.3".parse().unwrap();
    let gaussian: Activation = "gaussian:sigma=0.05".parse().unwrap();
    let square = |sigma_p| crate::Moments::of(&gaussian, sigma_p).unwrap().second_moment.value;
    let near = |std: f64, variance: f64| assert!((std * std / variance - 1.0).abs() < 1e-12);
    let deep = plan(scheme, "gaussian:sigma=0.05");
    near(deep[0].weight_std, 0.36 * 3.0 / 2.0);
    near(deep[1].weight_std, 0.15 * 0.15 / (128.0 * square(0.6)));
    near(deep[2].weight_std, 0.15 * 0.15 / (128.0 * square(0.15)));
    near(deep[3].weight_std, 0.3 * 0.3 / (128.0 * square(0.15)));
    // The second layer may be the last, and the first too.
    let of = |dims: Vec<usize>| {
        let network = Network::new(dims, gaussian.clone()).unwrap();
        InitRule::new(scheme).plan(&network).unwrap()
    };
    near(of(vec![2, 128, 3])[1].weight_std, 0.3 * 0.3 / (128.0 * square(0.6)));
    near(of(vec![2, 3])[0].weight_std, 0.09 * 3.0 / 2.0);
}

#[test]
fn siren_bounds_are_sirens() {
    let plan = plan(Scheme::Siren { omega: 30.0 }, "sine");
    let bounds: Vec<_> = plan.iter().map(|layer| layer.weight_std * 3f64.sqrt()).collect();
    assert!((bounds[0] - 0.5).abs() < 1e-15);
    assert!((bounds[1] - (6f64 / 128.0).sqrt() / 30.0).abs() < 1e-15);
}

/// The factor of weight scaling is that of all layers but the last, and FINER's weights are SIREN's.
#[test]
fn relatives_of_siren_change_its_weights_and_biases() {
    let stds = |scheme: &str, activation: &str, dims: &[usize]| {
        let scheme: Scheme = scheme.parse().unwrap();
        let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
        scheme.weight_stds(&network, &InputDistribution::COORDINATES).unwrap()
    };
    for dims in [&[2, 64, 128, 32, 3][..], &[2, 64, 3], &[2, 3]] {
        let siren = stds("siren:omega=30", "sine", dims);
        let scaled = stds("ws:alpha=2,omega=30", "sine", dims);
        for (index, (siren, scaled)) in siren.iter().zip(&scaled).enumerate() {
            let factor = if index + 2 == dims.len() { 1.0 } else { 2.0 };
            assert!((scaled / siren - factor).abs() < 1e-12, "{dims:?} {index}");
        }
        assert_eq!(stds("finer:omega=30,k=1", "finer", dims), siren);
    }
    let network = Network::new(vec![2, 64, 256, 3], "sine".parse().unwrap()).unwrap();
    let rule = InitRule::new("ws:alpha=2,omega=30".parse().unwrap());
    let drawn = drawn_by(&network, &rule);
    let hidden = &drawn[network.layers()[1].weights.clone()];
    let square = hidden.iter().map(|weight| f64::from(*weight).powi(2)).sum::<f64>();
    let variance = square / hidden.len() as f64;
    let five = 5.0 * (0.8 / hidden.len() as f64).sqrt();
    assert!((variance / (8.0 / 900.0 / 64.0) - 1.0).abs() < five, "{variance}");
    let rule = InitRule::new("finer:omega=30,k=0.75".parse().unwrap());
    assert_eq!(rule.biases, BiasRule::Zero);
    let network = Network::new(vec![2, 4096, 8, 1], "finer".parse().unwrap()).unwrap();
    let drawn = drawn_by(&network, &rule);
    let [first, second, ..] = &network.layers()[..] else { panic!() };
    let biases = &drawn[first.biases.clone()];
    let square = biases.iter().map(|bias| f64::from(*bias).powi(2)).sum::<f64>() / 4096.0;
    // Five standard errors of the variance of a uniform distribution, k²/3.
    assert!((square / (0.5625 / 3.0) - 1.0).abs() < 5.0 * (0.8f64 / 4096.0).sqrt(), "{square}");
    assert!(biases.iter().all(|bias| bias.abs() <= 0.75));
    assert!(drawn[second.biases.clone()].iter().all(|bias| *bias == 0.0));
}

fn drawn_by(network: &Network, rule: &InitRule) -> Vec<f32> {
    crate::draw(network, &rule.plan(network).unwrap(), 1)
}

/// Table 1: M σ²(W) of each method, with Kumar's sigmoid at 12.8 (the paper's 12.96 is 3.6²).
#[test]
fn table_1() {
    for (scheme, activation, product) in [
        ("xavier", "tanh", 1.0),
        ("kaiming", "relu", 2.0),
        ("kaiming_out", "relu", 2.0),
        ("kumar", "tanh", 1.0),
        ("kumar", "sigmoid", 12.8),
        ("kumar", "relu", 2.0),
        ("pytorch", "tanh", 25.0 / 9.0),
        ("pytorch", "sigmoid", 1.0),
        ("pytorch", "relu", 2.0),
        ("pytorch", "leaky_relu:slope=0.5", 1.6),
        ("pytorch", "selu", 0.5625),
        ("ours:sigma_p=1", "tanh", 2.53617543),
        ("ours:sigma_p=1", "sigmoid", 3.40855984),
        ("backward:sigma_p=1", "relu", 2.0),
        ("siren:omega=30", "sine", 2.0 / 900.0),
        ("normal:std=0.5", "sine", 32.0),
    ] {
        let plan = plan(scheme.parse().unwrap(), activation);
        let seen = 128.0 * plan[1].weight_std * plan[1].weight_std;
        assert!((seen / product - 1.0).abs() < 1e-8, "{scheme}, {activation}: {seen}");
    }
}

#[test]
fn sampled_variances_are_near_the_exact_ones() {
    let stds = |scheme: &str| {
        let plan = plan(scheme.parse().unwrap(), "gaussian:sigma=0.05");
        plan.iter().map(|layer| layer.weight_std).collect::<Vec<_>>()
    };
    let (exact, sampled) = (stds("ours:sigma_p=0.15"), stds("ours_mc:sigma_p=0.15"));
    assert_eq!(exact[0], sampled[0]);
    let error = |sampled: f64| (sampled / exact[1] - 1.0).abs();
    assert!(error(sampled[1]) > 0.0 && error(sampled[1]) < 2e-3, "{sampled:?}");
    assert_eq!(sampled[1], sampled[2]);
    assert!(error(stds("ours_mc:sigma_p=0.15,samples=1000")[1]) < 0.1);
}

#[test]
fn unequal_fans_and_other_inputs() {
    let network = Network::new(vec![3, 100, 400, 1], "tanh".parse().unwrap()).unwrap();
    let variances = |scheme: &str, input: InputDistribution| -> Vec<f64> {
        let scheme: Scheme = scheme.parse().unwrap();
        let stds = scheme.weight_stds(&network, &input).unwrap();
        stds.iter().map(|std| std * std).collect()
    };
    let near =
        |seen: f64, exact: f64| assert!((seen / exact - 1.0).abs() < 1e-12, "{seen} {exact}");
    let cube = InputDistribution::COORDINATES;
    near(variances("xavier", cube)[1], 2.0 / 500.0);
    near(variances("kaiming", cube)[1], 2.0 / 100.0);
    near(variances("kaiming_out", cube)[1], 2.0 / 400.0);
    let square = crate::Moments::of(network.activation(), 0.5).unwrap().derivative_second_moment;
    near(variances("backward:sigma_p=0.5", cube)[1], 1.0 / (400.0 * square.value));
    near(variances("backward:sigma_p=0.5", cube)[0], 0.25 * 3.0 / 3.0);
    let normal = InputDistribution::Normal { mean: 0.0, std: 2.0 };
    near(variances("ours:sigma_p=0.5", normal)[0], 0.25 / (3.0 * 4.0));
}

#[test]
fn errors_say_why_a_scheme_does_not_apply() {
    let network = Network::uniform(2, 8, 3, 1, "gaussian".parse().unwrap()).unwrap();
    for (scheme, reason) in [("kumar", "f'(0) other than 0"), ("pytorch", "does not list it")] {
        let scheme: Scheme = scheme.parse().unwrap();
        let error = scheme.weight_stds(&network, &InputDistribution::COORDINATES).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let wide = Network::new(vec![2, 5000, 1], "tanh".parse().unwrap()).unwrap();
    let rule = InitRule {
        scheme: Scheme::Xavier,
        weights: WeightShape::Orthogonal,
        biases: BiasRule::Zero,
        first_biases: BiasRule::Zero,
    };
    assert!(rule.plan(&wide).unwrap_err().to_string().contains("4096"));
}

/// The same function has the same initialization, as a formula and as a built-in form.
#[test]
fn formulas_have_the_scheme_and_gain_of_the_form_that_they_equal() {
    for (formula, form) in [
        ("sin(30*x)", "sine:omega=30"),
        ("sin(w*x):w=30", "sine:omega=30"),
        ("sin(x*30)", "sine:omega=30"),
        ("sin(x)", "sine:omega=1"),
        ("tanh(x)", "tanh"),
        ("max(x,0)", "relu"),
        ("max(x,0)+0.2*min(x,0)", "leaky_relu:slope=0.2"),
        ("1/(1+exp(-x))", "sigmoid"),
        ("exp(-x^2/(2*s^2)):s=0.05", "gaussian:sigma=0.05"),
        ("cos(30*x)", "gaussian"),
    ] {
        let formula: Activation = formula.parse().unwrap();
        let form: Activation = form.parse().unwrap();
        assert_eq!(formula.own_scheme(), form.own_scheme(), "{formula}");
        assert_eq!(formula.torch_gain(), form.torch_gain(), "{formula}");
        assert_eq!(formula.sine_frequency(), form.sine_frequency(), "{formula}");
    }
}

#[test]
fn impossible_sigmas_are_errors() {
    let network = Network::uniform(2, 8, 3, 1, "tanh".parse().unwrap()).unwrap();
    for scheme in [
        Scheme::ours(0.0),
        Scheme::VarianceInformed {
            sigma_p: 1.0,
            first_sigma_p: None,
            last_sigma_p: Some(f64::NAN),
        },
        Scheme::VarianceInformed { sigma_p: 1.0, first_sigma_p: Some(0.0), last_sigma_p: None },
        Scheme::Siren { omega: -1.0 },
        Scheme::WeightScaling { alpha: f64::NAN, omega: 30.0 },
        Scheme::WeightScaling { alpha: 1.0, omega: 0.0 },
        Scheme::Finer { omega: 30.0, k: f64::INFINITY },
        Scheme::Winner { omega: 30.0, s0: -1.0, s1: 0.0 },
        Scheme::Winner { omega: 30.0, s0: 1e200, s1: 0.0 },
    ] {
        let rule = InitRule {
            scheme,
            weights: WeightShape::Normal,
            biases: BiasRule::Zero,
            first_biases: BiasRule::Zero,
        };
        assert!(rule.plan(&network).is_err());
    }
}

#[test]
fn rules_start_from_the_theory_and_change_one_part_at_a_time() {
    let rule = InitRule::new(Scheme::Xavier);
    let biases = BiasRule::Zero;
    let weights = WeightShape::Uniform;
    assert_eq!(rule, InitRule { scheme: Scheme::Xavier, weights, biases, first_biases: biases });
    assert_eq!(rule.with_weights(WeightShape::Normal).weights, WeightShape::Normal);
    let drawn = rule.with_biases(BiasRule::LikeWeights);
    assert_eq!((drawn.biases, drawn.first_biases), (BiasRule::LikeWeights, BiasRule::LikeWeights));
    let first = rule.with_first_biases(BiasRule::LikeWeights);
    assert_eq!((first.biases, first.first_biases), (BiasRule::Zero, BiasRule::LikeWeights));
}
