//! Fitting with the library: a request from a file, the resolved plan with its reasons, and a run
//! that can be resumed after an interrupt.
//!
//! ```sh
//! cargo run --release -p vi3nr-lab --example second_door -- request.toml
//! ```
//!
//! The TOML or JSON file gives any settings of a fit by name:
//!
//! ```toml
//! file = "photo.png"
//! crop = 128
//! activation = "gaussian:sigma=0.05"
//! steps = 200
//! ```
//!
//! Without a file, the example fits the test image with a small network. The run directory is
//! created in the system's folder for temporary files. Nothing here depends on the command-line
//! tool.

use std::error::Error;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::Instant;

use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run, RunEvent};
use vi3nr_lab::request_file;

fn main() -> Result<(), Box<dyn Error>> {
    // An unknown setting or an invalid value is an error that names the setting.
    let request = match std::env::args_os().nth(1) {
        Some(file) => request_file::read(file.as_ref())?,
        None => {
            let mut request = FitRequest::default();
            (request.width, request.layers, request.steps) = (Some(32), Some(4), Some(60));
            request
        }
    };
    let started = Instant::now();
    let destination = Destination::Under(std::env::temp_dir().join("vi3nr-runs"));
    let (run, opened) = Run::open(&request, None, &destination, None)?;
    println!("{}", opened.line());

    // The library has chosen all settings that were not given, with reasons.
    let resolved = &run.prepared().resolved;
    println!("{}", resolved.plan.signal.details());
    for reason in &resolved.reasons {
        println!("{}: {}", reason.field, reason.text);
    }
    for warning in resolved.warnings.iter().chain(run.signal().warnings()) {
        println!("warning: {warning}");
    }

    // The callback sees every step. If it returns `Break`, the run stops and leaves a checkpoint.
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
    let outcome =
        run.execute(&*opened.backend, CheckpointInterval::default(), started, &mut watch)?;

    let report = &outcome.fit.report;
    println!("\n{} steps in {:.1} s; stopped: {}", report.steps, report.seconds, report.stopped);
    println!("{}", report.metrics.lines(false));
    println!("{}", run.directory().path().display());
    Ok(())
}
