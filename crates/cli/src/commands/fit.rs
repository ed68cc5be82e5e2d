//! `vi3nr fit`: from a signal to a run directory.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vi3nr_engine::Backend;
use vi3nr_inr::backend::{OpenBackend, Ready, ready};
use vi3nr_inr::pieces::PiecesReport;
use vi3nr_inr::prepare::{prepare, prepare_file};
use vi3nr_inr::preset::Preset;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run, RunEvent, RunOutcome};
use vi3nr_inr::session::Fit;
use vi3nr_inr::signal::SignalFile;
use vi3nr_inr::supervision::TermReport;
use vi3nr_inr::train::Stop;
use vi3nr_lab::repro::paper_table::{PaperTable, comparison_json, comparison_text, paper_table};
use vi3nr_lab::{request_file, tensorboard};

use super::{fit_several, plan, resume};
use crate::CommandResult;
use crate::arguments::FitArguments;
use crate::interrupt;
use crate::output::{Failure, is_verbose, note, print, warn};
use crate::progress::{FitBar, thousands};

/// Trains, writes the run directory, reports.
pub(crate) fn run(arguments: &FitArguments) -> CommandResult {
    let started = Instant::now();
    let is_stdin = |file: &PathBuf| file.as_os_str() == "-";
    let takes_stdin = arguments.files.iter().any(is_stdin);
    if takes_stdin && (arguments.files.len() > 1 || arguments.end_with_input) {
        let reason = "- stands for standard input and must be the only FILE";
        return Err(Failure::Usage(reason.into()));
    }
    if arguments.end_with_input {
        interrupt::end_with_input();
    }
    let request = request(arguments)?;
    if arguments.files.len() > 1 {
        return fit_several::run(arguments, &request);
    }
    let threads = arguments.training.common.threads;
    let json = arguments.training.common.json;
    let signal = match takes_stdin {
        true => Some(read_stdin()?),
        false => None,
    };
    if arguments.dry_run {
        let request = match &arguments.resume {
            None => request,
            Some(path) => resume::request(path, &request)?,
        };
        let (object, text) = dry_run(&request, signal.as_ref(), threads)?;
        return print(json, &object, &text);
    }
    // Before the run directory exists, so that whoever sees it can interrupt the run.
    let interrupted = interrupt::flag("stopping after this step; once more to stop at once");
    let (run, opened) = match &arguments.resume {
        None => {
            let destination = destination(arguments, arguments.out.clone());
            let signal = signal.as_ref().map(|signal| (signal, "stdin"));
            Run::open(&request, signal, &destination, threads)?
        }
        Some(path) => resume::resume(path, &request, threads)?,
    };
    if let Some(ended) = run.ended() {
        return report_ended(&run, ended, json);
    }
    warnings(&run);
    if is_verbose() {
        note(&plan::text(&run.prepared().resolved));
        note(&opened.line());
    }
    let outcome = execute(&run, &*opened.backend, arguments, (started, interrupted, !json))?;
    let (object, text) = report(&run, &opened, &outcome, arguments)?;
    print(json, &object, &text)?;
    verdict(&run, &outcome)
}

/// All bytes of standard input.
fn read_stdin() -> Result<SignalFile, Failure> {
    let mut bytes = Vec::new();
    let failure = |error| Failure::Usage(format!("cannot read standard input: {error}"));
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(failure)?;
    Ok(SignalFile::of_bytes(Path::new("standard input"), bytes))
}

/// What a fit of `request` would do, for scripts and for people.
pub(super) fn dry_run(
    request: &FitRequest,
    signal: Option<&SignalFile>,
    threads: Option<usize>,
) -> Result<(Value, String), Failure> {
    let Ready { request, prepared, .. } = match signal {
        None => ready(request, threads, prepare)?,
        Some(signal) => {
            let request = Run::request_with_input(request);
            ready(&request, threads, |request| prepare_file(request, signal))?
        }
    };
    Ok((plan::object(&request, &prepared.resolved), plan::text(&prepared.resolved)))
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

/// The run directory at `path`, or a new one below `runs`.
pub(super) fn destination(arguments: &FitArguments, path: Option<PathBuf>) -> Destination {
    match path {
        Some(path) => Destination::Directory { path, overwrite: arguments.overwrite },
        None => Destination::Under("runs".into()),
    }
}

/// Writes what people should know before they believe the result.
pub(super) fn warnings(run: &Run) {
    let file = run.request().file.as_deref().and_then(Path::file_name).unwrap_or_default();
    for warning in run.signal().warnings() {
        warn(&format!("'{}': {warning}", file.display()));
    }
    for warning in &run.prepared().resolved.warnings {
        warn(&warning.to_string());
    }
}

/// Trains, with a bar, until the end or an interrupt; `has_lines` is whether lines tell of the
/// progress where there is no terminal.
pub(super) fn execute(
    run: &Run,
    backend: &dyn Backend,
    arguments: &FitArguments,
    (started, interrupted, has_lines): (Instant, &AtomicBool, bool),
) -> Result<RunOutcome, Failure> {
    let length = match &run.plan().pieces {
        None => run.plan().training.steps,
        Some(pieces) => pieces.grid.piece_count() as u64,
    };
    let mut bar = FitBar::new(length, (run.signal(), &run.plan().supervision), has_lines);
    let mut watch = |event: RunEvent<'_>| {
        match event {
            RunEvent::Step(progress) => bar.show(progress),
            RunEvent::Pieces(progress) => bar.show_pieces(progress),
            RunEvent::CheckpointFailed(error) => warn(&format!("no checkpoint: {error}")),
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

/// What came out, for scripts and for people.
pub(super) fn report(
    run: &Run,
    opened: &OpenBackend,
    outcome: &RunOutcome,
    arguments: &FitArguments,
) -> Result<(Value, String), Failure> {
    let RunOutcome { fit, files, log, .. } = outcome;
    let mut files = files.clone();
    if arguments.tensorboard {
        let elapsed = Duration::try_from_secs_f64(fit.report.seconds).unwrap_or_default();
        let events = tensorboard::save_events(
            run.directory(),
            (run.signal(), &fit.plan.supervision),
            log,
            elapsed,
        );
        files.push(events.map_err(Failure::failed)?);
    }
    let is_paper = run.request().preset == Some(Preset::Paper);
    let paper = if is_paper { paper_table(fit.plan.signal.kind()) } else { None };
    let model = run.directory().model_path();
    // Of the default there is nothing to say.
    let backend = run.request().backend.map(|_| opened.line());
    let text = text(fit, &model, &files, backend.as_deref(), (is_paper, paper));
    Ok((summary(fit, &model, paper), text))
}

/// How training ended, as the exit code tells it.
pub(super) fn verdict(run: &Run, outcome: &RunOutcome) -> CommandResult {
    let fit = &outcome.fit;
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
    let file = run.request().file.as_ref();
    let name = file.map_or_else(String::new, |file| format!("'{}': ", file.display()));
    fit.report.warnings.iter().for_each(|warning| warn(&format!("{name}{warning}")));
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
fn text(
    fit: &Fit,
    model: &Path,
    files: &[PathBuf],
    backend: Option<&str>,
    (is_paper, paper): (bool, Option<&PaperTable>),
) -> String {
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
        report.metrics.lines(is_paper),
        model.display(),
    );
    if let Some(backend) = backend {
        text += &format!("{backend}\n");
    }
    for TermReport { term, weight, loss, .. } in &report.terms {
        text += &format!("term {term}: {loss:.3e}, weight {weight}\n");
    }
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
