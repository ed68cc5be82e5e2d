//! Surfaces in space: reading, signed distances, sampling, measurement, extraction, drawing.
//!
//! Read in this order: [`Shape::open`] (a file, normalized), [`SignedDistance`] (distance and
//! side), [`ShapeSampler`] (the points of a training step), [`extract()`] (from a network to
//! triangles), [`grid_iou`] and [`surface_distance`] (metrics), [`preview()`] (an image),
//! [`write_mesh`].
//!
//! The options and the properties that a model file keeps are always available; everything else
//! needs the cargo feature `shape`.

#[cfg(feature = "shape")]
mod as_signal;
#[cfg(feature = "shape")]
mod bvh;
#[cfg(feature = "shape")]
mod cloud;
#[cfg(feature = "shape")]
mod cube_table;
#[cfg(feature = "shape")]
mod distance;
#[cfg(feature = "shape")]
mod duplicates;
mod error;
#[cfg(feature = "shape")]
mod extract;
#[cfg(feature = "shape")]
mod geometry;
mod info;
mod kind;
#[cfg(feature = "shape")]
mod mesh;
#[cfg(feature = "shape")]
mod metrics;
#[cfg(feature = "shape")]
mod normals;
#[cfg(feature = "shape")]
mod occupancy;
mod options;
#[cfg(feature = "shape")]
mod orientation;
mod placement;
#[cfg(feature = "shape")]
mod point_file;
#[cfg(feature = "shape")]
mod preview;
#[cfg(feature = "shape")]
mod read;
#[cfg(feature = "shape")]
mod sampling;
#[cfg(feature = "shape")]
mod shape_file;
#[cfg(feature = "shape")]
mod surface;
#[cfg(feature = "shape")]
mod term_points;
#[cfg(feature = "shape")]
mod topology;
#[cfg(feature = "shape")]
mod triangle;
#[cfg_attr(not(feature = "shape"), allow(dead_code, reason = "a few serve Placement"))]
pub(crate) mod vector;
#[cfg(feature = "shape")]
mod winding;
#[cfg(feature = "shape")]
mod writing;

#[cfg(feature = "shape")]
pub use as_signal::ShapeSignal;
#[cfg(feature = "shape")]
pub use distance::SignedDistance;
pub use error::ShapeError;
#[cfg(feature = "shape")]
pub(crate) use extract::extract_watched;
#[cfg(feature = "shape")]
pub use extract::{Extracted, Field, RESOLUTIONS, extract};
#[cfg(feature = "shape")]
pub use geometry::Geometry;
pub use info::{ShapeForm, ShapeInfo};
pub(super) use kind::KIND;
#[cfg(feature = "shape")]
pub use mesh::Mesh;
#[cfg(feature = "shape")]
pub use metrics::{SurfaceDistance, band_iou, grid_iou, surface_distance};
pub use options::{DistanceLoss, OPTIONS, ShapeOptions, ShapeRequest};
pub use placement::{Placement, REACH};
#[cfg(feature = "shape")]
pub use point_file::{PointCloud, PointFormat, sample_points, write_points};
#[cfg(feature = "shape")]
pub use preview::preview;
#[cfg(feature = "shape")]
pub use sampling::{ShapeSampler, ShapeSampling};
#[cfg(feature = "shape")]
pub use shape_file::Shape;
#[cfg(feature = "shape")]
pub use surface::Surface;
#[cfg(feature = "shape")]
pub use topology::EdgeTopology;
pub use vector::Vector;
#[cfg(feature = "shape")]
pub use writing::{MeshFormat, VertexAttribute, write_mesh, write_ply};

#[cfg(all(test, feature = "shape"))]
mod test_shapes;
#[cfg(all(test, feature = "shape"))]
mod tests;
