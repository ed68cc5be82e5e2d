//! A tile of points through all layers, forward and back, in a thread's own cache.

use std::ops::Range;

use super::activate::{AddRows, Multiply, VectorFunction, Width};
use super::aligned::Aligned;
use super::instruction_set::InstructionSet;
use super::layout::{LayerPlace, Layout};
use super::product::{Left, Product, Right, Start};
use crate::{Batch, EngineError};

/// What every thread reads during a step.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) set: InstructionSet,
    pub(super) layout: &'a Layout,
    pub(super) function: &'a dyn VectorFunction,
    /// Parameters in the inner layout, for the biases.
    pub(super) parameters: &'a [f32],
    /// Weights in panels for the forward product.
    pub(super) forward: &'a [f32],
    /// Weights in panels for the backward product.
    pub(super) backward: &'a [f32],
}

/// One thread's tiles: for each layer its outputs and, but for the last, their slopes.
#[derive(Debug)]
pub(super) struct Scratch {
    values: Vec<Aligned>,
    slopes: Vec<Aligned>,
    /// A piece of W^T·dL/dz before it is multiplied by the slopes.
    pulled_back: Aligned,
}

impl Scratch {
    pub(super) fn new(layout: &Layout) -> Result<Self, EngineError> {
        let tile = |layer: &LayerPlace| Aligned::zeros(layout.tile_points * layer.tile_row);
        let hidden = &layout.layers[..layout.layers.len() - 1];
        let widest = hidden.iter().map(|layer| layer.tile_row).max().unwrap_or(0);
        Ok(Self {
            values: layout.layers.iter().map(tile).collect::<Result<_, _>>()?,
            slopes: hidden.iter().map(tile).collect::<Result<_, _>>()?,
            pulled_back: Aligned::zeros(PIECE_ROWS * widest)?,
        })
    }
}

/// The input of layer `index`: the points themselves or the values of the layer before.
fn input<'a>(
    layout: &Layout,
    values: &'a [Aligned],
    points: &'a [f32],
    index: usize,
) -> (&'a [f32], usize) {
    match index {
        0 => (points, layout.layers[0].fan_in),
        _ => (&values[index - 1], layout.layers[index - 1].tile_row),
    }
}

/// Φ at a tile of points, left in the scratch's last values; with `slopes`, f' of every layer too.
fn forward(shared: &Shared<'_>, scratch: &mut Scratch, points: &[f32], slopes: bool) {
    let layout = shared.layout;
    let rows = points.len() / layout.layers[0].fan_in;
    let last = layout.layers.len() - 1;
    for (index, layer) in layout.layers.iter().enumerate() {
        let (before, after) = scratch.values.split_at_mut(index);
        let values = &mut after[0][..];
        let (from, row) = input(layout, before, points, index);
        for piece in pieces(shared, rows, layer.columns) {
            let place = piece.place(layer.tile_row);
            Product {
                rows: piece.rows.len(),
                columns: piece.columns.len(),
                depth: layer.fan_in,
                left: Left { values: &from[piece.rows.start * row..], row, depth: 1 },
                right: Right::Packed(
                    &shared.forward[layer.weights.clone()][piece.columns.start * layer.fan_in..],
                ),
                start: Start::Bias(&shared.parameters[layer.biases.clone()][piece.columns.clone()]),
                result: &mut values[place.clone()],
                result_row: layer.tile_row,
            }
            .run(shared.set);
            if index == last {
                continue;
            }
            let width = Width { columns: piece.columns.len(), row: layer.tile_row };
            let values = &mut values[place.clone()];
            if slopes {
                let slopes = &mut scratch.slopes[index][place];
                shared.function.value_and_slope(shared.set, width, values, slopes);
            } else {
                shared.function.value(shared.set, width, values);
            }
        }
    }
}

/// Rows that are finished, activation included, before the next are begun.
const PIECE_ROWS: usize = 16;

/// A part of a layer's outputs that is finished before the next is begun.
struct Piece {
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Piece {
    /// From its first number to the end of its last row in a tile with this distance between rows.
    fn place(&self, tile_row: usize) -> Range<usize> {
        self.rows.start * tile_row + self.columns.start..self.rows.end * tile_row
    }
}

/// A tile of outputs in pieces that fit the first-level cache: one panel of weights after the
/// other, and for each a few rows at a time.
fn pieces(shared: &Shared<'_>, rows: usize, columns: usize) -> impl Iterator<Item = Piece> {
    let panel = shared.set.panel_columns();
    (0..columns).step_by(panel).flat_map(move |column| {
        let columns = column..columns.min(column + panel);
        (0..rows).step_by(PIECE_ROWS).map(move |row| Piece {
            rows: row..rows.min(row + PIECE_ROWS),
            columns: columns.clone(),
        })
    })
}

/// Φ at a tile of points, shape (n, inputs), written to `out`, shape (n, outputs).
pub(super) fn evaluate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    out: &mut [f32],
) {
    forward(shared, scratch, points, false);
    let last = shared.layout.layers.len() - 1;
    let layer = &shared.layout.layers[last];
    let rows = scratch.values[last].chunks_exact(layer.tile_row);
    for (out, row) in out.chunks_exact_mut(layer.fan_out).zip(rows) {
        out.copy_from_slice(&row[..layer.fan_out]);
    }
}

/// Adds the gradient of `scale` · Σ w ρ over a tile to `partial` (inner layout) and returns Σ w ρ,
/// with ρ the batch's loss.
pub(super) fn backpropagate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    batch: &Batch<'_>,
    scale: f64,
    partial: &mut [f32],
) -> f64 {
    forward(shared, scratch, batch.points, true);
    let layout = shared.layout;
    let rows = batch.count;
    let last = layout.layers.len() - 1;
    let loss = replace_by_delta(&layout.layers[last], &mut scratch.values[last], batch, scale);

    let mut backward_start = shared.backward.len();
    for (index, layer) in layout.layers.iter().enumerate().rev() {
        let (before, after) = scratch.values.split_at(index);
        let (slopes_before, slopes_after) = scratch.slopes.split_at_mut(index.min(last));
        // dL/dz of this layer: where the slopes were, but for the last layer.
        let delta: &[f32] = if index == last { &after[0] } else { &slopes_after[0] };
        let (from, row) = input(layout, before, batch.points, index);
        Product {
            rows: layer.fan_in,
            columns: layer.columns,
            depth: rows,
            left: Left { values: from, row: 1, depth: row },
            right: Right::Rows(delta, layer.tile_row),
            start: Start::Sum,
            result: &mut partial[layer.weights.clone()],
            result_row: layer.columns,
        }
        .run(shared.set);
        shared.set.run(AddRows {
            sums: &mut partial[layer.biases.clone()],
            rows: &delta[..rows * layer.tile_row],
            width: Width { columns: layer.columns, row: layer.tile_row },
        });
        backward_start -= layer.fan_out * layer.backward_columns;
        let Some(slopes_below) = slopes_before.last_mut() else {
            break;
        };
        // Eq. (8): dL/dz_{i-1} = (W_i^T dL/dz_i) f'(z_{i-1}).
        let below = &layout.layers[index - 1];
        for piece in pieces(shared, rows, layer.backward_columns) {
            let place = piece.place(below.tile_row);
            let width = Width { columns: piece.columns.len(), row: piece.columns.len() };
            let pulled_back = &mut scratch.pulled_back[..piece.rows.len() * width.row];
            Product {
                rows: piece.rows.len(),
                columns: piece.columns.len(),
                depth: layer.fan_out,
                left: Left {
                    values: &delta[piece.rows.start * layer.tile_row..],
                    row: layer.tile_row,
                    depth: 1,
                },
                right: Right::Packed(
                    &shared.backward[backward_start + piece.columns.start * layer.fan_out..],
                ),
                start: Start::Zero,
                result: &mut *pulled_back,
                result_row: width.row,
            }
            .run(shared.set);
            shared.set.run(Multiply {
                width: Width { row: below.tile_row, ..width },
                into: &mut slopes_below[place],
                by_row: width.row,
                by: pulled_back,
            });
        }
    }
    loss
}

/// Replaces the values of the last layer by dL/dΦ = `scale` · w · ρ'; returns Σ w ρ.
fn replace_by_delta(layer: &LayerPlace, values: &mut [f32], batch: &Batch<'_>, scale: f64) -> f64 {
    let mut sum = 0.0;
    let rows = values.chunks_exact_mut(layer.tile_row);
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
