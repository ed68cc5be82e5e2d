//! The shape of a coordinate network and the place of each parameter.

use std::ops::Range;

use crate::{Activation, Error};

/// Most layers that a network may have.
pub const MOST_LAYERS: usize = 1024;
/// Widest layer that a network may have.
pub const WIDEST_LAYER: usize = 1 << 16;
/// Most parameters that a network may have (512 MiB of float32).
pub const MOST_PARAMETERS: usize = 1 << 27;

/// A multilayer perceptron Φ(x) = W_n f(… f(W_0 x + b_0) …) + b_n, Eq. (1) and (2) with biases.
///
/// `dims` are the sizes between the weight matrices: inputs, hidden widths, outputs. The last layer
/// is linear. Parameters lie in one flat array: for each layer its weights, row-major
/// (fan-out, fan-in), then its biases (fan-out).
///
/// ```
/// use vi3nr::Network;
///
/// // The paper's image network: 8 weight matrices, 7 activations.
/// let network = Network::uniform(2, 128, 8, 3, "gaussian:sigma=0.05".parse()?)?;
/// assert_eq!(network.parameter_count(), 99_843);
/// # Ok::<(), vi3nr::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    dims: Vec<usize>,
    activation: Activation,
}

/// One affine map of a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its position, 0 for the layer that takes the coordinates.
    pub index: usize,
    /// M_i, the number of inputs.
    pub fan_in: usize,
    /// N_i = M_{i+1}, the number of outputs.
    pub fan_out: usize,
    /// Where its weights lie in the parameter array, row-major (fan-out, fan-in).
    pub weights: Range<usize>,
    /// Where its biases lie in the parameter array.
    pub biases: Range<usize>,
}

impl Network {
    /// A network with the given sizes between its weight matrices.
    ///
    /// # Errors
    /// Fewer than two sizes, a size of 0, or more than this crate's limits.
    pub fn new(dims: Vec<usize>, activation: Activation) -> Result<Self, Error> {
        let count = dims
            .windows(2)
            .try_fold(0usize, |sum, pair| {
                pair[0].checked_add(1)?.checked_mul(pair[1])?.checked_add(sum)
            })
            .unwrap_or(usize::MAX);
        let reason = if dims.len() < 2 {
            "at least the number of inputs and outputs is needed".to_owned()
        } else if dims.len() - 1 > MOST_LAYERS {
            format!("{} layers, at most {MOST_LAYERS} are allowed", dims.len() - 1)
        } else if dims.contains(&0) {
            "a size is 0".to_owned()
        } else if dims.iter().any(|&width| width > WIDEST_LAYER) {
            format!("a size is over {WIDEST_LAYER}")
        } else if count > MOST_PARAMETERS {
            format!("over {MOST_PARAMETERS} parameters")
        } else {
            return Ok(Self { dims, activation });
        };
        Err(Error::Network { dims: dims.into_iter().take(8).collect(), reason })
    }

    /// A network of `layers` weight matrices whose hidden layers all have the same width.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn uniform(
        inputs: usize,
        width: usize,
        layers: usize,
        outputs: usize,
        activation: Activation,
    ) -> Result<Self, Error> {
        let mut dims = vec![width; layers.clamp(1, MOST_LAYERS + 1) + 1];
        dims[0] = inputs;
        *dims.last_mut().expect("at least two sizes") = outputs;
        if layers == 0 {
            dims.truncate(1);
        }
        Self::new(dims, activation)
    }

    /// Inputs, hidden widths, outputs.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The nonlinearity after every layer but the last.
    pub fn activation(&self) -> &Activation {
        &self.activation
    }

    /// The number of coordinates of a point.
    pub fn inputs(&self) -> usize {
        self.dims[0]
    }

    /// The number of values at a point.
    pub fn outputs(&self) -> usize {
        self.dims[self.dims.len() - 1]
    }

    /// The number of weight matrices.
    pub fn layer_count(&self) -> usize {
        self.dims.len() - 1
    }

    /// The layers in order, each with its place in the parameter array.
    pub fn layers(&self) -> Vec<Layer> {
        let mut start = 0;
        let mut layers = Vec::with_capacity(self.layer_count());
        for (index, pair) in self.dims.windows(2).enumerate() {
            let (fan_in, fan_out) = (pair[0], pair[1]);
            let weights = start..start + fan_in * fan_out;
            let biases = weights.end..weights.end + fan_out;
            start = biases.end;
            layers.push(Layer { index, fan_in, fan_out, weights, biases });
        }
        layers
    }

    /// The number of weights and biases together.
    pub fn parameter_count(&self) -> usize {
        self.weight_count() + self.dims[1..].iter().sum::<usize>()
    }

    /// The number of weights without biases.
    pub fn weight_count(&self) -> usize {
        self.dims.windows(2).map(|pair| pair[0] * pair[1]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_tile_the_parameter_array() {
        let network = Network::new(vec![2, 5, 3, 1], "relu".parse().unwrap()).unwrap();
        let mut next = 0;
        for layer in network.layers() {
            assert_eq!(layer.weights.start, next);
            assert_eq!(layer.biases.len(), layer.fan_out);
            next = layer.biases.end;
        }
        assert_eq!(next, network.parameter_count());
    }

    #[test]
    fn impossible_networks_are_refused() {
        let relu: Activation = "relu".parse().unwrap();
        for dims in [vec![], vec![2], vec![2, 0, 3], vec![2, usize::MAX, 3], vec![65536; 5]] {
            assert!(Network::new(dims, relu.clone()).is_err());
        }
        assert!(Network::uniform(2, 16, 0, 3, relu.clone()).is_err());
        assert!(Network::uniform(2, 16, usize::MAX, 3, relu.clone()).is_err());
        assert_eq!(Network::uniform(2, 16, 1, 3, relu).unwrap().dims(), [2, 3]);
    }
}
