//! The true occupancy of grid points.

use rayon::prelude::*;

use super::distance::SignedDistance;
use super::geometry::Geometry;
use super::mesh::Mesh;
use super::placement::REACH;
use super::shape_file::Shape;
use super::vector::Vector;

/// Coordinate `index` of `count` evenly spaced ones on \[-1.2, 1.2\], both ends included.
pub(crate) fn grid_coordinate(index: usize, count: usize) -> f64 {
    let last = (count - 1) as f64;
    REACH * ((2.0 * index as f64 - last) / last)
}

/// The true occupancy on a grid of `count`³ points, one plane of constant z at a time.
pub(crate) enum Occupancy<'a> {
    /// A closed mesh: rays along x count their crossings.
    Rays {
        mesh: &'a Mesh,
        /// For each plane, the faces that cross it.
        planes: Vec<Vec<u32>>,
        count: usize,
    },
    /// Anything else: the sign of the distance, point by point.
    Signs { distance: &'a SignedDistance, count: usize },
}

impl<'a> Occupancy<'a> {
    pub(crate) fn new(shape: &'a Shape, distance: &'a SignedDistance, count: usize) -> Self {
        match &*shape.geometry {
            Geometry::Mesh(mesh) if shape.is_closed() => {
                let mut planes = vec![Vec::new(); count];
                for (number, face) in mesh.faces.iter().enumerate() {
                    let heights = mesh.corners(*face).map(|corner| corner[2]);
                    let low = heights.into_iter().fold(f64::INFINITY, f64::min);
                    let high = heights.into_iter().fold(f64::NEG_INFINITY, f64::max);
                    let crossed = first_at_or_after(low, count)..first_at_or_after(high, count);
                    planes[crossed].iter_mut().for_each(|faces| faces.push(number as u32));
                }
                Self::Rays { mesh, planes, count }
            }
            _ => Self::Signs { distance, count },
        }
    }

    /// Whether each point of a plane is inside: `count` rows of y, each with `count` points along
    /// x.
    pub(crate) fn plane(&self, plane: usize) -> Vec<bool> {
        match self {
            Self::Signs { distance, count } => {
                let at = |index: usize| {
                    let place = [index % count, index / count, plane];
                    distance.is_inside(place.map(|index| grid_coordinate(index, *count)))
                };
                (0..count * count).into_par_iter().with_min_len(64).map(at).collect()
            }
            Self::Rays { mesh, planes, count } => {
                let mut steps = vec![0i32; count * count];
                let z = grid_coordinate(plane, *count);
                for face in &planes[plane] {
                    let corners = mesh.corners(mesh.faces[*face as usize]);
                    if let Some((up, down)) = cut(&corners, z) {
                        count_crossings(up, down, *count, &mut steps);
                    }
                }
                let mut winding = 0;
                let inside = |(index, step): (usize, &i32)| {
                    winding = if index % count == 0 { *step } else { winding + step };
                    winding > 0
                };
                steps.iter().enumerate().map(inside).collect()
            }
        }
    }
}

/// The first point of the grid at or after a coordinate, at most `count`.
fn first_at_or_after(coordinate: f64, count: usize) -> usize {
    let guess = ((coordinate + REACH) / (2.0 * REACH) * (count - 1) as f64).ceil();
    let mut index = guess.clamp(0.0, count as f64) as usize;
    // Rounding may shift it by one; the comparison with the grid itself decides.
    while index > 0 && grid_coordinate(index - 1, count) >= coordinate {
        index -= 1;
    }
    while index < count && grid_coordinate(index, count) < coordinate {
        index += 1;
    }
    index
}

/// The points where the plane of height z cuts a triangle: (x, y) on the side that rises through
/// it, and on the one that falls. A corner in the plane counts as below, so that a closed surface
/// is cut in closed curves; a side gives the same point for both of its faces.
fn cut(corners: &[Vector; 3], z: f64) -> Option<([f64; 2], [f64; 2])> {
    let (mut up, mut down) = (None, None);
    for side in 0..3 {
        let (from, to) = (corners[side], corners[(side + 1) % 3]);
        match (from[2] > z, to[2] > z) {
            (false, true) => up = Some(at_height(from, to, z)),
            (true, false) => down = Some(at_height(to, from, z)),
            _ => {}
        }
    }
    Some((up?, down?))
}

/// (x, y) of the point of height z between one below and one above it.
fn at_height(below: Vector, above: Vector, z: f64) -> [f64; 2] {
    let t = (z - below[2]) / (above[2] - below[2]);
    [0, 1].map(|axis| below[axis] + t * (above[axis] - below[axis]))
}

/// Records, for every row that a cut passes, where rays along x enter (+1) or leave (-1).
fn count_crossings(up: [f64; 2], down: [f64; 2], count: usize, steps: &mut [i32]) {
    // A face whose rising side has the larger y faces +x: rays leave there.
    let (low, high, step) = if up[1] > down[1] { (down, up, -1) } else { (up, down, 1) };
    for row in first_at_or_after(low[1], count)..first_at_or_after(high[1], count) {
        let t = (grid_coordinate(row, count) - low[1]) / (high[1] - low[1]);
        let column = first_at_or_after(low[0] + t * (high[0] - low[0]), count);
        if column < count {
            steps[row * count + column] += step;
        }
    }
}
