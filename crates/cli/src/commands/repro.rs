//! `vi3nr repro`: the paper's tables and Figure 2a beside ours.

use std::io::IsTerminal;
use std::path::PathBuf;

use serde_json::json;
use vi3nr_inr::propagate::PropagateError;
use vi3nr_inr::repro::{ReproError, Settings, run as reproduce};

use crate::Done;
use crate::arguments::ReproArguments;
use crate::output::{Failure, print, say};

/// Runs, writes and prints.
pub(crate) fn run(arguments: &ReproArguments) -> Done {
    let settings = Settings {
        seeds: arguments.seeds,
        depth: arguments.depth,
        width: arguments.width,
        batch: arguments.batch,
        threads: arguments.common.threads,
    };
    let watched = std::io::stderr().is_terminal();
    let result = reproduce(&arguments.name, &settings, |case| {
        if watched {
            say(case);
        }
    })
    .map_err(failure)?;
    let default = || PathBuf::from("repro-results").join(&arguments.name);
    let folder = arguments.out.clone().unwrap_or_else(default);
    let files = result.save(&folder).map_err(failure)?;
    let mut object = result.to_json();
    object["files"] = json!(files);
    let mut text = result.to_text();
    for file in &files {
        text += &format!("{}\n", file.display());
    }
    print(arguments.common.json, &object, &text)
}

/// Sizes out of range are the request's fault, the rest is the work's.
fn failure(error: ReproError) -> Failure {
    match error {
        ReproError::Theory(_) | ReproError::Propagate(PropagateError::Theory(_)) => {
            Failure::unusable(error)
        }
        error => Failure::failed(error),
    }
}
