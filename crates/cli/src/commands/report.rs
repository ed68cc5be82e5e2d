//! `vi3nr report`: results as one HTML file.

use std::path::Path;

use serde_json::json;
use vi3nr_inr::request::EngineName;
use vi3nr_inr::run::backend;
use vi3nr_lab::report::{Page, ReportError, of_repro, of_run, of_sweep};
use vi3nr_lab::sweep::{Store, SweepPaths};

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
        let backend = backend(EngineName::Cpu, None).map_err(Failure::failed)?;
        of_run(result, &*backend).map_err(failure)?
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
