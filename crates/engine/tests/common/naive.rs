//! Gradients by naive loops in float32, whose error is a measure for that of an engine.

use vi3nr::Network;

/// The gradient by the loops of the reference in float32, including the sums over points.
pub(crate) fn naive_float32(
    network: &Network,
    parameters: &[f32],
    points: &[f32],
    targets: &[f32],
) -> Vec<f32> {
    let count = points.len() / network.inputs();
    let scale = 2.0 / (count * network.outputs()) as f32;
    let mut gradient = vec![0.0f32; parameters.len()];
    let rows = points.chunks_exact(network.inputs()).zip(targets.chunks_exact(network.outputs()));
    for (point, target) in rows {
        let (mut inputs, mut slopes) = (vec![point.to_vec()], Vec::new());
        let mut delta = Vec::new();
        for layer in network.layers() {
            let input = &inputs[layer.index];
            let z: Vec<f32> = (0..layer.fan_out)
                .map(|j| {
                    let row =
                        &parameters[layer.weights.clone()][j * layer.fan_in..][..layer.fan_in];
                    let bias = parameters[layer.biases.start + j];
                    row.iter().zip(input).fold(bias, |sum, (w, x)| sum + w * x)
                })
                .collect();
            if layer.index + 1 == network.layer_count() {
                delta = z.iter().zip(target).map(|(z, t)| scale * (z - t)).collect();
            } else {
                let at = |z: &f32| network.activation().value_and_slope(f64::from(*z));
                inputs.push(z.iter().map(|z| at(z).0 as f32).collect());
                slopes.push(z.iter().map(|z| at(z).1 as f32).collect::<Vec<f32>>());
            }
        }
        for layer in network.layers().into_iter().rev() {
            for j in 0..layer.fan_out {
                gradient[layer.biases.start + j] += delta[j];
                for k in 0..layer.fan_in {
                    let input = inputs[layer.index][k];
                    gradient[layer.weights.start + j * layer.fan_in + k] += delta[j] * input;
                }
            }
            if layer.index > 0 {
                delta = (0..layer.fan_in)
                    .map(|k| {
                        let column = (0..layer.fan_out).fold(0.0f32, |sum, j| {
                            sum + parameters[layer.weights.start + j * layer.fan_in + k] * delta[j]
                        });
                        column * slopes[layer.index - 1][k]
                    })
                    .collect();
            }
        }
    }
    gradient
}

/// |a - b| / |b| in the Euclidean norm.
pub(crate) fn distance(a: &[f32], b: &[f64]) -> f64 {
    let square = |sum: f64| sum.sqrt();
    let difference = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum::<f64>();
    square(difference) / square(b.iter().map(|b| b * b).sum())
}
