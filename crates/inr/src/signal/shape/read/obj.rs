//! Wavefront OBJ, through `tobj`. Materials are not looked at.

use tobj::{LoadError, LoadOptions, load_obj_buf};

use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::mesh::Mesh;

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let options = LoadOptions {
        triangulate: true,
        ignore_points: true,
        ignore_lines: true,
        ..LoadOptions::default()
    };
    let mut reader = bytes;
    let (models, _) = load_obj_buf(&mut reader, &options, |_| Err(LoadError::OpenFileFailed))
        .map_err(|error| error.to_string())?;
    let mut mesh = Mesh::default();
    for model in models {
        let first = mesh.vertices.len() as u32;
        mesh.vertices.extend(model.mesh.positions.as_chunks().0);
        for [a, b, c] in model.mesh.indices.as_chunks().0 {
            mesh.faces.push([first + a, first + b, first + c]);
        }
    }
    Ok(Geometry::Mesh(mesh))
}
