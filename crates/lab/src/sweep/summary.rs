//! The results of a sweep by configuration.

use std::collections::BTreeMap;
use std::fmt;

use super::{Plan, State, Store, Strategy, SweepError, Trial, TrialScore};
use crate::spread::Spread;

/// The score of one trial with its file and seed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// The value of the metric.
    pub value: f64,
    /// The trial's file and seed: see [`Trial::replicate`].
    pub replicate: String,
    /// Whether the fit diverged; the score is then that of its best parameters.
    pub is_diverged: bool,
}

/// The numbers of a sweep's trials by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Trials with a score.
    pub done: usize,
    /// Trials with a score that diverged.
    pub diverged: usize,
    /// Trials that failed and are not retried.
    pub failed: usize,
    /// Trials that have not ended.
    pub pending: usize,
}

/// A configuration with the results of its files and seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The label: see [`Plan::label`].
    pub label: String,
    /// The scheduled trials of the configuration.
    pub trials: Vec<Trial>,
    /// The scores of the trials that have one.
    pub scores: Vec<Score>,
    /// Trials that failed and are not retried.
    pub failed: usize,
    /// Trials that have not ended.
    pub pending: usize,
}

/// All configurations, the best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The name of the metric.
    pub metric: String,
    /// The configurations in the order of their mean scores; those without a score last.
    pub entries: Vec<Entry>,
}

impl Entry {
    /// The mean of the scores; NaN without a score.
    pub fn mean(&self) -> f64 {
        Spread::of(&self.values()).mean
    }

    /// The sample standard deviation of the scores (divisor n - 1); 0 for fewer than two.
    pub fn sd(&self) -> f64 {
        Spread::of(&self.values()).sd
    }

    /// The scores as numbers.
    pub fn values(&self) -> Vec<f64> {
        self.scores.iter().map(|score| score.value).collect()
    }

    /// The number of scores of fits that diverged.
    pub fn diverged(&self) -> usize {
        self.scores.iter().filter(|score| score.is_diverged).count()
    }
}

/// `12 trials done (1 diverged), 0 failed, 0 pending`.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} trials done", self.done)?;
        if self.diverged > 0 {
            write!(f, " ({} diverged)", self.diverged)?;
        }
        write!(f, ", {} failed, {} pending", self.failed, self.pending)
    }
}

impl Summary {
    /// The results in `store` of the trials that `plan` schedules.
    ///
    /// # Errors
    /// Returns the errors of [`Strategy::scheduled`].
    pub fn new(plan: &Plan, store: &Store) -> Result<Self, SweepError> {
        let scheduled = plan.strategy.scheduled(plan, &|trial| plan.trial_score(store, trial))?;
        let mut configurations: BTreeMap<_, Entry> = BTreeMap::new();
        for trial in scheduled {
            let entry = configurations.entry(trial.configuration(&[])).or_insert_with(|| Entry {
                label: plan.label(&trial),
                trials: Vec::new(),
                scores: Vec::new(),
                failed: 0,
                pending: 0,
            });
            match plan.trial_score(store, &trial)? {
                TrialScore::Score(value) => entry.scores.push(Score {
                    value,
                    replicate: trial.replicate(),
                    is_diverged: plan
                        .row(store, &trial)?
                        .is_some_and(|row| row.state == State::Diverged),
                }),
                TrialScore::Failed => entry.failed += 1,
                TrialScore::Pending => entry.pending += 1,
            }
            entry.trials.push(trial);
        }
        let mut entries: Vec<Entry> = configurations.into_values().collect();
        // Scores after few steps do not compare with those after many: the last rung comes first.
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

    /// The numbers of all trials by state.
    pub fn counts(&self) -> Counts {
        self.entries.iter().fold(Counts::default(), |counts, entry| Counts {
            done: counts.done + entry.scores.len(),
            diverged: counts.diverged + entry.diverged(),
            failed: counts.failed + entry.failed,
            pending: counts.pending + entry.pending,
        })
    }

    /// The best `count` configurations as a table for a terminal.
    pub fn to_text(&self, title: &str, count: usize) -> String {
        let mut text = String::new();
        if !title.is_empty() {
            text += &format!("{title}\n");
        }
        text += &format!("{}\n", self.counts());
        let width = self.entries.iter().take(count).map(|entry| entry.label.chars().count());
        let width = width.max().unwrap_or(0).clamp(13, 100);
        text +=
            &format!("{:<width$}  {:>12} {:>10} {:>4}\n", "configuration", self.metric, "sd", "n");
        for entry in self.entries.iter().take(count) {
            let label =
                if entry.label.is_empty() { "(the only configuration)" } else { &entry.label };
            let (mean, sd) = match entry.scores.len() {
                0 => ("-".to_owned(), "-".to_owned()),
                1 => (number(entry.mean()), "-".to_owned()),
                _ => (number(entry.mean()), number(entry.sd())),
            };
            text += &format!("{label:<width$}  {mean:>12} {sd:>10} {:>4}", entry.scores.len());
            for (number, word) in [(entry.diverged(), "diverged"), (entry.failed, "failed")] {
                if number > 0 {
                    text += &format!("  {number} {word}");
                }
            }
            text += "\n";
        }
        if self.entries.len() > count {
            text += &format!("and {} more\n", self.entries.len() - count);
        }
        text
    }
}

/// A number with at least four significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.3}"),
        _ => format!("{value:.3e}"),
    }
}
