//! The tiles of one thread.

use super::super::aligned::Aligned;
use super::super::layout::{LayerLayout, Layout};
use super::pass::piece_points;
use crate::EngineError;
use crate::channels::Channels;

/// The arrays of a pass over one tile of P points with C channels. Rows have the layer's
/// `tile_stride`.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The input of the first layer, (P·C, inputs), padded to whole vectors.
    pub(super) inputs: Aligned,
    /// The outputs h of each layer, (P·C, fan-out).
    pub(super) outputs: Vec<Aligned>,
    /// What the backward pass needs of each layer but the last.
    pub(super) hidden: Vec<Hidden>,
    /// The derivatives with respect to the outputs of a few points, (rows, fan-out).
    pub(super) above: Aligned,
    /// Two buffers of all rows, for derivatives along a direction; the first is also the spare room of
    /// [`Rows`](super::pass::Rows).
    pub(super) moved: [Aligned; 2],
    /// One row of sums.
    pub(super) row: Aligned,
}

/// What the backward pass needs of a layer.
#[derive(Debug)]
pub(super) struct Hidden {
    /// f' in the first row of each point, then ∂z for the other channels, (P·C, fan-out). The
    /// backward pass replaces them by the derivatives of the loss with respect to z.
    pub(super) slopes: Aligned,
    /// f'', (P, fan-out); empty if no pass needs it.
    pub(super) second: Aligned,
    /// f''', (P, fan-out); empty if no pass needs it.
    pub(super) third: Aligned,
}

impl Scratch {
    pub(super) fn new(
        layout: &Layout,
        channels: &Channels,
        derivatives: usize,
        tile_points: usize,
    ) -> Result<Self, EngineError> {
        let rows = tile_points * channels.count();
        let tile = |layer: &LayerLayout| Aligned::zeros(rows * layer.tile_stride);
        let higher = |layer: &LayerLayout, order: usize| {
            let needed = if derivatives >= order { tile_points * layer.tile_stride } else { 0 };
            Aligned::zeros(needed)
        };
        let hidden = |layer: &LayerLayout| {
            Ok(Hidden { slopes: tile(layer)?, second: higher(layer, 2)?, third: higher(layer, 3)? })
        };
        let widths =
            layout.layers.iter().map(|layer| layer.tile_stride.max(layer.backward_columns));
        let widest = widths.max().unwrap_or(0);
        let piece_rows = piece_points(channels) * channels.count();
        Ok(Self {
            inputs: Aligned::zeros(rows * layout.layers[0].backward_columns)?,
            moved: [Aligned::zeros(rows * widest)?, Aligned::zeros(rows * widest)?],
            outputs: layout.layers.iter().map(tile).collect::<Result<_, _>>()?,
            hidden: layout.layers[..layout.layers.len() - 1]
                .iter()
                .map(hidden)
                .collect::<Result<_, _>>()?,
            above: Aligned::zeros(piece_rows * widest)?,
            row: Aligned::zeros(widest)?,
        })
    }
}
