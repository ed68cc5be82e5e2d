//! Experiments with many fits: sweeps, the paper's experiments, reports and benchmarks.
//!
//! - [`request_file`] reads the request of one fit from a file.
//! - [`sweep`] runs many fits and compares them.
//! - [`mod@propagate`] measures the variance of preactivations and gradients in deep networks.
//! - [`mod@repro`] reproduces the paper's tables and figures and compares the numbers.
//! - [`report`] writes a run, a sweep or a reproduction as one HTML file.
//! - [`mod@bench`] measures the speed of the engine and the work that optimizers need.
//! - [`tensorboard`] writes the steps of a run as a TensorBoard event file.

pub mod bench;
mod field;
pub mod propagate;
pub mod report;
pub mod repro;
pub mod request_file;
mod spread;
pub mod sweep;
pub mod tensorboard;
