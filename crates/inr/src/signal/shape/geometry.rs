//! What a surface is made of.

use super::mesh::Mesh;
use super::vector::Vector;

/// What a surface is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Geometry {
    /// Triangles.
    Mesh(Mesh),
    /// Points with the normals there, of length 1.
    Points {
        /// Positions.
        points: Vec<Vector>,
        /// One for each position.
        normals: Vec<Vector>,
    },
}
