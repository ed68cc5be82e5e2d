//! Where everything lies inside the engine.
//!
//! Inside, a layer's weights are kept transposed and padded, (fan-in, columns) with `columns` the
//! fan-out rounded up to whole vectors, followed by its biases (columns). Gradients, Adam's two
//! means and the threads' partial sums share this layout, so the update is one pass over flat
//! arrays. Padded entries are zero at the start and never reach a real one: a product's depth runs
//! over real rows only, and a padded column only feeds itself.

use std::ops::Range;

use vi3nr::Network;

use super::product::COLUMN_STEP;

/// One layer's place.
#[derive(Debug, Clone)]
pub(super) struct LayerPlace {
    pub(super) fan_in: usize,
    pub(super) fan_out: usize,
    /// The fan-out rounded up to whole vectors.
    pub(super) columns: usize,
    /// The fan-in rounded up to whole vectors: the columns of the backward product.
    pub(super) backward_columns: usize,
    /// The distance between rows of a tile of this layer's outputs.
    pub(super) tile_row: usize,
    /// Transposed weights, (fan-in, columns).
    pub(super) weights: Range<usize>,
    /// Biases, (columns).
    pub(super) biases: Range<usize>,
    /// The same in the order of [`Network::layers`].
    pub(super) outer: vi3nr::Layer,
}

impl LayerPlace {
    /// W ← W - rate · D in an array in the inner layout, D (fan-out, fan-in) row-major.
    pub(super) fn displace(&self, inner: &mut [f32], direction: &[f32], rate: f32) {
        let rows = inner[self.weights.clone()].chunks_exact_mut(self.columns);
        for (k, row) in rows.enumerate() {
            for (j, weight) in row[..self.fan_out].iter_mut().enumerate() {
                *weight -= rate * direction[j * self.fan_in + k];
            }
        }
    }
}

/// All layers' places and the sizes that follow.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) layers: Vec<LayerPlace>,
    /// The length of an array in the inner layout.
    pub(super) len: usize,
    /// Points that go through all layers together.
    pub(super) tile_points: usize,
}

/// Bytes of scratch that one tile may fill: about half of a usual core's own cache.
const TILE_BYTES: usize = 512 * 1024;
/// Bytes of sums of curvature factors that all chunks together may fill, if one fits in less. Up to
/// a width of 512 the number of partial gradients keeps them below it.
const FACTOR_BYTES: usize = 1 << 30;
/// Bytes of partial gradients that all chunks together may fill, if two chunks fit in less.
const PARTIAL_BYTES: usize = 256 << 20;
/// The fewest points that are worth a partial gradient of their own.
const MIN_CHUNK_POINTS: usize = 256;
/// The most partial gradients, and so the most threads that a step can occupy.
const MAX_CHUNKS: usize = 32;

impl Layout {
    pub(super) fn new(network: &Network) -> Self {
        let mut start = 0;
        let layers: Vec<LayerPlace> = network
            .layers()
            .into_iter()
            .map(|outer| {
                let columns = outer.fan_out.next_multiple_of(COLUMN_STEP);
                let weights = start..start + outer.fan_in * columns;
                let biases = weights.end..weights.end + columns;
                start = biases.end.next_multiple_of(COLUMN_STEP);
                LayerPlace {
                    fan_in: outer.fan_in,
                    fan_out: outer.fan_out,
                    columns,
                    backward_columns: outer.fan_in.next_multiple_of(COLUMN_STEP),
                    // An odd number of cache lines, so that rows do not compete for cache sets.
                    tile_row: ((columns / COLUMN_STEP) | 1) * COLUMN_STEP,
                    weights,
                    biases,
                    outer,
                }
            })
            .collect();
        let point_bytes: usize = layers.iter().map(|layer| 8 * layer.tile_row).sum();
        let tile_points = (TILE_BYTES / point_bytes).next_power_of_two().clamp(16, 128);
        Self { layers, len: start, tile_points }
    }

    /// The length of an array of packed backward weights.
    pub(super) fn backward_len(&self) -> usize {
        self.layers.iter().map(|layer| layer.fan_out * layer.backward_columns).sum()
    }

    /// How many partial gradients a batch of `points` is summed in: a function of the batch and the
    /// network only, so that the sum's order, and with it every byte, is the same for any number of
    /// threads.
    pub(super) fn chunk_count(&self, points: usize) -> usize {
        let affordable = (PARTIAL_BYTES / (self.len * size_of::<f32>())).max(2);
        (points / MIN_CHUNK_POINTS).clamp(1, MAX_CHUNKS.min(affordable))
    }

    /// How many sums of curvature factors `points` are added up in: as many as partial gradients,
    /// unless layers are so wide that they would fill more than [`FACTOR_BYTES`]. Again a function
    /// of the points and the network only.
    pub(super) fn factor_chunk_count(&self, points: usize) -> usize {
        let square = |layer: &LayerPlace| {
            let inputs = layer.fan_in.saturating_mul(layer.backward_columns);
            inputs.saturating_add(layer.fan_out.saturating_mul(layer.columns))
        };
        let numbers = self.layers.iter().map(square).fold(0, usize::saturating_add);
        let affordable = FACTOR_BYTES / numbers.saturating_mul(size_of::<f32>());
        self.chunk_count(points).min(affordable.max(1))
    }

    /// The ranges of an array in the inner layout, in ascending order, that hold everything but the
    /// weights of `layers`.
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

    /// The points of chunk `index` of `count`: whole tiles, but for the batch's last.
    pub(super) fn chunk_points(&self, index: usize, count: usize, points: usize) -> Range<usize> {
        let tiles = points.div_ceil(self.tile_points);
        let at = |index: usize| (index * tiles / count * self.tile_points).min(points);
        at(index)..at(index + 1)
    }

    /// Copies parameters from the order of [`Network::layers`] into the inner layout.
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

    /// Copies an array in the inner layout into the order of [`Network::layers`].
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
            let inside = |place: usize| ranges.iter().any(|range| range.contains(&place));
            assert_eq!(layer.weights.clone().all(inside), index == 0);
            assert_eq!(layer.weights.clone().any(inside), index == 0);
            assert!(layer.biases.clone().all(inside));
        }
    }

    /// Up to a width of 512 as many as partial gradients; beyond, what fits a gibibyte.
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
                    let expected = layout.chunk_count(points);
                    assert_eq!(layout.factor_chunk_count(points), expected, "{name}");
                }
            }
        }
        assert_eq!(layout(4096, 2).factor_chunk_count(1 << 20), 7);
        assert_eq!(layout(8192, 2).factor_chunk_count(1 << 20), 1);
        assert_eq!(layout(20_000, 2).factor_chunk_count(1 << 20), 1);
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
