//! What can be wrong with a shape.

use std::io;
use std::path::PathBuf;

use vi3nr_engine::EngineError;

use crate::atomic_file::WriteError;

/// Everything that is refused about a shape, with what was seen and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The system did not let the file be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file name that says nothing about its format.
    #[error("'{}' is not a shape: expected a .ply, .obj, .stl, .xyz or .pcd file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A file to write whose name says nothing about its format.
    #[error("'{}': expected a name that ends with .ply, .obj or .stl", path.display())]
    OutFormat {
        /// The file.
        path: PathBuf,
    },
    /// A file of points to write whose name says nothing about its format.
    #[error("'{}': expected a name that ends with .ply, .xyz or .pcd", path.display())]
    PointsFormat {
        /// The file.
        path: PathBuf,
    },
    /// The content cannot be read as its format.
    #[error("'{}' is a damaged or unsupported {format} file: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// PLY, OBJ, STL, XYZ or PCD.
        format: &'static str,
        /// What was found.
        reason: String,
    },
    /// The content is read and is not a surface.
    #[error("'{}' cannot be used as a shape: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model that gives no surface.
    #[error("the model has no surface between -1.2 and 1.2 on each axis: {reason}")]
    NoSurface {
        /// What was seen instead.
        reason: String,
    },
    /// A place that no shape has.
    #[error(
        "a shape of scale {scale} around {center:?}; expected finite numbers, the scale positive"
    )]
    Placement {
        /// The center.
        center: [f64; 3],
        /// The scale.
        scale: f64,
    },
    /// A resolution that is not offered.
    #[error("a grid of {resolution} cells a side; expected {least} to {most}")]
    Resolution {
        /// The number asked for.
        resolution: usize,
        /// The smallest.
        least: usize,
        /// The largest.
        most: usize,
    },
    /// A surface with more pieces than are kept.
    #[error(
        "the surface has more than {most} faces at a resolution of {resolution}: the network is \
         no distance to a surface yet, or the resolution is too fine"
    )]
    TooManyFaces {
        /// The limit.
        most: usize,
        /// Cells a side.
        resolution: usize,
    },
    /// The engine cannot be built or fed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
