//! The GPUs of the machine.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use vi3nr_engine::{Backend, EngineError, Workers};

/// A GPU, or a driver that computes on the CPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Device {
    /// The number of the device, counted from 0.
    pub index: usize,
    /// The name of the device.
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// The interface, `Vulkan` or `Metal`.
    pub interface: &'static str,
    /// The name and version of the driver.
    pub driver: String,
    /// The largest buffer that a kernel can use, in bytes.
    pub buffer_bytes: u64,
    /// The memory that the invocations of a workgroup share, in bytes.
    pub workgroup_bytes: u32,
    /// The largest number of invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Why the device cannot be used, or `None` if it can be.
    pub problem: Option<String>,
}

impl fmt::Display for Device {
    /// Writes the name, the interface and the driver.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, interface, driver, .. } = self;
        match driver.as_str() {
            "" => write!(f, "{name} ({interface})"),
            driver => write!(f, "{name} ({interface}, {driver})"),
        }
    }
}

/// An open GPU.
pub(super) struct OpenGpu {
    pub(super) backend: Box<dyn Backend>,
    pub(super) device: Device,
}

#[cfg(feature = "gpu")]
mod gpu {
    use vi3nr_engine::gpu::{self, DeviceInfo, GpuBackend};

    use super::{Arc, Device, EngineError, OpenGpu, Workers};

    impl From<&DeviceInfo> for Device {
        fn from(info: &DeviceInfo) -> Self {
            Self {
                index: info.index,
                name: info.name.clone(),
                kind: info.kind.as_str(),
                interface: info.interface,
                driver: info.driver.clone(),
                buffer_bytes: info.buffer_bytes,
                workgroup_bytes: info.workgroup_bytes,
                workgroup_invocations: info.workgroup_invocations,
                problem: info.problem.clone(),
            }
        }
    }

    pub(super) fn devices() -> Result<Vec<Device>, EngineError> {
        Ok(gpu::devices().iter().map(Device::from).collect())
    }

    pub(super) fn no_driver() -> EngineError {
        gpu::no_driver()
    }

    pub(super) fn open(
        device: Option<usize>,
        workers: &Arc<Workers>,
    ) -> Result<OpenGpu, EngineError> {
        let backend = GpuBackend::open(device, Arc::clone(workers))?;
        let device = Device::from(backend.device());
        Ok(OpenGpu { backend: Box::new(backend), device })
    }
}

#[cfg(not(feature = "gpu"))]
mod gpu {
    use super::{Arc, Device, EngineError, OpenGpu, Workers};

    pub(super) fn devices() -> Result<Vec<Device>, EngineError> {
        Err(no_driver())
    }

    pub(super) fn no_driver() -> EngineError {
        EngineError::Device {
            seen: "this build has no GPU support".into(),
            expected: "a build with the feature gpu".into(),
        }
    }

    pub(super) fn open(_: Option<usize>, _: &Arc<Workers>) -> Result<OpenGpu, EngineError> {
        Err(no_driver())
    }
}

/// The devices that the drivers of the machine offer, software among them. The list is empty if there
/// is no driver.
///
/// # Errors
/// Returns [`EngineError::Device`] if the program was built without the feature `gpu`.
pub fn devices() -> Result<Vec<Device>, EngineError> {
    gpu::devices()
}

/// The error of a machine for which [`devices`] is empty. It says what to install.
pub fn no_driver() -> EngineError {
    gpu::no_driver()
}

/// Opens the device number `device`, or the first that can be used and is not software.
///
/// # Errors
/// Returns [`EngineError::Device`] if there is none, if it cannot be opened, or if the program was
/// built without the feature `gpu`.
pub(super) fn open_gpu(
    device: Option<usize>,
    workers: &Arc<Workers>,
) -> Result<OpenGpu, EngineError> {
    gpu::open(device, workers)
}
