//! An evaluation's result as text, CSV, JSON and figures.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{MapResult, Order, Profile, RowResult};
use crate::repro::ReproError;
use crate::sweep::Figure;
use vi3nr_inr::atomic_file::write_atomically;

/// The ratio of parameter to σ_p of a Gaussian at which Eq. (13) holds.
const THEORY: f64 = 0.643_594_252_905_582_6;

/// A table or figure of trained networks that has been run.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationResult {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The conventions of its numbers.
    pub caption: String,
    /// How much was run.
    pub profile: Profile,
    /// The same in words.
    pub note: String,
    /// The number of a fit that is compared.
    pub metric: String,
    /// Rows of a table.
    pub rows: Vec<RowResult>,
    /// Maps of a figure.
    pub maps: Vec<MapResult>,
    /// What can be drawn, with names for files.
    pub figures: Vec<(String, Figure)>,
    /// Fits in all.
    pub trials: usize,
    /// Seconds of all fits together.
    pub seconds: f64,
    /// Where their run directories are.
    pub run_directories: PathBuf,
}

/// Four significant digits.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 1e-3 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

impl RowResult {
    /// Ours ± sd (n).
    pub fn ours_text(&self) -> String {
        match self.ours {
            None => "-".into(),
            Some(mean) if self.count > 1 => {
                format!("{} ± {} ({})", short(mean), short(self.sd), self.count)
            }
            Some(mean) => format!("{} ({})", short(mean), self.count),
        }
    }

    /// The paper's ± sd.
    pub fn paper_text(&self) -> String {
        match (&self.paper, &self.paper_sd) {
            (Some(mean), Some(sd)) => format!("{mean} ± {sd}"),
            (Some(mean), None) => mean.clone(),
            _ => String::new(),
        }
    }

    /// The order and the size of the effect.
    pub fn verdict_text(&self) -> String {
        let Some(effect) = self.effect else { return String::new() };
        let paper = self.paper_effect.map_or(String::new(), |e| format!(" (paper {})", short(e)));
        format!("{}: {}{paper}", self.order.words(), short(effect))
    }
}

impl EvaluationResult {
    /// Rows whose order against another is as in the paper, and rows that have one.
    pub fn agreement(&self) -> (usize, usize) {
        let judged = self.rows.iter().filter(|row| row.order != Order::Baseline);
        let agree = judged.clone().filter(|row| row.order == Order::Agrees);
        (agree.count(), judged.count())
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: {}\n{}\n", self.name, self.title, self.caption);
        text += &format!("profile {}: {}\n", self.profile.name(), self.note);
        if !self.rows.is_empty() {
            let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
            text += &format!(
                "{:<width$}  {:>16}  {:<24} order and effect against the row below its name\n",
                "", "paper", "ours ± sd (n)"
            );
            for row in &self.rows {
                let (paper, ours, verdict) =
                    (row.paper_text(), row.ours_text(), row.verdict_text());
                text += &format!("{:<width$}  {paper:>16}  {ours:<24} {verdict}", row.name);
                text = text.trim_end().to_owned() + "\n";
                for (line, is_shown) in [
                    (row.than.as_ref().map(|than| format!("than {than}")), true),
                    (Some(row.note.clone()), !row.note.is_empty()),
                    (row.reason.clone(), true),
                    (Some(format!("{} runs failed", row.failed)), row.failed > 0),
                ] {
                    if let (Some(line), true) = (line, is_shown) {
                        text += &format!("    {line}\n");
                    }
                }
            }
        }
        for map in &self.maps {
            let ratio = match map.ratio {
                Some(ratio) => format!(
                    "{} (factor {} between columns, {} columns)",
                    short(ratio),
                    short(map.spread),
                    map.columns
                ),
                None => "none: the best lies at the ends of the map".into(),
            };
            let paper = map.paper.as_ref().map_or(String::new(), |p| format!(", paper {p}"));
            text += &format!(
                "{}: parameter/sigma_p on the ridge {ratio}{paper}, theory {THEORY:.4}; {:.0} % of a column \
                 within nine tenths of its best\n",
                map.name,
                100.0 * map.width
            );
            if let Some(reason) = &map.reason {
                text += &format!("    {reason}\n");
            }
        }
        let (agree, judged) = self.agreement();
        if judged > 0 {
            text += &format!("{agree} of {judged} orders as in the paper; ");
        }
        text += &format!("{} fits, {:.0} s of one core each\n", self.trials, self.seconds);
        text
    }

    /// For scripts and for `repro/results`.
    pub fn to_json(&self) -> Value {
        let (agree, judged) = self.agreement();
        json!({
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "profile": self.profile.name(),
            "note": self.note,
            "metric": self.metric,
            "vi3nr_version": env!("CARGO_PKG_VERSION"),
            "rows": self.rows,
            "maps": self.maps,
            "orders_as_in_the_paper": agree,
            "orders_judged": judged,
            "fits": self.trials,
            "core_seconds": self.seconds,
            "figures": self.figures.iter().map(|(name, figure)| figure_json(name, figure)).collect::<Vec<_>>(),
        })
    }

    /// Writes `NAME.json`, `NAME.txt` and the figures as SVG and PNG into `folder`. Returns the paths.
    ///
    /// # Errors
    /// What the system reports, with the file's name.
    pub fn save(&self, folder: &Path) -> Result<Vec<PathBuf>, ReproError> {
        let fail = |source| ReproError::Directory { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(fail)?;
        let mut paths = Vec::new();
        for (ending, text) in [("json", format!("{:#}\n", self.to_json())), ("txt", self.to_text())]
        {
            let path = folder.join(format!("{}.{ending}", self.name));
            write_atomically(&path, |writer| writer.write_all(text.as_bytes()))?;
            paths.push(path);
        }
        for (name, figure) in &self.figures {
            for ending in ["svg", "png"] {
                let path = folder.join(format!("{}-{name}.{ending}", self.name));
                figure.save(&path)?;
                paths.push(path);
            }
        }
        Ok(paths)
    }
}

/// A map's numbers, so that the figure can be drawn again.
fn figure_json(name: &str, figure: &Figure) -> Value {
    match figure {
        Figure::Map(map) => json!({
            "name": name, "columns": map.columns, "rows": map.rows, "values": map.values,
            "line": map.line.points,
        }),
        Figure::Chart(chart) => {
            let curves = chart.panels.iter().flat_map(|panel| &panel.curves);
            json!({"name": name, "curves": curves.map(|curve| &curve.points).collect::<Vec<_>>()})
        }
    }
}
