//! The paper's results beside ours.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use vi3nr_inr::metrics::Metrics;
use vi3nr_inr::recipe::PaperTable;

/// Our number in the unit of the table.
fn ours(table: &PaperTable, metrics: &Metrics) -> Option<f64> {
    metrics.get(table.metric).map(|value| table.factor * value)
}

/// The table's rows under its head, ours last.
pub(crate) fn text(table: &PaperTable, metrics: &Metrics) -> String {
    let columns = table.columns.iter().map(|column| format!("{column:>13}")).collect::<String>();
    let mut text =
        format!("\n{} of the paper: {}\n{:<30}{columns}\n", table.name, table.quantity, "");
    for (method, values) in table.rows {
        let values = values.iter().map(|value| format!("{value:>13}")).collect::<String>();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{method:<30}{values}");
    }
    if let Some(ours) = ours(table, metrics) {
        let _ = writeln!(text, "{:<30}{ours:>13.4}", "this fit");
    }
    text
}

/// The same as an object: methods, and in each a number for every column.
pub(crate) fn json(table: &PaperTable, metrics: &Metrics) -> Value {
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
        "this_fit": ours(table, metrics),
    })
}
