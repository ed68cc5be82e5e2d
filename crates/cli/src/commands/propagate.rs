//! `vi3nr propagate`: what becomes of variances in a deep network.

use serde::Serialize;
use vi3nr::InitRule;
use vi3nr_inr::chart::{Chart, ChartFormat, Curve, Level, Panel, Scale};
use vi3nr_lab::propagate::{
    ChoiceError, DerivativePropagation, Expectation, PropagateError, Propagation, PropagationPlan,
    choose_scheme, expectation, propagate, propagate_derivatives,
};

use crate::CommandResult;
use crate::arguments::PropagateArguments;
use crate::explain;
use crate::numbers::significant;
use crate::output::{Failure, print, warn};

/// Digits of the numbers that people read.
const DIGITS: usize = 6;

/// The object of `--json`.
#[derive(Serialize)]
struct Report {
    activation: String,
    scheme: String,
    /// The same with rounded numbers.
    #[serde(skip)]
    short_scheme: String,
    sigma_p: f64,
    weight_variance: f64,
    bias_variance: f64,
    distribution: &'static str,
    depth: usize,
    width: usize,
    batch: usize,
    seed: u64,
    #[serde(flatten)]
    result: Propagation,
    /// What the theory predicts for this width; null for a scheme that does not keep sigma_p.
    expected: Option<Expectation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derivatives: Option<DerivativePropagation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plot: Option<String>,
}

/// Measures and prints.
pub(crate) fn run(arguments: &PropagateArguments) -> CommandResult {
    let activation = &arguments.activation;
    if let Some(file) = &arguments.plot {
        // Before any work.
        ChartFormat::of(file).map_err(Failure::usage)?;
    }
    let (scheme, sigma_p) = choose_scheme(activation, arguments.init, arguments.sigma_p).map_err(
        |error| match error {
            ChoiceError::Scheme(refusal) => Failure::Usage(format!("--init: {refusal}")),
            error => Failure::usage(error),
        },
    )?;
    let width = arguments.width;
    let layer =
        InitRule::new(scheme).hidden_layer(activation, width, width).map_err(Failure::usage)?;
    let plan = PropagationPlan {
        activation: activation.clone(),
        weight_variance: layer.variance(),
        bias_variance: layer.bias_variance(),
        weights: arguments.weights,
        sigma_p,
        depth: arguments.depth,
        width: arguments.width,
        batch: arguments.batch,
        seed: arguments.seed,
        threads: arguments.common.threads,
    };
    let expected = expectation(&plan);
    if !arguments.common.json {
        let warnings = scheme.warnings(activation).into_iter();
        let unstable = expected.as_ref().and_then(|expected| expected.warning.clone());
        warnings.chain(unstable).for_each(|warning| warn(&warning));
    }
    let failure = |error| match error {
        PropagateError::Theory(error) => Failure::usage(error),
        error => Failure::failed(error),
    };
    let result = propagate(&plan).map_err(failure)?;
    let derivatives = arguments
        .derivatives
        .then(|| propagate_derivatives(&plan, arguments.coordinates))
        .transpose()
        .map_err(failure)?;
    let report = Report {
        activation: activation.to_string(),
        scheme: scheme.to_string(),
        short_scheme: explain::scheme(&scheme),
        sigma_p,
        weight_variance: layer.variance(),
        bias_variance: layer.bias_variance(),
        distribution: plan.weights.name(),
        depth: plan.depth,
        width: plan.width,
        batch: plan.batch,
        seed: plan.seed,
        result,
        expected,
        derivatives,
        plot: arguments.plot.as_ref().map(|path| path.display().to_string()),
    };
    if let Some(file) = &arguments.plot {
        chart(&report).save(file).map_err(Failure::failed)?;
    }
    print(arguments.common.json, &report, &text(&report))
}

/// The preactivations' variances above the gradients'.
fn chart(report: &Report) -> Chart {
    let Report { depth, width, sigma_p, result, .. } = report;
    let panel = |title: String, variances: Vec<f64>, level: f64, label: String| Panel {
        title,
        scale: Scale::Log,
        curves: vec![Curve {
            label: String::new(),
            points: (0..).map(f64::from).zip(variances).collect(),
        }],
        level: Some(Level { value: level, label }),
        marks: vec![],
        range: None,
    };
    let target = sigma_p * sigma_p;
    // Place 0 is the input, the last one the output, whose gradient was drawn.
    let forward = [&[target], &result.forward_variance[..]].concat();
    let backward = [&result.backward_variance[..], &[1.0]].concat();
    Chart {
        title: format!(
            "f = {}, {}, {} weights: {depth} layers of {width} units",
            report.activation, report.scheme, report.distribution
        ),
        x_label: "layer".into(),
        x_scale: Scale::Linear,
        panels: vec![
            panel(
                format!("variance of the preactivations, E_f = {:.1} %", result.e_f),
                forward,
                target,
                format!("σₚ² = {}", significant(target, DIGITS)),
            ),
            panel(
                format!("variance of the gradient, E_b = {:.1} %", result.e_b),
                backward,
                1.0,
                "1, as drawn at the last layer".into(),
            ),
        ],
    }
}

/// A variance with six digits.
fn variance_text(variance: f64) -> String {
    if !variance.is_finite() { "not finite".into() } else { significant(variance, DIGITS) }
}

/// Every tenth layer, and the two errors.
fn text(report: &Report) -> String {
    let Report { depth, width, batch, sigma_p, result, .. } = report;
    let mut text = format!(
        "{}, {}: {depth} layers of {width} units, {batch} samples, seed {}\n\
         inputs with standard deviation sigma_p = {}\n\
         {} weights with variance {} = {}/{width}{}\n\
         variances:\n\
         layer   preactivations         gradient\n",
        report.activation,
        report.short_scheme,
        report.seed,
        significant(*sigma_p, DIGITS),
        report.distribution,
        variance_text(report.weight_variance),
        variance_text(report.weight_variance * *width as f64),
        match report.bias_variance {
            0.0 => String::new(),
            variance => format!(", normal biases with variance {}", variance_text(variance)),
        },
    );
    let rows = result.forward_variance.iter().zip(&result.backward_variance).enumerate();
    for (index, (forward, backward)) in rows {
        let layer = index + 1;
        if is_shown(layer, *depth) {
            let (forward, backward) = (variance_text(*forward), variance_text(*backward));
            text += &format!("{layer:5}   {forward:>14}   {backward:>14}\n");
        }
    }
    text += &format!(
        "E_f = {:.1} %: mean error over samples of the last preactivations' variance, relative to \
         sigma_p^2\n\
         E_b = {:.1} %: mean error over samples of the first gradient's variance, relative to 1\n\
         0 % means that the variance is kept through all layers, 100 % that it vanishes or explodes \
         (SMAPE without the factor 2)\n",
        result.e_f, result.e_b
    );
    for (error, lost) in [("E_f", result.forward_non_finite), ("E_b", result.backward_non_finite)] {
        if lost > 0 {
            text += &format!(
                "{lost} of {batch} samples were not finite; each counts as 100 % in {error}\n"
            );
        }
    }
    text += &match &report.expected {
        Some(expected) => expected_text(expected, *width),
        None => format!(
            "no theory for this width: the layers do not keep sigma_p = {}, or a moment of f or f' does \
             not exist\n",
            significant(*sigma_p, DIGITS)
        ),
    };
    if let Some(cosine) = result.cosine {
        text += &format!(
            "cosine {}: mean over pairs of samples of the angle's cosine at the last layer; 0 if \
             samples are unrelated, 1 if they have become alike\n",
            significant(cosine, 3)
        );
    }
    if let Some(derivatives) = &report.derivatives {
        text += &derivatives_text(derivatives, *depth);
    }
    if let Some(file) = &report.plot {
        text += &format!("{file}\n");
    }
    text
}

/// What the width alone explains, and what a layer makes of an error.
fn expected_text(expected: &Expectation, width: usize) -> String {
    let mut text = format!(
        "theory for networks of {width} units: E_f = {:.1} %, E_b = {:.1} % (means over seeds)\n{}\n",
        expected.e_f,
        expected.e_b,
        explain::chi(expected.chi, expected.error_factor),
    );
    text += &explain::max_depth(expected.max_depth, width);
    text + "\n"
}

/// Every tenth layer's derivatives beside the predictions.
fn derivatives_text(derivatives: &DerivativePropagation, depth: usize) -> String {
    let mut text = format!(
        "variances of derivatives by {} coordinates, beside those that the theory of wide layers \
         predicts:\n\
         layer            dz/dx        predicted        Laplacian        predicted\n",
        derivatives.coordinates
    );
    let predicted = |list: &Option<Vec<f64>>, index: usize| match list {
        Some(list) => variance_text(list[index]),
        None => "-".into(),
    };
    for layer in (1..=depth).filter(|layer| is_shown(*layer, depth)) {
        let index = layer - 1;
        text += &format!(
            "{layer:5}   {:>14}   {:>14}   {:>14}   {:>14}\n",
            variance_text(derivatives.derivative_variance[index]),
            predicted(&derivatives.predicted_derivative_variance, index),
            variance_text(derivatives.laplacian_variance[index]),
            predicted(&derivatives.predicted_laplacian_variance, index),
        );
    }
    if let Some(reason) = &derivatives.missing {
        text += &format!("not predicted: {reason}\n");
    }
    text
}

/// Whether a layer has a line of its own.
fn is_shown(layer: usize, depth: usize) -> bool {
    layer == 1 || layer == depth || layer.is_multiple_of(10)
}
