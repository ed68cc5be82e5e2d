//! `vi3nr eval`: how well a model reproduces a signal.

use vi3nr_inr::{EvaluateError, evaluate};

use super::model;
use super::signal::Source;
use crate::Done;
use crate::arguments::EvalArguments;
use crate::output::{Failure, print};

/// Compares and prints.
pub(crate) fn run(arguments: &EvalArguments) -> Done {
    let model = model::load(&arguments.model)?;
    let file = &arguments.against;
    let remembered = &model.settings["source"];
    let truth = Source::against(arguments)?.open_like(file, &model.signal, remembered)?;
    let metrics =
        evaluate(&model, &*truth, arguments.common.threads).map_err(|error| match error {
            EvaluateError::Shape { .. } => {
                Failure::Unusable(format!("'{}': {error}", file.display()))
            }
            error => Failure::failed(error),
        })?;
    print(arguments.common.json, &metrics, &metrics.lines())
}
