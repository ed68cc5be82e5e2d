//! Directional derivatives with respect to the parameters: one forward pass of a tile, and one more
//! for each direction.

use rayon::prelude::*;

use super::activate::Multiply;
use super::aligned::Aligned;
use super::core::Core;
use super::layout::Layout;
use super::product::{Left, Product, Right, Update};
use super::tile::{Scratch, Shared, copy_outputs, forward, input};
use super::tiny::Floor;
use super::vector_function::Width;
use crate::EngineError;
use crate::error::try_zeros;

/// J·d at `points` for each direction: see [`Curvature::tangents`](crate::Curvature::tangents),
/// which checks the lengths.
pub(super) fn tangents(
    core: &Core,
    points: &[f32],
    directions: &[&[f32]],
) -> Result<Vec<Vec<f32>>, EngineError> {
    let layout = &core.layout;
    let (inputs, outputs) = (core.network.inputs(), core.network.outputs());
    let count = points.len() / inputs;
    let directions: Vec<Aligned> = directions
        .iter()
        .map(|direction| scattered(layout, direction))
        .collect::<Result<_, _>>()?;
    let each = directions.len() * outputs;
    let mut together: Vec<f32> = try_zeros(count * each)?;
    let mut tangents: Vec<Vec<f32>> =
        directions.iter().map(|_| try_zeros(count * outputs)).collect::<Result<_, _>>()?;
    let shared = core.shared();
    let tile_points = layout.tile_points;
    core.workers.install(|| {
        together
            .par_chunks_mut((tile_points * each).max(1))
            .zip(points.par_chunks(tile_points * inputs))
            .for_each(|(out, points)| {
                let mut scratch = core.own_scratch();
                forward(&shared, &mut scratch, points);
                let rows = points.len() / inputs;
                for (direction, out) in directions.iter().zip(out.chunks_mut(rows * outputs)) {
                    along(&shared, &mut scratch, points, direction, out);
                }
            });
    });
    // Within a tile, the results of the directions are consecutive.
    for (index, tile) in together.chunks((tile_points * each).max(1)).enumerate() {
        let (first, len) = (index * tile_points * outputs, tile.len() / directions.len());
        for (tangent, part) in tangents.iter_mut().zip(tile.chunks(len)) {
            tangent[first..first + len].copy_from_slice(part);
        }
    }
    Ok(tangents)
}

/// `direction` in the inner layout.
pub(super) fn scattered(layout: &Layout, direction: &[f32]) -> Result<Aligned, EngineError> {
    let mut inner = Aligned::zeros(layout.len)?;
    layout.scatter(direction, &mut inner);
    Ok(inner)
}

/// Propagates ż = Ẇh + ḃ + Wḣ and ḣ = f'(z) ż through all layers, with h and f' from [`forward`],
/// and writes ż of the last layer to `out`, shape (n, outputs).
fn along(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    direction: &[f32],
    out: &mut [f32],
) {
    let layout = shared.layout;
    let rows = points.len() / layout.layers[0].fan_in;
    let [moved, next] = &mut scratch.ping_pong;
    for (index, layer) in layout.layers.iter().enumerate() {
        let (from, row) = input(layout, &scratch.values, points, index);
        Product {
            rows,
            columns: layer.columns,
            depth: layer.fan_in,
            left: Left { values: from, row_stride: row, col_stride: 1 },
            right: Right::Rows(&direction[layer.weights.clone()], layer.columns),
            update: Update::Bias(&direction[layer.biases.clone()]),
            result: &mut next[..],
            result_stride: layer.tile_stride,
        }
        .run(shared.set);
        if index > 0 {
            Product {
                rows,
                columns: layer.columns,
                depth: layer.fan_in,
                left: Left {
                    values: moved,
                    row_stride: layout.layers[index - 1].tile_stride,
                    col_stride: 1,
                },
                right: Right::Packed(&shared.forward[layer.weights.clone()]),
                update: Update::Add,
                result: &mut next[..],
                result_stride: layer.tile_stride,
            }
            .run(shared.set);
        }
        if let Some(slopes) = scratch.slopes.get(index) {
            shared.set.run(Multiply {
                width: Width { columns: layer.columns, row_stride: layer.tile_stride },
                into: &mut next[..rows * layer.tile_stride],
                by_stride: layer.tile_stride,
                by: slopes,
                floor: Floor::Product,
            });
        }
        std::mem::swap(moved, next);
    }
    copy_outputs(layout, moved, out);
}
