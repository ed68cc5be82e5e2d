//! `vi3nr bench engine`: how fast this machine or its GPU trains.

use vi3nr_inr::backend::OpenBackend;
use vi3nr_lab::bench::{BenchPlan, BenchReport, Rate, bench};

use crate::CommandResult;
use crate::arguments::BenchEngineArguments;
use crate::output::{Failure, print, sizes};

/// Measures and prints.
pub(super) fn run(arguments: &BenchEngineArguments) -> CommandResult {
    let plan = BenchPlan {
        shape: arguments.shape,
        points: arguments.points.map(|points| points as usize),
        width: arguments.width,
        layers: arguments.layers,
        networks: arguments.networks as usize,
        activation: arguments.activation.clone(),
        terms: arguments.term.clone(),
        optimizer: arguments.optimizer,
        duration: arguments.seconds,
    };
    let workload = plan.workload().map_err(Failure::failed)?;
    let request = arguments.backend.request(arguments.common.threads);
    let opened = OpenBackend::of(&request, || workload)?;
    let report = bench(&plan, &opened).map_err(Failure::failed)?;
    print(arguments.common.json, &report, &text(&report, &opened))
}

/// What people read.
fn text(report: &BenchReport, opened: &OpenBackend) -> String {
    let BenchReport { shape, dims, activation, networks, points, threads, .. } = report;
    let plural = if *networks == 1 { "" } else { "s" };
    let instructions = report.instructions.as_ref().map_or(String::new(), |set| format!(", {set}"));
    let mut text = format!(
        "{shape} {}, {activation}, {networks} network{plural}, {points} points each, {threads} \
         threads{instructions}\n{}\n",
        sizes(dims),
        opened.line()
    );
    let step = Rate {
        seconds: report.step_seconds,
        gflops: report.step_gflops,
        fraction_of_peak: report.step_fraction_of_peak,
        fraction_of_peak_at_best: report.step_fraction_of_peak_at_best,
    };
    let inference = Rate {
        seconds: report.inference_seconds,
        gflops: report.inference_gflops,
        fraction_of_peak: report.inference_fraction_of_peak,
        fraction_of_peak_at_best: report.inference_fraction_of_peak_at_best,
    };
    match &report.single_steps {
        None => text += &line("step", &step, ""),
        Some(single) => {
            let plural = if report.steps_per_run == 1 { "" } else { "s" };
            let note = format!("  (in runs of {} step{plural})", report.steps_per_run);
            text += &line("step", &step, &note);
            text += &line("single step", single, "  (the loss is read after each)");
        }
    }
    if *networks > 1 {
        let milliseconds = 1e3 * report.step_seconds_per_network;
        text += &format!("  a network   {milliseconds:9.3} ms  (a step divided by {networks})\n");
    }
    text += &line("inference", &inference, "");
    text += &format!(
        "{:12}               {:8.1} GFLOP/s  (multiply-adds on registers, in turn with the steps)",
        "peak", report.peak_gflops
    );
    if let Some(terms) = &report.terms {
        text += &format!(
            "\n{:12}{:11.3} ms  {:7.2} times a single step on values  ({})",
            "terms",
            1e3 * terms.step_seconds,
            terms.relative_to_values,
            terms.terms.join(", ")
        );
    }
    if let Some(steps) = &report.optimizer {
        text += &format!(
            "\n{:12}{:11.3} ms  {:7.2} times a single step of adam, {:.2} times the operations of a \
             gradient, {:.1} % of peak (at best {:.1} %)",
            steps.optimizer.as_str(),
            1e3 * steps.step_seconds,
            steps.relative_to_adam,
            steps.relative_operations,
            100.0 * steps.fraction_of_peak,
            100.0 * steps.fraction_of_peak_at_best,
        );
    }
    text
}

/// A time and its rate.
fn line(name: &str, rate: &Rate, note: &str) -> String {
    format!(
        "{name:12}{:11.3} ms  {:8.1} GFLOP/s  {:5.1} % of peak (at best {:5.1} %){note}\n",
        1e3 * rate.seconds,
        rate.gflops,
        100.0 * rate.fraction_of_peak,
        100.0 * rate.fraction_of_peak_at_best,
    )
}
