//! `vi3nr fit`: from a signal to a run directory.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vi3nr_engine::Backend;
use vi3nr_inr::pieces::PiecesReport;
use vi3nr_inr::prepare::prepare;
use vi3nr_inr::preset::Preset;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run, RunEvent, RunOutcome, backend};
use vi3nr_inr::session::Fit;
use vi3nr_inr::train::Stop;
use vi3nr_lab::repro::paper_table::{PaperTable, comparison_json, comparison_text, paper_table};
use vi3nr_lab::{request_file, tensorboard};

use super::{plan, resume};
use crate::CommandResult;
use crate::arguments::FitArguments;
use crate::interrupt;
use crate::output::{Failure, print, status};
use crate::progress::{FitBar, thousands};

/// Trains, writes the run directory, reports.
pub(crate) fn run(arguments: &FitArguments) -> CommandResult {
    let started = Instant::now();
    if arguments.end_with_input {
        interrupt::end_with_input();
    }
    let request = request(arguments)?;
    let threads = arguments.training.common.threads;
    let json = arguments.training.common.json;
    if arguments.dry_run {
        let request = match &arguments.resume {
            None => request,
            Some(path) => resume::request(path, &request)?,
        };
        let prepared = backend_of(&request, threads)?.workers().install(|| prepare(&request))?;
        return plan::print_plan(&request, &prepared.resolved, json);
    }
    // Before the run directory exists, so that whoever sees it can interrupt the run.
    let interrupted = interrupt::flag("stopping after this step; once more to stop at once");
    let (backend, run) = match &arguments.resume {
        None => {
            let backend = backend_of(&request, threads)?;
            let run = Run::begin(&request, &destination(arguments), &*backend)?;
            (backend, run)
        }
        Some(path) => resume::resume(path, &request, threads)?,
    };
    if let Some(ended) = run.ended() {
        return report_ended(&run, ended, json);
    }
    warn(&run);
    let outcome = execute(&run, &*backend, arguments, (started, interrupted))?;
    report(&run, &outcome, arguments)
}

/// The backend that `request` names.
fn backend_of(request: &FitRequest, threads: Option<usize>) -> Result<Box<dyn Backend>, Failure> {
    backend(request.engine.unwrap_or_default(), threads).map_err(Failure::failed)
}

/// The options, after those of --request.
fn request(arguments: &FitArguments) -> Result<FitRequest, Failure> {
    let options = arguments.options();
    match &arguments.request {
        None => Ok(options),
        Some(file) => {
            let read = request_file::read(file).map_err(Failure::usage)?;
            Ok(read.with(&options)?)
        }
    }
}

fn destination(arguments: &FitArguments) -> Destination {
    match &arguments.out {
        Some(path) => Destination::Directory { path: path.clone(), overwrite: arguments.overwrite },
        None => Destination::Under("runs".into()),
    }
}

/// Writes what people should know before they believe the result.
fn warn(run: &Run) {
    let file = run.request().file.as_deref().and_then(Path::file_name).unwrap_or_default();
    for warning in run.signal().warnings() {
        status(&format!("warning: '{}': {warning}", file.display()));
    }
    for warning in &run.prepared().resolved.warnings {
        status(&format!("warning: {warning}"));
    }
}

/// Trains, with a bar, until the end or an interrupt.
fn execute(
    run: &Run,
    backend: &dyn Backend,
    arguments: &FitArguments,
    (started, interrupted): (Instant, &AtomicBool),
) -> Result<RunOutcome, Failure> {
    let length = match &run.plan().pieces {
        None => run.plan().training.steps,
        Some(pieces) => pieces.grid.piece_count() as u64,
    };
    // Scripts get one object and nothing else.
    let mut bar = FitBar::new(length, run.signal(), !arguments.training.common.json);
    let mut watch = |event: RunEvent<'_>| {
        match event {
            RunEvent::Step(progress) => bar.show(progress),
            RunEvent::Pieces(progress) => bar.show_pieces(progress),
            RunEvent::CheckpointFailed(error) => {
                status(&format!("warning: no checkpoint: {error}"))
            }
            _ => {}
        }
        match interrupted.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let result = run.execute(backend, arguments.checkpoint_every, started, &mut watch);
    bar.clear();
    Ok(result?)
}

/// Prints what came out; the exit code tells how training ended.
fn report(run: &Run, outcome: &RunOutcome, arguments: &FitArguments) -> CommandResult {
    let RunOutcome { fit, files, log, .. } = outcome;
    let mut files = files.clone();
    if arguments.tensorboard {
        let elapsed = Duration::try_from_secs_f64(fit.report.seconds).unwrap_or_default();
        let events = tensorboard::save_events(run.directory(), run.signal(), log, elapsed);
        files.push(events.map_err(Failure::failed)?);
    }
    let is_paper = run.request().preset == Some(Preset::Paper);
    let paper = if is_paper { paper_table(fit.plan.signal.kind()) } else { None };
    let model = run.directory().model_path();
    print(
        arguments.training.common.json,
        &summary(fit, &model, paper),
        &text(fit, &model, &files, paper),
    )?;
    if fit.report.stopped == Stop::Interrupted {
        let path = run.directory().path().display();
        let done = match &fit.report.pieces {
            None => format!("{} steps", fit.report.steps),
            Some(pieces) => {
                let all: usize = pieces.counts.iter().product();
                format!("{} of {all} pieces", all - pieces.unfinished)
            }
        };
        let message = format!("interrupted after {done}; vi3nr fit --resume {path} goes on");
        return Err(Failure::Interrupted(message));
    }
    match (&fit.report.problem, &fit.report.advice) {
        (None, _) => Ok(()),
        (Some(problem), None) => Err(Failure::failed(problem)),
        (Some(problem), Some((field, value))) => {
            Err(Failure::Failed(format!("{problem} ({} {value})", crate::failure::flag(field))))
        }
    }
}

/// What the pieces have in common.
fn pieces_lines(pieces: &PiecesReport) -> String {
    let mut text = match pieces.worst.all.first() {
        None => String::new(),
        Some(worst) => format!("worst piece {}\n", worst.amount()),
    };
    for (count, what) in [
        (pieces.stalled, "whose training stalled, fitted again"),
        (pieces.below_target, "below the quality asked for"),
        (pieces.unfinished, "not fitted to the end"),
    ] {
        if count > 0 {
            text += &format!("pieces {what}: {count}\n");
        }
    }
    text
}

/// What is left to say of a run that had ended before.
fn report_ended(run: &Run, report: &Value, json: bool) -> CommandResult {
    let model = run.directory().model_path();
    let mut summary = report.clone();
    summary["model"] = json!(model.to_string_lossy());
    let text = format!(
        "this run has ended: {} steps; stopped: {}\n{}\n",
        summary["steps"],
        summary["stopped"].as_str().unwrap_or_default(),
        model.display(),
    );
    print(json, &summary, &text)?;
    match report["problem"].as_str() {
        Some(problem) => Err(Failure::failed(problem)),
        None => Ok(()),
    }
}

/// The JSON object that scripts read.
fn summary(fit: &Fit, model: &Path, paper: Option<&PaperTable>) -> Value {
    let mut summary = json!(fit.report);
    summary["model"] = json!(model.to_string_lossy());
    if let Some(table) = paper {
        summary["paper"] = comparison_json(table, &fit.report.metrics);
    }
    summary
}

/// What people read.
fn text(fit: &Fit, model: &Path, files: &[PathBuf], paper: Option<&PaperTable>) -> String {
    let (report, plan) = (&fit.report, &fit.plan);
    let pieces = match &plan.pieces {
        None => String::new(),
        Some(pieces) => format!("pieces {}; ", plan::pieces_text(pieces)),
    };
    let mut text = format!(
        "{}; {pieces}{}, seed {}\n\
         {}: {} steps in {:.1} s, {:.0} gradient equivalents, {} points/s; stopped: {}\n\
         {}\n{}\n",
        plan.signal.details(),
        plan::network_text(plan),
        plan.seed,
        report.optimizer,
        report.steps,
        report.seconds,
        report.gradient_equivalents,
        thousands(report.points_per_second),
        match report.stopped {
            Stop::Converged => "no further decrease",
            stop => stop.as_str(),
        },
        report.metrics.lines(),
        model.display(),
    );
    if let Some(pieces) = &report.pieces {
        text += &pieces_lines(pieces);
    }
    for file in files {
        text += &format!("{}\n", file.display());
    }
    if let Some(table) = paper {
        text += &comparison_text(table, &report.metrics);
    }
    text
}
