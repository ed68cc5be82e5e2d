//! Resolving the training settings of a fit.

use vi3nr::Network;

use super::check;
use crate::optimizer::{OptimizerName, OptimizerSettings, Schedule};
use crate::preset::Preset;
use crate::recipe::Recipe;
use crate::request::{BatchSize, FitRequest, RequestError, ScheduleName};
use crate::signal::PointCount;
use crate::supervision::Supervision;
use crate::train::TrainSettings;

/// The training settings of a fit, and the reason for the optimizer.
pub(super) struct Training {
    pub(super) settings: TrainSettings,
    pub(super) reason: String,
}

pub(super) fn resolve_training(
    request: &FitRequest,
    network: &Network,
    points: PointCount,
    (target_psnr, supervision): (Option<f64>, &Supervision),
    recipe: &Recipe,
) -> Result<Training, RequestError> {
    let (optimizer, reason) = optimizer(request, network, points, recipe);
    let defaults = recipe.training(network, points, optimizer);
    let is_drawn = matches!(points, PointCount::Drawn(_));
    let batch = match request.batch {
        None => defaults.batch,
        Some(BatchSize::Full) if is_drawn => {
            let seen = "full, but the points of this signal are drawn anew at each step";
            return Err(RequestError::new("batch", seen, "a number"));
        }
        Some(BatchSize::Full) => None,
        Some(BatchSize::Points(count)) => Some(count),
    };
    let sees_all = match points {
        PointCount::Sampled(all) => batch.is_none_or(|batch| batch >= all),
        PointCount::Drawn(_) => false,
    };
    let is_squared = supervision.is_squared();
    if defaults.optimizer.needs_all_points() && !(sees_all && is_squared) {
        let seen = format!(
            "{optimizer} needs all points at each step and the squared error as the loss, and this \
             fit uses {}",
            match (is_drawn, is_squared) {
                (true, _) => "points that are drawn anew",
                (false, true) => "mini-batches",
                (false, false) => "terms that are not squares",
            }
        );
        let expected = "an image or audio with the full batch, or another optimizer";
        return Err(RequestError::new("optimizer", seen, expected));
    }
    let settings = TrainSettings {
        steps: request.steps.unwrap_or(defaults.steps),
        batch,
        optimizer: with_rates(request, defaults.optimizer)?,
        target_psnr,
        time_limit: check::time_limit(request)?,
    };
    Ok(Training { settings, reason })
}

/// The optimizer that is given, or the default with its reason.
fn optimizer(
    request: &FitRequest,
    network: &Network,
    points: PointCount,
    recipe: &Recipe,
) -> (OptimizerName, String) {
    if let Some(asked) = request.optimizer {
        return (asked, String::new());
    }
    // Settings that kfac does not have select Adam, which has them.
    let of_adam = [
        ("lr", request.lr.is_some()),
        ("schedule", request.schedule.is_some()),
        ("lr_decay", request.lr_decay.is_some()),
        ("batch", matches!(request.batch, Some(BatchSize::Points(_)))),
    ];
    if let Some((field, _)) = of_adam.iter().find(|(_, is_given)| *is_given) {
        return (OptimizerName::Adam, format!("adam, since {field} is given"));
    }
    let chosen = recipe.optimizer(network, points);
    let reason = match (request.preset, chosen) {
        (Some(Preset::Paper), chosen) => format!("{chosen}, as in the paper"),
        (_, OptimizerName::Kfac) if recipe.max_kfac_points == usize::MAX => {
            "kfac, the best by measurement for pieces".to_owned()
        }
        (_, OptimizerName::Kfac) => {
            let max = recipe.max_kfac_points;
            format!("kfac, the best by measurement for signals of at most {max} points")
        }
        (_, other) => {
            format!("{other}, the best by measurement for signals of this kind and size")
        }
    };
    (chosen, reason)
}

/// The optimizer with the learning rate and schedule of the request.
fn with_rates(
    request: &FitRequest,
    mut settings: OptimizerSettings,
) -> Result<OptimizerSettings, RequestError> {
    let schedule = schedule(request)?;
    let name = settings.name();
    if let Some(rates) = settings.rates_mut() {
        *rates.learning_rate = request.lr.unwrap_or(*rates.learning_rate);
        *rates.schedule = schedule.unwrap_or(*rates.schedule);
        return Ok(settings);
    }
    let given = [
        ("lr", request.lr.is_some()),
        ("schedule", request.schedule.is_some()),
        ("lr_decay", request.lr_decay.is_some()),
    ];
    let given = check::set(&given);
    if given.is_empty() {
        return Ok(settings);
    }
    let seen = format!("the optimizer {name} has no learning rate");
    let expected = "none of these settings, or the optimizer adam or muon";
    Err(RequestError::of_fields(&given, seen, expected))
}

/// The schedule of the request, if given.
fn schedule(request: &FitRequest) -> Result<Option<Schedule>, RequestError> {
    match (request.schedule, request.lr_decay) {
        (None, None) => Ok(None),
        (Some(ScheduleName::Constant), None) => Ok(Some(Schedule::Constant)),
        (Some(ScheduleName::Cosine), None) => Ok(Some(Schedule::Cosine)),
        (None | Some(ScheduleName::Exponential), Some(factor)) => {
            Ok(Some(Schedule::Exponential { factor }))
        }
        (Some(ScheduleName::Exponential), None) => {
            let seen = "the exponential schedule needs a factor";
            Err(RequestError::new("lr_decay", seen, "one such as 0.999"))
        }
        (Some(_), Some(_)) => {
            let seen = "only the exponential schedule has a factor";
            Err(RequestError::new("lr_decay", seen, "the exponential schedule or no factor"))
        }
    }
}
