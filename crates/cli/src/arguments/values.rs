//! From words to values, with what was expected where they are none.

use std::time::Duration;

use vi3nr_inr::checkpoint::Every;

use super::{BatchSize, InitChoice, Sigma};

pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("expected a finite number above 0".into()),
    }
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .ok_or_else(|| "expected a finite number".into())
}

pub(super) fn sigma(text: &str) -> Result<Sigma, String> {
    if text == "auto" {
        return Ok(Sigma::Auto);
    }
    positive(text).map(Sigma::Given).map_err(|expected| format!("{expected}, or auto"))
}

pub(super) fn init(text: &str) -> Result<InitChoice, vi3nr::Error> {
    Ok(match text {
        "auto" => InitChoice::Auto,
        "ours" => InitChoice::Ours,
        "ours_mc" => InitChoice::Sampled,
        "siren" => InitChoice::Siren,
        scheme => InitChoice::Given(scheme.parse()?),
    })
}

pub(super) fn every(text: &str) -> Result<Every, String> {
    let expected = || "expected a whole number of steps above 0, or seconds such as 30s".to_owned();
    if let Some(seconds) = text.strip_suffix('s') {
        let seconds = positive(seconds).map_err(|_| expected())?;
        return Duration::try_from_secs_f64(seconds).map(Every::Time).map_err(|_| expected());
    }
    text.parse().ok().filter(|steps| *steps > 0).map(Every::Steps).ok_or_else(expected)
}

pub(super) fn batch(text: &str) -> Result<BatchSize, String> {
    match (text, text.parse()) {
        ("full", _) => Ok(BatchSize::Full),
        (_, Ok(points)) if points > 0 => Ok(BatchSize::Points(points)),
        _ => Err("expected a whole number above 0, or full".into()),
    }
}

pub(super) fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1024) => Ok(count),
        _ => Err("expected a whole number from 1 to 1024".into()),
    }
}

pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    let expected = || "expected WIDTHxHEIGHT in whole pixels above 0, for example 640x480".into();
    let (width, height) = text.split_once('x').ok_or_else(expected)?;
    match (width.parse(), height.parse()) {
        (Ok(width), Ok(height)) if width > 0 && height > 0 => Ok((width, height)),
        _ => Err(expected()),
    }
}

pub(super) fn grid(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 2..=2048) => Ok(count),
        _ => Err("expected a whole number from 2 to 2048".into()),
    }
}
