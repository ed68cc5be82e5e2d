//! Gives mutated inputs to every reader of the workspace and counts what must not happen: panics,
//! cases that take long, and cases that take much memory.
//!
//!     cargo run --profile checked -p vi3nr-fuzz -- --seconds 30
//!     cargo run --profile checked -p vi3nr-fuzz -- --target png --cases 100000 --seed 7
//!
//! An input is a function of the seed, the target and the number of the case, so that a finding is
//! repeated with `--target NAME --seed N --first CASE --cases 1`. The exit code is 1 if anything was
//! found.

mod corpus;
mod cpu_time;
mod memory;
mod mutate;
mod targets;

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Parser;

use mutate::Draws;
use targets::{Bench, TARGETS, Target};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// The longest time that a case may take, in time of the processor: on a busy machine a case waits
/// for its turn.
const MAX_TIME: Duration = Duration::from_secs(2);
/// How often a case is read before it counts as slow.
const TRIES: u32 = 3;
/// The number of findings of a target that are printed.
const MAX_PRINTED: usize = 20;

/// Where and why the last panic happened.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Gives mutated inputs to every reader of the workspace.
#[derive(Parser)]
struct Arguments {
    /// A target; may be repeated. Default: all
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// The number of cases of each target
    #[arg(long, value_name = "N", default_value_t = 1000)]
    cases: u64,
    /// Instead of a number of cases: the time for all targets together
    #[arg(long, value_name = "S", conflicts_with = "cases")]
    seconds: Option<u64>,
    /// The seed of all inputs
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The number of the first case
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// Write inputs with findings into this directory
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// The counts of a target.
#[derive(Default)]
struct Counts {
    cases: u64,
    read: u64,
    panics: u64,
    slow: u64,
    large: u64,
    longest: Duration,
    peak: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(found) => {
            eprintln!("{found} findings");
            ExitCode::FAILURE
        }
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<u64, String> {
    let is_wanted = |target: &&Target| {
        arguments.target.is_empty() || arguments.target.iter().any(|name| name == target.name)
    };
    let wanted: Vec<&Target> = TARGETS.iter().filter(is_wanted).collect();
    let known = |name: &&String| !TARGETS.iter().any(|target| target.name == **name);
    if let Some(name) = arguments.target.iter().find(known) {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        return Err(format!("no target '{name}'; expected one of {}", names.join(", ")));
    }
    if let Some(folder) = &arguments.keep {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    panic::set_hook(Box::new(|info| {
        let text = info.to_string().replace('\n', " ");
        *LAST_PANIC.lock().unwrap_or_else(|error| error.into_inner()) = text;
    }));
    let bench = Bench::new()?;
    let share = |seconds| Duration::from_secs(seconds) / wanted.len().max(1) as u32;
    println!("target        cases     read  panics  slow  large  longest s  peak MiB");
    let mut found = 0;
    for target in &wanted {
        let counts = fuzz(target, &bench, arguments, arguments.seconds.map(share));
        println!(
            "{:<10} {:>8} {:>8} {:>7} {:>5} {:>6} {:>10.2} {:>9.1}",
            target.name,
            counts.cases,
            counts.read,
            counts.panics,
            counts.slow,
            counts.large,
            counts.longest.as_secs_f64(),
            counts.peak as f64 / f64::from(1 << 20),
        );
        found += counts.panics + counts.slow + counts.large;
    }
    Ok(found)
}

/// Runs the cases of a target.
fn fuzz(target: &Target, bench: &Bench, arguments: &Arguments, time: Option<Duration>) -> Counts {
    let corpus = target.corpus();
    let mut counts = Counts::default();
    let started = Instant::now();
    let own = TARGETS.iter().position(|other| other.name == target.name).unwrap_or_default();
    let mut printed = 0;
    for case in arguments.first.. {
        let is_done = match time {
            Some(time) => started.elapsed() >= time,
            None => counts.cases >= arguments.cases,
        };
        if is_done {
            break;
        }
        let mut random = Draws::new(arguments.seed, own as u32, case);
        let input = target.input(&corpus, case, &mut random);
        let read = || {
            let before = memory::begin();
            let began = cpu_time::of_process();
            let mut random = random;
            let call = AssertUnwindSafe(|| (target.read)(bench, &input, &mut random));
            let result = panic::catch_unwind(call);
            let peak = memory::peak().saturating_sub(before);
            (result, cpu_time::of_process().saturating_sub(began), peak)
        };
        let (result, mut elapsed, peak) = read();
        for _ in 1..TRIES {
            if elapsed > MAX_TIME {
                elapsed = elapsed.min(read().1);
            }
        }
        counts.cases += 1;
        counts.longest = counts.longest.max(elapsed);
        counts.peak = counts.peak.max(peak);
        let mut findings: Vec<String> = Vec::new();
        match result {
            Ok(result) => counts.read += u64::from(result.is_ok()),
            Err(_) => {
                counts.panics += 1;
                findings.push(LAST_PANIC.lock().unwrap_or_else(|e| e.into_inner()).clone());
            }
        }
        if elapsed > MAX_TIME {
            counts.slow += 1;
            findings.push(format!("took {:.1} s", elapsed.as_secs_f64()));
        }
        if peak > memory::MAX_BYTES {
            counts.large += 1;
            findings.push(format!("took {} MiB", peak >> 20));
        }
        if findings.is_empty() {
            continue;
        }
        printed += 1;
        if printed <= MAX_PRINTED {
            println!("{} case {case}: {}", target.name, findings.join("; "));
        }
        if let Some(folder) = &arguments.keep {
            keep(folder, &format!("{}-{}-{case}", target.name, arguments.seed), &input);
        }
    }
    counts
}

fn keep(folder: &Path, name: &str, input: &[u8]) {
    let path = folder.join(name);
    if let Err(error) = std::fs::write(&path, input) {
        eprintln!("cannot write '{}': {error}", path.display());
    }
}
