//! Parsers of values, whose errors say what was expected.

use std::error::Error;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use vi3nr::number;
use vi3nr_engine::MAX_THREADS;
use vi3nr_inr::backend::BackendChoice;
use vi3nr_inr::decode::{Derivative, MeshAttribute};
use vi3nr_inr::optimizer::OptimizerName;
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

/// A parser of the derivatives of images.
pub(super) fn derivative() -> impl TypedValueParser<Value = Derivative> {
    named(Derivative::ALL.map(Derivative::name))
}

/// A parser of the numbers of vertices.
pub(super) fn mesh_attribute() -> impl TypedValueParser<Value = MeshAttribute> {
    named(MeshAttribute::ALL.map(MeshAttribute::name))
}

/// A parser of the executors of sweeps.
pub(super) fn executor() -> impl TypedValueParser<Value = ExecutorName> {
    named(ExecutorName::ALL.map(ExecutorName::as_str))
}

/// A parser of the backends.
pub(super) fn backend() -> impl TypedValueParser<Value = BackendChoice> {
    word(BackendChoice::ALL.map(BackendChoice::as_str))
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

/// A parser of whole numbers within `range`, which may be written as `1e3` or `1_000`.
pub(super) fn whole<T>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: TryFrom<u64> + 'static,
{
    move |text| {
        let value = number::whole(text).filter(|value| range.contains(value));
        value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| match range.end() {
            &u64::MAX => format!("expected a whole number, {} or more", range.start()),
            end => format!("expected a whole number from {} to {end}", range.start()),
        })
    }
}

fn real(text: &str, is_valid: fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let value = number::real(text).filter(|value| value.is_finite() && is_valid(*value));
    value.ok_or_else(|| expected.to_owned())
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    real(text, |value| value > 0.0, "expected a finite number above 0")
}

pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    real(text, |value| value >= 0.0, "expected a finite number, 0 or more")
}

pub(super) fn finite(text: &str) -> Result<f64, String> {
    real(text, |_| true, "expected a finite number")
}

pub(super) fn threads(text: &str) -> Result<usize, String> {
    whole(1..=MAX_THREADS as u64)(text)
}

pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    let side = whole::<u32>(1..=u64::from(u32::MAX));
    let sides = text
        .split_once('x')
        .and_then(|(width, height)| Some((side(width).ok()?, side(height).ok()?)));
    sides.ok_or_else(|| {
        "expected WIDTHxHEIGHT in whole pixels above 0, for example 640x480".to_owned()
    })
}
