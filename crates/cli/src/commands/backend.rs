//! The backend of the commands that evaluate a model.

use vi3nr_inr::backend::{OpenBackend, Workload};
use vi3nr_inr::model_file::Model;

use crate::arguments::BackendArguments;
use crate::output::{Failure, is_verbose, note};

/// The backend that `arguments` ask for, to evaluate `model` with `threads` threads. A choice that was
/// made by a measurement is noted.
pub(super) fn open(
    arguments: &BackendArguments,
    threads: Option<usize>,
    model: &Model,
) -> Result<OpenBackend, Failure> {
    let opened = OpenBackend::of(&arguments.request(threads), || Workload::of_model(model))?;
    if arguments.backend.is_some_and(|choice| choice.name().is_none()) || is_verbose() {
        note(&opened.line());
    }
    Ok(opened)
}
