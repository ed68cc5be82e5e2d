//! The signed distance to a surface: negative inside.

use rayon::prelude::*;
use vi3nr::rng::{Random, Stream};

use super::bvh::Bvh;
use super::geometry::Geometry;
use super::mesh::Mesh;
use super::placement::REACH;
use super::topology::{EdgeTopology, neighbors};
use super::triangle::Feature;
use super::vector::{Vector, add, dot, length, scale, subtract, unit};

/// The random stream of the points at which normals and winding numbers are compared.
const TESTED: Stream = Stream::new(12);

/// The distance to a surface, exact up to double precision, negative inside.
///
/// For a watertight mesh without overlaps, the sign is that of the normal at the closest point: the
/// normal of a face, the sum of two at an edge, the angle-weighted sum at a corner (Baerentzen and
/// Aanaes 2005). For any other mesh, a point is inside if the generalized winding number is above
/// 1/2; for closed pieces that overlap, this is their union. For points with normals, a point is
/// inside if it is behind the normal of the closest point.
///
/// One tree of boxes serves all of these queries.
#[derive(Debug, Clone)]
pub struct SignedDistance {
    tree: Bvh,
    sign: Sign,
}

#[derive(Debug, Clone)]
enum Sign {
    Normals(Normals),
    Winding,
    Points(Vec<Vector>),
}

/// The source of the normal at the closest point.
#[derive(Debug, Clone)]
struct Normals {
    faces: Vec<[u32; 3]>,
    of_faces: Vec<Vector>,
    behind_sides: Vec<[u32; 3]>,
    of_vertices: Vec<Vector>,
}

impl SignedDistance {
    /// The signed distance to a geometry, which has at least one face or point.
    pub fn new(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Mesh(mesh) => {
                let tree = Bvh::new(&mesh.triangles());
                if !EdgeTopology::of(mesh).is_watertight() {
                    return Self { tree, sign: Sign::Winding };
                }
                let by_normals = Self { tree, sign: Sign::Normals(Normals::new(mesh)) };
                match by_normals.overlaps(mesh) {
                    true => Self { sign: Sign::Winding, ..by_normals },
                    false => by_normals,
                }
            }
            Geometry::Points { points, normals } => {
                let triangles: Vec<_> = points.iter().map(|point| [*point; 3]).collect();
                Self { tree: Bvh::new(&triangles), sign: Sign::Points(normals.clone()) }
            }
        }
    }

    /// Whether the winding number determines the inside, rather than the normals.
    pub(crate) fn is_by_winding(&self) -> bool {
        matches!(self.sign, Sign::Winding)
    }

    /// Whether normals and winding numbers disagree anywhere around a watertight mesh, because
    /// pieces or parts of it overlap. Tests points just in front of and behind faces, and points in
    /// the whole space.
    fn overlaps(&self, mesh: &Mesh) -> bool {
        /// The numbers of faces and points that are tested, and the distance from the faces.
        const FACES: usize = 4096;
        const POINTS: u64 = 2048;
        const STEP: f64 = 1e-4;
        let disagrees = |p: Vector| {
            let distance = self.at(p);
            distance.abs() > 0.1 * STEP && (distance < 0.0) != (self.tree.winding_number(p) > 0.5)
        };
        let beside = |face: &[u32; 3]| {
            let [a, b, c] = mesh.corners(*face);
            let center = scale(add(a, add(b, c)), 1.0 / 3.0);
            let away = scale(unit(mesh.area_normal(*face)), STEP);
            disagrees(add(center, away)) || disagrees(subtract(center, away))
        };
        let random = Random::new(0, TESTED, 0);
        let anywhere = |i: u64| {
            disagrees([0, 1, 2].map(|axis| REACH * (2.0 * random.uniform(3 * i + axis) - 1.0)))
        };
        let step = mesh.faces.len().div_ceil(FACES);
        mesh.faces.par_iter().step_by(step).any(beside) || (0..POINTS).into_par_iter().any(anywhere)
    }

    /// The signed distance of one point.
    pub fn at(&self, p: Vector) -> f64 {
        self.within(p, f64::INFINITY).unwrap_or(f64::INFINITY)
    }

    /// Whether a point has a negative distance; faster if the winding number determines the sign.
    pub(crate) fn is_inside(&self, p: Vector) -> bool {
        match &self.sign {
            Sign::Winding => self.tree.winding_number(p) > 0.5,
            Sign::Normals(_) | Sign::Points(_) => self.at(p) < 0.0,
        }
    }

    /// The signed distance of a point if it is at most `bound` in magnitude, otherwise `None`;
    /// faster.
    pub(crate) fn within(&self, p: Vector, bound: f64) -> Option<f64> {
        let nearest = self.tree.nearest(p, bound * bound)?;
        let distance = nearest.squared_distance.sqrt();
        let away = subtract(p, nearest.point);
        let inside = match &self.sign {
            Sign::Winding => self.tree.winding_number(p) > 0.5,
            Sign::Points(normals) => dot(away, normals[nearest.face as usize]) < 0.0,
            Sign::Normals(normals) => match normals.at(nearest.face as usize, nearest.feature) {
                // Between faces without area.
                [0.0, 0.0, 0.0] => self.tree.winding_number(p) > 0.5,
                normal => dot(away, normal) < 0.0,
            },
        };
        Some(if inside { -distance } else { distance })
    }

    /// The signed distances of points, shape (n, 3), on all threads of the current pool.
    pub fn of_points(&self, points: &[f32]) -> Vec<f32> {
        let one = |point: &[f32]| self.at([0, 1, 2].map(|axis| f64::from(point[axis]))) as f32;
        points.par_chunks_exact(3).with_min_len(256).map(one).collect()
    }

    /// The closest point of the surface and its distance, which is not negative.
    pub(super) fn nearest_point(&self, p: Vector) -> Option<(Vector, f64)> {
        let nearest = self.tree.nearest(p, f64::INFINITY)?;
        Some((nearest.point, nearest.squared_distance.sqrt()))
    }

    /// The closest face or point and its distance, which is not negative.
    pub(crate) fn closest(&self, p: Vector) -> Option<(u32, f64)> {
        let nearest = self.tree.nearest(p, f64::INFINITY)?;
        Some((nearest.face, nearest.squared_distance.sqrt()))
    }
}

impl Normals {
    fn new(mesh: &Mesh) -> Self {
        let of_faces: Vec<Vector> =
            mesh.faces.iter().map(|face| unit(mesh.area_normal(*face))).collect();
        let mut of_vertices = vec![[0.0; 3]; mesh.vertices.len()];
        for (face, normal) in mesh.faces.iter().zip(&of_faces) {
            let corners = mesh.corners(*face);
            for corner in 0..3 {
                let [here, next, last] = [0, 1, 2].map(|step| corners[(corner + step) % 3]);
                let angle = angle(subtract(next, here), subtract(last, here));
                let place = &mut of_vertices[face[corner] as usize];
                *place = add(*place, scale(*normal, angle));
            }
        }
        let behind_sides = neighbors(mesh);
        Self { faces: mesh.faces.clone(), of_faces, behind_sides, of_vertices }
    }

    fn at(&self, face: usize, feature: Feature) -> Vector {
        match feature {
            Feature::Face => self.of_faces[face],
            Feature::Edge(side) => {
                let other = self.behind_sides[face][side as usize];
                add(self.of_faces[face], self.of_faces[other as usize])
            }
            Feature::Corner(corner) => self.of_vertices[self.faces[face][corner as usize] as usize],
        }
    }
}

fn angle(a: Vector, b: Vector) -> f64 {
    // Also exact for small angles, where the cosine alone is not.
    length(super::vector::cross(a, b)).atan2(dot(a, b))
}
