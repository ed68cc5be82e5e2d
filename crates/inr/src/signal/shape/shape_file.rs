//! From a file to a shape that a network can represent.

use std::path::Path;
use std::sync::Arc;

use super::error::ShapeError;
use super::geometry::Geometry;
use super::info::ShapeInfo;
use super::mesh::Mesh;
use super::placement::Placement;
use super::read::read;
use super::topology::{edge_census, make_consistent, turn_inside_out};
use super::vector::{Vector, add, length, scale, subtract, unit};
use crate::bounded_read::read_at_most;

/// Most bytes of a shape file.
const MAX_BYTES: u64 = 1 << 30;
/// A shape: its mean in the origin, its largest coordinate 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Triangles or points, normalized.
    pub geometry: Arc<Geometry>,
    /// The way back to the file's units.
    pub placement: Placement,
    /// What people should know about the file: holes, faces that were turned or dropped.
    pub warnings: Vec<String>,
}

impl Shape {
    /// Reads a PLY, OBJ, STL or XYZ file, by its name. Polygons become triangles, equal positions
    /// one vertex, faces with a repeated corner are dropped, and faces that are turned against
    /// their neighbors are turned back.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged or cut short, has no faces (or points with normals),
    /// faces that name vertices which do not exist, or coordinates that are not finite numbers.
    pub fn open(path: &Path) -> Result<Self, ShapeError> {
        let bytes = read_at_most(path, MAX_BYTES)
            .map_err(|source| ShapeError::Read { path: path.to_owned(), source })?;
        Self::decode(path, &bytes)
    }

    /// Reads the content of a file that was opened elsewhere: see [`Shape::open`].
    ///
    /// # Errors
    /// Those of [`Shape::open`].
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self, ShapeError> {
        let geometry = read(path, bytes)?;
        Self::new(geometry).map_err(|reason| ShapeError::Unusable { path: path.to_owned(), reason })
    }

    /// A checksum of all positions and of what they are part of: see
    /// [`Signal::fingerprint`](crate::signal::Signal::fingerprint).
    pub fn fingerprint(&self) -> String {
        let mut hasher = crc32fast::Hasher::new();
        let mut numbers = |vector: &Vector| {
            vector.iter().for_each(|x| hasher.update(&x.to_le_bytes()));
        };
        match &*self.geometry {
            Geometry::Mesh(mesh) => {
                mesh.vertices.iter().for_each(&mut numbers);
                let corners = mesh.faces.iter().flatten();
                corners.for_each(|corner| hasher.update(&(*corner as u64).to_le_bytes()));
            }
            Geometry::Points { points, normals } => {
                points.iter().chain(normals).for_each(&mut numbers);
            }
        }
        // Spelled as in the first version: existing records hold checksums of these bytes.
        let Placement { center, scale } = self.placement;
        let placement = format!("Placement {{ centre: {center:?}, scale: {scale:?} }}");
        hasher.update(placement.as_bytes());
        format!("{:08x}", hasher.finalize())
    }

    /// Normalizes what was read or made; says what is wrong with it where it cannot be used.
    ///
    /// # Errors
    /// No faces or points, a place that does not exist, coordinates that are not finite or all the
    /// same.
    pub fn new(geometry: Geometry) -> Result<Self, String> {
        match geometry {
            Geometry::Mesh(mesh) => Self::of_mesh(&mesh),
            Geometry::Points { points, normals } => Self::of_points(&points, &normals),
        }
    }

    fn of_mesh(mesh: &Mesh) -> Result<Self, String> {
        require_finite(&mesh.vertices)?;
        if mesh.faces.len() > u32::MAX as usize / 4 || mesh.vertices.len() > u32::MAX as usize / 4 {
            return Err(format!("{} faces are more than can be counted", mesh.faces.len()));
        }
        let count = mesh.vertices.len();
        for (number, face) in mesh.faces.iter().enumerate() {
            if let Some(corner) = face.iter().find(|corner| **corner as usize >= count) {
                return Err(format!(
                    "face {number} names vertex {corner} (counted from 0), and there are {count}"
                ));
            }
        }
        let (mut mesh, dropped) = mesh.welded();
        if mesh.faces.is_empty() {
            return Err(match dropped {
                0 => "it has no faces, and no points with normals either".into(),
                _ => format!("all of its {dropped} faces have a corner twice"),
            });
        }
        let placement = placement(&mesh.vertices)?;
        for vertex in &mut mesh.vertices {
            *vertex = placement.normalize(*vertex);
        }
        if mesh.areas().iter().sum::<f64>() <= 0.0 {
            return Err("its faces have no area".into());
        }
        let mut warnings = Vec::new();
        if dropped > 0 {
            warnings.push(format!("{dropped} faces with a repeated corner were dropped"));
        }
        if edge_census(&mesh).open > 0 {
            let turned = make_consistent(&mut mesh);
            if turned > 0 {
                warnings.push(format!("{turned} faces were turned to agree with their neighbors"));
            }
        }
        let census = edge_census(&mesh);
        if census.open > 0 {
            warnings.push(format!(
                "the surface is not watertight ({} open edges): inside is where the generalized \
                 winding number is above 1/2",
                census.open
            ));
        } else if mesh.volume() < 0.0 {
            turn_inside_out(&mut mesh);
            warnings.push("the surface faced inwards and was turned inside out".into());
        }
        Ok(Self { geometry: Arc::new(Geometry::Mesh(mesh)), placement, warnings })
    }

    fn of_points(points: &[Vector], normals: &[Vector]) -> Result<Self, String> {
        require_finite(points)?;
        if points.is_empty() {
            return Err("it has no points".into());
        }
        if points.len() > u32::MAX as usize / 4 {
            return Err(format!("{} points are more than can be counted", points.len()));
        }
        let bad = |normal: &Vector| !length(*normal).is_finite() || length(*normal) == 0.0;
        if let Some(place) = normals.iter().position(bad) {
            let normal = normals[place];
            return Err(format!("point {place} has the normal {normal:?}, which is no direction"));
        }
        let placement = placement(points)?;
        let normalized = |point: &Vector| placement.normalize(*point);
        let geometry = Geometry::Points {
            points: points.iter().map(normalized).collect(),
            normals: normals.iter().map(|normal| unit(*normal)).collect(),
        };
        Ok(Self { geometry: Arc::new(geometry), placement, warnings: Vec::new() })
    }

    /// What a model file keeps of it.
    pub fn info(&self) -> ShapeInfo {
        let elements = match &*self.geometry {
            Geometry::Mesh(mesh) => mesh.faces.len(),
            Geometry::Points { points, .. } => points.len(),
        };
        ShapeInfo { placement: self.placement, elements, closed: self.is_closed() }
    }

    /// Whether the surface encloses a volume without holes.
    pub fn is_closed(&self) -> bool {
        match &*self.geometry {
            Geometry::Mesh(mesh) => edge_census(mesh).open == 0,
            Geometry::Points { .. } => false,
        }
    }
}

fn require_finite(points: &[Vector]) -> Result<(), String> {
    let bad = |point: &Vector| point.iter().any(|coordinate| !coordinate.is_finite());
    match points.iter().position(bad) {
        Some(place) => Err(format!(
            "vertex {place} (counted from 0) is {:?}; expected finite numbers",
            points[place]
        )),
        None => Ok(()),
    }
}

/// The mean of the points and the largest coordinate around it.
fn placement(points: &[Vector]) -> Result<Placement, String> {
    let sum = points.iter().fold([0.0; 3], |sum, point| add(sum, *point));
    let center = scale(sum, 1.0 / points.len() as f64);
    let largest = |point: &Vector| {
        subtract(*point, center).into_iter().fold(0.0, |largest: f64, x| largest.max(x.abs()))
    };
    let scale = points.iter().map(largest).fold(0.0, f64::max);
    if !scale.is_finite() || !(1.0 / scale).is_finite() {
        return Err(format!("its points span {scale} around {center:?}; expected an extent"));
    }
    Ok(Placement { center, scale })
}
