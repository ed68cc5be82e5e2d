//! The rows of a table with our scores beside the paper's numbers.

use serde::Serialize;

use super::comparison::{Comparison, Convention, Effect, Order, Size};
use super::crossing::Place;
use super::file::{Evaluation, RowCase};
use crate::repro::ReproError;
use crate::spread::Spread;
use crate::sweep::{Entry, Plan, State, Store, Summary};
use vi3nr_inr::chart::{Chart, Curve, Panel, Scale};

/// The result of one method.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
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
    /// The number of runs that have not ended.
    pub pending: usize,
    /// The mean of the same number for the parameters of the last step instead of the best ones, if
    /// the report of a fit has it.
    pub last: Option<f64>,
    /// The standard deviation of these.
    pub last_sd: f64,
    /// The best settings, if several were searched.
    pub note: String,
    /// The row with which it is compared.
    pub than: Option<String>,
    /// The order of the two.
    pub order: Order,
    /// How much better our result is than that of the other row.
    pub effect: Option<Effect>,
    /// The same for the paper's results.
    pub paper_effect: Option<Effect>,
    /// The size of our effect beside the paper's.
    pub size: Option<Size>,
    /// The measured reason for a difference from the paper.
    pub reason: Option<String>,
    /// The runs of the best settings.
    pub runs: Vec<RunScore>,
    /// The cell of a table of schemes and activations.
    #[serde(skip)]
    pub(super) place: Option<Place>,
}

/// The score of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunScore {
    /// The number of its run directory.
    pub id: i64,
    /// The file.
    pub file: String,
    /// The seed, if it was set.
    pub seed: Option<String>,
    /// The number that is compared, in the paper's unit, for the best parameters.
    pub score: Option<f64>,
    /// The same for the parameters of the last step, if the report of a fit has it.
    pub last: Option<f64>,
    /// The duration in seconds.
    pub seconds: f64,
}

/// The rows of `evaluation` with the scores in `summary`.
pub(super) fn rows(
    evaluation: &Evaluation,
    plan: &Plan,
    summary: &Summary,
    store: &Store,
) -> Result<Vec<RowResult>, ReproError> {
    evaluation.rows.iter().map(|row| result(row, evaluation, plan, summary, store)).collect()
}

/// The best settings of the row with this name; `None` before their fits have been scheduled in full.
fn best<'a>(name: &str, plan: &Plan, summary: &'a Summary) -> Option<&'a Entry> {
    let case = plan.cases.iter().position(|case| case.name == name)?;
    let is_own =
        |entry: &&Entry| entry.trials[0].case == case && plan.is_full_length(&entry.trials[0]);
    summary.entries.iter().find(is_own)
}

fn result(
    row: &RowCase,
    evaluation: &Evaluation,
    plan: &Plan,
    summary: &Summary,
    store: &Store,
) -> Result<RowResult, ReproError> {
    let entry = best(&row.name, plan, summary);
    let prefix = format!("{}: ", row.name);
    let label = entry.map_or("", |entry| entry.label.strip_prefix(&prefix).unwrap_or(""));
    let than = row.than.as_deref();
    let compared = than.and_then(|than| evaluation.rows.iter().find(|row| row.name == than));
    let convention = Convention {
        is_maximized: plan.is_maximized,
        factor: evaluation.factor,
        paper_count: evaluation.paper_count,
    };
    let other = than.and_then(|than| best(than, plan, summary));
    let comparison = Comparison::new(&convention, entry, other, (row, compared));
    let mut runs = Vec::new();
    for trial in entry.map_or(&[][..], |entry| &entry.trials) {
        let Some(stored) = plan.row(store, trial)?.filter(|row| row.state != State::Waiting) else {
            continue;
        };
        let number = |name: &str| {
            let number = stored.result.as_ref().and_then(|result| result[name].as_f64());
            number
                .map(|number| if row.shown.is_some() { number } else { number * evaluation.factor })
        };
        let shown = row.shown.as_ref().unwrap_or(&plan.metric);
        let text = |name: &str| trial.get(name).map(|value| value.text.clone());
        runs.push(RunScore {
            id: stored.id,
            file: text("file").unwrap_or_default(),
            seed: text("seed"),
            score: number(shown),
            last: number(&format!("last_{shown}")),
            seconds: stored.seconds,
        });
    }
    let mut ours = entry
        .filter(|entry| !entry.scores.is_empty())
        .map(|entry| (entry.mean() * evaluation.factor, entry.sd() * evaluation.factor));
    if row.shown.is_some() {
        let shown: Vec<f64> = runs.iter().filter_map(|run| run.score).collect();
        let spread = Spread::of(&shown);
        ours = (!shown.is_empty()).then_some((spread.mean, spread.sd));
    }
    let last: Vec<f64> = runs.iter().filter_map(|run| run.last).collect();
    let last_spread = Spread::of(&last);
    Ok(RowResult {
        name: row.name.clone(),
        paper: row.paper.clone(),
        paper_sd: row.paper_sd.clone(),
        ours: ours.map(|(mean, _)| mean),
        sd: ours.map_or(0.0, |(_, sd)| sd),
        count: entry.map_or(0, |entry| entry.scores.len()),
        failed: entry.map_or(0, |entry| entry.failed),
        pending: entry.map_or(0, |entry| entry.pending),
        last: (!last.is_empty()).then_some(last_spread.mean),
        last_sd: last_spread.sd,
        note: label.to_owned(),
        than: row.than.clone(),
        order: comparison.order,
        effect: comparison.effect,
        paper_effect: comparison.paper_effect,
        size: comparison.size,
        reason: row.differs.clone().filter(|_| {
            comparison.order != Order::Agrees || comparison.size.is_some_and(|s| s != Size::Agrees)
        }),
        runs,
        place: row.place.clone(),
    })
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
