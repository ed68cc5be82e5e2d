//! `vi3nr bench --to-psnr`: how much work optimisers need.

use std::fs;
use std::path::Path;

use serde_json::json;
use vi3nr::{BiasRule, InitRule, Network, WeightShape};
use vi3nr_inr::optimiser::{OptimiserName, OptimiserSettings};
use vi3nr_inr::recipe::Preset;
use vi3nr_inr::signal::{self, SignalOptions};
use vi3nr_inr::{EngineChoice, FitPlan, Signal, write_atomically};
use vi3nr_lab::bench::{WorkReport, work_chart, work_csv, work_to_psnr};

use super::picture;
use super::scheme::TypedScheme;
use crate::Done;
use crate::arguments::{BenchArguments, InitChoice};
use crate::output::{Failure, print};

/// Fits `file` with every optimiser and seed, and reports when each reached `target` dB.
pub(crate) fn run(arguments: &BenchArguments, target: f64, file: &Path) -> Done {
    let work = &arguments.work;
    let options = SignalOptions { image: picture::options(&work.picture), ..Default::default() };
    let signal = signal::open(file, &options).map_err(Failure::unusable)?;
    if let Some(out) = &work.out {
        fs::create_dir_all(out)
            .map_err(|error| Failure::failed(format!("--out {}: {error}", out.display())))?;
    }
    let names = typed_or_default(work.optimizer.iter().map(|name| (*name).into()));
    let rules = typed_or_default(work.first_bias.iter().copied());
    let mut reports = Vec::new();
    for (name, rule) in names.iter().flat_map(|name| rules.iter().map(|rule| (*name, *rule))) {
        for seed in 0..work.seeds {
            let plan = plan(arguments, &*signal, (name, rule), seed)?;
            let report = work_to_psnr(&*signal, &plan, target, work.budget).ok_or_else(|| {
                let reason = format!("--image {}: expected a picture", file.display());
                Failure::Unusable(reason)
            })?;
            reports.push(report.map_err(Failure::failed)?);
        }
    }
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let title = format!("{name}, {}", signal.info().details());
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

/// What was typed, or once the default.
fn typed_or_default<T>(typed: impl Iterator<Item = T>) -> Vec<Option<T>> {
    let typed: Vec<Option<T>> = typed.map(Some).collect();
    if typed.is_empty() { vec![None] } else { typed }
}

/// All of the picture at each step, with the settings of `fit`.
fn plan(
    arguments: &BenchArguments,
    signal: &dyn Signal,
    (optimiser, first_biases): (Option<OptimiserName>, Option<BiasRule>),
    seed: u64,
) -> Result<FitPlan, Failure> {
    let work = &arguments.work;
    let recipe = signal.recipes().of(Preset::Fast);
    let activation = match &arguments.activation {
        Some(typed) => typed.clone(),
        None => recipe.activation.parse().map_err(Failure::failed)?,
    };
    let scheme = TypedScheme {
        option: "the scheme",
        choice: InitChoice::Auto,
        sigma_p: work.sigma_p,
        last_sigma_p: None,
        default_sigma_p: &|activation| recipe.sigma_p(activation),
    }
    .resolve(&activation)?;
    let info = signal.info();
    let init = InitRule {
        scheme,
        weights: WeightShape::Uniform,
        biases: recipe.biases,
        first_biases: first_biases.unwrap_or(recipe.first_biases(&activation)),
    };
    let (width, layers) = (recipe.width, recipe.layers);
    let network = Network::uniform(info.inputs(), width, layers, info.outputs(), activation)
        .map_err(Failure::unusable)?;
    let mut training = recipe.training(&network, signal.points(), optimiser);
    training.batch = None;
    match (&mut training.optimiser, work.lr) {
        (OptimiserSettings::Adam(adam), Some(rate)) => adam.learning_rate = rate,
        (OptimiserSettings::Muon(muon), Some(rate)) => muon.learning_rate = rate,
        _ => {}
    }
    let threads = arguments.common.threads;
    let source = json!(null);
    Ok(FitPlan { network, init, seed, training, engine: EngineChoice::Cpu, threads, source })
}

/// What people read.
fn text(title: &str, target: f64, reports: &[WorkReport]) -> String {
    let mut text = format!(
        "{title}; work in gradient equivalents (GE); PSNR with peak = largest value of the picture\n\
         optimizer  first biases  seed   to {target} dB  seconds   in all      PSNR  stopped\n"
    );
    for report in reports {
        let number = |value: Option<f64>, decimals: usize| match value {
            Some(value) => format!("{value:.decimals$}"),
            None => "-".into(),
        };
        text += &format!(
            "{:<9}  {:<12} {:>5} {:>8} GE {:>8} {:>5.0} GE {:>6.2} dB  {}\n",
            report.optimizer,
            report.first_biases,
            report.seed,
            number(report.gradient_equivalents_to_target, 0),
            number(report.seconds_to_target, 1),
            report.gradient_equivalents,
            report.psnr_paper,
            report.stopped,
        );
    }
    text
}
