//! The transform between the units of a file and the space of a fit.

use serde::{Deserialize, Serialize};

use super::vector::{Vector, add, scale, subtract};

/// The extent of the space around a shape: coordinates of training and measurement lie in \[-1.2,
/// 1.2\] on each axis, and the shape itself in \[-1, 1\].
pub const REACH: f64 = 1.2;

/// The transform of a shape's own coordinates to \[-1, 1\]: (x - center)/scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// The mean of the points, in the file's units. Files and keys of plans spell it `centre`.
    #[serde(rename = "centre")]
    pub center: Vector,
    /// The largest distance from it along an axis, in the file's units.
    pub scale: f64,
}

impl Placement {
    /// From the file's units to \[-1, 1\]: (x - center)/scale.
    pub fn normalize(&self, x: Vector) -> Vector {
        scale(subtract(x, self.center), 1.0 / self.scale)
    }

    /// Back to the file's units: x·scale + center.
    pub fn restore(&self, x: Vector) -> Vector {
        add(scale(x, self.scale), self.center)
    }
}
