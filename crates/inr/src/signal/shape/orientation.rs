//! The orientation of the pieces of a surface: outward, or inward if they bound a cavity.

use super::bvh::{Bvh, bounds};
use super::mesh::Mesh;
use super::topology::Pieces;
use super::vector::{Vector, add, cross, dot, length, scale, subtract};

/// Volumes below this share of area^1.5 count as empty (a sphere has 0.094).
const FLAT: f64 = 1e-4;
/// An open piece faces inward if the volume of its cone over its center is below minus this share.
const OPEN_INWARDS: f64 = 1e-2;
/// The maximum number of pairs of pieces that are tested for containment.
const MAX_PAIRS: usize = 100_000;
/// The number of vertices of a piece that are tested.
const TESTED: usize = 16;

/// The result of the orientation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Orientation {
    /// The number of pieces that faced inward and were flipped.
    pub(crate) flipped: usize,
    /// The number of all pieces.
    pub(crate) pieces: usize,
    /// The number of pieces inside another that face inward: cavities.
    pub(crate) cavities: usize,
    /// The number of pieces inside another that face outward, which adds nothing to its inside.
    pub(crate) hidden: usize,
    /// Whether there were too many pieces to test which contain which.
    pub(crate) unknown: bool,
    /// Whether no piece encloses a volume, although none has a hole.
    pub(crate) is_flat: bool,
}

/// One connected piece.
struct Piece {
    faces: Vec<u32>,
    low: Vector,
    high: Vector,
    volume: f64,
    area: f64,
    is_closed: bool,
}

/// Flips whole connected pieces of a mesh whose neighbors agree. Afterward, pieces that no other
/// piece contains face outward. If that needs a flip, all pieces inside are flipped as well, since
/// the whole file is inside out. A piece inside another keeps its orientation relative to that one:
/// if it faces inward, it is a cavity.
pub(crate) fn orient_pieces(mesh: &mut Mesh) -> Orientation {
    let pieces = pieces(mesh);
    let mut result = Orientation { pieces: pieces.len(), ..Orientation::default() };
    result.is_flat = pieces
        .iter()
        .all(|piece| piece.is_closed && piece.volume.abs() <= FLAT * piece.area.powf(1.5));
    let (parents, unknown) = parents(mesh, &pieces);
    result.unknown = unknown;
    // Parents come before the pieces that they contain.
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by(|a, b| pieces[*b].size().total_cmp(&pieces[*a].size()));
    // Whether the outermost piece around each was flipped, and the winding number of the surface
    // just inside each.
    let mut states = vec![(false, 0i32); pieces.len()];
    for number in order {
        let piece = &pieces[number];
        let (is_root_flipped, around) = match parents[number] {
            Some(parent) => states[parent],
            None => (faces_inwards(piece), 0),
        };
        let mut is_flipped = is_root_flipped;
        let mut sign = if (piece.volume < 0.0) == is_flipped { 1 } else { -1 };
        if piece.is_closed && sign < 0 && around <= 0 {
            (is_flipped, sign) = (!is_flipped, 1);
        }
        if is_flipped {
            result.flipped += 1;
            for face in &piece.faces {
                mesh.faces[*face as usize].swap(1, 2);
            }
        }
        if piece.is_closed && around > 0 {
            *if sign < 0 { &mut result.cavities } else { &mut result.hidden } += 1;
        }
        let within = if piece.is_closed { around + sign } else { around };
        states[number] = (is_root_flipped, within);
    }
    result
}

impl Piece {
    /// The volume of its bounding box.
    fn size(&self) -> f64 {
        let [x, y, z] = subtract(self.high, self.low);
        x * y * z
    }
}

fn faces_inwards(piece: &Piece) -> bool {
    let least = if piece.is_closed { 0.0 } else { OPEN_INWARDS * piece.area.powf(1.5) };
    piece.volume < -least
}

fn pieces(mesh: &Mesh) -> Vec<Piece> {
    let Pieces { of_faces, count } = Pieces::by_regular_edges(mesh);
    let mut faces = vec![Vec::new(); count];
    for (face, piece) in of_faces.into_iter().enumerate() {
        faces[piece as usize].push(face as u32);
    }
    let open = open_sides(mesh);
    let one = |faces: Vec<u32>| {
        let triangles = || faces.iter().map(|face| mesh.corners(mesh.faces[*face as usize]));
        let (low, high) = bounds(triangles().flatten());
        let center = scale(add(low, high), 0.5);
        let (mut volume, mut area) = (0.0, 0.0);
        for [a, b, c] in triangles() {
            let normal = cross(subtract(b, a), subtract(c, a));
            area += 0.5 * length(normal);
            volume += dot(subtract(a, center), normal) / 6.0;
        }
        let is_closed = !faces.iter().any(|face| open[*face as usize]);
        Piece { faces, low, high, volume, area, is_closed }
    };
    faces.into_iter().map(one).collect()
}

/// Whether each face has a side whose edge is open.
fn open_sides(mesh: &Mesh) -> Vec<bool> {
    let mut is_open = vec![false; mesh.faces.len()];
    super::topology::for_each_open_edge(mesh, |face| is_open[face as usize] = true);
    is_open
}

/// The smallest closed piece that contains each piece, and whether there were too many to test.
fn parents(mesh: &Mesh, pieces: &[Piece]) -> (Vec<Option<usize>>, bool) {
    let mut parents: Vec<Option<usize>> = vec![None; pieces.len()];
    let contains = |outer: &Piece, inner: &Piece| {
        (0..3).all(|axis| outer.low[axis] < inner.low[axis] && inner.high[axis] < outer.high[axis])
    };
    let mut closed: Vec<usize> =
        (0..pieces.len()).filter(|piece| pieces[*piece].is_closed).collect();
    // Larger ones first, so that the last one that contains a piece is its parent.
    closed.sort_by(|a, b| pieces[*b].size().total_cmp(&pieces[*a].size()));
    let mut pairs = 0;
    if pieces.len().saturating_mul(closed.len()) > 100 * MAX_PAIRS {
        return (parents, true);
    }
    for outer in closed {
        let mut tree = None;
        for inner in 0..pieces.len() {
            if inner == outer || !contains(&pieces[outer], &pieces[inner]) {
                continue;
            }
            pairs += 1;
            if pairs > MAX_PAIRS {
                return (vec![None; pieces.len()], true);
            }
            let tree = tree.get_or_insert_with(|| {
                let faces = pieces[outer].faces.iter();
                let corners = faces.map(|face| mesh.corners(mesh.faces[*face as usize]));
                Bvh::new(&corners.collect::<Vec<_>>())
            });
            let faces = &pieces[inner].faces;
            let is_within = faces.iter().step_by(faces.len().div_ceil(TESTED)).all(|face| {
                let corner = mesh.faces[*face as usize][0];
                tree.winding_number(mesh.vertices[corner as usize]).abs() > 0.5
            });
            if is_within {
                parents[inner] = Some(outer);
            }
        }
    }
    (parents, false)
}
