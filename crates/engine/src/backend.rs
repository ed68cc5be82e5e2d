//! Backends create engines. They are the one choice between kinds of hardware and arithmetic.

use std::fmt::Debug;
use std::sync::Arc;

use vi3nr::Network;

use crate::{CpuEngine, Engine, EngineError, ReferenceEngine, Workers};

/// A kind of engine together with the threads that a fit runs on. A fit creates one backend and
/// passes it to everything that evaluates or trains networks.
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
    /// The name used in files and messages, such as `cpu`.
    fn name(&self) -> &'static str;

    /// What the engines of this backend can do.
    fn capabilities(&self) -> Capabilities;

    /// Creates an engine for `network` with the initial `parameters`, in the order of
    /// [`Network::layers`].
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one parameter per weight and bias,
    /// [`EngineError::Memory`] if an allocation fails, and [`EngineError::Threads`] if the threads
    /// for kernels cannot be started.
    fn engine(&self, network: &Network, parameters: &[f32])
    -> Result<Box<dyn Engine>, EngineError>;

    /// The threads for all computation outside the engines.
    fn workers(&self) -> &Arc<Workers>;

    /// The number of small networks that should be trained at the same time.
    fn networks_side_by_side(&self) -> usize {
        self.workers().threads()
    }

    /// Creates backends of the same kind for `count` networks that are trained at the same time.
    /// Each of them gets an equal share of this backend's number of threads, but at least one
    /// thread.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if they cannot be started.
    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError>;

    /// Measures the peak rate of the device, or of the threads, that the engines compute on, in
    /// GFLOP/s (10⁹ floating-point operations per second): independent float32 multiply-adds on
    /// registers only, each of which counts as two operations.
    ///
    /// The rate varies with the clock frequency and the load. To compare it with that of other work,
    /// alternate the two measurements.
    ///
    /// # Errors
    /// Returns [`EngineError::Unsupported`] if the backend has no such measurement, and
    /// [`EngineError::Device`] or [`EngineError::Memory`] if the device cannot run it.
    fn peak_gflops(&self) -> Result<f64, EngineError> {
        let missing = "a measurement of its peak";
        Err(EngineError::Unsupported { backend: self.name(), missing })
    }

    /// The name of the device that the engines compute on, or `None` if it is the CPU.
    fn device_name(&self) -> Option<&str> {
        None
    }
}

/// What the engines of a backend can do. The default is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// [`Engine::curvature`] returns `Some`.
    pub curvature: bool,
    /// [`Engine::differentiate`] and [`Engine::differentiate_twice`] are available.
    pub derivatives: bool,
    /// [`Engine::load_terms`] is available.
    pub terms: bool,
    /// [`Engine::run`] is faster than single steps, and [`Engine::load_steps`] is available.
    pub runs: bool,
    /// Every result has the same bytes for any number of threads.
    pub thread_invariant: bool,
}

impl Capabilities {
    /// Everything is available, by single steps.
    pub(crate) const ALL: Self = Self {
        curvature: true,
        derivatives: true,
        terms: true,
        runs: false,
        thread_invariant: true,
    };
}

/// The backend of [`CpuEngine`]. Its engines share their threads.
#[derive(Debug, Clone)]
pub struct CpuBackend {
    workers: Arc<Workers>,
}

impl CpuBackend {
    /// Creates a backend with its own workers, `threads` of them or one per core.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if they cannot be started.
    pub fn new(threads: Option<usize>) -> Result<Self, EngineError> {
        Ok(Self::with_workers(Workers::new(threads)?))
    }

    /// Creates a backend that uses existing workers.
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

    /// The sum over the threads; see [`peak_gflops`](crate::peak_gflops()).
    fn peak_gflops(&self) -> Result<f64, EngineError> {
        Ok(crate::peak_gflops(self.workers.threads()))
    }
}

/// The backend of [`ReferenceEngine`]. Each of its engines runs on the calling thread.
#[derive(Debug, Clone)]
pub struct ReferenceBackend {
    workers: Arc<Workers>,
}

impl ReferenceBackend {
    /// Creates a backend with its own workers, `threads` of them or one per core, for everything
    /// but the engines.
    ///
    /// # Errors
    /// Returns [`EngineError::Threads`] if they cannot be started.
    pub fn new(threads: Option<usize>) -> Result<Self, EngineError> {
        Ok(Self::with_workers(Workers::new(threads)?))
    }

    /// Creates a backend that uses existing workers.
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
