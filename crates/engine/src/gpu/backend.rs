//! The backend of GPUs.

use std::sync::Arc;

use vi3nr::Network;

use super::GpuEngine;
use super::arena::Pool;
use super::device::{Checks, Device, DeviceInfo};
use super::networks::Context;
use crate::{Backend, Capabilities, Engine, EngineError, Workers};

/// The number of small networks that are trained at the same time, so that their workgroups fill a
/// large GPU: a piece of a photograph has about 60 of them, an H100 132 processors.
const NETWORKS_SIDE_BY_SIDE: usize = 16;

/// The backend of GPU engines. Its engines share one open device.
#[derive(Debug, Clone)]
pub struct GpuBackend {
    context: Context,
    workers: Arc<Workers>,
    /// What backends side by side have in common.
    pool: Option<Arc<Pool>>,
}

impl GpuBackend {
    /// Opens the device number `device` of [`devices`](super::devices), or, if `None`, the first that
    /// is usable and not software. `workers` are the threads of all computation outside the engines.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if there is none or it cannot be opened.
    pub fn open(device: Option<usize>, workers: Arc<Workers>) -> Result<Self, EngineError> {
        let context = Context::new(Device::open(device)?, Checks::None);
        Ok(Self { context, workers, pool: None })
    }

    /// The same backend with another limit for the size of the points and targets, in bytes, that stay
    /// on the device. Larger batches are copied to it in parts at each step. The default is 1 GiB, or
    /// the largest buffer of the device if that is smaller.
    pub fn with_max_resident_bytes(&self, bytes: u64) -> Self {
        let bytes = bytes.min(self.context.device.info().buffer_bytes);
        Self {
            context: Context { max_resident_bytes: bytes, ..self.context.clone() },
            ..self.clone()
        }
    }

    /// The device.
    pub fn device(&self) -> &DeviceInfo {
        self.context.device.info()
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { runs: true, ..Capabilities::ALL }
    }

    fn engine(
        &self,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(GpuEngine::new(&self.context, self.pool.clone(), network, parameters)?))
    }

    fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    fn networks_side_by_side(&self) -> usize {
        self.workers.threads().max(NETWORKS_SIDE_BY_SIDE)
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        let pool = Some(Arc::new(Pool::new(count)));
        let backend = |workers| {
            let (context, pool) = (self.context.clone(), pool.clone());
            Box::new(Self { context, workers, pool }) as _
        };
        Ok(self.workers.shares(count)?.into_iter().map(backend).collect())
    }

    /// The peak rate of the device: what a kernel of `fma` alone reaches, as the best of several
    /// launches of about 20 ms, including the time to start them. It is not the number that a
    /// vendor states: some drivers compute `fma` by two instructions, and clock frequencies vary.
    fn peak_gflops(&self) -> Result<f64, EngineError> {
        super::peak::peak_gflops(&self.context.device, &self.context.cache)
    }

    fn device_name(&self) -> Option<&str> {
        Some(&self.device().name)
    }
}
