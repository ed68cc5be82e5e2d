//! The coordinates of the pixels of an image.

use std::ops::Range;

use super::{DECODED, WHOLE};
use crate::signal::error::SignalError;

/// A rectangle of coordinates sampled at pixel centers, both ends included.
///
/// x grows to the right and y downwards. Neighboring pixels are equally far apart on both axes:
/// the longer side spans \[-1, 1\] and the shorter one \[-s, s\] with
/// s = (short - 1)/(long - 1), so that shapes keep their proportions. A side of a single pixel
/// lies at 0.
///
/// ```
/// use vi3nr_inr::signal::image::Grid;
///
/// let grid = Grid::of_image(3, 2)?;
/// assert_eq!(grid.points(), [-1.0, -0.5, 0.0, -0.5, 1.0, -0.5, -1.0, 0.5, 0.0, 0.5, 1.0, 0.5]);
/// // The same rectangle, sampled more finely: the corners stay where they are.
/// let finer = grid.resampled(5, 4)?.points();
/// assert_eq!(finer[..2], [-1.0, -0.5]);
/// assert_eq!(finer[finer.len() - 2..], [1.0, 0.5]);
/// # Ok::<(), vi3nr_inr::signal::SignalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    width: u32,
    height: u32,
    /// The rectangle is \[-extent, extent\] on each axis, x first.
    extents: [f64; 2],
}

impl Grid {
    /// The grid of an image's own pixels.
    ///
    /// # Errors
    /// Returns a [`SignalError`] if a side is 0 or exceeds the limits of this crate.
    pub fn of_image(width: u32, height: u32) -> Result<Self, SignalError> {
        WHOLE.require(width, height)?;
        let intervals = [width, height].map(|side| f64::from(side - 1));
        let longer = intervals[0].max(intervals[1]).max(1.0);
        Ok(Self { width, height, extents: intervals.map(|count| count / longer) })
    }

    /// The same rectangle at another resolution.
    ///
    /// # Errors
    /// Returns a [`SignalError`] if a side is 0 or exceeds
    /// [`MAX_DECODED_SIDE`](super::MAX_DECODED_SIDE), or if there are more than
    /// [`MAX_DECODED_PIXELS`](super::MAX_DECODED_PIXELS).
    pub fn resampled(&self, width: u32, height: u32) -> Result<Self, SignalError> {
        DECODED.require(width, height)?;
        Ok(Self { width, height, extents: self.extents })
    }

    /// The number of pixels per row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The number of rows of pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The coordinate of a position along an axis (x is 0, y is 1), in pixels of the image whose
    /// grid this is: pixel i has position i, and its area extends from i - 0.5 to i + 0.5.
    pub fn coordinate(&self, axis: usize, position: f64) -> f32 {
        let (side, other) = match axis {
            0 => (self.width, self.height),
            _ => (self.height, self.width),
        };
        let last = f64::from(side - 1);
        match side {
            1 => (2.0 * position / f64::from(other.max(2) - 1)) as f32,
            _ => (self.extents[axis] * ((2.0 * position - last) / last)) as f32,
        }
    }

    /// The coordinate of pixel `index` along an axis.
    pub(crate) fn along(&self, axis: usize, index: u32) -> f32 {
        let side = if axis == 0 { self.width } else { self.height };
        position(index, side, self.extents[axis])
    }

    /// The coordinates (x, y) of pixel `index`, counted row by row.
    pub fn point(&self, index: usize) -> [f32; 2] {
        let width = self.width as usize;
        let (column, row) = ((index % width) as u32, (index / width) as u32);
        [position(column, self.width, self.extents[0]), position(row, self.height, self.extents[1])]
    }

    /// The coordinates of every pixel: (x, y) pairs, row by row.
    pub fn points(&self) -> Vec<f32> {
        self.rows(0..self.height)
    }

    /// The coordinates of some rows only, so that a large image need not be in memory at once; rows
    /// beyond the last are left out.
    pub fn rows(&self, rows: Range<u32>) -> Vec<f32> {
        let rows = rows.start.min(self.height)..rows.end.min(self.height);
        let mut points = Vec::with_capacity(rows.len() * self.width as usize * 2);
        for row in rows {
            let y = position(row, self.height, self.extents[1]);
            for column in 0..self.width {
                points.push(position(column, self.width, self.extents[0]));
                points.push(y);
            }
        }
        points
    }
}

/// The position of pixel `index` of `count` on \[-extent, extent\].
fn position(index: u32, count: u32, extent: f64) -> f32 {
    if count == 1 {
        return 0.0;
    }
    let last = f64::from(count - 1);
    (extent * ((2.0 * f64::from(index) - last) / last)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_axes_have_the_same_spacing() {
        for (width, height) in [(7, 4), (4, 7), (128, 96), (5, 1)] {
            let points = Grid::of_image(width, height).unwrap().points();
            let at = |x: u32, y: u32| {
                let start = 2 * (y * width + x) as usize;
                [points[start], points[start + 1]]
            };
            let step = 2.0 / (width.max(height) - 1) as f32;
            assert!((at(1, 0)[0] - at(0, 0)[0] - step).abs() < 1e-6);
            if height > 1 {
                assert!((at(0, 1)[1] - at(0, 0)[1] - step).abs() < 1e-6);
            }
            let (first, last) = (at(0, 0), at(width - 1, height - 1));
            assert_eq!([-first[0], -first[1]], last);
            assert_eq!(last[0].max(last[1]), 1.0);
            assert_eq!(points.len(), (width * height * 2) as usize);
        }
    }

    #[test]
    fn positions_of_pixels_have_the_coordinates_of_pixels() {
        for (width, height) in [(7, 4), (1, 3), (1, 1), (128, 96)] {
            let grid = Grid::of_image(width, height).unwrap();
            for index in 0..(width * height) as usize {
                let position = [index % width as usize, index / width as usize];
                let of = |axis: usize| grid.coordinate(axis, position[axis] as f64);
                assert_eq!([of(0), of(1)], grid.point(index));
            }
        }
        // Half a pixel beyond the outer centers, at the same distance.
        let grid = Grid::of_image(5, 1).unwrap();
        assert_eq!([grid.coordinate(0, -0.5), grid.coordinate(1, 0.5)], [-1.25, 0.25]);
    }

    #[test]
    fn a_single_pixel_lies_in_the_middle() {
        assert_eq!(Grid::of_image(1, 1).unwrap().points(), [0.0, 0.0]);
        assert_eq!(Grid::of_image(9, 5).unwrap().resampled(1, 1).unwrap().points(), [0.0, 0.0]);
        assert_eq!(Grid::of_image(1, 3).unwrap().points(), [0.0, -1.0, 0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn resampling_covers_the_same_rectangle() {
        let grid = Grid::of_image(192, 128).unwrap();
        let native = grid.points();
        for (width, height) in [(192, 128), (300, 77), (383, 255)] {
            let points = grid.resampled(width, height).unwrap().points();
            assert_eq!(points[..2], native[..2]);
            assert_eq!(points[points.len() - 2..], native[native.len() - 2..]);
        }
        // 383 = 2·192 - 1 samples: every second one is a pixel of the original.
        let double = grid.resampled(383, 255).unwrap().rows(2..3);
        assert_eq!(double[4..6], grid.rows(1..2)[2..4]);
    }

    #[test]
    fn rows_are_parts_of_the_whole() {
        let grid = Grid::of_image(6, 5).unwrap();
        let parts = [grid.rows(0..2), grid.rows(2..4), grid.rows(4..9), grid.rows(7..8)];
        assert_eq!(parts.concat(), grid.points());
        assert_eq!((0..30).flat_map(|index| grid.point(index)).collect::<Vec<_>>(), grid.points());
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (width, height) in [(0, 4), (4, 0), (u32::MAX, 1), (1 << 15, 1 << 14)] {
            assert!(Grid::of_image(width, height).is_err());
        }
        // A decoded image is never stored as a whole and may be larger, but not without limit.
        let grid = Grid::of_image(2, 2).unwrap();
        assert!(grid.resampled(1 << 15, 1 << 14).is_ok());
        for (width, height) in [(0, 4), (4, 0), ((1 << 20) + 1, 1), (1 << 18, 1 << 17)] {
            assert!(grid.resampled(width, height).is_err());
        }
    }
}
