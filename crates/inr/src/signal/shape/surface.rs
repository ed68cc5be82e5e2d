//! Points drawn uniformly on a surface.

use std::sync::Arc;

use vi3nr::rng::Random;

use super::geometry::Geometry;
use super::vector::{Vector, add, scale, unit};

/// Draws points of a surface, uniformly by area; for a point cloud, its points.
#[derive(Debug, Clone)]
pub struct Surface {
    geometry: Arc<Geometry>,
    /// The cumulative area up to and including each face.
    areas: Vec<f64>,
}

impl Surface {
    /// Prepares a geometry, which has at least one face or point.
    pub fn new(geometry: Arc<Geometry>) -> Self {
        let mut areas = match &*geometry {
            Geometry::Mesh(mesh) => mesh.areas(),
            Geometry::Points { .. } => Vec::new(),
        };
        let mut sum = 0.0;
        for area in &mut areas {
            sum += *area;
            *area = sum;
        }
        Self { geometry, areas }
    }

    /// One point and its normal, a function of the generator and the element alone.
    pub(crate) fn draw(&self, random: &Random, element: u64) -> (Vector, Vector) {
        let [a, b, c, d] = random.bits(element);
        let wide = u64::from(a) | u64::from(b) << 32;
        match &*self.geometry {
            Geometry::Points { points, normals } => {
                let place = ((u128::from(wide) * points.len() as u128) >> 64) as usize;
                (points[place], normals[place])
            }
            Geometry::Mesh(mesh) => {
                let last = self.areas.len() - 1;
                let share = (wide >> 11) as f64 * (-53f64).exp2() * self.areas[last];
                let face = mesh.faces[self.areas.partition_point(|sum| *sum <= share).min(last)];
                // Uniform over the triangle: 1 - √u along one side, the rest split by v.
                let (root, v) = (half_open(c).sqrt(), half_open(d));
                let [a, b, c] = mesh.corners(face);
                let (wa, wb, wc) = (1.0 - root, root * (1.0 - v), root * v);
                let point = add(scale(a, wa), add(scale(b, wb), scale(c, wc)));
                (point, unit(mesh.area_normal(face)))
            }
        }
    }
}

/// The center of one of 2^32 equal parts of (0, 1).
pub(crate) fn half_open(bits: u32) -> f64 {
    (f64::from(bits) + 0.5) * (-32f64).exp2()
}
