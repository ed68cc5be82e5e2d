//! Wavefront OBJ: vertices and faces. Lines, points, normals, texture coordinates, groups and
//! materials are ignored.

use super::polygon::triangulate;
use super::text::{coordinates, lines};
use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::mesh::Mesh;

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let mut mesh = Mesh::default();
    // Faces may refer to later vertices.
    let mut polygons: Vec<u32> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    let mut statement = String::new();
    for (line, text) in lines(bytes) {
        let text = text.split('#').next().unwrap_or_default().trim_end();
        if let Some(begun) = text.strip_suffix('\\') {
            statement.push_str(begun);
            statement.push(' ');
            continue;
        }
        statement.push_str(text);
        let words: Vec<&str> = statement.split_whitespace().collect();
        match words.as_slice() {
            // A fourth number is a weight, further ones are colors.
            ["v", rest @ ..] => mesh.vertices.push(coordinates(rest, line)?),
            ["f" | "fo", corners @ ..] => {
                for corner in corners {
                    polygons.push(place(corner, mesh.vertices.len(), line)?);
                }
                ends.push(polygons.len());
            }
            _ => {}
        }
        statement.clear();
    }
    let mut start = 0;
    for (number, end) in ends.into_iter().enumerate() {
        let polygon = &polygons[start..end];
        if let Some(corner) = polygon.iter().find(|corner| **corner as usize >= mesh.vertices.len())
        {
            return Err(format!(
                "face {number} names vertex {}, which is out of bounds: there are {}",
                u64::from(*corner) + 1,
                mesh.vertices.len()
            ));
        }
        triangulate(polygon, &mesh.vertices, &mut mesh.faces);
        start = end;
    }
    Ok(Geometry::Mesh(mesh))
}

/// The vertex of a corner such as `7`, `7/1`, `7//2` or `-1`, which counts back from the last vertex.
fn place(corner: &str, count: usize, line: usize) -> Result<u32, String> {
    let number = corner.split('/').next().unwrap_or_default();
    let bad = || format!("line {line}: '{corner}' is not a corner of a face");
    let index: i64 = number.parse().map_err(|_| bad())?;
    let place = match index {
        1.. => index - 1,
        0 => return Err(bad()),
        _ => (count as i64).checked_add(index).filter(|place| *place >= 0).ok_or_else(|| {
            format!("line {line}: '{corner}' counts back beyond the first of {count} vertices")
        })?,
    };
    u32::try_from(place).map_err(|_| bad())
}
