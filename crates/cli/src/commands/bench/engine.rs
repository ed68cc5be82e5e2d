//! `vi3nr bench engine`: how fast this machine trains.

use vi3nr_lab::bench::{BenchPlan, bench};

use crate::CommandResult;
use crate::arguments::BenchEngineArguments;
use crate::output::{Failure, print};

/// Measures for about ten seconds and prints.
pub(super) fn run(arguments: &BenchEngineArguments) -> CommandResult {
    let plan = BenchPlan {
        shape: arguments.shape,
        points: arguments.points.map(|points| points as usize),
        networks: arguments.networks as usize,
        activation: arguments.activation.clone(),
        threads: arguments.common.threads,
        terms: arguments.term.clone(),
    };
    let report = bench(&plan).map_err(Failure::failed)?;
    let terms = report.terms.as_ref().map_or(String::new(), |terms| {
        format!(
            "\nterms      {:9.3} ms  {:7.2} times a step on values  ({})",
            1e3 * terms.step_seconds,
            terms.relative_to_values,
            terms.terms.join(", ")
        )
    });
    print(
        arguments.common.json,
        &report,
        &format!(
            "{} {}, {} network{} of {} points, {} threads, {}\n\
             step       {:9.3} ms  {:7.1} GFLOP/s  {:5.1} % of peak (at best {:5.1} %)\n\
             inference  {:9.3} ms  {:7.1} GFLOP/s  {:5.1} % of peak (at best {:5.1} %)\n\
             peak                     {:7.1} GFLOP/s (multiply-adds on registers, in turn with the steps){terms}",
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
