//! The training points of one piece.

use super::grid::Piece;
use crate::points::{Indices, PointBatch, Region, Sampled, combinations};
use crate::signal::Signal;

/// Some samples of a signal with their coordinates in the network of a piece.
pub(super) struct PiecePoints {
    inputs: usize,
    outputs: usize,
    points: Vec<f32>,
    targets: Vec<f32>,
}

impl PiecePoints {
    /// The samples on which `piece` is trained, with coordinates multiplied by `scale`.
    pub(super) fn trained(signal: &dyn Signal, piece: &Piece, scale: f64) -> Self {
        Self::of(signal, piece, &piece.trained, scale)
    }

    /// The samples that belong only to `piece`.
    pub(super) fn core(signal: &dyn Signal, piece: &Piece, scale: f64) -> Self {
        Self::of(signal, piece, &piece.core, scale)
    }

    fn of(signal: &dyn Signal, piece: &Piece, region: &Region, scale: f64) -> Self {
        let mut targets = Vec::new();
        signal.push_values(region, &mut targets);
        let along =
            |axis: usize| -> Vec<f64> { region.axis(axis).map(|sample| sample as f64).collect() };
        let positions: Vec<Vec<f64>> = (0..region.axis_count()).map(along).collect();
        let slices: Vec<&[f64]> = positions.iter().map(Vec::as_slice).collect();
        let points = coordinates(piece, &slices, scale);
        let info = signal.info();
        Self { inputs: info.inputs(), outputs: info.outputs(), points, targets }
    }

    /// Coordinates, shape (n, inputs).
    pub(super) fn points(&self) -> &[f32] {
        &self.points
    }

    /// The mean squared difference between `values`, shape (n, outputs), and the targets.
    pub(super) fn loss(&self, values: &[f32]) -> f64 {
        crate::metrics::mean_squared_error(values, &self.targets)
    }

    /// The number of values, points times outputs.
    pub(super) fn value_count(&self) -> usize {
        self.targets.len()
    }
}

impl Sampled for PiecePoints {
    fn count(&self) -> usize {
        self.points.len() / self.inputs
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        let Self { inputs, outputs, points, targets } = self;
        indices.for_each(|index| {
            batch.points.extend_from_slice(&points[inputs * index..][..*inputs]);
            batch.targets.extend_from_slice(&targets[outputs * index..][..*outputs]);
        });
    }
}

/// The coordinates in the network of `piece` of all combinations of `positions`, one list per axis,
/// the first axis varying fastest: shape (n, axes).
pub(super) fn coordinates(piece: &Piece, positions: &[&[f64]], scale: f64) -> Vec<f32> {
    let along = |(axis, positions): (usize, &&[f64])| -> Vec<f32> {
        positions.iter().map(|p| (scale * piece.coordinate(axis, *p)) as f32).collect()
    };
    let axes: Vec<Vec<f32>> = positions.iter().enumerate().map(along).collect();
    combinations(&axes.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
