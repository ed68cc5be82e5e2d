//! Figure 2a: the backward condition over a parameter of the activation and σ_p.

use vi3nr::{Activation, Gain};

use super::experiment::{ConditionMap, Quantity, ValueGrid};
use super::result::Cell;
use super::{Agreement, ReproError, compare};
use crate::spread::spread;
use vi3nr_inr::chart::{Curve, HeatMap, Scale};

/// Measures 1 - SMAPE(cond, 1) over the grid of the map, and the ratio of the parameter to σ_p
/// along its ridge.
pub(super) fn measure(plan: &ConditionMap, title: &str) -> Result<(HeatMap, Cell), ReproError> {
    let ConditionMap { from, to, points, .. } = *plan;
    let columns = ValueGrid { from, to, points, samples: 0 }.values();
    let rows = plan.sigma_p.values();
    let mut values = Vec::with_capacity(columns.len() * rows.len());
    for parameter in &columns {
        let activation =
            Activation::builtin(&plan.activation, &[(plan.parameter.as_str(), *parameter)])?;
        for sigma_p in &rows {
            let condition = Gain::of(&activation, *sigma_p)?.condition.value;
            values.push(1.0 - (condition - 1.0).abs() / (condition + 1.0));
        }
    }
    // The ridge: the columns whose best sigma_p lies inside the grid.
    let ratios: Vec<f64> = columns
        .iter()
        .zip(values.chunks(rows.len()))
        .filter_map(|(parameter, column)| {
            let best = (0..rows.len()).max_by(|a, b| column[*a].total_cmp(&column[*b]))?;
            (best > 0 && best + 1 < rows.len()).then(|| parameter / rows[best])
        })
        .collect();
    // The mean ratio is compared: the deviation of single ones is that of the rounding to the grid.
    let (mean, sd, count) = spread(Some(&ratios));
    let verdict = compare(&plan.ratio, mean, 0.0, count);
    let cell = Cell {
        row: format!("{}/sigma_p", plan.parameter),
        column: "ridge of the map".into(),
        quantity: Quantity::Ratio,
        paper: Some(plan.ratio.clone()),
        ours: mean,
        sd,
        count,
        verdict,
        reason: (verdict == Agreement::Differs).then(|| plan.differs.clone()).flatten(),
        non_finite_rows: 0,
    };
    // The line within both axes.
    let end = to.min(plan.sigma_p.to / plan.line);
    let begin = from.max(plan.sigma_p.from / plan.line);
    let points = [end, begin].map(|x| (x, plan.line * x)).to_vec();
    let label = format!("σₚ = {:.4} σₐ: cond = 1", plan.line);
    let map = HeatMap {
        title: title.into(),
        x_label: format!("σₐ, the {}'s {}", plan.activation, plan.parameter),
        y_label: "σₚ".into(),
        value_label: "1 − SMAPE(cond, 1)".into(),
        columns,
        rows,
        values: values.into_iter().map(Some).collect(),
        x_scale: Scale::Linear,
        y_scale: Scale::Linear,
        range: (0.0, 1.0),
        line: Curve { label, points },
    };
    Ok((map, cell))
}

/// A CSV table with a line for each cell of the map.
pub(super) fn to_csv(map: &HeatMap) -> String {
    let mut text = String::from("sigma_a,sigma_p,one_minus_smape\n");
    for (column, x) in map.columns.iter().enumerate() {
        for (row, y) in map.rows.iter().enumerate() {
            let value = map.value(column, row).unwrap_or(f64::NAN);
            text += &format!("{x},{y},{value}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Experiment;
    use super::*;

    #[test]
    fn the_map_is_1_along_its_line() {
        let experiment = Experiment::named("fig2a").unwrap();
        let (map, _) = measure(&experiment.map.unwrap(), "").unwrap();
        assert_eq!(to_csv(&map).lines().count(), 1 + map.columns.len() * map.rows.len());
        for (column, sigma_a) in map.columns.iter().enumerate().skip(10) {
            let on_line = 1.5537739740300374 * sigma_a;
            let value = |row: usize| map.value(column, row).unwrap();
            let best = (0..map.rows.len()).max_by(|a, b| value(*a).total_cmp(&value(*b)));
            assert!((map.rows[best.unwrap()] - on_line).abs() < 0.0025, "{sigma_a}");
        }
    }
}
