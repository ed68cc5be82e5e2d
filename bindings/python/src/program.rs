//! The `vi3nr` command.

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::prelude::*;

/// Runs the command line `words`, the first of which is the name of the program, and returns the exit
/// code. `program` is the file that a sweep starts for its trials.
#[pyfunction]
pub(crate) fn run_program(py: Python<'_>, words: Vec<OsString>, program: PathBuf) -> u8 {
    py.detach(|| vi3nr_cli::run(words, program))
}
