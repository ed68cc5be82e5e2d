//! The result of an evaluation as text, JSON and figures.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::crossing;
use super::{Effect, MapResult, Order, Profile, RowResult};
use crate::repro::ReproError;
use crate::sweep::Figure;
use vi3nr_inr::atomic_file::write_atomically;

/// The ratio of a Gaussian's parameter to σ_p for which Eq. (13) holds: √(√2 - 1).
const THEORY: f64 = 0.643_594_252_905_582_6;

/// The result of a table or figure of trained networks.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationResult {
    /// The name.
    pub name: String,
    /// The title.
    pub title: String,
    /// The conventions of its numbers.
    pub caption: String,
    /// The profile that was run.
    pub profile: Profile,
    /// A description of the profile.
    pub note: String,
    /// The number of a fit's report that is compared.
    pub metric: String,
    /// Whether larger values of it are better.
    pub is_maximized: bool,
    /// The rows of a table.
    pub rows: Vec<RowResult>,
    /// The maps of a figure.
    pub maps: Vec<MapResult>,
    /// The figures, each with a file name.
    pub figures: Vec<(String, Figure)>,
    /// Whether all fits have ended.
    pub is_complete: bool,
    /// The number of fits that have ended.
    pub trials: usize,
    /// The total duration of all fits, in seconds.
    pub seconds: f64,
    /// The folder of the run directories.
    pub run_directories: PathBuf,
}

/// A number with about four significant digits.
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
    /// Our result: mean ± standard deviation (number of runs).
    pub fn ours_text(&self) -> String {
        match self.ours {
            None => "-".into(),
            Some(mean) if self.count > 1 => {
                format!("{} ± {} ({})", short(mean), short(self.sd), self.count)
            }
            Some(mean) => format!("{} ({})", short(mean), self.count),
        }
    }

    /// The result of the last step's parameters, if it is known.
    pub fn last_text(&self) -> Option<String> {
        let last = short(self.last?);
        Some(match self.count > 1 {
            true => format!("at the last step {last} ± {}", short(self.last_sd)),
            false => format!("at the last step {last}"),
        })
    }

    /// The paper's result: mean ± standard deviation.
    pub fn paper_text(&self) -> String {
        match (&self.paper, &self.paper_sd) {
            (Some(mean), Some(sd)) => format!("{mean} ± {sd}"),
            (Some(mean), None) => mean.clone(),
            _ => String::new(),
        }
    }

    /// The order and the effect size.
    pub fn verdict_text(&self, is_maximized: bool) -> String {
        let Some(effect) = &self.effect else { return String::new() };
        let shown = |effect: &Effect| {
            let value = short(effect.value);
            match effect.margin {
                Some(margin) if is_maximized => format!("{value} ± {}", short(margin)),
                Some(factor) => format!("{value} within a factor of {}", short(factor)),
                None => value,
            }
        };
        let paper = self.paper_effect.as_ref();
        let paper = paper.map_or(String::new(), |effect| format!(" (paper {})", shown(effect)));
        let size = self.size.map_or(String::new(), |size| format!(", {}", size.words()));
        format!("{}: {}{paper}{size}", self.order.words(), shown(effect))
    }
}

impl EvaluationResult {
    /// The number of rows whose order agrees with the paper, and the number of compared rows.
    pub fn agreement(&self) -> (usize, usize) {
        let judged = self.rows.iter().filter(|row| row.order != Order::Baseline);
        let agree = judged.clone().filter(|row| row.order == Order::Agrees);
        (agree.count(), judged.count())
    }

    /// The result as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: {}\n{}\n", self.name, self.title, self.caption);
        text += &format!("profile {}: {}\n", self.profile.name(), self.note);
        text += &crossing::to_text(&self.rows);
        let listed = || self.rows.iter().filter(|row| row.place.is_none());
        if listed().next().is_some() {
            let width = listed().map(|row| row.name.chars().count()).max().unwrap_or(0);
            text += &format!(
                "{:<width$}  {:>16}  {:<24} order and effect size against the row named below\n",
                "", "paper", "ours ± sd (n)"
            );
            for row in listed() {
                let (paper, ours, verdict) =
                    (row.paper_text(), row.ours_text(), row.verdict_text(self.is_maximized));
                text += &format!("{:<width$}  {paper:>16}  {ours:<24} {verdict}", row.name);
                text = text.trim_end().to_owned() + "\n";
                for (line, is_shown) in [
                    (row.than.as_ref().map(|than| format!("compared with {than}")), true),
                    (Some(row.note.clone()), !row.note.is_empty()),
                    (row.reason.clone(), true),
                    (row.last_text(), true),
                    (Some(format!("{} runs failed", row.failed)), row.failed > 0),
                    (Some(format!("{} runs have not ended", row.pending)), row.pending > 0),
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
                None => "none: the best scores lie at the ends of the map".into(),
            };
            let paper = map.paper.as_ref().map_or(String::new(), |p| format!(", paper {p}"));
            text += &format!(
                "{}: parameter/sigma_p along the ridge {ratio}{paper}, theory {THEORY:.4}; {:.0} % of \
                 a column within a tenth of its best score\n",
                map.name,
                100.0 * map.width
            );
            if let Some(reason) = &map.reason {
                text += &format!("    {reason}\n");
            }
        }
        let (agree, judged) = self.agreement();
        if judged > 0 {
            text += &format!("{agree} of {judged} orders agree with the paper; ");
        }
        text += &format!("{} fits, {:.0} s in total\n", self.trials, self.seconds);
        if !self.is_complete {
            text += "not complete: other fits have not ended\n";
        }
        text
    }

    /// The result as JSON.
    pub fn to_json(&self) -> Value {
        let (agree, judged) = self.agreement();
        let figures = self.figures.iter().map(|(name, figure)| figure_json(name, figure));
        json!({
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "profile": self.profile.name(),
            "note": self.note,
            "metric": self.metric,
            "is_maximized": self.is_maximized,
            "vi3nr_version": env!("CARGO_PKG_VERSION"),
            "rows": self.rows,
            "maps": self.maps,
            "orders_as_in_the_paper": agree,
            "orders_judged": judged,
            "is_complete": self.is_complete,
            "fits": self.trials,
            "core_seconds": self.seconds,
            "figures": figures.collect::<Vec<_>>(),
        })
    }

    /// Writes `NAME.json`, `NAME.txt` and the figures as SVG and PNG into `folder`. Returns the
    /// paths.
    ///
    /// # Errors
    /// Returns [`ReproError::Directory`], [`ReproError::Write`] or [`ReproError::Chart`] with the
    /// path that cannot be written.
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

/// The numbers of a figure, from which it can be drawn again.
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
