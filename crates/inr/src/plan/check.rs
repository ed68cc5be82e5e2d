//! Validation of the settings of a request.

use std::time::Duration;

use crate::backend::BackendRequest;
use crate::request::{BatchSize, FitRequest, RequestError};
use crate::signal::SignalInfo;

/// A field, its value, the test of the value, and the expected values.
type NumberRule = (&'static str, Option<f64>, fn(f64) -> bool, &'static str);

/// Checks the ranges of the numbers in `request`, which may not come from a parser, and whether its
/// backend uses a device.
pub(crate) fn numbers(request: &FitRequest) -> Result<(), RequestError> {
    BackendRequest::of(request, None).check()?;
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let above_0 = "a finite number above 0";
    let (audio, shape) = (&request.signal.audio, &request.signal.shape);
    let rules: [NumberRule; 10] = [
        ("lr", request.lr, positive, above_0),
        ("lr_decay", request.lr_decay, positive, above_0),
        ("last_sigma_p", request.last_sigma_p, positive, above_0),
        ("input_scale", request.input_scale, positive, above_0),
        ("time_limit", request.time_limit, positive, above_0),
        ("target_psnr", request.target_psnr, f64::is_finite, "a finite number"),
        ("quality", request.quality, f64::is_finite, "a finite number of dB"),
        (
            "start",
            audio.start,
            |value| value.is_finite() && value >= 0.0,
            "a finite number, 0 or above",
        ),
        ("duration", audio.duration, positive, above_0),
        ("clamp", shape.clamp, positive, above_0),
    ];
    for (field, value, is_valid, expected) in rules {
        if let Some(value) = value.filter(|value| !is_valid(*value)) {
            return Err(RequestError::new(field, value.to_string(), expected));
        }
    }
    let image = &request.signal.image;
    let zeros = [
        ("steps", request.steps == Some(0)),
        ("parameters", request.parameters == Some(0)),
        ("downscale", image.downscale == Some(0)),
        ("crop", image.crop == Some(0)),
    ];
    if let Some((field, _)) = zeros.into_iter().find(|(_, is_zero)| *is_zero) {
        return Err(RequestError::new(field, "0", "a whole number above 0"));
    }
    match request.batch {
        Some(BatchSize::Points(points)) if !(1..=BatchSize::MAX).contains(&points) => {
            let expected = format!("a number from 1 to {}, or full", BatchSize::MAX);
            Err(RequestError::new("batch", points.to_string(), expected))
        }
        _ => Ok(()),
    }
}

/// The fields that are set, of all `fields` with whether they are.
pub(super) fn set(fields: &[(&'static str, bool)]) -> Vec<&'static str> {
    fields.iter().filter(|(_, is_set)| *is_set).map(|(field, _)| *field).collect()
}

/// Checks that a fit that starts from given weights has no settings for drawing them.
pub(super) fn start(request: &FitRequest) -> Result<(), RequestError> {
    let given = [
        ("init", request.init.is_some()),
        ("sigma_p", request.sigma_p.is_some()),
        ("first_sigma_p", request.first_sigma_p.is_some()),
        ("last_sigma_p", request.last_sigma_p.is_some()),
        ("weights", request.weights.is_some()),
        ("biases", request.biases.is_some()),
        ("first_bias", request.first_bias.is_some()),
    ];
    let mut fields = set(&given);
    if fields.is_empty() {
        return Ok(());
    }
    fields.push("from");
    let seen = "a fit that starts from given weights does not draw any";
    let expected = "either a file of weights or settings for drawing them";
    Err(RequestError::of_fields(&fields, seen, expected))
}

/// The time limit as a duration.
pub(super) fn time_limit(request: &FitRequest) -> Result<Option<Duration>, RequestError> {
    let limit = request.time_limit.map(Duration::try_from_secs_f64).transpose();
    limit.map_err(|error| {
        let seen = request.time_limit.unwrap_or_default().to_string();
        RequestError::new("time_limit", format!("{seen}: {error}"), "a number of seconds")
    })
}

/// Checks that the fields for specific kinds of signal are those of this signal's kind.
pub(super) fn fields(request: &FitRequest, info: &dyn SignalInfo) -> Result<(), RequestError> {
    if let Some(scale) = request.input_scale.filter(|_| info.inputs() != 1) {
        let seen =
            format!("{scale}, but only signals of one coordinate, such as audio, are scaled");
        return Err(RequestError::new("input_scale", seen, ""));
    }
    let foreign: Vec<_> =
        request.signal.set_fields().into_iter().filter(|(kind, _)| *kind != info.kind()).collect();
    let Some((kind, _)) = foreign.first() else { return Ok(()) };
    let fields: Vec<&'static str> =
        foreign.iter().filter(|(own, _)| own == kind).map(|(_, field)| *field).collect();
    let plural = kind.entry().plural;
    let seen =
        format!("only {plural} have this setting, and the signal is of kind {}", info.kind());
    Err(RequestError::of_fields(&fields, seen, ""))
}
