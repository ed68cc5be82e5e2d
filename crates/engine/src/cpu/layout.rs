//! The memory layout of the engine's arrays.
//!
//! In the inner layout, the weights of a layer are transposed and padded to the shape (fan-in,
//! columns), where `columns` is the fan-out rounded up to whole vectors. The biases, (columns),
//! follow. Gradients, the two means of Adam and the partial gradients have the same layout, so that
//! an update is one pass over flat arrays. Padding is initialized to zero and never affects another
//! entry: the depth of a product covers only real rows, and a padded column only contributes to
//! itself. The outer layout is that of [`Network::layers`].

use std::ops::Range;

use vi3nr::Network;

use super::product::COLUMN_STEP;

/// The layout of one layer.
#[derive(Debug, Clone)]
pub(super) struct LayerLayout {
    pub(super) fan_in: usize,
    pub(super) fan_out: usize,
    /// The fan-out rounded up to whole vectors.
    pub(super) columns: usize,
    /// The fan-in rounded up to whole vectors: the columns of the backward product.
    pub(super) backward_columns: usize,
    /// The row stride of a tile of this layer's outputs, (points, columns); at least `columns`.
    pub(super) tile_stride: usize,
    /// The range of the transposed weights, (fan-in, columns), row-major.
    pub(super) weights: Range<usize>,
    /// The range of the biases, (columns).
    pub(super) biases: Range<usize>,
    /// The layer in the outer layout.
    pub(super) outer: vi3nr::Layer,
}

impl LayerLayout {
    /// The number of rows of a tile whose product and activation are computed together, in units of
    /// [`PIECE_ROWS`].
    pub(super) fn piece_blocks(&self) -> usize {
        (PIECE_NUMBERS / (PIECE_ROWS * self.columns)).max(1)
    }

    /// W ← W - rate · D for the weights W in `inner`, an array in the inner layout, where D is
    /// `direction`, shape (fan-out, fan-in), row-major.
    pub(super) fn displace(&self, inner: &mut [f32], direction: &[f32], rate: f32) {
        let rows = inner[self.weights.clone()].chunks_exact_mut(self.columns);
        for (k, row) in rows.enumerate() {
            for (j, weight) in row[..self.fan_out].iter_mut().enumerate() {
                *weight -= rate * direction[j * self.fan_in + k];
            }
        }
    }
}

/// The layout of all layers and the sizes that follow from it.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) layers: Vec<LayerLayout>,
    /// The length of an array in the inner layout.
    pub(super) len: usize,
    /// The number of points that pass through all layers together.
    pub(super) tile_points: usize,
}

/// The size in bytes of the scratch of one tile: about half of a typical second-level cache.
pub(super) const TILE_BYTES: usize = 512 * 1024;
/// The maximum number of points of a tile.
pub(super) const MAX_TILE_POINTS: usize = 128;
/// The limit in bytes for the sums of curvature factors of all chunks together, unless a single sum
/// is larger. Up to a width of 512, the number of chunks alone keeps them below this limit.
const FACTOR_BYTES: usize = 1 << 30;
/// The limit in bytes for the partial gradients of all chunks together, unless two of them are
/// larger.
const PARTIAL_BYTES: usize = 256 << 20;
/// The minimum number of points for which another partial gradient pays off.
const MIN_CHUNK_POINTS: usize = 256;
/// The maximum number of partial gradients of [`MIN_CHUNK_POINTS`] points.
const MAX_SMALL_CHUNKS: usize = 32;
/// The minimum number of points of each partial gradient if there are more than
/// [`MAX_SMALL_CHUNKS`], so that summing them takes about a hundredth of a step.
const MIN_LARGE_CHUNK_POINTS: usize = 1024;
/// The maximum number of partial gradients, which is also the maximum number of threads that a step
/// can use.
const MAX_CHUNKS: usize = 128;

/// The least number of rows whose product and activation are computed together: those of a block of
/// accumulators with any instructions.
pub(super) const PIECE_ROWS: usize = 12;
/// The number of values of such rows, which with as many slopes stay in the first-level cache, unless
/// [`PIECE_ROWS`] rows have more.
const PIECE_NUMBERS: usize = 3072;

impl Layout {
    pub(super) fn new(network: &Network) -> Self {
        let mut start = 0;
        let layers: Vec<LayerLayout> = network
            .layers()
            .into_iter()
            .map(|outer| {
                let columns = outer.fan_out.next_multiple_of(COLUMN_STEP);
                let weights = start..start + outer.fan_in * columns;
                let biases = weights.end..weights.end + columns;
                start = biases.end.next_multiple_of(COLUMN_STEP);
                LayerLayout {
                    fan_in: outer.fan_in,
                    fan_out: outer.fan_out,
                    columns,
                    backward_columns: outer.fan_in.next_multiple_of(COLUMN_STEP),
                    // An odd number of cache lines, which spreads the rows over all cache sets.
                    tile_stride: ((columns / COLUMN_STEP) | 1) * COLUMN_STEP,
                    weights,
                    biases,
                    outer,
                }
            })
            .collect();
        let point_bytes: usize = layers.iter().map(|layer| 8 * layer.tile_stride).sum();
        let weight_bytes = |layer: &LayerLayout| size_of::<f32>() * layer.weights.len();
        let tile_points = match layers.iter().all(|layer| weight_bytes(layer) <= TILE_BYTES) {
            true => (TILE_BYTES / point_bytes).next_power_of_two().clamp(16, MAX_TILE_POINTS),
            // The weights of a layer do not stay in the cache, and fewer tiles read them less often.
            false => MAX_TILE_POINTS,
        };
        Self { layers, len: start, tile_points }
    }

    /// The length of an array of packed backward weights.
    pub(super) fn backward_len(&self) -> usize {
        self.layers.iter().map(|layer| layer.fan_out * layer.backward_columns).sum()
    }

    /// The number of partial gradients for a batch of `points` points. It depends only on the batch
    /// and the network, so that the order of summation, and with it every byte of the result, is
    /// the same for any number of threads.
    pub(super) fn chunk_count(&self, points: usize) -> usize {
        let affordable = (PARTIAL_BYTES / (self.len * size_of::<f32>())).max(2);
        let small = (points / MIN_CHUNK_POINTS).min(MAX_SMALL_CHUNKS);
        let large = (points / MIN_LARGE_CHUNK_POINTS).min(MAX_CHUNKS);
        small.max(large).clamp(1, affordable)
    }

    /// The number of partial sums of curvature factors for `points` points: that of partial
    /// gradients up to [`MAX_SMALL_CHUNKS`], or fewer if the layers are so wide that the sums would
    /// exceed [`FACTOR_BYTES`]. It also depends only on the number of points and the network.
    pub(super) fn factor_chunk_count(&self, points: usize) -> usize {
        let square = |layer: &LayerLayout| {
            let inputs = layer.fan_in.saturating_mul(layer.backward_columns);
            inputs.saturating_add(layer.fan_out.saturating_mul(layer.columns))
        };
        let numbers = self.layers.iter().map(square).fold(0, usize::saturating_add);
        let affordable = FACTOR_BYTES / numbers.saturating_mul(size_of::<f32>());
        self.chunk_count(points).min(MAX_SMALL_CHUNKS).min(affordable.max(1))
    }

    /// The ranges of an array in the inner layout, in ascending order, that contain everything but
    /// the weights of `layers`.
    pub(super) fn ranges_without_weights_of(&self, layers: &[usize]) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let mut start = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            if layers.contains(&index) {
                ranges.push(start..layer.weights.start);
                start = layer.weights.end;
            }
        }
        ranges.push(start..self.len);
        ranges
    }

    /// The points of chunk `index` of `count` chunks. They are whole tiles, except for the last
    /// tile of the batch.
    pub(super) fn chunk_points(&self, index: usize, count: usize, points: usize) -> Range<usize> {
        chunk_of_tiles(self.tile_points, index, count, points)
    }

    /// Copies an array from the outer layout into the inner layout.
    pub(super) fn scatter(&self, outer: &[f32], inner: &mut [f32]) {
        for layer in &self.layers {
            let weights = &outer[layer.outer.weights.clone()];
            for (k, row) in inner[layer.weights.clone()].chunks_exact_mut(layer.columns).enumerate()
            {
                for (j, weight) in row[..layer.fan_out].iter_mut().enumerate() {
                    *weight = weights[j * layer.fan_in + k];
                }
            }
            let biases = layer.biases.start..layer.biases.start + layer.fan_out;
            inner[biases].copy_from_slice(&outer[layer.outer.biases.clone()]);
        }
    }

    /// Copies an array from the inner layout into the outer layout.
    pub(super) fn gather(&self, inner: &[f32], outer: &mut [f32]) {
        for layer in &self.layers {
            let weights = &mut outer[layer.outer.weights.clone()];
            for (k, row) in inner[layer.weights.clone()].chunks_exact(layer.columns).enumerate() {
                for (j, weight) in row[..layer.fan_out].iter().enumerate() {
                    weights[j * layer.fan_in + k] = *weight;
                }
            }
            let biases = layer.biases.start..layer.biases.start + layer.fan_out;
            outer[layer.outer.biases.clone()].copy_from_slice(&inner[biases]);
        }
    }
}

/// The points of chunk `index` of `count` chunks of whole tiles of `tile_points` points.
pub(super) fn chunk_of_tiles(
    tile_points: usize,
    index: usize,
    count: usize,
    points: usize,
) -> Range<usize> {
    let tiles = points.div_ceil(tile_points);
    let at = |index: usize| (index * tiles / count * tile_points).min(points);
    at(index)..at(index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scatter_and_gather_are_inverse() {
        let network = Network::new(vec![3, 20, 7, 2], "relu".parse().unwrap()).unwrap();
        let layout = Layout::new(&network);
        let outer: Vec<f32> = (0..network.parameter_count()).map(|i| i as f32 + 1.0).collect();
        let mut inner = vec![0.0; layout.len];
        layout.scatter(&outer, &mut inner);
        let mut back = vec![0.0; outer.len()];
        layout.gather(&inner, &mut back);
        assert_eq!(outer, back);
        assert_eq!(inner.iter().filter(|value| **value != 0.0).count(), outer.len());
    }

    #[test]
    fn ranges_leave_out_the_weights_of_some_layers() {
        let network = Network::new(vec![3, 20, 7, 2], "relu".parse().unwrap()).unwrap();
        let layout = Layout::new(&network);
        let all = layout.ranges_without_weights_of(&[]);
        assert_eq!((all.len(), &all[0]), (1, &(0..layout.len)));
        let ranges = layout.ranges_without_weights_of(&[2, 1]);
        assert_eq!(ranges.len(), 3);
        for (index, layer) in layout.layers.iter().enumerate() {
            let inside = |index: usize| ranges.iter().any(|range| range.contains(&index));
            assert_eq!(layer.weights.clone().all(inside), index == 0);
            assert_eq!(layer.weights.clone().any(inside), index == 0);
            assert!(layer.biases.clone().all(inside));
        }
    }

    /// There are as many chunks as partial gradients, at most 32, up to a width of 512; beyond, their
    /// sums fit in 1 GiB.
    #[test]
    fn factors_of_wide_layers_are_summed_in_fewer_chunks() {
        let layout = |width: usize, layers: usize| {
            let activation = "relu".parse().unwrap();
            Layout::new(&Network::uniform(2, width, layers, 3, activation).unwrap())
        };
        for width in [1, 16, 100, 128, 256, 511, 512] {
            for layers in [2, 3, 8, 9, 10, 11, 20, 60, 200] {
                let layout = layout(width, layers);
                for points in [1, 512, 4096, 1 << 20] {
                    let name = format!("{width} {layers} {points}");
                    let expected = layout.chunk_count(points).min(32);
                    assert_eq!(layout.factor_chunk_count(points), expected, "{name}");
                }
            }
        }
        assert_eq!(layout(4096, 2).factor_chunk_count(1 << 20), 7);
        assert_eq!(layout(8192, 2).factor_chunk_count(1 << 20), 1);
        assert_eq!(layout(20_000, 2).factor_chunk_count(1 << 20), 1);
    }

    /// Small batches have chunks of 256 points, large ones enough of them for 128 threads.
    #[test]
    fn the_number_of_chunks_follows_the_points() {
        let network = Network::new(vec![2, 64, 3], "relu".parse().unwrap()).unwrap();
        let layout = Layout::new(&network);
        let counts = [1, 256, 4096, 8192, 32_768, 65_536, 131_072, 1 << 24];
        let counts = counts.map(|points| layout.chunk_count(points));
        assert_eq!(counts, [1, 1, 16, 32, 32, 64, 128, 128]);
    }

    /// Tiles of deep networks are small enough for the cache, unless the weights of a layer are too large
    /// for it.
    #[test]
    fn tiles_follow_from_the_width_and_the_depth() {
        let tile_points = |width: usize, layers: usize| {
            let activation = "relu".parse().unwrap();
            Layout::new(&Network::uniform(2, width, layers, 3, activation).unwrap()).tile_points
        };
        let seen = [(64, 4), (128, 8), (256, 8), (352, 8), (128, 32), (368, 8), (1024, 8)];
        let seen = seen.map(|(width, layers)| tile_points(width, layers));
        assert_eq!(seen, [128, 64, 64, 32, 16, 128, 128]);
    }

    /// Rows that are computed together are whole blocks, and more of them if they are short.
    #[test]
    fn short_rows_are_computed_together() {
        for (width, expected) in [(1, 16), (32, 8), (80, 3), (128, 2), (256, 1), (1024, 1)] {
            let network = Network::uniform(2, width, 3, 3, "relu".parse().unwrap()).unwrap();
            assert_eq!(Layout::new(&network).layers[0].piece_blocks(), expected, "{width}");
        }
    }

    #[test]
    fn chunks_tile_the_batch() {
        let network = Network::new(vec![2, 64, 3], "relu".parse().unwrap()).unwrap();
        let layout = Layout::new(&network);
        for points in [1, 63, 64, 255, 256, 1000, 4097, 100_003] {
            let count = layout.chunk_count(points);
            let mut next = 0;
            for index in 0..count {
                let range = layout.chunk_points(index, count, points);
                assert_eq!(range.start, next);
                next = range.end;
            }
            assert_eq!(next, points);
        }
    }
}
