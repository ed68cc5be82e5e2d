//! From a model to a recording.

use vi3nr_engine::{CpuEngine, Engine};

use super::{BAND, DecodeError};
use crate::model_file::Model;
use crate::signal::SignalInfo;
use crate::signal::audio::{Audio, AudioInfo};

/// The model's recording at `rate` samples a second, or its own rate if none: the same stretch of
/// time from the first sample on, in the file's own amplitude.
///
/// # Errors
/// A rate of 0 or one that gives too many samples, a model of something else, or threads or memory
/// that cannot be had.
pub fn decode_audio(
    model: &Model,
    rate: Option<u32>,
    threads: Option<usize>,
) -> Result<Audio, DecodeError> {
    let SignalInfo::Audio(native) = model.signal else {
        return Err(DecodeError::Kind { wanted: "audio", found: model.signal.kind() });
    };
    let rate = rate.unwrap_or(native.rate);
    let info = AudioInfo { rate, samples: native.samples_at(rate), ..native };
    info.check()?;
    let mut engine = CpuEngine::new(&model.network, &model.parameters, threads)?;
    let mut values = vec![0.0; info.samples as usize * info.channels];
    for (band, values) in values.chunks_mut(BAND * info.channels).enumerate() {
        let first = (band * BAND) as u64;
        let count = (values.len() / info.channels) as u64;
        let points: Vec<f32> =
            (first..first + count).map(|index| native.coordinate(index, rate)).collect();
        engine.evaluate(&points, values)?;
    }
    Ok(Audio::of_network(info, values))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::decode::decode_image;

    #[test]
    fn another_rate_samples_the_same_waveform() {
        let network = vi3nr::Network::uniform(1, 8, 3, 2, "sine:omega=3".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let info = AudioInfo {
            rate: 1000,
            samples: 301,
            channels: 2,
            scale: 0.25,
            input_scale: 10.0,
            start: 1.0,
        };
        let signal = SignalInfo::Audio(info);
        let model =
            Model { network, parameters, signal, seed: 0, settings: serde_json::Value::Null };
        let native: Vec<f32> = decode_audio(&model, None, Some(1)).unwrap().samples().collect();
        let finer = decode_audio(&model, Some(3000), Some(1)).unwrap();
        assert_eq!((finer.audio_info().rate, finer.audio_info().samples), (3000, 901));
        let finer: Vec<f32> = finer.samples().collect();
        assert_eq!((native.len(), finer.len()), (602, 1802));
        for index in 0..301 {
            let (a, b) = (&native[2 * index..][..2], &finer[6 * index..][..2]);
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{index}: {a:?} {b:?}");
        }
        assert!(native.iter().all(|value| value.abs() < 1.0));
        for wrong in [0, u32::MAX] {
            assert!(decode_audio(&model, Some(wrong), Some(1)).is_err(), "{wrong}");
        }
        assert!(decode_image(&model, None, Path::new("none.png"), None).is_err());
    }
}
