//! Curvature factors and directional derivatives by plain loops.

use vi3nr::Network;

use super::jets::{Rows, forward, through_layer};
use crate::channels::Channels;
use crate::error::try_zeros;
use crate::{EngineError, LayerCurvature, Residuals};

/// The curvature factors of every layer; see [`LayerCurvature`].
pub(super) fn factors(
    network: &Network,
    parameters: &[f64],
    points: &[f32],
    (residuals, signs): (Residuals, &[f32]),
) -> Result<Vec<LayerCurvature>, EngineError> {
    let layers = network.layers();
    let mut factors: Vec<LayerCurvature> = layers
        .iter()
        .map(|layer| {
            Ok(LayerCurvature {
                inputs: try_zeros((layer.fan_in + 1).pow(2))?,
                slopes: try_zeros(layer.fan_out.pow(2))?,
            })
        })
        .collect::<Result<_, EngineError>>()?;
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let channels = Channels::of_order(residuals.order(), inputs);
    let scale = inputs as f64 / points.len() as f64;
    let rows = signs.chunks_exact(residuals.count(inputs, outputs));
    for (point, signs) in points.chunks_exact(inputs).zip(rows) {
        let trace = forward(network, parameters, point, &channels);
        let mut delta = vec![vec![0.0; outputs]; channels.count()];
        for ((channel, factor), signs) in residuals.channels(inputs).zip(signs.chunks(outputs)) {
            for (delta, sign) in delta[channel].iter_mut().zip(signs) {
                *delta = factor * f64::from(*sign);
            }
        }
        for layer in layers.iter().rev() {
            for (channel, input) in trace.inputs[layer.index].iter().enumerate() {
                let mut input = input.clone();
                input.push(if channel == 0 { 1.0 } else { 0.0 });
                add_outer_product(&mut factors[layer.index].inputs, &input, scale);
                add_outer_product(&mut factors[layer.index].slopes, &delta[channel], scale);
            }
            if layer.index > 0 {
                delta = through_layer(&trace, &channels, layer, parameters, &delta);
            }
        }
    }
    Ok(factors)
}

/// M ← M + scale · vvᵀ.
fn add_outer_product(matrix: &mut [f64], vector: &[f64], scale: f64) {
    for (row, a) in matrix.chunks_exact_mut(vector.len()).zip(vector) {
        for (element, b) in row.iter_mut().zip(vector) {
            *element += scale * a * b;
        }
    }
}

/// J·d at every point, shape (n, residuals), by forward-mode differentiation of all channels: ż =
/// Ẇh + ḃ + Wḣ, and ḣ is the derivative of the equations of [`Channels`] along ż.
pub(super) fn tangent(
    network: &Network,
    parameters: &[f64],
    points: &[f32],
    (residuals, direction): (Residuals, &[f32]),
) -> Result<Vec<f32>, EngineError> {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let channels = Channels::of_order(residuals.order(), inputs);
    let last = network.layer_count() - 1;
    let each = residuals.count(inputs, outputs);
    let mut tangents = try_zeros(points.len() / inputs * each)?;
    for (point, values) in points.chunks_exact(inputs).zip(tangents.chunks_exact_mut(each)) {
        let trace = forward(network, parameters, point, &channels);
        let mut moved = vec![vec![0.0; inputs]; channels.count()];
        for layer in network.layers() {
            let mut next = vec![vec![0.0; layer.fan_out]; channels.count()];
            for (channel, next) in next.iter_mut().enumerate() {
                let input = &trace.inputs[layer.index][channel];
                for j in 0..layer.fan_out {
                    if channel == 0 {
                        next[j] = f64::from(direction[layer.biases.start + j]);
                    }
                    for k in 0..layer.fan_in {
                        let index = layer.weights.start + j * layer.fan_in + k;
                        next[j] += f64::from(direction[index]) * input[k]
                            + parameters[index] * moved[channel][k];
                    }
                }
            }
            if layer.index < last {
                turn(
                    &channels,
                    &trace.preactivations[layer.index],
                    &trace.jets[layer.index],
                    &mut next,
                );
            }
            moved = next;
        }
        let rows = residuals.channels(inputs).zip(values.chunks_exact_mut(outputs));
        for ((channel, factor), values) in rows {
            for (value, exact) in values.iter_mut().zip(&moved[channel]) {
                *value = (factor * exact) as f32;
            }
        }
    }
    Ok(tangents)
}

/// Replaces the derivatives ż of the preactivations of all channels by those of the activations.
fn turn(channels: &Channels, z: &Rows, jets: &[[f64; 4]], moved: &mut Rows) {
    for (j, [_, slope, second, third]) in jets.iter().enumerate() {
        let value = moved[0][j];
        for (pairs, channel) in channels.seconds.iter().zip(1 + channels.tangents..) {
            let mut sum = slope * moved[channel][j] + second * z[channel][j] * value;
            for (a, b) in pairs {
                sum += second * (z[1 + a][j] * moved[1 + b][j] + z[1 + b][j] * moved[1 + a][j])
                    + third * z[1 + a][j] * z[1 + b][j] * value;
            }
            moved[channel][j] = sum;
        }
        for a in 0..channels.tangents {
            moved[1 + a][j] = slope * moved[1 + a][j] + second * z[1 + a][j] * value;
        }
        moved[0][j] = slope * value;
    }
}
