//! Metrics of the agreement between two surfaces.

use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;
use vi3nr::rng::{Random, Stream};

use super::bvh::bounds;
use super::distance::SignedDistance;
use super::error::ShapeError;
use super::extract::Field;
use super::geometry::Geometry;
use super::occupancy::{Occupancy, grid_coordinate};
use super::shape_file::Shape;
use super::surface::{Surface, half_open};
use super::vector::{Vector, add, dot, scale, unit};

/// The random stream of the points at which surfaces are compared; the substream is the comparison.
const COMPARED: Stream = Stream::new(3);
/// The number of points drawn on each surface.
const SAMPLES: u32 = 100_000;
/// The number of points evaluated at a time, so that memory does not grow with the grid.
const CHUNK: usize = 1 << 18;

/// The number of points inside both, and inside either.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Overlap {
    both: u64,
    either: u64,
}

impl Overlap {
    fn add(&mut self, a: bool, b: bool) {
        self.both += u64::from(a && b);
        self.either += u64::from(a || b);
    }

    /// Two empty sets agree.
    fn ratio(self) -> f64 {
        if self.either == 0 { 1.0 } else { self.both as f64 / self.either as f64 }
    }
}

/// Intersection over union of {Φ < 0} and the inside of the shape on a grid of `count`³ points over
/// \[-1.2, 1.2\], both ends included.
///
/// # Errors
/// Returns the error of `field`.
pub fn grid_iou(
    field: &mut Field<'_>,
    shape: &Shape,
    distance: &SignedDistance,
    count: usize,
) -> Result<f64, ShapeError> {
    let count = count.max(2);
    let occupancy = Occupancy::new(shape, distance, count);
    let mut overlap = Overlap::default();
    let planes_at_a_time = (CHUNK / (count * count)).clamp(1, count);
    let mut points = Vec::new();
    for first in (0..count).step_by(planes_at_a_time) {
        let planes = first..count.min(first + planes_at_a_time);
        let truth: Vec<Vec<bool>> =
            planes.clone().into_par_iter().map(|plane| occupancy.plane(plane)).collect();
        for (plane, truth) in planes.zip(truth) {
            let z = grid_coordinate(plane, count) as f32;
            for (part, truth) in truth.chunks(CHUNK).enumerate() {
                points.clear();
                for index in part * CHUNK..part * CHUNK + truth.len() {
                    let (x, y) = (
                        grid_coordinate(index % count, count),
                        grid_coordinate(index / count, count),
                    );
                    points.extend([x as f32, y as f32, z]);
                }
                let mut values = vec![0.0; truth.len()];
                field(&points, &mut values)?;
                truth
                    .iter()
                    .zip(values)
                    .for_each(|(inside, value)| overlap.add(*inside, value < 0.0));
            }
        }
    }
    Ok(overlap.ratio())
}

/// Intersection over union within `band` of the surface (on the \[-1, 1\] scale). Of 100,000 points
/// of the surface, each moved by up to `band` along each axis, it uses those that are at most
/// `band` from it.
///
/// # Errors
/// Returns the error of `field`.
pub fn band_iou(
    field: &mut Field<'_>,
    shape: &Shape,
    distance: &SignedDistance,
    band: f64,
) -> Result<f64, ShapeError> {
    let surface = Surface::new(shape.geometry.clone());
    let random = Random::new(0, COMPARED, 0);
    let one = |element: u32| {
        let on = surface.draw(&random, 2 * u64::from(element)).0;
        let bits = random.bits(2 * u64::from(element) + 1);
        let move_by = |axis: usize| band * (2.0 * half_open(bits[axis]) - 1.0);
        let point = add(on, [0, 1, 2].map(move_by)).map(|x| x as f32);
        Some((point, distance.within(point.map(f64::from), band)?))
    };
    let within: Vec<([f32; 3], f64)> =
        (0..SAMPLES).into_par_iter().with_min_len(256).filter_map(one).collect();
    let points: Vec<f32> = within.iter().flat_map(|(point, _)| *point).collect();
    let mut values = vec![0.0; within.len()];
    field(&points, &mut values)?;
    let mut overlap = Overlap::default();
    within
        .iter()
        .zip(values)
        .for_each(|((_, truth), value)| overlap.add(*truth < 0.0, value < 0.0));
    Ok(overlap.ratio())
}

/// The distance between two surfaces.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SurfaceDistance {
    /// The mean distance of 100,000 points of either surface from the other, averaged over both
    /// directions, relative to the longest side of the true surface's bounding box.
    pub chamfer: f64,
    /// The mean of |n·n'| over the same points, n' the normal at the closest point of the other
    /// surface, averaged over both directions: 1 for equal surfaces.
    pub normal_consistency: f64,
}

/// Compares an extracted surface with the true one.
pub fn surface_distance(found: &Arc<Geometry>, truth: &Arc<Geometry>) -> SurfaceDistance {
    let (there, back) = (one_way(found, truth, 1), one_way(truth, found, 2));
    let mean = |a: f64, b: f64| 0.5 * (a + b);
    SurfaceDistance {
        chamfer: mean(there.0, back.0) / longest_side(truth),
        normal_consistency: mean(there.1, back.1),
    }
}

/// The mean distance and the mean |cosine| between normals, from one surface to another.
fn one_way(from: &Arc<Geometry>, to: &Arc<Geometry>, substream: u32) -> (f64, f64) {
    let (surface, distance) = (Surface::new(from.clone()), SignedDistance::new(to));
    let random = Random::new(0, COMPARED, substream);
    let one = |element: u32| {
        let (point, normal) = surface.draw(&random, element.into());
        let (face, distance) = distance.closest(point)?;
        Some((distance, dot(normal, normal_of(to, face)).abs()))
    };
    // Summed in order: the same for any number of threads.
    let each: Vec<_> = (0..SAMPLES).into_par_iter().with_min_len(256).filter_map(one).collect();
    let sum = each.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (sum.0 / each.len() as f64, sum.1 / each.len() as f64)
}

fn normal_of(geometry: &Geometry, face: u32) -> Vector {
    match geometry {
        Geometry::Mesh(mesh) => unit(mesh.area_normal(mesh.faces[face as usize])),
        Geometry::Points { normals, .. } => normals[face as usize],
    }
}

/// The longest side of the bounding box.
fn longest_side(geometry: &Geometry) -> f64 {
    let (low, high) = bounds(geometry.positions().iter().copied());
    add(high, scale(low, -1.0)).into_iter().fold(0.0, f64::max)
}
