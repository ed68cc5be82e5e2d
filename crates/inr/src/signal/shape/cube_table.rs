//! The triangles of one cell for each of the 256 ways in which its corners can lie inside.
//!
//! The table is computed, not written out. On each side of a cell the surface leaves segments that depend on
//! the four corners of that side alone, so that both cells of a side agree; where two opposite corners
//! are inside, they are kept apart. The segments join into loops, which are cut into triangles without
//! using a diagonal that lies in a side, so that no edge of the surface gets more than two triangles.
//! A surface of such cells therefore is a closed manifold wherever it does not leave the grid.

use std::sync::LazyLock;

/// An edge of the cell: from a corner along an axis. Corner i lies at (i & 1, i >> 1 & 1, i >> 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellEdge {
    pub(crate) corner: usize,
    pub(crate) axis: usize,
}

/// The twelve edges of a cell.
pub(crate) static EDGES: LazyLock<Vec<CellEdge>> = LazyLock::new(|| {
    let all = (0..3).flat_map(|axis| (0..8).map(move |corner| CellEdge { corner, axis }));
    all.filter(|edge| edge.corner >> edge.axis & 1 == 0).collect()
});

/// For each set of inside corners (bit i for corner i), triangles of three edges each, seen from
/// outside turning left.
pub(crate) static TRIANGLES: LazyLock<Vec<Vec<[u8; 3]>>> =
    LazyLock::new(|| (0..256).map(|inside| triangles(inside, &EDGES)).collect());

fn triangles(inside: usize, edges: &[CellEdge]) -> Vec<[u8; 3]> {
    let mut next = [None; 12];
    for axis in 0..3 {
        for side in 0..2 {
            for (from, to) in segments(inside, axis, side, edges) {
                next[from] = Some(to);
            }
        }
    }
    let mut result = Vec::new();
    for first in 0..12 {
        let mut ring = Vec::new();
        let mut edge = first;
        while let Some(after) = next[edge].take() {
            ring.push(edge);
            edge = after;
        }
        if ring.len() >= 3 {
            fill(&ring, edges, &mut result);
        }
    }
    result
}

/// The segments on one side of the cell, each from a cut edge to another: around every run of inside
/// corners.
fn segments(inside: usize, axis: usize, side: usize, edges: &[CellEdge]) -> Vec<(usize, usize)> {
    let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
    let mut corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(a, b)| side << axis | a << u | b << v);
    // To the left, seen from outside the cell.
    if side == 0 {
        corners.reverse();
    }
    let is_inside = |place: usize| inside >> corners[place % 4] & 1 == 1;
    let edge = |place: usize| {
        let (a, b) = (corners[place % 4], corners[(place + 1) % 4]);
        let (corner, along) = (a & b, (a ^ b).trailing_zeros() as usize);
        edges.iter().position(|edge| edge.corner == corner && edge.axis == along)
    };
    let mut segments = Vec::new();
    for start in 0..4 {
        if is_inside(start) && !is_inside(start + 3) {
            let mut end = start;
            while is_inside(end + 1) {
                end += 1;
            }
            segments.extend(edge(start + 3).zip(edge(end)));
        }
    }
    segments
}

/// Cuts a ring of edges into triangles.
fn fill(ring: &[usize], edges: &[CellEdge], result: &mut Vec<[u8; 3]>) {
    // The tests show that every ring has such a cut.
    if let Some(found) = cut(ring, 0, ring.len() - 1, edges) {
        result.extend(found.into_iter().map(|corners| corners.map(|place| ring[place] as u8)));
    }
}

/// Triangles for the part of the ring from place `from` to place `to`, if there are any whose
/// diagonals all lie within the cell.
fn cut(ring: &[usize], from: usize, to: usize, edges: &[CellEdge]) -> Option<Vec<[usize; 3]>> {
    if to - from < 2 {
        return Some(Vec::new());
    }
    let allowed = |a: usize, b: usize| {
        b - a == 1 || b - a == ring.len() - 1 || !share_a_side(edges[ring[a]], edges[ring[b]])
    };
    (from + 1..to).filter(|apex| allowed(from, *apex) && allowed(*apex, to)).find_map(|apex| {
        let mut found = cut(ring, from, apex, edges)?;
        found.extend(cut(ring, apex, to, edges)?);
        found.push([from, apex, to]);
        Some(found)
    })
}

/// Whether two edges lie on the same side of the cell.
fn share_a_side(a: CellEdge, b: CellEdge) -> bool {
    (0..3).any(|axis| {
        axis != a.axis && axis != b.axis && a.corner >> axis & 1 == b.corner >> axis & 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_edge_is_used_and_no_other() {
        for inside in 0..256 {
            for (number, edge) in EDGES.iter().enumerate() {
                let ends = [edge.corner, edge.corner | 1 << edge.axis];
                let [a, b] = ends.map(|corner| inside >> corner & 1);
                let used = TRIANGLES[inside].iter().flatten().any(|e| *e as usize == number);
                assert_eq!(used, a != b, "{inside:08b}, {edge:?}");
            }
        }
    }

    #[test]
    fn one_inside_corner_gives_one_triangle_that_faces_away_from_it() {
        let [triangle] = TRIANGLES[1][..] else { panic!("{:?}", TRIANGLES[1]) };
        let axes = triangle.map(|edge| EDGES[edge as usize].axis);
        // Points on the x, y and z axis, in this order or turned, face away from the origin.
        assert!([[0, 1, 2], [1, 2, 0], [2, 0, 1]].contains(&axes), "{axes:?}");
    }

    #[test]
    fn edges_inside_a_cell_have_two_triangles_turning_opposite_ways() {
        for inside in 0..256 {
            let mut count = std::collections::BTreeMap::new();
            for triangle in &TRIANGLES[inside] {
                for i in 0..3 {
                    let pair = (triangle[i], triangle[(i + 1) % 3]);
                    assert!(count.insert(pair, ()).is_none(), "{inside:08b}: {pair:?} twice");
                }
            }
            for (a, b) in count.keys() {
                let within = count.contains_key(&(*b, *a));
                let on_side = share_a_side(EDGES[*a as usize], EDGES[*b as usize]);
                assert!(within != on_side, "{inside:08b}: {a}, {b}");
            }
        }
    }
}
