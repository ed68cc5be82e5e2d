//! The forward and backward pass of a tile of points, in the cache of one thread.
//!
//! A tile of a layer's outputs is a row-major matrix (points, fan-out) whose rows start
//! [`LayerLayout::tile_stride`] numbers apart.

use std::ops::Range;

use super::activate::{AddRows, Multiply};
use super::aligned::Aligned;
use super::instruction_set::InstructionSet;
use super::layout::{LayerLayout, Layout, PIECE_ROWS};
use super::product::{COLUMN_STEP, Left, Product, Right, Update};
use super::tiny::{Floor, drop_tiny};
use super::vector_function::{VectorFunction, Width};
use crate::{Batch, EngineError};

/// What every thread reads during a step.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) set: InstructionSet,
    pub(super) layout: &'a Layout,
    pub(super) function: &'a dyn VectorFunction,
    /// The parameters in the inner layout; only the biases are read.
    pub(super) parameters: &'a [f32],
    /// The weights in panels for the forward product.
    pub(super) forward: &'a [f32],
    /// The weights in panels for the backward product.
    pub(super) backward: &'a [f32],
}

/// The tiles of one thread.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The outputs of each layer, (points, fan-out) with the layer's `tile_stride`.
    pub(super) values: Vec<Aligned>,
    /// f' at the preactivations of each layer but the last, with the same shape.
    pub(super) slopes: Vec<Aligned>,
    /// Two buffers for passes that keep only the current layer and the one before it.
    pub(super) ping_pong: [Aligned; 2],
}

impl Scratch {
    pub(super) fn new(layout: &Layout) -> Result<Self, EngineError> {
        let tile = |layer: &LayerLayout| Aligned::zeros(layout.tile_points * layer.tile_stride);
        let widest =
            layout.layers.iter().map(|layer| layer.tile_stride.max(layer.backward_columns));
        let len = layout.tile_points * widest.max().unwrap_or(0);
        let hidden = &layout.layers[..layout.layers.len() - 1];
        Ok(Self {
            values: layout.layers.iter().map(tile).collect::<Result<_, _>>()?,
            slopes: hidden.iter().map(tile).collect::<Result<_, _>>()?,
            ping_pong: [Aligned::zeros(len)?, Aligned::zeros(len)?],
        })
    }
}

/// The input of layer `index`, (points, fan-in), and its row stride: the points themselves or the
/// values of the layer before.
pub(super) fn input<'a>(
    layout: &Layout,
    values: &'a [Aligned],
    points: &'a [f32],
    index: usize,
) -> (&'a [f32], usize) {
    match index {
        0 => (points, layout.layers[0].fan_in),
        _ => (&values[index - 1], layout.layers[index - 1].tile_stride),
    }
}

/// Computes the values of all layers at a tile of points, and f' of every hidden layer. Φ is the
/// last of `scratch.values`.
pub(super) fn forward(shared: &Shared<'_>, scratch: &mut Scratch, points: &[f32]) {
    let layout = shared.layout;
    let rows = points.len() / layout.layers[0].fan_in;
    for index in 0..layout.layers.len() {
        let (before, after) = scratch.values.split_at_mut(index);
        let from = input(layout, before, points, index);
        let slopes = scratch.slopes.get_mut(index).map(|slopes| &mut slopes[..]);
        layer_forward(shared, index, (rows, from), &mut after[0], slopes);
    }
}

/// Computes the values of layer `index` for `rows` rows of its input `from`, which start `row`
/// numbers apart, and f' if `slopes` is given. The last layer has no activation.
fn layer_forward(
    shared: &Shared<'_>,
    index: usize,
    (rows, (from, row)): (usize, (&[f32], usize)),
    values: &mut [f32],
    mut slopes: Option<&mut [f32]>,
) {
    let layers = &shared.layout.layers;
    let layer = &layers[index];
    for rows in pieces(rows, PIECE_ROWS * layer.piece_blocks()) {
        let range = rows.start * layer.tile_stride..rows.end * layer.tile_stride;
        Product {
            rows: rows.len(),
            columns: layer.columns,
            depth: layer.fan_in,
            left: Left { values: &from[rows.start * row..], row_stride: row, col_stride: 1 },
            right: Right::Packed(&shared.forward[layer.weights.clone()]),
            update: Update::Bias(&shared.parameters[layer.biases.clone()]),
            result: &mut values[range.clone()],
            result_stride: layer.tile_stride,
        }
        .run(shared.set);
        if index == layers.len() - 1 {
            continue;
        }
        let width = Width { columns: layer.columns, row_stride: layer.tile_stride };
        let values = &mut values[range.clone()];
        match &mut slopes {
            Some(slopes) => {
                shared.function.value_and_slope(shared.set, width, values, &mut slopes[range]);
            }
            None => shared.function.value(shared.set, width, values),
        }
        drop_tiny(shared.set, Floor::Product, width, values);
    }
}

/// `count` rows or points of a tile in ranges of nearly equal size, each of at most `most`.
pub(super) fn pieces(count: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = count.div_ceil(most);
    (0..parts).map(move |index| index * count / parts..(index + 1) * count / parts)
}

/// Evaluates Φ at a tile of points, shape (n, inputs), and writes it to `out`, shape (n, outputs).
/// Each layer overwrites the values of the layer before the previous one, so that the cache holds
/// little besides the weights.
pub(super) fn evaluate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    out: &mut [f32],
) {
    let layers = &shared.layout.layers;
    let rows = points.len() / layers[0].fan_in;
    let [here, before] = &mut scratch.ping_pong;
    for index in 0..layers.len() {
        std::mem::swap(here, before);
        let from = match index {
            0 => (points, layers[0].fan_in),
            _ => (&before[..], layers[index - 1].tile_stride),
        };
        layer_forward(shared, index, (rows, from), here, None);
    }
    copy_outputs(shared.layout, here, out);
}

/// Copies the last layer's rows of a tile to `out`, shape (n, outputs).
pub(super) fn copy_outputs(layout: &Layout, tile: &[f32], out: &mut [f32]) {
    let layer = &layout.layers[layout.layers.len() - 1];
    let rows = tile.chunks_exact(layer.tile_stride);
    for (out, row) in out.chunks_exact_mut(layer.fan_out).zip(rows) {
        out.copy_from_slice(&row[..layer.fan_out]);
    }
}

/// Evaluates Φ at a tile of points, shape (n, inputs). Writes Φ to `values`, shape (n, outputs),
/// and dΦ_o/dx_d to `derivatives`, shape (n, outputs, inputs).
pub(super) fn differentiate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    values: &mut [f32],
    derivatives: &mut [f32],
) {
    forward(shared, scratch, points);
    let layers = &shared.layout.layers;
    let (first, last) = (&layers[0], &layers[layers.len() - 1]);
    let rows = points.len() / first.fan_in;
    copy_outputs(shared.layout, &scratch.values[layers.len() - 1], values);
    let [delta, below] = &mut scratch.ping_pong;
    for output in 0..last.fan_out {
        for row in delta.chunks_exact_mut(last.tile_stride).take(rows) {
            row.fill(0.0);
            row[output] = 1.0;
        }
        let mut backward_start = shared.backward.len();
        for (index, layer) in layers.iter().enumerate().rev() {
            backward_start -= layer.fan_out * layer.backward_columns;
            let result_stride = match index {
                0 => layer.backward_columns,
                _ => layers[index - 1].tile_stride,
            };
            Product {
                rows,
                columns: layer.backward_columns,
                depth: layer.fan_out,
                left: Left { values: &delta[..], row_stride: layer.tile_stride, col_stride: 1 },
                right: Right::Packed(&shared.backward[backward_start..]),
                update: Update::Set,
                result: &mut below[..],
                result_stride,
            }
            .run(shared.set);
            if index > 0 {
                shared.set.run(Multiply {
                    width: Width { columns: layer.backward_columns, row_stride: result_stride },
                    into: &mut below[..rows * result_stride],
                    by_stride: result_stride,
                    by: &scratch.slopes[index - 1],
                    floor: Floor::Product,
                });
            }
            std::mem::swap(delta, below);
        }
        let by_output = derivatives.chunks_exact_mut(last.fan_out * first.fan_in);
        for (out, row) in by_output.zip(delta.chunks_exact(first.backward_columns)) {
            out[output * first.fan_in..][..first.fan_in].copy_from_slice(&row[..first.fan_in]);
        }
    }
}

/// Where the gradient of a tile is added: a partial gradient in the inner layout.
pub(super) struct GradSink<'a> {
    pub(super) partial: &'a mut [f32],
    /// Whether to overwrite `partial` instead of adding to it, which is cheaper than clearing it
    /// first.
    pub(super) overwrite: bool,
}

impl GradSink<'_> {
    /// Clears the biases of all layers if the sink is overwritten, since
    /// [`GradSink::add_biases`] adds to them.
    pub(super) fn clear_biases(&mut self, layout: &Layout) {
        if self.overwrite {
            layout.layers.iter().for_each(|layer| self.partial[layer.biases.clone()].fill(0.0));
        }
    }

    /// Adds the rows of dL/dz to the gradient of the biases of `layer`. Consecutive rows start
    /// `row_stride` numbers apart.
    pub(super) fn add_biases(
        &mut self,
        set: InstructionSet,
        layer: &LayerLayout,
        (deltas, row_stride): (&[f32], usize),
    ) {
        let width = Width { columns: layer.columns, row_stride };
        let sums = &mut self.partial[layer.biases.clone()];
        set.run(AddRows { width, sums, rows: deltas });
    }

    /// Adds hᵀ dL/dz to the gradient of the weights of `layer`, or overwrites it, where the inputs h
    /// and dL/dz have `rows` rows. `spare` has room for [`NARROW`] rows of inputs.
    pub(super) fn add_weights(
        &mut self,
        set: InstructionSet,
        layer: &LayerLayout,
        (inputs, input_stride): (&[f32], usize),
        (deltas, rows): (&[f32], usize),
        spare: &mut [f32],
    ) {
        if layer.fan_out <= NARROW && input_stride >= layer.backward_columns {
            Product {
                rows: layer.fan_out,
                columns: layer.backward_columns,
                depth: rows,
                left: Left { values: deltas, row_stride: 1, col_stride: layer.tile_stride },
                right: Right::Rows(inputs, input_stride),
                update: Update::Set,
                result: &mut *spare,
                result_stride: layer.backward_columns,
            }
            .run(set);
            self.add_transposed(layer, spare);
            return;
        }
        Product {
            rows: layer.fan_in,
            columns: layer.columns,
            depth: rows,
            left: Left { values: inputs, row_stride: 1, col_stride: input_stride },
            right: Right::Rows(deltas, layer.tile_stride),
            update: if self.overwrite { Update::Set } else { Update::Add },
            result: &mut self.partial[layer.weights.clone()],
            result_stride: layer.columns,
        }
        .run(set);
    }

    /// Adds a matrix (fan-out, backward columns) to the gradient of the weights of `layer`, or
    /// overwrites it.
    fn add_transposed(&mut self, layer: &LayerLayout, transposed: &[f32]) {
        let gradient = &mut self.partial[layer.weights.clone()];
        let rows = transposed.chunks_exact(layer.backward_columns).take(layer.fan_out);
        for (output, row) in rows.enumerate() {
            let column = gradient[output..].iter_mut().step_by(layer.columns);
            for (sum, value) in column.zip(&row[..layer.fan_in]) {
                *sum = if self.overwrite { *value } else { *sum + value };
            }
        }
    }
}

/// The largest fan-out of a layer whose gradient is computed as its transpose, (fan-out, fan-in), which
/// has less padding. Each element has the same sum in the same order.
pub(super) const NARROW: usize = COLUMN_STEP / 2;

/// Adds the gradient of `scale` · Σ w ρ over a tile to `sink` and returns Σ w ρ, where ρ is the
/// loss of the batch.
pub(super) fn backpropagate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    batch: &Batch<'_>,
    scale: f64,
    mut sink: GradSink<'_>,
) -> f64 {
    forward(shared, scratch, batch.points);
    let layout = shared.layout;
    let rows = batch.count;
    let last = layout.layers.len() - 1;
    let loss = replace_by_delta(&layout.layers[last], &mut scratch.values[last], batch, scale);

    sink.clear_biases(layout);
    let stride = layout.layers[last].tile_stride;
    let delta = &scratch.values[last][..rows * stride];
    sink.add_biases(shared.set, &layout.layers[last], (delta, stride));

    // The rows over which biases are summed at a time. The order of these sums does not depend on how
    // many rows are multiplied together.
    let summed: Vec<Range<usize>> = pieces(rows, PIECE_ROWS).collect();
    let mut backward_start = shared.backward.len();
    for (index, layer) in layout.layers.iter().enumerate().rev() {
        let (before, after) = scratch.values.split_at(index);
        let (slopes_before, slopes_after) = scratch.slopes.split_at_mut(index.min(last));
        // dL/dz of this layer: it has replaced the slopes, except in the last layer.
        let delta: &[f32] = if index == last { &after[0] } else { &slopes_after[0] };
        let from = input(layout, before, batch.points, index);
        sink.add_weights(shared.set, layer, from, (delta, rows), &mut scratch.ping_pong[0]);
        backward_start -= layer.fan_out * layer.backward_columns;
        let Some(slopes_below) = slopes_before.last_mut() else {
            break;
        };
        // Eq. (8): dL/dz_{i-1} = (W_i^T dL/dz_i) f'(z_{i-1}).
        let below = &layout.layers[index - 1];
        for summed in summed.chunks(below.piece_blocks()) {
            let rows = summed[0].start..summed[summed.len() - 1].end;
            Product {
                rows: rows.len(),
                columns: layer.backward_columns,
                depth: layer.fan_out,
                left: Left {
                    values: &delta[rows.start * layer.tile_stride..],
                    row_stride: layer.tile_stride,
                    col_stride: 1,
                },
                right: Right::Packed(&shared.backward[backward_start..]),
                update: Update::Multiply,
                result: &mut slopes_below[rows.start * below.tile_stride..],
                result_stride: below.tile_stride,
            }
            .run(shared.set);
            let width = Width { columns: below.columns, row_stride: below.tile_stride };
            let range = rows.start * below.tile_stride..rows.end * below.tile_stride;
            drop_tiny(shared.set, Floor::Product, width, &mut slopes_below[range]);
            for rows in summed {
                let range = rows.start * below.tile_stride..rows.end * below.tile_stride;
                sink.add_biases(shared.set, below, (&slopes_below[range], below.tile_stride));
            }
        }
    }
    loss
}

/// Replaces the values of the last layer by dL/dΦ = `scale` · w · ρ' and returns Σ w ρ.
fn replace_by_delta(layer: &LayerLayout, values: &mut [f32], batch: &Batch<'_>, scale: f64) -> f64 {
    let mut sum = 0.0;
    let rows = values.chunks_exact_mut(layer.tile_stride);
    for (index, (row, target)) in rows.zip(batch.targets.chunks_exact(layer.fan_out)).enumerate() {
        let weight = batch.weight(index);
        for (value, target) in row.iter_mut().zip(target) {
            let (loss, slope) = batch.loss.value_and_slope((*value).into(), (*target).into());
            sum += weight * loss;
            *value = (scale * weight * slope) as f32;
        }
        row[layer.fan_out..].fill(0.0);
    }
    sum
}
