//! Runs that go on: what was typed before, and checkpoints on the way.

use std::path::Path;
use std::time::Instant;

use clap::Parser;
use serde_json::Value;
use vi3nr_inr::checkpoint::{Checkpoint, Every};
use vi3nr_inr::run_directory::StartingCommand;
use vi3nr_inr::train::{Progress, TrainState};
use vi3nr_inr::{MetricsLog, RunDirectory};

use crate::arguments::{Arguments, Command, FitArguments};
use crate::output::{Failure, say};

/// Words that say how a run is watched, not what it does.
const PASSING: [&str; 2] = ["--json", "--end-with-input"];

/// The command line of this process, to be kept in its run directory.
pub(super) fn typed() -> Result<StartingCommand, Failure> {
    let words = std::env::args_os().skip(2).map(|word| word.to_string_lossy().into_owned());
    let words = words.filter(|word| !PASSING.contains(&word.as_str())).collect();
    Ok(StartingCommand { folder: std::env::current_dir().map_err(Failure::failed)?, words })
}

/// The run in `path` and its arguments: those that it was begun with, and after them, where they go
/// before these, those typed now.
pub(super) fn recall(
    path: &Path,
    now: &FitArguments,
) -> Result<(RunDirectory, FitArguments), Failure> {
    if now.file.is_some() || now.out.is_some() {
        let reason = "--resume goes on with the run's own FILE, in its own directory; expected \
                      neither FILE nor --out";
        return Err(Failure::Unusable(reason.into()));
    }
    let (directory, before) = RunDirectory::open(path).map_err(Failure::unusable)?;
    let words = ["vi3nr".to_owned(), "fit".to_owned()].into_iter();
    let words = words
        .chain(before.words)
        .chain(std::env::args_os().skip(2).map(|word| word.to_string_lossy().into_owned()));
    match Arguments::try_parse_from(words).map(|arguments| arguments.command) {
        Ok(Command::Fit(mut arguments)) => {
            arguments.file = arguments.file.map(|file| before.folder.join(file));
            Ok((directory, *arguments))
        }
        Ok(_) => Err(Failure::Unusable(format!("'{}' holds no fit", path.display()))),
        Err(error) => Err(Failure::Unusable(error.render().to_string())),
    }
}

/// Writes checkpoints when they are due.
pub(super) struct Checkpoints<'a> {
    directory: &'a RunDirectory,
    identity: Value,
    every: Every,
    /// The step and the time of the last one.
    last: (u64, Instant),
    has_failed: bool,
}

impl<'a> Checkpoints<'a> {
    /// The first is due `every` after the run begins with `step`.
    pub(super) fn new(
        directory: &'a RunDirectory,
        identity: Value,
        every: Every,
        step: u64,
    ) -> Self {
        Self { directory, identity, every, last: (step, Instant::now()), has_failed: false }
    }

    /// Writes one if it is due or the run ends here. A disk that is full ends no training.
    pub(super) fn note(
        &mut self,
        progress: &Progress,
        state: &dyn Fn() -> TrainState,
        log: &MetricsLog,
        ends_here: bool,
    ) {
        let (step, time) = self.last;
        if !ends_here && !self.every.is_due(progress.step - step, time.elapsed()) {
            return;
        }
        let (settings, log) = (self.identity.clone(), log.rows().to_vec());
        let checkpoint = Checkpoint { settings, state: state(), log };
        if let Err(error) = checkpoint.save(&self.directory.checkpoint_path()) {
            if !self.has_failed {
                say(&format!("warning: no checkpoint: {error}"));
            }
            self.has_failed = true;
        }
        self.last = (progress.step, Instant::now());
    }
}
