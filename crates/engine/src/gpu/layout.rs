//! Where parameters and intermediate results lie in the device's buffers, in vectors of four numbers.

use bytemuck::{Pod, Zeroable};
use vi3nr::{Layer, Network};

use super::tile::Tile;
use crate::EngineError;

/// The largest number of workgroups of a pass over one network. It is the same on every device, so
/// that sums over points have the same order.
const MAX_GROUPS: usize = 128;
/// The largest size in bytes of the scratch memory of a pass, and of its partial gradients: every
/// device has buffers of this size.
const MAX_BUFFER_BYTES: usize = super::device::MIN_BUFFER_BYTES as usize;

/// The layout of one network's parameters and of the scratch memory of a pass.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) tile: Tile,
    layers: Vec<PaddedLayer>,
    inputs: usize,
    outputs: usize,
    /// The number of vectors of the parameters.
    pub(super) parameters: usize,
}

/// A layer whose weights are stored with one row for each input, of `stride` vectors.
///
/// The sizes of hidden layers are padded to a multiple of the tile's block, those of the output layer
/// to a multiple of 4. Padding is 0 and stays 0 in training, since its gradient is 0.
#[derive(Debug, Clone)]
struct PaddedLayer {
    own: Layer,
    weights: usize,
    biases: usize,
    stride: usize,
    inputs: usize,
}

impl Layout {
    /// The layout for `network`.
    ///
    /// # Errors
    /// Returns [`EngineError::Unsupported`] if the network has no hidden layer.
    pub(super) fn new(network: &Network) -> Result<Self, EngineError> {
        if network.layer_count() < 2 {
            let missing = "networks without a hidden layer";
            return Err(EngineError::Unsupported { backend: "gpu", missing });
        }
        let tile = Tile::new(network);
        let last = network.layer_count() - 1;
        let (mut at, mut layers, mut inputs) = (0, Vec::new(), network.inputs());
        for own in network.layers() {
            let block = if own.index == last { 4 } else { tile.columns };
            let outputs = own.fan_out.next_multiple_of(block);
            let (stride, weights) = (outputs / 4, at);
            let biases = weights + inputs * stride;
            at = biases + stride;
            layers.push(PaddedLayer { own, weights, biases, stride, inputs });
            inputs = outputs;
        }
        let (inputs, outputs) = (network.inputs(), network.outputs());
        Ok(Self { tile, layers, inputs, outputs, parameters: at })
    }

    /// The vectors of a region of `rows` rows.
    fn region(&self, rows: usize) -> usize {
        rows * self.tile.columns / 4
    }

    fn padded_outputs(&self) -> usize {
        self.outputs.next_multiple_of(4)
    }

    /// The vectors of scratch memory that a workgroup needs, with where the regions of each hidden
    /// layer start.
    fn regions(&self, keep: Keep) -> (usize, Vec<usize>) {
        let hidden = &self.layers[..self.layers.len() - 1];
        let size = |layer: &PaddedLayer| keep.regions() * self.region(4 * layer.stride);
        let outputs = self.region(self.padded_outputs());
        if keep == Keep::All {
            let mut at = outputs;
            let mut start = |layer| {
                at += size(layer);
                at - size(layer)
            };
            let starts = hidden.iter().map(&mut start).collect();
            return (at, starts);
        }
        let largest = hidden.iter().map(size).max().unwrap_or(0);
        let starts = (0..hidden.len()).map(|index| outputs + index % 2 * largest);
        (outputs + 2 * largest, starts.collect())
    }

    /// The vectors of scratch memory that a workgroup needs.
    pub(super) fn scratch(&self, keep: Keep) -> usize {
        self.regions(keep).0
    }

    /// The largest number of workgroups of a pass over one network, each of which writes `sums`
    /// vectors.
    pub(super) fn max_groups(&self, keep: Keep, sums: usize) -> usize {
        let largest = self.scratch(keep).max(sums);
        (MAX_BUFFER_BYTES / (16 * largest)).clamp(1, MAX_GROUPS)
    }

    /// The vectors of the second moments of the activations and of the errors of a hidden layer: a row
    /// for each unit, and, after those of the activations, one of their sums.
    fn layer_moments(layer: &PaddedLayer) -> usize {
        (8 * layer.stride + 1) * layer.stride
    }

    /// The vectors of the second moments of all hidden layers.
    pub(super) fn moments(&self) -> usize {
        self.layers[..self.layers.len() - 1].iter().map(Self::layer_moments).sum()
    }

    /// Reads the second moments of the hidden layer `index` from those of all: of its activations with
    /// a 1, shape (units + 1, units + 1), and of its errors, shape (units, units). Each is multiplied
    /// by `scale`; the last element of the first is 1.
    pub(super) fn read_moments(
        &self,
        index: usize,
        moments: &[f32],
        scale: f64,
    ) -> (Vec<f64>, Vec<f64>) {
        let before: usize = self.layers[..index].iter().map(Self::layer_moments).sum();
        let layer = &self.layers[index];
        let (units, row) = (layer.own.fan_out, 4 * layer.stride);
        let own = &moments[4 * before..];
        let of = |index: usize| scale * f64::from(own[index]);
        let mut activations = Vec::with_capacity((units + 1) * (units + 1));
        for k in 0..units {
            activations.extend((0..units).map(|n| of(k * row + n)));
            activations.push(of(row * row + k));
        }
        activations.extend((0..units).map(|n| of(row * row + n)));
        activations.push(1.0);
        let errors = (0..units * units).map(|at| of((row + 1 + at / units) * row + at % units));
        (activations, errors.collect())
    }

    /// The table that kernels read, for tiles of `points` points, whose points and targets are `tile`
    /// vectors, and at most `groups` workgroups for a network.
    pub(super) fn table(
        &self,
        keep: Keep,
        (points, tile): (usize, usize),
        groups: usize,
    ) -> Vec<u32> {
        let (scratch, regions) = self.regions(keep);
        let header = Header {
            layers: self.layers.len() as u32,
            inputs: self.inputs as u32,
            outputs: self.outputs as u32,
            parameters: self.parameters as u32,
            scratch: scratch as u32,
            tile: tile as u32,
            groups: groups as u32,
            moments: self.moments() as u32,
            points: (points / 4) as u32,
            slice: self.tile.slice as u32,
            columns: (self.tile.columns / 4) as u32,
            padding: 0,
        };
        let mut table = bytemuck::cast_slice(&[header]).to_vec();
        let mut moments = 0;
        for (index, layer) in self.layers.iter().enumerate() {
            table.extend([
                layer.weights as u32,
                layer.biases as u32,
                layer.stride as u32,
                layer.inputs as u32,
                layer.own.fan_out as u32,
                regions.get(index).copied().unwrap_or(0) as u32,
                self.region(4 * layer.stride) as u32,
                moments as u32,
            ]);
            moments += Self::layer_moments(layer);
        }
        table
    }

    /// Writes `parameters`, in the order of [`Network::layers`], to their places in `padded`, four
    /// numbers for each vector.
    pub(super) fn scatter(&self, parameters: &[f32], padded: &mut [f32]) {
        for layer in &self.layers {
            let weights = &parameters[layer.own.weights.clone()];
            for (output, row) in weights.chunks_exact(layer.own.fan_in).enumerate() {
                for (input, weight) in row.iter().enumerate() {
                    padded[4 * (layer.weights + input * layer.stride) + output] = *weight;
                }
            }
            let biases = &parameters[layer.own.biases.clone()];
            padded[4 * layer.biases..][..biases.len()].copy_from_slice(biases);
        }
    }

    /// The inverse of [`Layout::scatter`].
    pub(super) fn gather(&self, padded: &[f32], parameters: &mut [f32]) {
        for layer in &self.layers {
            let weights = &mut parameters[layer.own.weights.clone()];
            for (output, row) in weights.chunks_exact_mut(layer.own.fan_in).enumerate() {
                for (input, weight) in row.iter_mut().enumerate() {
                    *weight = padded[4 * (layer.weights + input * layer.stride) + output];
                }
            }
            let biases = &mut parameters[layer.own.biases.clone()];
            biases.copy_from_slice(&padded[4 * layer.biases..][..layer.own.fan_out]);
        }
    }

    /// The vectors of all parameters but the weights of `except`, as (start, count).
    pub(super) fn ranges_without_weights_of(&self, except: &[usize]) -> Vec<(usize, usize)> {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for layer in &self.layers {
            let end = layer.biases + layer.stride;
            let start = match except.contains(&layer.own.index) {
                true => layer.biases,
                false => layer.weights,
            };
            match ranges.last_mut() {
                Some((from, count)) if *from + *count == start => *count = end - *from,
                _ => ranges.push((start, end - start)),
            }
        }
        ranges
    }

    /// The vectors of the weights of a layer, as (start, count).
    pub(super) fn weights(&self, layer: usize) -> (usize, usize) {
        let layer = &self.layers[layer];
        (layer.weights, layer.biases - layer.weights)
    }

    /// The weights of a layer, or a direction for them, shape (fan-out, fan-in), as the vectors of
    /// [`Layout::weights`].
    pub(super) fn pad_weights(&self, layer: usize, weights: &[f32]) -> Vec<f32> {
        let layer = &self.layers[layer];
        let mut padded = vec![0.0; 4 * (layer.biases - layer.weights)];
        for (output, row) in weights.chunks_exact(layer.own.fan_in).enumerate() {
            for (input, weight) in row.iter().enumerate() {
                padded[4 * input * layer.stride + output] = *weight;
            }
        }
        padded
    }
}

/// Which intermediate results a pass keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those of all layers, for a backward pass.
    All,
    /// Those of two layers, in turns.
    Two,
    /// Those of two layers and their derivatives along a direction.
    TwoMoved,
}

impl Keep {
    /// The number of regions of a layer: its activations, their slopes or preactivations, and the
    /// derivatives of both.
    fn regions(self) -> usize {
        match self {
            Self::All | Self::Two => 2,
            Self::TwoMoved => 4,
        }
    }
}

/// The head of the table; `struct Net` in the kernels.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct Header {
    layers: u32,
    inputs: u32,
    outputs: u32,
    parameters: u32,
    scratch: u32,
    tile: u32,
    groups: u32,
    moments: u32,
    points: u32,
    slice: u32,
    columns: u32,
    padding: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_return_from_their_padded_places() {
        for dims in [vec![2, 7, 3], vec![1, 130, 5, 64, 4], vec![4, 1, 65]] {
            let network = Network::new(dims, "sine".parse().unwrap()).unwrap();
            let layout = Layout::new(&network).unwrap();
            let count = network.parameter_count();
            let parameters: Vec<f32> = (1..=count).map(|i| i as f32).collect();
            let mut padded = vec![0.0; 4 * layout.parameters];
            layout.scatter(&parameters, &mut padded);
            assert_eq!(padded.iter().filter(|value| **value != 0.0).count(), count);
            let mut back = vec![0.0; count];
            layout.gather(&padded, &mut back);
            assert_eq!(back, parameters);
            for layer in network.layers() {
                let (start, vectors) = layout.weights(layer.index);
                let alone = layout.pad_weights(layer.index, &parameters[layer.weights.clone()]);
                assert_eq!(padded[4 * start..][..4 * vectors], alone);
            }
        }
    }

    #[test]
    fn ranges_leave_out_the_weights_of_layers() {
        let network = Network::uniform(2, 32, 4, 3, "sine".parse().unwrap()).unwrap();
        let layout = Layout::new(&network).unwrap();
        assert_eq!(layout.ranges_without_weights_of(&[]), [(0, layout.parameters)]);
        let ranges = layout.ranges_without_weights_of(&[1, 2]);
        let left: usize = ranges.iter().map(|(_, count)| count).sum();
        let weights = layout.weights(1).1 + layout.weights(2).1;
        assert_eq!(left, layout.parameters - weights);
        assert_eq!(ranges.len(), 3);
    }

    #[test]
    fn a_network_without_a_hidden_layer_is_refused() {
        let network = Network::new(vec![2, 3], "sine".parse().unwrap()).unwrap();
        let error = Layout::new(&network).unwrap_err();
        assert!(error.to_string().contains("without a hidden layer"), "{error}");
    }
}
