//! Shape files as they are: triangles or points, nothing checked but the format.

mod obj;
mod ply;
mod polygon;
mod stl;
mod text;
mod xyz;

use std::path::Path;

use super::error::ShapeError;
use super::geometry::Geometry;

/// Content to geometry, or what is wrong with it.
type Parse = fn(&[u8]) -> Result<Geometry, String>;

/// Reads the content of a file, PLY by its first bytes, the rest by the ending of its name; what is
/// wrong with the surface is found by [`Shape::new`](super::Shape::new).
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Geometry, ShapeError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let (format, parse): (_, Parse) = match ending.to_ascii_lowercase().as_str() {
        _ if bytes.starts_with(b"ply\n") || bytes.starts_with(b"ply\r") => ("PLY", ply::parse),
        "ply" => ("PLY", ply::parse),
        "obj" => ("OBJ", obj::parse),
        "stl" => ("STL", stl::parse),
        "xyz" | "xyzn" => ("XYZ", xyz::parse),
        _ => return Err(ShapeError::Format { path: path.to_owned() }),
    };
    parse(bytes).map_err(|reason| ShapeError::Damaged {
        path: path.to_owned(),
        format,
        reason: first_lines(&reason),
    })
}

/// A reason in one line of bounded length: parsers quote what they saw, which may be a megabyte.
fn first_lines(reason: &str) -> String {
    let words: Vec<&str> = reason.split_whitespace().collect();
    // Control characters would reach the terminal.
    let line = words.join(" ").replace(char::is_control, "\u{FFFD}");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
