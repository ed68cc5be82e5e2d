//! The run of a trial in its directory.

use serde_json::Value;
use std::path::PathBuf;

use vi3nr_inr::atomic_file::write_atomically;
use vi3nr_inr::run_directory::{RunDirectory, RunRecord, StoredRun};

use super::{Job, Outcome};

/// The maximum number of characters of an error message; the beginning of a longer one is dropped.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// Why a trial has no result if its run followed another plan than that of its row.
pub(in crate::sweep) const CHANGED: &str =
    "a file that it reads has changed since the sweep began; run the sweep again";

/// The state of a trial in its run directory.
#[derive(Debug)]
pub(in crate::sweep) enum StoredTrial {
    /// The directory does not exist, or holds another run.
    Nothing,
    /// The directory holds the interrupted run of the trial.
    Interrupted(RunDirectory, Box<RunRecord>),
    /// The directory holds the run with its report, which the sweep was killed before storing.
    Ended(Value),
}

impl StoredTrial {
    /// The state. Nothing may be running in the directory, from which temporary files are removed.
    pub(in crate::sweep) fn of(job: &Job) -> Self {
        // A directory that cannot be read is overwritten.
        let Ok((directory, StoredRun::Current(record))) = RunDirectory::open(&job.directory) else {
            return Self::Nothing;
        };
        if record.plan.canonical() != job.key {
            return Self::Nothing;
        }
        match (record.has_ended(), &record.report) {
            (true, Some(report)) => Self::Ended(report.clone()),
            _ => Self::Interrupted(directory, record),
        }
    }
}

/// Prepares the run directory of a trial that `vi3nr fit` is to run, and returns the arguments of
/// `fit`, or the outcome of a trial that need not run. The request is a file beside the directory:
/// `00001.json` beside `00001`.
pub(in crate::sweep) fn prepare(job: &Job) -> Result<Vec<PathBuf>, Outcome> {
    let directory = job.directory.clone();
    let failed = |error: &dyn std::fmt::Display| Outcome::Failed(error.to_string());
    match StoredTrial::of(job) {
        StoredTrial::Ended(report) => return Err(Outcome::Report(report)),
        // A run with another request, for example with other paths, starts again.
        StoredTrial::Interrupted(_, record) if record.request == job.request => {
            return Ok(vec!["--resume".into(), directory]);
        }
        StoredTrial::Interrupted(..) | StoredTrial::Nothing => {}
    }
    RunDirectory::create(&directory, true).map_err(|error| failed(&error))?;
    let file = directory.with_extension("json");
    let request = Value::Object(job.request.settings());
    write_atomically(&file, |writer| {
        serde_json::to_writer_pretty(&mut *writer, &request)?;
        writer.write_all(b"\n")
    })
    .map_err(|error| failed(&error))?;
    Ok(vec!["--request".into(), file, "--out".into(), directory])
}

/// The end of what a program wrote to standard error.
pub(in crate::sweep) fn tail(text: &str) -> String {
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(MAX_MESSAGE_CHARS);
    text.chars().skip(skipped).collect()
}
