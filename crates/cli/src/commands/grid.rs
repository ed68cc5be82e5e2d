//! `vi3nr bench --grid-parameters`: what a grid of values reaches.

use serde::Serialize;
use serde_json::json;
use vi3nr_engine::Workers;
use vi3nr_inr::signal::SignalRequest;
use vi3nr_inr::signal::image::Image;
use vi3nr_lab::bench::{GridError, GridPlan, GridReport, fit_grid};

use crate::CommandResult;
use crate::arguments::BenchArguments;
use crate::output::{Failure, print};

/// One picture in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    #[serde(flatten)]
    report: &'a GridReport,
}

/// Fits a grid of about `parameters` values to each picture in turn.
pub(crate) fn run(arguments: &BenchArguments, parameters: u64) -> CommandResult {
    let workers = Workers::new(arguments.common.threads).map_err(Failure::failed)?;
    let mut request = SignalRequest::default();
    arguments.work.preparation.fill(&mut request);
    let options = request.image.options();
    let (mut grids, mut text) = (Vec::new(), String::new());
    for file in &arguments.grid.files {
        let image = workers.install(|| Image::open(file, &options))?;
        let name = file.to_string_lossy();
        let failure = |error: GridError| match error {
            // Not for what was typed: the learning rate is ours, and files hold finite values.
            GridError::Diverged { .. } => Failure::failed(format!("{name}: {error}")),
            error => Failure::usage(format!("{name}: {error}")),
        };
        let plan = GridPlan::of_parameters(&image, parameters, arguments.grid.grid_interpolation);
        let fit = plan.and_then(|plan| fit_grid(&image, &plan, &workers)).map_err(failure)?;
        text += &lines(&name, &fit.report);
        grids.push(json!(Entry { file: &name, report: &fit.report }));
    }
    print(arguments.common.json, &json!({"asked_parameters": parameters, "grids": grids}), &text)
}

/// What people read of one picture.
fn lines(name: &str, report: &GridReport) -> String {
    let GridReport { columns, rows, parameters, bits_per_pixel, psnr, seconds, steps, .. } = report;
    let mut text = format!(
        "{name}: {columns}x{rows} values, {parameters} parameters, {bits_per_pixel:.2} bits per pixel \
         at 32 bits each\n  PSNR {psnr:.2} dB (peak 2) after {steps} steps, {seconds:.2} s\n"
    );
    for level in &report.levels {
        if let (Some(steps), Some(seconds)) = (level.steps, level.seconds) {
            text += &format!("  {} dB after {steps} steps, {seconds:.2} s\n", level.psnr);
        }
    }
    text
}
