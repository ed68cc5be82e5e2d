//! `vi3nr plot`: condition and gain over sigma_p as a chart.

use serde_json::json;
use vi3nr::backward::{CurvePoint, Root, Solution, curve, solve};
use vi3nr::{Activation, auto_sigma_p};
use vi3nr_inr::chart::{Chart, ChartError, ChartFormat, Curve, Level, Mark, Panel, Scale};

use crate::CommandResult;
use crate::arguments::PlotArguments;
use crate::numbers::significant;
use crate::output::{Failure, print};

/// Points of a curve.
const POINTS: usize = 241;
/// How far the curve reaches to either side of the sigma_p that `auto` takes.
const REACH: f64 = 1e3;
/// Digits of the numbers beside a root.
const DIGITS: usize = 5;

/// Computes, draws and writes.
pub(crate) fn run(arguments: &PlotArguments) -> CommandResult {
    let activation = &arguments.activation;
    let file = &arguments.out;
    // Before any work.
    ChartFormat::of(file).map_err(Failure::usage)?;
    let (from, to) = range(arguments)?;
    let points = curve(activation, from, to, POINTS).map_err(Failure::usage)?;
    let solution = solve(activation, 1.0).ok().map(|answer| answer.solution);
    chart(activation, &points, solution.as_ref()).save(file).map_err(|error| match error {
        ChartError::Format { .. } => Failure::usage(error),
        error => Failure::failed(error),
    })?;
    let ends = [&points[0], &points[points.len() - 1]].map(|point| point.sigma_p);
    print(
        arguments.json,
        &json!({"file": file.to_string_lossy(), "from": ends[0], "to": ends[1], "points": points.len()}),
        &format!(
            "{} (sigma_p from {} to {})",
            file.display(),
            significant(ends[0], DIGITS),
            significant(ends[1], DIGITS)
        ),
    )
}

/// The range that was given, or one around the activation's own sigma_p.
fn range(arguments: &PlotArguments) -> Result<(f64, f64), Failure> {
    if let (Some(from), Some(to)) = (arguments.from, arguments.to) {
        return Ok((from, to));
    }
    let middle = auto_sigma_p(&arguments.activation).map_err(Failure::usage)?;
    Ok((arguments.from.unwrap_or(middle / REACH), arguments.to.unwrap_or(middle * REACH)))
}

/// The condition above the gain.
fn chart(activation: &Activation, points: &[CurvePoint], solution: Option<&Solution>) -> Chart {
    let roots: &[Root] = match solution {
        Some(Solution::Roots(roots)) => roots,
        _ => &[],
    };
    let verdict = match solution {
        Some(Solution::Every) => ": 1 at every σₚ",
        Some(Solution::None { .. }) => ": never 1",
        _ => "",
    };
    let panel = |title: String, value: fn(&CurvePoint) -> f64| Panel {
        title,
        scale: Scale::Log,
        curves: vec![Curve {
            label: String::new(),
            points: points.iter().map(|point| (point.sigma_p, value(point))).collect(),
        }],
        level: None,
        marks: vec![],
        range: None,
    };
    let marks = |name: &str, number: fn(&Root) -> f64, height: fn(&Root) -> f64| {
        let mark = |root: &Root| Mark {
            at: (root.sigma_p, height(root)),
            label: format!("{name} = {}", significant(number(root), DIGITS)),
        };
        roots.iter().map(mark).collect()
    };
    let condition = Panel {
        level: Some(Level { value: 1.0, label: "cond = 1".into() }),
        marks: marks("σₚ", |root| root.sigma_p, |_| 1.0),
        ..panel(format!("cond = σₚ² E[f'²]/E[f²], Eq. (13){verdict}"), |point| {
            point.condition
        })
    };
    let gain = Panel {
        marks: marks("gain²", |root| root.gain_squared, |root| root.gain_squared),
        ..panel("gain² = σₚ²/E[f²], Eq. (15)".into(), |point| point.gain_squared)
    };
    Chart {
        title: format!("f = {activation}"),
        x_label: "σₚ, the standard deviation of the preactivations".into(),
        x_scale: Scale::Log,
        panels: vec![condition, gain],
    }
}
