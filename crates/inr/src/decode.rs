//! From a model back to a picture, at any resolution.

use vi3nr_engine::{CpuEngine, Engine, EngineError};

use crate::{Grid, Image, ImageInfo, Model, SignalError, SignalInfo};

/// Pixels whose values are computed at a time; only the result itself is held whole.
const BAND_PIXELS: usize = 1 << 18;

/// Why a model gives no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The model is of another kind of signal.
    #[error("the model is of a signal of kind '{kind}', which gives no picture")]
    NotAnImage {
        /// The kind.
        kind: &'static str,
    },
    /// The size cannot be.
    #[error(transparent)]
    Signal(#[from] SignalError),
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
        return Err(DecodeError::NotAnImage { kind: model.signal.kind() });
    };
    let native = Grid::of_image(width, height)?;
    let grid = match size {
        Some((width, height)) => native.resampled(width, height)?,
        None => native,
    };
    let mut engine = CpuEngine::new(&model.network, &model.parameters, threads)?;
    let row = grid.width() as usize * channels;
    let mut values = vec![0.0; grid.height() as usize * row];
    let band_rows = (BAND_PIXELS / grid.width() as usize).max(1);
    for (band, values) in values.chunks_mut(band_rows * row).enumerate() {
        let first = (band * band_rows) as u32;
        let points = grid.rows(first..first + band_rows as u32);
        engine.evaluate(&points, values)?;
    }
    Ok(Image::from_values(grid.width(), grid.height(), channels, values)?)
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
    }
}
