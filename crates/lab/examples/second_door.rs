//! Another door to the same fits: a request from a text file, the plan with its reasons, a run that
//! loses nothing when it is cut off.
//!
//! ```sh
//! cargo run --release -p vi3nr-lab --example second_door -- request.toml
//! ```
//!
//! The file, TOML or JSON, holds any settings of a fit by name:
//!
//! ```toml
//! file = "photo.png"
//! crop = 128
//! activation = "gaussian:sigma=0.05"
//! steps = 200
//! ```
//!
//! Without a file the example fits the test image with a small network. The run directory lies under the system's folder for temporary
//! files. Nothing here is the command line's: that is one more door.

use std::error::Error;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::Instant;

use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run, RunEvent, backend};
use vi3nr_lab::request_file;

fn main() -> Result<(), Box<dyn Error>> {
    // A setting that does not exist or cannot have its value is an error that names it.
    let request = match std::env::args_os().nth(1) {
        Some(file) => request_file::read(file.as_ref())?,
        None => {
            let mut request = FitRequest::default();
            (request.width, request.layers, request.steps) = (Some(32), Some(4), Some(60));
            request
        }
    };
    let backend = backend(request.engine.unwrap_or_default(), None)?;
    let started = Instant::now();
    let destination = Destination::Under(std::env::temp_dir().join("vi3nr-runs"));
    let run = Run::begin(&request, &destination, &*backend)?;

    // The library has decided everything that was left open, and says why.
    let resolved = &run.prepared().resolved;
    println!("{}", resolved.plan.signal.details());
    for reason in &resolved.reasons {
        println!("{}: {}", reason.field, reason.text);
    }
    for warning in resolved.warnings.iter().chain(run.signal().warnings()) {
        println!("warning: {warning}");
    }

    // A watcher sees every step; one that breaks leaves a checkpoint to go on from.
    let mut watch = |event: RunEvent<'_>| {
        match event {
            RunEvent::Step(progress) => {
                let loss = progress.loss;
                print!("\rstep {} of {}, loss {loss:.3e} ", progress.step, progress.steps);
                let _ = std::io::stdout().flush();
            }
            RunEvent::CheckpointFailed(error) => println!("\nwarning: {error}"),
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let outcome = run.execute(&*backend, CheckpointInterval::default(), started, &mut watch)?;

    let report = &outcome.fit.report;
    println!("\n{} steps in {:.1} s; stopped: {}", report.steps, report.seconds, report.stopped);
    println!("{}", report.metrics.lines());
    println!("{}", run.directory().path().display());
    Ok(())
}
