//! Second moments of the inputs of each layer and of the signs propagated back to it, tile by tile.
//!
//! As for gradients, the points are divided into chunks, whose number depends only on the number of
//! points and the network, and the sums of the chunks are added in order.

use rayon::prelude::*;

use super::activate::AddRows;
use super::aligned::Aligned;
use super::core::Core;
use super::layout::{LayerLayout, Layout};
use super::product::{COLUMN_STEP, Left, Product, Right, Update};
use super::tile::{Scratch, Shared, forward, input};
use super::tiny::{Floor, drop_tiny};
use super::vector_function::Width;
use crate::error::try_zeros;
use crate::{EngineError, LayerCurvature};

/// The sums of one layer over a chunk of points.
pub(super) struct LayerSums {
    /// Σ hhᵀ, (fan-in, backward columns).
    pub(super) inputs: Aligned,
    /// Σ h, (backward columns).
    pub(super) ones: Aligned,
    /// Σ ssᵀ, (fan-out, columns).
    pub(super) slopes: Aligned,
}

impl LayerSums {
    pub(super) fn new(layer: &LayerLayout) -> Result<Self, EngineError> {
        Ok(Self {
            inputs: Aligned::zeros(layer.fan_in * layer.backward_columns)?,
            ones: Aligned::zeros(layer.backward_columns)?,
            slopes: Aligned::zeros(layer.fan_out * layer.columns)?,
        })
    }
}

/// The sums of all layers over a chunk of points.
struct Sums {
    layers: Vec<LayerSums>,
    /// The coordinates of a tile, (points, backward columns), padded to whole vectors.
    points: Aligned,
}

impl Sums {
    fn new(layout: &Layout) -> Result<Self, EngineError> {
        Ok(Self {
            layers: layout.layers.iter().map(LayerSums::new).collect::<Result<_, _>>()?,
            points: Aligned::zeros(layout.tile_points * layout.layers[0].backward_columns)?,
        })
    }
}

/// The factors of every layer: see [`Curvature::factors`](crate::Curvature::factors), which checks
/// the lengths.
pub(super) fn factors(
    core: &Core,
    points: &[f32],
    signs: &[f32],
) -> Result<Vec<LayerCurvature>, EngineError> {
    let layout = &core.layout;
    let (inputs, outputs) = (core.network.inputs(), core.network.outputs());
    let count = points.len() / inputs;
    let chunks = layout.factor_chunk_count(count);
    let mut means: Vec<LayerCurvature> =
        layout.layers.iter().map(zeros).collect::<Result<_, _>>()?;
    let mut sums: Vec<Sums> = (0..chunks).map(|_| Sums::new(layout)).collect::<Result<_, _>>()?;
    let shared = core.shared();
    core.workers.install(|| {
        sums.par_iter_mut().enumerate().with_max_len(1).for_each(|(chunk, sums)| {
            let range = layout.chunk_points(chunk, chunks, count);
            let mut scratch = core.own_scratch();
            let points = points[range.start * inputs..range.end * inputs]
                .chunks(layout.tile_points * inputs);
            let signs = signs[range.start * outputs..range.end * outputs]
                .chunks(layout.tile_points * outputs);
            for (points, signs) in points.zip(signs) {
                add_tile(&shared, &mut scratch, points, signs, sums);
            }
        });
        means.par_iter_mut().zip(&layout.layers).enumerate().for_each(|(index, (mean, layer))| {
            take_mean(mean, layer, count, sums.iter().map(|sums| &sums.layers[index]));
        });
    });
    Ok(means)
}

/// Adds one tile of points to the sums of a chunk.
fn add_tile(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    signs: &[f32],
    sums: &mut Sums,
) {
    forward(shared, scratch, points);
    let layout = shared.layout;
    let last = layout.layers.len() - 1;
    let (inputs, outputs) = (layout.layers[0].fan_in, layout.layers[last].fan_out);
    let rows = points.len() / inputs;
    let padded = layout.layers[0].backward_columns;
    for (row, point) in sums.points.chunks_exact_mut(padded).zip(points.chunks_exact(inputs)) {
        row[..inputs].copy_from_slice(point);
    }
    let delta = scratch.values[last].chunks_exact_mut(layout.layers[last].tile_stride);
    for (row, signs) in delta.zip(signs.chunks_exact(outputs)) {
        row[..outputs].copy_from_slice(signs);
        row[outputs..].fill(0.0);
    }
    let mut backward_start = shared.backward.len();
    for (index, layer) in layout.layers.iter().enumerate().rev() {
        let (before, after) = scratch.values.split_at(index);
        let (slopes_before, slopes_after) = scratch.slopes.split_at_mut(index.min(last));
        let delta: &[f32] = if index == last { &after[0] } else { &slopes_after[0] };
        let (from, row) = match index {
            0 => (&sums.points[..], padded),
            _ => input(layout, before, points, index),
        };
        let into = &mut sums.layers[index];
        add_squares(shared, (from, row), rows, layer.fan_in, &mut into.inputs);
        let width = Width { columns: layer.backward_columns, row_stride: row };
        shared.set.run(AddRows { width, sums: &mut into.ones, rows: &from[..rows * row] });
        add_squares(shared, (delta, layer.tile_stride), rows, layer.fan_out, &mut into.slopes);
        backward_start -= layer.fan_out * layer.backward_columns;
        let Some(slopes_below) = slopes_before.last_mut() else {
            break;
        };
        let below = &layout.layers[index - 1];
        Product {
            rows,
            columns: layer.backward_columns,
            depth: layer.fan_out,
            left: Left { values: delta, row_stride: layer.tile_stride, col_stride: 1 },
            right: Right::Packed(&shared.backward[backward_start..]),
            update: Update::Multiply,
            result: &mut slopes_below[..],
            result_stride: below.tile_stride,
        }
        .run(shared.set);
        let width = Width { columns: below.columns, row_stride: below.tile_stride };
        drop_tiny(shared.set, Floor::Product, width, &mut slopes_below[..rows * below.tile_stride]);
    }
}

/// sums ← sums + MᵀM, where M is the first `columns` columns of `matrix`, which has `rows` rows and
/// the row stride `row`.
pub(super) fn add_squares(
    shared: &Shared<'_>,
    (matrix, row): (&[f32], usize),
    rows: usize,
    columns: usize,
    sums: &mut [f32],
) {
    let padded = columns.next_multiple_of(COLUMN_STEP);
    Product {
        rows: columns,
        columns: padded,
        depth: rows,
        left: Left { values: matrix, row_stride: 1, col_stride: row },
        right: Right::Rows(matrix, row),
        update: Update::Add,
        result: sums,
        result_stride: padded,
    }
    .run(shared.set);
}

/// The factors of a layer, initialized to 0.
pub(super) fn zeros(layer: &LayerLayout) -> Result<LayerCurvature, EngineError> {
    Ok(LayerCurvature {
        inputs: try_zeros((layer.fan_in + 1).pow(2))?,
        slopes: try_zeros(layer.fan_out.pow(2))?,
    })
}

/// Adds the sums of the chunks to `mean`, in order and in double precision, and divides by the
/// number of points.
pub(super) fn take_mean<'a>(
    mean: &mut LayerCurvature,
    layer: &LayerLayout,
    count: usize,
    sums: impl Iterator<Item = &'a LayerSums>,
) {
    let LayerCurvature { inputs, slopes } = mean;
    let (fan_in, fan_out) = (layer.fan_in, layer.fan_out);
    let side = fan_in + 1;
    for sums in sums {
        for (k, row) in inputs.chunks_exact_mut(side).take(fan_in).enumerate() {
            add(&mut row[..fan_in], &sums.inputs[k * layer.backward_columns..]);
            row[fan_in] += f64::from(sums.ones[k]);
        }
        for (j, row) in slopes.chunks_exact_mut(fan_out).enumerate() {
            add(row, &sums.slopes[j * layer.columns..]);
        }
    }
    for k in 0..fan_in {
        inputs[fan_in * side + k] = inputs[k * side + fan_in];
    }
    inputs[side * side - 1] = count as f64;
    let scale = 1.0 / count as f64;
    inputs.iter_mut().chain(slopes).for_each(|value| *value *= scale);
}

fn add(sums: &mut [f64], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}
