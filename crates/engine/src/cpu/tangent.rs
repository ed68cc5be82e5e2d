//! Directional derivatives by the parameters: a tile forward once, then once more for each direction.

use rayon::prelude::*;

use super::activate::{Multiply, Width};
use super::aligned::Aligned;
use super::layout::Layout;
use super::product::{Left, Product, Right, Update};
use super::tile::{Scratch, Shared, copy_outputs, forward, input};
use super::{CpuEngine, own_scratch, shared};
use crate::EngineError;

impl CpuEngine {
    /// J·d at `points` for each direction: see [`crate::Engine::tangents`], which checks the lengths.
    pub(super) fn tangents_of(
        &self,
        points: &[f32],
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let layout = &self.layout;
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let count = points.len() / inputs;
        let directions: Vec<Aligned> = directions
            .iter()
            .map(|direction| scattered(layout, direction))
            .collect::<Result<_, _>>()?;
        let each = directions.len() * outputs;
        let mut together = vec![0.0; count * each];
        let shared = shared!(self);
        let scratch = &self.scratch;
        let tile_points = layout.tile_points;
        self.pool.install(|| {
            together
                .par_chunks_mut((tile_points * each).max(1))
                .zip(points.par_chunks(tile_points * inputs))
                .for_each(|(out, points)| {
                    let mut scratch = own_scratch(scratch);
                    forward(&shared, &mut scratch, points);
                    let rows = points.len() / inputs;
                    for (direction, out) in directions.iter().zip(out.chunks_mut(rows * outputs)) {
                        along(&shared, &mut scratch, points, direction, out);
                    }
                });
        });
        // Within a tile the directions lie one after the other.
        let mut tangents = vec![Vec::with_capacity(count * outputs); directions.len()];
        for tile in together.chunks((tile_points * each).max(1)) {
            let rows = tile.len() / each;
            for (tangent, part) in tangents.iter_mut().zip(tile.chunks(rows * outputs)) {
                tangent.extend_from_slice(part);
            }
        }
        Ok(tangents)
    }
}

fn scattered(layout: &Layout, direction: &[f32]) -> Result<Aligned, EngineError> {
    let mut inner = Aligned::zeros(layout.len)?;
    layout.scatter(direction, &mut inner);
    Ok(inner)
}

/// ż = Ẇh + ḃ + Wḣ and ḣ = f'(z) ż through all layers, where `forward` has left h and f'.
fn along(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    direction: &[f32],
    out: &mut [f32],
) {
    let layout = shared.layout;
    let rows = points.len() / layout.layers[0].fan_in;
    let [moved, next] = &mut scratch.one_layer;
    for (index, layer) in layout.layers.iter().enumerate() {
        let (from, row) = input(layout, &scratch.values, points, index);
        Product {
            rows,
            columns: layer.columns,
            depth: layer.fan_in,
            left: Left { values: from, row, depth: 1 },
            right: Right::Rows(&direction[layer.weights.clone()], layer.columns),
            update: Update::Bias(&direction[layer.biases.clone()]),
            result: &mut next[..],
            result_row: layer.tile_row,
        }
        .run(shared.set);
        if index > 0 {
            Product {
                rows,
                columns: layer.columns,
                depth: layer.fan_in,
                left: Left { values: moved, row: layout.layers[index - 1].tile_row, depth: 1 },
                right: Right::Packed(&shared.forward[layer.weights.clone()]),
                update: Update::Add,
                result: &mut next[..],
                result_row: layer.tile_row,
            }
            .run(shared.set);
        }
        if let Some(slopes) = scratch.slopes.get(index) {
            shared.set.run(Multiply {
                width: Width { columns: layer.columns, row: layer.tile_row },
                into: &mut next[..rows * layer.tile_row],
                by_row: layer.tile_row,
                by: slopes,
            });
        }
        std::mem::swap(moved, next);
    }
    copy_outputs(layout, moved, out);
}
