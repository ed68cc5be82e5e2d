//! `vi3nr eval`: how well a model reproduces a signal.

use vi3nr_inr::evaluate::{EvaluateError, evaluate, open_truth};
use vi3nr_inr::model_file::Model;
use vi3nr_inr::signal::SignalRequest;

use super::backend::open;
use crate::CommandResult;
use crate::arguments::EvalArguments;
use crate::output::{Failure, print, warn};

/// Compares and prints.
pub(crate) fn run(arguments: &EvalArguments) -> CommandResult {
    let model = Model::load(&arguments.model).map_err(Failure::usage)?;
    let file = arguments.file.as_ref().or(arguments.against.as_ref());
    let file = file.ok_or_else(|| Failure::Usage("expected a FILE to compare with".into()))?;
    let mut asked = SignalRequest::default();
    arguments.image.fill(&mut asked);
    arguments.audio.fill(&mut asked);
    let opened = open(&arguments.backend, arguments.common.threads, &model)?;
    let backend = &*opened.backend;
    let truth = backend
        .workers()
        .install(|| open_truth(file, &model, &asked, arguments.grid))
        .map_err(|error| match error {
            EvaluateError::Signal(error) => Failure::from(error),
            error => error.into(),
        })?;
    for warning in truth.warnings() {
        warn(&format!("'{}': {warning}", file.display()));
    }
    let metrics = evaluate(&model, &*truth, backend).map_err(|error| match error {
        EvaluateError::Shape { .. } => Failure::Usage(format!("'{}': {error}", file.display())),
        error => error.into(),
    })?;
    print(arguments.common.json, &metrics, &metrics.lines(false))
}
