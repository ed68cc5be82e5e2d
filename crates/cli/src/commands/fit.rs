//! `vi3nr fit`: from a signal to a run directory.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vi3nr::{Activation, InitRule, Network, Scheme};
use vi3nr_inr::optimiser::{OptimiserName, OptimiserSettings, Schedule};
use vi3nr_inr::points::Points;
use vi3nr_inr::recipe::{PaperTable, Preset, Recipe};
use vi3nr_inr::train::{Progress, TrainError, TrainSettings, TrainState};
use vi3nr_inr::{
    EngineChoice, Fit, FitError, FitPlan, MetricsLog, RunDirectory, Signal, fit, test_picture,
};
use vi3nr_lab::tensorboard::save_events;

use super::resume::{self, Checkpoints};
use super::scheme::TypedScheme;
use super::signal::Typed;
use super::{beside, surface};
use crate::Done;
use crate::arguments::{BatchSize, EngineName, FitArguments, ScheduleKind};
use crate::interrupt;
use crate::output::{Failure, print, say};
use crate::progress::{FitBar, thousands};

/// The side of the test picture that is fitted where no file is named.
pub(super) const TEST_PICTURE_SIDE: u32 = 128;

/// Trains, writes the run directory, reports.
pub(crate) fn run(arguments: &FitArguments) -> Done {
    let started = Instant::now();
    if arguments.end_with_input {
        interrupt::end_with_input();
    }
    match &arguments.resume {
        None => run_in(None, arguments, started),
        Some(path) => {
            let (directory, arguments) = resume::recall(path, arguments)?;
            run_in(Some(directory), &arguments, started)
        }
    }
}

/// Trains in the directory of an earlier run, or in one of its own.
fn run_in(resumed: Option<RunDirectory>, arguments: &FitArguments, started: Instant) -> Done {
    let preset = arguments.preset.into();
    let typed = Typed {
        picture: &arguments.picture,
        sound: &arguments.sound,
        shape: surface::options(&arguments.shape, preset),
        any_of_shape: surface::any(&arguments.shape),
    };
    let signal: Box<dyn Signal> = match &arguments.file {
        Some(file) => {
            // How a recording is laid out depends on the activation; where none is typed it is the
            // sine, for every recording.
            let sine = Activation::from_str("sine").map_err(Failure::failed)?;
            typed.open(file, arguments.activation.as_ref().unwrap_or(&sine))?
        }
        None => {
            typed.require_none()?;
            Box::new(test_picture(TEST_PICTURE_SIDE).map_err(Failure::failed)?)
        }
    };
    let source = typed.remember(arguments.file.as_deref(), &signal.info());
    let plan = plan(arguments, &*signal, signal.recipes().of(preset), source)?;
    let interrupted = interrupt::flag("stopping after this step; once more to stop at once");
    let identity = plan.identity(&*signal);
    let is_resumed = resumed.is_some();
    let directory = match resumed {
        Some(directory) => directory,
        None => {
            let directory = directory(arguments)?;
            directory.begin(&resume::typed()?).map_err(Failure::failed)?;
            directory
        }
    };
    if is_resumed && let Some(ended) = directory.ended(&identity).map_err(Failure::unusable)? {
        return report_ended(&directory, &ended, arguments.training.common.json);
    }
    let checkpoint = directory.checkpoint(&identity).map_err(Failure::unusable)?;
    let (from, mut metrics) = match checkpoint {
        Some(checkpoint) => (Some(checkpoint.state), MetricsLog::resumed(checkpoint.log)),
        None => (None, MetricsLog::default()),
    };
    let step = from.as_ref().map_or(0, |state| state.step);
    let mut checkpoints = Checkpoints::new(&directory, identity, arguments.checkpoint_every, step);

    let bar = FitBar::new(plan.training.steps, &*signal);
    let mut watch = |progress: &Progress, state: &dyn Fn() -> TrainState| {
        metrics.note(progress);
        bar.show(progress);
        let ends_here = interrupted.load(Ordering::Relaxed);
        checkpoints.note(progress, state, &metrics, ends_here);
        match ends_here {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let result = fit(&*signal, &plan, from.as_ref(), started, &mut watch);
    bar.clear();
    let fit = result.map_err(|error| match error {
        FitError::Init(error) => Failure::unusable(error),
        FitError::Train(error @ TrainError::NeedsAllPoints { .. }) => Failure::unusable(error),
        error => Failure::failed(error),
    })?;
    let mut files = directory.save(&fit, &*signal, &metrics).map_err(Failure::failed)?;
    if arguments.tensorboard {
        let elapsed = Duration::try_from_secs_f64(fit.report.seconds).unwrap_or_default();
        let events = save_events(&directory, &*signal, &metrics, elapsed);
        files.push(events.map_err(Failure::failed)?);
    }
    if fit.report.stopped != "interrupted" {
        directory.forget_checkpoint().map_err(Failure::failed)?;
    }

    let paper = (preset == Preset::Paper).then(|| signal.paper_table());
    print(
        arguments.training.common.json,
        &summary(&fit, &directory, paper.as_ref()),
        &text(&fit, &plan, &directory.model_path(), &files, paper.as_ref()),
    )?;
    match fit.report.problem {
        Some(problem) => Err(Failure::Failed(problem)),
        None => Ok(()),
    }
}

/// What is left to say of a run that had ended before.
fn report_ended(directory: &RunDirectory, run: &Value, json: bool) -> Done {
    let mut summary = run["report"].clone();
    summary["model"] = json!(directory.model_path());
    let text = format!(
        "this run has ended: {} steps; stopped: {}\n{}\n",
        summary["steps"],
        summary["stopped"].as_str().unwrap_or_default(),
        directory.model_path().display(),
    );
    print(json, &summary, &text)?;
    match run["report"]["problem"].as_str() {
        Some(problem) => Err(Failure::failed(problem)),
        None => Ok(()),
    }
}

/// The JSON object that scripts read.
fn summary(fit: &Fit, directory: &RunDirectory, paper: Option<&PaperTable>) -> Value {
    let mut summary = json!(fit.report);
    summary["model"] = json!(directory.model_path());
    if let Some(table) = paper {
        summary["paper"] = beside::json(table, &fit.report.metrics);
    }
    summary
}

/// What people read.
fn text(
    fit: &Fit,
    plan: &FitPlan,
    model: &Path,
    files: &[PathBuf],
    paper: Option<&PaperTable>,
) -> String {
    let report = &fit.report;
    let dims: Vec<String> = plan.network.dims().iter().map(usize::to_string).collect();
    let mut text = format!(
        "{}; network {} ({} parameters), {}, {}, seed {}\n\
         {}: {} steps in {:.1} s, {:.0} gradient equivalents, {} points/s; stopped: {}\n\
         {}\n{}\n",
        fit.model.signal.details(),
        dims.join("-"),
        plan.network.parameter_count(),
        plan.network.activation(),
        plan.init.scheme,
        plan.seed,
        report.optimizer,
        report.steps,
        report.seconds,
        report.gradient_equivalents,
        thousands(report.points_per_second),
        match report.stopped {
            "converged" => "no further decrease",
            word => word,
        },
        report.metrics.lines(),
        model.display(),
    );
    for file in files {
        text += &format!("{}\n", file.display());
    }
    if let Some(table) = paper {
        text += &beside::text(table, &fit.report.metrics);
    }
    text
}

/// What the options mean for this signal.
fn plan(
    arguments: &FitArguments,
    signal: &dyn Signal,
    recipe: Recipe,
    source: Value,
) -> Result<FitPlan, Failure> {
    let activation = match &arguments.activation {
        Some(typed) => typed.clone(),
        None => recipe.activation.parse().map_err(Failure::failed)?,
    };
    let info = signal.info();
    let network = Network::uniform(
        info.inputs(),
        arguments.width.unwrap_or(recipe.width),
        arguments.layers.unwrap_or(recipe.layers),
        info.outputs(),
        activation,
    )
    .map_err(Failure::unusable)?;
    let init = InitRule {
        scheme: scheme(arguments, network.activation(), &recipe)?,
        weights: arguments.weights.into(),
        biases: arguments.biases.map_or(recipe.biases, Into::into),
        first_biases: match (arguments.first_bias, arguments.biases) {
            (Some(typed), _) => typed,
            (None, Some(all)) => all.into(),
            (None, None) => recipe.first_biases(network.activation()),
        },
    };
    let typed = &arguments.training;
    // These mean nothing to kfac: whoever types one wants what it belongs to.
    let of_adam = typed.lr.is_some()
        || typed.schedule.is_some()
        || typed.lr_decay.is_some()
        || matches!(typed.batch, Some(BatchSize::Points(_)));
    let chosen = match typed.optimizer {
        None if of_adam => Some(OptimiserName::Adam),
        typed => typed.map(Into::into),
    };
    let defaults = recipe.training(&network, signal.points(), chosen);
    let batch = match typed.batch {
        None => defaults.batch,
        Some(BatchSize::Full) if matches!(signal.points(), Points::Drawn(_)) => {
            let reason = "--batch full: this signal's points are drawn anew at each step and have \
                          no full number; expected a number";
            return Err(Failure::Unusable(reason.into()));
        }
        Some(BatchSize::Full) => None,
        Some(BatchSize::Points(points)) => Some(points),
    };
    if typed.target_psnr.is_some() && matches!(signal.points(), Points::Drawn(_)) {
        let reason = "--target-psnr: signed distances have no peak to compare with; expected --steps or \
                      --time-limit";
        return Err(Failure::Unusable(reason.into()));
    }
    let sees_all = match signal.points() {
        Points::Sampled(points) => batch.is_none_or(|batch| batch >= points.count()),
        Points::Drawn(_) => false,
    };
    if defaults.optimiser.needs_all_points() && !sees_all {
        let reason = "--optimizer kfac needs all points at each step and the squared error as the \
                      loss: expected a picture or a recording without --batch N, or another optimizer";
        return Err(Failure::Unusable(reason.into()));
    }
    let training = TrainSettings {
        steps: typed.steps.unwrap_or(defaults.steps),
        batch,
        optimiser: optimiser(arguments, defaults.optimiser)?,
        target_psnr: typed.target_psnr,
        time_limit: time_limit(typed.time_limit)?,
    };
    Ok(FitPlan {
        network,
        init,
        seed: arguments.seed,
        training,
        engine: match typed.engine {
            EngineName::Cpu => EngineChoice::Cpu,
            EngineName::Reference => EngineChoice::Reference,
        },
        threads: typed.common.threads,
        source,
    })
}

/// The rule for the first weights, with a warning on stderr where it is misused.
fn scheme(
    arguments: &FitArguments,
    activation: &Activation,
    recipe: &Recipe,
) -> Result<Scheme, Failure> {
    let scheme = TypedScheme {
        option: "--init",
        choice: arguments.init,
        sigma_p: arguments.sigma_p,
        last_sigma_p: arguments.last_sigma_p,
        default_sigma_p: &|activation| recipe.sigma_p(activation),
    }
    .resolve(activation)?;
    for warning in scheme.warnings(activation) {
        say(&format!("warning: {warning}"));
    }
    Ok(scheme)
}

/// The optimiser with the rates that were typed.
fn optimiser(
    arguments: &FitArguments,
    mut settings: OptimiserSettings,
) -> Result<OptimiserSettings, Failure> {
    let typed = &arguments.training;
    let schedule = schedule(arguments)?;
    match &mut settings {
        OptimiserSettings::Adam(adam) => {
            adam.learning_rate = typed.lr.unwrap_or(adam.learning_rate);
            adam.schedule = schedule.unwrap_or(adam.schedule);
        }
        OptimiserSettings::Muon(muon) => {
            muon.learning_rate = typed.lr.unwrap_or(muon.learning_rate);
            muon.schedule = schedule.unwrap_or(muon.schedule);
        }
        OptimiserSettings::Kfac(_) if typed.lr.is_some() || schedule.is_some() => {
            let reason = "--lr, --schedule, --lr-decay: kfac has no learning rate; expected none of \
                          them, or --optimizer adam or muon";
            return Err(Failure::Unusable(reason.into()));
        }
        OptimiserSettings::Kfac(_) => {}
    }
    Ok(settings)
}

/// The schedule that was typed, if one was.
fn schedule(arguments: &FitArguments) -> Result<Option<Schedule>, Failure> {
    let typed = &arguments.training;
    match (typed.schedule, typed.lr_decay) {
        (None, None) => Ok(None),
        (Some(ScheduleKind::Constant), None) => Ok(Some(Schedule::Constant)),
        (Some(ScheduleKind::Cosine), None) => Ok(Some(Schedule::Cosine)),
        (None | Some(ScheduleKind::Exponential), Some(factor)) => {
            Ok(Some(Schedule::Exponential { factor }))
        }
        (Some(ScheduleKind::Exponential), None) => {
            let reason = "--schedule exponential needs --lr-decay FACTOR, for example 0.999";
            Err(Failure::Unusable(reason.into()))
        }
        (Some(_), Some(_)) => {
            Err(Failure::Unusable("--lr-decay belongs to --schedule exponential".into()))
        }
    }
}

fn time_limit(seconds: Option<f64>) -> Result<Option<Duration>, Failure> {
    let limit = seconds.map(Duration::try_from_secs_f64).transpose();
    limit.map_err(|error| Failure::Unusable(format!("--time-limit: {error}")))
}

/// The run directory, made and found writable.
fn directory(arguments: &FitArguments) -> Result<RunDirectory, Failure> {
    let made = match &arguments.out {
        Some(path) => RunDirectory::create(path),
        None => {
            let stem = arguments.file.as_deref().and_then(Path::file_stem);
            let name = stem.map_or("test-picture".into(), |stem| stem.to_string_lossy());
            RunDirectory::create_new(&PathBuf::from("runs"), &name)
        }
    };
    made.map_err(Failure::failed)
}
