//! `vi3nr report`: results as one HTML file.

use std::path::Path;

use clap::Parser;
use serde_json::json;
use vi3nr_inr::run_directory::MODEL_FILE;
use vi3nr_inr::{Image, Model, RunDirectory, SignalInfo, test_picture};
use vi3nr_lab::report::{Page, Picture, ReportError, of_repro, of_run, of_sweep, side_by_side};
use vi3nr_lab::sweep::{Places, Store};

use super::{fit, picture, sweep};
use crate::Done;
use crate::arguments::{Arguments, Command, ReportArguments};
use crate::output::{Failure, print};

/// Makes the report of whatever is there.
pub(crate) fn run(arguments: &ReportArguments) -> Done {
    let result = &arguments.result;
    let page = if result.is_file() {
        sweep_page(result)?
    } else if result.join("run.json").is_file() {
        of_run(result, compared(result).unwrap_or_default()).map_err(failure)?
    } else {
        of_repro(result).map_err(failure)?
    };
    page.save(&arguments.out).map_err(failure)?;
    let out = &arguments.out;
    print(arguments.json, &json!({ "report": out }), &format!("{}\n", out.display()))
}

fn sweep_page(file: &Path) -> Result<Page, Failure> {
    let plan = sweep::read(file)?;
    let places = Places::of(file, None);
    let store = Store::open_existing(&places.database).map_err(Failure::unusable)?;
    of_sweep(&plan, &store).map_err(failure)
}

/// The picture that a run was fitted to beside what the network made of it, if it still is where it
/// was.
fn compared(directory: &Path) -> Option<Vec<Picture>> {
    let model = Model::load(&directory.join(MODEL_FILE)).ok()?;
    if !matches!(model.signal, SignalInfo::Image(_)) {
        return None;
    }
    let (_, before) = RunDirectory::open(directory).ok()?;
    let words = ["vi3nr", "fit"].map(str::to_owned).into_iter().chain(before.words);
    let Command::Fit(typed) = Arguments::try_parse_from(words).ok()?.command else { return None };
    let truth = match typed.file {
        None => test_picture(fit::TEST_PICTURE_SIDE).ok()?,
        Some(file) => {
            let options = picture::recall(&model.settings["source"]);
            Image::open(&before.folder.join(file), &options).ok()?
        }
    };
    side_by_side(&truth, &model).ok()
}

/// What is no result is the request's fault.
fn failure(error: ReportError) -> Failure {
    match error {
        ReportError::Write(_) | ReportError::Chart(_) => Failure::failed(error),
        error => Failure::unusable(error),
    }
}
