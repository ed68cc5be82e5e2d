//! `vi3nr bench optimizers`: the work that optimizers need to reach a PSNR.

use std::fs;
use std::path::Path;

use serde_json::json;
use vi3nr::BiasRule;
use vi3nr_inr::atomic_file::write_atomically;
use vi3nr_inr::backend::{Ready, ready};
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::prepare::{Prepared, prepare};
use vi3nr_inr::request::{BatchSize, FitRequest};
use vi3nr_lab::bench::{WorkError, WorkReport, work_chart, work_csv, work_to_psnr};

use crate::CommandResult;
use crate::arguments::BenchOptimizersArguments;
use crate::output::{Failure, print};

/// Fits the image with every optimizer and seed, and reports when each reached the targets.
pub(super) fn run(arguments: &BenchOptimizersArguments) -> CommandResult {
    let work = arguments;
    let file = arguments.file.as_ref().or(arguments.image.as_ref());
    let file = file.ok_or_else(|| Failure::Usage("expected the FILE of an image".into()))?;
    // Clap requires at least one.
    let target = arguments.to_psnr.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if let Some(out) = &work.out {
        fs::create_dir_all(out)
            .map_err(|error| Failure::failed(format!("--out {}: {error}", out.display())))?;
    }
    let names = given_or_default(&work.optimizer);
    let rules = given_or_default(&work.first_bias);
    let mut reports = Vec::new();
    let mut title = String::new();
    for (name, rule) in names.iter().flat_map(|name| rules.iter().map(|rule| (*name, *rule))) {
        for seed in 0..work.seeds {
            let request = request(arguments, file, (name, rule), seed);
            let Ready { prepared, opened, .. } =
                ready(&request, arguments.common.threads, prepare)?;
            let Prepared { signal, resolved, .. } = prepared;
            let mut plan = resolved.plan;
            // Optimizers without a learning rate are compared as they are.
            if let (Some(rate), Some(rates)) = (work.lr, plan.training.optimizer.rates_mut()) {
                *rates.learning_rate = rate;
            }
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
            title = format!("{name}, {}", plan.signal.details());
            let report =
                work_to_psnr(&plan, &*signal, &*opened.backend, &work.to_psnr, work.budget);
            reports.push(report.map_err(|error| match error {
                error @ WorkError::NoPsnr { .. } => {
                    Failure::Usage(format!("'{}': {error}", file.display()))
                }
                error => Failure::failed(error),
            })?);
        }
    }
    if let Some(out) = &work.out {
        let rows = work_csv(&reports);
        write_atomically(&out.join("work.csv"), |writer| writer.write_all(rows.as_bytes()))
            .map_err(Failure::failed)?;
        let chart = work_chart(title.clone(), &reports, target);
        for name in ["work.svg", "work.png"] {
            chart.save(&out.join(name)).map_err(Failure::failed)?;
        }
    }
    let summary = json!({"image": title, "target_psnr_paper": target, "runs": reports});
    print(arguments.common.json, &summary, &text(&title, &reports))
}

/// What was given, or once the default.
fn given_or_default<T: Copy>(given: &[T]) -> Vec<Option<T>> {
    match given {
        [] => vec![None],
        given => given.iter().copied().map(Some).collect(),
    }
}

/// The settings of `fit`; all of the image at each step where an optimizer is named, else in pieces
/// if it is too large for one network.
fn request(
    arguments: &BenchOptimizersArguments,
    file: &Path,
    (optimizer, first_bias): (Option<OptimizerName>, Option<BiasRule>),
    seed: u64,
) -> FitRequest {
    let mut request = FitRequest::default();
    request.file = Some(file.to_owned());
    arguments.preparation.fill(&mut request.signal);
    request.activation = arguments.activation.clone();
    request.sigma_p = arguments.sigma_p;
    request.first_bias = first_bias;
    request.seed = Some(seed);
    request.batch = optimizer.map(|_| BatchSize::Full);
    request.optimizer = optimizer;
    request.backend = arguments.backend.backend;
    request.device = arguments.backend.device;
    request
}

/// What people read: one line for each fit and target.
fn text(title: &str, reports: &[WorkReport]) -> String {
    let mut text = format!(
        "{title}; work in gradient equivalents (GE); PSNR with peak = largest value of the image\n\
         optimizer  first biases  seed    target       work  seconds   in all      PSNR  parameters  \
         stopped\n"
    );
    let number = |value: Option<f64>, decimals: usize| match value {
        Some(value) => format!("{value:.decimals$}"),
        None => "-".into(),
    };
    for report in reports {
        for target in &report.targets {
            text += &format!(
                "{:<9}  {:<12} {:>5} {:>6} dB {:>7} GE {:>8} {:>5.0} GE {:>6.2} dB  {:>10.0}  {}\n",
                report.optimizer,
                report.first_biases,
                report.seed,
                target.psnr_paper,
                number(target.gradient_equivalents, 0),
                number(target.seconds, 1),
                report.gradient_equivalents,
                report.psnr_paper,
                target.parameters,
                report.stopped,
            );
        }
    }
    text
}
