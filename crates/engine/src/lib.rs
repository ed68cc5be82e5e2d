//! Training steps of coordinate networks.
//!
//! An [`Engine`] owns a network's parameters and its Adam state. Points and targets go in, the loss
//! comes out, the parameters move; that is the whole boundary. Two engines implement it:
//!
//! - [`ReferenceEngine`]: plain loops in double precision, the specification;
//! - [`CpuEngine`]: float32, several threads, a tile of points taken through all layers forward and
//!   back while it stays in cache. The same bytes for any number of threads.
//!
//! An [`Ensemble`] trains many networks side by side. [`DenseLayers`] pushes a batch through single layers, for experiments on networks too deep to
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
mod curvature;
mod ensemble;
mod loss;
mod reference;

pub use adam::Adam;
pub use batch::{Batch, EngineError};
pub use cpu::{CpuEngine, DenseLayers, InstructionSet, peak_gflops, thread_count};
pub use curvature::{AdamMemory, LayerCurvature};
pub use ensemble::Ensemble;
pub use loss::Loss;
pub use reference::{ReferenceEngine, reference_gradient};

use vi3nr::Network;

/// Compiles and runs the example of README.md with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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

    /// Φ and its first derivatives by the coordinates at `points`, shape (n, inputs): `values` has the
    /// shape (n, outputs), `derivatives` (n, outputs, inputs), element (p, o, d) being dΦ_o/dx_d.
    ///
    /// # Errors
    /// The lengths do not fit the network or each other.
    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError>;

    /// Copies the parameters, in the order of [`Network::layers`], into `parameters`.
    fn copy_parameters(&self, parameters: &mut Vec<f32>);

    /// Puts `parameters`, in the order of [`Network::layers`], in the place of the present ones.
    ///
    /// # Errors
    /// Not one number per weight and bias.
    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError>;

    /// The gradient of the last `backpropagate`, in the order of [`Network::layers`].
    fn gradient(&self) -> Vec<f32>;

    /// Every layer's curvature factors over `points`, shape (n, inputs), with what is propagated
    /// back from the outputs given by `signs`, shape (n, outputs). The gradient that `backpropagate`
    /// left is not touched.
    ///
    /// # Errors
    /// Lengths that do not fit the network or each other, no points, memory that cannot be had.
    fn curvature(
        &mut self,
        points: &[f32],
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError>;

    /// J·d for each of `directions` d, all in the order of [`Network::layers`]: how fast the values
    /// at `points`, shape (n, inputs), change along d, shape (n, outputs).
    ///
    /// # Errors
    /// Lengths that do not fit the network, no points, memory that cannot be had.
    fn tangents(
        &mut self,
        points: &[f32],
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError>;

    /// A copy of what `adam_step` remembers.
    fn adam_memory(&self) -> AdamMemory;

    /// Replaces what `adam_step` remembers.
    ///
    /// # Errors
    /// Not one number per weight and bias.
    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError>;
}
