//! The shape of a coordinate network and the layout of its parameters.

use std::ops::Range;

use crate::{Activation, Error};

/// The maximum number of layers of a network.
pub const MAX_LAYERS: usize = 1024;
/// The maximum number of units of a layer, inputs and outputs included.
pub const MAX_WIDTH: usize = 1 << 16;
/// The maximum number of parameters of a network (512 MiB in float32).
pub const MAX_PARAMETERS: usize = 1 << 27;

/// A multilayer perceptron Φ(x) = W_n f(… f(W_0 x + b_0) …) + b_n, Eq. (1) and (2) with biases.
///
/// [`dims`](Network::dims) are the sizes between the weight matrices: inputs, hidden widths,
/// outputs. The last layer is linear. Parameters are stored in one flat array: for each layer its
/// weights, shape (fan-out, fan-in), row-major, then its biases, shape (fan-out).
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
#[non_exhaustive]
pub struct Layer {
    /// The index of the layer, 0 for the layer whose inputs are the coordinates.
    pub index: usize,
    /// M_i, the number of inputs.
    pub fan_in: usize,
    /// N_i = M_{i+1}, the number of outputs.
    pub fan_out: usize,
    /// The range of the weights in the parameter array, shape (fan-out, fan-in), row-major.
    pub weights: Range<usize>,
    /// The range of the biases in the parameter array, shape (fan-out).
    pub biases: Range<usize>,
}

/// A builder for a [`Network`], from [`Network::builder`]. It needs the number of inputs and
/// outputs, the activation, and either a width with a number of layers or the list of hidden
/// widths.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use = "a builder creates a network only when `build` is called"]
pub struct NetworkBuilder {
    inputs: Option<usize>,
    outputs: Option<usize>,
    width: Option<usize>,
    layers: Option<usize>,
    hidden: Option<Vec<usize>>,
    activation: Option<Activation>,
}

impl NetworkBuilder {
    /// The number of coordinates of a point.
    pub fn inputs(mut self, inputs: usize) -> Self {
        self.inputs = Some(inputs);
        self
    }

    /// The number of values at a point.
    pub fn outputs(mut self, outputs: usize) -> Self {
        self.outputs = Some(outputs);
        self
    }

    /// The number of units of every hidden layer.
    pub fn width(mut self, width: usize) -> Self {
        self.width = Some(width);
        self
    }

    /// The number of weight matrices, one more than there are hidden layers.
    pub fn layers(mut self, layers: usize) -> Self {
        self.layers = Some(layers);
        self
    }

    /// The number of units of each hidden layer, from the inputs to the outputs. Use it instead of
    /// a width and a number of layers.
    pub fn hidden_widths(mut self, widths: impl Into<Vec<usize>>) -> Self {
        self.hidden = Some(widths.into());
        self
    }

    /// The nonlinearity after every layer but the last.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = Some(activation);
        self
    }

    /// Builds the network.
    ///
    /// # Errors
    /// Returns [`Error::Incomplete`] if the inputs, the outputs, the activation or the hidden
    /// layers are not set, and [`Error::Network`] if the hidden layers are set in both ways or
    /// [`Network::new`] does not accept the sizes.
    pub fn build(self) -> Result<Network, Error> {
        fn given<T>(value: Option<T>, missing: &'static str) -> Result<T, Error> {
            value.ok_or(Error::Incomplete { missing, expected: "it to be set on the builder" })
        }
        let inputs = given(self.inputs, "the network's number of inputs")?;
        let outputs = given(self.outputs, "the network's number of outputs")?;
        let activation = given(self.activation, "the network's activation")?;
        match (self.hidden, self.width, self.layers) {
            (Some(hidden), None, None) => {
                let dims = [&[inputs], &hidden[..], &[outputs]].concat();
                Network::new(dims, activation)
            }
            (Some(hidden), ..) => Err(Error::Network {
                dims: hidden.into_iter().take(8).collect(),
                reason: "hidden widths are given in addition to a width or a number of layers"
                    .into(),
            }),
            (None, width, layers) => {
                let width = given(width, "the width of the network's hidden layers")?;
                let layers = given(layers, "the network's number of layers")?;
                Network::uniform(inputs, width, layers, outputs, activation)
            }
        }
    }
}

impl Network {
    /// Creates a network with the sizes `dims` between its weight matrices: inputs, hidden widths,
    /// outputs.
    ///
    /// # Errors
    /// Returns [`Error::Network`] if there are fewer than two sizes, if one is 0, or if they exceed
    /// [`MAX_LAYERS`], [`MAX_WIDTH`] or [`MAX_PARAMETERS`].
    pub fn new(dims: Vec<usize>, activation: Activation) -> Result<Self, Error> {
        let count = dims
            .windows(2)
            .try_fold(0usize, |sum, pair| {
                pair[0].checked_add(1)?.checked_mul(pair[1])?.checked_add(sum)
            })
            .unwrap_or(usize::MAX);
        let reason = if dims.len() < 2 {
            "at least the numbers of inputs and outputs are needed".to_owned()
        } else if dims.len() - 1 > MAX_LAYERS {
            format!("{} layers, at most {MAX_LAYERS} are allowed", dims.len() - 1)
        } else if dims.contains(&0) {
            "a size is 0".to_owned()
        } else if dims.iter().any(|&width| width > MAX_WIDTH) {
            format!("a size is over {MAX_WIDTH}")
        } else if count > MAX_PARAMETERS {
            format!("over {MAX_PARAMETERS} parameters")
        } else {
            return Ok(Self { dims, activation });
        };
        Err(Error::Network { dims: dims.into_iter().take(8).collect(), reason })
    }

    /// Creates a network of `layers` weight matrices whose hidden layers all have the same width.
    ///
    /// # Errors
    /// Returns [`Error::Network`] as [`Network::new`] does.
    pub fn uniform(
        inputs: usize,
        width: usize,
        layers: usize,
        outputs: usize,
        activation: Activation,
    ) -> Result<Self, Error> {
        let mut dims = vec![width; layers.clamp(1, MAX_LAYERS + 1) + 1];
        dims[0] = inputs;
        *dims.last_mut().expect("at least two sizes") = outputs;
        if layers == 0 {
            dims.truncate(1);
        }
        Self::new(dims, activation)
    }

    /// A builder, which sets the sizes by name.
    ///
    /// ```
    /// use vi3nr::{Activation, Network};
    ///
    /// let network = Network::builder()
    ///     .inputs(2)
    ///     .width(128)
    ///     .layers(8)
    ///     .outputs(3)
    ///     .activation(Activation::gaussian(0.05)?)
    ///     .build()?;
    /// assert_eq!(network.parameter_count(), 99_843);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn builder() -> NetworkBuilder {
        NetworkBuilder::default()
    }

    /// The sizes between the weight matrices: inputs, hidden widths, outputs.
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

    /// The layers in order, each with its ranges in the parameter array.
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
    fn builders_make_the_same_networks() {
        let named = || Network::builder().inputs(2).outputs(3).activation(Activation::relu());
        let uniform = Network::uniform(2, 16, 4, 3, Activation::relu()).unwrap();
        assert_eq!(named().width(16).layers(4).build().unwrap(), uniform);
        assert_eq!(named().hidden_widths([16, 16, 16]).build().unwrap(), uniform);
        assert_eq!(named().hidden_widths([]).build().unwrap().dims(), [2, 3]);
        assert_eq!(named().width(16).layers(1).build().unwrap().dims(), [2, 3]);
    }

    #[test]
    fn builders_say_what_is_missing_or_given_twice() {
        let complete = || {
            let sizes = Network::builder().inputs(2).outputs(3).width(16).layers(4);
            sizes.activation(Activation::relu())
        };
        assert!(complete().build().is_ok());
        for (builder, missing) in [
            (NetworkBuilder { inputs: None, ..complete() }, "number of inputs"),
            (NetworkBuilder { outputs: None, ..complete() }, "number of outputs"),
            (NetworkBuilder { width: None, ..complete() }, "width of the network's hidden layers"),
            (NetworkBuilder { layers: None, ..complete() }, "number of layers"),
            (NetworkBuilder { activation: None, ..complete() }, "activation"),
        ] {
            let error = builder.build().unwrap_err();
            assert!(matches!(error, Error::Incomplete { .. }), "{error:?}");
            assert!(error.to_string().contains(missing), "{error}");
        }
        let twice = complete().hidden_widths([16]).build().unwrap_err();
        assert!(twice.to_string().contains("in addition to a width"), "{twice}");
        assert!(matches!(complete().layers(0).build(), Err(Error::Network { .. })));
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
