use super::*;
use crate::rng::{Random, Stream};
use crate::{Moments, Scheme, gain_squared, variance_sensitivity};

/// Means over the units and the networks, with the standard errors over the networks, of z², of
/// |∇z|²/D and of (Δz)² in each layer.
fn simulated(
    activation: &Activation,
    point: &[f64],
    layers: &[LayerScale],
    networks: u32,
) -> Vec<[(f64, f64); 3]> {
    let width = layers[1].fan_in;
    let channels = point.len() + 2;
    let mut sums = vec![[(0.0, 0.0); 3]; layers.len()];
    for network in 0..networks {
        let normal = |layer: usize, stream: u32| {
            let random = Random::new(u64::from(network), Stream::new(stream), layer as u32);
            move |element: usize| random.normal(element as u64)
        };
        // (unit, channel): z, ∇z, Δz.
        let mut units: Vec<Vec<f64>> = Vec::new();
        for (index, scale) in layers.iter().enumerate() {
            let inputs: Vec<Vec<f64>> = if index == 0 {
                let axis = |d: usize| {
                    let mut input = vec![0.0; channels];
                    (input[0], input[1 + d]) = (point[d], 1.0);
                    input
                };
                (0..point.len()).map(axis).collect()
            } else {
                units.iter().map(|unit| through(activation, unit)).collect()
            };
            let (weight, bias) = (normal(index, 0), normal(index, 1));
            let deviation = scale.weight_variance.sqrt();
            units = (0..width)
                .map(|unit| {
                    let mut sum = vec![0.0; channels];
                    for (k, input) in inputs.iter().enumerate() {
                        let w = deviation * weight(unit * inputs.len() + k);
                        sum.iter_mut().zip(input).for_each(|(sum, x)| *sum += w * x);
                    }
                    sum[0] += scale.bias_variance.sqrt() * bias(unit);
                    sum
                })
                .collect();
            let mean = |of: &dyn Fn(&[f64]) -> f64| {
                units.iter().map(|unit| of(unit)).sum::<f64>() / width as f64
            };
            let last = channels - 1;
            let seen = [
                mean(&|unit| unit[0] * unit[0]),
                mean(&|unit| square(&unit[1..last])) / point.len() as f64,
                mean(&|unit| unit[last] * unit[last]),
            ];
            for ((sum, squares), seen) in sums[index].iter_mut().zip(seen) {
                *sum += seen;
                *squares += seen * seen;
            }
        }
    }
    let n = f64::from(networks);
    let statistics = |(sum, squares): (f64, f64)| {
        let mean = sum / n;
        (mean, ((squares / n - mean * mean).max(0.0) / (n - 1.0)).sqrt())
    };
    sums.into_iter().map(|layer| layer.map(statistics)).collect()
}

/// f(z) with its derivatives by the coordinates and its Laplacian.
fn through(activation: &Activation, unit: &[f64]) -> Vec<f64> {
    let last = unit.len() - 1;
    let [f, f1, f2, _] = activation.jet(unit[0]);
    let mut out: Vec<f64> = unit.iter().map(|channel| f1 * channel).collect();
    out[0] = f;
    out[last] += f2 * square(&unit[1..last]);
    out
}

fn square(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum()
}

/// The layers of a network with the weights of the paper, all hidden layers of the same width.
fn layers(activation: &Activation, sigma_p: f64, inputs: usize, bias: f64) -> Vec<LayerScale> {
    let width = 300;
    let gain_squared = gain_squared(activation, sigma_p).unwrap();
    let first = LayerScale {
        fan_in: inputs,
        weight_variance: 3.0 * sigma_p * sigma_p / inputs as f64,
        bias_variance: bias,
    };
    let weight_variance = gain_squared / width as f64;
    let hidden = LayerScale { fan_in: width, weight_variance, bias_variance: bias };
    [vec![first], vec![hidden; 3]].concat()
}

/// Every variance in every layer against networks of 300 units, at points of any distance from 0.
/// The means are within four standard errors, and 1.5 % for the finite width.
#[test]
fn predictions_agree_with_networks() {
    for (text, sigma_p, point, bias) in [
        ("tanh", 1.0, &[0.6, -0.55][..], 0.0),
        ("sine:omega=1", 1.5, &[0.2, 0.7, -0.1], 0.0),
        ("gaussian:sigma=1", 1.55, &[0.9], 0.2),
        ("silu", 1.0, &[0.1, 0.3], 0.1),
        ("relu", 1.0, &[0.8, 0.4], 0.0),
        ("sin(x)/x", 2.2, &[0.5, 0.5], 0.0),
    ] {
        let activation: Activation = text.parse().unwrap();
        let layers = layers(&activation, sigma_p, point.len(), bias);
        let place = Place { coordinates: point.len(), square: square(point) };
        let found = variances(&activation, place, &layers).unwrap();
        let seen = simulated(&activation, point, &layers, 60);
        for (layer, seen) in seen.iter().enumerate() {
            let laplacian = found.laplacians.as_ref().map_or(0.0, |known| known[layer]);
            let exact = [found.preactivations[layer], found.derivatives[layer], laplacian];
            for (k, (mean, error)) in seen.iter().enumerate() {
                let allowed = 4.0 * error + 0.015 * exact[k];
                assert!(
                    (mean - exact[k]).abs() <= allowed && *error <= 0.04 * exact[k],
                    "{text}, layer {layer}, {k}: {mean} ± {error}, not {}",
                    exact[k]
                );
            }
        }
        assert_eq!(found.laplacians.is_err(), text == "relu");
    }
}

/// The closed form of the module's page, far from the first layer.
#[test]
fn deep_layers_follow_the_closed_form() {
    for (text, sigma_p) in [("tanh", 1.0), ("gaussian:sigma=0.05", 0.15), ("sine:omega=30", 0.05)] {
        let activation: Activation = text.parse().unwrap();
        assert!(variance_sensitivity(&activation, sigma_p).unwrap().abs() < 0.8);
        let hidden = layers(&activation, sigma_p, 1, 0.0);
        let deep = [hidden.clone(), vec![hidden[1]; 120]].concat();
        let place = Place { coordinates: 1, square: 1.0 / 3.0 };
        let found = variances(&activation, place, &deep).unwrap();
        let moments = Moments::of_slope(&activation, sigma_p).unwrap();
        let factor = gain_squared(&activation, sigma_p).unwrap();
        let condition = factor * moments.second_moment.value;
        let bend = factor * moments.derivative_second_moment.value;
        let laplacians = found.laplacians.unwrap();
        let v = found.derivatives[110];
        assert!((found.derivatives[111] / (condition * v) - 1.0).abs() < 1e-9, "{text}");
        let exact = condition * laplacians[110] + 3.0 * bend * v * v;
        assert!((laplacians[111] / exact - 1.0).abs() < 1e-9, "{text}: not {exact}");
    }
}

/// For the ReLU everything is known: the weights of Kaiming keep all variances.
#[test]
fn the_relu_keeps_derivatives_and_has_no_laplacian() {
    let network = Network::uniform(3, 64, 6, 1, Activation::relu()).unwrap();
    let rule = InitRule::new(Scheme::ours(1.0));
    let found = rule.derivative_variances(&network).unwrap();
    for variance in &found.derivatives {
        assert!((variance - 1.0).abs() < 1e-12, "{found:?}");
    }
    let error = found.laplacians.unwrap_err().to_string();
    assert!(error.contains("E[f''^2] of relu") && error.contains("jumps near x = 0"), "{error}");
}

/// The Laplacian of a linear network is 0, and rounding does not make its variance negative.
#[test]
fn a_linear_network_has_no_curvature() {
    for text in ["x", "2*x", "x + 1"] {
        let network = Network::uniform(2, 64, 3, 1, text.parse().unwrap()).unwrap();
        let found = InitRule::new(Scheme::ours(1.0)).derivative_variances(&network).unwrap();
        let laplacians = found.laplacians.unwrap();
        assert!(
            laplacians.iter().all(|variance| (0.0..1e-28).contains(variance)),
            "{laplacians:?}"
        );
    }
}

#[test]
fn what_has_no_derivatives_is_refused() {
    let hidden = layers(&Activation::tanh(), 1.0, 2, 0.0);
    let place = Place { coordinates: 2, square: 0.5 };
    let refused = |text: &str, place: Place, layers: &[LayerScale]| {
        variances(&text.parse().unwrap(), place, layers).unwrap_err().to_string()
    };
    assert!(refused("sign(x)", place, &hidden).contains("f jumps"));
    assert!(refused("sqrt(abs(x))", place, &hidden).contains("infinite"));
    assert!(refused("exp(x^2)", place, &hidden).contains("infinite"));
    for square in [0.0, -1.0, f64::NAN] {
        assert!(refused("tanh", Place { square, ..place }, &hidden).contains("|x|^2"));
    }
    assert!(refused("tanh", Place { coordinates: 0, ..place }, &hidden).contains("coordinates"));
    let bias_variance = f64::INFINITY;
    let biased = [hidden[0], LayerScale { bias_variance, ..hidden[1] }];
    assert!(refused("tanh", place, &biased).contains("biases"));
    assert!(variances(&Activation::tanh(), place, &[]).unwrap().derivatives.is_empty());
}

/// What grows beyond the range of numbers is infinite and not a NaN.
#[test]
fn growth_without_end_is_infinite() {
    let gaussian: Activation = "gaussian:sigma=0.05".parse().unwrap();
    let hidden = layers(&gaussian, 1.0, 2, 0.0);
    let deep = [hidden.clone(), vec![hidden[1]; 200]].concat();
    let found = variances(&gaussian, Place { coordinates: 2, square: 2.0 / 3.0 }, &deep).unwrap();
    let laplacians = found.laplacians.unwrap();
    assert_eq!((found.derivatives[203], laplacians[203]), (f64::INFINITY, f64::INFINITY));
    assert!(laplacians.iter().chain(&found.derivatives).all(|variance| *variance >= 0.0));
}
