//! Who makes engines: the one choice between kinds of hardware or arithmetic.

use std::fmt::Debug;
use std::sync::Arc;

use vi3nr::Network;

use crate::{CpuEngine, Engine, EngineError, ReferenceEngine, Workers};

/// A kind of engine together with the threads that a fit runs on. Made once for a fit and handed to
/// whatever evaluates or trains networks.
///
/// ```
/// use vi3nr::Network;
/// use vi3nr_engine::{Backend, CpuBackend};
///
/// let backend: &dyn Backend = &CpuBackend::new(Some(1))?;
/// let network = Network::uniform(1, 16, 3, 1, "sine:omega=3".parse()?)?;
/// let mut engine = backend.engine(&network, &vec![0.1; network.parameter_count()])?;
/// let mut values = [0.0; 2];
/// engine.evaluate(&[-0.5, 0.5], &mut values)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Backend: Send + Sync + Debug {
    /// One word for files and messages, such as `cpu`.
    fn name(&self) -> &'static str;

    /// What its engines can do.
    fn capabilities(&self) -> Capabilities;

    /// An engine for `network` that starts from `parameters`, in the order of [`Network::layers`].
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one parameter per weight and bias,
    /// [`EngineError::Memory`] or [`EngineError::Threads`] if the machine does not give what is
    /// needed.
    fn engine(&self, network: &Network, parameters: &[f32])
    -> Result<Box<dyn Engine>, EngineError>;

    /// The threads for all that is not an engine's.
    fn workers(&self) -> &Arc<Workers>;

    /// Backends of the same kind for `count` networks that are trained at the same time, each with an
    /// equal share of this one's threads, at least one.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if they cannot be started.
    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError>;
}

/// What the engines of a backend can do. Nothing, unless a backend says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// [`Engine::curvature`] gives something.
    pub curvature: bool,
    /// [`Engine::differentiate`] works.
    pub derivatives: bool,
    /// Every result has the same bytes for any number of threads.
    pub thread_invariant: bool,
}

impl Capabilities {
    /// All of them.
    const ALL: Self = Self { curvature: true, derivatives: true, thread_invariant: true };
}

/// Makes [`CpuEngine`]s that share their threads.
#[derive(Debug, Clone)]
pub struct CpuBackend {
    workers: Arc<Workers>,
}

impl CpuBackend {
    /// The backend with workers of its own, `threads` or one per core.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if they cannot be started.
    pub fn new(threads: Option<usize>) -> Result<Self, EngineError> {
        Ok(Self::with_workers(Workers::new(threads)?))
    }

    /// The backend on workers that exist already.
    pub fn with_workers(workers: Arc<Workers>) -> Self {
        Self { workers }
    }
}

impl Backend for CpuBackend {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL
    }

    fn engine(
        &self,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(CpuEngine::on_workers(network, parameters, &self.workers)?))
    }

    fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        let shares = self.workers.shares(count)?.into_iter();
        Ok(shares.map(|workers| Box::new(Self::with_workers(workers)) as _).collect())
    }
}

/// Makes [`ReferenceEngine`]s, each of which runs on the thread that calls it.
#[derive(Debug, Clone)]
pub struct ReferenceBackend {
    workers: Arc<Workers>,
}

impl ReferenceBackend {
    /// The backend with workers of its own, `threads` or one per core, for all but the engines.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if they cannot be started.
    pub fn new(threads: Option<usize>) -> Result<Self, EngineError> {
        Ok(Self::with_workers(Workers::new(threads)?))
    }

    /// The backend on workers that exist already.
    pub fn with_workers(workers: Arc<Workers>) -> Self {
        Self { workers }
    }
}

impl Backend for ReferenceBackend {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL
    }

    fn engine(
        &self,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(ReferenceEngine::new(network, parameters)?))
    }

    fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        let shares = self.workers.shares(count)?.into_iter();
        Ok(shares.map(|workers| Box::new(Self::with_workers(workers)) as _).collect())
    }
}
