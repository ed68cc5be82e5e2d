//! Tables that cross schemes with activations, once for each signal and optimizer.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::RowResult;
use super::file::RowCase;
use crate::repro::ReproError;

/// A table that crosses schemes with activations. Each of its cells is a row of the evaluation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crossing {
    #[serde(rename = "block")]
    blocks: Vec<Block>,
    #[serde(rename = "column")]
    columns: Vec<Column>,
    #[serde(rename = "scheme")]
    schemes: Vec<Line>,
}

/// A signal with an optimizer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    name: String,
    /// The key of the columns' activations.
    signal: String,
    /// The number of a fit's report that is shown.
    shown: String,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    quick: toml::Table,
    #[serde(default)]
    medium: toml::Table,
    #[serde(default)]
    paper: toml::Table,
}

/// An activation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    /// The activation with its parameters for each kind of signal.
    activation: BTreeMap<String, String>,
}

/// A scheme.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    /// The columns for which the scheme is defined; all if it is empty.
    #[serde(default)]
    only: Vec<String>,
    settings: toml::Table,
}

/// The cell of a row in a crossing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) block: String,
    pub(super) column: String,
    pub(super) line: String,
}

impl Crossing {
    /// The rows of all cells.
    ///
    /// # Errors
    /// Returns [`ReproError::File`] if a column has no activation for a block, or a scheme names a
    /// column that does not exist.
    pub(super) fn rows(&self, name: &str) -> Result<Vec<RowCase>, ReproError> {
        let fail = |reason: String| Err(ReproError::File { name: name.into(), reason });
        let mut rows = Vec::new();
        for line in &self.schemes {
            if let Some(unknown) =
                line.only.iter().find(|only| self.columns.iter().all(|own| own.name != **only))
            {
                return fail(format!("scheme {}: there is no column '{unknown}'", line.name));
            }
        }
        for block in &self.blocks {
            for column in &self.columns {
                let Some(activation) = column.activation.get(&block.signal) else {
                    return fail(format!("column {}: no '{}'", column.name, block.signal));
                };
                let is_defined =
                    |line: &&Line| line.only.is_empty() || line.only.contains(&column.name);
                for line in self.schemes.iter().filter(is_defined) {
                    let mut settings = block.settings.clone();
                    settings.insert("activation".into(), activation.as_str().into());
                    settings.extend(line.settings.clone());
                    let place = Place {
                        block: block.name.clone(),
                        column: column.name.clone(),
                        line: line.name.clone(),
                    };
                    rows.push(RowCase {
                        name: format!("{}: {}, {}", block.name, column.name, line.name),
                        shown: Some(block.shown.clone()),
                        place: Some(place),
                        settings,
                        quick: block.quick.clone(),
                        medium: Some(block.medium.clone()),
                        full: block.paper.clone(),
                        ..RowCase::default()
                    });
                }
            }
        }
        Ok(rows)
    }
}

/// The cells of a crossing, which are decibels, as a table of schemes and activations for each block, the best of each
/// column marked by a star. Empty if the rows are not those of a crossing.
pub(super) fn to_text(rows: &[RowResult]) -> String {
    let mut text = String::new();
    let placed = || rows.iter().filter_map(|row| Some((row.place.as_ref()?, row)));
    for block in distinct(placed().map(|(place, _)| place.block.as_str())) {
        let own = || placed().filter(|(place, _)| place.block == block);
        let columns = distinct(own().map(|(place, _)| place.column.as_str()));
        let lines = distinct(own().map(|(place, _)| place.line.as_str()));
        let cell = |line: &str, column: &str| {
            let mut own = own();
            own.find(|(place, _)| place.line == line && place.column == column).map(|(_, row)| row)
        };
        let best = |column: &str| {
            let scores = lines.iter().filter_map(|line| cell(line, column)?.ours);
            scores.max_by(f64::total_cmp)
        };
        let mut table = vec![vec![block.to_owned()]];
        table[0].extend(columns.iter().map(|column| (*column).to_owned()));
        for line in &lines {
            let shown = |column: &&str| match cell(line, column) {
                None => "-".to_owned(),
                Some(row) => {
                    let is_best = row.ours.is_some() && row.ours == best(column);
                    let star = if is_best { "*" } else { "" };
                    match row.ours {
                        None => "?".to_owned(),
                        Some(mean) if row.count > 1 => {
                            format!("{mean:.1} ± {:.1}{star}", row.sd)
                        }
                        Some(mean) => format!("{mean:.1}{star}"),
                    }
                }
            };
            let cells = columns.iter().map(shown);
            table.push(std::iter::once((*line).to_owned()).chain(cells).collect());
        }
        text += &aligned(&table);
        text.push('\n');
    }
    text
}

/// The different words in the order of their first occurrence.
fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for word in words {
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen
}

/// The cells in columns: the first to the left, the others to the right.
fn aligned(table: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in table {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            match column {
                0 => line += &format!("{cell:<width$}"),
                _ => line += &format!("  {cell:>width$}"),
            }
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(column: &str, line: &str, ours: Option<f64>) -> RowResult {
        let place = Place { block: "image".into(), column: column.into(), line: line.into() };
        RowResult { ours, count: 3, sd: 0.5, place: Some(place), ..RowResult::default() }
    }

    #[test]
    fn cells_stand_in_their_columns() {
        let rows = [
            cell("sine", "ours", Some(30.0)),
            cell("sine", "SIREN", Some(40.0)),
            cell("tanh", "ours", None),
            RowResult { ours: Some(1.0), ..RowResult::default() },
        ];
        assert_eq!(
            to_text(&rows),
            "image         sine  tanh\n\
             ours    30.0 ± 0.5     ?\n\
             SIREN  40.0 ± 0.5*     -\n\n"
        );
        assert_eq!(to_text(&rows[3..]), "");
    }

    #[test]
    fn names_that_do_not_exist_are_refused() {
        let crossing = |only: &str, signal: &str| -> Crossing {
            toml::from_str(&format!(
                "[[block]]\nname = 'b'\nsignal = '{signal}'\nshown = 'psnr'\n\
                 [[column]]\nname = 'sine'\nactivation = {{ image = 'sine' }}\n\
                 [[scheme]]\nname = 'ours'\nonly = ['{only}']\nsettings = {{ init = 'ours' }}"
            ))
            .unwrap()
        };
        assert_eq!(crossing("sine", "image").rows("x").unwrap().len(), 1);
        let unknown = crossing("tanh", "image").rows("x").unwrap_err().to_string();
        assert!(unknown.contains("there is no column 'tanh'"), "{unknown}");
        let missing = crossing("sine", "audio").rows("x").unwrap_err().to_string();
        assert!(missing.contains("column sine: no 'audio'"), "{missing}");
    }
}
