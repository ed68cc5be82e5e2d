//! The error of a set of pieces relative to a signal, without storing either as a whole.

use super::field::{PieceError, PieceField};
use super::set::PieceSet;
use crate::points::Region;
use crate::signal::Signal;

/// The maximum number of values compared at a time, unless a single row has more.
const MAX_VALUES: usize = 1 << 19;

/// The losses of the blended values.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// The mean squared error over all samples and their values.
    pub loss: f64,
    /// The same over the core of each piece.
    pub losses: Vec<f64>,
}

/// Compares `field`, the field of `set`, with `signal` at the samples of the signal.
///
/// # Errors
/// Returns the errors of [`PieceField::values`].
pub fn measure(
    set: &PieceSet,
    field: &PieceField<'_>,
    signal: &dyn Signal,
) -> Result<Measured, PieceError> {
    let axes = set.axes();
    let outputs = signal.info().outputs();
    let owner = Owners::of(set);
    let mut squares = vec![0.0; set.piece_count()];
    let mut counts = vec![0usize; set.piece_count()];
    for rows in bands(axes, outputs) {
        let region = band_region(axes, rows);
        let values = band_values(set, field, &region)?;
        let mut truth = Vec::with_capacity(values.len());
        signal.push_values(&region, &mut truth);
        let pairs = values.chunks_exact(outputs).zip(truth.chunks_exact(outputs));
        for (index, (own, truth)) in pairs.enumerate() {
            let piece = owner.piece(&region, index);
            let difference = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
            squares[piece] += own.iter().zip(truth).map(difference).sum::<f64>();
            counts[piece] += outputs;
        }
    }
    let loss = squares.iter().sum::<f64>() / counts.iter().sum::<usize>() as f64;
    let losses = squares.iter().zip(&counts).map(|(sum, count)| sum / *count as f64).collect();
    Ok(Measured { loss, losses })
}

/// The values of `field`, the field of `set`, at all samples of the signal, shape (n, outputs).
///
/// # Errors
/// Returns the errors of [`PieceField::values`].
pub fn all_values(
    set: &PieceSet,
    field: &PieceField<'_>,
    outputs: usize,
) -> Result<Vec<f32>, PieceError> {
    let mut values = Vec::new();
    for rows in bands(set.axes(), outputs) {
        values.extend(band_values(set, field, &band_region(set.axes(), rows))?);
    }
    Ok(values)
}

fn band_values(
    set: &PieceSet,
    field: &PieceField<'_>,
    region: &Region,
) -> Result<Vec<f32>, PieceError> {
    let along = |axis: usize| -> Vec<f64> { region.axis(axis).map(|s| s as f64).collect() };
    let positions: Vec<Vec<f64>> = (0..set.axes().len()).map(along).collect();
    field.values(&positions.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Ranges along the last axis that together cover the signal, each with a bounded number of values.
fn bands(axes: &[usize], outputs: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let (last, others) = axes
        .split_last()
        .map_or((0, 1), |(last, others)| (*last, others.iter().product::<usize>()));
    let step = (MAX_VALUES / (others * outputs).max(1)).max(1);
    (0..last).step_by(step).map(move |first| first..(first + step).min(last))
}

/// The region with the full range of all axes but the last, and the range `rows` of the last.
fn band_region(axes: &[usize], rows: std::ops::Range<usize>) -> Region {
    let mut ranges: Vec<_> = axes.iter().map(|length| 0..*length).collect();
    if let Some(last) = ranges.last_mut() {
        *last = rows;
    }
    Region::new(ranges)
}

/// The piece that each sample belongs to.
struct Owners {
    /// The index of each sample's piece, along each axis.
    places: Vec<Vec<u32>>,
    counts: Vec<usize>,
}

impl Owners {
    fn of(set: &PieceSet) -> Self {
        let (grid, axes) = (set.grid(), set.axes());
        let counts = grid.counts().to_vec();
        let along = |axis: usize| {
            let stride: usize = counts[..axis].iter().product();
            let mut places = vec![0; axes[axis]];
            for place in 0..counts[axis] {
                places[grid.piece(axes, place * stride).core.axis(axis)].fill(place as u32);
            }
            places
        };
        Self { places: (0..axes.len()).map(along).collect(), counts }
    }

    /// The piece of sample `index` of `region`.
    fn piece(&self, region: &Region, index: usize) -> usize {
        let (mut rest, mut piece, mut stride) = (index, 0, 1);
        for (axis, places) in self.places.iter().enumerate() {
            let range = region.axis(axis);
            piece += places[range.start + rest % range.len()] as usize * stride;
            rest /= range.len();
            stride *= self.counts[axis];
        }
        piece
    }
}
