//! `vi3nr bench --to-psnr`: how much work optimisers need.

use std::fs;
use std::path::Path;

use serde_json::json;
use vi3nr::{InitRule, Network, WeightShape};
use vi3nr_inr::bench::{WorkReport, work_chart, work_csv, work_to_psnr};
use vi3nr_inr::optimiser::OptimiserSettings;
use vi3nr_inr::recipe::Preset;
use vi3nr_inr::signal::{self, SignalOptions};
use vi3nr_inr::{EngineChoice, FitPlan, Signal, write_atomically};

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
    let names: Vec<_> = match &work.optimizer[..] {
        [] => vec![None],
        typed => typed.iter().map(|name| Some((*name).into())).collect(),
    };
    let mut reports = Vec::new();
    for name in names {
        for seed in 0..work.seeds {
            let plan = plan(arguments, &*signal, name, seed)?;
            let report = work_to_psnr(&*signal, &plan, target, work.budget).ok_or_else(|| {
                let reason = format!("--image {}: expected a picture", file.display());
                Failure::Unusable(reason)
            })?;
            reports.push(report.map_err(Failure::failed)?);
        }
    }
    let title = format!("{}, {}", file.display(), signal.info().details());
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

/// All of the picture at each step, with the settings of `fit`.
fn plan(
    arguments: &BenchArguments,
    signal: &dyn Signal,
    optimiser: Option<vi3nr_inr::optimiser::OptimiserName>,
    seed: u64,
) -> Result<FitPlan, Failure> {
    let work = &arguments.work;
    let recipe = signal.recipe(Preset::Fast);
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
        first_biases: work.first_bias.unwrap_or(recipe.first_biases(&activation)),
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
         optimizer  seed   to {target} dB  seconds   in all      PSNR  stopped\n"
    );
    for report in reports {
        let number = |value: Option<f64>, decimals: usize| match value {
            Some(value) => format!("{value:.decimals$}"),
            None => "-".into(),
        };
        text += &format!(
            "{:<9} {:>5} {:>8} GE {:>8} {:>5.0} GE {:>6.2} dB  {}\n",
            report.optimizer,
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
