//! Surfaces in space: reading, signed distances, sampling, measuring, extraction, drawing.
//!
//! Read in this order: [`Shape::open`] (a file, normalised), [`SignedDistance`] (how far, and on which
//! side), [`ShapeSampler`] (the points of a training step), [`extract()`] (from a network back to
//! triangles), [`grid_iou`] and [`surface_distance`] (how close they are), [`preview()`] (a picture),
//! [`write_mesh`].

mod as_signal;
mod bvh;
mod cube_table;
mod distance;
mod error;
mod extract;
mod info;
mod mesh;
mod metrics;
mod occupancy;
mod options;
mod preview;
mod read;
mod sampling;
mod shape_file;
mod surface;
mod topology;
mod triangle;
pub(crate) mod vector;
mod writing;

pub use as_signal::ShapeSignal;
pub use distance::SignedDistance;
pub use error::ShapeError;
pub use extract::{Extracted, Field, RESOLUTIONS, extract};
pub use info::ShapeInfo;
pub use mesh::Mesh;
pub use metrics::{SurfaceDistance, band_iou, grid_iou, surface_distance};
pub use options::{DistanceLoss, OPTIONS, ShapeOptions};
pub use preview::preview;
pub use sampling::{ShapeSampler, ShapeSampling};
pub use shape_file::{Geometry, Placement, REACH, Shape};
pub use surface::Surface;
pub use topology::{EdgeCensus, edge_census};
pub use vector::Vector;
pub use writing::{MeshFormat, write_mesh};

#[cfg(test)]
mod test_shapes;
#[cfg(test)]
mod tests;
