//! Small surfaces for tests.

use super::geometry::Geometry;
use super::mesh::Mesh;
use super::shape_file::Shape;
use super::vector::{Vector, unit};

/// The cube \[-1, 1\]³, facing outward.
pub(super) fn cube() -> Mesh {
    let corner = |i: u32| [i & 1, i >> 1 & 1, i >> 2].map(|bit| 2.0 * f64::from(bit) - 1.0);
    let quads =
        [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    Mesh {
        vertices: (0..8).map(corner).collect(),
        faces: quads.into_iter().flat_map(|[a, b, c, d]| [[a, b, c], [a, c, d]]).collect(),
    }
}

/// A cube whose sides are cut into n² squares each and blown up to the unit sphere.
pub(super) fn sphere(n: u32) -> Mesh {
    let cube = cube();
    let (mut vertices, mut faces): (Vec<Vector>, Vec<[u32; 3]>) = (Vec::new(), Vec::new());
    for [[a, b, c], [_, _, d]] in cube.faces.as_chunks::<2>().0 {
        let corners = [a, b, c, d].map(|corner| cube.vertices[*corner as usize]);
        // Whole numbers until the end, so that neighboring sides meet exactly.
        let at = |i: u32, j: u32| {
            let weights = [(n - i) * (n - j), i * (n - j), i * j, (n - i) * j].map(f64::from);
            let sum = |axis: usize| (0..4).map(|k| weights[k] * corners[k][axis]).sum::<f64>();
            unit([sum(0), sum(1), sum(2)])
        };
        for i in 0..n {
            for j in 0..n {
                let first = vertices.len() as u32;
                vertices.extend([at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)]);
                faces.push([first, first + 1, first + 2]);
                faces.push([first, first + 2, first + 3]);
            }
        }
    }
    Mesh { vertices, faces }.welded().0
}

/// A mesh as a shape; it must be usable.
pub(super) fn shape(mesh: Mesh) -> Shape {
    Shape::new(Geometry::Mesh(mesh)).unwrap()
}
