//! Charts as SVG or PNG files, without any font of the system.
//!
//! [`Chart`] holds curves and [`HeatMap`] colors; their `save` writes them. Inside: `axis` lays
//! numbers out, `canvas` draws in the same units on pictures and vector drawings, `curves` and
//! `heat_map` are the two layouts, `file` turns what can be drawn into a file.
//!
//! ```
//! use vi3nr_inr::chart::{Chart, Curve, Panel, Scale};
//!
//! let points = (1..100).map(|x| (f64::from(x), f64::from(x * x))).collect();
//! let panel = Panel {
//!     title: "x²".into(),
//!     scale: Scale::Log,
//!     curves: vec![Curve { label: String::new(), points }],
//!     level: None,
//!     marks: vec![],
//! };
//! let chart =
//!     Chart { title: "Squares".into(), x_label: "x".into(), x_scale: Scale::Log, panels: vec![panel] };
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("squares.svg");
//! chart.save(&path)?;
//! assert!(std::fs::read_to_string(&path)?.starts_with("<svg"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod axis;
mod canvas;
mod curves;
mod file;
mod heat_map;

use std::path::{Path, PathBuf};

pub use axis::Scale;
pub use file::ChartFormat;
pub use heat_map::HeatMap;

use crate::atomic_file::WriteError;

/// A chart that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// The file's name does not say what to write.
    #[error("cannot tell the format of '{}': expected a name that ends in .svg or .png", path.display())]
    Format {
        /// The file asked for.
        path: PathBuf,
    },

    /// The drawing itself failed.
    #[error("cannot draw the chart: {reason}")]
    Drawing {
        /// What went wrong.
        reason: String,
    },

    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Panels below each other over one horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Said at the top.
    pub title: String,
    /// Said below the horizontal axis.
    pub x_label: String,
    /// The horizontal axis of all panels.
    pub x_scale: Scale,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// Curves over one vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What the vertical axis shows.
    pub title: String,
    /// The vertical axis.
    pub scale: Scale,
    /// Drawn in this order, in different colors.
    pub curves: Vec<Curve>,
    /// A dashed horizontal line.
    pub level: Option<Level>,
    /// Points that are told apart.
    pub marks: Vec<Mark>,
}

/// A line through points.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name in the panel's legend; empty for none.
    pub label: String,
    /// In the order of x; the line is interrupted at points that have no place on the axes.
    pub points: Vec<(f64, f64)>,
}

/// A value that curves are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The value.
    pub value: f64,
    /// Its name.
    pub label: String,
}

/// A point with words beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub at: (f64, f64),
    /// The words.
    pub label: String,
}

impl Chart {
    /// The chart as SVG, 960 units wide.
    ///
    /// # Errors
    /// What the drawing library reports.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        file::svg(self)
    }

    /// Writes the chart, atomically: an SVG file of 960 units' width or a PNG file of 1,920
    /// pixels', by the name's ending. Equal charts give equal bytes.
    ///
    /// # Errors
    /// Another ending than `.svg` or `.png`; whatever the system reports.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        file::save(self, path)
    }
}
