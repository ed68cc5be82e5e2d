//! Reports: results as one HTML file that depends on no other file and on no network.
//!
//! A [`Page`] is plain data, and `html` writes it as HTML. `run`, `sweep` and `repro` make pages of
//! the files that a fit, a sweep and `vi3nr repro` leave; `images` compares an image with its
//! reconstruction, and `words` names the keys of records in words.

mod html;
mod images;
mod repro;
mod run;
mod sweep;
mod words;

use std::io;
use std::path::{Path, PathBuf};

pub use images::{ImageComparison, compare_images};
pub use repro::of_repro;
pub use run::of_run;
pub use sweep::of_sweep;

use vi3nr_inr::atomic_file::{WriteError, write_atomically};
use vi3nr_inr::chart::ChartError;
use vi3nr_inr::model_file::ModelError;
use vi3nr_inr::pieces::PieceError;
use vi3nr_inr::run_directory::RunError;

use crate::sweep::SweepError;

/// A report: a title and sections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The heading of the page and the title of its browser tab.
    pub title: String,
    /// A sentence below the heading.
    pub subtitle: String,
    /// The sections from top to bottom.
    pub sections: Vec<Section>,
}

/// A heading and the blocks below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// The blocks from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A table.
    Table {
        /// The names of the columns; empty for a table without a header.
        head: Vec<String>,
        /// The rows, each with one cell per column.
        rows: Vec<Vec<String>>,
    },
    /// A chart.
    Chart {
        /// The chart as SVG. It is embedded as an image, so it may come from a file.
        svg: String,
        /// The caption below it.
        caption: String,
    },
    /// Images side by side.
    Images {
        /// The images, from left to right.
        images: Vec<ReportImage>,
        /// Whether the images are scaled to the width of their columns. If not, a pixel of an image
        /// is a pixel of the screen (at 100 % zoom).
        is_scaled: bool,
    },
}

/// An image with its caption.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportImage {
    /// What the image shows.
    pub caption: String,
    /// The image as a PNG file.
    pub png: Vec<u8>,
}

/// An error that prevents a report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file or a folder is not a result.
    #[error("'{}' is not a result: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory holds no run, or its record cannot be read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A run's model cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A run's model cannot be evaluated.
    #[error(transparent)]
    Evaluate(#[from] PieceError),
    /// A sweep cannot be read.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A chart cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The report cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Page {
    /// Writes the page as an HTML file, atomically.
    ///
    /// # Errors
    /// Returns [`ReportError::Write`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ReportError> {
        let html = self.to_html();
        write_atomically(path, |writer| writer.write_all(html.as_bytes()))?;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReportError> {
    std::fs::read(path).map_err(|source| ReportError::Read { path: path.to_owned(), source })
}

fn read_json(path: &Path) -> Result<serde_json::Value, ReportError> {
    let fail = |reason| ReportError::Content { path: path.to_owned(), reason };
    serde_json::from_slice(&read(path)?).map_err(|error| fail(error.to_string()))
}

/// A JSON value as text: a number with about five significant digits, a list separated by commas.
fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "–".into(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(flag) => if *flag { "yes" } else { "no" }.into(),
        serde_json::Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            match number.abs() {
                0.0 => "0".into(),
                size if size.fract() == 0.0 && size < 1e9 => format!("{number:.0}"),
                size if (1e-3..1e6).contains(&size) => {
                    let digits = (4.0 - size.log10().floor()).clamp(0.0, 8.0) as usize;
                    format!("{number:.digits$}")
                }
                _ => format!("{number:.4e}"),
            }
        }
        serde_json::Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
