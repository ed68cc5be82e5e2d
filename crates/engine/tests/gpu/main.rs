//! Engines of GPUs against the reference, and the errors of naive float32 loops on the same problems.
//!
//! The tests run on the device that `VI3NR_DEVICE` names, else on a software device, and are counted as
//! skipped where there is none.
#![cfg(feature = "gpu")]

#[path = "../common/mod.rs"]
mod common;
mod curvature;
#[path = "../common/gpu.rs"]
mod gpu_backend;
#[path = "../common/naive.rs"]
mod naive;
mod support;
mod terms;
mod training;
mod values;
