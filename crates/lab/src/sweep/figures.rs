//! The scores of a sweep over the settings that vary.

use std::path::Path;

use super::{Plan, Store, Summary, SweepError, Trial};
use vi3nr_inr::chart::{Chart, ChartError, Curve, HeatMap, Mark, Panel, Scale};

/// A drawing of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// Over two settings.
    Map(HeatMap),
    /// Over one setting, a curve for each value of another.
    Chart(Chart),
}

impl Figure {
    /// The drawing as SVG.
    ///
    /// # Errors
    /// What the drawing library reports.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        match self {
            Self::Map(map) => map.to_svg(),
            Self::Chart(chart) => chart.to_svg(),
        }
    }

    /// Writes the drawing, as SVG or PNG by the name's ending.
    ///
    /// # Errors
    /// Another ending, or what the system reports.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        match self {
            Self::Map(map) => map.save(path),
            Self::Chart(chart) => chart.save(path),
        }
    }
}

/// What can be drawn of `plan`: for each case whose numbers vary in two settings a map, the theory's σ_p
/// drawn in; for one setting a curve. Each with a name for its file.
///
/// # Errors
/// A σ_p that does not exist.
pub fn figures(plan: &Plan, store: &Store) -> Result<Vec<(String, Figure)>, SweepError> {
    let summary = Summary::new(plan, store)?;
    let mut figures = Vec::new();
    for (index, case) in plan.cases.iter().enumerate() {
        let points: Vec<(Trial, f64)> = summary
            .entries
            .iter()
            .filter(|entry| entry.trials[0].case == index && !entry.scores.is_empty())
            .map(|entry| (entry.trials[0].clone(), entry.mean()))
            .collect();
        let axes = axes(&points);
        let name = match case.name.is_empty() {
            true => "scores".to_owned(),
            false => format!("scores-{}", file_name(&case.name)),
        };
        let title = match (plan.title.as_str(), case.name.as_str()) {
            (title, "") => title.to_owned(),
            ("", name) => name.to_owned(),
            (title, name) => format!("{title}: {name}"),
        };
        match axes.as_slice() {
            [x] => figures.push((name, Figure::Chart(curve(plan, title, x, &points)))),
            [x, y] => figures.push((name, Figure::Map(map(plan, title, (x, y), &points)))),
            _ => {}
        }
    }
    Ok(figures)
}

/// Letters and digits, everything else a dash.
fn file_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().map(plain).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The settings whose numbers differ among the points, σ_p last so that it is the vertical axis.
fn axes(points: &[(Trial, f64)]) -> Vec<String> {
    let Some((first, _)) = points.first() else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    for chosen in &first.settings {
        let numbers = || points.iter().map(|(trial, _)| number(trial, &chosen.name));
        let is_replicate = matches!(chosen.name.as_str(), "seed" | "file");
        let differ = numbers().any(|number| number != chosen.value.number);
        if !is_replicate && differ && numbers().all(|number| number.is_some()) {
            names.push(chosen.name.clone());
        }
    }
    names.sort_by_key(|name| name == "sigma-p");
    names
}

fn number(trial: &Trial, name: &str) -> Option<f64> {
    trial.get(name).and_then(|value| value.number)
}

/// All numbers of a setting, rising.
fn numbers(points: &[(Trial, f64)], name: &str) -> Vec<f64> {
    let mut numbers: Vec<f64> = points.iter().filter_map(|(t, _)| number(t, name)).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

/// The scale on which the numbers are more evenly spaced.
fn scale(numbers: &[f64]) -> Scale {
    let unevenness = |places: Vec<f64>| {
        let gaps: Vec<f64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let largest = gaps.iter().copied().fold(0.0, f64::max);
        largest / gaps.iter().copied().fold(f64::INFINITY, f64::min)
    };
    let is_positive = numbers.iter().all(|number| *number > 0.0);
    let logarithms = || numbers.iter().map(|number| number.ln()).collect();
    // A hair in favour of linear axes, where two points are alike on both.
    match is_positive && unevenness(logarithms()) < 0.99 * unevenness(numbers.to_vec()) {
        true => Scale::Log,
        false => Scale::Linear,
    }
}

fn label(name: &str) -> String {
    match name {
        "sigma-p" => "σₚ".into(),
        "activation" => "parameter of the activation".into(),
        name => name.into(),
    }
}

/// σ_p of Eq. (13) for the activation of `trial`, the smallest root if there is one.
fn theory(trial: &Trial) -> Option<f64> {
    match vi3nr::backward::solve(&trial.activation().ok()?, 1.0).ok()? {
        vi3nr::Solution::Roots(roots) => roots.first().map(|root| root.sigma_p),
        _ => None,
    }
}

fn map(plan: &Plan, title: String, (x, y): (&String, &String), points: &[(Trial, f64)]) -> HeatMap {
    let (columns, rows) = (numbers(points, x), numbers(points, y));
    let mut values = vec![f64::NAN; columns.len() * rows.len()];
    let mut line = Vec::new();
    for (column, at_x) in columns.iter().enumerate() {
        for (row, at_y) in rows.iter().enumerate() {
            let own = points.iter().find(|(trial, _)| {
                number(trial, x) == Some(*at_x) && number(trial, y) == Some(*at_y)
            });
            values[column * rows.len() + row] = own.map_or(f64::NAN, |(_, score)| *score);
        }
        let here = points.iter().find(|(trial, _)| number(trial, x) == Some(*at_x));
        if let (Some((trial, _)), "sigma-p") = (here, y.as_str()) {
            line.extend(theory(trial).map(|sigma_p| (*at_x, sigma_p)));
        }
    }
    line.reverse();
    let scores = || values.iter().copied().filter(|value| value.is_finite());
    let range =
        (scores().fold(f64::INFINITY, f64::min), scores().fold(f64::NEG_INFINITY, f64::max));
    let is_log = scale(&columns) == Scale::Log && scale(&rows) == Scale::Log;
    HeatMap {
        title,
        x_label: label(x),
        y_label: label(y),
        value_label: plan.metric.clone(),
        columns,
        rows,
        values,
        scale: if is_log { Scale::Log } else { Scale::Linear },
        range,
        line: Curve { label: "Eq. (13)".into(), points: line },
    }
}

fn curve(plan: &Plan, title: String, x: &str, points: &[(Trial, f64)]) -> Chart {
    let columns = numbers(points, x);
    let score = |at: f64| points.iter().find(|(trial, _)| number(trial, x) == Some(at));
    let curve: Vec<(f64, f64)> =
        columns.iter().filter_map(|at| score(*at).map(|(_, score)| (*at, *score))).collect();
    let mut marks = Vec::new();
    let theory = match (points.first(), x) {
        (Some((trial, _)), "sigma-p") => theory(trial),
        _ => None,
    };
    if let Some(sigma_p) = theory {
        // On the curve, between the points beside it.
        let beside = curve.windows(2).find(|pair| (pair[0].0..=pair[1].0).contains(&sigma_p));
        if let Some([left, right]) = beside {
            let share = (sigma_p - left.0) / (right.0 - left.0);
            let at = (sigma_p, left.1 + share * (right.1 - left.1));
            marks.push(Mark { at, label: "Eq. (13)".into() });
        }
    }
    Chart {
        title,
        x_label: label(x),
        x_scale: scale(&columns),
        panels: vec![Panel {
            title: plan.metric.clone(),
            scale: Scale::Linear,
            curves: vec![Curve { label: String::new(), points: curve }],
            level: None,
            marks,
        }],
    }
}
