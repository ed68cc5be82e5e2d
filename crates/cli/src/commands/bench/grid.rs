//! `vi3nr bench grid`: the quality that a grid of values reaches.

use serde::Serialize;
use serde_json::json;
use vi3nr_engine::Workers;
use vi3nr_inr::signal::SignalRequest;
use vi3nr_inr::signal::image::Image;
use vi3nr_lab::bench::{GridError, GridPlan, GridReport, fit_grid};

use crate::CommandResult;
use crate::arguments::BenchGridArguments;
use crate::output::{Failure, print};

/// One image in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    #[serde(flatten)]
    report: &'a GridReport,
}

/// Fits a grid to each image in turn.
pub(super) fn run(arguments: &BenchGridArguments) -> CommandResult {
    let workers = Workers::new(arguments.common.threads).map_err(Failure::failed)?;
    let mut request = SignalRequest::default();
    arguments.preparation.fill(&mut request);
    let options = request.image.options();
    let (mut grids, mut text) = (Vec::new(), String::new());
    for file in &arguments.files {
        let image = workers.install(|| Image::open(file, &options))?;
        let name = file.to_string_lossy();
        let failure = |error: GridError| match error {
            // Not the request's fault: the learning rate is ours, and files hold finite values.
            GridError::Diverged { .. } => Failure::failed(format!("{name}: {error}")),
            error => Failure::usage(format!("{name}: {error}")),
        };
        let plan = GridPlan::of_parameters(&image, arguments.parameters, arguments.interpolation);
        let fit = plan.and_then(|plan| fit_grid(&image, &plan, &workers)).map_err(failure)?;
        text += &lines(&name, &fit.report);
        grids.push(json!(Entry { file: &name, report: &fit.report }));
    }
    let summary = json!({"asked_parameters": arguments.parameters, "grids": grids});
    print(arguments.common.json, &summary, &text)
}

/// The text for one image.
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
