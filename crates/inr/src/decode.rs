//! From a model back to a picture or a recording, at any resolution.

use vi3nr_engine::{CpuEngine, Engine, EngineError};

use crate::{Audio, AudioInfo, Grid, Image, ImageInfo, Model, SignalError, SignalInfo};

/// Points whose values are computed at a time; only the result itself is held whole.
const BAND: usize = 1 << 18;

/// Why a model gives no signal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The size cannot be.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The model is of something else.
    #[error("the model is of kind {found}; expected {wanted}")]
    Kind {
        /// What was asked for.
        wanted: &'static str,
        /// What the model is of.
        found: &'static str,
    },
    /// The engine cannot be built.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The model's picture with `size` (width, height) pixels, or its own size if none: the same
/// rectangle of coordinates, both ends included, sampled at any resolution.
///
/// # Errors
/// A size that no image can have, or threads or memory that cannot be had.
pub fn decode_image(
    model: &Model,
    size: Option<(u32, u32)>,
    threads: Option<usize>,
) -> Result<Image, DecodeError> {
    let SignalInfo::Image(ImageInfo { width, height, channels, .. }) = model.signal else {
        return Err(DecodeError::Kind { wanted: "image", found: model.signal.kind() });
    };
    let native = Grid::of_image(width, height)?;
    let grid = match size {
        Some((width, height)) => native.resampled(width, height)?,
        None => native,
    };
    let mut engine = CpuEngine::new(&model.network, &model.parameters, threads)?;
    let row = grid.width() as usize * channels;
    let mut values = vec![0.0; grid.height() as usize * row];
    let band_rows = (BAND / grid.width() as usize).max(1);
    for (band, values) in values.chunks_mut(band_rows * row).enumerate() {
        let first = (band * band_rows) as u32;
        let points = grid.rows(first..first + band_rows as u32);
        engine.evaluate(&points, values)?;
    }
    Ok(Image::from_values(grid.width(), grid.height(), channels, values)?)
}

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
    use super::*;
    use crate::BitDepth;

    fn model(width: u32, height: u32) -> Model {
        let network =
            vi3nr::Network::uniform(2, 16, 3, 3, "sine:omega=2".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let bit_depth = BitDepth::Eight;
        let signal = SignalInfo::Image(ImageInfo { width, height, channels: 3, bit_depth });
        Model { network, parameters, signal, seed: 0, settings: serde_json::Value::Null }
    }

    #[test]
    fn bands_are_parts_of_one_picture() {
        let model = model(700, 600);
        let image = decode_image(&model, None, Some(2)).unwrap();
        let mut engine = CpuEngine::new(&model.network, &model.parameters, Some(1)).unwrap();
        let mut values = vec![0.0; image.values().len()];
        engine.evaluate(&image.coordinates(), &mut values).unwrap();
        assert_eq!(image.values(), values);
    }

    #[test]
    fn another_resolution_samples_the_same_function() {
        let model = model(9, 5);
        let native = decode_image(&model, None, Some(1)).unwrap();
        let finer = decode_image(&model, Some((17, 9)), Some(1)).unwrap();
        for y in 0..5 {
            for x in 0..9 {
                let a = &native.values()[3 * (y * 9 + x)..][..3];
                let b = &finer.values()[3 * (2 * y * 17 + 2 * x)..][..3];
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6));
            }
        }
        assert!(decode_image(&model, Some((0, 4)), Some(1)).is_err());
        assert!(matches!(decode_audio(&model, None, None), Err(DecodeError::Kind { .. })));
    }

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
        assert!(decode_image(&model, None, None).is_err());
    }
}
