//! What a resumed run shares with the run that it continues.

use std::path::Path;

use serde_json::Value;
use vi3nr::scheme::SchemeRequest;

use super::absolute;
use crate::checkpoint::{CheckpointError, version_1};
use crate::plan::{FitPlan, differences, differences_but_backend};
use crate::prepare::{PrepareError, Prepared};
use crate::preset::Preset;
use crate::request::{FitRequest, RequestError};
use crate::run_directory::{MODEL_FILE, RunDirectory, RunError, StoredRun};

/// Whether `changes` continue a finished run.
pub(super) fn continues(changes: &FitRequest) -> bool {
    changes.steps.is_some() || changes.time_limit.is_some()
}

/// The request of the run that [`Run::resume`](super::Run::resume) returns for the same arguments, where `path` is its
/// directory.
///
/// # Errors
/// Returns [`RunError::Prepare`] if settings contradict each other or a path cannot be made
/// absolute.
pub fn resumed_request(
    path: &Path,
    stored: &StoredRun,
    request: &FitRequest,
    changes: &FitRequest,
) -> Result<FitRequest, RunError> {
    let with_changes = |own: &FitRequest| -> Result<FitRequest, RunError> {
        Ok(own.with(&absolute(changes)?).map_err(PrepareError::from)?)
    };
    let Some(report) = stored.report().filter(|_| continues(changes)) else {
        return with_changes(request);
    };
    if changes.from.is_some() {
        let seen = "a finished run continues from its own model";
        return Err(PrepareError::from(RequestError::new("from", seen, "none")).into());
    }
    // The model decides the network; the settings in `changes` must agree with it.
    let mut request = with_changes(&request.without_network())?;
    request.from = Some(path.join(MODEL_FILE));
    if let (None, Some(limit)) = (changes.steps, changes.time_limit) {
        request.steps = Some(steps_within(report, limit));
    }
    Ok(request)
}

/// The request of a run that is resumed with the activation and the scheme of the stored run if it leaves
/// them open. It is prepared in this form, so that a run of an earlier version, which had other defaults, can
/// be resumed.
pub fn with_own_weights(request: &FitRequest, stored: &StoredRun) -> FitRequest {
    let mut request = request.clone();
    if !request.leaves_weights_open() {
        return request;
    }
    match stored {
        StoredRun::Current(record) => {
            let plan = &record.plan;
            request.activation = Some(plan.network.activation().clone());
            request.init = Some(SchemeRequest::Given(plan.init.scheme));
            // Coordinates of several axes are not scaled.
            if plan.network.inputs() == 1 {
                request.input_scale = Some(plan.input_scale);
            }
        }
        // Version 1 stored no plan; its preset `fast` had SIREN's weights.
        StoredRun::Version1(_) if request.preset.unwrap_or_default() == Preset::Fast => {
            request.init = Some(SchemeRequest::Siren);
        }
        StoredRun::Version1(_) => {}
    }
    request
}

/// About four times as many steps as fit into `limit` seconds at the speed of the finished run, so
/// that the time limit ends the run and its log has enough rows.
fn steps_within(report: &Value, limit: f64) -> u64 {
    let number = |name: &str| report.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let rate = number("steps") / number("training_seconds").max(1e-3);
    (4.0 * rate * limit).clamp(1_000.0, 1e12) as u64
}

/// Checks that a continued run has the signal and the network of the finished run.
pub(super) fn require_same_subject(
    directory: &RunDirectory,
    stored: &StoredRun,
    prepared: &Prepared,
) -> Result<(), RunError> {
    let plan = &prepared.resolved.plan;
    let part = |whole: &Value, names: &[&str]| -> Value {
        names.iter().map(|&name| (name.to_owned(), whole[name].clone())).collect()
    };
    let (kept, asked, names) = match stored {
        StoredRun::Current(record) => {
            (record.plan.to_json(), plan.to_json(), &["signal", "source", "network"])
        }
        // Version 1 stored a checksum that depends on the seed.
        StoredRun::Version1(run) => (
            run.run.clone().unwrap_or_default(),
            version_1::identity(plan, &*prepared.signal),
            &["signal", "points", "network"],
        ),
    };
    require_none(directory, differences(&part(&kept, names), &part(&asked, names)))
}

/// Returns [`CheckpointError::Foreign`] if there are differences.
fn require_none(directory: &RunDirectory, differences: Vec<String>) -> Result<(), RunError> {
    match differences.is_empty() {
        true => Ok(()),
        false => {
            let path = directory.path().to_owned();
            Err(CheckpointError::Foreign { path, differences }.into())
        }
    }
}

/// Checks that the finished run in `directory` has this plan, whatever its backend was.
pub(super) fn require_same_plan(
    directory: &RunDirectory,
    stored: &StoredRun,
    plan: &FitPlan,
) -> Result<(), RunError> {
    // Version 1 stored no plan.
    let StoredRun::Current(record) = stored else { return Ok(()) };
    require_none(directory, differences_but_backend(&record.plan.to_json(), &plan.to_json()))
}

/// Whether the stored run has this plan, whatever its backend was.
pub(super) fn is_same_run(stored: &StoredRun, plan: &FitPlan) -> bool {
    let StoredRun::Current(record) = stored else { return false };
    differences_but_backend(&record.plan.to_json(), &plan.to_json()).is_empty()
}
