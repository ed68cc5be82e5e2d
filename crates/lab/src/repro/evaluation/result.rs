//! Comparing our rows and maps with the paper's.

use serde::Serialize;

use super::file::{Evaluation, MapCase, RowCase};
use crate::repro::ReproError;
use crate::repro::student_t::two_sided_quantile;
use crate::spread::Spread;
use crate::sweep::{Entry, Plan, Score, Store, Summary};
use vi3nr_inr::chart::{Chart, Curve, Panel, Scale};

/// The confidence level of the interval for a mean difference.
const CONFIDENCE: f64 = 0.95;

/// The order of a row and the row with which it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The order is that of the paper; with several runs, the difference is significant.
    Agrees,
    /// The difference between several runs is not significant.
    Unclear,
    /// The order is the reverse of the paper's.
    Reversed,
    /// The row is not compared.
    Baseline,
}

impl Order {
    /// The order in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Agrees => "order agrees",
            Self::Unclear => "not significant",
            Self::Reversed => "reversed",
            Self::Baseline => "",
        }
    }
}

/// The result of one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowResult {
    /// The name in the paper.
    pub name: String,
    /// The paper's mean, as printed.
    pub paper: Option<String>,
    /// The paper's standard deviation, as printed.
    pub paper_sd: Option<String>,
    /// Our mean, in the paper's unit.
    pub ours: Option<f64>,
    /// The standard deviation of our runs.
    pub sd: f64,
    /// The number of our runs.
    pub count: usize,
    /// The number of runs without a result.
    pub failed: usize,
    /// The best settings, if several were searched.
    pub note: String,
    /// The row with which it is compared.
    pub than: Option<String>,
    /// The order of the two.
    pub order: Order,
    /// How much better our result is than that of the other row: a difference, or a quotient if
    /// smaller is better.
    pub effect: Option<f64>,
    /// The same for the paper's results.
    pub paper_effect: Option<f64>,
    /// The measured reason for a difference from the paper.
    pub reason: Option<String>,
    /// The numbers of the run directories of the best settings.
    pub runs: Vec<i64>,
}

/// The ridge of a map: the best σ_p for each value of the parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapResult {
    /// The name.
    pub name: String,
    /// The paper's ratio of the parameter to σ_p along the ridge as printed.
    pub paper: Option<String>,
    /// Our ratio: the geometric mean over the columns whose best σ_p is not at an end of the map.
    pub ratio: Option<f64>,
    /// The geometric standard deviation of the columns' ratios, a factor.
    pub spread: f64,
    /// The number of these columns.
    pub columns: usize,
    /// The mean share of a column's σ_p whose score is within a tenth of the best.
    pub width: f64,
    /// The measured reason for a difference from the paper.
    pub reason: Option<String>,
}

/// The rows of `evaluation` with the scores in `summary`.
pub(super) fn rows(
    evaluation: &Evaluation,
    plan: &Plan,
    summary: &Summary,
    store: &Store,
) -> Result<Vec<RowResult>, ReproError> {
    let best = |name: &str| {
        let case = plan.cases.iter().position(|case| case.name == name)?;
        summary.entries.iter().find(|entry| entry.trials[0].case == case)
    };
    let row = |row: &RowCase| -> Result<RowResult, ReproError> {
        let entry = best(&row.name);
        let prefix = format!("{}: ", row.name);
        let label = entry.map_or("", |entry| entry.label.strip_prefix(&prefix).unwrap_or(""));
        let than = row.than.as_deref();
        let compared = than.and_then(|than| evaluation.rows.iter().find(|row| row.name == than));
        let comparison = Comparison::new(
            plan.is_maximized,
            entry,
            than.and_then(best),
            (row, compared),
            evaluation.factor,
        );
        let mut runs = Vec::new();
        for trial in entry.map_or(&[][..], |entry| &entry.trials) {
            runs.extend(plan.row(store, trial)?.map(|row| row.id));
        }
        Ok(RowResult {
            name: row.name.clone(),
            paper: row.paper.clone(),
            paper_sd: row.paper_sd.clone(),
            ours: entry
                .filter(|entry| !entry.scores.is_empty())
                .map(|e| e.mean() * evaluation.factor),
            sd: entry.map_or(0.0, |entry| entry.sd() * evaluation.factor),
            count: entry.map_or(0, |entry| entry.scores.len()),
            failed: entry.map_or(0, |entry| entry.failed),
            note: label.to_owned(),
            than: row.than.clone(),
            order: comparison.order,
            effect: comparison.effect,
            paper_effect: comparison.paper_effect,
            reason: row.differs.clone().filter(|_| comparison.order != Order::Agrees),
            runs,
        })
    };
    evaluation.rows.iter().map(row).collect()
}

/// The chart of the curves whose points are rows; `None` if rows are not points of curves.
pub(super) fn curves(evaluation: &Evaluation, plan: &Plan, rows: &[RowResult]) -> Option<Chart> {
    let mut curves: Vec<Curve> = Vec::new();
    for (row, result) in evaluation.rows.iter().zip(rows) {
        let (Some(series), Some(x), Some(y)) = (&row.series, row.x, result.ours) else { continue };
        match curves.iter_mut().find(|curve| curve.label == *series) {
            Some(curve) => curve.points.push((x, y)),
            None => curves.push(Curve { label: series.clone(), points: vec![(x, y)] }),
        }
    }
    let panel = Panel {
        title: plan.metric.clone(),
        scale: Scale::Linear,
        curves,
        level: None,
        marks: Vec::new(),
        range: None,
    };
    let is_any = !panel.curves.is_empty();
    is_any.then(|| Chart {
        title: evaluation.title.clone(),
        x_label: evaluation.x_label.clone(),
        x_scale: Scale::Linear,
        panels: vec![panel],
    })
}

struct Comparison {
    order: Order,
    effect: Option<f64>,
    paper_effect: Option<f64>,
}

impl Comparison {
    fn new(
        is_maximized: bool,
        ours: Option<&Entry>,
        other: Option<&Entry>,
        (row, compared): (&RowCase, Option<&RowCase>),
        factor: f64,
    ) -> Self {
        let number = |row: &RowCase| row.paper.as_ref().and_then(|text| text.parse::<f64>().ok());
        let paper = compared.and_then(|compared| Some((number(row)?, number(compared)?)));
        let effect = |a: f64, b: f64| if is_maximized { a - b } else { b / a };
        let paper_effect = paper.map(|(a, b)| effect(a, b));
        let none = Self { order: Order::Baseline, effect: None, paper_effect };
        let (Some(ours), Some(other)) = (ours, other) else { return none };
        // Only files and seeds that both have scored are compared.
        let pairs = pairs(&ours.scores, &other.scores);
        if pairs.is_empty() {
            return none;
        }
        // Positive if the row is better. Errors span decades, so their logarithms are compared.
        let better = |a: f64, b: f64| if is_maximized { a - b } else { (b / a).ln() };
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| better(*a, *b)).collect();
        let Spread { mean, sd } = Spread::of(&differences);
        let margin = match differences.len() {
            1 => 0.0,
            _ => {
                let error = sd / (differences.len() as f64).sqrt();
                two_sided_quantile(CONFIDENCE, differences.len() as u64 - 1) * error
            }
        };
        let expected = paper.map_or(1.0, |(a, b)| better(a, b).signum());
        let order = match mean * expected {
            ahead if ahead > margin => Order::Agrees,
            ahead if ahead < -margin => Order::Reversed,
            _ => Order::Unclear,
        };
        let (ours, others): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let (ours, other) = (Spread::of(&ours).mean, Spread::of(&others).mean);
        let effect = Some(match is_maximized {
            true => factor * (ours - other),
            false => other / ours,
        });
        Self { order, effect, paper_effect }
    }
}

/// The pairs of scores with the same file and seed.
fn pairs(ours: &[Score], others: &[Score]) -> Vec<(f64, f64)> {
    let other = |score: &Score| others.iter().find(|other| other.replicate == score.replicate);
    ours.iter().filter_map(|score| Some((score.value, other(score)?.value))).collect()
}

/// The ridge of each map.
pub(super) fn maps(
    evaluation: &Evaluation,
    plan: &Plan,
    summary: &Summary,
) -> Result<Vec<MapResult>, ReproError> {
    evaluation.maps.iter().map(|map| ridge(map, plan, summary)).collect()
}

fn ridge(map: &MapCase, plan: &Plan, summary: &Summary) -> Result<MapResult, ReproError> {
    let case = plan.cases.iter().position(|case| case.name == map.name);
    // (parameter, σ_p, score) of every cell.
    let mut cells: Vec<(f64, f64, f64)> = Vec::new();
    for entry in &summary.entries {
        let trial = &entry.trials[0];
        let position = plan.number(trial, "activation")?.zip(plan.number(trial, "sigma_p")?);
        if let (true, Some((parameter, sigma_p))) = (Some(trial.case) == case, position)
            && !entry.scores.is_empty()
        {
            cells.push((parameter, sigma_p, entry.mean()));
        }
    }
    cells.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (mut logarithms, mut shares) = (Vec::new(), Vec::new());
    for column in cells.chunk_by(|a, b| a.0 == b.0) {
        let best =
            (0..column.len()).reduce(|a, b| match plan.is_better(column[b].2, column[a].2) {
                true => b,
                false => a,
            });
        let Some(best) = best else { continue };
        shares.push(share_near_best(column, column[best].2));
        if best > 0 && best + 1 < column.len() {
            logarithms.push((column[best].0 / column[best].1).ln());
        }
    }
    let Spread { mean, sd } = Spread::of(&logarithms);
    Ok(MapResult {
        name: map.name.clone(),
        paper: map.ratio.clone(),
        ratio: (!logarithms.is_empty()).then(|| mean.exp()),
        spread: sd.exp(),
        columns: logarithms.len(),
        width: shares.iter().sum::<f64>() / (shares.len() as f64).max(1.0),
        reason: map.differs.clone(),
    })
}

/// The share of the cells of a column whose scores are within a tenth of the best one, whether
/// large or small scores are good.
fn share_near_best(column: &[(f64, f64, f64)], best: f64) -> f64 {
    let near = column.iter().filter(|cell| (cell.2 - best).abs() <= 0.1 * best.abs());
    near.count() as f64 / column.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(scores: &[(&str, f64)]) -> Entry {
        let score = |(file, value): &(&str, f64)| Score {
            value: *value,
            replicate: (*file).to_owned(),
            is_diverged: false,
        };
        Entry {
            label: String::new(),
            trials: Vec::new(),
            scores: scores.iter().map(score).collect(),
            failed: 0,
            pending: 0,
        }
    }

    fn row(name: &str, paper: &str) -> RowCase {
        toml::from_str(&format!("name = '{name}'\npaper = '{paper}'")).unwrap()
    }

    fn compare(ours: &[(&str, f64)], others: &[(&str, f64)]) -> Comparison {
        let (ours, others) = (entry(ours), entry(others));
        let rows = (row("ours", "30"), row("other", "20"));
        Comparison::new(true, Some(&ours), Some(&others), (&rows.0, Some(&rows.1)), 1.0)
    }

    /// One trial of each row failed, with different files. Pairs by index would be (10, 19), (20,
    /// 29), and the order would be reversed.
    #[test]
    fn scores_are_paired_by_file_and_seed() {
        let ours = [("a", 10.0), ("b", 20.0)];
        let others = [("b", 19.0), ("c", 29.0)];
        let comparison = compare(&ours, &others);
        assert_eq!((comparison.order, comparison.effect), (Order::Agrees, Some(1.0)));
        assert_eq!(comparison.paper_effect, Some(10.0));
        // The order in which scores are listed does not matter, nor does one that only one row has.
        let ours = [("a", 11.0), ("b", 21.1), ("c", 30.9), ("d", 5.0)];
        let others = [("c", 30.0), ("a", 10.0), ("b", 20.0), ("e", 90.0)];
        let comparison = compare(&ours, &others);
        assert_eq!(comparison.order, Order::Agrees);
        assert!((comparison.effect.unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_column_is_wide_if_many_scores_are_near_the_best() {
        let column = |scores: [f64; 4]| scores.map(|score| (0.0, 0.0, score));
        assert_eq!(share_near_best(&column([30.0, 27.0, 26.0, 3.0]), 30.0), 0.5);
        // Small scores are good, and negative ones are possible.
        assert_eq!(share_near_best(&column([1.0, 1.05, 2.0, 9.0]), 1.0), 0.5);
        assert_eq!(share_near_best(&column([-10.0, -10.5, -20.0, -30.0]), -10.0), 0.5);
        assert_eq!(share_near_best(&column([1.0, f64::NAN, 0.0, 0.0]), 1.0), 0.25);
    }

    #[test]
    fn without_common_files_there_is_no_comparison() {
        let comparison = compare(&[("a", 1.0)], &[("b", 2.0)]);
        assert_eq!((comparison.order, comparison.effect), (Order::Baseline, None));
    }
}
