//! The trials of a sweep as CSV.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Plan, Row, State, Store, SweepError, SweepPaths, Trial, TrialFolders};

impl Plan {
    /// A CSV table with a line for each scheduled trial: its state, the fields of its request, its
    /// resolved σ_p and the numbers of its result.
    ///
    /// # Errors
    /// Returns the errors of [`Strategy::scheduled`](super::Strategy::scheduled).
    pub fn to_csv(&self, store: &Store, paths: &SweepPaths) -> Result<String, SweepError> {
        let scheduled = self.strategy.scheduled(self, &|trial| self.trial_score(store, trial))?;
        let mut lines: Vec<(&Trial, Option<&Row>, Option<f64>)> = Vec::new();
        for trial in &scheduled {
            lines.push((trial, self.row(store, trial)?, self.sigma_p(trial)?));
        }
        let settings: BTreeSet<&str> = scheduled
            .iter()
            .flat_map(|trial| &trial.settings)
            .map(|assignment| assignment.name)
            .collect();
        let has_sigma_p = lines.iter().any(|(.., sigma_p)| sigma_p.is_some());
        let numbers = numbers(lines.iter().filter_map(|(_, row, _)| *row));

        let mut head = vec!["id".to_owned(), "state".into(), "case".into()];
        head.extend(settings.iter().map(|name| format!("request.{name}")));
        head.extend(has_sigma_p.then(|| "plan.sigma_p".to_owned()));
        head.extend(numbers.iter().map(|name| (*name).to_owned()));
        head.extend(["run", "error"].map(str::to_owned));
        let mut text = line(&head);
        for (trial, row, sigma_p) in lines {
            let state = row.map_or(State::Waiting, |row| row.state).as_str().to_owned();
            let id = row.map_or(String::new(), |row| row.id.to_string());
            let mut cells = vec![id, state, self.cases[trial.case].name.clone()];
            let value = |name: &&str| trial.get(name).map_or(String::new(), |v| v.text.clone());
            cells.extend(settings.iter().map(value));
            if has_sigma_p {
                cells.push(sigma_p.map_or(String::new(), |sigma_p| sigma_p.to_string()));
            }
            let result = row.and_then(|row| row.result.as_ref());
            cells.extend(numbers.iter().map(|name| match result.map(|result| &result[name]) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(word)) => word.clone(),
                Some(number) => number.to_string(),
            }));
            let directory = |id| TrialFolders::directory_in(&paths.trials, id);
            cells.push(row.map_or(String::new(), |row| directory(row.id).display().to_string()));
            cells.push(row.and_then(|row| row.error.clone()).unwrap_or_default());
            text += &line(&cells);
        }
        Ok(text)
    }
}

/// The names of all numbers in the results, and of the reason for stopping, in the order of their
/// first occurrence.
fn numbers<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for result in rows.filter_map(|row| row.result.as_ref()?.as_object()) {
        for (name, value) in result {
            let is_shown = value.is_number() || name == "stopped";
            if is_shown && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

fn line(cells: &[String]) -> String {
    cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n"
}

/// A cell of a CSV file, quoted if necessary.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.into()
    }
}
