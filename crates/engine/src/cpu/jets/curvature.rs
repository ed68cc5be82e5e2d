//! Curvature factors and directional derivatives of residuals that contain derivatives with respect
//! to the coordinates: see [`Curvature`](crate::Curvature), whose caller checks the lengths.

use std::ops::Range;

use rayon::prelude::*;

use super::super::activate::AddRows;
use super::super::aligned::Aligned;
use super::super::core::Core;
use super::super::curvature::{LayerSums, add_squares, take_mean, zeros};
use super::super::layout::chunk_of_tiles;
use super::super::product::{Left, Product, Right, Update};
use super::super::tangent::scattered;
use super::super::tiny::{Floor, drop_tiny};
use super::super::vector_function::Width;
use super::elementwise::{AddBias, Turn};
use super::pass::{Rows, whole_points};
use super::scratch::Scratch;
use super::{Jets, Pass};
use crate::error::try_zeros;
use crate::{EngineError, LayerCurvature, Residuals};

impl Jets {
    /// The factors of every layer at `points`, with `signs` for the residuals.
    pub(in super::super) fn factors(
        &self,
        core: &Core,
        points: &[f32],
        (residuals, signs): (Residuals, &[f32]),
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        let layout = &core.layout;
        let (inputs, outputs) = (core.network.inputs(), core.network.outputs());
        let each = residuals.count(inputs, outputs);
        let count = points.len() / inputs;
        let chunks = layout.factor_chunk_count(count);
        let mut means: Vec<LayerCurvature> =
            layout.layers.iter().map(zeros).collect::<Result<_, _>>()?;
        let mut sums: Vec<Vec<LayerSums>> = (0..chunks)
            .map(|_| layout.layers.iter().map(LayerSums::new).collect())
            .collect::<Result<_, _>>()?;
        let pass = self.pass(core.shared());
        let tile = self.tile_points;
        core.workers.install(|| {
            sums.par_iter_mut().enumerate().with_max_len(1).for_each(|(chunk, sums)| {
                let Range { start, end } = chunk_of_tiles(tile, chunk, chunks, count);
                let mut scratch = self.own_scratch();
                let points = points[start * inputs..end * inputs].chunks(tile * inputs);
                let signs = signs[start * each..end * each].chunks(tile * each);
                for (points, signs) in points.zip(signs) {
                    pass.add_factors(&mut scratch, points, (residuals, signs), sums);
                }
            });
            means.par_iter_mut().zip(&layout.layers).enumerate().for_each(
                |(index, (mean, layer))| {
                    take_mean(mean, layer, count, sums.iter().map(|sums| &sums[index]));
                },
            );
        });
        Ok(means)
    }

    /// J·d at `points` for each of `directions`.
    pub(in super::super) fn tangents(
        &self,
        core: &Core,
        points: &[f32],
        (residuals, directions): (Residuals, &[&[f32]]),
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let (inputs, outputs) = (core.network.inputs(), core.network.outputs());
        let (count, each) = (points.len() / inputs, residuals.count(inputs, outputs));
        let directions: Vec<Aligned> = directions
            .iter()
            .map(|direction| scattered(&core.layout, direction))
            .collect::<Result<_, _>>()?;
        let mut tangents: Vec<Vec<f32>> =
            directions.iter().map(|_| try_zeros(count * each)).collect::<Result<_, _>>()?;
        let (pass, tile) = (self.pass(core.shared()), self.tile_points);
        for (direction, tangent) in directions.iter().zip(&mut tangents) {
            core.workers.install(|| {
                tangent.par_chunks_mut(tile * each).zip(points.par_chunks(tile * inputs)).for_each(
                    |(out, points)| {
                        let mut scratch = self.own_scratch();
                        pass.along(&mut scratch, points, direction, (residuals, out));
                    },
                );
            });
        }
        Ok(tangents)
    }
}

impl Pass<'_> {
    /// Adds one tile of points to the sums of a chunk.
    fn add_factors(
        &self,
        scratch: &mut Scratch,
        points: &[f32],
        (residuals, signs): (Residuals, &[f32]),
        sums: &mut [LayerSums],
    ) {
        let layers = &self.shared.layout.layers;
        let (inputs, outputs) = (layers[0].fan_in, layers[layers.len() - 1].fan_out);
        let channels = self.channels.count();
        let (rows, stride) = self.forward(scratch, points);
        let signs = signs.chunks_exact(residuals.count(inputs, outputs));
        for (rows, signs) in rows.chunks_mut(channels * stride).zip(signs) {
            rows.fill(0.0);
            let kinds = residuals.channels(inputs).zip(signs.chunks_exact(outputs));
            for ((channel, factor), signs) in kinds {
                for (delta, sign) in rows[channel * stride..].iter_mut().zip(signs) {
                    *delta = factor as f32 * sign;
                }
            }
        }
        let mut sums = sums.iter_mut().rev();
        self.backward(scratch, points.len() / inputs, |layer, rows| {
            let Rows { inputs, input_stride, deltas, count, .. } = rows;
            let Some(into) = sums.next() else { return };
            let from = (inputs, input_stride);
            add_squares(&self.shared, from, count, layer.fan_in, &mut into.inputs);
            let row_stride = channels * input_stride;
            let width = Width { columns: layer.backward_columns, row_stride };
            self.shared.set.run(AddRows { width, sums: &mut into.ones, rows: inputs });
            let from = (deltas, layer.tile_stride);
            add_squares(&self.shared, from, count, layer.fan_out, &mut into.slopes);
        });
    }

    /// Propagates the derivatives ż = Ẇh + ḃ + Wḣ of all channels through all layers and writes
    /// those of the residuals to `out`, shape (n, residuals).
    fn along(
        &self,
        scratch: &mut Scratch,
        points: &[f32],
        direction: &[f32],
        (residuals, out): (Residuals, &mut [f32]),
    ) {
        self.forward(scratch, points);
        let (set, layers) = (self.shared.set, &self.shared.layout.layers);
        let channels = self.channels.count();
        let coordinates = layers[0].fan_in;
        let rows = points.len() / coordinates * channels;
        let Scratch { inputs, outputs, hidden, moved: [moved, next], .. } = scratch;
        for (index, layer) in layers.iter().enumerate() {
            let stride = layer.tile_stride;
            let (from, row_stride) = match index {
                0 => (&inputs[..], layer.backward_columns),
                _ => (&outputs[index - 1][..], layers[index - 1].tile_stride),
            };
            Product {
                rows,
                columns: layer.columns,
                depth: layer.fan_in,
                left: Left { values: from, row_stride, col_stride: 1 },
                right: Right::Rows(&direction[layer.weights.clone()], layer.columns),
                update: Update::Set,
                result: &mut next[..],
                result_stride: stride,
            }
            .run(set);
            set.run(AddBias {
                bias: &direction[layer.biases.clone()],
                rows: &mut next[..rows * stride],
                point_stride: channels * stride,
            });
            if index > 0 {
                Product {
                    rows,
                    columns: layer.columns,
                    depth: layer.fan_in,
                    left: Left { values: moved, row_stride, col_stride: 1 },
                    right: Right::Packed(&self.shared.forward[layer.weights.clone()]),
                    update: Update::Add,
                    result: &mut next[..],
                    result_stride: stride,
                }
                .run(set);
            }
            if let Some(hidden) = hidden.get(index) {
                let moved = &mut next[..rows * stride];
                set.run(Turn {
                    channels: self.channels,
                    columns: layer.columns,
                    stride,
                    moved: &mut *moved,
                    slopes: &hidden.slopes,
                    second: &hidden.second,
                    third: &hidden.third,
                });
                drop_tiny(set, Floor::Product, whole_points(channels, stride), moved);
            }
            std::mem::swap(moved, next);
        }
        let last = &layers[layers.len() - 1];
        let each = residuals.count(coordinates, last.fan_out);
        let points = moved.chunks(channels * last.tile_stride);
        for (out, rows) in out.chunks_exact_mut(each).zip(points) {
            let kinds = residuals.channels(coordinates).zip(out.chunks_exact_mut(last.fan_out));
            for ((channel, factor), out) in kinds {
                for (out, value) in out.iter_mut().zip(&rows[channel * last.tile_stride..]) {
                    *out = factor as f32 * value;
                }
            }
        }
    }
}
