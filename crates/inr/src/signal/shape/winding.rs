//! The winding number just behind the faces of a surface.

use rayon::prelude::*;

use super::bvh::Bvh;
use super::mesh::Mesh;
use super::vector::{Vector, add, scale, subtract, unit};

/// The number of tested faces.
const FACES: usize = 4096;
/// The distance behind the faces, on the \[-1, 1\] scale.
const DEPTH: f64 = 1e-3;

/// The mean winding number just behind the faces of a mesh, each weighted by its area: 1 for a
/// closed surface, 1/2 for a sheet.
pub(super) fn mean_winding(mesh: &Mesh) -> f64 {
    let tree = Bvh::new(&mesh.triangles());
    let one = |face: &[u32; 3]| {
        let [a, b, c] = mesh.corners(*face);
        let center: Vector = scale(add(a, add(b, c)), 1.0 / 3.0);
        let normal = mesh.area_normal(*face);
        let area = super::vector::length(normal);
        let behind = subtract(center, scale(unit(normal), DEPTH));
        (area, area * tree.winding_number(behind))
    };
    let step = mesh.faces.len().div_ceil(FACES);
    let each: Vec<(f64, f64)> = mesh.faces.par_iter().step_by(step).map(one).collect();
    // Summed in order: the same for any number of threads.
    let sum = each.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    sum.1 / sum.0
}
