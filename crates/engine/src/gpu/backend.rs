//! The backend of GPUs.

use std::sync::Arc;

use vi3nr::Network;

use super::device::{Device, DeviceInfo};
use crate::{Backend, Capabilities, Engine, EngineError, Workers};

/// The backend of GPU engines. Its engines share one open device.
#[derive(Debug, Clone)]
pub struct GpuBackend {
    device: Arc<Device>,
    workers: Arc<Workers>,
}

impl GpuBackend {
    /// Opens the device number `device` of [`devices`](super::devices), or, if `None`, the first that
    /// is usable and not software. `workers` are the threads of all computation outside the engines.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if there is none or it cannot be opened.
    pub fn open(device: Option<usize>, workers: Arc<Workers>) -> Result<Self, EngineError> {
        Ok(Self { device: Device::open(device)?, workers })
    }

    /// The device.
    pub fn device(&self) -> &DeviceInfo {
        self.device.info()
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn engine(&self, _: &Network, _: &[f32]) -> Result<Box<dyn Engine>, EngineError> {
        Err(EngineError::Unsupported { backend: self.name(), missing: "training yet" })
    }

    fn workers(&self) -> &Arc<Workers> {
        &self.workers
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        let backend = |workers| Box::new(Self { device: Arc::clone(&self.device), workers }) as _;
        Ok(self.workers.shares(count)?.into_iter().map(backend).collect())
    }

    fn device_name(&self) -> Option<&str> {
        Some(&self.device.info().name)
    }
}
