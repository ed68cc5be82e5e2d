//! The ridge of a map: the best σ_p for each value of the activation's parameter.

use serde::Serialize;

use super::file::{Evaluation, MapCase};
use crate::repro::ReproError;
use crate::spread::Spread;
use crate::sweep::{Plan, Summary};

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
    use super::share_near_best;

    #[test]
    fn a_column_is_wide_if_many_scores_are_near_the_best() {
        let column = |scores: [f64; 4]| scores.map(|score| (0.0, 0.0, score));
        assert_eq!(share_near_best(&column([30.0, 27.0, 26.0, 3.0]), 30.0), 0.5);
        // Small scores are good, and negative ones are possible.
        assert_eq!(share_near_best(&column([1.0, 1.05, 2.0, 9.0]), 1.0), 0.5);
        assert_eq!(share_near_best(&column([-10.0, -10.5, -20.0, -30.0]), -10.0), 0.5);
        assert_eq!(share_near_best(&column([1.0, f64::NAN, 0.0, 0.0]), 1.0), 0.25);
    }
}
