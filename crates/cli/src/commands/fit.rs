//! `vi3nr fit`: from a picture to a run directory.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vi3nr::{InitRule, Network, Scheme};
use vi3nr_engine::Adam;
use vi3nr_inr::train::{Schedule, TrainSettings};
use vi3nr_inr::{
    EngineChoice, Fit, FitError, FitPlan, Image, MetricsLog, RunDirectory, default_sigma_p,
    default_training, fit_image, test_picture,
};

use super::picture;
use super::scheme::TypedScheme;
use crate::Done;
use crate::arguments::{BatchSize, EngineName, FitArguments, ScheduleKind};
use crate::output::{Failure, print, say};
use crate::progress::{FitBar, thousands};

/// The side of the test picture that is fitted where no file is named.
const TEST_PICTURE_SIDE: u32 = 128;

/// Set by Ctrl-C; read after each step.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Trains, writes the run directory, reports.
pub(crate) fn run(arguments: &FitArguments) -> Done {
    let started = Instant::now();
    let image = match &arguments.file {
        Some(file) => picture::open(file, &picture::options(&arguments.picture))?,
        None if picture::any(&arguments.picture) => {
            let reason = "--downscale, --crop, --gray and --alpha need a FILE";
            return Err(Failure::Unusable(reason.into()));
        }
        None => test_picture(TEST_PICTURE_SIDE).map_err(Failure::failed)?,
    };
    let plan = plan(arguments, &image)?;
    // A handler cannot be set twice in a process; without one Ctrl-C ends the program at once.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(1);
        }
        say("stopping after this step; once more to stop at once");
    });
    let directory = directory(arguments)?;

    let bar = FitBar::new(plan.training.steps);
    let mut metrics = MetricsLog::default();
    let mut watch = |progress: &vi3nr_inr::train::Progress| {
        metrics.note(progress);
        bar.show(progress);
        match INTERRUPTED.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let result = fit_image(&image, &plan, started, &mut watch);
    bar.clear();
    let fit = result.map_err(|error| match error {
        FitError::Init(error) => Failure::unusable(error),
        error => Failure::failed(error),
    })?;
    directory.save(&fit, &image, &metrics).map_err(Failure::failed)?;

    print(
        arguments.training.common.json,
        &summary(&fit, &directory),
        &text(&fit, &image, &plan, &directory),
    )?;
    match fit.report.problem {
        Some(problem) => Err(Failure::Failed(problem)),
        None => Ok(()),
    }
}

/// The JSON object that scripts read.
fn summary(fit: &Fit, directory: &RunDirectory) -> Value {
    let mut summary = json!(fit.report);
    summary["model"] = json!(directory.model_path());
    summary
}

/// What people read.
fn text(fit: &Fit, image: &Image, plan: &FitPlan, directory: &RunDirectory) -> String {
    let report = &fit.report;
    let dims: Vec<String> = plan.network.dims().iter().map(usize::to_string).collect();
    format!(
        "{}x{} pixels, {} channels; network {} ({} parameters), {}, {}, seed {}\n\
         {} steps in {:.1} s, {} points/s; stopped: {}\n\
         PSNR {:.2} dB (peak 2, the usual convention), {:.2} dB (the paper's convention)\n\
         {}\n{}\n",
        image.width(),
        image.height(),
        image.channels(),
        dims.join("-"),
        plan.network.parameter_count(),
        plan.network.activation(),
        plan.init.scheme,
        plan.seed,
        report.steps,
        report.seconds,
        thousands(report.points_per_second),
        report.stopped,
        report.psnr,
        report.psnr_paper,
        directory.model_path().display(),
        directory.path().join("reconstruction.png").display(),
    )
}

/// What the options mean for this picture.
fn plan(arguments: &FitArguments, image: &Image) -> Result<FitPlan, Failure> {
    let network = Network::uniform(
        2,
        arguments.width,
        arguments.layers,
        image.channels(),
        arguments.activation.clone(),
    )
    .map_err(Failure::unusable)?;
    let init = InitRule {
        scheme: scheme(arguments)?,
        weights: arguments.weights.into(),
        biases: arguments.biases.into(),
    };
    let typed = &arguments.training;
    let defaults = default_training(&network, image.pixel_count());
    let batch = match typed.batch {
        None => defaults.batch,
        Some(BatchSize::Full) => None,
        Some(BatchSize::Points(points)) => Some(points),
    };
    let training = TrainSettings {
        steps: typed.steps.unwrap_or(defaults.steps),
        batch,
        learning_rate: typed.lr.unwrap_or(defaults.learning_rate),
        schedule: schedule(arguments)?.unwrap_or(defaults.schedule),
        target_psnr: typed.target_psnr,
        time_limit: time_limit(typed.time_limit)?,
        adam: Adam::default(),
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
        source: picture::remember(arguments.file.as_deref(), &arguments.picture),
    })
}

/// The rule for the first weights, with a warning on stderr where it is misused.
fn scheme(arguments: &FitArguments) -> Result<Scheme, Failure> {
    let activation = &arguments.activation;
    let scheme = TypedScheme {
        option: "--init",
        choice: arguments.init,
        sigma_p: arguments.sigma_p,
        last_sigma_p: arguments.last_sigma_p,
        default_sigma_p,
    }
    .resolve(activation)?;
    for warning in scheme.warnings(activation) {
        say(&format!("warning: {warning}"));
    }
    Ok(scheme)
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
