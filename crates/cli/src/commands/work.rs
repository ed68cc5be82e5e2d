//! `vi3nr bench --to-psnr`: how much work optimizers need.

use std::fs;
use std::path::Path;

use serde_json::json;
use vi3nr::BiasRule;
use vi3nr_inr::atomic_file::write_atomically;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::prepare::{Prepared, prepare};
use vi3nr_inr::request::{BatchSize, EngineName, FitRequest};
use vi3nr_inr::run::backend;
use vi3nr_lab::bench::{WorkError, WorkReport, work_chart, work_csv, work_to_psnr};

use crate::CommandResult;
use crate::arguments::BenchArguments;
use crate::output::{Failure, print};

/// Fits `file` with every optimizer and seed, and reports when each reached `target` dB.
pub(crate) fn run(arguments: &BenchArguments, target: f64, file: &Path) -> CommandResult {
    let work = &arguments.work;
    if let Some(out) = &work.out {
        fs::create_dir_all(out)
            .map_err(|error| Failure::failed(format!("--out {}: {error}", out.display())))?;
    }
    let backend = backend(EngineName::Cpu, arguments.common.threads).map_err(Failure::failed)?;
    let names = given_or_default(&work.optimizer);
    let rules = given_or_default(&work.first_bias);
    let mut reports = Vec::new();
    let mut title = String::new();
    for (name, rule) in names.iter().flat_map(|name| rules.iter().map(|rule| (*name, *rule))) {
        for seed in 0..work.seeds {
            let request = request(arguments, file, (name, rule), seed);
            let Prepared { signal, resolved, .. } =
                backend.workers().install(|| prepare(&request))?;
            let mut plan = resolved.plan;
            // Optimizers without a learning rate are compared as they are.
            if let (Some(rate), Some(rates)) = (work.lr, plan.training.optimizer.rates_mut()) {
                *rates.learning_rate = rate;
            }
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
            title = format!("{name}, {}", plan.signal.details());
            let report = work_to_psnr(&plan, &*signal, &*backend, target, work.budget);
            reports.push(report.map_err(|error| match error {
                error @ WorkError::NoPsnr { .. } => {
                    Failure::Usage(format!("--image {}: {error}", file.display()))
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
    print(arguments.common.json, &summary, &text(&title, target, &reports))
}

/// What was given, or once the default.
fn given_or_default<T: Copy>(given: &[T]) -> Vec<Option<T>> {
    match given {
        [] => vec![None],
        given => given.iter().copied().map(Some).collect(),
    }
}

/// The settings of `fit`; all of the image at each step where an optimizer is named, else in pieces if it
/// is too large for one network.
fn request(
    arguments: &BenchArguments,
    file: &Path,
    (optimizer, first_bias): (Option<OptimizerName>, Option<BiasRule>),
    seed: u64,
) -> FitRequest {
    let work = &arguments.work;
    let mut request = FitRequest::default();
    request.file = Some(file.to_owned());
    work.preparation.fill(&mut request.signal);
    request.activation = arguments.activation.clone();
    request.sigma_p = work.sigma_p;
    request.first_bias = first_bias;
    request.seed = Some(seed);
    request.batch = optimizer.map(|_| BatchSize::Full);
    request.optimizer = optimizer;
    request
}

/// What people read.
fn text(title: &str, target: f64, reports: &[WorkReport]) -> String {
    let mut text = format!(
        "{title}; work in gradient equivalents (GE); PSNR with peak = largest value of the picture\n\
         optimizer  first biases  seed   to {target} dB  seconds   in all      PSNR  parameters  stopped\n"
    );
    for report in reports {
        let number = |value: Option<f64>, decimals: usize| match value {
            Some(value) => format!("{value:.decimals$}"),
            None => "-".into(),
        };
        text += &format!(
            "{:<9}  {:<12} {:>5} {:>8} GE {:>8} {:>5.0} GE {:>6.2} dB  {:>10.0}  {}\n",
            report.optimizer,
            report.first_biases,
            report.seed,
            number(report.gradient_equivalents_to_target, 0),
            number(report.seconds_to_target, 1),
            report.gradient_equivalents,
            report.psnr_paper,
            report.parameters,
            report.stopped,
        );
    }
    text
}
