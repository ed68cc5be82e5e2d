//! `vi3nr sweep status`, `collect` and `cancel`: a sweep on a cluster.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use vi3nr_lab::sweep::slurm::{self, QueueStatus, SlurmCommands};
use vi3nr_lab::sweep::{Plan, Store, Summary, SweepPaths, TrialFolders};

use super::sweep::{failure, read, summary_json};
use crate::CommandResult;
use crate::arguments::SweepQueueArguments;
use crate::output::{Failure, print};

/// Configurations that are printed.
const BEST: usize = 3;

pub(super) fn status(arguments: &SweepQueueArguments) -> CommandResult {
    let plan = read(&arguments.file)?;
    let paths = paths(arguments)?;
    let store = Store::open_existing(&paths.database).map_err(Failure::usage)?;
    let status = slurm::status(&SlurmCommands::default(), &plan, &store, &paths.trials);
    let status = status.map_err(failure)?;
    print_status(&plan, &store, (&arguments.file, &paths), &status, arguments.json)
}

pub(super) fn collect(arguments: &SweepQueueArguments) -> CommandResult {
    let plan = read(&arguments.file)?;
    let paths = paths(arguments)?;
    let folders = TrialFolders::lock(&paths.trials).map_err(failure)?;
    let mut store = Store::open(&paths.database).map_err(failure)?;
    let commands = SlurmCommands::default();
    let status = slurm::collect(&commands, &plan, &mut store, &folders, &mut |_| {});
    let status = status.map_err(failure)?;
    print_status(&plan, &store, (&arguments.file, &paths), &status, arguments.json)
}

pub(super) fn cancel(arguments: &SweepQueueArguments) -> CommandResult {
    let paths = paths(arguments)?;
    let jobs = slurm::cancel(&SlurmCommands::default(), &paths.trials).map_err(failure)?;
    let text = match &jobs[..] {
        [] => "no job is in the queue".to_owned(),
        jobs => format!("cancelled {}", jobs.join(", ")),
    };
    print(arguments.json, &json!({ "cancelled": jobs }), &text)
}

/// The paths of a sweep that was begun.
fn paths(arguments: &SweepQueueArguments) -> Result<SweepPaths, Failure> {
    let paths = SweepPaths::of(&arguments.file, arguments.database.as_deref());
    if !paths.trials.is_dir() {
        let trials = paths.trials.display();
        return Err(Failure::Usage(format!(
            "there is no '{trials}'; expected a sweep that was begun"
        )));
    }
    Ok(paths)
}

/// Prints where the trials are and the best results.
pub(super) fn print_status(
    plan: &Plan,
    store: &Store,
    (file, paths): (&Path, &SweepPaths),
    status: &QueueStatus,
    json: bool,
) -> CommandResult {
    let summary = Summary::new(plan, store).map_err(failure)?;
    let tasks: Vec<_> = status
        .tasks
        .iter()
        .map(|task| json!({"job": task.job, "index": task.index, "state": task.state}))
        .collect();
    let mut object = summary_json(plan, &summary, paths);
    object["queue"] = json!({
        "ended": status.ended,
        "uncollected": status.uncollected,
        "running": status.running,
        "waiting": status.waiting,
        "open": status.open,
        "tasks": tasks,
    });
    let mut text = summary.to_text(&plan.title, BEST);
    text += &queue_text(status);
    let file = file.display();
    if status.uncollected > 0 {
        text +=
            &format!("vi3nr sweep collect {file} stores the results of those that have ended\n");
    }
    if status.open > 0 {
        text +=
            &format!("vi3nr sweep {file} --executor slurm submits those that are in no queue\n");
    }
    print(json, &object, &text)
}

/// The numbers of trials, and the tasks of each job by their states.
fn queue_text(status: &QueueStatus) -> String {
    let numbers = [
        (status.running, "running"),
        (status.waiting, "waiting"),
        (status.uncollected, "ended and not collected"),
        (status.open, "in no queue"),
    ];
    let words: Vec<String> = numbers
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let mut text = String::new();
    if !words.is_empty() {
        text += &format!("pending trials: {}\n", words.join(", "));
    }
    let mut states: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for task in &status.tasks {
        *states.entry((&task.job, &task.state)).or_default() += 1;
    }
    for ((job, state), count) in states {
        let tasks = if count == 1 { "task" } else { "tasks" };
        text += &format!("job {job}: {count} {tasks} {state}\n");
    }
    text
}
