//! Engines of GPUs against the reference.
#![cfg(feature = "gpu")]

mod support;
mod terms;
mod values;
