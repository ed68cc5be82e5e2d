//! The paper's results for each kind of signal, to compare one fit with.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use vi3nr_inr::metrics::Metrics;
use vi3nr_inr::signal::SignalKind;

/// The paper's results for one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperTable {
    /// The name of the table, such as `Table 5`.
    pub name: &'static str,
    /// The quantity and its unit.
    pub quantity: &'static str,
    /// The metric of a fit that is comparable.
    pub metric: &'static str,
    /// The factor that converts our metric to the paper's unit.
    pub factor: f64,
    /// The names of the columns.
    pub columns: &'static [&'static str],
    /// The paper's methods, each with a number for every column.
    pub rows: &'static [(&'static str, &'static [f64])],
}

/// The paper's table for signals of `kind`, if there is one.
pub fn paper_table(kind: SignalKind) -> Option<&'static PaperTable> {
    match kind {
        SignalKind::Image => Some(&TABLE_5),
        SignalKind::Audio => Some(&TABLE_7),
        SignalKind::Shape => Some(&TABLE_6),
        _ => None,
    }
}

/// The table as text for a terminal. The last row is the comparable number in the `metrics` of one
/// fit.
pub fn comparison_text(table: &PaperTable, metrics: &Metrics) -> String {
    let columns = table.columns.iter().map(|column| format!("{column:>13}")).collect::<String>();
    let mut text =
        format!("\n{} of the paper: {}\n{:<30}{columns}\n", table.name, table.quantity, "");
    for (method, values) in table.rows {
        let values = values.iter().map(|value| format!("{value:>13}")).collect::<String>();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{method:<30}{values}");
    }
    if let Some(ours) = table.ours(metrics) {
        let _ = writeln!(text, "{:<30}{ours:>13.4}", "this fit");
    }
    text
}

/// The table as JSON: an object of methods, each an object with a number for every column.
pub fn comparison_json(table: &PaperTable, metrics: &Metrics) -> Value {
    let row = |values: &[f64]| -> Map<String, Value> {
        let cells = table.columns.iter().zip(values);
        cells.map(|(column, value)| ((*column).to_owned(), json!(value))).collect()
    };
    let rows: Map<String, Value> = table
        .rows
        .iter()
        .map(|(method, values)| ((*method).to_owned(), json!(row(values))))
        .collect();
    json!({
        "table": table.name,
        "quantity": table.quantity,
        "results": rows,
        "this_fit": table.ours(metrics),
    })
}

impl PaperTable {
    /// Our number in the paper's unit.
    fn ours(&self, metrics: &Metrics) -> Option<f64> {
        metrics.get(self.metric).map(|value| self.factor * value)
    }
}

/// Image reconstruction.
const TABLE_5: PaperTable = PaperTable {
    name: "Table 5",
    quantity: "PSNR in dB, the paper's convention, over 24 Kodak images",
    metric: "psnr_paper",
    factor: 1.0,
    columns: &["mean", "std"],
    rows: &[
        ("SIREN + random normal init", &[10.71, 3.11]),
        ("SIREN + SIREN init", &[55.77, 2.21]),
        ("Sinc + random normal init", &[32.11, 2.73]),
        ("Sinc + our empirical init", &[71.44, 5.25]),
        ("Gaussian + random normal init", &[30.42, 4.41]),
        ("Gaussian + our MC init", &[75.85, 6.26]),
        ("Gaussian + our init", &[79.73, 11.85]),
    ],
};

/// Signed distances of shapes.
const TABLE_6: PaperTable = PaperTable {
    name: "Table 6",
    quantity: "IoU on BACON's four shapes",
    metric: "iou",
    factor: 1.0,
    columns: &["mean", "std"],
    rows: &[
        ("SIREN + random normal init", &[0.0139, 0.0071]),
        ("SIREN + SIREN init", &[0.9791, 0.0112]),
        ("Sinc + random normal init", &[0.7252, 0.1037]),
        ("Sinc + our MC init", &[0.9055, 0.0466]),
        ("Gaussian + random normal init", &[0.8628, 0.0718]),
        ("Gaussian + our MC init", &[0.9693, 0.0149]),
        ("Gaussian + our init", &[0.9697, 0.0148]),
    ],
};

/// Audio reconstruction.
const TABLE_7: PaperTable = PaperTable {
    name: "Table 7",
    quantity: "MSE x 1000 on the scaled waveform",
    metric: "mse",
    factor: 1e3,
    columns: &["bach", "counting", "two speakers"],
    rows: &[
        ("SIREN + random normal init", &[35.5, 19.4, 30.79]),
        ("SIREN + SIREN init", &[0.005, 0.37, 0.018]),
        ("Gaussian + random normal init", &[6.57, 5.10, 1.35]),
        ("Gaussian + our MC init", &[1.17, 1.36, 0.25]),
        ("Gaussian + our init", &[0.48, 1.49, 0.24]),
    ],
};

#[cfg(test)]
mod tests {
    use vi3nr_inr::metrics::{Digits, Metric};

    use super::*;

    #[test]
    fn the_fit_is_the_last_row() {
        let table = paper_table(SignalKind::Audio).unwrap();
        let mse = Metric {
            name: "mse",
            label: "MSE",
            value: 2e-3,
            unit: "",
            digits: Digits::Scientific(2),
            convention: "",
        };
        let metrics = Metrics::new([mse]);
        let text = comparison_text(table, &metrics);
        assert!(text.contains("Table 7 of the paper") && text.contains("two speakers"), "{text}");
        assert!(text.ends_with("       2.0000\n"), "{text}");
        let json = comparison_json(table, &metrics);
        assert_eq!(json["this_fit"], 2.0);
        assert_eq!(json["results"]["Gaussian + our init"]["bach"], 0.48);
        assert_eq!(comparison_json(table, &Metrics::default())["this_fit"], Value::Null);
    }

    #[test]
    fn every_row_has_a_number_for_every_column() {
        for table in SignalKind::ALL.iter().filter_map(|kind| paper_table(*kind)) {
            assert!(table.rows.iter().all(|(_, values)| values.len() == table.columns.len()));
        }
    }
}
