//! The geometry of a surface: triangles or points with normals.

use super::mesh::Mesh;
use super::vector::Vector;

/// The geometry of a surface.
#[derive(Debug, Clone, PartialEq)]
pub enum Geometry {
    /// Triangles.
    Mesh(Mesh),
    /// Points with unit normals.
    Points {
        /// The positions.
        points: Vec<Vector>,
        /// The normal at each position.
        normals: Vec<Vector>,
    },
}

impl Geometry {
    /// The vertices or points.
    pub fn positions(&self) -> &[Vector] {
        match self {
            Self::Mesh(mesh) => &mesh.vertices,
            Self::Points { points, .. } => points,
        }
    }
}
