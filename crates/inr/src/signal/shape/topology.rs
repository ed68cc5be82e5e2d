//! How faces meet: holes, edges of more than two faces, faces turned the wrong way.

use super::mesh::Mesh;

/// How the faces of a mesh meet at its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeCensus {
    /// Edges with other than two faces.
    pub irregular: usize,
    /// Edges passed more often one way than the other: the rims of holes, and faces that are
    /// turned against their neighbors. 0 for a closed surface.
    pub open: usize,
}

impl EdgeCensus {
    /// Whether every edge has exactly two faces and these agree about the front.
    pub fn is_watertight(&self) -> bool {
        self.irregular == 0 && self.open == 0
    }
}

/// One side of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Side {
    low: u32,
    high: u32,
    face: u32,
    /// From corner `side` to corner `side + 1`.
    side: u8,
    /// From the vertex of the lower number to the higher.
    upwards: bool,
}

/// All sides, those of one edge together.
fn sides(mesh: &Mesh) -> Vec<Side> {
    let mut sides = Vec::with_capacity(3 * mesh.faces.len());
    for (face, corners) in mesh.faces.iter().enumerate() {
        for side in 0..3 {
            let (from, to) = (corners[side], corners[(side + 1) % 3]);
            let (low, high) = (from.min(to), from.max(to));
            let (face, side) = (face as u32, side as u8);
            sides.push(Side { low, high, face, side, upwards: from < to });
        }
    }
    sides.sort_unstable();
    sides
}

/// Counts the edges that keep a mesh from being closed.
pub fn edge_census(mesh: &Mesh) -> EdgeCensus {
    let mut census = EdgeCensus::default();
    for edge in sides(mesh).chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
        let upwards = edge.iter().filter(|side| side.upwards).count();
        census.irregular += usize::from(edge.len() != 2);
        census.open += usize::from(2 * upwards != edge.len());
    }
    census
}

/// For each face, the face behind each of its three sides; of edges with other than two faces, the
/// face itself.
pub(crate) fn neighbors(mesh: &Mesh) -> Vec<[u32; 3]> {
    let mut neighbors: Vec<[u32; 3]> = (0..mesh.faces.len() as u32).map(|face| [face; 3]).collect();
    for edge in sides(mesh).chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
        if let [a, b] = edge {
            neighbors[a.face as usize][a.side as usize] = b.face;
            neighbors[b.face as usize][b.side as usize] = a.face;
        }
    }
    neighbors
}

/// Turns faces so that neighbors agree about the front; in each connected piece the smaller part
/// is turned. The number of faces turned.
pub(crate) fn make_consistent(mesh: &mut Mesh) -> usize {
    let neighbors = neighbors(mesh);
    // 0: not seen; else whether the face must be turned against the first of its piece.
    let mut turn: Vec<Option<bool>> = vec![None; mesh.faces.len()];
    let mut turned = 0;
    for first in 0..mesh.faces.len() {
        if turn[first].is_some() {
            continue;
        }
        turn[first] = Some(false);
        let mut piece = vec![first];
        let mut next = 0;
        while next < piece.len() {
            let face = piece[next];
            next += 1;
            for (side, other) in neighbors[face].into_iter().enumerate() {
                let other = other as usize;
                if other == face || turn[other].is_some() {
                    continue;
                }
                let (from, to) = (mesh.faces[face][side], mesh.faces[face][(side + 1) % 3]);
                let corners = mesh.faces[other];
                let same_way = (0..3).any(|i| corners[i] == from && corners[(i + 1) % 3] == to);
                turn[other] = turn[face].map(|turned| turned != same_way);
                piece.push(other);
            }
        }
        let against = piece.iter().filter(|face| turn[**face] == Some(true)).count();
        let minority = 2 * against <= piece.len();
        for face in piece {
            if (turn[face] == Some(true)) == minority {
                mesh.faces[face].swap(1, 2);
                turned += 1;
            }
        }
    }
    turned
}

/// Turns every face.
pub(crate) fn turn_inside_out(mesh: &mut Mesh) {
    for face in &mut mesh.faces {
        face.swap(1, 2);
    }
}
