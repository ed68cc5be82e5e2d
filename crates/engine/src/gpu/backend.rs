//! The backend of GPUs.

use std::sync::Arc;

use vi3nr::Network;

use super::GpuEngine;
use super::device::{Device, DeviceInfo};
use super::networks::Context;
use crate::{Backend, Capabilities, Engine, EngineError, Workers};

/// The backend of GPU engines. Its engines share one open device.
#[derive(Debug, Clone)]
pub struct GpuBackend {
    context: Context,
    workers: Arc<Workers>,
}

impl GpuBackend {
    /// Opens the device number `device` of [`devices`](super::devices), or, if `None`, the first that
    /// is usable and not software. `workers` are the threads of all computation outside the engines.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if there is none or it cannot be opened.
    pub fn open(device: Option<usize>, workers: Arc<Workers>) -> Result<Self, EngineError> {
        let context = Context { device: Device::open(device)?, cache: Arc::default() };
        Ok(Self { context, workers })
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
        Ok(Box::new(GpuEngine::new(&self.context, network, parameters)?))
    }

    fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        let backend = |workers| Box::new(Self { context: self.context.clone(), workers }) as _;
        Ok(self.workers.shares(count)?.into_iter().map(backend).collect())
    }
}
