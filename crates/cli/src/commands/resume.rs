//! `vi3nr fit --resume`: runs that go on.

use std::path::Path;

use clap::Parser;
use vi3nr_inr::backend::OpenBackend;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Run, resumed_request, with_own_weights};
use vi3nr_inr::run_directory::{RunDirectory, StartingCommand, StoredRun};

use crate::arguments::{Arguments, Command};
use crate::output::Failure;

/// The request that a run which is resumed prepares, without anything being written.
pub(super) fn request(path: &Path, changes: &FitRequest) -> Result<FitRequest, Failure> {
    let stored = RunDirectory::read(path)?;
    let request = resumed_request(path, &stored, &first_request(path, &stored)?, changes)?;
    Ok(with_own_weights(&request, &stored))
}

/// The run in `path` with the settings of `changes`, and the backend that it runs on.
pub(super) fn resume(
    path: &Path,
    changes: &FitRequest,
    threads: Option<usize>,
) -> Result<(Run, OpenBackend), Failure> {
    let (directory, stored) = RunDirectory::open(path)?;
    let request = first_request(path, &stored)?;
    Ok(Run::reopen(directory, &stored, &request, changes, threads)?)
}

/// The request that began the run in `path`, of this version or the one before.
fn first_request(path: &Path, stored: &StoredRun) -> Result<FitRequest, Failure> {
    match stored {
        StoredRun::Current(record) => Ok(record.request.clone()),
        StoredRun::Version1(run) => of_command(path, &run.command),
    }
}

/// The request that a command line of version 1 made.
fn of_command(path: &Path, command: &StartingCommand) -> Result<FitRequest, Failure> {
    let words = ["vi3nr", "fit"].map(str::to_owned).into_iter().chain(command.words.clone());
    match Arguments::try_parse_from(words).map(|arguments| arguments.command) {
        Ok(Command::Fit(arguments)) => {
            let mut request = arguments.options();
            request.file = request.file.map(|file| command.folder.join(file));
            Ok(request)
        }
        Ok(_) => Err(Failure::Usage(format!("'{}' is not a fit", path.display()))),
        Err(error) => Err(Failure::Usage(error.render().to_string())),
    }
}
