//! Pictures in a report.

use serde_json::json;
use vi3nr_engine::Backend;
use vi3nr_inr::encoded_png::encode_png;
use vi3nr_inr::model_file::{Body, Model};
use vi3nr_inr::pieces::{PieceError, PieceField, all_values};
use vi3nr_inr::signal::SignalInfo;
use vi3nr_inr::signal::image::{BitDepth, Image};

use super::{Picture, cell};

/// What a run directory shows of a picture, a recording or a shape.
pub(super) const DRAWN: [&str; 3] = ["reconstruction.png", "waveform.png", "preview.png"];

/// The truth, what `model` makes of it, and the absolute difference of their values, enlarged by the
/// power of ten that makes the largest one seen. Nothing for a picture of another shape.
///
/// # Errors
/// Returns the [`PieceError`] of a model that cannot be evaluated.
pub fn side_by_side(
    truth: &Image,
    model: &Model,
    backend: &dyn Backend,
) -> Result<Vec<Picture>, PieceError> {
    if *model.signal != *(&truth.image_info() as &dyn SignalInfo) {
        return Ok(Vec::new());
    }
    let own = truth.values();
    let values = values(truth, model, backend)?;
    // As shares of the range [-1, 1].
    let mut errors: Vec<f32> = own.iter().zip(&values).map(|(a, b)| (a - b).abs() / 2.0).collect();
    let largest = errors.iter().copied().fold(0.0, f32::max);
    let (enlarged, percent) = (enlargement(largest), cell(&json!(100.0 * largest)));
    let levels =
        |values: &[f32]| values.iter().map(|value| BitDepth::Eight.sample(*value) as u8).collect();
    errors.iter_mut().for_each(|error| *error = 2.0 * enlarged * *error - 1.0);
    let all: [(String, Vec<u8>); 3] = [
        ("ground truth".into(), levels(&own)),
        ("reconstruction".into(), levels(&values)),
        (format!("{enlarged} x absolute error, largest {percent} % of the range"), levels(&errors)),
    ];
    let (width, height) = (truth.width(), truth.height());
    let pictures = all.into_iter().filter_map(|(caption, levels)| {
        Some(Picture { caption, png: encode_png(width, height, &levels).ok()? })
    });
    Ok(pictures.collect())
}

/// The model's values at the pixels of `truth`.
fn values(truth: &Image, model: &Model, backend: &dyn Backend) -> Result<Vec<f32>, PieceError> {
    match &model.body {
        Body::Network { network, parameters } => {
            let mut values = vec![0.0; truth.pixel_count() * truth.channels()];
            let mut engine = backend.engine(network, parameters)?;
            engine.evaluate(&truth.coordinates(), &mut values)?;
            Ok(values)
        }
        Body::Pieces(set) => {
            let field = PieceField::new(set, model.input_scale, backend)?;
            all_values(set, &field, truth.channels())
        }
    }
}

/// The largest power of ten, from 1 to a million, by which `largest` stays at most 1.
fn enlargement(largest: f32) -> f32 {
    let mut factor = 1.0;
    while factor < 1e6 && largest * factor * 10.0 <= 1.0 {
        factor *= 10.0;
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_enlarged_until_they_fill_the_range() {
        for (largest, factor) in [(1.0, 1.0), (0.11, 1.0), (0.09, 10.0), (2e-4, 1000.0), (0.0, 1e6)]
        {
            assert_eq!(enlargement(largest), factor, "{largest}");
        }
        assert_eq!(enlargement(f32::NAN), 1.0);
    }
}
