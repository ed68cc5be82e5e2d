//! Training on GPUs through Vulkan and Metal (feature `gpu`).
//!
//! [`devices`] lists the GPUs of the machine, and [`GpuBackend`] opens one of them.

mod arena;
mod backend;
mod batch;
mod device;
mod engine;
mod kernels;
mod layout;
mod networks;
mod passes;
mod peak;
mod tile;
mod wgsl;

#[cfg(test)]
mod tests;

pub use backend::GpuBackend;
pub use device::{DeviceInfo, DeviceKind, devices, no_driver};
pub use engine::GpuEngine;
