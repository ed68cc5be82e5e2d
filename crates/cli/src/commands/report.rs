//! `vi3nr report`: results as one HTML file.

use std::path::Path;

use serde_json::json;
use vi3nr_engine::Workers;
use vi3nr_inr::backend::{BackendName, OpenBackend};
use vi3nr_inr::model_file::Model;
use vi3nr_lab::report::{Page, ReportError, of_repro, of_run, of_sweep};
use vi3nr_lab::sweep::{Store, SweepPaths};

use super::backend::open;
use super::sweep;
use crate::CommandResult;
use crate::arguments::ReportArguments;
use crate::output::{Failure, print};

/// Makes the report of whatever is there.
pub(crate) fn run(arguments: &ReportArguments) -> CommandResult {
    let result = &arguments.result;
    let page = if result.is_file() {
        sweep_page(result)?
    } else if result.join("run.json").is_file() {
        of_run(result, &*backend(arguments)?.backend).map_err(failure)?
    } else {
        of_repro(result).map_err(failure)?
    };
    page.save(&arguments.out).map_err(failure)?;
    let out = &arguments.out;
    print(
        arguments.json,
        &json!({ "report": out.to_string_lossy() }),
        &format!("{}\n", out.display()),
    )
}

/// The backend that evaluates the model of a run. Of a run without one, nothing is evaluated.
fn backend(arguments: &ReportArguments) -> Result<OpenBackend, Failure> {
    match Model::load(&arguments.result) {
        Ok(model) => open(&arguments.backend, None, &model),
        Err(_) => {
            let workers = Workers::new(None).map_err(Failure::failed)?;
            OpenBackend::named(BackendName::Cpu, None, &workers).map_err(Failure::failed)
        }
    }
}

fn sweep_page(file: &Path) -> Result<Page, Failure> {
    let plan = sweep::read(file)?;
    let paths = SweepPaths::of(file, None);
    let store = Store::open_existing(&paths.database).map_err(Failure::usage)?;
    of_sweep(&plan, &store).map_err(failure)
}

/// What is not a result is the request's fault.
fn failure(error: ReportError) -> Failure {
    match error {
        ReportError::Write(_) | ReportError::Chart(_) | ReportError::Evaluate(_) => {
            Failure::failed(error)
        }
        error => Failure::usage(error),
    }
}
