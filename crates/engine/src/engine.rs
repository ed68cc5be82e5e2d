//! The interface between training and the code that computes it.

use vi3nr::Network;

use crate::run::by_single_steps;
use crate::{
    Adam, AdamMemory, AdamRun, Batch, BestParameters, Curvature, EngineError, RunOutcome, TermBatch,
};

/// A network in training: its parameters θ, the loaded batch, the gradient of the loss, and the
/// state of Adam.
///
/// The loss is a mean over points and outputs, of (Φ(x) - y)² unless the [`Batch`] sets another
/// [`Loss`](crate::Loss). One training step consists of three calls:
///
/// 1. [`load_batch`](Engine::load_batch), which can be omitted if the batch has not changed;
/// 2. [`loss_and_gradient`](Engine::loss_and_gradient), which does not change the parameters;
/// 3. [`apply`](Engine::apply), which does.
///
/// Between the last two calls the caller can still copy the parameters that the loss belongs to.
///
/// Every engine guarantees the following:
///
/// - A loaded batch is kept until the next `load_batch`. If `load_batch` fails, no batch is loaded.
/// - A gradient is kept until the next `loss_and_gradient`; `load_batch`, `apply`, `set_parameters`
///   and evaluations do not discard it. If `loss_and_gradient` fails, there is no gradient.
/// - Before the first `loss_and_gradient` there is no gradient: [`gradient`](Engine::gradient) and
///   a step of Adam return [`EngineError::NoGradient`].
/// - A call that returns an error leaves the parameters and the state of Adam unchanged, unless the
///   error is that of a device that failed ([`EngineError::Device`]).
/// - Parameters, gradients and directions are in the order of [`Network::layers`]: for each layer
///   its weights, shape (fan-out, fan-in), row-major, then its biases, shape (fan-out).
/// - NaN and infinite values are not errors. They propagate as in ordinary arithmetic.
pub trait Engine: Send {
    /// The network that is trained.
    fn network(&self) -> &Network;

    /// Copies `batch` into memory of the engine, which is reused for the next batch.
    ///
    /// # Errors
    /// Returns [`EngineError::BatchShape`] if the batch was created for a network with another
    /// number of inputs or outputs, and [`EngineError::Memory`] if the allocation fails.
    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError>;

    /// Copies the points of several steps: the first `size` points of `batch` are those of the first
    /// step, and so on; the last step can have fewer. [`run`](Engine::run) takes one step on each of
    /// them in turn, up to the last. It replaces the loaded batch;
    /// [`loss_and_gradient`](Engine::loss_and_gradient) is not available until another is loaded.
    ///
    /// # Errors
    /// Returns the errors of [`load_batch`](Engine::load_batch), and [`EngineError::Unsupported`] if
    /// the backend does not offer [`Capabilities::runs`](crate::Capabilities::runs).
    fn load_steps(&mut self, batch: &Batch<'_>, size: usize) -> Result<(), EngineError> {
        let _ = (batch, size);
        let missing = "the points of several steps in one batch";
        Err(EngineError::Unsupported { backend: "of single steps", missing })
    }

    /// Copies a batch whose loss is a sum of terms, as [`load_batch`](Engine::load_batch) does. It
    /// replaces the loaded batch of either kind.
    ///
    /// # Errors
    /// Returns the errors of [`load_batch`](Engine::load_batch), [`EngineError::Activation`] if the
    /// higher derivatives of a formula exceed its limits, and [`EngineError::Unsupported`] if the
    /// backend does not offer losses on derivatives.
    fn load_terms(&mut self, batch: &TermBatch<'_>) -> Result<(), EngineError>;

    /// The unweighted mean loss of each term in the last [`loss_and_gradient`], in the order of the
    /// constraints and of their terms; empty if the loaded batch was not one of terms.
    ///
    /// [`loss_and_gradient`]: Engine::loss_and_gradient
    fn term_losses(&self) -> &[f64];

    /// Computes the loss of the current parameters on the loaded batch and keeps its gradient.
    ///
    /// # Errors
    /// Returns [`EngineError::NoBatch`] if no batch is loaded, and [`EngineError::Memory`] if the
    /// memory for the gradient cannot be allocated.
    fn loss_and_gradient(&mut self) -> Result<f64, EngineError>;

    /// Updates the parameters.
    ///
    /// # Errors
    /// Returns [`EngineError::NoGradient`] if the update needs a gradient and there is none, and
    /// [`EngineError::NoLayer`] or [`EngineError::Length`] as [`Update::check`] does.
    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError>;

    /// Takes steps of Adam on the loaded batch, as many of those in `run` as suit the engine, and
    /// replaces `best` by the parameters of the smallest loss if it is below that of `best`. The
    /// results are those of single steps, but a device need not answer after each of them; see
    /// [`Capabilities::runs`](crate::Capabilities::runs).
    ///
    /// After a run [`gradient`](Engine::gradient) is the gradient at its last loss. A run on the points
    /// of several steps, by [`load_steps`](Engine::load_steps), compares losses of different points, so
    /// that it neither changes `best` nor ends at a target.
    ///
    /// # Errors
    /// Returns the errors of [`loss_and_gradient`](Engine::loss_and_gradient).
    fn run(
        &mut self,
        run: &AdamRun<'_>,
        best: &mut BestParameters,
    ) -> Result<RunOutcome, EngineError> {
        by_single_steps(self, run, best)
    }

    /// Evaluates Φ at `points`, shape (n, inputs), and writes it to `values`, shape (n, outputs),
    /// both row-major.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length of `points` is not a multiple of the network's
    /// inputs, or `values` does not hold one number per point and output.
    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError>;

    /// Evaluates Φ and its first derivatives with respect to the coordinates at `points`, shape
    /// (n, inputs). `values` has the shape (n, outputs). `derivatives` has the shape
    /// (n, outputs, inputs); its element (p, o, d) is dΦ_o/dx_d at point p. All are row-major.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the length of an array does not fit the network and the
    /// number of points, and [`EngineError::Unsupported`] if the backend does not offer
    /// derivatives.
    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError>;

    /// Evaluates Φ with its first and second derivatives with respect to the coordinates at
    /// `points`, shape (n, inputs). `values` and `derivatives` are as in
    /// [`differentiate`](Engine::differentiate); `hessians` has the shape
    /// (n, outputs, inputs, inputs), and its element (p, o, a, b) is d²Φ_o/dx_a dx_b at point p.
    ///
    /// # Errors
    /// Returns the errors of [`differentiate`](Engine::differentiate), and
    /// [`EngineError::Activation`] if the second derivative of a formula exceeds its limits.
    fn differentiate_twice(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
        hessians: &mut [f32],
    ) -> Result<(), EngineError>;

    /// Copies the parameters into `parameters`, which is resized.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if they cannot be read from a device.
    fn copy_parameters(&self, parameters: &mut Vec<f32>) -> Result<(), EngineError>;

    /// A copy of the parameters.
    ///
    /// # Errors
    /// Returns the error of [`copy_parameters`](Engine::copy_parameters).
    fn parameters(&self) -> Result<Vec<f32>, EngineError> {
        let mut parameters = Vec::new();
        self.copy_parameters(&mut parameters)?;
        Ok(parameters)
    }

    /// Replaces the parameters.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one number per weight and bias.
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError>;

    /// The gradient of the last [`loss_and_gradient`](Engine::loss_and_gradient).
    ///
    /// # Errors
    /// Returns [`EngineError::NoGradient`] if there is none, and [`EngineError::Memory`] if an
    /// allocation fails.
    fn gradient(&self) -> Result<Vec<f32>, EngineError>;

    /// A copy of the state of [`Update::Adam`]: zeros before the first step.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if it cannot be read from a device.
    fn adam_memory(&self) -> Result<AdamMemory, EngineError>;

    /// Replaces the state of [`Update::Adam`].
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one number per weight and bias.
    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError>;

    /// Access to the curvature of the loss, or `None` if the backend does not offer
    /// [`Capabilities::curvature`](crate::Capabilities::curvature).
    fn curvature(&mut self) -> Option<&mut dyn Curvature>;
}

/// A mutable reference to an engine is an engine, so that training can borrow one.
impl<E: Engine + ?Sized> Engine for &mut E {
    fn network(&self) -> &Network {
        (**self).network()
    }

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        (**self).load_batch(batch)
    }

    fn load_steps(&mut self, batch: &Batch<'_>, size: usize) -> Result<(), EngineError> {
        (**self).load_steps(batch, size)
    }

    fn load_terms(&mut self, batch: &TermBatch<'_>) -> Result<(), EngineError> {
        (**self).load_terms(batch)
    }

    fn term_losses(&self) -> &[f64] {
        (**self).term_losses()
    }

    fn loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        (**self).loss_and_gradient()
    }

    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError> {
        (**self).apply(update)
    }

    fn run(
        &mut self,
        run: &AdamRun<'_>,
        best: &mut BestParameters,
    ) -> Result<RunOutcome, EngineError> {
        (**self).run(run, best)
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

    fn differentiate_twice(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
        hessians: &mut [f32],
    ) -> Result<(), EngineError> {
        (**self).differentiate_twice(points, values, derivatives, hessians)
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) -> Result<(), EngineError> {
        (**self).copy_parameters(parameters)
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        (**self).set_parameters(parameters)
    }

    fn gradient(&self) -> Result<Vec<f32>, EngineError> {
        (**self).gradient()
    }

    fn adam_memory(&self) -> Result<AdamMemory, EngineError> {
        (**self).adam_memory()
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        (**self).set_adam_memory(memory)
    }

    fn curvature(&mut self) -> Option<&mut dyn Curvature> {
        (**self).curvature()
    }
}

/// An update of the parameters, for [`Engine::apply`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Update<'a> {
    /// One step of Adam with the gradient of the last `loss_and_gradient`.
    Adam {
        /// β₁, β₂ and ε.
        constants: Adam,
        /// The learning rate.
        learning_rate: f64,
        /// Layers, counted from 0, whose weights (not biases) this step leaves unchanged, along
        /// with the state of Adam for them, because another update changes them.
        except_weights_of: &'a [usize],
    },
    /// W ← W - rate · D for the weights W of one layer.
    Displace {
        /// The layer, counted from 0.
        layer: usize,
        /// D, shape (fan-out, fan-in), row-major.
        direction: &'a [f32],
        /// The factor of the direction.
        rate: f32,
    },
}

impl Update<'_> {
    /// One step of Adam for all parameters.
    pub fn adam(constants: Adam, learning_rate: f64) -> Self {
        Self::Adam { constants, learning_rate, except_weights_of: &[] }
    }

    /// Checks that the update fits `network`.
    ///
    /// # Errors
    /// Returns [`EngineError::NoLayer`] if the network has no layer with one of the indices, and
    /// [`EngineError::Length`] if a direction does not hold one number per weight of its layer.
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
