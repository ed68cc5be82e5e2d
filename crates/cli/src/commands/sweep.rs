//! `vi3nr sweep`: many fits from one file.

use std::path::Path;

use clap::Parser;
use serde_json::{Value, json};
use vi3nr_inr::write_atomically;
use vi3nr_lab::sweep::{
    ChildExecutor, Places, Plan, Store, Summary, SweepError, SweepFile, Trial, Verdict, figures,
    run as sweep,
};

use crate::Done;
use crate::arguments::{
    Arguments, SweepArguments, SweepCommand, SweepReportArguments, SweepRunArguments,
};
use crate::interrupt;
use crate::output::{Failure, print};
use crate::progress::SweepTable;

/// Configurations that are printed when a sweep ends.
const BEST: usize = 10;

/// Runs a sweep, or reports one.
pub(crate) fn run(arguments: &SweepArguments) -> Done {
    match (&arguments.command, &arguments.run.file) {
        (Some(SweepCommand::Report(arguments)), _) => report(arguments),
        (None, Some(file)) => run_file(file, &arguments.run),
        // Clap requires the file.
        (None, None) => Err(Failure::Unusable("expected the FILE of a sweep".into())),
    }
}

/// The plan in a sweep's file.
pub(super) fn read(file: &Path) -> Result<Plan, Failure> {
    let (read, folder) = SweepFile::read(file).map_err(Failure::unusable)?;
    Plan::new(&read, &folder).map_err(Failure::unusable)
}

fn run_file(file: &Path, arguments: &SweepRunArguments) -> Done {
    let plan = read(file)?;
    check(&plan)?;
    if arguments.dry_run {
        return dry_run(&plan, arguments.json);
    }
    let places = Places::of(file, arguments.database.as_deref());
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let executor =
        ChildExecutor::new(program, &plan.folder, &places.trials).map_err(Failure::failed)?;
    let mut store = Store::open(&places.database).map_err(failure)?;
    let stop = interrupt::flag("stopping; once more to stop at once");
    let mut table = SweepTable::new(&plan);
    let result =
        sweep(&plan, &mut store, &executor, arguments.jobs, stop, &mut |event| table.show(&event));
    table.clear();
    let is_done = result.map_err(failure)?;
    let summary = Summary::new(&plan, &store).map_err(failure)?;
    let mut text = summary.to_text(&plan.title, BEST);
    text += &format!("{}\n", places.database.display());
    print(arguments.json, &summary_json(&plan, &summary, &places), &text)?;
    let (done, failed, _) = summary.counts();
    match (is_done, failed) {
        (false, _) => Err(Failure::Failed("interrupted; the same command goes on".into())),
        (true, 0) => Ok(()),
        (true, failed) => {
            let of = done + failed;
            let file = file.display();
            let reason = format!("{failed} of {of} trials failed; see vi3nr sweep report {file}");
            Err(Failure::Failed(reason))
        }
    }
}

/// Refuses settings that are no options of `fit`, or values that they cannot have, before any trial
/// is run.
fn check(plan: &Plan) -> Result<(), Failure> {
    for trial in first_wanted(plan)? {
        let program = ["vi3nr".to_owned()];
        let line = program.into_iter().chain(trial.arguments());
        if let Err(error) = Arguments::try_parse_from(line) {
            let text = error.render().to_string();
            let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            let label = plan.full_label(&trial);
            let place = if label.is_empty() { String::new() } else { format!(" ({label})") };
            return Err(Failure::Unusable(format!("no trial can be run{place}: {reason}")));
        }
    }
    Ok(())
}

/// The trials that are wanted while nothing is known.
fn first_wanted(plan: &Plan) -> Result<Vec<Trial>, Failure> {
    plan.strategy.wanted(plan, &|_| Verdict::Open).map_err(Failure::unusable)
}

fn dry_run(plan: &Plan, json: bool) -> Done {
    let commands: Vec<Vec<String>> = first_wanted(plan)?.iter().map(Trial::arguments).collect();
    let mut text = String::new();
    for command in &commands {
        let words: Vec<String> = command.iter().map(|word| shell_word(word)).collect();
        text += &format!("vi3nr {}\n", words.join(" "));
    }
    let object = json!({"folder": plan.folder, "trials": commands});
    print(json, &object, &text)
}

/// A word as a shell reads it back.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn report(arguments: &SweepReportArguments) -> Done {
    let plan = read(&arguments.file)?;
    let places = Places::of(&arguments.file, arguments.database.as_deref());
    let store = Store::open_existing(&places.database).map_err(Failure::unusable)?;
    let summary = Summary::new(&plan, &store).map_err(failure)?;
    let out = arguments.out.clone().unwrap_or_else(|| arguments.file.with_extension("report"));
    std::fs::create_dir_all(&out)
        .map_err(|error| Failure::Failed(format!("cannot use '{}': {error}", out.display())))?;
    let mut files = vec![out.join("trials.csv")];
    let rows = plan.to_csv(&store, &places).map_err(failure)?;
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
    let mut object = summary_json(&plan, &summary, &places);
    object["files"] = json!(files);
    print(arguments.json, &object, &text)
}

/// For scripts: every configuration, the best first.
fn summary_json(plan: &Plan, summary: &Summary, places: &Places) -> Value {
    let entries: Vec<Value> = summary
        .entries
        .iter()
        .map(|entry| {
            let settings: serde_json::Map<String, Value> = entry.trials[0]
                .settings
                .iter()
                .filter(|chosen| !matches!(chosen.name.as_str(), "file" | "seed"))
                .map(|chosen| (chosen.name.clone(), json!(chosen.value.text)))
                .collect();
            let mean = entry.mean();
            json!({
                "case": plan.cases[entry.trials[0].case].name,
                "settings": settings,
                "mean": mean.is_finite().then_some(mean),
                "sd": entry.sd(),
                "scores": entry.scores,
                "failed": entry.failed,
                "open": entry.open,
            })
        })
        .collect();
    let (done, failed, open) = summary.counts();
    json!({
        "title": plan.title,
        "metric": plan.metric,
        "done": done,
        "failed": failed,
        "open": open,
        "configurations": entries,
        "database": places.database,
    })
}

/// What the request is to blame for, and what the work.
fn failure(error: SweepError) -> Failure {
    match error {
        SweepError::Setting { .. } | SweepError::Theory(_) => Failure::unusable(error),
        error => Failure::failed(error),
    }
}
