//! From a model back to a picture, a recording or a surface, at any resolution.

#[cfg(feature = "audio")]
mod sound;
#[cfg(feature = "shape")]
mod surface;

#[cfg(feature = "audio")]
pub use sound::decode_audio;
#[cfg(feature = "shape")]
pub use surface::{DecodedShape, decode_shape};

use std::io;
use std::path::Path;

use vi3nr_engine::{CpuEngine, Engine, EngineError};

use crate::atomic_file::WriteError;
use crate::model_file::Model;
use crate::signal::image::write_png;
use crate::signal::image::{Grid, ImageInfo};
use crate::signal::{SignalError, SignalInfo};

/// Points whose values are computed at a time.
const BAND: usize = 1 << 18;

/// Why a model gives no signal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The size cannot be, or there is no surface.
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
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The engine cannot be built.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Writes the model's picture as a PNG file with `size` (width, height) pixels, or its own size if
/// none, and returns that size: the same rectangle of coordinates, both ends included, sampled at any
/// resolution.
///
/// The picture goes to the file band by band: the memory for it is about 4 MiB and a row of pixels,
/// however large it is.
///
/// # Errors
/// A size that no picture can have, a model of something else, threads or memory that cannot be had,
/// or what the system reports of the file.
pub fn decode_image(
    model: &Model,
    size: Option<(u32, u32)>,
    path: &Path,
    threads: Option<usize>,
) -> Result<(u32, u32), DecodeError> {
    let SignalInfo::Image(info) = model.signal else {
        return Err(DecodeError::Kind { wanted: "image", found: model.signal.kind() });
    };
    let native = Grid::of_image(info.width, info.height)?;
    let (width, height) = size.unwrap_or((info.width, info.height));
    let grid = native.resampled(width, height)?;
    let mut engine = CpuEngine::new(&model.network, &model.parameters, threads)?;
    let band = (BAND as u32 / width).max(1);
    let mut values = Vec::new();
    write_png(path, ImageInfo { width, height, ..info }, |rows| {
        for first in (0..height).step_by(band as usize) {
            let points = grid.rows(first..height.min(first + band));
            values.resize(points.len() / 2 * info.channels, 0.0);
            engine.evaluate(&points, &mut values).map_err(io::Error::other)?;
            rows(&values)?;
        }
        Ok(())
    })?;
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::image::{BitDepth, Image, ImageOptions};

    fn model(width: u32, height: u32) -> Model {
        let network =
            vi3nr::Network::uniform(2, 16, 3, 3, "sine:omega=2".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let bit_depth = BitDepth::Eight;
        let signal = SignalInfo::Image(ImageInfo { width, height, channels: 3, bit_depth });
        Model { network, parameters, signal, seed: 0, settings: serde_json::Value::Null }
    }

    fn decoded(model: &Model, size: Option<(u32, u32)>) -> Image {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decoded.png");
        let (width, height) = decode_image(model, size, &path, Some(2)).unwrap();
        let image = Image::open(&path, &ImageOptions::default()).unwrap();
        assert_eq!((image.width(), image.height()), (width, height));
        image
    }

    #[test]
    fn bands_are_parts_of_one_picture() {
        for bit_depth in [BitDepth::Eight, BitDepth::Sixteen] {
            let mut model = model(700, 600);
            let SignalInfo::Image(info) = &mut model.signal else { unreachable!() };
            info.bit_depth = bit_depth;
            let image = decoded(&model, None);
            assert_eq!(image.bit_depth(), bit_depth);
            let mut engine = CpuEngine::new(&model.network, &model.parameters, Some(1)).unwrap();
            let mut values = vec![0.0; image.values().len()];
            engine.evaluate(&image.coordinates(), &mut values).unwrap();
            let half_step = if bit_depth == BitDepth::Eight { 1.0 / 255.0 } else { 1.0 / 65535.0 };
            for (seen, value) in image.values().iter().zip(&values) {
                assert!((seen - value.clamp(-1.0, 1.0)).abs() <= 1.001 * half_step);
            }
        }
    }

    #[test]
    fn another_resolution_samples_the_same_function() {
        let model = model(9, 5);
        let (native, finer) = (decoded(&model, None), decoded(&model, Some((17, 9))));
        for y in 0..5 {
            for x in 0..9 {
                let a = &native.values()[3 * (y * 9 + x)..][..3];
                let b = &finer.values()[3 * (2 * y * 17 + 2 * x)..][..3];
                // At most one step of eight bits apart.
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.008));
            }
        }
        let refused = |size| decode_image(&model, Some(size), Path::new("none.png"), Some(1));
        assert!(refused((0, 4)).is_err() && refused((1 << 20, 1 << 20)).is_err());
        assert!(!Path::new("none.png").exists());
    }
}
