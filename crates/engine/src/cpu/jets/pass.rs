//! The forward and backward pass of a tile of points with all their channels.

use std::ops::Range;

use super::super::layout::{LayerLayout, PIECE_ROWS};
use super::super::product::{Left, Product, Right, Update};
use super::super::tile::{GradSink, pieces};
use super::super::tiny::{Floor, drop_tiny};
use super::super::vector_function::Width;
use super::Pass;
use super::elementwise::{AddBias, Gather, Spread};
use super::function::Derivatives;
use super::scratch::{Hidden, Scratch};
use crate::channels::Channels;

/// The number of points whose product and activation are computed together: [`PIECE_ROWS`] rows, but
/// at least one point.
pub(super) fn piece_points(channels: &Channels) -> usize {
    (PIECE_ROWS / channels.count()).max(1)
}

/// The rows of a point, `stride` numbers apart, as one row.
pub(super) fn whole_points(channels: usize, stride: usize) -> Width {
    Width { columns: channels * stride, row_stride: channels * stride }
}

/// The rows of `points` of a matrix with one row for each point; nothing if it is empty.
fn rows_of<'a>(matrix: &'a mut [f32], points: &Range<usize>, stride: usize) -> &'a mut [f32] {
    let range = points.start * stride..points.end * stride;
    if matrix.is_empty() { matrix } else { &mut matrix[range] }
}

/// What the backward pass knows of a layer when it reaches it.
pub(super) struct Rows<'a> {
    /// The inputs h in all channels of all points, (rows, fan-in).
    pub(super) inputs: &'a [f32],
    pub(super) input_stride: usize,
    /// The derivatives of the loss with respect to z, (rows, fan-out), with the layer's
    /// `tile_stride`.
    pub(super) deltas: &'a [f32],
    /// The number of rows.
    pub(super) count: usize,
    /// Room for as many rows of inputs.
    pub(super) spare: &'a mut [f32],
}

impl Pass<'_> {
    /// Computes all channels of all layers at a tile of points, shape (n, inputs). Returns the rows
    /// of the last layer and their stride.
    pub(super) fn forward<'s>(
        &self,
        scratch: &'s mut Scratch,
        points: &[f32],
    ) -> (&'s mut [f32], usize) {
        let layers = &self.shared.layout.layers;
        let channels = self.channels.count();
        let (inputs, stride) = (layers[0].fan_in, layers[0].backward_columns);
        let count = points.len() / inputs;
        let rows = scratch.inputs.chunks_mut(channels * stride);
        for (rows, point) in rows.zip(points.chunks_exact(inputs)) {
            rows.fill(0.0);
            rows[..inputs].copy_from_slice(point);
            for a in 0..self.channels.tangents {
                rows[(1 + a) * stride + a] = 1.0;
            }
        }
        for index in 0..layers.len() {
            let (before, after) = scratch.outputs.split_at_mut(index);
            let from = match index {
                0 => (&scratch.inputs[..], stride),
                _ => (&before[index - 1][..], layers[index - 1].tile_stride),
            };
            self.layer(index, (count, from), &mut after[0], scratch.hidden.get_mut(index));
        }
        let last = layers.len() - 1;
        let stride = layers[last].tile_stride;
        (&mut scratch.outputs[last][..count * channels * stride], stride)
    }

    /// Computes the outputs of layer `index` for `count` points of its input `from`, which has the
    /// given row stride. The last layer has no activation and no `hidden`.
    fn layer(
        &self,
        index: usize,
        (count, (from, row)): (usize, (&[f32], usize)),
        outputs: &mut [f32],
        mut hidden: Option<&mut Hidden>,
    ) {
        let layer = &self.shared.layout.layers[index];
        let (set, stride) = (self.shared.set, layer.tile_stride);
        let channels = self.channels.count();
        for points in pieces(count, piece_points(self.channels)) {
            let rows = points.start * channels..points.end * channels;
            let range = rows.start * stride..rows.end * stride;
            let outputs = &mut outputs[range.clone()];
            Product {
                rows: rows.len(),
                columns: layer.columns,
                depth: layer.fan_in,
                left: Left { values: &from[rows.start * row..], row_stride: row, col_stride: 1 },
                right: Right::Packed(&self.shared.forward[layer.weights.clone()]),
                update: Update::Set,
                result: &mut *outputs,
                result_stride: stride,
            }
            .run(set);
            set.run(AddBias {
                bias: &self.shared.parameters[layer.biases.clone()],
                rows: &mut *outputs,
                point_stride: channels * stride,
            });
            let Some(Hidden { slopes, second, third }) = hidden.as_deref_mut() else { continue };
            let slopes = &mut slopes[range];
            let second = rows_of(second, &points, stride);
            let width = Width { columns: layer.columns, row_stride: channels * stride };
            let derivatives = Derivatives {
                slopes: &mut *slopes,
                second: &mut *second,
                third: rows_of(third, &points, stride),
                row_stride: stride,
            };
            self.function.jet(set, width, outputs, derivatives);
            set.run(Spread {
                channels: self.channels,
                columns: layer.columns,
                stride,
                outputs: &mut *outputs,
                slopes,
                second,
            });
            drop_tiny(set, Floor::Product, whole_points(channels, stride), outputs);
        }
    }

    /// Adds the gradient of the loss over a tile to `sink`. The rows of the last layer must hold
    /// the derivatives of the loss with respect to the network's outputs in all channels.
    pub(super) fn gradient(&self, scratch: &mut Scratch, count: usize, mut sink: GradSink<'_>) {
        let set = self.shared.set;
        sink.clear_biases(self.shared.layout);
        self.backward(scratch, count, |layer, rows| {
            let Rows { inputs, input_stride, deltas, count, spare } = rows;
            // Only the value channel of each point has a bias.
            let row_stride = self.channels.count() * layer.tile_stride;
            sink.add_biases(set, layer, (deltas, row_stride));
            sink.add_weights(set, layer, (inputs, input_stride), (deltas, count), spare);
        });
    }

    /// Propagates the derivatives of the loss with respect to the network's outputs, which the rows
    /// of the last layer hold, to the first layer, and calls `visit` for every layer on the way.
    pub(super) fn backward(
        &self,
        scratch: &mut Scratch,
        count: usize,
        mut visit: impl FnMut(&LayerLayout, Rows<'_>),
    ) {
        let layout = self.shared.layout;
        let last = layout.layers.len() - 1;
        let channels = self.channels.count();
        let rows = count * channels;
        let mut backward_start = self.shared.backward.len();
        for (index, layer) in layout.layers.iter().enumerate().rev() {
            let (hidden_before, hidden_after) = scratch.hidden.split_at_mut(index.min(last));
            let (before, after) = scratch.outputs.split_at(index);
            // dL/dz of this layer: it has replaced the slopes, except in the last layer.
            let deltas: &[f32] = if index == last { &after[0] } else { &hidden_after[0].slopes };
            let delta = &deltas[..rows * layer.tile_stride];
            let (inputs, input_stride) = match index {
                0 => (&scratch.inputs[..], layer.backward_columns),
                _ => (&before[index - 1][..], layout.layers[index - 1].tile_stride),
            };
            let inputs = &inputs[..rows * input_stride];
            let spare = &mut scratch.moved[0][..];
            visit(layer, Rows { inputs, input_stride, deltas: delta, count: rows, spare });
            backward_start -= layer.fan_out * layer.backward_columns;
            let Some(below) = hidden_before.last_mut() else { break };
            let stride = layout.layers[index - 1].tile_stride;
            for points in pieces(count, piece_points(self.channels)) {
                let rows = points.start * channels..points.end * channels;
                let above = &mut scratch.above[..rows.len() * stride];
                Product {
                    rows: rows.len(),
                    columns: layer.backward_columns,
                    depth: layer.fan_out,
                    left: Left {
                        values: &delta[rows.start * layer.tile_stride..],
                        row_stride: layer.tile_stride,
                        col_stride: 1,
                    },
                    right: Right::Packed(&self.shared.backward[backward_start..]),
                    update: Update::Set,
                    result: &mut *above,
                    result_stride: stride,
                }
                .run(self.shared.set);
                let start = points.start * stride;
                let slopes = &mut below.slopes[rows.start * stride..rows.end * stride];
                self.shared.set.run(Gather {
                    channels: self.channels,
                    columns: layer.backward_columns,
                    stride,
                    above,
                    slopes: &mut *slopes,
                    second: &below.second[start.min(below.second.len())..],
                    third: &below.third[start.min(below.third.len())..],
                    sums: &mut scratch.row,
                });
                drop_tiny(self.shared.set, Floor::Product, whole_points(channels, stride), slopes);
            }
        }
    }
}
