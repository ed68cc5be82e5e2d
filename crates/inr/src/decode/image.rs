//! Decoding an image to a file.

use std::io;
use std::path::Path;
use std::str::FromStr;

use serde_json::json;
use vi3nr_engine::Backend;

use super::field::{AxisPositions, Field};
use super::{
    BAND, DecodeError, DecodeRequest, Decoded, Watch, derivative, info_of, require_extension,
};
use crate::model_file::{Alignment, Model};
use crate::request::RequestError;
use crate::signal::SignalKind;
use crate::signal::image::{Grid, ImageInfo, write_png};

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelRegion {
    /// The first column.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// The number of columns.
    pub width: u32,
    /// The number of rows.
    pub height: u32,
}

impl FromStr for PixelRegion {
    type Err = String;

    /// Parses four whole numbers separated by commas: `x,y,width,height`.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u32>, _> =
            text.split(',').map(|part| part.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[x, y, width, height]) if width > 0 && height > 0 => {
                Ok(Self { x, y, width, height })
            }
            _ => Err("expected X,Y,WIDTH,HEIGHT in whole pixels, such as 128,64,256,256".into()),
        }
    }
}

/// Writes the image of `model`, or a `region` of it, to a PNG file of `size` (width, height)
/// pixels; if `None`, of the size of the image or region. Returns the size.
///
/// At another size, the result covers the same area, as when an image is resized: pixel j of n
/// columns has the position x + (j + 0.5)·width/n - 0.5 in the image. For models of format versions
/// 1 and 2, the centers of the corner pixels stay in place instead.
///
/// The image is evaluated and written in bands, for which only the necessary pieces are read. The
/// memory needed is a few MiB and a row of pixels, whatever the size of the image.
///
/// # Errors
/// Returns [`DecodeError::Kind`] if the model is not one of an image, [`DecodeError::Request`] if
/// the region is not inside the image, [`DecodeError::Signal`] if the size is impossible or the
/// file cannot be written, and [`DecodeError::Engine`] or [`DecodeError::Pieces`] if the model
/// cannot be evaluated.
pub fn decode_image(
    model: &Model,
    size: Option<(u32, u32)>,
    region: Option<PixelRegion>,
    path: &Path,
    backend: &dyn Backend,
) -> Result<(u32, u32), DecodeError> {
    write_image(model, (size, region), path, backend, &mut |_| {})
}

/// The values of the image of `model`, or a `region` of it, at `size` (width, height) pixels, as
/// [`decode_image`] rounds them for its file: the info of the result, and its values before
/// clamping, shape (height, width, channels).
///
/// # Errors
/// Returns the errors of [`decode_image`] except those of the file.
pub fn image_values(
    model: &Model,
    size: Option<(u32, u32)>,
    region: Option<PixelRegion>,
    backend: &dyn Backend,
) -> Result<(ImageInfo, Vec<f32>), DecodeError> {
    let sampling = Sampling::new(model, size, region)?;
    let mut values = Vec::new();
    let mut field = Field::new(model, backend)?;
    for (band, _) in sampling.bands() {
        values.extend(field.values(&[&sampling.columns, &band])?);
    }
    Ok((sampling.info, values))
}

fn write_image(
    model: &Model,
    (size, region): (Option<(u32, u32)>, Option<PixelRegion>),
    path: &Path,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<(u32, u32), DecodeError> {
    let sampling = Sampling::new(model, size, region)?;
    let mut field = Field::new(model, backend)?;
    write_png(path, sampling.info, |write| {
        for (band, done) in sampling.bands() {
            let values = field.values(&[&sampling.columns, &band]);
            write(&values.map_err(io::Error::other)?)?;
            watch(done);
        }
        Ok(())
    })?;
    Ok((sampling.info.width, sampling.info.height))
}

/// The positions of the pixels of a decoded image.
pub(super) struct Sampling {
    /// The info of the decoded image.
    pub(super) info: ImageInfo,
    pub(super) columns: AxisPositions,
    rows: AxisPositions,
}

impl Sampling {
    pub(super) fn new(
        model: &Model,
        size: Option<(u32, u32)>,
        region: Option<PixelRegion>,
    ) -> Result<Self, DecodeError> {
        let info: ImageInfo = info_of(model, SignalKind::Image)?;
        let native = Grid::of_image(info.width, info.height)?;
        let whole = PixelRegion { x: 0, y: 0, width: info.width, height: info.height };
        let area = region.unwrap_or(whole);
        require_inside(area, whole)?;
        let (width, height) = size.unwrap_or((area.width, area.height));
        // Also checks the size.
        let resampled = native.resampled(width, height)?;
        let scale = model.input_scale as f32;
        let along = |axis: usize, first: u32, from: u32, to: u32| -> AxisPositions {
            let step = f64::from(from) / f64::from(to);
            let position = |index: u32| match model.alignment {
                Alignment::Areas => {
                    let position = f64::from(first) + (f64::from(index) + 0.5) * step - 0.5;
                    (position, scale * native.coordinate(axis, position))
                }
                Alignment::Corners => {
                    let last = f64::from(to.max(2) - 1);
                    let position = f64::from(first) + f64::from(index) * f64::from(from - 1) / last;
                    let coordinate = match area == whole {
                        // Bit for bit as version 2 decoded these models.
                        true => resampled.along(axis, index),
                        false => native.coordinate(axis, position),
                    };
                    (position, scale * coordinate)
                }
            };
            let (positions, coordinates) = (0..to).map(position).unzip();
            AxisPositions { positions, coordinates }
        };
        let columns = along(0, area.x, area.width, width);
        let rows = along(1, area.y, area.height, height);
        Ok(Self { info: ImageInfo { width, height, ..info }, columns, rows })
    }

    /// The rows in bands, each with the share of the image that is done after it.
    pub(super) fn bands(&self) -> impl Iterator<Item = (AxisPositions, f64)> {
        let (width, height) = (self.info.width, self.info.height as usize);
        let band = (BAND as u32 / width).max(1) as usize;
        (0..height).step_by(band).map(move |first| {
            let end = (first + band).min(height);
            (self.rows.part(first..end), end as f64 / height as f64)
        })
    }
}

fn require_inside(area: PixelRegion, whole: PixelRegion) -> Result<(), RequestError> {
    let reaches = |first: u32, length: u32, all: u32| {
        u64::from(first) + u64::from(length) <= u64::from(all) && length > 0
    };
    let PixelRegion { x, y, width, height } = area;
    if reaches(x, width, whole.width) && reaches(y, height, whole.height) {
        return Ok(());
    }
    let seen = format!("{x},{y},{width},{height}");
    let expected =
        format!("a rectangle inside the image of {}x{} pixels", whole.width, whole.height);
    Err(RequestError::new("region", seen, expected))
}

pub(super) fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<Decoded, DecodeError> {
    require_extension(path, SignalKind::Image, "png")?;
    let info: ImageInfo = info_of(model, SignalKind::Image)?;
    let scaled = |side: u32| (request.scale.unwrap_or(1.0) * f64::from(side)).round() as u32;
    let (width, height) = request.region.map_or((info.width, info.height), |r| (r.width, r.height));
    let size = request.size.unwrap_or((scaled(width), scaled(height)));
    if let Some(derivative) = request.derivative {
        return derivative::decode(model, derivative, (size, request.region), path, backend, watch);
    }
    let (width, height) = write_image(model, (Some(size), request.region), path, backend, watch)?;
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
    use crate::signal::image::{BitDepth, Image, ImageOptions};

    fn backend(threads: usize) -> CpuBackend {
        CpuBackend::new(Some(threads)).unwrap()
    }

    fn model(width: u32, height: u32, bit_depth: BitDepth) -> Model {
        let network =
            vi3nr::Network::uniform(2, 16, 3, 3, "sine:omega=2".parse().unwrap()).unwrap();
        let parameters = (0..network.parameter_count()).map(|i| (i as f32).sin() * 0.4).collect();
        let signal = Arc::new(ImageInfo { width, height, channels: 3, bit_depth });
        Model::new(network, parameters, signal)
    }

    fn decoded(model: &Model, size: Option<(u32, u32)>) -> Image {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decoded.png");
        let (width, height) = decode_image(model, size, None, &path, &backend(2)).unwrap();
        let image = Image::open(&path, &ImageOptions::default()).unwrap();
        assert_eq!((image.width(), image.height()), (width, height));
        image
    }

    #[test]
    fn bands_form_one_image() {
        for bit_depth in [BitDepth::Eight, BitDepth::Sixteen] {
            let model = model(700, 600, bit_depth);
            let image = decoded(&model, None);
            assert_eq!(image.bit_depth(), bit_depth);
            let (network, parameters) = model.whole().unwrap();
            let mut engine = backend(1).engine(network, parameters).unwrap();
            let mut values = vec![0.0; image.values().len()];
            engine.evaluate(&image.coordinates(), &mut values).unwrap();
            let half_step = if bit_depth == BitDepth::Eight { 1.0 / 255.0 } else { 1.0 / 65535.0 };
            for (seen, value) in image.values().iter().zip(&values) {
                assert!((seen - value.clamp(-1.0, 1.0)).abs() <= 1.001 * half_step);
            }
        }
    }

    /// Version 2: the centers of the corner pixels stay in place.
    #[test]
    fn old_models_keep_their_corners() {
        let model = Model { alignment: Alignment::Corners, ..model(9, 5, BitDepth::Eight) };
        let (native, finer) = (decoded(&model, None), decoded(&model, Some((17, 9))));
        for y in 0..5 {
            for x in 0..9 {
                let a = &native.values()[3 * (y * 9 + x)..][..3];
                let b = &finer.values()[3 * (2 * y * 17 + 2 * x)..][..3];
                // They differ by at most one 8-bit level.
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.008));
            }
        }
    }

    /// At three times the size, the middle pixel of every three is the pixel itself.
    #[test]
    fn another_size_covers_the_same_area() {
        let model = model(9, 5, BitDepth::Sixteen);
        let (native, finer) = (decoded(&model, None), decoded(&model, Some((27, 15))));
        for y in 0..5 {
            for x in 0..9 {
                let a = &native.values()[3 * (y * 9 + x)..][..3];
                let b = &finer.values()[3 * ((3 * y + 1) * 27 + 3 * x + 1)..][..3];
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4));
            }
        }
    }

    #[test]
    fn a_region_is_a_part_of_the_whole() {
        for alignment in [Alignment::Areas, Alignment::Corners] {
            let model = Model { alignment, ..model(19, 12, BitDepth::Sixteen) };
            let whole = decoded(&model, None);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("part.png");
            let region = "5,3,10,7".parse().ok();
            let size = decode_image(&model, None, region, &path, &backend(1)).unwrap();
            assert_eq!(size, (10, 7));
            let part = Image::open(&path, &ImageOptions::default()).unwrap();
            let (whole, part) = (whole.values(), part.values());
            for y in 0..7 {
                let own = whole[3 * ((y + 3) * 19 + 5)..][..30].iter();
                let mut pairs = own.zip(&part[30 * y..][..30]);
                assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-4));
            }
        }
        for wrong in ["0,0,20,1", "19,0,1,1", "0,4294967295,1,1"] {
            let region = wrong.parse().ok();
            let model = model(19, 12, BitDepth::Eight);
            let none = Path::new("none.png");
            assert!(decode_image(&model, None, region, none, &backend(1)).is_err(), "{wrong}");
        }
        for wrong in ["", "1,2,3", "1,2,0,4", "1,2,3,4,5", "-1,0,1,1", "1.5,0,1,1"] {
            assert!(wrong.parse::<PixelRegion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn impossible_sizes_are_rejected() {
        let model = model(9, 5, BitDepth::Eight);
        let none = Path::new("none.png");
        let refused = |size| decode_image(&model, Some(size), None, none, &backend(1));
        assert!(refused((0, 4)).is_err() && refused((1 << 20, 1 << 20)).is_err());
        assert!(!none.exists());
    }
}
