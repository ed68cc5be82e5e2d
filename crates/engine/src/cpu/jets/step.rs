//! The loss of a batch of terms and its gradient, over all threads.

use std::ops::Range;

use rayon::prelude::*;

use super::super::aligned::Aligned;
use super::super::core::Core;
use super::super::tile::GradSink;
use super::{Jets, Pass};
use crate::EngineError;
use crate::channels::Channels;
use crate::terms::{Constraint, PointJet, TermBatch};

/// The passes of each order of derivatives that a batch has needed so far.
#[derive(Default)]
pub(in super::super) struct JetsByOrder {
    orders: [Option<Jets>; 3],
}

impl JetsByOrder {
    /// Prepares the passes that `batch` needs.
    ///
    /// # Errors
    /// Returns the errors of [`Jets::new`].
    pub(in super::super) fn prepare(
        &mut self,
        core: &Core,
        batch: &TermBatch<'_>,
    ) -> Result<(), EngineError> {
        for constraint in batch.constraints() {
            self.of_order(core, constraint.order())?;
        }
        Ok(())
    }

    /// The passes of the derivatives up to `order`.
    ///
    /// # Errors
    /// Returns the errors of [`Jets::new`].
    pub(in super::super) fn of_order(
        &mut self,
        core: &Core,
        order: usize,
    ) -> Result<&Jets, EngineError> {
        let jets = &mut self.orders[order];
        match jets {
            Some(jets) => Ok(jets),
            None => {
                let channels = Channels::of_order(order, core.network.inputs());
                Ok(jets.insert(Jets::new(core, channels, true)?))
            }
        }
    }
}

/// Some consecutive points of one constraint.
struct Tile<'a> {
    constraint: &'a Constraint<'a>,
    jets: &'a Jets,
    /// The terms of the constraint in an array with one entry for each term of the batch.
    terms: Range<usize>,
    points: Range<usize>,
}

/// The tiles of `batch`, in its order.
fn tiles<'a>(jets: &'a JetsByOrder, batch: &'a TermBatch<'_>) -> Vec<Tile<'a>> {
    let mut tiles = Vec::new();
    for (constraint, terms) in batch.constraints().iter().zip(batch.term_ranges()) {
        let Some(jets) = &jets.orders[constraint.order()] else { continue };
        for start in (0..constraint.count).step_by(jets.tile_points) {
            let points = start..constraint.count.min(start + jets.tile_points);
            tiles.push(Tile { constraint, jets, terms: terms.clone(), points });
        }
    }
    tiles
}

/// The number of partial gradients for `batch`. It depends only on the batch and the network, as
/// that of a batch of values does.
pub(in super::super) fn chunk_count(core: &Core, batch: &TermBatch<'_>) -> usize {
    let inputs = core.network.inputs();
    let rows = batch.constraints().iter().map(|constraint| {
        constraint.count * Channels::of_order(constraint.order(), inputs).count()
    });
    core.layout.chunk_count(rows.sum())
}

/// Computes the sums Σ w ρ_t of the terms of `batch` and the gradient of its loss as `partials`,
/// whose number is [`chunk_count`].
pub(in super::super) fn sums_and_partials(
    core: &Core,
    jets: &JetsByOrder,
    batch: &TermBatch<'_>,
    partials: &mut [Aligned],
) -> Vec<f64> {
    let tiles = tiles(jets, batch);
    let (shared, chunks, terms) = (core.shared(), partials.len(), batch.term_count());
    let sums: Vec<Vec<f64>> = core.workers.install(|| {
        let partials = partials.par_iter_mut().enumerate().with_max_len(1);
        partials
            .map(|(chunk, partial)| {
                let range = chunk * tiles.len() / chunks..(chunk + 1) * tiles.len() / chunks;
                if range.is_empty() {
                    partial.fill(0.0);
                }
                let mut sums = vec![0.0; terms];
                for (index, tile) in tiles[range].iter().enumerate() {
                    let sink = GradSink { partial: &mut *partial, overwrite: index == 0 };
                    let pass = tile.jets.pass(shared);
                    tile.run(pass, sink, &mut sums[tile.terms.clone()]);
                }
                sums
            })
            .collect()
    });
    let mut total = vec![0.0; terms];
    for sums in sums {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    total
}

impl Tile<'_> {
    /// Adds the gradient of the loss over the tile to `sink` and Σ w ρ_t to `sums`.
    fn run(&self, pass: Pass<'_>, sink: GradSink<'_>, sums: &mut [f64]) {
        let mut scratch = self.jets.own_scratch();
        let (inputs, outputs) = (self.constraint.inputs, self.constraint.outputs);
        let points = &self.constraint.points[self.points.start * inputs..self.points.end * inputs];
        let (rows, stride) = pass.forward(&mut scratch, points);
        let tangents = pass.channels.tangents;
        let has_laplacian = !pass.channels.seconds.is_empty();
        let mut jet = PointJet::zeros(tangents, outputs);
        let mut adjoint = jet.clone();
        let each = rows.chunks_mut(pass.channels.count() * stride);
        for (index, rows) in self.points.clone().zip(each) {
            jet.read(rows, stride, has_laplacian);
            adjoint.clear();
            adjoint.add_terms(self.constraint, index, &jet, sums);
            adjoint.write(rows, stride, has_laplacian);
        }
        pass.gradient(&mut scratch, self.points.len(), sink);
    }
}
