//! The boundary between training and whatever computes it.

use vi3nr::Network;

use crate::{Adam, AdamMemory, Batch, Curvature, EngineError};

/// A network in training: its parameters θ, a batch, the gradient of the loss, Adam's memory.
///
/// The loss is a mean over points and outputs, of (Φ(x) - y)² unless the [`Batch`] says otherwise. A
/// step is [`load_batch`](Engine::load_batch), left out where the batch is still the right one,
/// [`loss_and_gradient`](Engine::loss_and_gradient), which leaves the parameters alone, and
/// [`apply`](Engine::apply), which moves them; between the two the caller knows the loss of the
/// parameters that it can still copy.
///
/// What every engine agrees on:
///
/// - A loaded batch stays until the next `load_batch`. If that fails, no batch is loaded.
/// - A gradient stays until the next `loss_and_gradient`, through `load_batch`, `apply`,
///   `set_parameters` and all evaluations. If that fails, there is no gradient.
/// - A call that returns an error leaves the parameters and Adam's memory as they were.
/// - Parameters, gradients and directions are in the order of [`Network::layers`]: for each layer
///   its weights, shape (fan-out, fan-in), row-major, then its biases, shape (fan-out).
/// - Values that are not finite are not errors: they go through like any others.
pub trait Engine: Send {
    /// The shape of the network.
    fn network(&self) -> &Network;

    /// Copies `batch` into memory of the engine's own, which the next batch uses again.
    ///
    /// # Errors
    /// Returns [`EngineError::BatchShape`] if the batch was made for a network of other inputs or
    /// outputs, [`EngineError::Memory`] if the memory cannot be had.
    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError>;

    /// The loss of the present parameters on the loaded batch; its gradient is kept.
    ///
    /// # Errors
    /// Returns [`EngineError::NoBatch`] before the first [`load_batch`](Engine::load_batch),
    /// [`EngineError::Memory`] if the memory for the gradient cannot be had.
    fn loss_and_gradient(&mut self) -> Result<f64, EngineError>;

    /// Moves the parameters.
    ///
    /// # Errors
    /// Returns [`EngineError::NoGradient`] if the update needs a gradient and none is known,
    /// [`EngineError::NoLayer`] or [`EngineError::Length`] if it does not fit the network.
    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError>;

    /// Φ at `points`, shape (n, inputs), written to `values`, shape (n, outputs), both row-major.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the lengths do not fit the network or each other.
    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError>;

    /// Φ and its first derivatives by the coordinates at `points`, shape (n, inputs): `values` has the
    /// shape (n, outputs), `derivatives` (n, outputs, inputs), element (p, o, d) being dΦ_o/dx_d.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the lengths do not fit the network or each other,
    /// [`EngineError::Unsupported`] if the backend has no derivatives.
    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError>;

    /// Copies the parameters into `parameters`, whatever its length was.
    fn copy_parameters(&self, parameters: &mut Vec<f32>);

    /// A copy of the parameters.
    fn parameters(&self) -> Vec<f32> {
        let mut parameters = Vec::new();
        self.copy_parameters(&mut parameters);
        parameters
    }

    /// Replaces the parameters.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one number per weight and bias.
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError>;

    /// The gradient of the last [`loss_and_gradient`](Engine::loss_and_gradient).
    ///
    /// # Errors
    /// Returns [`EngineError::NoGradient`] if there is none.
    fn gradient(&self) -> Result<Vec<f32>, EngineError>;

    /// A copy of what [`Update::Adam`] remembers: zeros before the first.
    fn adam_memory(&self) -> AdamMemory;

    /// Replaces what [`Update::Adam`] remembers.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one number per weight and bias.
    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError>;

    /// The curvature of the loss, if the backend has
    /// [`Capabilities::curvature`](crate::Capabilities::curvature).
    fn curvature(&mut self) -> Option<&mut dyn Curvature>;
}

/// A borrowed engine is an engine, so that training can be lent one.
impl<E: Engine + ?Sized> Engine for &mut E {
    fn network(&self) -> &Network {
        (**self).network()
    }

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        (**self).load_batch(batch)
    }

    fn loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        (**self).loss_and_gradient()
    }

    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError> {
        (**self).apply(update)
    }

    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError> {
        (**self).evaluate(points, values)
    }

    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError> {
        (**self).differentiate(points, values, derivatives)
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) {
        (**self).copy_parameters(parameters);
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        (**self).set_parameters(parameters)
    }

    fn gradient(&self) -> Result<Vec<f32>, EngineError> {
        (**self).gradient()
    }

    fn adam_memory(&self) -> AdamMemory {
        (**self).adam_memory()
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        (**self).set_adam_memory(memory)
    }

    fn curvature(&mut self) -> Option<&mut dyn Curvature> {
        (**self).curvature()
    }
}

/// How parameters move: [`Engine::apply`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Update<'a> {
    /// One step of Adam along the gradient of the last `loss_and_gradient`.
    Adam {
        /// β₁, β₂ and ε.
        constants: Adam,
        /// lr.
        learning_rate: f64,
        /// Layers, counted from 0, whose weights, but not biases, another update moves: they and
        /// Adam's memory of them stay as they are.
        except_weights_of: &'a [usize],
    },
    /// W ← W - rate · D for the weights of one layer.
    Displace {
        /// The layer, counted from 0.
        layer: usize,
        /// D, shape (fan-out, fan-in), row-major.
        direction: &'a [f32],
        /// How far.
        rate: f32,
    },
}

impl Update<'_> {
    /// One step of Adam for all parameters.
    pub fn adam(constants: Adam, learning_rate: f64) -> Self {
        Self::Adam { constants, learning_rate, except_weights_of: &[] }
    }

    /// Refuses an update that does not fit `network`.
    ///
    /// # Errors
    /// Returns [`EngineError::NoLayer`] if a layer is not the network's, [`EngineError::Length`] if
    /// a direction has not one number per weight.
    pub fn check(&self, network: &Network) -> Result<(), EngineError> {
        let layers = network.layer_count();
        match *self {
            Self::Adam { except_weights_of, .. } => {
                match except_weights_of.iter().find(|layer| **layer >= layers) {
                    Some(&layer) => Err(EngineError::NoLayer { layer, layers }),
                    None => Ok(()),
                }
            }
            Self::Displace { layer, direction, .. } => {
                let dims = network.dims();
                if layer >= layers {
                    return Err(EngineError::NoLayer { layer, layers });
                }
                let (fan_in, fan_out) = (dims[layer], dims[layer + 1]);
                if direction.len() == fan_in * fan_out {
                    return Ok(());
                }
                let expected = format!("{} (one per weight)", fan_in * fan_out);
                Err(EngineError::Length { what: "direction", seen: direction.len(), expected })
            }
        }
    }
}
