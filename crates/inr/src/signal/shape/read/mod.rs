//! Shape files as they are: triangles or points, with only the format checked.

mod lzf;
mod obj;
mod pcd;
mod ply;
mod polygon;
mod stl;
mod text;
mod xyz;

use std::path::Path;

use vi3nr::printable::excerpt;

use super::error::ShapeError;
use super::geometry::Geometry;

/// Parses the content to a geometry, or returns the reason why it is invalid.
type Parse = fn(&[u8]) -> Result<Geometry, String>;

/// The maximum length of a reason, in characters: parsers quote their input, which may be a megabyte.
const MAX_REASON: usize = 300;

/// Reads the content of a file; PLY is recognized by its first bytes, other formats by the
/// extension of the file name. [`Shape::new`](super::Shape::new) validates the surface.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Geometry, ShapeError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let (format, parse): (_, Parse) = match ending.to_ascii_lowercase().as_str() {
        _ if bytes.starts_with(b"ply\n") || bytes.starts_with(b"ply\r") => ("PLY", ply::parse),
        "ply" => ("PLY", ply::parse),
        "obj" => ("OBJ", obj::parse),
        "stl" => ("STL", stl::parse),
        "xyz" | "xyzn" => ("XYZ", xyz::parse),
        "pcd" => ("PCD", pcd::parse),
        _ => return Err(ShapeError::Format { path: path.to_owned() }),
    };
    parse(bytes).map_err(|reason| ShapeError::Damaged {
        path: path.to_owned(),
        format,
        reason: excerpt(&reason, MAX_REASON),
    })
}

#[cfg(test)]
mod tests;
