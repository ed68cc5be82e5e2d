//! The positions of the pieces of a signal, and their blending weights.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::points::Region;

/// How a sampled signal is cut into pieces: into equal parts along each axis, each of which is also
/// trained on some samples beyond its borders.
///
/// Positions are in samples: sample i of an axis has position i, and its area extends from i - 0.5
/// to i + 0.5. The blending weights of the pieces sum to 1 at every position.
///
/// ```
/// use vi3nr_inr::pieces::PieceGrid;
///
/// let grid = PieceGrid::of_side(&[768, 512], 64, 2);
/// assert_eq!((grid.counts(), grid.piece_count()), (&[12, 8][..], 96));
/// let second = grid.piece(&[768, 512], 1);
/// assert_eq!((second.core.axis(0), second.trained.axis(0)), (64..128, 62..130));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceGrid {
    /// The number of pieces along each axis of the signal, the fastest varying first.
    counts: Vec<usize>,
    /// The number of samples beyond each inner border on which a piece is also trained; blending
    /// spans twice as many.
    overlap: usize,
}

/// One piece of a signal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Piece {
    /// The number of the piece, counted like the samples: the first axis varies fastest.
    pub index: usize,
    /// The samples that belong only to this piece.
    pub core: Region,
    /// The samples on which the piece is trained.
    pub trained: Region,
    /// The distance between neighboring samples in the coordinates of the network, which span -1 to
    /// 1 over the longest side of a piece; the same for all pieces.
    pitch: f64,
}

/// The part of a piece in some positions along one axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    /// The index of the piece along the axis.
    pub(super) place: usize,
    /// The range of the positions.
    pub(super) positions: Range<usize>,
    /// The blending weight at each of them.
    pub(super) weights: Vec<f64>,
}

impl PieceGrid {
    /// A grid of pieces of about `side` samples along each of `axes`.
    pub fn of_side(axes: &[usize], side: usize, overlap: usize) -> Self {
        let side = side.max(1);
        // A piece must be at least as long as the blended region.
        let largest = |length: usize| (length / (2 * overlap).max(1)).max(1);
        let count = |&length: &usize| ((length + side / 2) / side).clamp(1, largest(length));
        Self { counts: axes.iter().map(count).collect(), overlap }
    }

    /// The number of pieces along each axis.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The number of samples beyond each inner border on which a piece is also trained.
    pub fn overlap(&self) -> usize {
        self.overlap
    }

    /// The number of all pieces.
    pub fn piece_count(&self) -> usize {
        self.counts.iter().product()
    }

    /// The reason why a signal with `axes` cannot be cut by this grid, if there is one.
    pub fn problem(&self, axes: &[usize]) -> Option<String> {
        let Self { counts, overlap } = self;
        if counts.len() != axes.len() || axes.is_empty() {
            return Some(format!(
                "{} axes of pieces for {} of the signal",
                counts.len(),
                axes.len()
            ));
        }
        let product = counts.iter().try_fold(1usize, |all, count| all.checked_mul(*count));
        if product.is_none_or(|all| all == 0 || u32::try_from(all).is_err()) {
            return Some(format!("{counts:?} pieces; expected 1 to {}", u32::MAX));
        }
        let too_short = |(count, length): (&usize, &usize)| {
            *count > 1 && length / count < overlap.saturating_mul(2).max(1)
        };
        counts.iter().zip(axes).any(too_short).then(|| {
            format!(
                "{counts:?} pieces of a signal of {axes:?} samples with an overlap of {overlap}"
            )
        })
    }

    /// Piece `index` of a signal with `axes`.
    pub fn piece(&self, axes: &[usize], index: usize) -> Piece {
        let places = self.places(index);
        let along = |axis: usize| {
            let (length, count, place) = (axes[axis], self.counts[axis], places[axis]);
            let core = border(length, count, place)..border(length, count, place + 1);
            let trained =
                core.start.saturating_sub(self.overlap)..(core.end + self.overlap).min(length);
            (core, trained)
        };
        let (core, trained): (Vec<_>, Vec<_>) = (0..axes.len()).map(along).unzip();
        let (core, trained) = (Region::new(core), Region::new(trained));
        Piece { index, core, trained, pitch: self.pitch(axes) }
    }

    /// The largest number of samples on which a piece is trained.
    pub fn max_points(&self, axes: &[usize]) -> usize {
        axes.iter().zip(&self.counts).map(|(length, count)| self.longest(*length, *count)).product()
    }

    /// The index of piece `index` along each axis.
    fn places(&self, index: usize) -> Vec<usize> {
        let mut rest = index;
        let mut place = |count: &usize| {
            let place = rest % count;
            rest /= count;
            place
        };
        self.counts.iter().map(&mut place).collect()
    }

    /// The number of the piece with the indices `places` along the axes.
    pub(super) fn index(&self, places: &[usize]) -> usize {
        self.counts.iter().zip(places).rev().fold(0, |index, (count, place)| index * count + place)
    }

    /// The distance between neighboring samples in the coordinates of a piece, before the input scale is
    /// applied.
    pub(crate) fn pitch(&self, axes: &[usize]) -> f64 {
        let sides = axes.iter().zip(&self.counts);
        let longest = sides.map(|(length, count)| self.longest(*length, *count)).max();
        2.0 / (longest.unwrap_or(2).max(2) - 1) as f64
    }

    /// The largest number of samples along an axis on which a piece is trained.
    fn longest(&self, length: usize, count: usize) -> usize {
        let beyond = 2 * self.overlap * usize::from(count > 1);
        (length.div_ceil(count) + beyond).min(length)
    }

    /// The pieces that contribute to `positions`, in ascending order, along `axis` of `length`
    /// samples.
    pub(super) fn shares(&self, axis: usize, length: usize, positions: &[f64]) -> Vec<Share> {
        let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
            return Vec::new();
        };
        let count = self.counts[axis];
        let holding = |position: f64| {
            let sample = position.round().clamp(0.0, (length - 1) as f64) as usize;
            ((sample * count) / length).min(count - 1)
        };
        // Rounding in `holding` may be off by one.
        let places = holding(*first).saturating_sub(1)..(holding(*last) + 3).min(count);
        let share = |place: usize| {
            let edge = |next: usize| border(length, count, next) as f64 - 0.5;
            let overlap = self.overlap as f64;
            let start = match place {
                0 => 0,
                place => positions.partition_point(|p| *p < edge(place) - overlap),
            };
            let end = match place + 1 {
                next if next == count => positions.len(),
                next => positions.partition_point(|p| *p < edge(next) + overlap),
            };
            let weight = |position: &f64| self.weight(axis, length, place, *position);
            let range = start..end.max(start);
            let weights = positions[range.clone()].iter().map(weight).collect();
            Share { place, positions: range, weights }
        };
        places.map(share).filter(|share| !share.weights.is_empty()).collect()
    }

    /// The weight of the piece with index `place` along `axis`, at a position.
    fn weight(&self, axis: usize, length: usize, place: usize, position: f64) -> f64 {
        let count = self.counts[axis];
        // The share of `position` that belongs beyond the border before piece `next`.
        let behind = |next: usize| match next {
            0 => 1.0,
            next if next == count => 0.0,
            next => {
                let distance = position - (border(length, count, next) as f64 - 0.5);
                match self.overlap {
                    0 => f64::from(distance >= 0.0),
                    // Smooth at both ends, so that the start of blending is not visible.
                    overlap => {
                        let t = (distance / (2 * overlap) as f64 + 0.5).clamp(0.0, 1.0);
                        t * t * (3.0 - 2.0 * t)
                    }
                }
            }
        };
        behind(place) - behind(place + 1)
    }

    /// The derivative of the weight with respect to the position.
    pub(super) fn weight_slope(&self, axis: usize, length: usize, place: usize, at: f64) -> f64 {
        let count = self.counts[axis];
        let behind = |next: usize| match (next, self.overlap) {
            (_, 0) | (0, _) => 0.0,
            (next, _) if next == count => 0.0,
            (next, overlap) => {
                let distance = at - (border(length, count, next) as f64 - 0.5);
                let width = (2 * overlap) as f64;
                let t = (distance / width + 0.5).clamp(0.0, 1.0);
                6.0 * t * (1.0 - t) / width
            }
        };
        behind(place) - behind(place + 1)
    }
}

impl Piece {
    /// The distance between neighboring samples in coordinates, before the input scale is applied.
    pub(super) fn pitch(&self) -> f64 {
        self.pitch
    }

    /// The coordinate of a position along `axis`, before the input scale is applied.
    pub(super) fn coordinate(&self, axis: usize, position: f64) -> f64 {
        let Range { start, end } = self.trained.axis(axis);
        (position - (start + end - 1) as f64 / 2.0) * self.pitch
    }
}

/// The first sample of part `place` of `count`.
fn border(length: usize, count: usize, place: usize) -> usize {
    // In 128 bits: hours of audio times the number of pieces.
    (length as u128 * place as u128 / count as u128) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_cover_every_sample_once() {
        for (axes, side, overlap) in
            [(vec![100, 37], 16, 2), (vec![7, 5], 3, 1), (vec![1000], 300, 10), (vec![1, 1], 9, 2)]
        {
            let grid = PieceGrid::of_side(&axes, side, overlap);
            assert_eq!(grid.problem(&axes), None);
            let mut seen = vec![0; axes.iter().product()];
            for index in 0..grid.piece_count() {
                let piece = grid.piece(&axes, index);
                assert_eq!(grid.index(&grid.places(index)), index);
                assert!(piece.trained.sample_count() <= grid.max_points(&axes));
                piece.core.for_each_run(&axes, |run| run.for_each(|sample| seen[sample] += 1));
            }
            assert!(seen.iter().all(|count| *count == 1), "{axes:?}");
        }
    }

    #[test]
    fn weights_sum_to_one_and_stay_among_the_trained_samples() {
        for (length, side, overlap) in [(100, 16, 2), (64, 64, 2), (37, 5, 1), (90, 30, 0)] {
            let grid = PieceGrid::of_side(&[length], side, overlap);
            let positions: Vec<f64> = (0..3 * length).map(|i| i as f64 / 3.0 - 0.4).collect();
            let mut sums = vec![0.0; positions.len()];
            for share in grid.shares(0, length, &positions) {
                let trained = grid.piece(&[length], share.place).trained.axis(0);
                for (position, weight) in share.positions.zip(&share.weights) {
                    sums[position] += weight;
                    let (at, last) = (positions[position], trained.end as f64 - 0.5);
                    assert!(at >= trained.start as f64 - 0.5 && at <= last);
                }
            }
            assert!(sums.iter().all(|sum| (sum - 1.0f64).abs() < 1e-12), "{length} {side}");
        }
    }

    #[test]
    fn coordinates_of_all_pieces_have_one_pitch() {
        let (axes, grid) = ([130, 70], PieceGrid::of_side(&[130, 70], 64, 2));
        let last = grid.piece(&axes, 1);
        // 65 samples and 2 beyond the one inner border... the longest has its overlap on both
        // sides.
        assert!((last.coordinate(0, 128.0) - last.coordinate(0, 127.0) - 2.0 / 69.0).abs() < 1e-12);
        let Range { start, end } = last.trained.axis(0);
        let ends = [start as f64, (end - 1) as f64].map(|p| last.coordinate(0, p));
        assert!((ends[0] + ends[1]).abs() < 1e-12 && ends[1] <= 1.0);
    }

    #[test]
    fn impossible_grids_are_named() {
        let grid = |counts: &[usize], overlap| PieceGrid { counts: counts.to_vec(), overlap };
        assert!(grid(&[2, 2], 2).problem(&[8, 8]).is_none());
        for wrong in [grid(&[2], 2), grid(&[0, 1], 2), grid(&[3, 1], 2), grid(&[usize::MAX, 9], 0)]
        {
            assert!(wrong.problem(&[8, 8]).is_some(), "{wrong:?}");
        }
    }
}
