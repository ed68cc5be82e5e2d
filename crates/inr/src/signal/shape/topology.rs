//! How faces meet: holes, edges of more than two faces, connected pieces, consistent orientation.

use super::mesh::Mesh;

/// How the faces of a mesh meet at its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeTopology {
    /// The number of edges with other than two faces.
    pub irregular: usize,
    /// The number of edges that faces traverse more often in one direction than in the other: the
    /// boundaries of holes, and edges between faces of opposite orientation. 0 for a closed
    /// surface.
    pub open: usize,
}

impl EdgeTopology {
    /// Counts the edges of a mesh.
    pub fn of(mesh: &Mesh) -> Self {
        let mut topology = Self::default();
        for edge in sides(mesh).chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
            let upwards = edge.iter().filter(|side| side.upwards).count();
            topology.irregular += usize::from(edge.len() != 2);
            topology.open += usize::from(2 * upwards != edge.len());
        }
        topology
    }

    /// Whether every edge has exactly two faces, of the same orientation.
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
    /// From the vertex with the lower index to the higher.
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

/// For each face, the adjacent face at each of its three sides; at edges with other than two faces,
/// the face itself.
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

/// The connected pieces of a mesh.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pieces {
    /// The piece of each face, numbered from 0 in the order of the first faces.
    pub(crate) of_faces: Vec<u32>,
    pub(crate) count: usize,
}

impl Pieces {
    /// Faces are connected if they share an edge that no third face has: parts that touch along an
    /// edge of four faces are two pieces.
    pub(crate) fn by_regular_edges(mesh: &Mesh) -> Self {
        Self::of_links(mesh.faces.len(), |join| {
            for (face, others) in neighbors(mesh).into_iter().enumerate() {
                others.into_iter().for_each(|other| join(face as u32, other));
            }
        })
    }

    /// Faces are connected if they share an edge.
    pub(crate) fn by_edges(mesh: &Mesh) -> Self {
        Self::of_links(mesh.faces.len(), |join| {
            for pair in sides(mesh).windows(2) {
                if (pair[0].low, pair[0].high) == (pair[1].low, pair[1].high) {
                    join(pair[0].face, pair[1].face);
                }
            }
        })
    }

    /// Joins faces in a disjoint-set forest.
    fn of_links(faces: usize, links: impl FnOnce(&mut dyn FnMut(u32, u32))) -> Self {
        fn root(parents: &mut [u32], mut face: u32) -> u32 {
            while parents[face as usize] != face {
                let above = parents[parents[face as usize] as usize];
                parents[face as usize] = above;
                face = above;
            }
            face
        }
        let mut parents: Vec<u32> = (0..faces as u32).collect();
        links(&mut |a, b| {
            let (a, b) = (root(&mut parents, a), root(&mut parents, b));
            // The root is the first face of a piece.
            parents[a.max(b) as usize] = a.min(b);
        });
        let mut of_faces = vec![0; faces];
        let mut count = 0;
        for face in 0..faces as u32 {
            let root = root(&mut parents, face);
            of_faces[face as usize] = if root == face {
                count += 1;
                count - 1
            } else {
                of_faces[root as usize]
            };
        }
        Self { of_faces, count: count as usize }
    }
}

/// Flips faces so that neighbors have the same orientation; in each connected piece the smaller
/// part is flipped. Returns the number of flipped faces.
pub(crate) fn orient_consistently(mesh: &mut Mesh) -> usize {
    let neighbors = neighbors(mesh);
    // 0: not visited; otherwise whether the face must be flipped relative to the first of its
    // piece.
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

/// Reverses the orientation of every face.
#[cfg(test)]
pub(crate) fn flip_orientation(mesh: &mut Mesh) {
    for face in &mut mesh.faces {
        face.swap(1, 2);
    }
}

/// Calls `visit` with each face that has an edge which faces traverse more often in one direction
/// than in the other.
pub(crate) fn for_each_open_edge(mesh: &Mesh, mut visit: impl FnMut(u32)) {
    for edge in sides(mesh).chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
        let upwards = edge.iter().filter(|side| side.upwards).count();
        if 2 * upwards != edge.len() {
            edge.iter().for_each(|side| visit(side.face));
        }
    }
}
