//! `vi3nr mesh`: from a model of a shape to a file of triangles.

use serde_json::json;
use vi3nr_inr::signal::shape::{MeshFormat, ShapeError, edge_census, write_mesh};
use vi3nr_inr::{DecodeError, SignalError, decode_shape};

use super::model;
use crate::Done;
use crate::arguments::MeshArguments;
use crate::output::{Failure, print};

/// Extracts the surface, restores the units of the fitted file, writes and reports.
pub(crate) fn run(arguments: &MeshArguments) -> Done {
    MeshFormat::of_path(&arguments.out).map_err(Failure::unusable)?;
    let model = model::load(&arguments.model)?;
    let found =
        decode_shape(&model, arguments.resolution, arguments.common.threads).map_err(|error| {
            match error {
                DecodeError::Kind { .. }
                | DecodeError::Signal(SignalError::Shape(ShapeError::Resolution { .. })) => {
                    Failure::unusable(error)
                }
                error => Failure::failed(error),
            }
        })?;
    write_mesh(&arguments.out, &found.mesh, &found.normals).map_err(Failure::failed)?;
    let (vertices, faces) = (found.mesh.vertices.len(), found.mesh.faces.len());
    let watertight = edge_census(&found.mesh).is_watertight();
    print(
        arguments.common.json,
        &json!({
            "file": arguments.out,
            "vertices": vertices,
            "faces": faces,
            "watertight": watertight,
            "resolution": arguments.resolution,
            "evaluations": found.evaluations,
        }),
        &format!(
            "{} ({vertices} vertices, {faces} faces, {})",
            arguments.out.display(),
            if watertight { "watertight" } else { "not watertight" }
        ),
    )
}
