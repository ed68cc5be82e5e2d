//! From a model to the surface it represents, in the units of the file that was fitted.

use vi3nr_engine::{CpuEngine, Engine};

use super::error::ShapeError;
use super::extract::{extract, gradient_directions};
use super::mesh::Mesh;
use super::vector::Vector;
use crate::{Model, SignalInfo};

/// A model's surface.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSurface {
    /// In the units of the file that was fitted.
    pub mesh: Mesh,
    /// The direction of the network's gradient at each vertex.
    pub normals: Vec<Vector>,
    /// Points at which the network was evaluated to find the surface.
    pub evaluations: u64,
}

/// The surface of a model of a shape, from a grid of `resolution` cells a side: see
/// [`extract`](super::extract()).
///
/// # Errors
/// A model of something else, and those of [`extract`](super::extract()).
pub fn model_surface(
    model: &Model,
    resolution: usize,
    threads: Option<usize>,
) -> Result<ModelSurface, ShapeError> {
    let SignalInfo::Shape(info) = model.signal else {
        return Err(ShapeError::NotAShape { kind: model.signal.kind() });
    };
    let mut engine = CpuEngine::new(&model.network, &model.parameters, threads)?;
    let mut field = |points: &[f32], values: &mut [f32]| engine.evaluate(points, values);
    let found = extract(&mut field, resolution)?;
    let (mut mesh, evaluations) = (found.mesh, found.evaluations);
    let normals = gradient_directions(&mut field, &mesh.vertices)?;
    for vertex in &mut mesh.vertices {
        *vertex = info.placement.restore(*vertex);
    }
    Ok(ModelSurface { mesh, normals, evaluations })
}
