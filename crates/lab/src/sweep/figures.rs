//! The scores of a sweep over the settings that vary.

use std::collections::BTreeMap;
use std::path::Path;

use vi3nr_inr::chart::{Chart, ChartError, Curve, HeatMap, Mark, Panel, Scale};

use super::{Plan, Store, Summary, SweepError, Trial};

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
    /// Returns the [`ChartError`] of the drawing library.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        match self {
            Self::Map(map) => map.to_svg(),
            Self::Chart(chart) => chart.to_svg(),
        }
    }

    /// Writes the drawing, as SVG or PNG by the name's ending.
    ///
    /// # Errors
    /// Returns the [`ChartError`] of another ending, or of what the system reports.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        match self {
            Self::Map(map) => map.save(path),
            Self::Chart(chart) => chart.save(path),
        }
    }
}

/// A configuration of a case with its mean score.
struct Point {
    trial: Trial,
    /// The numbers of its settings by their names.
    numbers: BTreeMap<&'static str, f64>,
    score: f64,
    /// σ_p of Eq. (13) for its activation, the smallest root if there is one.
    theory: Option<f64>,
}

/// What can be drawn of `plan`: for each case whose numbers vary in two settings a map, the theory's σ_p
/// drawn in; for one setting a curve. Each with a name for its file.
///
/// # Errors
/// What [`Summary::new`] returns.
pub fn figures(plan: &Plan, store: &Store) -> Result<Vec<(String, Figure)>, SweepError> {
    let summary = Summary::new(plan, store)?;
    let mut figures = Vec::new();
    for (index, case) in plan.cases.iter().enumerate() {
        let mut points = Vec::new();
        for entry in &summary.entries {
            if entry.trials[0].case == index && !entry.scores.is_empty() {
                points.push(Point::new(plan, &entry.trials[0], entry.mean())?);
            }
        }
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
        match axes[..] {
            [x] => figures.push((name, Figure::Chart(curve(plan, title, x, &points)))),
            [x, y] => figures.push((name, Figure::Map(map(plan, title, (x, y), &points)))),
            _ => {}
        }
    }
    Ok(figures)
}

impl Point {
    fn new(plan: &Plan, trial: &Trial, score: f64) -> Result<Self, SweepError> {
        let mut numbers = BTreeMap::new();
        for assignment in &trial.settings {
            if let Some(number) = plan.number(trial, assignment.name)? {
                numbers.insert(assignment.name, number);
            }
        }
        let theory = match &plan.identity(trial)?.plan {
            Ok(own) => root(own.network.activation()),
            Err(_) => None,
        };
        Ok(Self { trial: trial.clone(), numbers, score, theory })
    }
}

/// The smallest root of Eq. (13), if it has isolated ones.
fn root(activation: &vi3nr::Activation) -> Option<f64> {
    match vi3nr::backward::solve(activation, 1.0).ok()? {
        vi3nr::Solution::Roots(roots) => roots.first().map(|root| root.sigma_p),
        _ => None,
    }
}

/// Letters and digits, everything else a dash.
fn file_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().map(plain).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The settings whose numbers differ among the points, σ_p last so that it is the vertical axis.
fn axes(points: &[Point]) -> Vec<&'static str> {
    let Some(first) = points.first() else { return Vec::new() };
    let mut names = Vec::new();
    for name in first.trial.settings.iter().map(|assignment| assignment.name) {
        let numbers = || points.iter().map(|point| point.numbers.get(name));
        let is_replicate = matches!(name, "seed" | "file");
        let differ = numbers().any(|number| number != first.numbers.get(name));
        if !is_replicate && differ && numbers().all(|number| number.is_some()) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| *name == "sigma_p");
    names
}

/// The point at these numbers of settings.
fn at<'a>(points: &'a [Point], place: &[(&str, f64)]) -> Option<&'a Point> {
    points
        .iter()
        .find(|point| place.iter().all(|(name, number)| point.numbers.get(name) == Some(number)))
}

/// All numbers of a setting, rising.
fn numbers(points: &[Point], name: &str) -> Vec<f64> {
    let mut numbers: Vec<f64> =
        points.iter().filter_map(|point| point.numbers.get(name).copied()).collect();
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
    // A hair in favor of linear axes, where two points are alike on both.
    match is_positive && unevenness(logarithms()) < 0.99 * unevenness(numbers.to_vec()) {
        true => Scale::Log,
        false => Scale::Linear,
    }
}

fn label(name: &str) -> String {
    match name {
        "sigma_p" => "σₚ".into(),
        "activation" => "parameter of the activation".into(),
        name => name.into(),
    }
}

fn map(plan: &Plan, title: String, (x, y): (&str, &str), points: &[Point]) -> HeatMap {
    let (columns, rows) = (numbers(points, x), numbers(points, y));
    let mut values = vec![f64::NAN; columns.len() * rows.len()];
    let mut line = Vec::new();
    for (column, at_x) in columns.iter().enumerate() {
        for (row, at_y) in rows.iter().enumerate() {
            let own = at(points, &[(x, *at_x), (y, *at_y)]);
            values[column * rows.len() + row] = own.map_or(f64::NAN, |point| point.score);
        }
        let theory = at(points, &[(x, *at_x)]).and_then(|point| point.theory);
        if y == "sigma_p" {
            line.extend(theory.map(|sigma_p| (*at_x, sigma_p)));
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

fn curve(plan: &Plan, title: String, x: &str, points: &[Point]) -> Chart {
    let columns = numbers(points, x);
    let curve: Vec<(f64, f64)> = columns
        .iter()
        .filter_map(|at_x| at(points, &[(x, *at_x)]).map(|point| (*at_x, point.score)))
        .collect();
    let mut marks = Vec::new();
    let theory = points.first().and_then(|point| point.theory);
    if let Some(sigma_p) = theory.filter(|_| x == "sigma_p") {
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
