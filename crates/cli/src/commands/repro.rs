//! `vi3nr repro`: the paper's tables and figures beside ours.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::HumanDuration;
use serde_json::{Value, json};
use vi3nr_engine::{peak_gflops, thread_count};
use vi3nr_lab::propagate::PropagateError;
use vi3nr_lab::repro::evaluation::{EVALUATIONS, EvaluationRun, Profile};
use vi3nr_lab::repro::{NAMES, ReproError, Settings, run as reproduce};
use vi3nr_lab::sweep::{Estimate, ExecutorName};

use super::sweep::{failure as sweep_failure, interrupted as interrupted_sweep};
use crate::CommandResult;
use crate::arguments::ReproArguments;
use crate::interrupt;
use crate::numbers::significant;
use crate::output::{Failure, note, paths_json, print};
use crate::progress::SweepTable;

/// The floating-point operations that take minutes.
const LONG: f64 = 1e13;
/// The share of a machine's peak rate that training usually reaches.
const SHARE: f64 = 0.8;

/// Runs, writes and prints one table or figure, or all.
pub(crate) fn run(arguments: &ReproArguments) -> CommandResult {
    let json = arguments.common.json;
    if arguments.name != "all" {
        let (object, text) = reproduce_one(&arguments.name, arguments, arguments.out.clone())?;
        return print(json, &object, &text);
    }
    // Before minutes of controlled experiments.
    data(arguments)?;
    let mut objects = Vec::new();
    for name in NAMES.iter().chain(&EVALUATIONS) {
        let out = arguments.out.as_ref().map(|out| out.join(name));
        let (object, text) = reproduce_one(name, arguments, out)?;
        if !json {
            print(json, &object, &text)?;
        }
        objects.push(object);
    }
    if json { print(json, &json!({ "results": objects }), "") } else { Ok(()) }
}

fn reproduce_one(
    name: &str,
    arguments: &ReproArguments,
    out: Option<PathBuf>,
) -> Result<(Value, String), Failure> {
    let results = PathBuf::from("repro-results");
    if NAMES.contains(&name) {
        return controlled(name, arguments, &out.unwrap_or_else(|| results.join(name)));
    }
    let profile = arguments.profile;
    let default = || results.join(format!("{name}-{}", profile.name()));
    trained(name, profile, arguments, &out.unwrap_or_else(default))
}

/// An experiment on deep networks that are not trained.
fn controlled(
    name: &str,
    arguments: &ReproArguments,
    folder: &Path,
) -> Result<(Value, String), Failure> {
    let is_short = arguments.name == "all" && arguments.profile == Profile::Quick;
    let settings = Settings {
        seeds: arguments.seeds.unwrap_or(if is_short { 3 } else { 10 }),
        depth: arguments.depth,
        width: arguments.width,
        batch: arguments.batch,
        threads: arguments.common.threads,
    };
    let watched = std::io::stderr().is_terminal();
    let result = reproduce(name, &settings, |case| {
        if watched {
            note(case);
        }
    })
    .map_err(failure)?;
    let files = result.save(folder).map_err(failure)?;
    Ok(with_files(result.to_json(), result.to_text(), &files))
}

/// A table or figure of trained networks.
fn trained(
    name: &str,
    profile: Profile,
    arguments: &ReproArguments,
    folder: &Path,
) -> Result<(Value, String), Failure> {
    let run = EvaluationRun::new(name, profile, data(arguments)?, folder).map_err(failure)?;
    let program = crate::PROGRAM.get().cloned().unwrap_or_default();
    let executor = arguments.slurm.request(arguments.executor, program);
    let stop = interrupt::flag(interrupt::words_of_sweep(executor.name));
    // What cannot run is refused before anything is measured.
    let runner = executor.runner(&run.plan).map_err(|error| failure(error.into()))?;
    announce(&run.estimate().map_err(failure)?, executor.name);
    let mut table = SweepTable::new(&run.plan);
    let result = run.run(&runner, arguments.jobs, stop, &mut |event| table.show(&event));
    table.clear();
    let result = result.map_err(failure)?;
    let files = result.save(folder).map_err(failure)?;
    if !result.is_complete {
        if result.trials > 0 {
            note(&format!("the result so far is in '{}'", folder.display()));
        }
        let file = folder.join(format!("{name}.toml"));
        return Err(interrupted_sweep(executor.name, &file));
    }
    Ok(with_files(result.to_json(), result.to_text(), &files))
}

/// Says how much work is left if it takes minutes, and on this machine also how long.
fn announce(estimate: &Estimate, executor: ExecutorName) {
    if estimate.operations < LONG {
        return;
    }
    let Estimate { trials, operations } = *estimate;
    let work = format!("{trials} fits of {} PFLOP together", significant(operations / 1e15, 3));
    if executor == ExecutorName::Slurm {
        return note(&work);
    }
    let peak = peak_gflops(thread_count(None));
    let duration = HumanDuration(Duration::from_secs_f64(estimate.seconds(SHARE * peak)));
    note(&format!(
        "{work}: about {duration} at {:.0} % of the {peak:.0} GFLOP/s that this machine has to spare \
         now; if it is interrupted, the same command continues",
        100.0 * SHARE
    ));
}

fn data(arguments: &ReproArguments) -> Result<&Path, Failure> {
    arguments.data.as_deref().ok_or_else(|| {
        let reason = "this trains networks on images, audio and shapes; expected --data DIR or \
                      VI3NR_DATA, a directory with kodak/, audio/ and shapes/";
        Failure::Usage(reason.into())
    })
}

fn with_files(mut object: Value, mut text: String, files: &[PathBuf]) -> (Value, String) {
    object["files"] = paths_json(files);
    for file in files {
        text += &format!("{}\n", file.display());
    }
    (object, text)
}

/// Sizes out of range and missing data are the request's fault, the rest is the work's.
fn failure(error: ReproError) -> Failure {
    match error {
        ReproError::Theory(_)
        | ReproError::Data { .. }
        | ReproError::Propagate(PropagateError::Theory(_)) => Failure::usage(error),
        ReproError::Sweep(error) => sweep_failure(error),
        error => Failure::failed(error),
    }
}
