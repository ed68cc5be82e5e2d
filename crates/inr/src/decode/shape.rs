//! Decoding a shape: the surface in the units of the file that was fitted.

use std::path::Path;

use serde_json::json;
use vi3nr_engine::{Backend, Engine, EngineError};

use super::curvature::{MeshAttribute, attributes, principal_curvatures};
use super::{DecodeError, DecodeRequest, Decoded, Watch, info_of};
use crate::model_file::Model;
use crate::request::RequestError;
use crate::signal::shape::vector::unit;
use crate::signal::shape::{
    EdgeTopology, Mesh, MeshFormat, ShapeInfo, Vector, extract_watched, write_mesh, write_ply,
};
use crate::signal::{SignalError, SignalKind};

/// The surface of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedShape {
    /// The mesh, in the units of the file that was fitted.
    pub mesh: Mesh,
    /// The unit normal at each vertex: the direction of the network's gradient.
    pub normals: Vec<Vector>,
    /// The number of points at which the network was evaluated to find the surface.
    pub evaluations: u64,
}

/// Extracts the surface of a model of a shape on a grid of `resolution` cells per side: see
/// [`extract()`](crate::signal::shape::extract()).
///
/// # Errors
/// Returns [`DecodeError::Kind`] if the model is not one of a shape, [`DecodeError::Signal`] if
/// [`extract()`](crate::signal::shape::extract()) fails, and [`DecodeError::Engine`] if the network cannot be evaluated.
pub fn decode_shape(
    model: &Model,
    resolution: usize,
    backend: &dyn Backend,
) -> Result<DecodedShape, DecodeError> {
    decode_watched(model, resolution, backend, &mut |_| {})
}

fn decode_watched(
    model: &Model,
    resolution: usize,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<DecodedShape, DecodeError> {
    let info: ShapeInfo = info_of(model, SignalKind::Shape)?;
    let Some((network, parameters)) = model.whole() else {
        return Err(DecodeError::Kind { expected: SignalKind::Shape, found: model.signal.kind() });
    };
    let mut engine = backend.engine(network, parameters)?;
    let mut field = |points: &[f32], values: &mut [f32]| engine.evaluate(points, values);
    let found = extract_watched(&mut field, resolution, watch).map_err(SignalError::from)?;
    let (mut mesh, evaluations) = (found.mesh, found.evaluations);
    let normals = gradient_directions(&mut *engine, &mesh.vertices)?;
    for vertex in &mut mesh.vertices {
        *vertex = info.placement.restore(*vertex);
    }
    Ok(DecodedShape { mesh, normals, evaluations })
}

pub(super) fn decode(
    model: &Model,
    request: &DecodeRequest,
    path: &Path,
    backend: &dyn Backend,
    watch: Watch<'_>,
) -> Result<Decoded, DecodeError> {
    /// The default number of cells per side of the grid.
    const RESOLUTION: usize = 512;
    let format = MeshFormat::of_path(path).map_err(SignalError::from)?;
    if let Some(attribute) = request.attributes
        && format != MeshFormat::Ply
    {
        let seen = format!("{} in '{}'", attribute.name(), path.display());
        return Err(RequestError::new("attributes", seen, "a name that ends with .ply").into());
    }
    let resolution = request.resolution.unwrap_or(RESOLUTION);
    let found = decode_watched(model, resolution, backend, watch)?;
    let attributes = match request.attributes {
        None => Vec::new(),
        Some(MeshAttribute::Curvature) => {
            attributes(&principal_curvatures(model, &found.mesh.vertices, backend)?)
        }
    };
    match format {
        MeshFormat::Ply => write_ply(path, &found.mesh, &found.normals, &attributes),
        _ => write_mesh(path, &found.mesh, &found.normals),
    }
    .map_err(SignalError::from)?;
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name).collect();
    let (vertices, faces) = (found.mesh.vertices.len(), found.mesh.faces.len());
    let watertight = EdgeTopology::of(&found.mesh).is_watertight();
    let closed = if watertight { "watertight" } else { "not watertight" };
    let mut facts = json!({
        "file": path.to_string_lossy(),
        "vertices": vertices,
        "faces": faces,
        "watertight": watertight,
        "resolution": resolution,
        "evaluations": found.evaluations,
    });
    let mut summary = format!("{vertices} vertices, {faces} faces, {closed}");
    if !names.is_empty() {
        facts["attributes"] = json!(names);
        summary += &format!("; {} per vertex", names.join(", "));
    }
    Ok(Decoded { facts, summary, warnings: Vec::new() })
}

/// The direction of the network's gradient at `points`: the normals of its surface.
fn gradient_directions(
    engine: &mut dyn Engine,
    points: &[Vector],
) -> Result<Vec<Vector>, EngineError> {
    /// The number of points differentiated at a time.
    const CHUNK: usize = 1 << 16;
    let mut normals = Vec::with_capacity(points.len());
    for points in points.chunks(CHUNK) {
        let coordinates: Vec<f32> = points.iter().flatten().map(|x| *x as f32).collect();
        let (mut values, mut gradients) = (vec![0.0; points.len()], vec![0.0; coordinates.len()]);
        engine.differentiate(&coordinates, &mut values, &mut gradients)?;
        let gradients = gradients.as_chunks::<3>().0.iter();
        normals.extend(gradients.map(|gradient| unit(gradient.map(f64::from))));
    }
    Ok(normals)
}

#[cfg(test)]
mod tests {
    use vi3nr_engine::CpuEngine;

    use super::*;
    use crate::signal::shape::vector::dot;

    /// Φ = tanh(n·x) has a gradient of the direction n wherever the gradient is not 0.
    #[test]
    fn normals_are_the_gradients_direction() {
        let network = vi3nr::Network::new(vec![3, 1, 1], "tanh".parse().unwrap()).unwrap();
        let mut engine =
            CpuEngine::new(&network, &[2.0, -1.0, 2.0, 0.25, 3.0, 0.0], Some(1)).unwrap();
        let points = [[0.0; 3], [0.1, 0.2, -0.3], [-0.4, 0.0, 0.5]];
        for normal in gradient_directions(&mut engine, &points).unwrap() {
            assert!((dot(normal, [2.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0]) - 1.0).abs() < 1e-6);
        }
    }
}
