//! Finding and loading a model.

use std::path::{Path, PathBuf};

use vi3nr_inr::Model;
use vi3nr_inr::run_directory::MODEL_FILE;

use crate::output::Failure;

/// The model file that was meant: the path itself, or the model of a run directory.
pub(crate) fn path(typed: &Path) -> PathBuf {
    if typed.is_dir() { typed.join(MODEL_FILE) } else { typed.to_owned() }
}

/// Loads the model at `typed`, a file or a run directory.
pub(crate) fn load(typed: &Path) -> Result<Model, Failure> {
    Model::load(&path(typed)).map_err(Failure::unusable)
}
