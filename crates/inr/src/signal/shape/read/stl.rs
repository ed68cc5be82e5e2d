//! STL, ascii and binary, through `stl_io`. Corners repeat in this format; welding joins them.

use std::borrow::Cow;
use std::io::Cursor;

use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::mesh::Mesh;

/// Bytes before the first triangle of a binary file, and of each triangle.
const HEADER: usize = 84;
const TRIANGLE: usize = 50;

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let mut mesh = Mesh::default();
    // Some programs begin binary files with "solid" too: their length tells them apart.
    let promised = bytes
        .get(80..HEADER)
        .map(|count| u32::from_le_bytes([count[0], count[1], count[2], count[3]]) as usize);
    let exact = promised.is_some_and(|count| bytes.len() == HEADER + count * TRIANGLE);
    let held = bytes.len().saturating_sub(HEADER) / TRIANGLE;
    let bytes: Cow<'_, [u8]> = match promised {
        // The library goes by the first six bytes, "solid ", which not all programs write alike.
        _ if bytes.starts_with(b"solid") && !exact => {
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
            [b"solid ", &bytes[end..]].concat().into()
        }
        None => return Err(format!("{} bytes are too few for any STL file", bytes.len())),
        Some(count) if count > held => {
            return Err(format!("its header promises {count} triangles, and {held} are left"));
        }
        Some(_) if bytes.starts_with(b"solid") => [&[0; 80], &bytes[80..]].concat().into(),
        Some(_) => bytes.into(),
    };
    let mut reader = Cursor::new(bytes);
    let triangles = stl_io::create_stl_reader(&mut reader).map_err(|error| error.to_string())?;
    for triangle in triangles {
        let corners = triangle.map_err(|error| error.to_string())?.vertices;
        let first = mesh.vertices.len() as u32;
        mesh.vertices.extend(corners.map(|corner| corner.0.map(f64::from)));
        mesh.faces.push([first, first + 1, first + 2]);
    }
    Ok(Geometry::Mesh(mesh))
}
