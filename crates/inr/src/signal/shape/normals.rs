//! Normals of points that have none: planes through neighbors, oriented from point to point.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::vector::{Vector, add, dot, scale, subtract, unit};

/// The number of neighbors through which the plane of a point is laid.
const NEIGHBORS: usize = 12;

/// The unit normal of each point: the direction in which its nearest neighbors vary least (Hoppe et
/// al. 1992), with a sign that spreads along the neighbors whose planes agree most (a minimum
/// spanning tree). The normals of each connected part point outward as a whole.
pub(super) fn estimate_normals(points: &[Vector]) -> Vec<Vector> {
    let tree = PointTree::new(points);
    let neighbors: Vec<Vec<u32>> = (0..points.len())
        .into_par_iter()
        .with_min_len(64)
        .map(|index| tree.nearest(points[index], NEIGHBORS))
        .collect();
    let mut normals: Vec<Vector> =
        neighbors.par_iter().map(|near| plane_normal(points, near)).collect();
    orient(points, &neighbors, &mut normals);
    normals
}

/// The unit normal of the plane of least squares through `near`.
fn plane_normal(points: &[Vector], near: &[u32]) -> Vector {
    let sum = near.iter().fold([0.0; 3], |sum, place| add(sum, points[*place as usize]));
    let center = scale(sum, 1.0 / near.len() as f64);
    let mut covariance = [[0.0; 3]; 3];
    for place in near {
        let away = subtract(points[*place as usize], center);
        for (row, a) in covariance.iter_mut().zip(away) {
            for (element, b) in row.iter_mut().zip(away) {
                *element += a * b;
            }
        }
    }
    smallest_eigenvector(covariance)
}

/// The unit eigenvector of the smallest eigenvalue of a symmetric matrix, by Jacobi rotations.
fn smallest_eigenvector(mut a: [[f64; 3]; 3]) -> Vector {
    let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    // Three dimensions converge in fewer sweeps than these.
    for _ in 0..12 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
            let (sine, cosine) = angle.sin_cos();
            for row in &mut a {
                (row[p], row[q]) =
                    (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
            }
            let (first, second) = (a[p], a[q]);
            a[p] = std::array::from_fn(|k| cosine * first[k] - sine * second[k]);
            a[q] = std::array::from_fn(|k| sine * first[k] + cosine * second[k]);
            for row in &mut vectors {
                (row[p], row[q]) =
                    (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
            }
        }
    }
    let least =
        (0..3).fold(0, |best, axis| if a[axis][axis] < a[best][best] { axis } else { best });
    let found = unit(vectors.map(|row| row[least]));
    // Of points in one place, any direction.
    if found.iter().all(|x| x.is_finite()) && found != [0.0; 3] { found } else { [0.0, 0.0, 1.0] }
}

/// An edge to a point whose normal is not oriented yet, with the cost 1 - |n·n'|.
#[derive(PartialEq)]
struct Edge {
    cost: f64,
    from: u32,
    to: u32,
}

impl Eq for Edge {}

impl Ord for Edge {
    /// The edge of the smallest cost is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |edge: &Self| (edge.from, edge.to);
        other.cost.total_cmp(&self.cost).then_with(|| key(other).cmp(&key(self)))
    }
}

impl PartialOrd for Edge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Flips normals so that they agree along a minimum spanning tree of the neighbors, and those of a
/// connected part if their flux Σ (p - c)·n around its center c is negative: for a closed surface, it
/// is three times the volume.
fn orient(points: &[Vector], neighbors: &[Vec<u32>], normals: &mut [Vector]) {
    let mut links: Vec<Vec<u32>> = neighbors.to_vec();
    for (from, near) in neighbors.iter().enumerate() {
        for to in near {
            links[*to as usize].push(from as u32);
        }
    }
    let mut is_done = vec![false; points.len()];
    let mut edges = BinaryHeap::new();
    for start in 0..points.len() as u32 {
        if is_done[start as usize] {
            continue;
        }
        let mut part = Vec::new();
        edges.push(Edge { cost: 0.0, from: start, to: start });
        while let Some(Edge { from, to, .. }) = edges.pop() {
            if std::mem::replace(&mut is_done[to as usize], true) {
                continue;
            }
            part.push(to);
            if dot(normals[from as usize], normals[to as usize]) < 0.0 {
                normals[to as usize] = scale(normals[to as usize], -1.0);
            }
            for next in &links[to as usize] {
                if !is_done[*next as usize] {
                    let cosine = dot(normals[to as usize], normals[*next as usize]);
                    edges.push(Edge { cost: 1.0 - cosine.abs(), from: to, to: *next });
                }
            }
        }
        let own = part.iter().map(|place| *place as usize);
        let sum = own.clone().fold([0.0; 3], |sum, place| add(sum, points[place]));
        let center = scale(sum, 1.0 / part.len() as f64);
        let outward = |place: usize| dot(subtract(points[place], center), normals[place]);
        if own.clone().map(outward).sum::<f64>() < 0.0 {
            own.for_each(|place| normals[place] = scale(normals[place], -1.0));
        }
    }
}

/// A balanced k-d tree: the middle of every range divides it along its longest axis.
struct PointTree<'a> {
    points: &'a [Vector],
    order: Vec<u32>,
    axes: Vec<u8>,
}

/// A neighbor, ordered by its squared distance.
#[derive(PartialEq)]
struct Neighbor(f64, u32);

impl Eq for Neighbor {}

impl Ord for Neighbor {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Neighbor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> PointTree<'a> {
    fn new(points: &'a [Vector]) -> Self {
        let order: Vec<u32> = (0..points.len() as u32).collect();
        let mut tree = Self { points, order, axes: vec![0; points.len()] };
        tree.build(0, points.len());
        tree
    }

    fn build(&mut self, start: usize, end: usize) {
        if end - start < 2 {
            return;
        }
        let range = &mut self.order[start..end];
        let (low, high) =
            super::bvh::bounds(range.iter().map(|place| self.points[*place as usize]));
        let size = subtract(high, low);
        let axis = (0..3).fold(0, |best, axis| if size[axis] > size[best] { axis } else { best });
        let half = range.len() / 2;
        range.select_nth_unstable_by(half, |a, b| {
            let of = |place: &u32| self.points[*place as usize][axis];
            of(a).total_cmp(&of(b)).then(a.cmp(b))
        });
        self.axes[start + half] = axis as u8;
        self.build(start, start + half);
        self.build(start + half + 1, end);
    }

    /// The `count` points nearest to `p`, itself included, in ascending distance.
    fn nearest(&self, p: Vector, count: usize) -> Vec<u32> {
        let mut found = BinaryHeap::with_capacity(count + 1);
        self.search(p, count, (0, self.points.len()), &mut found);
        found.into_sorted_vec().into_iter().map(|Neighbor(_, place)| place).collect()
    }

    fn search(
        &self,
        p: Vector,
        count: usize,
        (start, end): (usize, usize),
        found: &mut BinaryHeap<Neighbor>,
    ) {
        if start >= end {
            return;
        }
        let middle = start + (end - start) / 2;
        let place = self.order[middle];
        let away = subtract(p, self.points[place as usize]);
        found.push(Neighbor(dot(away, away), place));
        if found.len() > count {
            found.pop();
        }
        let across = away[usize::from(self.axes[middle])];
        let (near, far) = match across < 0.0 {
            true => ((start, middle), (middle + 1, end)),
            false => ((middle + 1, end), (start, middle)),
        };
        self.search(p, count, near, found);
        let worst = found.peek().map_or(f64::INFINITY, |neighbor| neighbor.0);
        if found.len() < count || across * across <= worst {
            self.search(p, count, far, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::shape::test_shapes::sphere;

    #[test]
    fn neighbors_are_the_nearest() {
        let points = sphere(6).vertices;
        let tree = PointTree::new(&points);
        for p in points.iter().step_by(7) {
            let mut all: Vec<Neighbor> = (0..points.len() as u32)
                .map(|place| {
                    let away = subtract(*p, points[place as usize]);
                    Neighbor(dot(away, away), place)
                })
                .collect();
            all.sort();
            let expected: Vec<u32> = all.iter().take(9).map(|neighbor| neighbor.1).collect();
            assert_eq!(tree.nearest(*p, 9), expected);
        }
    }

    #[test]
    fn the_smallest_eigenvector_is_found() {
        // diag(3, 2, 1) and a rotation of it by a third of a turn around (1, 1, 1).
        assert_eq!(
            smallest_eigenvector([[3.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]])[2],
            1.0
        );
        let direction = unit([1.0, -2.0, 0.5]);
        let mut matrix = [[0.0; 3]; 3];
        for (i, row) in matrix.iter_mut().enumerate() {
            for (j, element) in row.iter_mut().enumerate() {
                *element = f64::from(u8::from(i == j)) - 0.9 * direction[i] * direction[j];
            }
        }
        assert!((dot(smallest_eigenvector(matrix), direction).abs() - 1.0).abs() < 1e-12);
        assert_eq!(smallest_eigenvector([[0.0; 3]; 3]).iter().map(|x| x * x).sum::<f64>(), 1.0);
    }

    #[test]
    fn the_normals_of_a_sphere_point_outward() {
        let points = sphere(12).vertices;
        for (normal, point) in estimate_normals(&points).iter().zip(&points) {
            assert!(dot(*normal, *point) > 0.98, "{normal:?} at {point:?}");
        }
    }
}
