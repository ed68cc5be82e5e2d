//! The compiled part of the Python package `vi3nr`.
//!
//! It translates between Python and the library and holds neither numerics nor decisions: settings
//! are a [`FitRequest`](vi3nr_inr::request::FitRequest), as on the command line. Everything that
//! computes runs without the global interpreter lock.

mod backend;
mod engine;
mod error;
mod fit;
mod model;
mod program;
mod theory;

/// The compiled part of vi3nr.
#[pyo3::pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::backend::devices;
    #[pymodule_export]
    use super::engine::Engine;
    #[pymodule_export]
    use super::fit::{Signal, fit, resume};
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::program::run_program;
    #[pymodule_export]
    use super::theory::{activations, definition, function_gain, gain, propagate, schemes, solve};

    /// The version of the package.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
