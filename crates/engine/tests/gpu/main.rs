//! Engines of GPUs against the reference.
#![cfg(feature = "gpu")]

mod curvature;
mod support;
mod terms;
mod training;
mod values;
