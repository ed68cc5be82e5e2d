//! Charts and maps of a sweep's scores over the settings that vary.

use std::collections::BTreeMap;
use std::path::Path;

use vi3nr_inr::chart::{Chart, ChartError, Curve, HeatMap, Mark, Panel, Scale};

use super::{Plan, Store, Strategy, Summary, SweepError, Trial};

/// A figure of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// Scores over two settings.
    Map(HeatMap),
    /// Scores over one setting.
    Chart(Chart),
}

impl Figure {
    /// The figure as SVG.
    ///
    /// # Errors
    /// Returns [`ChartError::Drawing`] if the drawing library fails.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        match self {
            Self::Map(map) => map.to_svg(),
            Self::Chart(chart) => chart.to_svg(),
        }
    }

    /// Writes the figure as SVG or PNG, as the extension of `path` says.
    ///
    /// # Errors
    /// Returns [`ChartError::Format`] for another extension, and [`ChartError::Write`] if the file
    /// cannot be written.
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
    /// NaN if no trial has a score.
    score: f64,
    /// The number of steps, if the strategy compares configurations after several numbers of steps.
    rung: Option<f64>,
    /// σ_p of Eq. (13) for its activation, the smallest root if there is one.
    theory: Option<f64>,
}

/// The figures of `plan`, each with a file name without its extension. A case whose numbers vary in
/// two settings has a heat map with the σ_p of Eq. (13) drawn in, one whose numbers vary in one
/// setting has a curve. With successive halving there is a curve for each rung, and maps show the
/// first rung, which alone has every configuration.
///
/// # Errors
/// Returns the errors of [`Summary::new`].
pub fn figures(plan: &Plan, store: &Store) -> Result<Vec<(String, Figure)>, SweepError> {
    let summary = Summary::new(plan, store)?;
    let mut figures = Vec::new();
    for (index, case) in plan.cases.iter().enumerate() {
        let mut points = Vec::new();
        for entry in &summary.entries {
            if entry.trials[0].case == index {
                points.push(Point::new(plan, &entry.trials[0], entry.mean())?);
            }
        }
        let axes = axes(&points);
        points.retain(|point| axes.iter().all(|name| point.numbers.contains_key(name)));
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
            [x] => figures.push((name, Figure::Chart(chart(plan, title, x, &points)))),
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
        let rung = match plan.strategy {
            Strategy::Halving { .. } => numbers.remove("steps"),
            Strategy::Grid | Strategy::LineSearch { .. } => None,
        };
        let theory = match &plan.identity(trial)?.plan {
            Ok(own) => root(own.network.activation()),
            Err(_) => None,
        };
        Ok(Self { trial: trial.clone(), numbers, score, rung, theory })
    }
}

/// The smallest root of Eq. (13), if it has isolated ones.
fn root(activation: &vi3nr::Activation) -> Option<f64> {
    match vi3nr::backward::solve(activation, 1.0).ok()?.solution {
        vi3nr::Solution::Roots(roots) => roots.first().map(|root| root.sigma_p),
        _ => None,
    }
}

/// The text in lower case, with a dash in place of everything but ASCII letters and digits.
fn file_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = text.chars().map(plain).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// The settings whose numbers differ among the points with a score, σ_p last so that it is the
/// vertical axis.
fn axes(points: &[Point]) -> Vec<&'static str> {
    let scored = || points.iter().filter(|point| !point.score.is_nan());
    let Some(first) = scored().next() else { return Vec::new() };
    let mut names = Vec::new();
    for name in first.trial.settings.iter().map(|assignment| assignment.name) {
        let numbers = || scored().map(|point| point.numbers.get(name));
        let is_replicate = matches!(name, "seed" | "file");
        let differ = numbers().any(|number| number != first.numbers.get(name));
        if !is_replicate && differ && numbers().all(|number| number.is_some()) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| *name == "sigma_p");
    names
}

/// The point with these values of settings.
fn at<'a>(points: &'a [&Point], position: &[(&str, f64)]) -> Option<&'a Point> {
    points
        .iter()
        .find(|point| position.iter().all(|(name, number)| point.numbers.get(name) == Some(number)))
        .copied()
}

/// All numbers of a setting, in increasing order.
fn numbers(points: &[&Point], name: &str) -> Vec<f64> {
    let mut numbers: Vec<f64> =
        points.iter().filter_map(|point| point.numbers.get(name).copied()).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

/// The scale on which the numbers are more evenly spaced.
fn scale(numbers: &[f64]) -> Scale {
    let unevenness = |positions: Vec<f64>| {
        let gaps: Vec<f64> = positions.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let largest = gaps.iter().copied().fold(0.0, f64::max);
        largest / gaps.iter().copied().fold(f64::INFINITY, f64::min)
    };
    let is_positive = numbers.iter().all(|number| *number > 0.0);
    let logarithms = || numbers.iter().map(|number| number.ln()).collect();
    // The factor favors linear axes for two points, which are evenly spaced on both.
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

/// The numbers of steps of the rungs in increasing order, or one `None` if there are no rungs.
fn rungs(points: &[Point]) -> Vec<Option<f64>> {
    let mut rungs: Vec<Option<f64>> = points.iter().map(|point| point.rung).collect();
    rungs.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    rungs.dedup();
    rungs
}

fn map(plan: &Plan, title: String, (x, y): (&str, &str), points: &[Point]) -> HeatMap {
    let rung = rungs(points).first().copied().flatten();
    let points: Vec<&Point> = points.iter().filter(|point| point.rung == rung).collect();
    let (columns, rows) = (numbers(&points, x), numbers(&points, y));
    let mut values = Vec::with_capacity(columns.len() * rows.len());
    let mut line = Vec::new();
    for at_x in &columns {
        let score = |at_y: &f64| at(&points, &[(x, *at_x), (y, *at_y)]).map(|point| point.score);
        values.extend(rows.iter().map(score));
        let theory = at(&points, &[(x, *at_x)]).and_then(|point| point.theory);
        if y == "sigma_p" {
            line.extend(theory.map(|sigma_p| (*at_x, sigma_p)));
        }
    }
    line.reverse();
    let scores = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let range =
        (scores().fold(f64::INFINITY, f64::min), scores().fold(f64::NEG_INFINITY, f64::max));
    let title = match rung {
        Some(steps) => format!("{title} (after {steps} steps)"),
        None => title,
    };
    HeatMap {
        title,
        x_label: label(x),
        y_label: label(y),
        value_label: plan.metric.clone(),
        x_scale: scale(&columns),
        y_scale: scale(&rows),
        columns,
        rows,
        values,
        range,
        line: Curve { label: "Eq. (13)".into(), points: line },
    }
}

fn chart(plan: &Plan, title: String, x: &str, points: &[Point]) -> Chart {
    let all: Vec<&Point> = points.iter().collect();
    let columns = numbers(&all, x);
    let curve = |rung: &Option<f64>| {
        let own: Vec<&Point> = points.iter().filter(|point| point.rung == *rung).collect();
        let points =
            columns.iter().filter_map(|at_x| Some((*at_x, at(&own, &[(x, *at_x)])?.score)));
        Curve {
            label: rung.map_or(String::new(), |steps| format!("{steps} steps")),
            points: points.collect(),
        }
    };
    let curves: Vec<Curve> = rungs(points).iter().map(curve).collect();
    let mut marks = Vec::new();
    let theory = points.first().and_then(|point| point.theory);
    if let (Some(sigma_p), "sigma_p", [curve]) = (theory, x, &curves[..]) {
        // On the curve, between the points beside it.
        let mut pairs = curve.points.windows(2);
        if let Some([left, right]) = pairs.find(|pair| (pair[0].0..=pair[1].0).contains(&sigma_p)) {
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
            curves,
            level: None,
            marks,
            range: None,
        }],
    }
}
