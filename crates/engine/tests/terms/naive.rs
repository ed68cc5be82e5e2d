//! The gradient of a loss on derivatives by plain loops in float32.

use vi3nr::Network;

/// The gradient of `value:1` (without targets), `eikonal:1` and, at order 2, `laplacian:1` by the
/// loops of the reference in float32, including the sums over points.
pub(crate) fn gradient(
    network: &Network,
    parameters: &[f32],
    points: &[f32],
    order: usize,
) -> Vec<f64> {
    let inputs = network.inputs();
    let (count, outputs) = (points.len() / inputs, network.outputs());
    let channels = 1 + inputs + usize::from(order == 2);
    let last = channels - 1;
    let mut gradient = vec![0.0f32; parameters.len()];
    for point in points.chunks_exact(inputs) {
        let mut first = vec![vec![0.0f32; inputs]; channels];
        first[0] = point.to_vec();
        (0..inputs).for_each(|a| first[1 + a][a] = 1.0);
        let (mut traces, mut kept) = (vec![first], Vec::new());
        let mut delta = Vec::new();
        for layer in network.layers() {
            let weights = &parameters[layer.weights.clone()];
            let z: Vec<Vec<f32>> = (0..channels)
                .map(|c| {
                    let input = &traces[layer.index][c];
                    let bias = |j| if c == 0 { parameters[layer.biases.start + j] } else { 0.0 };
                    let unit = |j: usize| {
                        let row = weights[j * layer.fan_in..][..layer.fan_in].iter();
                        row.zip(input).fold(bias(j), |sum, (w, x)| sum + w * x)
                    };
                    (0..layer.fan_out).map(unit).collect()
                })
                .collect();
            if layer.index + 1 == network.layer_count() {
                delta = adjoints(&z, inputs, outputs, count, order);
                break;
            }
            let jets: Vec<[f32; 4]> = z[0]
                .iter()
                .map(|z| network.activation().jet(f64::from(*z)).map(|f| f as f32))
                .collect();
            let mut h = z.clone();
            for (j, jet) in jets.iter().enumerate() {
                h[0][j] = jet[0];
                let squares = (0..inputs).map(|a| z[1 + a][j] * z[1 + a][j]).sum::<f32>();
                (1..channels).for_each(|c| h[c][j] = jet[1] * z[c][j]);
                if order == 2 {
                    h[last][j] += jet[2] * squares;
                }
            }
            traces.push(h);
            kept.push((z, jets));
        }
        for layer in network.layers().into_iter().rev() {
            let weights = &parameters[layer.weights.clone()];
            for (c, delta) in delta.iter().enumerate() {
                for (j, d) in delta.iter().enumerate() {
                    if c == 0 {
                        gradient[layer.biases.start + j] += d;
                    }
                    let row = layer.weights.start + j * layer.fan_in;
                    for (k, input) in traces[layer.index][c].iter().enumerate() {
                        gradient[row + k] += d * input;
                    }
                }
            }
            let Some(below) = layer.index.checked_sub(1) else { break };
            let (z, jets) = &kept[below];
            let above: Vec<Vec<f32>> = delta
                .iter()
                .map(|delta| {
                    let column = |k: usize| {
                        let each = delta.iter().enumerate();
                        each.fold(0.0, |sum, (j, d)| sum + weights[j * layer.fan_in + k] * d)
                    };
                    (0..layer.fan_in).map(column).collect()
                })
                .collect();
            let mut next = above.clone();
            for (k, [_, f1, f2, f3]) in jets.iter().copied().enumerate() {
                next.iter_mut().for_each(|row| row[k] *= f1);
                for a in 1..=inputs {
                    next[0][k] += f2 * z[a][k] * above[a][k];
                    if order == 2 {
                        next[0][k] += f3 * z[a][k] * z[a][k] * above[last][k];
                        next[a][k] += 2.0 * f2 * z[a][k] * above[last][k];
                    }
                }
                if order == 2 {
                    next[0][k] += f2 * z[last][k] * above[last][k];
                }
            }
            delta = next;
        }
    }
    super::double(&gradient)
}

/// The derivatives of `value:1`, `eikonal:1` and, at order 2, `laplacian:1`, all without targets.
fn adjoints(
    z: &[Vec<f32>],
    inputs: usize,
    outputs: usize,
    count: usize,
    order: usize,
) -> Vec<Vec<f32>> {
    let scale = 2.0 / (count * outputs) as f32;
    let mut delta = vec![vec![0.0; outputs]; z.len()];
    for o in 0..outputs {
        delta[0][o] = scale * z[0][o];
        let norm = (1..=inputs).map(|a| z[a][o] * z[a][o]).sum::<f32>().sqrt();
        (1..=inputs).for_each(|a| delta[a][o] = scale * (norm - 1.0) * z[a][o] / norm);
        if order == 2 {
            delta[1 + inputs][o] = scale * z[1 + inputs][o];
        }
    }
    delta
}
