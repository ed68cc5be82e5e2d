//! PLY, ASCII and binary, through `ply-rs-bw`.

use std::io::BufRead;

use ply_rs_bw::parser::Parser;
use ply_rs_bw::ply::{
    ElementDef, Encoding, Header, Property, PropertyAccess, PropertyType, ScalarType,
};

use super::polygon::triangulate;
use crate::catch_panic::decode_caught;
use crate::signal::shape::geometry::Geometry;
use crate::signal::shape::mesh::Mesh;

/// One row of any element; only the properties of shapes are kept.
#[derive(Debug, Default)]
struct Row {
    position: [f64; 3],
    normal: Option<[f64; 3]>,
    corners: Vec<i64>,
}

impl PropertyAccess for Row {
    fn new() -> Self {
        Self::default()
    }

    fn set_property(&mut self, name: &str, property: Property) {
        match name {
            "x" => self.position[0] = number(&property),
            "y" => self.position[1] = number(&property),
            "z" => self.position[2] = number(&property),
            "nx" | "normal_x" => self.normal.get_or_insert_default()[0] = number(&property),
            "ny" | "normal_y" => self.normal.get_or_insert_default()[1] = number(&property),
            "nz" | "normal_z" => self.normal.get_or_insert_default()[2] = number(&property),
            "vertex_indices" | "vertex_index" => self.corners = list(property),
            _ => {}
        }
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Geometry, String> {
    let parser = Parser::<Row>::new();
    let mut rest = bytes;
    let header = decode_caught(|| parser.read_header(&mut rest))?;
    let vertex = header.elements.get("vertex").ok_or("it has no element 'vertex'")?;
    for axis in ["x", "y", "z"] {
        if !vertex.properties.contains_key(axis) {
            return Err(format!("its vertices have no property '{axis}'"));
        }
    }
    let has_all = |names: [&str; 3]| names.iter().all(|name| vertex.properties.contains_key(*name));
    let has_faces = ["face", "tristrips"]
        .iter()
        .any(|name| header.elements.get(*name).is_some_and(|element| element.count > 0));
    let with_normals = has_all(["nx", "ny", "nz"]) || has_all(["normal_x", "normal_y", "normal_z"]);
    let mut mesh = Mesh::default();
    let mut normals = Vec::new();
    // They may come before the vertices.
    let (mut polygons, mut strips) = (Vec::new(), Vec::new());
    for (name, element) in &header.elements {
        require_bytes(element, header.encoding, rest.len())?;
        let rows = rows(&parser, &mut rest, element, &header)?;
        match name.as_str() {
            "vertex" => {
                mesh.vertices.extend(rows.iter().map(|row| row.position));
                normals.extend(rows.iter().filter_map(|row| row.normal));
            }
            "face" => polygons.extend(rows),
            "tristrips" => strips.extend(rows),
            _ => {}
        }
    }
    add_faces(&polygons, &mut mesh)?;
    add_strips(&strips, &mut mesh)?;
    if mesh.faces.is_empty() && !mesh.vertices.is_empty() && !has_faces {
        let normals = if with_normals { normals } else { Vec::new() };
        return Ok(Geometry::Points { points: mesh.vertices, normals });
    }
    Ok(Geometry::Mesh(mesh))
}

fn rows(
    parser: &Parser<Row>,
    rest: &mut &[u8],
    element: &ElementDef,
    header: &Header,
) -> Result<Vec<Row>, String> {
    // Empty lines between rows are common in files written by hand.
    if header.encoding == Encoding::Ascii {
        while rest.fill_buf().is_ok_and(|bytes| bytes.first().is_some_and(u8::is_ascii_whitespace))
        {
            rest.consume(1);
        }
    }
    decode_caught(|| parser.read_payload_for_element(rest, element, header))
}

fn add_faces(rows: &[Row], mesh: &mut Mesh) -> Result<(), String> {
    let mut polygon = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        polygon.clear();
        for corner in &row.corners {
            let place = u32::try_from(*corner)
                .map_err(|_| format!("face {number} names vertex {corner}, which cannot be"))?;
            polygon.push(place);
        }
        triangulate(&polygon, &mesh.vertices, &mut mesh.faces);
    }
    Ok(())
}

/// Adds strips of triangles, each of three successive vertices, with every other one flipped; -1
/// starts a new strip.
fn add_strips(rows: &[Row], mesh: &mut Mesh) -> Result<(), String> {
    for row in rows {
        for strip in row.corners.split(|corner| *corner == -1) {
            for (number, corners) in strip.windows(3).enumerate() {
                let mut face = [0; 3];
                for (place, corner) in face.iter_mut().zip(corners) {
                    *place = u32::try_from(*corner).map_err(|_| {
                        format!("a triangle strip names vertex {corner}, which cannot be")
                    })?;
                }
                if number % 2 == 1 {
                    face.swap(0, 1);
                }
                // Strips turn corners by repeating a vertex.
                if face[0] != face[1] && face[1] != face[2] && face[0] != face[2] {
                    mesh.faces.push(face);
                }
            }
        }
    }
    Ok(())
}

/// Refuses a header that announces more rows than the file can contain, before anything is read.
fn require_bytes(element: &ElementDef, encoding: Encoding, left: usize) -> Result<(), String> {
    let ascii = encoding == Encoding::Ascii;
    let smallest = |kind: &PropertyType| match kind {
        // A digit and its separator.
        _ if ascii => 2,
        PropertyType::Scalar(kind) | PropertyType::List(kind, _) => size(kind),
    };
    let row: usize = element.properties.values().map(|one| smallest(&one.data_type)).sum();
    // The last row of an ASCII file may lack its line break.
    let needed = (row.max(1) as u128) * element.count as u128;
    if needed > left as u128 + 1 {
        return Err(format!(
            "its header promises {} rows of '{}', at least {needed} bytes, and {left} are left",
            element.count, element.name
        ));
    }
    Ok(())
}

fn size(kind: &ScalarType) -> usize {
    match kind {
        ScalarType::Char | ScalarType::UChar => 1,
        ScalarType::Short | ScalarType::UShort => 2,
        ScalarType::Int | ScalarType::UInt | ScalarType::Float => 4,
        ScalarType::Double => 8,
    }
}

fn number(property: &Property) -> f64 {
    match *property {
        Property::Char(value) => f64::from(value),
        Property::UChar(value) => f64::from(value),
        Property::Short(value) => f64::from(value),
        Property::UShort(value) => f64::from(value),
        Property::Int(value) => f64::from(value),
        Property::UInt(value) => f64::from(value),
        Property::Float(value) => f64::from(value),
        Property::Double(value) => value,
        // Reported with the other coordinates that are not finite.
        _ => f64::NAN,
    }
}

fn list(property: Property) -> Vec<i64> {
    fn wide<T: Into<i64>>(values: Vec<T>) -> Vec<i64> {
        values.into_iter().map(Into::into).collect()
    }
    match property {
        Property::ListChar(values) => wide(values),
        Property::ListUChar(values) => wide(values),
        Property::ListShort(values) => wide(values),
        Property::ListUShort(values) => wide(values),
        Property::ListInt(values) => wide(values),
        Property::ListUInt(values) => wide(values),
        // Not an integer: an index that does not exist.
        Property::ListFloat(values) => vec![-1; values.len()],
        Property::ListDouble(values) => vec![-1; values.len()],
        _ => Vec::new(),
    }
}
