//! Properties that hold for every activation, scale and seed.

use proptest::prelude::*;
use vi3nr::rng::{Random, Stream};
use vi3nr::{
    Activation, Gain, InitRule, Moments, Network, Scheme, WeightShape, backward_condition, draw,
};

/// Functions of `X`, whose value and argument the tests scale.
const SHAPES: [&str; 10] = [
    "tanh(X)",
    "sin(3*X)",
    "exp(-(X)^2/2)",
    "sin(X)/(X)",
    "max(X,0)",
    "X/(1+exp(-(X)))",
    "exp(-abs(X))",
    "1/(1+(X)^2)",
    "X*erf(X)-0.3",
    "abs((X)-0.7)+cos(X)",
];

fn scaled(shape: &str, outer: f64, inner: f64) -> Activation {
    let inside = shape.replace('X', "(c*x)");
    format!("k*({inside}):k={outer},c={inner}").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Scaling f by a factor k does not change the condition.
    #[test]
    fn the_condition_ignores_the_scale_of_f(
        shape in prop::sample::select(SHAPES.to_vec()),
        exponent in -6.0..6.0f64,
        sigma in 0.01..20.0f64,
    ) {
        let plain = backward_condition(&scaled(shape, 1.0, 1.0), sigma).unwrap();
        let scaled = scaled(shape, -(10f64.powf(exponent)), 1.0);
        let scaled = backward_condition(&scaled, sigma).unwrap();
        prop_assert!((scaled / plain - 1.0).abs() < 1e-11, "{scaled} {plain}");
    }

    /// gain²(f(c·), σ_p) = gain²(f, c σ_p)/c².
    #[test]
    fn the_gain_scales_with_the_argument(
        shape in prop::sample::select(SHAPES.to_vec()),
        c in 0.05..20.0f64,
        sigma in 0.02..10.0f64,
    ) {
        let inside = Gain::of(&scaled(shape, 1.0, c), sigma).unwrap().gain_squared;
        let outside = Gain::of(&scaled(shape, 1.0, 1.0), c * sigma).unwrap().gain_squared;
        let exact = outside.value / (c * c);
        prop_assert!((inside.value / exact - 1.0).abs() < 1e-11, "{inside:?} {exact}");
    }

    /// E[f]² <= E[f²], and the error bounds are small.
    #[test]
    fn moments_are_those_of_a_distribution(
        shape in prop::sample::select(SHAPES.to_vec()),
        exponent in -3.0..2.0f64,
    ) {
        let moments = Moments::of(&scaled(shape, 1.0, 1.0), 10f64.powf(exponent)).unwrap();
        for (mean, square) in [
            (moments.mean, moments.second_moment),
            (moments.derivative_mean, moments.derivative_second_moment),
        ] {
            prop_assert!(mean.value * mean.value <= square.value * (1.0 + 1e-12) + square.error);
            prop_assert!(square.error <= 1e-11 * square.value);
        }
    }

    /// A wide layer preserves the variance of the preactivations, for every distribution of the
    /// weights.
    #[test]
    fn a_wide_layer_preserves_the_variance(
        name in prop::sample::select(vec!["tanh", "gaussian:sigma=0.4", "relu", "sinc:a=1", "gelu"]),
        shape in prop::sample::select(vec![
            WeightShape::Uniform,
            WeightShape::Normal,
            WeightShape::TruncatedNormal,
            WeightShape::Orthogonal,
        ]),
        sigma_p in 0.2..3.0f64,
        seed in any::<u64>(),
    ) {
        let width = 384;
        let activation: Activation = name.parse().unwrap();
        let network = Network::new(vec![1, width, width], activation.clone()).unwrap();
        let scheme = Scheme::ours(sigma_p);
        let rule = InitRule::new(scheme).with_weights(shape);
        let parameters = draw(&network, &rule.plan(&network).unwrap(), seed);
        let weights = &parameters[network.layers()[1].weights.clone()];
        let inputs = Random::new(seed, Stream::SAMPLES, 1);
        let outputs: Vec<f64> = (0..4)
            .flat_map(|sample| {
                let x: Vec<f64> = (0..width as u64)
                    .map(|unit| activation.value(sigma_p * inputs.normal(sample * 1000 + unit)))
                    .collect();
                weights
                    .chunks(width)
                    .map(move |row| row.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum())
                    .collect::<Vec<f64>>()
            })
            .collect();
        let variance = outputs.iter().map(|z| z * z).sum::<f64>() / outputs.len() as f64;
        let ratio = variance / (sigma_p * sigma_p);
        // Four samples: their mean squares of f vary by at most 2/sqrt(4·384), the outputs by
        // sqrt(2/1536); six of each together.
        prop_assert!((ratio - 1.0).abs() < 0.45, "{ratio}");
    }
}

/// No text causes a panic, and an activation that is parsed is written as text that parses to the
/// same activation.
#[test]
fn any_text_is_parsed_or_is_an_error() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let text = "[-+*/^()., :=a-z0-9]{0,40}|((x|sin\\(|\\(|\\)|abs\\(|\\+|\\*|\\^|2|-|max\\(|,|/|e|:s=1| ){1,30})|\\PC{0,30}";
    let result = runner.run(&text.prop_map(String::from), |text| {
        if let Ok(activation) = text.parse::<Activation>() {
            let written = activation.to_string();
            prop_assert_eq!(&written.parse::<Activation>().unwrap(), &activation);
            let _ = activation.value_and_slope(0.3);
        }
        let _ = text.parse::<Scheme>();
        Ok(())
    });
    result.unwrap();
}
