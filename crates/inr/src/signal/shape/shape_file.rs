//! Reads a file as a shape that a network can represent.

use std::path::Path;
use std::sync::Arc;

use super::cloud::{estimate_warning, orient_cloud};
use super::error::ShapeError;
use super::geometry::Geometry;
use super::info::{ShapeForm, ShapeInfo};
use super::mesh::Mesh;
use super::normals::estimate_normals;
use super::orientation::{Orientation, orient_pieces};
use super::placement::Placement;
use super::read::read;
use super::topology::{EdgeTopology, orient_consistently};
use super::vector::{Vector, add, length, scale, subtract, unit};
use super::winding::mean_winding;
use crate::bounded_read::read_at_most;

/// The maximum size of a shape file in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// A surface with a smaller mean winding number just behind its faces encloses almost nothing: a
/// closed surface has 1, an open sheet 1/2.
const SHEET: f64 = 0.6;

/// A shape, with its mean at the origin and its largest coordinate 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Triangles or points, normalized.
    pub geometry: Arc<Geometry>,
    /// The transform to the units of the file.
    pub placement: Placement,
    /// What the file describes the surface by.
    pub form: ShapeForm,
    /// Warnings about the file: holes, faces that were flipped or dropped.
    pub warnings: Vec<String>,
}

impl Shape {
    /// Reads a PLY, OBJ, STL, XYZ or PCD file; its name determines the format. Polygons become
    /// triangles, and equal positions one vertex. Faces with a repeated corner and duplicates are
    /// dropped. Faces are flipped if neighbors disagree, and connected pieces if they face inward
    /// and are not cavities.
    ///
    /// # Errors
    /// Returns [`ShapeError::Read`] if the file cannot be read, [`ShapeError::Format`] or
    /// [`ShapeError::Damaged`] if it is not a whole file of such a format, and
    /// [`ShapeError::Unusable`] if it has no faces (or points with normals), faces that name vertices
    /// which do not exist, or coordinates that are not finite.
    pub fn open(path: &Path) -> Result<Self, ShapeError> {
        let bytes = read_at_most(path, MAX_BYTES)
            .map_err(|source| ShapeError::Read { path: path.to_owned(), source })?;
        Self::decode(path, &bytes)
    }

    /// Reads the content of a file that has been read elsewhere: see [`Shape::open`].
    ///
    /// # Errors
    /// Returns the errors of [`Shape::open`].
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self, ShapeError> {
        Self::decode_at(path, bytes, None)
    }

    /// Like [`Shape::decode`], with another transform than that of the file's own points.
    pub(super) fn decode_at(
        path: &Path,
        bytes: &[u8],
        placement: Option<Placement>,
    ) -> Result<Self, ShapeError> {
        let geometry = read(path, bytes)?;
        Self::new_at(geometry, placement)
            .map_err(|reason| ShapeError::Unusable { path: path.to_owned(), reason })
    }

    /// A checksum of all positions and of the faces or normals: see
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
        // Spelled as in the first version: existing records contain checksums of these bytes.
        let Placement { center, scale } = self.placement;
        let placement = format!("Placement {{ centre: {center:?}, scale: {scale:?} }}");
        hasher.update(placement.as_bytes());
        format!("{:08x}", hasher.finalize())
    }

    /// Normalizes a geometry and orients its faces, as [`Shape::open`] does.
    ///
    /// # Errors
    /// Returns the reason in words if there are no faces or points, a vertex does not exist, or
    /// coordinates are not finite or all equal.
    pub fn new(geometry: Geometry) -> Result<Self, String> {
        Self::new_at(geometry, None)
    }

    fn new_at(geometry: Geometry, placement: Option<Placement>) -> Result<Self, String> {
        match geometry {
            Geometry::Mesh(mesh) => Self::of_mesh(&mesh, placement),
            Geometry::Points { points, normals } => Self::of_points(&points, &normals, placement),
        }
    }

    fn of_mesh(mesh: &Mesh, given: Option<Placement>) -> Result<Self, String> {
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
        let placement = given.map_or_else(|| placement(&mesh.vertices), Ok)?;
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
        let duplicates = mesh.drop_duplicates();
        if duplicates.repeated > 0 {
            warnings.push(format!("{} duplicate faces were dropped", duplicates.repeated));
        }
        if duplicates.walls > 0 {
            warnings.push(format!(
                "{} pairs of faces that lie back to back and bound nothing were dropped",
                duplicates.walls
            ));
        }
        if mesh.faces.is_empty() {
            return Err("all of its faces lie back to back in pairs that bound nothing".into());
        }
        mesh = mesh.without_unused_vertices();
        if EdgeTopology::of(&mesh).open > 0 {
            let flipped = orient_consistently(&mut mesh);
            if flipped > 0 {
                warnings
                    .push(format!("{flipped} faces were flipped to agree with their neighbors"));
            }
        }
        let orientation = orient_pieces(&mut mesh);
        warnings.extend(orientation_warnings(&orientation));
        let topology = EdgeTopology::of(&mesh);
        if topology.open > 0 {
            warnings.push(format!(
                "the surface is not watertight ({} open edges): inside is where the generalized \
                 winding number is above 1/2",
                topology.open
            ));
            let mean = mean_winding(&mesh);
            if mean < SHEET {
                warnings.push(format!(
                    "the surface encloses next to nothing (just behind it the winding number is \
                     {mean:.2} on average; 1 for a closed surface): there is hardly an inside to \
                     learn or to measure"
                ));
            }
        } else if orientation.is_flat {
            warnings.push("the surface encloses no volume: there is no inside to learn".into());
        }
        let (geometry, form) = (Arc::new(Geometry::Mesh(mesh)), ShapeForm::Mesh);
        Ok(Self { geometry, placement, form, warnings })
    }

    fn of_points(
        points: &[Vector],
        normals: &[Vector],
        given: Option<Placement>,
    ) -> Result<Self, String> {
        require_finite(points)?;
        if points.is_empty() {
            return Err("it has no points".into());
        }
        if points.len() > u32::MAX as usize / 4 {
            return Err(format!("{} points are more than can be counted", points.len()));
        }
        let bad = |normal: &Vector| !length(*normal).is_finite() || length(*normal) == 0.0;
        if let Some(index) = normals.iter().position(bad) {
            let normal = normals[index];
            return Err(format!(
                "point {index} (counted from 0) has the normal {normal:?}, which is not a direction"
            ));
        }
        let placement = given.map_or_else(|| placement(points), Ok)?;
        let normalized = |point: &Vector| placement.normalize(*point);
        let points: Vec<Vector> = points.iter().map(normalized).collect();
        let (normals, form, warnings) = if normals.is_empty() {
            let normals = estimate_normals(&points);
            let warnings = estimate_warning(&points, &normals).into_iter().collect();
            (normals, ShapeForm::Points, warnings)
        } else {
            let mut normals: Vec<Vector> = normals.iter().map(|normal| unit(*normal)).collect();
            let warnings = orient_cloud(&points, &mut normals);
            (normals, ShapeForm::OrientedPoints, warnings)
        };
        let geometry = Geometry::Points { points, normals };
        Ok(Self { geometry: Arc::new(geometry), placement, form, warnings })
    }

    /// The properties that a model file keeps.
    pub fn info(&self) -> ShapeInfo {
        let elements = match &*self.geometry {
            Geometry::Mesh(mesh) => mesh.faces.len(),
            Geometry::Points { points, .. } => points.len(),
        };
        let (placement, form) = (self.placement, self.form);
        ShapeInfo { placement, elements, closed: self.is_closed(), form }
    }

    /// Whether the surface encloses a volume without holes.
    pub fn is_closed(&self) -> bool {
        match &*self.geometry {
            Geometry::Mesh(mesh) => EdgeTopology::of(mesh).open == 0,
            Geometry::Points { .. } => false,
        }
    }
}

/// The changes to the pieces of a surface, in words.
fn orientation_warnings(orientation: &Orientation) -> Vec<String> {
    let Orientation { flipped, pieces, hidden, unknown, .. } = *orientation;
    let mut warnings = Vec::new();
    if flipped > 0 {
        warnings.push(match pieces {
            1 => "the surface faced inwards and was flipped".into(),
            _ => format!("{flipped} of {pieces} connected pieces faced inwards and were flipped"),
        });
    }
    if hidden > 0 {
        warnings.push(format!(
            "{hidden} of {pieces} connected pieces lie within another and face outwards: they count \
             as filled, not as cavities"
        ));
    }
    if unknown {
        warnings.push(format!(
            "{pieces} connected pieces are too many to tell which lie within which: each faces \
             outwards, and cavities are filled"
        ));
    }
    warnings
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
