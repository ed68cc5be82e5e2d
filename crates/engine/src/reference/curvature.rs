//! Curvature factors and directional derivatives by plain loops.

use vi3nr::Network;

use super::{forward, pull_back};
use crate::error::try_zeros;
use crate::{EngineError, LayerCurvature};

/// The curvature factors of every layer; see [`LayerCurvature`].
pub(super) fn factors(
    network: &Network,
    parameters: &[f64],
    points: &[f32],
    signs: &[f32],
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
    let scale = network.inputs() as f64 / points.len() as f64;
    let rows = points.chunks_exact(network.inputs()).zip(signs.chunks_exact(network.outputs()));
    for (point, signs) in rows {
        let trace = forward(network, parameters, point);
        let mut delta: Vec<f64> = signs.iter().map(|sign| f64::from(*sign)).collect();
        for layer in layers.iter().rev() {
            let mut input = trace.inputs[layer.index].clone();
            input.push(1.0);
            add_outer_product(&mut factors[layer.index].inputs, &input, scale);
            add_outer_product(&mut factors[layer.index].slopes, &delta, scale);
            let slopes = layer.index.checked_sub(1).map(|below| &trace.slopes[below][..]);
            delta = pull_back(layer, parameters, &delta, slopes);
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

/// J·d at every point, shape (n, outputs), by forward-mode differentiation: ż = Ẇh + ḃ + Wḣ and
/// ḣ = f'(z) ż.
pub(super) fn tangent(
    network: &Network,
    parameters: &[f64],
    points: &[f32],
    direction: &[f32],
) -> Result<Vec<f32>, EngineError> {
    let last = network.layer_count() - 1;
    let mut tangents = try_zeros(points.len() / network.inputs() * network.outputs())?;
    let values = tangents.chunks_exact_mut(network.outputs());
    for (point, values) in points.chunks_exact(network.inputs()).zip(values) {
        let trace = forward(network, parameters, point);
        let mut moved = vec![0.0; network.inputs()];
        for layer in network.layers() {
            let input = &trace.inputs[layer.index];
            let mut next = vec![0.0; layer.fan_out];
            for j in 0..layer.fan_out {
                next[j] = f64::from(direction[layer.biases.start + j]);
                for k in 0..layer.fan_in {
                    let index = layer.weights.start + j * layer.fan_in + k;
                    next[j] +=
                        f64::from(direction[index]) * input[k] + parameters[index] * moved[k];
                }
                if layer.index < last {
                    next[j] *= trace.slopes[layer.index][j];
                }
            }
            moved = next;
        }
        for (value, exact) in values.iter_mut().zip(moved) {
            *value = exact as f32;
        }
    }
    Ok(tangents)
}
