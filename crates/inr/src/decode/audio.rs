//! Decoding audio.

use std::io;
use std::path::Path;

use serde_json::json;
use vi3nr::number::significant;
use vi3nr_engine::Backend;

use super::field::{AxisPositions, Field};
use super::{BAND, DecodeError, DecodeRequest, Decoded, Watch, info_of, require_extension};
use crate::model_file::Model;
use crate::request::RequestError;
use crate::signal::audio::{Audio, AudioInfo, write_wav};
use crate::signal::{SignalInfo as _, SignalKind};

/// Decodes the audio of `model` in the amplitude of the file that was fitted, at `rate` samples per
/// second or, if `None`, at its own rate. `span` selects a part by its start, in seconds from the
/// first sample, and its duration in seconds; `None` stands for the whole audio, and for a duration
/// up to its end.
///
/// # Errors
/// Returns [`DecodeError::Kind`] if the model is not one of audio, [`DecodeError::Request`] if the
/// span is not inside the audio, [`DecodeError::Signal`] if the rate is 0 or gives too many
/// samples, and [`DecodeError::Engine`] or [`DecodeError::Pieces`] if the model cannot be
/// evaluated.
pub fn decode_audio(
    model: &Model,
    rate: Option<u32>,
    span: Option<(f64, Option<f64>)>,
    backend: &dyn Backend,
) -> Result<Audio, DecodeError> {
    let part = Part::of(model, rate, span)?;
    let mut field = Field::new(model, backend)?;
    let mut values = Vec::with_capacity(part.info.values() as usize);
    for positions in part.bands(model) {
        values.extend(field.values(&[&positions])?);
    }
    Ok(Audio::of_network(part.info, values))
}

/// The part of a model's audio that is decoded.
struct Part {
    /// The fitted audio.
    native: AudioInfo,
    /// The rate, length and start of the result.
    info: AudioInfo,
    /// The start in samples of the fitted audio; `None` for the whole audio.
    first: Option<f64>,
}

impl Part {
    fn of(
        model: &Model,
        rate: Option<u32>,
        span: Option<(f64, Option<f64>)>,
    ) -> Result<Self, DecodeError> {
        let native: AudioInfo = info_of(model, SignalKind::Audio)?;
        let rate = rate.unwrap_or(native.rate);
        // Checked before anything is divided by the rate.
        AudioInfo { rate, ..native }.check()?;
        let (first, samples, start) = match span {
            None => (None, native.samples_at(rate), 0.0),
            Some((start, duration)) => {
                let (first, samples) = start_and_length(&native, rate, start, duration)?;
                (Some(first), samples, start)
            }
        };
        let info = AudioInfo { rate, samples, start: native.start + start, ..native };
        info.check()?;
        Ok(Self { native, info, first })
    }

    /// The positions of the result's samples, at most [`BAND`] of them at a time, in order.
    fn bands(&self, model: &Model) -> impl Iterator<Item = AxisPositions> {
        let Self { native, info, first } = *self;
        let scale = model.input_scale;
        let ratio = f64::from(native.rate) / f64::from(info.rate);
        let position = move |index: u64| match first {
            None => (index as f64 * ratio, native.coordinate(index, info.rate, scale)),
            Some(first) => {
                let position = first + index as f64 * ratio;
                (position, native.coordinate_at(position, scale))
            }
        };
        (0..info.samples).step_by(BAND).map(move |band| {
            let indices = band..info.samples.min(band + BAND as u64);
            let (positions, coordinates) = indices.map(position).unzip();
            AxisPositions { positions, coordinates }
        })
    }
}

/// The start of a part in samples of the fitted audio, and its number of samples at `rate`.
fn start_and_length(
    native: &AudioInfo,
    rate: u32,
    start: f64,
    duration: Option<f64>,
) -> Result<(f64, u64), DecodeError> {
    let span = native.span();
    if !(0.0..=span).contains(&start) {
        let expected = format!("0 to {} seconds, the length of the audio", significant(span, 6));
        return Err(RequestError::new("start", start.to_string(), expected).into());
    }
    let left = span - start;
    let length = duration.unwrap_or(left);
    if length.is_nan() || length <= 0.0 {
        let seen = length.to_string();
        return Err(RequestError::new("duration", seen, "a number of seconds above 0").into());
    }
    // Tolerates rounding errors in times that are multiples of the sample period.
    let within = |seconds: f64| (seconds * f64::from(rate) + 1e-6).floor() as u64;
    let samples = match duration {
        Some(duration) => within(duration).clamp(1, within(left) + 1),
        None => within(left) + 1,
    };
    Ok((start * f64::from(native.rate), samples))
}

pub(super) fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<Decoded, DecodeError> {
    require_extension(path, SignalKind::Audio, "wav")?;
    let is_part = request.start.is_some() || request.duration.is_some();
    let span = is_part.then_some((request.start.unwrap_or(0.0), request.duration));
    let part = Part::of(model, request.rate, span)?;
    let info = part.info;
    let mut field = Field::new(model, backend)?;
    let format = request.sample_format.unwrap_or_default();
    let all = info.values() as f64;
    let clipped = write_wav(path, &info, format, |push| {
        let mut done = 0;
        for positions in part.bands(model) {
            let values = field.values(&[&positions]).map_err(io::Error::other)?;
            let samples = values.into_iter().map(|value| (f64::from(value) * info.scale) as f32);
            let samples: Vec<f32> = samples.collect();
            push(&samples)?;
            done += samples.len();
            watch(done as f64 / all);
        }
        Ok(())
    })?;
    let mut warnings = Vec::new();
    if clipped > 0 {
        warnings.push(format!(
            "{clipped} of {} samples were outside the range of the file and were clipped; the \
             sample format float keeps them",
            info.values()
        ));
    }
    Ok(Decoded {
        facts: json!({
            "file": path.to_string_lossy(),
            "samples": info.samples,
            "channels": info.channels,
            "rate": info.rate,
            "clipped": clipped,
        }),
        summary: info.shape(),
        warnings,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vi3nr_engine::CpuBackend;

    use super::*;
    use crate::decode::decode_image;

    #[test]
    fn another_rate_samples_the_same_waveform() {
        let network = vi3nr::Network::uniform(1, 8, 3, 2, "sine:omega=3".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let info = AudioInfo { rate: 1000, samples: 301, channels: 2, scale: 0.25, start: 1.0 };
        let model = Model { input_scale: 10.0, ..Model::new(network, parameters, Arc::new(info)) };
        let backend = CpuBackend::new(Some(1)).unwrap();
        let native: Vec<f32> =
            decode_audio(&model, None, None, &backend).unwrap().samples().collect();
        let finer = decode_audio(&model, Some(3000), None, &backend).unwrap();
        assert_eq!((finer.audio_info().rate, finer.audio_info().samples), (3000, 901));
        let finer: Vec<f32> = finer.samples().collect();
        assert_eq!((native.len(), finer.len()), (602, 1802));
        for index in 0..301 {
            let (a, b) = (&native[2 * index..][..2], &finer[6 * index..][..2]);
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{index}: {a:?} {b:?}");
        }
        assert!(native.iter().all(|value| value.abs() < 1.0));
        let part = decode_audio(&model, None, Some((0.1, Some(0.05))), &backend).unwrap();
        assert_eq!((part.audio_info().samples, part.audio_info().start), (50, 1.1));
        let part: Vec<f32> = part.samples().collect();
        assert!(part.iter().zip(&native[200..300]).all(|(a, b)| (a - b).abs() < 1e-5));
        let end = decode_audio(&model, None, Some((0.29, None)), &backend).unwrap();
        assert_eq!(end.audio_info().samples, 11);
        for span in [(-1.0, None), (0.31, None), (f64::NAN, None), (0.0, Some(0.0))] {
            assert!(decode_audio(&model, None, Some(span), &backend).is_err(), "{span:?}");
        }
        for wrong in [0, u32::MAX] {
            assert!(decode_audio(&model, Some(wrong), None, &backend).is_err(), "{wrong}");
        }
        assert!(decode_image(&model, None, None, Path::new("none.png"), &backend).is_err());
    }
}
