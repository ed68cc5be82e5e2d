//! Tests of the reference engine against difference quotients and closed forms.

use super::*;
use crate::{Adam, Loss};

/// The gradient against difference quotients of the loss.
#[test]
fn gradient_is_the_derivative_of_the_loss() {
    for name in ["sine:omega=2", "gaussian:sigma=0.7", "tanh", "wavelet:a=1", "sinc:a=3"] {
        let network = Network::new(vec![2, 5, 4, 3], name.parse().unwrap()).unwrap();
        let wave = |i: usize, f: f64| (f * (i as f64 + 1.0)).sin();
        let parameters: Vec<f64> =
            (0..network.parameter_count()).map(|i| 0.6 * wave(i, 1.7)).collect();
        let points: Vec<f32> = (0..14).map(|i| wave(i, 2.3) as f32).collect();
        let targets: Vec<f32> = (0..21).map(|i| wave(i, 0.9) as f32).collect();
        let weights = [1.0, 0.5, 2.0, 0.0, 1.5, 3.0, 1.0];
        let plain = Batch::new(&network, &points, &targets).unwrap();
        let weighted = plain.with_loss(Loss::Absolute).with_weights(&weights).unwrap();
        for (batch, i) in [plain, weighted]
            .iter()
            .flat_map(|batch| (0..parameters.len()).map(move |i| (batch, i)))
        {
            let (_, gradient) = reference_gradient(&network, &parameters, batch).unwrap();
            let at = |h: f64| {
                let mut moved = parameters.clone();
                moved[i] += h;
                reference_gradient(&network, &moved, batch).unwrap().0
            };
            let quotient = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((gradient[i] - quotient).abs() < 1e-9, "{name} {i}: {quotient}");
        }
    }
}

/// The derivatives with respect to the coordinates against difference quotients of the values.
#[test]
fn derivatives_are_those_of_the_values() {
    let network = Network::new(vec![3, 6, 5, 2], "sine:omega=2".parse().unwrap()).unwrap();
    let parameters: Vec<f32> =
        (0..network.parameter_count()).map(|i| 0.6 * (1.7 * i as f32).sin()).collect();
    let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
    let point = [0.3f32, -0.2, 0.7];
    let (mut values, mut derivatives) = ([0.0; 2], [0.0; 6]);
    engine.differentiate(&point, &mut values, &mut derivatives).unwrap();
    let at = |point: &[f32]| forward(&network, &engine.parameters, point).output;
    for (o, d) in (0..2).flat_map(|o| (0..3).map(move |d| (o, d))) {
        let step = 1.0 / 1024.0;
        let (mut above, mut below) = (point, point);
        (above[d], below[d]) = (point[d] + step, point[d] - step);
        let quotient = (at(&above)[o] - at(&below)[o]) / f64::from(above[d] - below[d]);
        let seen = f64::from(derivatives[o * 3 + d]);
        assert!((seen - quotient).abs() < 1e-4, "({o}, {d}): {seen}, not {quotient}");
    }
    assert_eq!(f64::from(values[0]), f64::from(at(&point)[0] as f32));
}

/// J·d against difference quotients along d.
#[test]
fn tangents_are_directional_derivatives() {
    for name in ["sine:omega=2", "gaussian:sigma=0.7", "tanh"] {
        let network = Network::new(vec![2, 5, 4, 3], name.parse().unwrap()).unwrap();
        let wave = |i: usize, f: f32| (f * (i as f32 + 1.0)).sin();
        let count = network.parameter_count();
        let parameters: Vec<f32> = (0..count).map(|i| 0.6 * wave(i, 1.7)).collect();
        let directions: Vec<Vec<f32>> =
            [0.7, 1.1].map(|f| (0..count).map(|i| wave(i, f)).collect()).into();
        let points: Vec<f32> = (0..14).map(|i| wave(i, 2.3)).collect();
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        let borrowed: Vec<&[f32]> = directions.iter().map(|d| &d[..]).collect();
        let tangents = engine.tangents(&points, Residuals::VALUES, &borrowed).unwrap();
        for (direction, tangent) in directions.iter().zip(&tangents) {
            let at = |h: f64| -> Vec<f64> {
                let moved: Vec<f64> = parameters
                    .iter()
                    .zip(direction)
                    .map(|(p, d)| f64::from(*p) + h * f64::from(*d))
                    .collect();
                points.chunks(2).flat_map(|x| forward(&network, &moved, x).output).collect()
            };
            for ((above, below), seen) in at(1e-5).iter().zip(at(-1e-5)).zip(tangent) {
                let quotient = (above - below) / 2e-5;
                assert!((quotient - f64::from(*seen)).abs() < 1e-6, "{name}: {seen}");
            }
        }
    }
}

/// The factors against outer products of gradients of Σ u·Φ: a single point's gradient of a
/// layer is s h̄ᵀ, so its products with itself hold both factors.
#[test]
fn factors_are_second_moments_of_one_points_gradients() {
    let network = Network::new(vec![2, 3, 4, 2], "tanh".parse().unwrap()).unwrap();
    let wave = |i: usize, f: f32| (f * (i as f32 + 1.0)).sin();
    let parameters: Vec<f32> = (0..network.parameter_count()).map(|i| 0.6 * wave(i, 1.7)).collect();
    let points: Vec<f32> = (0..6).map(|i| wave(i, 2.3)).collect();
    let signs = [1.0, -1.0, -1.0, -1.0, 1.0, 1.0];
    let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
    let factors = engine.factors(&points, Residuals::VALUES, &signs).unwrap();
    for layer in network.layers() {
        let (rows, columns) = (layer.fan_out, layer.fan_in + 1);
        let mut inputs = vec![0.0; columns * columns];
        let mut slopes = vec![0.0; rows * rows];
        for (point, signs) in points.chunks(2).zip(signs.chunks(2)) {
            // The loss whose gradient is that of Σ u·Φ: (Φ - y)² with y = Φ - u, mean of two.
            let mut values = [0.0; 2];
            engine.evaluate(point, &mut values).unwrap();
            let targets = [values[0] - signs[0], values[1] - signs[1]];
            engine.load_batch(&Batch::new(&network, point, &targets).unwrap()).unwrap();
            engine.loss_and_gradient().unwrap();
            let gradient = engine.gradient.as_ref().unwrap();
            let (weights, biases) =
                (&gradient[layer.weights.clone()], &gradient[layer.biases.clone()]);
            let trace = forward(&network, &engine.parameters, point);
            let mut input = trace.inputs[layer.index].clone();
            input.push(1.0);
            for j in 0..rows {
                for k in 0..layer.fan_in {
                    let product = biases[j] * input[k];
                    assert!((weights[j * layer.fan_in + k] - product).abs() < 1e-9);
                }
                for i in 0..rows {
                    slopes[j * rows + i] += biases[j] * biases[i] / 3.0;
                }
            }
            for (j, a) in input.iter().enumerate() {
                for (k, b) in input.iter().enumerate() {
                    inputs[j * columns + k] += a * b / 3.0;
                }
            }
        }
        let near =
            |seen: &[f64], exact: &[f64]| seen.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(&factors[layer.index].inputs, &inputs), "layer {}", layer.index);
        assert!(near(&factors[layer.index].slopes, &slopes), "layer {}", layer.index);
    }
}

/// Adam against its closed form for a constant gradient: each step is lr·sign(g) up to ε.
#[test]
fn adam_moves_by_the_learning_rate() {
    let network = Network::new(vec![1, 1], "relu".parse().unwrap()).unwrap();
    let mut engine = ReferenceEngine::new(&network, &[0.5, 0.25]).unwrap();
    engine.gradient = Some(vec![3.0, -1e-3]);
    for _ in 0..10 {
        engine.apply(&Update::adam(Adam::default(), 0.01)).unwrap();
    }
    assert!((engine.parameters[0] - 0.4).abs() < 1e-8);
    assert!((engine.parameters[1] - 0.35).abs() < 1e-5);
}
