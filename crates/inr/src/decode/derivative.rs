//! The derivatives of an image with respect to the pixel position, as numbers and as a picture.

use std::path::Path;
use std::str::FromStr;

use serde_json::{Value, json};
use vi3nr::number::significant;
use vi3nr_engine::{Backend, EngineError};

use super::field::Field;
use super::image::{PixelRegion, Sampling};
use super::{DecodeError, Decoded, Watch};
use crate::model_file::{Body, Model};
use crate::request::RequestError;
use crate::signal::image::{ImageInfo, write_png};

/// A derivative of each channel of an image with respect to the pixel position (x, y): x counts
/// columns to the right and y rows downward, in pixels of the fitted image. Values are on \[-1, 1\].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivative {
    /// `x`: dΦ/dx, the change per column.
    X,
    /// `y`: dΦ/dy, the change per row.
    Y,
    /// `norm`: √((dΦ/dx)² + (dΦ/dy)²), the norm of the gradient.
    Norm,
    /// `laplacian`: d²Φ/dx² + d²Φ/dy².
    Laplacian,
}

impl Derivative {
    /// All derivatives.
    pub const ALL: [Self; 4] = [Self::X, Self::Y, Self::Norm, Self::Laplacian];

    /// The name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Norm => "norm",
            Self::Laplacian => "laplacian",
        }
    }

    /// Whether values below 0 are possible.
    pub fn is_signed(self) -> bool {
        self != Self::Norm
    }

    fn of_gradient(self, gradient: [f32; 2]) -> f32 {
        let [x, y] = gradient;
        match self {
            Self::Y => y,
            Self::Norm => x.hypot(y),
            _ => x,
        }
    }
}

impl FromStr for Derivative {
    type Err = String;

    /// Parses a name.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|derivative| derivative.name() == text);
        found.ok_or_else(|| "expected x, y, norm or laplacian".to_owned())
    }
}

/// The derivative of an image at every pixel of a decoded image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DerivativeMap {
    /// The derivative.
    pub derivative: Derivative,
    /// The size, channels and bit depth of the map.
    pub info: ImageInfo,
    /// The derivatives, shape (height, width, channels), per pixel of the fitted image; the
    /// Laplacian per squared pixel.
    pub values: Vec<f32>,
    /// The value that is drawn as white: the [`DerivativeMap::QUANTILE`] of the finite magnitudes,
    /// or the largest one if this is 0.
    pub scale: f32,
}

impl DerivativeMap {
    /// The share of the magnitudes that are at most [`DerivativeMap::scale`].
    pub const QUANTILE: f64 = 0.995;

    /// The values on \[-1, 1\] that are drawn. A signed derivative v becomes v/scale, so that 0 is
    /// mid-gray; the norm becomes 2v/scale - 1, so that 0 is black. Values beyond are clipped.
    pub fn drawn(&self) -> Vec<f32> {
        let scale = if self.scale > 0.0 { self.scale } else { 1.0 };
        let draw = |value: &f32| match self.derivative.is_signed() {
            true => (value / scale).clamp(-1.0, 1.0),
            false => (2.0 * value / scale - 1.0).min(1.0),
        };
        self.values.iter().map(draw).collect()
    }

    /// Writes [`DerivativeMap::drawn`] as a PNG file.
    ///
    /// # Errors
    /// Returns [`DecodeError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DecodeError> {
        let drawn = self.drawn();
        Ok(write_png(path, self.info, |write| write(&drawn))?)
    }

    /// What white and black stand for, in words.
    fn legend(&self) -> String {
        let scale = significant(f64::from(self.scale), 3);
        let unit = if self.derivative == Derivative::Laplacian { "pixel^2" } else { "pixel" };
        let percent = 100.0 * Self::QUANTILE;
        let quantile = format!("the {percent} % quantile of the magnitudes");
        let name = self.derivative.name();
        match self.derivative.is_signed() {
            true => format!(
                "derivative {name}: black is -{scale}, mid-gray 0 and white {scale} per {unit}, \
                 {quantile}"
            ),
            false => {
                format!("derivative {name}: black is 0 and white {scale} per {unit}, {quantile}")
            }
        }
    }
}

/// The derivative of the image of `model`, or of a `region` of it, at the positions of the pixels
/// that [`decode_image`](super::decode_image) writes for `size` (width, height). The derivatives are
/// exact: those of the network, not differences of pixels.
///
/// All values are in memory: 4 bytes for each pixel and channel, and as much again while the scale
/// is found or the map drawn.
///
/// # Errors
/// Returns the errors of [`image_values`](super::image_values), [`DecodeError::Request`] if the
/// Laplacian of a model in pieces is asked for, and [`DecodeError::Engine`] if the memory for the
/// map cannot be allocated or the second derivative of a formula exceeds its limits.
pub fn derivative_map(
    model: &Model,
    derivative: Derivative,
    size: Option<(u32, u32)>,
    region: Option<PixelRegion>,
    backend: &dyn Backend,
) -> Result<DerivativeMap, DecodeError> {
    watched_map(model, derivative, (size, region), backend, &mut |_| {})
}

fn watched_map(
    model: &Model,
    derivative: Derivative,
    (size, region): (Option<(u32, u32)>, Option<PixelRegion>),
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<DerivativeMap, DecodeError> {
    let sampling = Sampling::new(model, size, region)?;
    if derivative == Derivative::Laplacian && matches!(model.body, Body::Pieces(_)) {
        let (seen, expected) = ("laplacian of a model in pieces", "x, y or norm");
        return Err(RequestError::new("derivative", seen, expected).into());
    }
    let info = sampling.info;
    let count = info.pixels() as usize * info.channels;
    let mut values: Vec<f32> = Vec::new();
    values.try_reserve_exact(count).map_err(|_| memory(count))?;
    let mut field = Field::new(model, backend)?;
    for (band, done) in sampling.bands() {
        let axes = [&sampling.columns, &band];
        if derivative == Derivative::Laplacian {
            values.extend(field.laplacians(model, &axes)?);
        } else {
            let gradients = field.gradients(model, &axes)?;
            let gradients = gradients.as_chunks::<2>().0.iter();
            values.extend(gradients.map(|gradient| derivative.of_gradient(*gradient)));
        }
        watch(done);
    }
    let scale = scale_of(&values)?;
    Ok(DerivativeMap { derivative, info, values, scale })
}

/// The [`DerivativeMap::QUANTILE`] of the finite magnitudes: the smallest that at least this share
/// of them does not exceed. The largest magnitude if this is 0, and 0 if there is none.
fn scale_of(values: &[f32]) -> Result<f32, DecodeError> {
    let mut magnitudes: Vec<f32> = Vec::new();
    magnitudes.try_reserve_exact(values.len()).map_err(|_| memory(values.len()))?;
    magnitudes.extend(values.iter().map(|value| value.abs()).filter(|value| value.is_finite()));
    if magnitudes.is_empty() {
        return Ok(0.0);
    }
    let rank = (DerivativeMap::QUANTILE * magnitudes.len() as f64).ceil() as usize;
    let at = rank.clamp(1, magnitudes.len()) - 1;
    let (_, quantile, above) = magnitudes.select_nth_unstable_by(at, f32::total_cmp);
    let largest = above.iter().fold(*quantile, |largest, value| largest.max(*value));
    Ok(if *quantile > 0.0 { *quantile } else { largest })
}

fn memory(count: usize) -> EngineError {
    EngineError::Memory { mebibytes: (count * size_of::<f32>()).div_ceil(1 << 20) }
}

/// Decodes a map to a PNG file.
pub(super) fn decode(
    model: &Model,
    derivative: Derivative,
    (size, region): ((u32, u32), Option<PixelRegion>),
    path: &Path,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<Decoded, DecodeError> {
    let map = watched_map(model, derivative, (Some(size), region), backend, watch)?;
    map.save(path)?;
    let facts: Value = json!({
        "file": path.to_string_lossy(),
        "width": map.info.width,
        "height": map.info.height,
        "derivative": derivative.name(),
        "scale": map.scale,
        "quantile": DerivativeMap::QUANTILE,
    });
    let summary = format!("{}x{} pixels; {}", map.info.width, map.info.height, map.legend());
    let mut warnings = Vec::new();
    if map.scale == 0.0 {
        warnings.push(format!("the derivative {} is 0 everywhere", derivative.name()));
    }
    Ok(Decoded { facts, summary, warnings })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vi3nr::Network;
    use vi3nr_engine::CpuBackend;

    use super::*;
    use crate::decode::image_values;
    use crate::pieces::{PieceGrid, PieceSet};
    use crate::signal::image::{BitDepth, Image, ImageOptions};

    const SIZE: (u32, u32) = (40, 28);

    fn backend() -> CpuBackend {
        CpuBackend::new(Some(2)).unwrap()
    }

    fn network() -> Network {
        Network::uniform(2, 16, 3, 3, "sine:omega=2".parse().unwrap()).unwrap()
    }

    fn parameters(network: &Network, shift: usize) -> Vec<f32> {
        (0..network.parameter_count()).map(|i| ((i + shift) as f32).sin() * 0.4).collect()
    }

    fn info(bit_depth: BitDepth) -> Arc<ImageInfo> {
        let (width, height) = SIZE;
        Arc::new(ImageInfo { width, height, channels: 3, bit_depth })
    }

    fn whole() -> Model {
        let network = network();
        let parameters = parameters(&network, 0);
        let model = Model::new(network, parameters, info(BitDepth::Sixteen));
        Model { input_scale: 1.5, ..model }
    }

    fn in_pieces() -> Model {
        let axes = vec![SIZE.0 as usize, SIZE.1 as usize];
        let grid = PieceGrid::of_side(&axes, 13, 3);
        let networks = (0..grid.piece_count()).map(|piece| {
            let network = network();
            let parameters = parameters(&network, 31 * piece);
            (network, parameters)
        });
        let networks = networks.collect();
        let set = PieceSet::new(grid, axes, networks).unwrap();
        Model { body: Body::Pieces(set), ..whole() }
    }

    /// The central difference quotients of the values of `model`, enlarged so that neighbors of a
    /// pixel are `1/FACTOR` of a pixel away: [x, y, Laplacian] for each pixel and channel.
    fn quotients(model: &Model) -> Vec<[f64; 3]> {
        const FACTOR: u32 = 9;
        let (width, height) = (SIZE.0 * FACTOR, SIZE.1 * FACTOR);
        let (_, values) = image_values(model, Some((width, height)), None, &backend()).unwrap();
        let at = |x: u32, y: u32, channel: u32| {
            f64::from(values[((y * width + x) * 3 + channel) as usize])
        };
        let step = 1.0 / f64::from(FACTOR);
        let mut found = Vec::new();
        for y in (0..SIZE.1).map(|y| FACTOR * y + FACTOR / 2) {
            for x in (0..SIZE.0).map(|x| FACTOR * x + FACTOR / 2) {
                for channel in 0..3 {
                    let [left, right] = [at(x - 1, y, channel), at(x + 1, y, channel)];
                    let [above, below] = [at(x, y - 1, channel), at(x, y + 1, channel)];
                    // Wider steps, since second differences cancel.
                    let wide = [at(x - 4, y, channel), at(x + 4, y, channel)];
                    let high = [at(x, y - 4, channel), at(x, y + 4, channel)];
                    let sum: f64 = wide.iter().chain(&high).sum();
                    found.push([
                        (right - left) / (2.0 * step),
                        (below - above) / (2.0 * step),
                        (sum - 4.0 * at(x, y, channel)) / (4.0 * step).powi(2),
                    ]);
                }
            }
        }
        found
    }

    fn map(model: &Model, derivative: Derivative) -> DerivativeMap {
        derivative_map(model, derivative, None, None, &backend()).unwrap()
    }

    #[test]
    fn derivatives_are_those_of_the_decoded_values() {
        for model in [whole(), in_pieces()] {
            let quotients = quotients(&model);
            let mut wanted = vec![Derivative::X, Derivative::Y, Derivative::Norm];
            if model.whole().is_some() {
                wanted.push(Derivative::Laplacian);
            }
            for derivative in wanted {
                let map = map(&model, derivative);
                assert_eq!(map.values.len(), quotients.len());
                let pairs = map.values.iter().zip(&quotients);
                let largest = pairs.clone().map(|(own, _)| own.abs()).fold(0.0, f32::max);
                for (own, [x, y, laplacian]) in pairs {
                    let expected = match derivative {
                        Derivative::X => *x,
                        Derivative::Y => *y,
                        Derivative::Norm => x.hypot(*y),
                        Derivative::Laplacian => *laplacian,
                    };
                    let error = (f64::from(*own) - expected).abs();
                    assert!(error < 0.01 * f64::from(largest), "{derivative:?} {own} {expected}");
                }
            }
        }
    }

    /// The unit remains the pixel of the fitted image.
    #[test]
    fn another_size_and_a_region_have_the_same_derivatives() {
        for (model, derivative) in [(whole(), Derivative::Laplacian), (in_pieces(), Derivative::X)]
        {
            let native = map(&model, derivative);
            let region = "5,3,10,7".parse().ok();
            let found =
                derivative_map(&model, derivative, Some((30, 21)), region, &backend()).unwrap();
            assert_eq!((found.info.width, found.info.height), (30, 21));
            let tolerance = 1e-4 * native.scale;
            for y in 0..7 {
                for x in 0..10 {
                    let own = &found.values[3 * ((3 * y + 1) * 30 + 3 * x + 1)..][..3];
                    let expected = &native.values[3 * ((y + 3) * 40 + x + 5)..][..3];
                    let mut pairs = own.iter().zip(expected);
                    assert!(pairs.all(|(a, b)| (a - b).abs() < tolerance), "{own:?} {expected:?}");
                }
            }
        }
    }

    #[test]
    fn the_scale_is_a_quantile_and_values_beyond_are_clipped() {
        let map = |derivative, values: Vec<f32>| {
            let scale = scale_of(&values).unwrap();
            DerivativeMap { derivative, info: *info(BitDepth::Eight), values, scale }
        };
        // 1, -2, 3, …, -1000: the magnitude 995 is the first that 99.5 % do not exceed.
        let values = (1..=1000).map(|i: i16| f32::from(if i % 2 == 0 { -i } else { i })).collect();
        let signed = map(Derivative::X, values);
        assert_eq!(signed.scale, 995.0);
        let drawn = signed.drawn();
        assert_eq!((drawn[994], drawn[996], drawn[999]), (1.0, 1.0, -1.0));
        assert_eq!(drawn[497], -498.0 / 995.0);
        let norm = map(Derivative::Norm, (0..=1000_u16).map(f32::from).collect());
        assert_eq!(norm.scale, 995.0);
        assert_eq!((norm.drawn()[0], norm.drawn()[995], norm.drawn()[1000]), (-1.0, 1.0, 1.0));
        // Few values that are not 0, none, and none that is finite.
        let mut sparse = vec![0.0; 1000];
        sparse[7] = -0.25;
        assert_eq!(map(Derivative::Y, sparse).scale, 0.25);
        assert_eq!(map(Derivative::Y, vec![0.0; 3]).drawn(), [0.0; 3]);
        assert_eq!(map(Derivative::Norm, vec![0.0; 3]).drawn(), [-1.0; 3]);
        assert_eq!(scale_of(&[f32::NAN, f32::INFINITY]).unwrap(), 0.0);
    }

    #[test]
    fn a_map_is_saved_as_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.png");
        let map = map(&whole(), Derivative::Y);
        map.save(&path).unwrap();
        let image = Image::open(&path, &ImageOptions::default()).unwrap();
        assert_eq!((image.width(), image.height()), SIZE);
        let (seen, drawn) = (image.values(), map.drawn());
        assert!(seen.iter().zip(&drawn).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn the_laplacian_of_pieces_is_refused() {
        let wanted = Derivative::Laplacian;
        let error = derivative_map(&in_pieces(), wanted, None, None, &backend()).unwrap_err();
        let message = "derivative: laplacian of a model in pieces; expected x, y or norm";
        assert_eq!(error.to_string(), message);
    }
}
