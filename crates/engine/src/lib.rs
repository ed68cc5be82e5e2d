//! Training steps of coordinate networks.
//!
//! A [`Backend`] creates [`Engine`]s and owns the [`Workers`], the threads that a whole fit uses.
//! An engine holds a network's parameters. It takes points and targets, computes the loss and its
//! gradient, and updates the parameters. Every machine has two backends:
//!
//! - [`ReferenceBackend`] runs plain loops in double precision. It is the specification that every
//!   other engine is tested against ([`ReferenceEngine`]).
//! - [`CpuBackend`] computes in float32 on several threads. A tile of points passes through all
//!   layers, forward and backward, while it stays in cache. The result has the same bytes for any
//!   number of threads ([`CpuEngine`]).
//!
//! With the feature `gpu` there is a third, `gpu::GpuBackend`, which computes in float32 on GPUs through
//! Vulkan and Metal. [`Engine::run`] takes many steps of Adam in one call there.
//!
//! The loss may also contain derivatives of the network with respect to its coordinates: see
//! [`TermBatch`] and [`Term`].
//!
//! Second-order optimizers use the [`Curvature`] of an engine. An [`Ensemble`] trains many networks
//! in parallel. [`DenseLayers`] applies single layers to a batch, for experiments on networks that
//! are too deep to train.
//!
//! ```
//! use vi3nr::Network;
//! use vi3nr_engine::{Adam, Backend, Batch, CpuBackend, Update};
//!
//! let network = Network::uniform(1, 16, 3, 1, "sine:omega=3".parse()?)?;
//! let points: Vec<f32> = (0..64).map(|i| i as f32 / 32.0 - 1.0).collect();
//! let targets: Vec<f32> = points.iter().map(|x| x * x).collect();
//!
//! let start: Vec<f32> = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.3).collect();
//! let backend = CpuBackend::new(Some(1))?;
//! let mut engine = backend.engine(&network, &start)?;
//! engine.load_batch(&Batch::new(&network, &points, &targets)?)?;
//! let first = engine.loss_and_gradient()?;
//! for _ in 0..200 {
//!     engine.apply(&Update::adam(Adam::default(), 1e-2))?;
//!     engine.loss_and_gradient()?;
//! }
//! assert!(engine.loss_and_gradient()? < 0.01 * first);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adam;
mod backend;
mod batch;
mod channels;
mod cpu;
mod curvature;
mod engine;
mod ensemble;
mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
mod loss;
mod reference;
mod residuals;
mod run;
mod terms;
mod workers;

pub use adam::{Adam, AdamMemory};
pub use backend::{Backend, Capabilities, CpuBackend, ReferenceBackend};
pub use batch::Batch;
pub use cpu::{CpuEngine, DenseLayers, InstructionSet, peak_gflops};
pub use curvature::{Curvature, LayerCurvature, curvature_bytes};
pub use engine::{Engine, Update};
pub use ensemble::Ensemble;
pub use error::EngineError;
pub use loss::Loss;
pub use reference::{ReferenceEngine, reference_gradient, reference_term_gradient};
pub use residuals::Residuals;
pub use run::{AdamRun, BestParameters, RunEnd, RunOutcome};
pub use terms::{Constraint, Power, Term, TermBatch, WeightedTerm};
pub use workers::{MAX_THREADS, Workers, thread_count};

/// Compiles and runs the example in README.md as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
