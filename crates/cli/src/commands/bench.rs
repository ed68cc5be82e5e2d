//! `vi3nr bench`: how fast this machine trains.

use std::str::FromStr;

use vi3nr::Activation;

use vi3nr_lab::bench::{BenchPlan, bench};

use super::{grid, work};
use crate::CommandResult;
use crate::arguments::BenchArguments;
use crate::output::{Failure, print};

/// Measures for about ten seconds and prints.
pub(crate) fn run(arguments: &BenchArguments) -> CommandResult {
    if let (Some(target), Some(image)) = (arguments.work.to_psnr, &arguments.work.image) {
        return work::run(arguments, target, image);
    }
    if let Some(parameters) = arguments.grid.grid_parameters {
        return grid::run(arguments, parameters);
    }
    let activation = match &arguments.activation {
        Some(typed) => typed.clone(),
        None => Activation::from_str("gaussian:sigma=0.05").map_err(Failure::failed)?,
    };
    let plan = BenchPlan {
        shape: arguments.shape,
        points: arguments.points.map(|points| points as usize),
        networks: arguments.networks as usize,
        activation,
        threads: arguments.common.threads,
    };
    let report = bench(&plan).map_err(Failure::failed)?;
    print(
        arguments.common.json,
        &report,
        &format!(
            "{} {}, {} network{} of {} points, {} threads, {}\n\
             step       {:9.3} ms  {:7.1} GFLOP/s  {:5.1} % of peak (at best {:5.1} %)\n\
             inference  {:9.3} ms  {:7.1} GFLOP/s  {:5.1} % of peak (at best {:5.1} %)\n\
             peak                     {:7.1} GFLOP/s (multiply-adds on registers, in turn with the steps)",
            report.shape,
            report.activation,
            report.networks,
            if report.networks == 1 { "" } else { "s" },
            report.points,
            report.threads,
            report.instructions,
            1e3 * report.step_seconds,
            report.step_gflops,
            100.0 * report.step_fraction_of_peak,
            100.0 * report.step_fraction_of_peak_at_best,
            1e3 * report.inference_seconds,
            report.inference_gflops,
            100.0 * report.inference_fraction_of_peak,
            100.0 * report.inference_fraction_of_peak_at_best,
            report.peak_gflops,
        ),
    )
}
