//! Triangles with shared corners.

use std::collections::HashMap;

use super::vector::{Vector, cross, length, subtract};

/// A surface of triangles; seen from the front, the corners of a face are in counterclockwise
/// order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// The positions of the corners.
    pub vertices: Vec<Vector>,
    /// The faces, as three indices into `vertices` each.
    pub faces: Vec<[u32; 3]>,
}

impl Mesh {
    /// The three corners of a face.
    pub(crate) fn corners(&self, face: [u32; 3]) -> [Vector; 3] {
        face.map(|corner| self.vertices[corner as usize])
    }

    /// All faces as corner positions.
    pub(crate) fn triangles(&self) -> Vec<[Vector; 3]> {
        self.faces.iter().map(|face| self.corners(*face)).collect()
    }

    /// The same surface with one vertex for each position, without unused vertices and without
    /// faces that have the same corner twice; and the number of such faces.
    pub(crate) fn welded(&self) -> (Self, usize) {
        let mut places: HashMap<[u64; 3], u32> = HashMap::with_capacity(self.vertices.len());
        let mut welded = Self::default();
        let mut new_place = vec![u32::MAX; self.vertices.len()];
        for face in &self.faces {
            let corners = face.map(|corner| {
                let known = new_place[corner as usize];
                if known != u32::MAX {
                    return known;
                }
                let position = self.vertices[corner as usize];
                // 0 and -0 are the same position.
                let key = position.map(|coordinate| (coordinate + 0.0).to_bits());
                let place = *places.entry(key).or_insert_with(|| {
                    welded.vertices.push(position);
                    welded.vertices.len() as u32 - 1
                });
                new_place[corner as usize] = place;
                place
            });
            let [a, b, c] = corners;
            if a != b && b != c && c != a {
                welded.faces.push(corners);
            }
        }
        let dropped = self.faces.len() - welded.faces.len();
        if dropped > 0 {
            welded = welded.without_unused_vertices();
        }
        (welded, dropped)
    }

    /// The same faces, without unused vertices.
    pub(crate) fn without_unused_vertices(&self) -> Self {
        let mut kept = Self::default();
        let mut new_place = vec![u32::MAX; self.vertices.len()];
        for face in &self.faces {
            kept.faces.push(face.map(|corner| {
                let place = &mut new_place[corner as usize];
                if *place == u32::MAX {
                    *place = kept.vertices.len() as u32;
                    kept.vertices.push(self.vertices[corner as usize]);
                }
                *place
            }));
        }
        kept
    }

    /// Twice the area of a face times its normal.
    pub(crate) fn area_normal(&self, face: [u32; 3]) -> Vector {
        let [a, b, c] = self.corners(face);
        cross(subtract(b, a), subtract(c, a))
    }

    /// The area of each face.
    pub(crate) fn areas(&self) -> Vec<f64> {
        self.faces.iter().map(|face| 0.5 * length(self.area_normal(*face))).collect()
    }
    /// The volume inside a closed surface, negative if it faces inward.
    #[cfg(test)]
    pub(crate) fn volume(&self) -> f64 {
        let of = |face: &[u32; 3]| {
            let [a, b, c] = self.corners(*face);
            super::vector::dot(a, cross(b, c)) / 6.0
        };
        self.faces.iter().map(of).sum()
    }
}
