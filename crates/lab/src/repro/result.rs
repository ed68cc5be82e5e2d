//! What a run gives: numbers beside the paper's.

use vi3nr_inr::chart::HeatMap;

use super::{Agreement, Quantity, Settings};

/// One number beside the paper's.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The table's row.
    pub row: String,
    /// The table's column.
    pub column: String,
    /// What is compared.
    pub quantity: Quantity,
    /// The paper's number as printed.
    pub paper: Option<String>,
    /// Our mean over the repetitions; none where it does not exist.
    pub ours: Option<f64>,
    /// The standard deviation among the repetitions.
    pub sd: f64,
    /// How many repetitions.
    pub count: u64,
    /// The comparison.
    pub verdict: Agreement,
    /// For a number that differs: what was measured about it.
    pub reason: Option<String>,
    /// Samples of all repetitions that were not finite in this error and count as 100 % in it.
    pub non_finite_rows: usize,
}

/// A table or figure that has been run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// Sizes and repetitions.
    pub settings: Settings,
    /// All comparisons.
    pub cells: Vec<Cell>,
    /// The map of a figure.
    pub map: Option<HeatMap>,
    /// Seconds that it took.
    pub seconds: f64,
}
