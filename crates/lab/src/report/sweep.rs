//! The report of a sweep.

use super::{Block, Page, ReportError, Section};
use crate::sweep::{Plan, Store, Summary, figures};

/// A page about a sweep: its figures and every configuration, the best first.
///
/// # Errors
/// Returns [`ReportError::Chart`] if a figure cannot be drawn, and [`ReportError::Sweep`] if a
/// trial has no plan.
pub fn of_sweep(plan: &Plan, store: &Store) -> Result<Page, ReportError> {
    let summary = Summary::new(plan, store)?;
    let mut charts = Vec::new();
    for (_, figure) in figures(plan, store)? {
        charts.push(Block::Chart { svg: figure.to_svg()?, caption: String::new() });
    }
    let number = |value: f64| super::cell(&value.into());
    let rows = summary.entries.iter().map(|entry| {
        let label = if entry.label.is_empty() { "(the only configuration)" } else { &entry.label };
        vec![
            label.to_owned(),
            number(entry.mean()),
            if entry.scores.len() > 1 { number(entry.sd()) } else { "–".into() },
            entry.scores.len().to_string(),
            entry.diverged().to_string(),
            entry.failed.to_string(),
            entry.pending.to_string(),
        ]
    });
    let head = ["configuration", plan.metric.as_str(), "sd", "n", "diverged", "failed", "pending"];
    let table = Block::Table {
        head: head.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.collect(),
    };
    let mut settings = Vec::new();
    for case in &plan.cases {
        for setting in &case.settings {
            let values: Vec<&str> = setting.values.iter().map(|v| v.text.as_str()).collect();
            settings.push(vec![case.name.clone(), setting.name.to_owned(), values.join(", ")]);
        }
    }
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks };
    let mut sections = vec![section("Results", vec![table])];
    if !charts.is_empty() {
        sections.insert(0, section("Figures", charts));
    }
    let head = ["case", "setting", "values"].map(str::to_owned).to_vec();
    sections.push(section("Settings", vec![Block::Table { head, rows: settings }]));
    Ok(Page {
        title: if plan.title.is_empty() { "Sweep".into() } else { plan.title.clone() },
        subtitle: summary.counts().to_string(),
        sections,
    })
}
