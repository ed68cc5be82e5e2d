//! STL, ASCII and binary. Corners repeat in this format; welding joins them. The normals in the
//! file are ignored, since the order of the corners implies them.

use vi3nr::printable::excerpt;

use super::text::{coordinates, lines};
use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::mesh::Mesh;

/// The number of bytes before the first triangle of a binary file, and of each triangle.
const HEADER: usize = 84;
const TRIANGLE: usize = 50;
/// The number of bytes that are searched for the keywords of an ASCII file.
const SEARCHED: usize = 4096;

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let announced = bytes
        .get(80..HEADER)
        .map(|count| u32::from_le_bytes([count[0], count[1], count[2], count[3]]) as usize);
    let held = bytes.len().saturating_sub(HEADER) / TRIANGLE;
    let is_exact = announced.is_some_and(|count| bytes.len() == HEADER + count * TRIANGLE);
    if !is_exact && looks_like_text(bytes) {
        return ascii(bytes);
    }
    let left = bytes.len().saturating_sub(HEADER);
    match announced {
        None => Err(format!("{} bytes are too few for any STL file", bytes.len())),
        // Some programs do not write the number.
        Some(0) if held > 0 && left.is_multiple_of(TRIANGLE) => Ok(binary(&bytes[HEADER..], held)),
        Some(count) if count > held => {
            Err(format!("its header promises {count} triangles, and {held} are left"))
        }
        Some(count) => Ok(binary(&bytes[HEADER..], count)),
    }
}

/// Whether the file starts with the keywords of an ASCII file. Binary files may start with "solid",
/// too.
fn looks_like_text(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let head = text[..text.len().min(SEARCHED)].to_ascii_lowercase();
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    // A short or empty ASCII file has no facets.
    head.starts_with(b"solid")
        && (has(b"facet") || has(b"vertex") || has(b"endsolid") || !head.contains(&0))
}

fn binary(bytes: &[u8], count: usize) -> Geometry {
    let mut mesh = Mesh::default();
    for triangle in bytes.as_chunks::<TRIANGLE>().0.iter().take(count) {
        let number = |at: usize| f32::from_le_bytes(std::array::from_fn(|i| triangle[at + i]));
        // After the normal.
        push(&mut mesh, [12, 24, 36].map(|at| [at, at + 4, at + 8].map(number).map(f64::from)));
    }
    Geometry::Mesh(mesh)
}

/// Adds a triangle.
fn push(mesh: &mut Mesh, corners: [[f64; 3]; 3]) {
    let first = mesh.vertices.len() as u32;
    mesh.vertices.extend(corners);
    mesh.faces.push([first, first + 1, first + 2]);
}

/// All solids of a file are merged.
fn ascii(bytes: &[u8]) -> Result<Geometry, String> {
    let mut mesh = Mesh::default();
    let mut corners = Vec::with_capacity(3);
    let mut is_open = false;
    let mut last = 1;
    for (line, text) in lines(bytes) {
        last = line;
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(word) = words.first() else { continue };
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if is("vertex") {
            corners.push(coordinates(&words[1..], line)?);
        } else if is("facet") || is("endfacet") {
            if is("endfacet") || is_open {
                let found = corners.len();
                let corners = <[_; 3]>::try_from(std::mem::take(&mut corners)).map_err(|_| {
                    format!("line {line}: the facet has {found} corners; expected 3")
                })?;
                push(&mut mesh, corners);
            }
            is_open = is("facet");
        } else if !["solid", "endsolid", "outer", "endloop"].into_iter().any(is) {
            let word = excerpt(word, 40);
            return Err(format!("line {line}: '{word}' is not a word of an STL file"));
        }
    }
    if is_open || !corners.is_empty() {
        return Err(format!("it ends within a facet (line {last})"));
    }
    Ok(Geometry::Mesh(mesh))
}
