//! Charts as SVG or PNG files, with an embedded font.
//!
//! [`Chart`] is a line chart and [`HeatMap`] a heat map; [`Chart::save`] and [`HeatMap::save`]
//! write them. Of the private modules, `axis` computes positions and ticks, `canvas` draws in the
//! same units on bitmaps and SVG drawings, `curves` and `heat_map` have the layouts, and `file`
//! writes the files.
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
//!     range: None,
//! };
//! let (title, x_label) = ("Squares".into(), "x".into());
//! let chart = Chart { title, x_label, x_scale: Scale::Log, panels: vec![panel] };
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
#[cfg(feature = "shape")]
pub(crate) use file::text_strip;
pub use heat_map::HeatMap;

use crate::atomic_file::WriteError;

/// Why a chart cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// The file extension is not that of a chart format.
    #[error(
        "'{}' has no known chart format; expected a name that ends in .svg or .png",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
    },

    /// The drawing library failed.
    #[error("cannot draw the chart: {reason}")]
    Drawing {
        /// The error of the drawing library.
        reason: String,
    },

    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A line chart: panels one below the other with a common horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The title at the top.
    pub title: String,
    /// The label below the horizontal axis.
    pub x_label: String,
    /// The scale of the horizontal axis.
    pub x_scale: Scale,
    /// The panels, from top to bottom.
    pub panels: Vec<Panel>,
}

/// Curves with a common vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The title, which names the quantity of the vertical axis.
    pub title: String,
    /// The scale of the vertical axis.
    pub scale: Scale,
    /// The curves, drawn in this order in different colors.
    pub curves: Vec<Curve>,
    /// A reference level, drawn as a dashed horizontal line.
    pub level: Option<Level>,
    /// Points that are marked and labeled.
    pub marks: Vec<Mark>,
    /// Two values that the vertical axis includes, whatever the curves are. Panels that share them
    /// have the same axis if no curve leaves them.
    pub range: Option<(f64, f64)>,
}

/// A line through points.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The name in the panel's legend; empty for none.
    pub label: String,
    /// The points in the order of x. The line is interrupted at points that the axes cannot show.
    pub points: Vec<(f64, f64)>,
}

/// A reference value for the curves of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The value.
    pub value: f64,
    /// The label.
    pub label: String,
}

/// A marked point with a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The point.
    pub at: (f64, f64),
    /// The label.
    pub label: String,
}

impl Chart {
    /// The chart as SVG, 960 units wide.
    ///
    /// # Errors
    /// Returns [`ChartError::Drawing`] if the drawing library fails.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        file::svg(self)
    }

    /// Writes the chart atomically to an SVG file, 960 units wide, or a PNG file, 1,920 pixels
    /// wide, depending on the extension of `path`. Equal charts give equal bytes.
    ///
    /// # Errors
    /// Returns [`ChartError::Format`] for another extension, [`ChartError::Drawing`] if the drawing
    /// library fails, and [`ChartError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        file::save(self, path)
    }
}
