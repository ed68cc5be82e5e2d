//! Surfaces as PLY, OBJ and STL files.

use std::io::{self, Write};
use std::path::Path;

use super::error::ShapeError;
use super::mesh::Mesh;
use super::vector::{Vector, unit};
use crate::atomic_file::write_atomically;

/// A file format of meshes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshFormat {
    /// Binary, little endian, with normals.
    Ply,
    /// Text, with normals.
    Obj,
    /// Binary, single precision; corners repeat.
    Stl,
}

impl MeshFormat {
    /// The format for the extension of a file name.
    ///
    /// # Errors
    /// Returns an error for any other extension.
    pub fn of_path(path: &Path) -> Result<Self, ShapeError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "ply" => Ok(Self::Ply),
            "obj" => Ok(Self::Obj),
            "stl" => Ok(Self::Stl),
            _ => Err(ShapeError::OutFormat { path: path.to_owned() }),
        }
    }
}

/// A number for each vertex of a mesh.
#[derive(Debug, Clone, PartialEq)]
pub struct VertexAttribute {
    /// The name of the property in the file.
    pub name: &'static str,
    /// One number per vertex; missing ones are written as NaN.
    pub values: Vec<f32>,
}

/// Writes a surface with a normal for each vertex, atomically. PLY and OBJ store positions in
/// single precision if the surface is near the origin, and in double precision if it is so far away
/// that rounding to single precision would be visible.
///
/// # Errors
/// Returns an error if the extension is not .ply, .obj or .stl, or the error of the system.
pub fn write_mesh(path: &Path, mesh: &Mesh, normals: &[Vector]) -> Result<(), ShapeError> {
    let write = match MeshFormat::of_path(path)? {
        MeshFormat::Ply => return write_ply(path, mesh, normals, &[]),
        MeshFormat::Obj => write_obj,
        MeshFormat::Stl => write_stl,
    };
    Ok(write_atomically(path, |writer| write(writer, mesh, normals))?)
}

/// Writes a surface as a PLY file, as [`write_mesh`] does, with further properties of each vertex in
/// single precision.
///
/// # Errors
/// Returns the error of the system.
pub fn write_ply(
    path: &Path,
    mesh: &Mesh,
    normals: &[Vector],
    attributes: &[VertexAttribute],
) -> Result<(), ShapeError> {
    Ok(write_atomically(path, |writer| write_ply_content(writer, mesh, normals, attributes))?)
}

/// Whether single precision would move vertices by more than about 1e-6 of the surface's size.
fn needs_double(mesh: &Mesh) -> bool {
    let (low, high) = super::bvh::bounds(mesh.vertices.iter().copied());
    let size = (0..3).map(|axis| high[axis] - low[axis]).fold(0.0, f64::max);
    let farthest = low.iter().chain(&high).fold(0.0, |most: f64, x| most.max(x.abs()));
    farthest > 16.0 * size || farthest > 1e30
}

fn write_ply_content(
    out: &mut dyn Write,
    mesh: &Mesh,
    normals: &[Vector],
    attributes: &[VertexAttribute],
) -> io::Result<()> {
    let double = needs_double(mesh);
    let kind = if double { "double" } else { "float" };
    write!(
        out,
        "ply\nformat binary_little_endian 1.0\nelement vertex {}\n\
         property {kind} x\nproperty {kind} y\nproperty {kind} z\n\
         property float nx\nproperty float ny\nproperty float nz\n",
        mesh.vertices.len(),
    )?;
    for VertexAttribute { name, .. } in attributes {
        writeln!(out, "property float {name}")?;
    }
    write!(
        out,
        "element face {}\nproperty list uchar int vertex_indices\nend_header\n",
        mesh.faces.len(),
    )?;
    for (index, (vertex, normal)) in mesh.vertices.iter().zip(normals).enumerate() {
        for x in vertex {
            match double {
                true => out.write_all(&x.to_le_bytes())?,
                false => out.write_all(&(*x as f32).to_le_bytes())?,
            }
        }
        for x in normal {
            out.write_all(&(*x as f32).to_le_bytes())?;
        }
        for attribute in attributes {
            let value = attribute.values.get(index).copied().unwrap_or(f32::NAN);
            out.write_all(&value.to_le_bytes())?;
        }
    }
    for face in &mesh.faces {
        out.write_all(&[3])?;
        for corner in face {
            out.write_all(&corner.to_le_bytes())?;
        }
    }
    Ok(())
}

fn write_obj(out: &mut dyn Write, mesh: &Mesh, normals: &[Vector]) -> io::Result<()> {
    let double = needs_double(mesh);
    for [x, y, z] in &mesh.vertices {
        match double {
            true => writeln!(out, "v {x} {y} {z}")?,
            false => writeln!(out, "v {} {} {}", *x as f32, *y as f32, *z as f32)?,
        }
    }
    for [x, y, z] in normals {
        writeln!(out, "vn {x:.4} {y:.4} {z:.4}")?;
    }
    for face in &mesh.faces {
        let [a, b, c] = face.map(|corner| corner + 1);
        writeln!(out, "f {a}//{a} {b}//{b} {c}//{c}")?;
    }
    Ok(())
}

fn write_stl(out: &mut dyn Write, mesh: &Mesh, _: &[Vector]) -> io::Result<()> {
    out.write_all(&[0; 80])?;
    out.write_all(&(mesh.faces.len() as u32).to_le_bytes())?;
    for face in &mesh.faces {
        let normal = unit(mesh.area_normal(*face));
        for point in std::iter::once(normal).chain(mesh.corners(*face)) {
            for x in point {
                out.write_all(&(x as f32).to_le_bytes())?;
            }
        }
        out.write_all(&[0; 2])?;
    }
    Ok(())
}
