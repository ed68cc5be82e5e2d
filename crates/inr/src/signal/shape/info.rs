//! What a model file keeps of a shape.

use serde::{Deserialize, Serialize};

use super::error::ShapeError;
use super::placement::Placement;

/// Size and place of a shape. The network gives signed distances on the \[-1, 1\] scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapeInfo {
    /// The way back to the file's units.
    #[serde(flatten)]
    pub placement: Placement,
    /// Faces, or points of a cloud.
    pub elements: usize,
    /// Whether the surface encloses a volume without holes.
    pub closed: bool,
}

impl ShapeInfo {
    /// Everything known, in a line for people.
    pub(crate) fn details(&self) -> String {
        let Placement { centre: [x, y, z], scale } = self.placement;
        let closed = if self.closed { "watertight" } else { "not watertight" };
        let elements = self.elements;
        format!("{elements} faces or points, {closed}, {scale:.6} around ({x:.6}, {y:.6}, {z:.6})")
    }

    /// Refuses a place that no shape has.
    pub(crate) fn check(&self) -> Result<(), ShapeError> {
        let Placement { centre, scale } = self.placement;
        if centre.iter().all(|x| x.is_finite()) && scale.is_finite() && scale > 0.0 {
            return Ok(());
        }
        Err(ShapeError::Placement { centre, scale })
    }
}
