//! `vi3nr fit` of several files, one after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::Run;

use super::fit;
use crate::CommandResult;
use crate::arguments::FitArguments;
use crate::interrupt;
use crate::output::{Failure, error, print};

/// Fits each file into a run directory of its own. A file that fails does not stop the others.
pub(super) fn run(arguments: &FitArguments, request: &FitRequest) -> CommandResult {
    require_distinct_names(arguments)?;
    let json = arguments.training.common.json;
    let interrupted = interrupt::flag("stopping after this step; once more to stop at once");
    let (mut runs, mut failed) = (Vec::new(), Vec::new());
    for (index, file) in arguments.files.iter().enumerate() {
        let count = format!("[{}/{}] {}", index + 1, arguments.files.len(), file.display());
        let mut own = request.clone();
        own.file = Some(file.clone());
        match one(arguments, &own, file, interrupted) {
            Ok((object, line)) => {
                if !json {
                    print(false, &(), &format!("{count}: {line}"))?;
                }
                runs.push(object);
            }
            Err(interrupt @ Failure::Interrupted(_)) => return Err(interrupt),
            Err(failure) => {
                error(&format!("{count}: {}", failure.message()));
                failed.push(file.display().to_string());
            }
        }
        if interrupted.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted(format!("interrupted after {}", file.display())));
        }
    }
    if json {
        print(true, &json!({"runs": runs, "failed": failed}), "")?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    let (count, all) = (failed.len(), arguments.files.len());
    Err(Failure::Failed(format!("{count} of {all} files failed: {}", failed.join(", "))))
}

/// The result of one file, for scripts and as a line for people.
fn one(
    arguments: &FitArguments,
    request: &FitRequest,
    file: &Path,
    interrupted: &AtomicBool,
) -> Result<(Value, String), Failure> {
    let started = Instant::now();
    let threads = arguments.training.common.threads;
    if arguments.dry_run {
        let (object, text) = fit::dry_run(request, None, threads)?;
        return Ok((object, format!("\n{text}\n")));
    }
    let path = arguments.out.as_ref().map(|parent| parent.join(stem(file)));
    let destination = fit::destination(arguments, path);
    let (run, opened) = Run::open(request, None, &destination, threads)?;
    fit::warnings(&run);
    let outcome = fit::execute(&run, &*opened.backend, arguments, (started, interrupted, false))?;
    let (object, _) = fit::report(&run, &opened, &outcome, arguments)?;
    fit::verdict(&run, &outcome)?;
    let report = &outcome.fit.report;
    let quality = report.metrics.all.first();
    let quality = quality.map_or(String::new(), |first| format!("{first}, "));
    let model = run.directory().model_path();
    let (steps, seconds) = (report.steps, report.seconds);
    Ok((object, format!("{quality}{steps} steps in {seconds:.1} s; {}", model.display())))
}

/// The name of the run directory of `file` below --out.
fn stem(file: &Path) -> PathBuf {
    file.file_stem().map_or_else(|| "run".into(), PathBuf::from)
}

/// Checks that no run below --out would be written over by another of the same command.
fn require_distinct_names(arguments: &FitArguments) -> CommandResult {
    let Some(out) = &arguments.out else { return Ok(()) };
    let mut seen = HashMap::new();
    for file in &arguments.files {
        if let Some(other) = seen.insert(stem(file), file) {
            let path = out.join(stem(file));
            let (other, file, path) = (other.display(), file.display(), path.display());
            let reason = format!("'{other}' and '{file}' would both be written to '{path}'");
            return Err(Failure::Usage(format!("{reason}; fit them separately (--out)")));
        }
    }
    Ok(())
}
