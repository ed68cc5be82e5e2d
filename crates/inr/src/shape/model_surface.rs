//! From a model to the surface it represents, in the units of the file that was fitted.

use super::as_signal::surface_of;
use super::error::ShapeError;
use super::extract::Extracted;
use crate::signal::Reconstruction;
use crate::{Model, SignalInfo};

/// The surface of a model of a shape, from a grid of `resolution` cells a side: see
/// [`extract`](super::extract()).
///
/// # Errors
/// A model of something else, and those of [`extract`](super::extract()).
pub fn model_surface(
    model: &Model,
    resolution: usize,
    threads: Option<usize>,
) -> Result<Extracted, ShapeError> {
    let SignalInfo::Shape(info) = model.signal else {
        return Err(ShapeError::NotAShape { kind: model.signal.kind() });
    };
    let (network, parameters) = (&model.network, &model.parameters[..]);
    let reconstruction = Reconstruction { network, parameters, values: &[], threads };
    let mut found = surface_of(&reconstruction, resolution)?;
    for vertex in &mut found.mesh.vertices {
        *vertex = info.placement.restore(*vertex);
    }
    Ok(found)
}
