//! How a workgroup divides its matrix products.

use vi3nr::Network;

/// The largest number of columns of a tile.
const MAX_COLUMNS: usize = 128;
/// The smallest number of columns of a tile, so that a workgroup has enough invocations.
const MIN_COLUMNS: usize = 32;

/// The division of a workgroup's work.
///
/// A workgroup passes a tile of points through all layers. The activations of a layer form a matrix
/// with one row for each unit and one column for each point and channel. Products are computed in
/// square blocks of `columns` rows and columns; each invocation computes `each` by `each` entries of a
/// block, in slices of `slice` terms that are staged through workgroup memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tile {
    /// The number of columns of a tile, and of rows and columns of a block: a multiple of 8.
    pub(super) columns: usize,
    /// The number of rows and columns of a block that an invocation computes: 4 or 8.
    pub(super) each: usize,
    /// The number of terms of a sum that are staged together: a divisor of `columns`.
    pub(super) slice: usize,
}

impl Tile {
    /// The tile for `network`: its hidden layers are padded to a multiple of the block, so the block
    /// is the smallest multiple of 8 that covers the widest layer with the same number of blocks as
    /// the largest possible block.
    pub(super) fn new(network: &Network) -> Self {
        let dims = network.dims();
        let width = dims[1..dims.len() - 1].iter().copied().max().unwrap_or(1);
        let blocks = width.div_ceil(MAX_COLUMNS);
        let columns = width.div_ceil(blocks).next_multiple_of(8).max(min_columns(network.inputs()));
        Self {
            columns,
            each: if columns <= 48 { 4 } else { 8 },
            slice: if columns.is_multiple_of(16) { 16 } else { 8 },
        }
    }

    /// The number of points of a tile in a pass of `channels`: a multiple of 4, or 0 if a tile cannot
    /// hold so many channels.
    pub(super) fn points(&self, channels: usize) -> usize {
        4 * (self.columns / 4 / channels)
    }

    /// The number of invocations of a workgroup along each side of a block.
    pub(super) fn side(&self) -> usize {
        self.columns / self.each
    }

    /// The number of invocations of a workgroup.
    pub(super) fn invocations(&self) -> usize {
        self.side() * self.side()
    }

    /// The number of parts into which the invocations divide the sums of the output layer.
    pub(super) fn output_parts(&self) -> usize {
        self.invocations() / (self.columns / 4)
    }

    /// The number of vectors of four numbers in workgroup memory: two slices, or the partial sums of
    /// four outputs.
    pub(super) fn shared_vectors(&self) -> usize {
        let slices = 2 * self.slice * self.columns / 4;
        let sums = self.output_parts() * self.columns;
        slices.max(sums).max(self.invocations())
    }
}

/// The smallest number of columns of a tile: enough for four points with all their second derivatives,
/// if the largest tile has room for them.
fn min_columns(inputs: usize) -> usize {
    let pairs = inputs.saturating_mul(inputs + 1) / 2;
    let channels = [1 + inputs + pairs, 2 + inputs, 1];
    let columns = |channels: usize| channels.saturating_mul(4).next_multiple_of(8);
    let fits = channels.into_iter().map(columns).find(|columns| *columns <= MAX_COLUMNS);
    fits.unwrap_or(MIN_COLUMNS).max(MIN_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_widest_layer_within_the_limits_of_every_device() {
        for inputs in [1, 2, 3, 4, 6, 7, 40] {
            for width in 1..600 {
                let dims = vec![inputs, 7, width, 3];
                let tile = Tile::new(&Network::new(dims, "tanh".parse().unwrap()).unwrap());
                assert!(tile.columns.is_multiple_of(tile.each));
                assert!(tile.columns.is_multiple_of(tile.slice));
                assert!(tile.columns <= 128 && tile.points(1) == tile.columns);
                assert!(tile.invocations() <= 256 && tile.output_parts() > 0);
                assert!(16 * tile.shared_vectors() <= 16 << 10, "{width}: {tile:?}");
                let padded = width.max(7).next_multiple_of(tile.columns);
                let is_least = tile.columns == min_columns(inputs);
                assert!(is_least || padded < width + 8 * width.div_ceil(128), "{width}");
                if inputs <= 6 {
                    assert!(tile.points(1 + inputs + inputs * (inputs + 1) / 2) >= 4);
                }
            }
        }
    }
}
