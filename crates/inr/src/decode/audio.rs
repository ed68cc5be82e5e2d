//! From a model to audio.

use std::path::Path;

use serde_json::json;
use vi3nr_engine::Backend;

use super::{BAND, DecodeError, DecodeRequest, Decoded, info_of, require_ending};
use crate::model_file::Model;
use crate::signal::audio::{Audio, AudioInfo};
use crate::signal::{SignalInfo as _, SignalKind};

/// The model's audio at `rate` samples a second, or its own rate if none: the same stretch of
/// time from the first sample on, in the file's own amplitude.
///
/// # Errors
/// Returns [`DecodeError::Kind`] for a model of something else, [`DecodeError::Signal`] for a rate of 0
/// or one that gives too many samples, [`DecodeError::Engine`] if threads or memory are short.
pub fn decode_audio(
    model: &Model,
    rate: Option<u32>,
    backend: &dyn Backend,
) -> Result<Audio, DecodeError> {
    let native: AudioInfo = info_of(model, SignalKind::Audio)?;
    let rate = rate.unwrap_or(native.rate);
    let info = AudioInfo { rate, samples: native.samples_at(rate), ..native };
    info.check()?;
    let mut engine = backend.engine(&model.network, &model.parameters)?;
    let mut values = vec![0.0; info.samples as usize * info.channels];
    for (band, values) in values.chunks_mut(BAND * info.channels).enumerate() {
        let first = (band * BAND) as u64;
        let count = (values.len() / info.channels) as u64;
        let points: Vec<f32> = (first..first + count)
            .map(|index| native.coordinate(index, rate, model.input_scale))
            .collect();
        engine.evaluate(&points, values)?;
    }
    Ok(Audio::of_network(info, values))
}

pub(super) fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
) -> Result<Decoded, DecodeError> {
    require_ending(path, "wav")?;
    let audio = decode_audio(model, request.rate, backend)?;
    let clipped = audio.save_wav(path, request.sample_format.unwrap_or_default())?;
    let info = audio.audio_info();
    let mut warnings = Vec::new();
    if clipped > 0 {
        warnings.push(format!(
            "{clipped} of {} samples lay beyond the file's range and were clipped; the sample format \
             float keeps them",
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
    use crate::model_file::Origin;

    #[test]
    fn another_rate_samples_the_same_waveform() {
        let network = vi3nr::Network::uniform(1, 8, 3, 2, "sine:omega=3".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let info = AudioInfo { rate: 1000, samples: 301, channels: 2, scale: 0.25, start: 1.0 };
        let origin = Origin::Settings(serde_json::Value::Null);
        let signal = Arc::new(info);
        let model = Model { network, parameters, signal, input_scale: 10.0, seed: 0, origin };
        let backend = CpuBackend::new(Some(1)).unwrap();
        let native: Vec<f32> = decode_audio(&model, None, &backend).unwrap().samples().collect();
        let finer = decode_audio(&model, Some(3000), &backend).unwrap();
        assert_eq!((finer.audio_info().rate, finer.audio_info().samples), (3000, 901));
        let finer: Vec<f32> = finer.samples().collect();
        assert_eq!((native.len(), finer.len()), (602, 1802));
        for index in 0..301 {
            let (a, b) = (&native[2 * index..][..2], &finer[6 * index..][..2]);
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{index}: {a:?} {b:?}");
        }
        assert!(native.iter().all(|value| value.abs() < 1.0));
        for wrong in [0, u32::MAX] {
            assert!(decode_audio(&model, Some(wrong), &backend).is_err(), "{wrong}");
        }
        assert!(decode_image(&model, None, Path::new("none.png"), &backend).is_err());
    }
}
