//! Points drawn from a surface, and files of points.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use vi3nr::rng::{Random, Stream};

use super::bvh::bounds;
use super::error::ShapeError;
use super::shape_file::Shape;
use super::surface::Surface;
use super::vector::{Vector, subtract};
use crate::atomic_file::write_atomically;

/// The points that are drawn from a shape; the substream is 0 for the points and 1 for the noise.
const DRAWN: Stream = Stream::new(15);

/// Points in the units of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointCloud {
    /// The positions.
    pub points: Vec<Vector>,
    /// The unit normal at each position, or none.
    pub normals: Vec<Vector>,
}

/// A file format of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointFormat {
    /// Binary, little endian.
    Ply,
    /// Text, a line for each point.
    Xyz,
    /// Binary, little endian.
    Pcd,
}

impl PointFormat {
    /// The format for the extension of a file name.
    ///
    /// # Errors
    /// Returns [`ShapeError::PointsFormat`] for any other extension.
    pub fn of_path(path: &Path) -> Result<Self, ShapeError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "ply" => Ok(Self::Ply),
            "xyz" | "xyzn" => Ok(Self::Xyz),
            "pcd" => Ok(Self::Pcd),
            _ => Err(ShapeError::PointsFormat { path: path.to_owned() }),
        }
    }
}

/// Draws `count` points of `shape` with their normals, uniformly by area for a mesh, in the units of
/// its file. Normal noise of standard deviation `noise` times the longest side of the bounding box
/// moves each coordinate. The points are a function of the arguments alone.
pub fn sample_points(shape: &Shape, count: usize, noise: f64, seed: u64) -> PointCloud {
    let surface = Surface::new(Arc::clone(&shape.geometry));
    let [random, moves] = [0, 1].map(|substream| Random::new(seed, DRAWN, substream));
    let (low, high) = bounds(shape.geometry.positions().iter().copied());
    let side = subtract(high, low).into_iter().fold(0.0, f64::max);
    let mut cloud = PointCloud::default();
    for element in 0..count as u64 {
        let (mut point, normal) = surface.draw(&random, element);
        if noise > 0.0 {
            for (axis, x) in (0..).zip(&mut point) {
                *x += noise * side * moves.normal(3 * element + axis);
            }
        }
        cloud.points.push(shape.placement.restore(point));
        cloud.normals.push(normal);
    }
    cloud
}

/// Writes points atomically, with their normals if there are any.
///
/// # Errors
/// Returns [`ShapeError::PointsFormat`] if the extension is not .ply, .xyz or .pcd, or the error of
/// the system.
pub fn write_points(path: &Path, cloud: &PointCloud) -> Result<(), ShapeError> {
    let write = match PointFormat::of_path(path)? {
        PointFormat::Ply => write_ply,
        PointFormat::Xyz => write_xyz,
        PointFormat::Pcd => write_pcd,
    };
    Ok(write_atomically(path, |writer| write(writer, cloud))?)
}

fn write_ply(out: &mut dyn Write, cloud: &PointCloud) -> io::Result<()> {
    let normals = match cloud.normals.is_empty() {
        true => "",
        false => "property float nx\nproperty float ny\nproperty float nz\n",
    };
    write!(
        out,
        "ply\nformat binary_little_endian 1.0\nelement vertex {}\n\
         property double x\nproperty double y\nproperty double z\n{normals}end_header\n",
        cloud.points.len(),
    )?;
    write_rows(out, cloud)
}

fn write_xyz(out: &mut dyn Write, cloud: &PointCloud) -> io::Result<()> {
    for (index, [x, y, z]) in cloud.points.iter().enumerate() {
        write!(out, "{x} {y} {z}")?;
        if let Some([x, y, z]) = cloud.normals.get(index) {
            write!(out, " {x:.6} {y:.6} {z:.6}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_pcd(out: &mut dyn Write, cloud: &PointCloud) -> io::Result<()> {
    let (fields, sizes, types, counts) = match cloud.normals.is_empty() {
        true => ("x y z", "8 8 8", "F F F", "1 1 1"),
        false => ("x y z normal_x normal_y normal_z", "8 8 8 4 4 4", "F F F F F F", "1 1 1 1 1 1"),
    };
    let count = cloud.points.len();
    write!(
        out,
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS {fields}\nSIZE {sizes}\n\
         TYPE {types}\nCOUNT {counts}\nWIDTH {count}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\n\
         POINTS {count}\nDATA binary\n"
    )?;
    write_rows(out, cloud)
}

/// Positions in double precision, normals in single precision, little endian.
fn write_rows(out: &mut dyn Write, cloud: &PointCloud) -> io::Result<()> {
    for (index, point) in cloud.points.iter().enumerate() {
        for x in point {
            out.write_all(&x.to_le_bytes())?;
        }
        for x in cloud.normals.get(index).into_iter().flatten() {
            out.write_all(&(*x as f32).to_le_bytes())?;
        }
    }
    Ok(())
}
