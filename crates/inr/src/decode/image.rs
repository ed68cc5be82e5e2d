//! From a model to an image file.

use std::io;
use std::path::Path;

use serde_json::json;
use vi3nr_engine::Backend;

use super::{BAND, DecodeError, DecodeRequest, Decoded, info_of, require_ending};
use crate::model_file::Model;
use crate::signal::SignalKind;
use crate::signal::image::{Grid, ImageInfo, write_png};

/// Writes the model's image as a PNG file with `size` (width, height) pixels, or its own size if
/// none, and returns that size: the same rectangle of coordinates, both ends included, sampled at any
/// resolution.
///
/// The image goes to the file band by band: the memory for it is about 4 MiB and a row of pixels,
/// however large it is.
///
/// # Errors
/// Returns [`DecodeError::Kind`] for a model of something else, [`DecodeError::Signal`] for a size
/// that no image can have or what the system reports of the file, [`DecodeError::Engine`] if threads or
/// memory are short.
pub fn decode_image(
    model: &Model,
    size: Option<(u32, u32)>,
    path: &Path,
    backend: &dyn Backend,
) -> Result<(u32, u32), DecodeError> {
    let info: ImageInfo = info_of(model, SignalKind::Image)?;
    let native = Grid::of_image(info.width, info.height)?;
    let (width, height) = size.unwrap_or((info.width, info.height));
    let grid = native.resampled(width, height)?;
    let mut engine = backend.engine(&model.network, &model.parameters)?;
    let scale = model.input_scale as f32;
    let band = (BAND as u32 / width).max(1);
    let mut values = Vec::new();
    write_png(path, ImageInfo { width, height, ..info }, |rows| {
        for first in (0..height).step_by(band as usize) {
            let mut points = grid.rows(first..height.min(first + band));
            points.iter_mut().for_each(|x| *x *= scale);
            values.resize(points.len() / 2 * info.channels, 0.0);
            engine.evaluate(&points, &mut values).map_err(io::Error::other)?;
            rows(&values)?;
        }
        Ok(())
    })?;
    Ok((width, height))
}

pub(super) fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
) -> Result<Decoded, DecodeError> {
    require_ending(path, "png")?;
    let info: ImageInfo = info_of(model, SignalKind::Image)?;
    let scaled = |side: u32| (request.scale.unwrap_or(1.0) * f64::from(side)).round() as u32;
    let size = request.size.unwrap_or((scaled(info.width), scaled(info.height)));
    let (width, height) = decode_image(model, Some(size), path, backend)?;
    Ok(Decoded {
        facts: json!({"file": path.to_string_lossy(), "width": width, "height": height}),
        summary: format!("{width}x{height} pixels"),
        warnings: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vi3nr_engine::CpuBackend;

    use super::*;
    use crate::model_file::Origin;
    use crate::signal::image::{BitDepth, Image, ImageOptions};

    fn backend(threads: usize) -> CpuBackend {
        CpuBackend::new(Some(threads)).unwrap()
    }

    fn model(width: u32, height: u32, bit_depth: BitDepth) -> Model {
        let network =
            vi3nr::Network::uniform(2, 16, 3, 3, "sine:omega=2".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let signal = Arc::new(ImageInfo { width, height, channels: 3, bit_depth });
        let origin = Origin::Settings(serde_json::Value::Null);
        Model { network, parameters, signal, input_scale: 1.0, seed: 0, origin }
    }

    fn decoded(model: &Model, size: Option<(u32, u32)>) -> Image {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decoded.png");
        let (width, height) = decode_image(model, size, &path, &backend(2)).unwrap();
        let image = Image::open(&path, &ImageOptions::default()).unwrap();
        assert_eq!((image.width(), image.height()), (width, height));
        image
    }

    #[test]
    fn bands_are_parts_of_one_picture() {
        for bit_depth in [BitDepth::Eight, BitDepth::Sixteen] {
            let model = model(700, 600, bit_depth);
            let image = decoded(&model, None);
            assert_eq!(image.bit_depth(), bit_depth);
            let mut engine = backend(1).engine(&model.network, &model.parameters).unwrap();
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
        let model = model(9, 5, BitDepth::Eight);
        let (native, finer) = (decoded(&model, None), decoded(&model, Some((17, 9))));
        for y in 0..5 {
            for x in 0..9 {
                let a = &native.values()[3 * (y * 9 + x)..][..3];
                let b = &finer.values()[3 * (2 * y * 17 + 2 * x)..][..3];
                // At most one step of eight bits apart.
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.008));
            }
        }
        let refused = |size| decode_image(&model, Some(size), Path::new("none.png"), &backend(1));
        assert!(refused((0, 4)).is_err() && refused((1 << 20, 1 << 20)).is_err());
        assert!(!Path::new("none.png").exists());
    }
}
