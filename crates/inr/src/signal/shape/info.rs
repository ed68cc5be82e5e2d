//! The properties of a shape that a model file keeps.

use std::any::Any;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ShapeError;
use super::placement::Placement;
use crate::signal::error::SignalError;
use crate::signal::info::{PointCount, SignalInfo, Unit};
use crate::signal::kind::SignalKind;
use crate::supervision::Supervise;

/// The default number of points of a step: 10,000 on the surface, near it and farther away each.
pub(super) const DEFAULT_COUNT: usize = 30_000;

/// The size and position of a shape. The network gives signed distances on the \[-1, 1\] scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapeInfo {
    /// The transform to the units of the file.
    #[serde(flatten)]
    pub placement: Placement,
    /// The number of faces, or of points of a cloud.
    pub elements: usize,
    /// Whether the surface encloses a volume without holes.
    pub closed: bool,
    /// What the file describes it by.
    #[serde(default, skip_serializing_if = "ShapeForm::is_mesh")]
    pub form: ShapeForm,
}

/// What a file describes a surface by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShapeForm {
    /// Triangles. Files of earlier versions have this value for clouds, too.
    #[default]
    Mesh,
    /// Points with normals.
    OrientedPoints,
    /// Points whose normals are estimated from their neighbors.
    Points,
}

impl ShapeForm {
    fn is_mesh(&self) -> bool {
        *self == Self::Mesh
    }
}

impl SignalInfo for ShapeInfo {
    fn kind(&self) -> SignalKind {
        SignalKind::Shape
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn inputs(&self) -> usize {
        3
    }

    fn outputs(&self) -> usize {
        1
    }

    fn points(&self) -> PointCount {
        PointCount::Drawn(DEFAULT_COUNT)
    }

    fn supervisions(&self) -> &'static [Supervise] {
        match self.form {
            ShapeForm::Mesh => &[Supervise::Distance, Supervise::Surface],
            ShapeForm::OrientedPoints | ShapeForm::Points => {
                &[Supervise::Surface, Supervise::Distance]
            }
        }
    }

    fn shape(&self) -> String {
        "a surface in space".into()
    }

    fn details(&self) -> String {
        let Placement { center: [x, y, z], scale } = self.placement;
        let closed = if self.closed { "watertight" } else { "not watertight" };
        let elements = self.elements;
        let form = match self.form {
            ShapeForm::Mesh => format!("{elements} faces or points, {closed}"),
            ShapeForm::OrientedPoints => format!("{elements} points with normals"),
            ShapeForm::Points => format!("{elements} points without normals"),
        };
        format!("{form}, {scale:.6} around ({x:.6}, {y:.6}, {z:.6})")
    }

    fn unit(&self) -> Option<Unit> {
        None
    }

    fn value_range(&self) -> &'static str {
        "signed distance in units of the scale, negative inside"
    }

    fn coordinate_range(&self, _: f64) -> String {
        "-1.2,1.2 on all axes, the shape within -1,1".into()
    }

    fn check(&self) -> Result<(), SignalError> {
        let Placement { center, scale } = self.placement;
        if center.iter().all(|x| x.is_finite()) && scale.is_finite() && scale > 0.0 {
            return Ok(());
        }
        Err(ShapeError::Placement { center, scale }.into())
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}
