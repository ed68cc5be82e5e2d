//! What a sweep has found, configuration by configuration.

use std::collections::BTreeMap;

use super::{ChildExecutor, Places, Plan, State, Store, Strategy, SweepError, Trial, Verdict};
use crate::spread::Spread;

/// A configuration with the mean over its files and seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its words: see [`Plan::label`].
    pub label: String,
    /// Its trials that are wanted.
    pub trials: Vec<Trial>,
    /// The scores of those that have one.
    pub scores: Vec<f64>,
    /// Trials that failed for good.
    pub failed: usize,
    /// Trials that have not ended.
    pub open: usize,
}

/// All configurations, the best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The number that decides.
    pub metric: String,
    /// In the order of their mean scores; those without any last.
    pub entries: Vec<Entry>,
}

impl Entry {
    /// The mean of the scores; not a number where there is none.
    pub fn mean(&self) -> f64 {
        Spread::of(&self.scores).mean
    }

    /// The standard deviation among the scores (n - 1); 0 for fewer than two.
    pub fn sd(&self) -> f64 {
        Spread::of(&self.scores).sd
    }
}

impl Summary {
    /// What the store knows of what `plan` wants.
    ///
    /// # Errors
    /// A σ_p that does not exist.
    pub fn new(plan: &Plan, store: &Store) -> Result<Self, SweepError> {
        let wanted = plan.strategy.wanted(plan, &|trial| plan.verdict(store, trial))?;
        let mut configurations: BTreeMap<_, Entry> = BTreeMap::new();
        for trial in wanted {
            let entry = configurations.entry(trial.configuration(&[])).or_insert_with(|| Entry {
                label: plan.label(&trial),
                trials: Vec::new(),
                scores: Vec::new(),
                failed: 0,
                open: 0,
            });
            match plan.verdict(store, &trial) {
                Verdict::Score(score) => entry.scores.push(score),
                Verdict::Failed => entry.failed += 1,
                Verdict::Open => entry.open += 1,
            }
            entry.trials.push(trial);
        }
        let mut entries: Vec<Entry> = configurations.into_values().collect();
        // The rounds of a halving are no match for its last: more steps go first.
        let steps = |entry: &Entry| match plan.strategy {
            Strategy::Halving { .. } => entry.trials[0].get("steps").and_then(|v| v.number),
            _ => None,
        };
        let (less, greater) = (std::cmp::Ordering::Less, std::cmp::Ordering::Greater);
        entries.sort_by(|a, b| match (steps(a), steps(b)) {
            (Some(a), Some(b)) if a != b => b.total_cmp(&a),
            _ if plan.is_better(a.mean(), b.mean()) => less,
            _ if plan.is_better(b.mean(), a.mean()) => greater,
            _ => std::cmp::Ordering::Equal,
        });
        Ok(Self { metric: plan.metric.clone(), entries })
    }

    /// Trials with a score, that failed for good, and that have not ended.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.entries.iter().fold((0, 0, 0), |(done, failed, open), entry| {
            (done + entry.scores.len(), failed + entry.failed, open + entry.open)
        })
    }

    /// For people: the best `most` configurations.
    pub fn to_text(&self, title: &str, most: usize) -> String {
        let (done, failed, open) = self.counts();
        let mut text = String::new();
        if !title.is_empty() {
            text += &format!("{title}\n");
        }
        text += &format!("{done} trials done, {failed} failed, {open} open\n");
        let width = self.entries.iter().take(most).map(|entry| entry.label.chars().count());
        let width = width.max().unwrap_or(0).clamp(13, 100);
        text +=
            &format!("{:<width$}  {:>12} {:>10} {:>4}\n", "configuration", self.metric, "sd", "n");
        for entry in self.entries.iter().take(most) {
            let label = if entry.label.is_empty() { "(all alike)" } else { &entry.label };
            let (mean, sd) = match entry.scores.len() {
                0 => ("-".to_owned(), "-".to_owned()),
                1 => (number(entry.mean()), "-".to_owned()),
                _ => (number(entry.mean()), number(entry.sd())),
            };
            text += &format!("{label:<width$}  {mean:>12} {sd:>10} {:>4}", entry.scores.len());
            if entry.failed > 0 {
                text += &format!("  {} failed", entry.failed);
            }
            text += "\n";
        }
        if self.entries.len() > most {
            text += &format!("and {} more\n", self.entries.len() - most);
        }
        text
    }
}

/// Four significant digits or more, as results are read.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.3e}"),
    }
}

impl Plan {
    /// A line for each trial that is wanted: its state, its settings, the numbers that it gave.
    ///
    /// # Errors
    /// A σ_p that does not exist.
    pub fn to_csv(&self, store: &Store, places: &Places) -> Result<String, SweepError> {
        let wanted = self.strategy.wanted(self, &|trial| self.verdict(store, trial))?;
        let mut settings: Vec<&str> = Vec::new();
        let mut numbers: Vec<&str> = Vec::new();
        for trial in &wanted {
            for chosen in &trial.settings {
                if !settings.contains(&chosen.name.as_str()) {
                    settings.push(&chosen.name);
                }
            }
            let result = store.get(trial).and_then(|row| row.result.as_ref());
            for (name, value) in result.and_then(|result| result.as_object()).into_iter().flatten()
            {
                let is_shown = value.is_number() || name == "stopped";
                if is_shown && !numbers.contains(&name.as_str()) {
                    numbers.push(name);
                }
            }
        }
        settings.sort_unstable();
        let names = ["id", "state", "case"].map(str::to_owned).into_iter();
        let names = names.chain(settings.iter().map(|name| option(name)));
        let names = names.chain(numbers.iter().copied().map(str::to_owned));
        let names: Vec<_> = names.chain(["run", "error"].map(str::to_owned)).collect();
        let mut text = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",") + "\n";
        for trial in &wanted {
            let row = store.get(trial);
            let state = row.map_or("waiting", |row| match row.state {
                State::Waiting => "waiting",
                State::Done => "done",
                State::Failed => "failed",
            });
            let id = row.map_or(String::new(), |row| row.id.to_string());
            let mut cells = vec![id, state.into(), self.cases[trial.case].name.clone()];
            let value = |name: &&str| trial.get(name).map_or(String::new(), |v| v.text.clone());
            cells.extend(settings.iter().map(value));
            let result = row.and_then(|row| row.result.as_ref());
            cells.extend(numbers.iter().map(|name| match result.map(|result| &result[name]) {
                None | Some(serde_json::Value::Null) => String::new(),
                Some(serde_json::Value::String(word)) => word.clone(),
                Some(number) => number.to_string(),
            }));
            let directory = |id| ChildExecutor::directory(&places.trials, id).display().to_string();
            cells.push(row.map_or(String::new(), |row| directory(row.id)));
            cells.push(row.and_then(|row| row.error.clone()).unwrap_or_default());
            text += &(cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n");
        }
        Ok(text)
    }
}

/// A setting as it is typed, which tells it from a result of the same name.
fn option(name: &str) -> String {
    if name == "file" { name.into() } else { format!("--{name}") }
}

/// A cell of a CSV file, quoted where it must be.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.into()
    }
}
