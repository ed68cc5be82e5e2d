//! The settings and the paper's numbers of an experiment, from `repro/*.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ReproError;

/// An experiment: a table or a figure of the paper.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The title.
    pub title: String,
    /// The entries of a table; none for a map.
    #[serde(default, rename = "case")]
    pub cases: Vec<TableEntry>,
    /// A map of the backward condition.
    pub map: Option<ConditionMap>,
}

/// The entry of a table in one row and column: one activation with one initialization. It may have
/// several numbers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEntry {
    /// The table's row.
    pub row: String,
    /// The table's column.
    pub column: String,
    /// The activation, written as on the command line.
    pub activation: String,
    /// `ours` or `eoc` with `sigma_p`, or a scheme written as on the command line.
    pub scheme: String,
    /// The standard deviation of the preactivations.
    pub sigma_p: SigmaChoice,
    /// M σ²(W), if it is not that of the scheme.
    pub gain_squared: Option<f64>,
    /// The number of samples from which E\[f²\] is estimated; computed exactly if `None`.
    pub samples: Option<u64>,
    /// The grid of the paper's grid search, which is run as well.
    pub grid: Option<ValueGrid>,
    /// The paper's numbers as printed.
    #[serde(default)]
    pub paper: BTreeMap<Quantity, String>,
    /// Quantities that are measured although the paper has no number for them.
    #[serde(default)]
    pub beside: Vec<Quantity>,
    /// The measured explanation of numbers that do not agree.
    #[serde(default)]
    pub differs: BTreeMap<Quantity, String>,
}

impl TableEntry {
    /// The quantities that are measured.
    pub fn quantities(&self) -> impl Iterator<Item = Quantity> {
        self.paper.keys().chain(&self.beside).copied()
    }
}

/// The standard deviation of the preactivations.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum SigmaChoice {
    /// The given value.
    Given(f64),
    /// `solve` for the smallest root of Eq. (13).
    Word(String),
}

/// Equally spaced values including both ends.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueGrid {
    /// The smallest.
    pub from: f64,
    /// The largest.
    pub to: f64,
    /// The number of values.
    pub points: u32,
    /// The number of Monte Carlo samples at each value; 0 for exact moments.
    #[serde(default)]
    pub samples: u64,
}

impl ValueGrid {
    /// The values.
    pub fn values(&self) -> Vec<f64> {
        let steps = f64::from(self.points.max(2) - 1);
        let value = |index| self.from + (self.to - self.from) * f64::from(index) / steps;
        (0..self.points).map(value).collect()
    }
}

/// The backward condition over a parameter of the activation and σ_p.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionMap {
    /// The activation's name.
    pub activation: String,
    /// The parameter on the horizontal axis.
    pub parameter: String,
    /// The smallest value of the parameter.
    pub from: f64,
    /// The largest value of the parameter.
    pub to: f64,
    /// The number of values of the parameter.
    pub points: u32,
    /// The values on the vertical axis.
    pub sigma_p: ValueGrid,
    /// The slope of the line through the origin on which the theory's condition holds.
    pub line: f64,
    /// The paper's ratio of parameter to σ_p as printed.
    pub ratio: String,
    /// The measured explanation if the ratio does not agree.
    pub differs: Option<String>,
}

/// A quantity that is compared with the paper's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The σ_p that satisfies Eq. (13).
    SigmaP,
    /// The σ_p that the paper's grid search finds.
    GridSigmaP,
    /// M σ²(W).
    Variance,
    /// The forward error, in percent.
    EF,
    /// The backward error, in percent.
    EB,
    /// The relative error of the sampled variance: |σ²(W) by sampling / exact - 1|.
    EW,
    /// The duration of one Monte Carlo estimate, in milliseconds.
    TimeMs,
    /// The ratio of the parameter to σ_p along the map's ridge.
    Ratio,
}

impl Quantity {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SigmaP => "sigma_p",
            Self::GridSigmaP => "grid_sigma_p",
            Self::Variance => "variance",
            Self::EF => "e_f",
            Self::EB => "e_b",
            Self::EW => "e_w",
            Self::TimeMs => "time_ms",
            Self::Ratio => "ratio",
        }
    }
}

impl Experiment {
    /// The experiment with this name.
    ///
    /// # Errors
    /// Returns [`ReproError::Unknown`] if there is none, and [`ReproError::File`] if its file is
    /// invalid.
    pub fn named(name: &str) -> Result<Self, ReproError> {
        let text = match name {
            "table1" => include_str!("../../repro/table1.toml"),
            "table2" => include_str!("../../repro/table2.toml"),
            "table3" => include_str!("../../repro/table3.toml"),
            "table4" => include_str!("../../repro/table4.toml"),
            "fig2a" => include_str!("../../repro/fig2a.toml"),
            _ => return Err(ReproError::Unknown(name.into())),
        };
        toml::from_str(text)
            .map_err(|error| ReproError::File { name: name.into(), reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NAMES, printed_half_unit};
    use super::*;

    fn paper(table: &str, row: &str, column: &str, quantity: Quantity) -> String {
        let experiment = Experiment::named(table).unwrap();
        let case = experiment.cases.iter().find(|case| case.row == row && case.column == column);
        case.unwrap().paper[&quantity].clone()
    }

    #[test]
    fn files_hold_the_papers_numbers() {
        for (table, row, column, quantity, printed) in [
            ("table1", "Kumar", "sigmoid", Quantity::Variance, "12.96"),
            ("table1", "Eq. (13), exact", "sigmoid", Quantity::SigmaP, "6.8"),
            ("table1", "Ours", "tanh", Quantity::Variance, "2.54"),
            ("table2", "Xavier", "tanh", Quantity::EB, "98.5"),
            ("table2", "PyTorch", "sigmoid", Quantity::EF, "59.9"),
            ("table2", "Eq. (13), exact", "sigmoid", Quantity::EB, "39.5"),
            ("table3", "sigma_p = 1", "gaussian", Quantity::Variance, "28.07"),
            ("table3", "Eq. (13), exact", "sinc", Quantity::Variance, "10.700"),
            ("table3", "Eq. (13), the paper's sigma_p", "sine", Quantity::EF, "10.1"),
            ("table4", "1K", "gaussian", Quantity::EW, "2.2e-2"),
            ("table4", "exact", "gaussian", Quantity::EB, "18.0"),
        ] {
            assert_eq!(paper(table, row, column, quantity), printed, "{table}, {row}, {column}");
        }
    }

    /// No cell of the tables is missing, and each has all of its numbers.
    #[test]
    fn files_hold_every_cell() {
        let count = |table: &str, quantity| {
            let experiment = Experiment::named(table).unwrap();
            experiment.cases.iter().filter(|case| case.paper.contains_key(&quantity)).count()
        };
        // Five rows with 1, 1, 3, 3, 3 entries. The last row occurs with the exact and with the
        // printed sigma_p, and with the paper's number of samples where its digits are Monte
        // Carlo's.
        assert_eq!(count("table1", Quantity::Variance), 11 + 1 + 3 + 1);
        assert_eq!(count("table2", Quantity::EF), 11 + 1 + 1 + 3);
        assert_eq!(count("table2", Quantity::EB), 11 + 1 + 1 + 3);
        assert_eq!(count("table3", Quantity::EF), 4 + 3 + 4);
        assert_eq!(count("table3", Quantity::Variance), 4 + 3 + 4 + 3);
        assert_eq!(count("table4", Quantity::EW), 4);
        assert_eq!(count("table4", Quantity::EF), 5);
        for name in NAMES {
            for case in Experiment::named(name).unwrap().cases {
                assert!(case.activation.parse::<vi3nr::Activation>().is_ok());
                for printed in case.paper.values() {
                    assert!(printed_half_unit(printed).is_some(), "{name}: {printed}");
                }
                for quantity in case.differs.keys() {
                    assert!(case.paper.contains_key(quantity), "{name}: {}", case.row);
                }
            }
        }
    }

    #[test]
    fn grids_include_both_ends() {
        let grid = ValueGrid { from: 1.0, to: 2.0, points: 3, samples: 0 };
        assert_eq!(grid.values(), [1.0, 1.5, 2.0]);
    }

    #[test]
    fn unknown_names_are_rejected() {
        let error = Experiment::named("table9").unwrap_err().to_string();
        assert!(error.contains("table9") && error.contains("fig2a"), "{error}");
    }
}
