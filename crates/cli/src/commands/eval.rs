//! `vi3nr eval`: how well a model reproduces a signal.

use vi3nr_inr::{EvaluateError, ShapeOptions, evaluate};

use super::model;
use super::signal::Typed;
use crate::Done;
use crate::arguments::EvalArguments;
use crate::output::{Failure, print};

/// Compares and prints.
pub(crate) fn run(arguments: &EvalArguments) -> Done {
    let model = model::load(&arguments.model)?;
    let file = arguments.file.as_ref().or(arguments.against.as_ref());
    let file = file.ok_or_else(|| Failure::Unusable("expected a FILE to compare with".into()))?;
    let shape = ShapeOptions { grid: arguments.grid, ..ShapeOptions::default() };
    let typed =
        Typed { picture: &arguments.picture, sound: &arguments.sound, shape, any_of_shape: false };
    let truth = typed.open_like(file, &model)?;
    let metrics =
        evaluate(&model, &*truth, arguments.common.threads).map_err(|error| match error {
            EvaluateError::Shape { .. } => {
                Failure::Unusable(format!("'{}': {error}", file.display()))
            }
            error => Failure::failed(error),
        })?;
    print(arguments.common.json, &metrics, &metrics.lines())
}
