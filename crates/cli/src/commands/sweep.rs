//! `vi3nr sweep`: many fits from one file.

use std::path::Path;

use serde_json::{Value, json};
use vi3nr_inr::atomic_file::write_atomically;
use vi3nr_lab::sweep::slurm::SlurmError;
use vi3nr_lab::sweep::{
    Event, ExecutorName, Plan, Runner, Store, Summary, SweepError, SweepFile, SweepPaths, Trial,
    TrialFolders, figures,
};

use super::sweep_queue;
use crate::CommandResult;
use crate::arguments::{
    SweepArguments, SweepCommand, SweepQueueArguments, SweepReportArguments, SweepRunArguments,
};
use crate::interrupt;
use crate::output::{Failure, paths_json, print};
use crate::progress::SweepTable;

/// Configurations that are printed when a sweep ends.
const BEST: usize = 10;

/// Runs a sweep, or reports one.
pub(crate) fn run(arguments: &SweepArguments) -> CommandResult {
    match (&arguments.command, &arguments.run.file) {
        (Some(SweepCommand::Report(arguments)), _) => report(arguments),
        (Some(SweepCommand::Status(arguments)), _) => sweep_queue::status(arguments),
        (Some(SweepCommand::Collect(arguments)), _) => sweep_queue::collect(arguments),
        (Some(SweepCommand::Cancel(arguments)), _) => sweep_queue::cancel(arguments),
        (None, Some(file)) if arguments.run.status => {
            let (database, json) = (arguments.run.database.clone(), arguments.run.json);
            sweep_queue::status(&SweepQueueArguments { file: file.clone(), database, json })
        }
        (None, Some(file)) => run_file(file, &arguments.run),
        // Clap requires the file.
        (None, None) => Err(Failure::Usage("expected the FILE of a sweep".into())),
    }
}

/// The plan in a sweep's file.
pub(super) fn read(file: &Path) -> Result<Plan, Failure> {
    let (read, folder) = SweepFile::read(file).map_err(Failure::usage)?;
    Plan::new(&read, &folder)
        .map_err(|error| Failure::Usage(format!("'{}': {error}", file.display())))
}

fn run_file(file: &Path, arguments: &SweepRunArguments) -> CommandResult {
    let plan = read(file)?;
    // What makes no sense is refused before anything is written.
    let first = plan.first_scheduled().map_err(failure)?;
    if arguments.dry_run {
        return dry_run(&plan, &first, arguments.json);
    }
    let paths = SweepPaths::of(file, arguments.database.as_deref());
    let program = crate::PROGRAM.get().cloned().unwrap_or_default();
    let executor = arguments.slurm.request(arguments.executor, program);
    let runner = executor.runner(&plan).map_err(failure)?;
    if arguments.detach && executor.name != ExecutorName::Slurm {
        let reason = format!("--detach needs --executor slurm, not {}", executor.name);
        return Err(Failure::Usage(reason));
    }
    let folders = TrialFolders::lock(&paths.trials).map_err(failure)?;
    let mut store = Store::open(&paths.database).map_err(failure)?;
    if arguments.retry_failed {
        store.retry_failed().map_err(failure)?;
    }
    let mut table = SweepTable::new(&plan);
    let mut watch = |event: Event<'_>| table.show(&event);
    let jobs = arguments.jobs;
    if let (true, Runner::Slurm(slurm)) = (arguments.detach, &runner) {
        let status = slurm.submit(&plan, &mut store, &folders, jobs, &mut watch);
        table.clear();
        let status = status.map_err(failure)?;
        return sweep_queue::print_status(&plan, &store, (file, &paths), &status, arguments.json);
    }
    let stop = interrupt::flag(interrupt::words_of_sweep(executor.name));
    let result = runner.run(&plan, &mut store, &folders, jobs, stop, &mut watch);
    table.clear();
    let is_done = result.map_err(failure)?;
    let summary = Summary::new(&plan, &store).map_err(failure)?;
    let mut text = summary.to_text(&plan.title, BEST);
    text += &format!("{}\n", paths.database.display());
    print(arguments.json, &summary_json(&plan, &summary, &paths), &text)?;
    let counts = summary.counts();
    match (is_done, counts.failed) {
        (false, _) => Err(interrupted(executor.name, file)),
        (true, 0) => Ok(()),
        (true, failed) => {
            let of = counts.done + failed;
            let file = file.display();
            let reason = format!(
                "{failed} of {of} trials failed; see vi3nr sweep report {file}, and --retry-failed"
            );
            Err(Failure::Failed(reason))
        }
    }
}

/// How a sweep goes on that was interrupted.
pub(super) fn interrupted(executor: ExecutorName, file: &Path) -> Failure {
    Failure::Interrupted(match executor {
        ExecutorName::Slurm => format!(
            "interrupted; jobs in the queue go on, and the same command waits for them; vi3nr sweep \
             cancel {} cancels them",
            file.display()
        ),
        _ => "interrupted; the same command goes on".into(),
    })
}

/// Prints what the trials that are wanted first ask for, and what is done.
fn dry_run(plan: &Plan, first: &[Trial], json: bool) -> CommandResult {
    let text: String = first.iter().map(|trial| format!("{trial}\n")).collect();
    let mut trials = Vec::new();
    for trial in first {
        let request = trial.request();
        trials.push(match &plan.identity(trial).map_err(failure)?.plan {
            Ok(plan) => json!({"request": request, "plan": plan}),
            Err(error) => json!({"request": request, "error": error}),
        });
    }
    print(json, &json!({"folder": plan.folder, "trials": trials}), &text)
}

fn report(arguments: &SweepReportArguments) -> CommandResult {
    let plan = read(&arguments.file)?;
    let paths = SweepPaths::of(&arguments.file, arguments.database.as_deref());
    let store = Store::open_existing(&paths.database).map_err(Failure::usage)?;
    let summary = Summary::new(&plan, &store).map_err(failure)?;
    let out = arguments.out.clone().unwrap_or_else(|| arguments.file.with_extension("report"));
    std::fs::create_dir_all(&out)
        .map_err(|error| Failure::Failed(format!("cannot use '{}': {error}", out.display())))?;
    let mut files = vec![out.join("trials.csv")];
    let rows = plan.to_csv(&store, &paths).map_err(failure)?;
    write_atomically(&files[0], |writer| writer.write_all(rows.as_bytes()))
        .map_err(Failure::failed)?;
    for (name, figure) in figures(&plan, &store).map_err(failure)? {
        for ending in ["svg", "png"] {
            let path = out.join(format!("{name}.{ending}"));
            figure.save(&path).map_err(Failure::failed)?;
            files.push(path);
        }
    }
    let mut text = summary.to_text(&plan.title, arguments.best);
    for file in &files {
        text += &format!("{}\n", file.display());
    }
    let mut object = summary_json(&plan, &summary, &paths);
    object["files"] = paths_json(&files);
    print(arguments.json, &object, &text)
}

/// For scripts: every configuration, the best first.
pub(super) fn summary_json(plan: &Plan, summary: &Summary, paths: &SweepPaths) -> Value {
    let entries: Vec<Value> = summary
        .entries
        .iter()
        .map(|entry| {
            let settings: serde_json::Map<String, Value> = entry.trials[0]
                .settings
                .iter()
                .filter(|assignment| !matches!(assignment.name, "file" | "seed"))
                .map(|assignment| (assignment.name.to_owned(), json!(assignment.value.text)))
                .collect();
            let mean = entry.mean();
            json!({
                "case": plan.cases[entry.trials[0].case].name,
                "settings": settings,
                "mean": mean.is_finite().then_some(mean),
                "sd": entry.sd(),
                "scores": entry.values(),
                "diverged": entry.diverged(),
                "failed": entry.failed,
                "open": entry.pending,
            })
        })
        .collect();
    let counts = summary.counts();
    json!({
        "title": plan.title,
        "metric": plan.metric,
        "done": counts.done,
        "diverged": counts.diverged,
        "failed": counts.failed,
        "open": counts.pending,
        "configurations": entries,
        "database": paths.database.to_string_lossy(),
    })
}

/// Settings that cannot be are the request's fault, the rest is the work's.
pub(super) fn failure(error: SweepError) -> Failure {
    match error {
        SweepError::Slurm(SlurmError::Cancelled) => {
            Failure::Interrupted(format!("{error}; the same command goes on"))
        }
        SweepError::Slurm(SlurmError::Option { .. })
        | SweepError::Setting { .. }
        | SweepError::Request { .. }
        | SweepError::TooMany { .. }
        | SweepError::Theory(_) => Failure::usage(error),
        error => Failure::failed(error),
    }
}
