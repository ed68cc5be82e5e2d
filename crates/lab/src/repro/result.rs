//! The result of an experiment: our numbers with the paper's.

use vi3nr_inr::chart::HeatMap;

use super::{Agreement, Quantity, Settings};

/// One of our numbers with the paper's.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The table's row.
    pub row: String,
    /// The table's column.
    pub column: String,
    /// The quantity.
    pub quantity: Quantity,
    /// The paper's number as printed.
    pub paper: Option<String>,
    /// Our mean over the repetitions; `None` if the quantity does not exist.
    pub ours: Option<f64>,
    /// The standard deviation among the repetitions.
    pub sd: f64,
    /// The number of repetitions.
    pub count: u64,
    /// Whether the numbers agree.
    pub verdict: Agreement,
    /// The measured explanation of a number that differs.
    pub reason: Option<String>,
    /// The number of samples in all repetitions that were not finite; each counts as an error of
    /// 100 %.
    pub non_finite_rows: usize,
}

/// The result of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// The name of the experiment.
    pub name: String,
    /// The title.
    pub title: String,
    /// The sizes and the number of repetitions.
    pub settings: Settings,
    /// All comparisons.
    pub cells: Vec<Cell>,
    /// The map of a figure.
    pub map: Option<HeatMap>,
    /// The duration in seconds.
    pub seconds: f64,
}
