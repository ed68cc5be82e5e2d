//! Results as one HTML file that needs nothing else: no network, no other file.
//!
//! A [`Page`] is plain data; `html` sets it; `run`, `sweep` and `repro` make pages of what these leave on disk.

mod html;
mod pictures;
mod repro;
mod run;
mod sweep;

use std::io;
use std::path::{Path, PathBuf};

pub use pictures::side_by_side;
pub use repro::of_repro;
pub use run::of_run;
pub use sweep::of_sweep;

use vi3nr_inr::atomic_file::{WriteError, write_atomically};
use vi3nr_inr::chart::ChartError;
use vi3nr_inr::model_file::ModelError;
use vi3nr_inr::pieces::PieceError;
use vi3nr_inr::run_directory::RunError;

use crate::sweep::SweepError;

/// What a reader sees, from top to bottom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// At the top and in the browser's tab.
    pub title: String,
    /// A sentence below it.
    pub subtitle: String,
    /// Under headings.
    pub sections: Vec<Section>,
}

/// A heading with what stands under it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// From top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Rows of cells under a head, which may be empty.
    Table {
        /// The columns' names.
        head: Vec<String>,
        /// The rows.
        rows: Vec<Vec<String>>,
    },
    /// A drawing.
    Chart {
        /// As SVG.
        svg: String,
        /// Below it.
        caption: String,
    },
    /// Pictures that are compared, with captions.
    Pictures(Vec<Picture>),
}

/// A picture under its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What it is.
    pub caption: String,
    /// As PNG.
    pub png: Vec<u8>,
}

/// A report that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A result cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A result that is none.
    #[error("'{}' is no result: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// There is no run, or its record cannot be read.
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
    /// Writes the page, atomically.
    ///
    /// # Errors
    /// What the system reports.
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

/// A value of a result as people read it: numbers with six digits at most.
fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "–".into(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            match number.abs() {
                0.0 => "0".into(),
                size if (1e-3..1e6).contains(&size) => {
                    let digits = (4.0 - size.log10().floor()).clamp(0.0, 8.0) as usize;
                    format!("{number:.digits$}")
                }
                _ => format!("{number:.4e}"),
            }
        }
        other => other.to_string(),
    }
}

/// An object's entries as rows, those of objects inside under joined names.
fn entries(name: &str, value: &serde_json::Value, rows: &mut Vec<Vec<String>>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                entries(&name, value, rows);
            }
        }
        value => rows.push(vec![name.into(), cell(value)]),
    }
}

#[cfg(test)]
mod tests;
