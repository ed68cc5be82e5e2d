//! From words to values, with what was expected where they are not such.

use std::error::Error;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::request::EngineName;
use vi3nr_inr::signal::SignalKind;
use vi3nr_inr::signal::audio::SampleFormat;
use vi3nr_lab::sweep::ExecutorName;

/// A parser of the values that are written as one of `names`, which help lists.
pub(super) fn named<T>(
    names: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// The same for values that JSON holds as one of `names`.
pub(super) fn word<T>(
    names: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value::<T>(name.into()))
}

/// A parser of the formats of samples.
pub(super) fn sample_format() -> impl TypedValueParser<Value = SampleFormat> {
    PossibleValuesParser::new(["16", "24", "float"]).map(|name| match name.as_str() {
        "24" => SampleFormat::TwentyFour,
        "float" => SampleFormat::Float,
        _ => SampleFormat::Sixteen,
    })
}

/// A parser of the executors of sweeps.
pub(super) fn executor() -> impl TypedValueParser<Value = ExecutorName> {
    named(ExecutorName::ALL.map(ExecutorName::as_str))
}

/// A parser of the engines.
pub(super) fn engine() -> impl TypedValueParser<Value = EngineName> {
    word(EngineName::ALL.iter().map(|name| name.as_str()))
}

/// A parser of the optimizers.
pub(super) fn optimizer() -> impl TypedValueParser<Value = OptimizerName> {
    named(OptimizerName::ALL.iter().map(|name| name.as_str()))
}

/// A parser of the kinds of signals.
pub(super) fn signal_kind() -> impl TypedValueParser<Value = SignalKind> {
    let names = SignalKind::ALL.iter().map(|kind| kind.name());
    PossibleValuesParser::new(names).try_map(|name| {
        SignalKind::named(&name).ok_or_else(|| format!("expected {}", SignalKind::names()))
    })
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("expected a finite number above 0".into()),
    }
}

pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a finite number, 0 or more".into()),
    }
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .ok_or_else(|| "expected a finite number".into())
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
