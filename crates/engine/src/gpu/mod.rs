//! Training on GPUs through Vulkan and Metal (feature `gpu`).
//!
//! [`devices`] lists the GPUs of the machine, and [`GpuBackend`] opens one of them.

mod backend;
mod device;

pub use backend::GpuBackend;
pub use device::{DeviceInfo, DeviceKind, devices, no_driver};
