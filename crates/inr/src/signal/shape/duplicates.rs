//! Duplicate faces of a mesh.

use std::collections::HashMap;

use super::mesh::Mesh;
use super::topology::Pieces;

/// The number of dropped faces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// The number of faces that repeat another one.
    pub(crate) repeated: usize,
    /// The number of pairs of faces, back to back, that bound no volume.
    pub(crate) walls: usize,
}

/// The copies of a face with the same corners.
#[derive(Debug, Clone, Copy, Default)]
struct Copies {
    /// The first face of each orientation.
    forward: Option<u32>,
    backward: Option<u32>,
}

impl Mesh {
    /// Keeps one of equal faces. Of two faces with the same corners and opposite orientations, one
    /// is kept if a whole connected piece occurs twice, front and back. Otherwise both are dropped,
    /// since they form a wall without thickness, such as that between two adjacent boxes.
    pub(crate) fn drop_duplicates(&mut self) -> Dropped {
        let mut copies: HashMap<[u32; 3], Copies> = HashMap::with_capacity(self.faces.len());
        for (number, face) in self.faces.iter().enumerate() {
            let (key, is_forward) = sorted(*face);
            let copies = copies.entry(key).or_default();
            let first = if is_forward { &mut copies.forward } else { &mut copies.backward };
            first.get_or_insert(number as u32);
        }
        let all = self.faces.len();
        let kept = |mesh: &Self, is_kept: &mut dyn FnMut(u32, &Copies) -> bool| -> Vec<[u32; 3]> {
            let faces = mesh.faces.iter().enumerate();
            faces
                .filter(|(number, face)| is_kept(*number as u32, &copies[&sorted(**face).0]))
                .map(|(_, face)| *face)
                .collect()
        };
        let is_first = |number: u32, copies: &Copies| {
            [copies.forward, copies.backward].contains(&Some(number))
        };
        let is_pair = |copies: &Copies| copies.forward.is_some() && copies.backward.is_some();
        if !copies.values().any(is_pair) {
            if copies.len() < all {
                self.faces = kept(self, &mut |number, copies| is_first(number, copies));
            }
            return Dropped { repeated: all - self.faces.len(), walls: 0 };
        }
        // A piece occurs twice if all its faces are pairs.
        let pieces = Pieces::by_edges(self);
        let mut is_double = vec![true; pieces.count];
        for (number, face) in self.faces.iter().enumerate() {
            is_double[pieces.of_faces[number] as usize] &= is_pair(&copies[&sorted(*face).0]);
        }
        let (mut repeated, mut walls) = (0, 0);
        let faces = kept(self, &mut |number, copies| {
            let is_wall = is_pair(copies) && !is_double[pieces.of_faces[number as usize] as usize];
            let one = copies.forward.min(copies.backward).or(copies.forward).or(copies.backward);
            let is_kept = !is_wall && one == Some(number);
            if is_wall && is_first(number, copies) {
                walls += 1;
            } else if !is_kept {
                repeated += 1;
            }
            is_kept
        });
        self.faces = faces;
        Dropped { repeated, walls: walls / 2 }
    }
}

/// The corners in ascending order, and whether this is the order of the face up to rotation.
fn sorted(face: [u32; 3]) -> ([u32; 3], bool) {
    let mut key = face;
    key.sort_unstable();
    let turned = [face, [face[1], face[2], face[0]], [face[2], face[0], face[1]]];
    (key, turned.contains(&key))
}
