//! A tree of boxes around triangles: the closest triangle, and the winding number.

use super::triangle::{Feature, closest_point};
use super::vector::{Vector, add, cross, dot, length, scale, subtract};

/// The maximum number of triangles per leaf.
const LEAF: usize = 4;
/// A box is approximated by one dipole if its distance exceeds its radius by this factor. The error
/// of the winding number is then about 1e-2, and only the side of 1/2 on which it lies matters.
const FAR: f64 = 2.5;

/// Axis-aligned boxes, halved along their longest side down to a few triangles each.
#[derive(Debug, Clone)]
pub(crate) struct Bvh {
    nodes: Vec<Node>,
    dipoles: Vec<Dipole>,
    /// The triangles in the order of the leaves.
    triangles: Vec<[Vector; 3]>,
    /// The index of each triangle in the mesh.
    faces: Vec<u32>,
}

/// Corners in single precision, rounded outward: 32 bytes.
#[derive(Debug, Clone, Copy)]
struct Node {
    low: [f32; 3],
    high: [f32; 3],
    /// The first triangle of a leaf, or the second child; the first child follows its parent.
    start: u32,
    /// The number of triangles of a leaf, 0 for an inner node.
    count: u32,
}

/// The dipole approximation of the triangles of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Dipole {
    /// The sum of area times normal.
    area: Vector,
    /// The mean of the triangles' centers, weighted by area.
    center: Vector,
    /// The largest distance of a corner from the center.
    radius: f64,
}

/// The closest point of a surface.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nearest {
    pub(crate) squared_distance: f64,
    pub(crate) point: Vector,
    /// The index of the face in the mesh.
    pub(crate) face: u32,
    pub(crate) feature: Feature,
}

impl Bvh {
    /// A tree of at least one triangle; faces are numbered in the given order.
    pub(crate) fn new(triangles: &[[Vector; 3]]) -> Self {
        let mut faces: Vec<u32> = (0..triangles.len() as u32).collect();
        let centers: Vec<Vector> =
            triangles.iter().map(|[a, b, c]| scale(add(*a, add(*b, *c)), 1.0 / 3.0)).collect();
        let mut tree = Self {
            nodes: Vec::with_capacity(triangles.len()),
            dipoles: Vec::with_capacity(triangles.len()),
            triangles: Vec::new(),
            faces: Vec::new(),
        };
        tree.build(triangles, &centers, &mut faces, 0);
        tree.triangles = faces.iter().map(|face| triangles[*face as usize]).collect();
        tree.faces = faces;
        tree
    }

    fn build(
        &mut self,
        triangles: &[[Vector; 3]],
        centers: &[Vector],
        faces: &mut [u32],
        start: usize,
    ) {
        let corners = faces.iter().flat_map(|face| triangles[*face as usize]);
        let (low, high) = bounds(corners);
        let place = self.nodes.len();
        let (low, high) = (low.map(round_down), high.map(round_up));
        self.nodes.push(Node { low, high, start: start as u32, count: faces.len() as u32 });
        self.dipoles.push(dipole(triangles, centers, faces));
        if faces.len() <= LEAF {
            return;
        }
        let (low, high) = bounds(faces.iter().map(|face| centers[*face as usize]));
        let size = subtract(high, low);
        let axis = (0..3).fold(0, |best, axis| if size[axis] > size[best] { axis } else { best });
        let half = faces.len() / 2;
        // The halves have equal sizes for any shape, so that the depth is bounded by log2.
        faces.select_nth_unstable_by(half, |a, b| {
            let of = |face: &u32| centers[*face as usize][axis];
            of(a).total_cmp(&of(b)).then(a.cmp(b))
        });
        let (left, right) = faces.split_at_mut(half);
        self.build(triangles, centers, left, start);
        let second = self.nodes.len() as u32;
        self.build(triangles, centers, right, start + half);
        self.nodes[place].start = second;
        self.nodes[place].count = 0;
    }

    /// The closest point within `bound` (a squared distance), if there is one.
    pub(crate) fn nearest(&self, p: Vector, bound: f64) -> Option<Nearest> {
        let mut best = None;
        let mut smallest = bound;
        let mut stack = [(0.0, 0u32); 64];
        let mut depth = 1;
        stack[0] = (self.nodes[0].squared_distance(p), 0);
        while depth > 0 {
            depth -= 1;
            let (distance, place) = stack[depth];
            if distance > smallest {
                continue;
            }
            let node = &self.nodes[place as usize];
            if node.count > 0 {
                for index in node.start as usize..(node.start + node.count) as usize {
                    let (point, feature) = closest_point(p, &self.triangles[index]);
                    let away = subtract(p, point);
                    let squared_distance = dot(away, away);
                    if squared_distance < smallest || (best.is_none() && squared_distance <= bound)
                    {
                        smallest = squared_distance;
                        let face = self.faces[index];
                        best = Some(Nearest { squared_distance, point, face, feature });
                    }
                }
                continue;
            }
            let (first, second) = (place + 1, node.start);
            let near = self.nodes[first as usize].squared_distance(p);
            let far = self.nodes[second as usize].squared_distance(p);
            let (near, far) = match near <= far {
                true => ((near, first), (far, second)),
                false => ((far, second), (near, first)),
            };
            if far.0 <= smallest {
                stack[depth] = far;
                depth += 1;
            }
            if near.0 <= smallest {
                stack[depth] = near;
                depth += 1;
            }
        }
        best
    }

    /// The winding number of the surface around `p`: 1 inside a closed surface that faces outward,
    /// 0 outside, and in between if there are holes (Jacobson et al. 2013; distant boxes as
    /// dipoles, Barill et al. 2018).
    pub(crate) fn winding_number(&self, p: Vector) -> f64 {
        let mut sum = 0.0;
        let mut stack = [0u32; 64];
        let mut depth = 1;
        while depth > 0 {
            depth -= 1;
            let place = stack[depth];
            let (node, dipole) = (&self.nodes[place as usize], &self.dipoles[place as usize]);
            let toward = subtract(dipole.center, p);
            let distance = length(toward);
            if distance > FAR * dipole.radius {
                sum += dot(dipole.area, toward) / (distance * distance * distance);
            } else if node.count > 0 {
                for triangle in
                    &self.triangles[node.start as usize..(node.start + node.count) as usize]
                {
                    sum += solid_angle(p, triangle);
                }
            } else {
                stack[depth] = place + 1;
                stack[depth + 1] = node.start;
                depth += 2;
            }
        }
        sum / (4.0 * std::f64::consts::PI)
    }
}

impl Node {
    fn squared_distance(&self, p: Vector) -> f64 {
        let mut sum = 0.0;
        for ((low, high), x) in self.low.iter().zip(&self.high).zip(p) {
            let below = f64::from(*low) - x;
            let above = x - f64::from(*high);
            let outside = below.max(above).max(0.0);
            sum += outside * outside;
        }
        sum
    }
}

/// The solid angle of a triangle (van Oosterom and Strackee 1983).
fn solid_angle(p: Vector, [a, b, c]: &[Vector; 3]) -> f64 {
    let (a, b, c) = (subtract(*a, p), subtract(*b, p), subtract(*c, p));
    let (la, lb, lc) = (length(a), length(b), length(c));
    let volume = dot(a, cross(b, c));
    let denominator = la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb;
    2.0 * volume.atan2(denominator)
}

fn dipole(triangles: &[[Vector; 3]], centers: &[Vector], faces: &[u32]) -> Dipole {
    let mut dipole = Dipole::default();
    let mut weight = 0.0;
    for face in faces {
        let [a, b, c] = triangles[*face as usize];
        let area = scale(cross(subtract(b, a), subtract(c, a)), 0.5);
        dipole.area = add(dipole.area, area);
        let size = length(area) + f64::MIN_POSITIVE;
        dipole.center = add(dipole.center, scale(centers[*face as usize], size));
        weight += size;
    }
    dipole.center = scale(dipole.center, 1.0 / weight);
    let corners = faces.iter().flat_map(|face| triangles[*face as usize]);
    let distances = corners.map(|corner| length(subtract(corner, dipole.center)));
    dipole.radius = distances.fold(0.0, f64::max);
    dipole
}

/// The smallest box around points.
pub(crate) fn bounds(points: impl Iterator<Item = Vector>) -> (Vector, Vector) {
    let empty = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    points.fold(empty, |(low, high), point| {
        let axes = [0, 1, 2];
        (axes.map(|axis| low[axis].min(point[axis])), axes.map(|axis| high[axis].max(point[axis])))
    })
}

fn round_down(value: f64) -> f32 {
    let rounded = value as f32;
    if f64::from(rounded) > value { rounded.next_down() } else { rounded }
}

fn round_up(value: f64) -> f32 {
    let rounded = value as f32;
    if f64::from(rounded) < value { rounded.next_up() } else { rounded }
}
