//! The result of an experiment as text, CSV and JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::agreement::CONFIDENCE;
use super::heat_map;
use super::result::{Cell, RunResult};
use super::{Agreement, Quantity, ReproError, Settings};
use vi3nr_inr::atomic_file::write_atomically;

/// A number with at most five significant digits, without trailing zeros.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    if !(-3.0..6.0).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.*}", (4.0 - magnitude).max(0.0) as usize);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').into()
}

impl Cell {
    fn ours_text(&self) -> String {
        match self.ours {
            None => "none".into(),
            Some(mean) if self.count > 1 => format!("{} ± {}", short(mean), short(self.sd)),
            Some(mean) => short(mean),
        }
    }

    fn verdict_text(&self) -> &'static str {
        match self.verdict {
            Agreement::Agrees => "agrees",
            Agreement::Differs => "differs",
            Agreement::Shown => "-",
        }
    }

    fn json(&self) -> Value {
        json!({
            "row": self.row,
            "column": self.column,
            "quantity": self.quantity,
            "paper": self.paper,
            "ours": self.ours,
            "sd": self.sd,
            "repetitions": self.count,
            "verdict": self.verdict,
            "reason": self.reason,
            "non_finite_rows": self.non_finite_rows,
        })
    }
}

impl RunResult {
    /// The number of cells with this verdict.
    pub fn count(&self, verdict: Agreement) -> usize {
        self.cells.iter().filter(|cell| cell.verdict == verdict).count()
    }

    /// A table for a terminal: a line for each number, and below it the reason if it differs.
    pub fn to_text(&self) -> String {
        let Settings { seeds, depth, width, batch, .. } = self.settings;
        let mut text = format!("{}: {}\n", self.name, self.title);
        if self.cells.iter().any(|cell| cell.quantity == Quantity::EF) {
            text += &format!(
                "{depth} layers of {width} units, {batch} samples, {seeds} seeds; errors in \
                 percent, SMAPE without the factor 2\n"
            );
        }
        text += &format!(
            "agrees: |mean - paper| <= half a unit of the paper's last digit + t sd sqrt(1 + 1/n), \
             the {} % prediction interval for one more run (Student's t, n - 1 degrees of freedom)\n",
            100.0 * CONFIDENCE
        );
        let line = |row: &str, column: &str, quantity: &str, paper: &str, ours: &str, end: &str| {
            format!("{row:<32} {column:<10} {quantity:<13} {paper:>8}  {ours:<22} {end}\n")
        };
        text += &line("", "", "", "paper", "ours", "");
        for cell in &self.cells {
            let paper = cell.paper.as_deref().unwrap_or("");
            let (ours, verdict) = (cell.ours_text(), cell.verdict_text());
            text += &line(&cell.row, &cell.column, cell.quantity.name(), paper, &ours, verdict);
            if let Some(reason) = &cell.reason {
                text += &format!("    {reason}\n");
            } else if cell.verdict == Agreement::Differs {
                text += "    no measured explanation\n";
            }
            if cell.non_finite_rows > 0 {
                let lost = cell.non_finite_rows;
                text += &format!("    {lost} samples were not finite; each counts as 100 %\n");
            }
        }
        let (agree, differ) = (self.count(Agreement::Agrees), self.count(Agreement::Differs));
        text += &format!("{agree} agree, {differ} differ, {:.1} s\n", self.seconds);
        text
    }

    /// The result as JSON, without the values of the map.
    pub fn to_json(&self) -> Value {
        let Settings { seeds, depth, width, batch, .. } = self.settings;
        json!({
            "name": self.name,
            "title": self.title,
            "vi3nr_version": env!("CARGO_PKG_VERSION"),
            "settings": { "seeds": seeds, "depth": depth, "width": width, "batch": batch },
            "cells": self.cells.iter().map(Cell::json).collect::<Vec<_>>(),
            "agree": self.count(Agreement::Agrees),
            "differ": self.count(Agreement::Differs),
            "seconds": self.seconds,
        })
    }

    /// A CSV table with a line for each number.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("row,column,quantity,paper,ours,sd,repetitions,verdict\n");
        for cell in &self.cells {
            let ours = cell.ours.map_or(String::new(), |value| value.to_string());
            text += &format!(
                "\"{}\",{},{},{},{ours},{},{},{}\n",
                cell.row,
                cell.column,
                cell.quantity.name(),
                cell.paper.as_deref().unwrap_or(""),
                cell.sd,
                cell.count,
                cell.verdict_text(),
            );
        }
        text
    }

    /// Writes `NAME.csv` and `NAME.json`, and for a figure also `NAME.png`, `NAME.svg` and
    /// `NAME-map.csv`, into `folder`, which is created if it does not exist. Returns the paths.
    ///
    /// # Errors
    /// Returns [`ReproError::Directory`], [`ReproError::Write`] or [`ReproError::Chart`] with the
    /// path that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<Vec<PathBuf>, ReproError> {
        let fail = |source| ReproError::Directory { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(fail)?;
        let mut files = vec![
            (format!("{}.csv", self.name), self.to_csv().into_bytes()),
            (format!("{}.json", self.name), format!("{:#}\n", self.to_json()).into_bytes()),
        ];
        if let Some(map) = &self.map {
            files.push((format!("{}-map.csv", self.name), heat_map::to_csv(map).into_bytes()));
        }
        let mut paths = Vec::new();
        for (name, bytes) in files {
            let path = folder.join(name);
            write_atomically(&path, |writer| writer.write_all(&bytes))?;
            paths.push(path);
        }
        if let Some(map) = &self.map {
            for ending in ["png", "svg"] {
                let path = folder.join(format!("{}.{ending}", self.name));
                map.save(&path)?;
                paths.push(path);
            }
        }
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (103.00761, "103.01"),
            (0.0776886987, "0.077689"),
            (2.0, "2"),
            (99.95, "99.95"),
            (7.7e-4, "7.700e-4"),
            (120_000.0, "120000"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
