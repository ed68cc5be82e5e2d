//! Training steps of coordinate networks.
//!
//! An [`Engine`] owns a network's parameters and its Adam state. Points and targets go in, the loss
//! comes out, the parameters move; that is the whole boundary. Two engines implement it:
//!
//! - [`ReferenceEngine`]: plain loops in double precision, the specification;
//! - [`CpuEngine`]: float32, several threads, a tile of points taken through all layers forward and
//!   back while it stays in cache. The same bytes for any number of threads.
//!
//! [`DenseLayers`] pushes a batch through single layers, for experiments on networks too deep to
//! train.
//!
//! ```
//! use vi3nr::Network;
//! use vi3nr_engine::{Adam, Batch, CpuEngine, Engine};
//!
//! let network = Network::uniform(1, 16, 3, 1, "sine:omega=3".parse()?)?;
//! let points: Vec<f32> = (0..64).map(|i| i as f32 / 32.0 - 1.0).collect();
//! let targets: Vec<f32> = points.iter().map(|x| x * x).collect();
//! let batch = Batch::new(&network, &points, &targets)?;
//!
//! let start: Vec<f32> = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.3).collect();
//! let mut engine = CpuEngine::new(&network, &start, Some(1))?;
//! let first = engine.backpropagate(&batch);
//! for _ in 0..200 {
//!     engine.adam_step(&Adam::default(), 1e-2);
//!     engine.backpropagate(&batch);
//! }
//! assert!(engine.backpropagate(&batch) < 0.01 * first);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adam;
mod batch;
mod cpu;
mod loss;
mod reference;

pub use adam::Adam;
pub use batch::{Batch, EngineError};
pub use cpu::{CpuEngine, DenseLayers, InstructionSet, peak_gflops};
pub use loss::Loss;
pub use reference::{ReferenceEngine, reference_gradient};

use vi3nr::Network;

/// A network in training.
///
/// The loss is a mean over points and outputs, of (Φ(x) - y)² unless the [`Batch`] says otherwise. A
/// step is `backpropagate`, which leaves the parameters alone, followed by `adam_step`, which moves
/// them by the gradient just found; between the two the caller knows the loss of the parameters it
/// can still copy.
pub trait Engine: Send {
    /// The shape of the network.
    fn network(&self) -> &Network;

    /// The loss of the present parameters on `batch`; its gradient is kept for `adam_step`.
    ///
    /// The batch must have been made for this engine's network.
    fn backpropagate(&mut self, batch: &Batch<'_>) -> f64;

    /// Moves the parameters by one step of Adam along the gradient of the last `backpropagate`.
    fn adam_step(&mut self, adam: &Adam, learning_rate: f64);

    /// Φ at `points`, shape (n, inputs), written to `values`, shape (n, outputs), both row-major.
    ///
    /// # Errors
    /// The lengths do not fit the network or each other.
    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError>;

    /// Copies the parameters, in the order of [`Network::layers`], into `parameters`.
    fn copy_parameters(&self, parameters: &mut Vec<f32>);

    /// The gradient of the last `backpropagate`, in the order of [`Network::layers`].
    fn gradient(&self) -> Vec<f32>;
}
