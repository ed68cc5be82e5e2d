//! Derivatives with respect to the coordinates, and losses on them, by plain loops.

use vi3nr::{Layer, Network};

use crate::EngineError;
use crate::batch::check_parameters;
use crate::channels::{Channels, hessian_index};
use crate::terms::{PointJet, TermBatch};

/// One number per unit, for each channel.
pub(super) type Rows = Vec<Vec<f64>>;

/// The intermediate results of the forward pass of one point.
pub(super) struct Trace {
    /// The input of each layer.
    pub(super) inputs: Vec<Rows>,
    /// The preactivations of each layer but the last.
    pub(super) preactivations: Vec<Rows>,
    /// f, f', f'' and f''' at the preactivations of each layer but the last.
    pub(super) jets: Vec<Vec<[f64; 4]>>,
    /// The network's outputs.
    output: Rows,
}

/// The forward pass of all `channels` at one point.
pub(super) fn forward(
    network: &Network,
    parameters: &[f64],
    point: &[f32],
    channels: &Channels,
) -> Trace {
    let count = channels.count();
    let mut first = vec![vec![0.0; network.inputs()]; count];
    first[0] = point.iter().map(|x| f64::from(*x)).collect();
    for a in 0..channels.tangents {
        first[1 + a][a] = 1.0;
    }
    let (mut inputs, mut preactivations, mut jets) = (vec![first], Vec::new(), Vec::new());
    let last = network.layer_count() - 1;
    for layer in network.layers() {
        let weights = &parameters[layer.weights];
        let biases = &parameters[layer.biases];
        let mut z = vec![vec![0.0; layer.fan_out]; count];
        for (channel, (z, input)) in z.iter_mut().zip(&inputs[layer.index]).enumerate() {
            for j in 0..layer.fan_out {
                z[j] = if channel == 0 { biases[j] } else { 0.0 };
                for k in 0..layer.fan_in {
                    z[j] += weights[j * layer.fan_in + k] * input[k];
                }
            }
        }
        if layer.index == last {
            return Trace { inputs, preactivations, jets, output: z };
        }
        let jet: Vec<[f64; 4]> = z[0].iter().map(|z| network.activation().jet(*z)).collect();
        let mut h = vec![vec![0.0; layer.fan_out]; count];
        for j in 0..layer.fan_out {
            let [value, slope, second, _] = jet[j];
            h[0][j] = value;
            for channel in 1..count {
                h[channel][j] = slope * z[channel][j];
            }
            for (pairs, channel) in channels.seconds.iter().zip(1 + channels.tangents..) {
                let products = pairs.iter().map(|(a, b)| z[1 + a][j] * z[1 + b][j]);
                h[channel][j] += second * products.sum::<f64>();
            }
        }
        inputs.push(h);
        preactivations.push(z);
        jets.push(jet);
    }
    unreachable!("a network has at least one layer")
}

/// The derivatives of the loss with respect to the preactivations z of all channels, from those
/// with respect to h = f(z): the chain rule for the equations of [`Channels`].
fn pull_back(channels: &Channels, z: &Rows, jets: &[[f64; 4]], above: &Rows) -> Rows {
    let mut below = vec![vec![0.0; jets.len()]; channels.count()];
    for (j, [_, slope, second, third]) in jets.iter().enumerate() {
        for channel in 0..channels.count() {
            below[channel][j] += slope * above[channel][j];
        }
        for a in 0..channels.tangents {
            below[0][j] += second * z[1 + a][j] * above[1 + a][j];
        }
        for (pairs, channel) in channels.seconds.iter().zip(1 + channels.tangents..) {
            let adjoint = above[channel][j];
            below[0][j] += second * z[channel][j] * adjoint;
            for (a, b) in pairs {
                below[0][j] += third * z[1 + a][j] * z[1 + b][j] * adjoint;
                below[1 + a][j] += second * z[1 + b][j] * adjoint;
                below[1 + b][j] += second * z[1 + a][j] * adjoint;
            }
        }
    }
    below
}

/// The derivatives of the loss with respect to the preactivations of the layer before `layer`, from
/// those of `layer`, which is not the first.
pub(super) fn through_layer(
    trace: &Trace,
    channels: &Channels,
    layer: &Layer,
    parameters: &[f64],
    delta: &Rows,
) -> Rows {
    let weights = &parameters[layer.weights.clone()];
    let above: Rows = delta
        .iter()
        .map(|delta| {
            let column = |k: usize| {
                let each = delta.iter().enumerate();
                each.map(|(j, d)| weights[j * layer.fan_in + k] * d).sum()
            };
            (0..layer.fan_in).map(column).collect()
        })
        .collect();
    let below = layer.index - 1;
    pull_back(channels, &trace.preactivations[below], &trace.jets[below], &above)
}

/// Φ, its gradient and its Laplacian from the output of a pass with the channels of an order.
fn point_jet(output: &Rows, channels: &Channels) -> PointJet {
    let mut jet = PointJet::zeros(channels.tangents, output[0].len());
    jet.values.clone_from(&output[0]);
    for (a, tangent) in output[1..][..channels.tangents].iter().enumerate() {
        for (o, derivative) in tangent.iter().enumerate() {
            jet.gradients[o * channels.tangents + a] = *derivative;
        }
    }
    if let Some(laplacians) = output.get(1 + channels.tangents) {
        jet.laplacians.clone_from(laplacians);
    }
    jet
}

/// The inverse of [`point_jet`], for derivatives of the loss.
fn rows(jet: PointJet, channels: &Channels) -> Rows {
    let outputs = jet.values.len();
    let mut rows = vec![jet.values];
    for a in 0..channels.tangents {
        rows.push((0..outputs).map(|o| jet.gradients[o * channels.tangents + a]).collect());
    }
    if !channels.seconds.is_empty() {
        rows.push(jet.laplacians);
    }
    rows
}

/// Computes the sums Σ w ρ_t of the terms of `batch` and the gradient of its loss, both in double
/// precision.
pub(super) fn sums_and_gradient(
    network: &Network,
    parameters: &[f64],
    batch: &TermBatch<'_>,
) -> (Vec<f64>, Vec<f64>) {
    let mut gradient = vec![0.0; parameters.len()];
    let mut sums = vec![0.0; batch.term_count()];
    for (constraint, range) in batch.constraints().iter().zip(batch.term_ranges()) {
        let channels = Channels::of_order(constraint.order(), network.inputs());
        for (index, point) in constraint.points.chunks_exact(network.inputs()).enumerate() {
            let trace = forward(network, parameters, point, &channels);
            let jet = point_jet(&trace.output, &channels);
            let mut adjoint = PointJet::zeros(channels.tangents, network.outputs());
            adjoint.add_terms(constraint, index, &jet, &mut sums[range.clone()]);
            let mut delta = rows(adjoint, &channels);
            for layer in network.layers().into_iter().rev() {
                let input = &trace.inputs[layer.index];
                for (channel, (delta, input)) in delta.iter().zip(input).enumerate() {
                    for j in 0..layer.fan_out {
                        if channel == 0 {
                            gradient[layer.biases.start + j] += delta[j];
                        }
                        for k in 0..layer.fan_in {
                            gradient[layer.weights.start + j * layer.fan_in + k] +=
                                delta[j] * input[k];
                        }
                    }
                }
                if layer.index > 0 {
                    delta = through_layer(&trace, &channels, &layer, parameters, &delta);
                }
            }
        }
    }
    (sums, gradient)
}

/// Computes the loss of a network on `batch` and its gradient, both in double precision.
///
/// `parameters` and the gradient are in the order of [`Network::layers`].
///
/// # Errors
/// Returns [`EngineError::Length`] if there is not one parameter per weight and bias, and
/// [`EngineError::BatchShape`] if the batch was created for a network with another number of inputs
/// or outputs.
pub fn reference_term_gradient(
    network: &Network,
    parameters: &[f64],
    batch: &TermBatch<'_>,
) -> Result<(f64, Vec<f64>), EngineError> {
    check_parameters("parameters", network, parameters.len())?;
    batch.check(network)?;
    let (sums, gradient) = sums_and_gradient(network, parameters, batch);
    Ok((crate::terms::Tally::default().set(batch, &sums), gradient))
}

/// Φ_o and the derivatives ∂_aΦ_o and ∂_a∂_bΦ_o at one point, appended to the arrays.
pub(super) fn second_derivatives(
    network: &Network,
    parameters: &[f64],
    point: &[f32],
    (values, derivatives, hessians): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let inputs = network.inputs();
    let channels = Channels::hessian(inputs);
    let output = forward(network, parameters, point, &channels).output;
    for o in 0..network.outputs() {
        values[o] = output[0][o] as f32;
        for a in 0..inputs {
            derivatives[o * inputs + a] = output[1 + a][o] as f32;
            for b in 0..inputs {
                let channel = 1 + inputs + hessian_index(a, b, inputs);
                hessians[(o * inputs + a) * inputs + b] = output[channel][o] as f32;
            }
        }
    }
}
