//! Gains, solutions and lists of what there is.

use std::collections::HashMap;

use numpy::{PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;
use vi3nr::activation::Parameter;
use vi3nr::activation::builtin::catalog;
use vi3nr::backward::{self, Approach, Solution};
use vi3nr::moments::{FunctionError, Samples};
use vi3nr::scheme::{SchemeRequest, SigmaP, SigmaRequest};
use vi3nr::{Activation, Error, Gain, Method, Moments, Scheme, WeightShape, variance_sensitivity};
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::recipes;
use vi3nr_inr::signal::SignalKind;
use vi3nr_lab::propagate::{self as lab, PropagateError, PropagationPlan};

use crate::error::{Kind, Raise as _, exception};

/// A gain with everything that is known about it.
#[derive(IntoPyObject)]
pub(crate) struct GainNumbers {
    activation: String,
    sigma_p: f64,
    sigma_p_reason: String,
    value: f64,
    gain_squared: f64,
    mean: f64,
    second_moment: f64,
    derivative_mean: f64,
    derivative_second_moment: f64,
    condition: f64,
    chi: f64,
    error_bound: f64,
    method: &'static str,
}

impl GainNumbers {
    fn new(gain: &Gain, activation: String, sigma_p_reason: String, chi: f64) -> Self {
        let moments = &gain.moments;
        Self {
            activation,
            sigma_p: gain.sigma_p,
            sigma_p_reason,
            value: gain.gain.value,
            gain_squared: gain.gain_squared.value,
            mean: moments.mean.value,
            second_moment: moments.second_moment.value,
            derivative_mean: moments.derivative_mean.value,
            derivative_second_moment: moments.derivative_second_moment.value,
            condition: gain.condition.value,
            chi,
            error_bound: gain.error_bound(),
            method: match moments.method {
                Method::Closed => "closed",
                Method::Quadrature => "quadrature",
                Method::MonteCarlo { .. } => "mc",
                Method::Function { .. } => "function",
                _ => "other",
            },
        }
    }
}

fn activation_of(py: Python<'_>, text: &str) -> PyResult<Activation> {
    text.parse().map_err(|error: Error| error.raise(py))
}

fn signal_kind(py: Python<'_>, name: &str) -> PyResult<SignalKind> {
    SignalKind::named(name).ok_or_else(|| {
        let message = format!("signal: '{name}'; expected {}", SignalKind::names());
        exception(py, Kind::Request, message)
    })
}

fn sigma_p_of(
    activation: &Activation,
    asked: Option<&str>,
    kind: SignalKind,
) -> Result<SigmaP, Error> {
    match asked {
        Some(asked) => asked.parse::<SigmaRequest>()?.resolve(activation),
        None => recipes(kind).of(Preset::Fast).sigma_p(activation),
    }
}

/// The gain of an activation in its text form.
#[pyfunction]
#[pyo3(signature = (activation, sigma_p, method, samples, seed, signal))]
pub(crate) fn gain(
    py: Python<'_>,
    activation: &str,
    sigma_p: Option<&str>,
    method: &str,
    samples: u64,
    seed: u64,
    signal: &str,
) -> PyResult<GainNumbers> {
    let activation = activation_of(py, activation)?;
    let kind = signal_kind(py, signal)?;
    let compute = || -> Result<GainNumbers, Error> {
        let chosen = sigma_p_of(&activation, sigma_p, kind)?;
        let moments = match method {
            "closed" => Moments::closed(&activation, chosen.value)?.ok_or(Error::Incomplete {
                missing: "a closed form of the moments",
                expected: "method = \"auto\" or \"quadrature\"",
            })?,
            "quadrature" => Moments::by_quadrature(&activation, chosen.value)?,
            "mc" => Moments::by_sampling(&activation, chosen.value, samples, seed)?,
            _ => Moments::of(&activation, chosen.value)?,
        };
        let gain = Gain::from_moments(&activation, chosen.value, moments)?;
        let chi = variance_sensitivity(&activation, chosen.value).unwrap_or(f64::NAN);
        Ok(GainNumbers::new(&gain, activation.to_string(), chosen.reason.to_string(), chi))
    };
    if !["auto", "closed", "quadrature", "mc"].contains(&method) {
        let message = format!("method: '{method}'; expected auto, closed, quadrature or mc");
        return Err(exception(py, Kind::Request, message));
    }
    py.detach(compute).map_err(|error| error.raise(py))
}

/// The gain of a function that can only be evaluated: `evaluate` maps an array of points to the
/// arrays of its values and, or None, of its derivatives, both in double precision.
#[pyfunction]
pub(crate) fn function_gain(
    py: Python<'_>,
    evaluate: &Bound<'_, PyAny>,
    name: &str,
    sigma_p: f64,
    rounding: f64,
) -> PyResult<GainNumbers> {
    let mut call = |points: &[f64]| -> PyResult<Samples> {
        py.check_signals()?;
        let found = evaluate.call1((points.to_pyarray(py),))?;
        let (values, slopes): (PyReadonlyArray1<'_, f64>, Option<PyReadonlyArray1<'_, f64>>) =
            found.extract()?;
        let copied = |array: &PyReadonlyArray1<'_, f64>| array.as_array().to_vec();
        Ok(Samples { values: copied(&values), slopes: slopes.as_ref().map(copied) })
    };
    let found =
        Moments::of_function(name, sigma_p, rounding, &mut call).map_err(|error| match error {
            FunctionError::Evaluation(error) => error,
            FunctionError::Moment(error) => error.raise(py),
            other => exception(py, Kind::Other, other.to_string()),
        })?;
    let gain = Gain::of_function(name, sigma_p, found.moments).map_err(|error| error.raise(py))?;
    let chi = found.sensitivity.value;
    Ok(GainNumbers::new(&gain, name.to_owned(), "given".to_owned(), chi))
}

/// What `solve` found.
#[derive(IntoPyObject)]
pub(crate) struct SolutionNumbers {
    activation: String,
    kind: &'static str,
    /// The roots with their gain².
    roots: Vec<(f64, f64)>,
    infimum: Option<f64>,
    approached_at: Option<f64>,
    is_everywhere: bool,
    proven: bool,
    basis: String,
    range: Option<(f64, f64)>,
    default_sigma_p: Option<f64>,
}

/// The solutions of the backward condition.
#[pyfunction]
pub(crate) fn solve(
    py: Python<'_>,
    activation: &str,
    fan_in: u32,
    fan_out: u32,
    signal: &str,
) -> PyResult<SolutionNumbers> {
    let activation = activation_of(py, activation)?;
    let kind = signal_kind(py, signal)?;
    if fan_in == 0 || fan_out == 0 {
        let message = "fan_in, fan_out: 0; expected numbers above 0".to_owned();
        return Err(exception(py, Kind::Request, message));
    }
    let ratio = f64::from(fan_out) / f64::from(fan_in);
    let answer =
        py.detach(|| backward::solve(&activation, ratio)).map_err(|error| error.raise(py))?;
    let default = py.detach(|| sigma_p_of(&activation, None, kind)).ok();
    let mut numbers = SolutionNumbers {
        activation: activation.to_string(),
        kind: "other",
        roots: Vec::new(),
        infimum: None,
        approached_at: None,
        is_everywhere: false,
        proven: answer.is_proof(),
        basis: answer.basis.name().to_owned(),
        range: answer.basis.range(),
        default_sigma_p: default.map(|default| default.value),
    };
    match &answer.solution {
        Solution::Roots(roots) => {
            numbers.kind = "roots";
            numbers.roots = roots.iter().map(|root| (root.sigma_p, root.gain_squared)).collect();
        }
        Solution::Every => numbers.kind = "every",
        Solution::None { infimum, approached_at } => {
            numbers.kind = "none";
            numbers.infimum = Some(*infimum);
            numbers.approached_at = match *approached_at {
                Approach::Zero => Some(0.0),
                Approach::Infinity => Some(f64::INFINITY),
                Approach::At(sigma_p) => Some(sigma_p),
                Approach::Everywhere => None,
            };
            numbers.is_everywhere = *approached_at == Approach::Everywhere;
        }
        _ => {}
    }
    Ok(numbers)
}

/// What an activation is made of.
#[derive(IntoPyObject)]
pub(crate) struct Definition {
    /// The name of a built-in activation; None for a formula.
    name: Option<String>,
    formula: String,
    parameters: HashMap<String, f64>,
}

/// The formula of an activation and the values of its parameters.
#[pyfunction]
pub(crate) fn definition(py: Python<'_>, activation: &str) -> PyResult<Definition> {
    let activation = activation_of(py, activation)?;
    let text = activation.to_string();
    let (head, values) = text.split_once(':').unwrap_or((&text, ""));
    let values = values.split(',').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.parse().ok()?))
    });
    Ok(Definition {
        name: activation.definition().map(|_| head.to_owned()),
        formula: activation.definition().unwrap_or(head).to_owned(),
        parameters: values.collect(),
    })
}

/// A parameter of an activation or a scheme.
#[derive(IntoPyObject)]
pub(crate) struct ParameterEntry {
    name: &'static str,
    default: f64,
    meaning: &'static str,
    accepted: &'static str,
}

fn parameters(all: &[Parameter]) -> Vec<ParameterEntry> {
    let entry = |own: &Parameter| ParameterEntry {
        name: own.name,
        default: own.default,
        meaning: own.meaning,
        accepted: own.accepted.description(),
    };
    all.iter().map(entry).collect()
}

/// A built-in activation.
#[derive(IntoPyObject)]
pub(crate) struct ActivationEntry {
    name: &'static str,
    formula: &'static str,
    parameters: Vec<ParameterEntry>,
}

/// The built-in activations.
#[pyfunction]
pub(crate) fn activations(py: Python<'_>) -> PyResult<Vec<ActivationEntry>> {
    catalog()
        .map(|(name, own)| {
            let formula = activation_of(py, name)?.definition().unwrap_or(name);
            Ok(ActivationEntry { name, formula, parameters: parameters(own) })
        })
        .collect()
}

/// An initialization scheme.
#[derive(IntoPyObject)]
pub(crate) struct SchemeEntry {
    name: &'static str,
    variance: &'static str,
    derived_for: &'static str,
    parameters: Vec<ParameterEntry>,
    optional: Vec<OptionalEntry>,
}

/// A parameter of a scheme that may be omitted and has no default.
#[derive(IntoPyObject)]
pub(crate) struct OptionalEntry {
    name: &'static str,
    meaning: &'static str,
}

/// The initialization schemes.
#[pyfunction]
pub(crate) fn schemes() -> Vec<SchemeEntry> {
    let entry = |own: vi3nr::scheme::SchemeEntry| SchemeEntry {
        name: own.name,
        variance: own.variance,
        derived_for: own.derived_for,
        parameters: parameters(own.parameters),
        optional: own
            .optional
            .iter()
            .map(|own| OptionalEntry { name: own.name, meaning: own.meaning })
            .collect(),
    };
    Scheme::catalog().map(entry).collect()
}

/// The variances of a deep network at initialization, as JSON; also those of its derivatives by
/// `coordinates` coordinates, if it is not None.
#[pyfunction]
#[pyo3(signature = (activation, init, sigma_p, distribution, depth, width, batch, seed, threads, coordinates))]
#[expect(clippy::too_many_arguments, reason = "Python passes them by keyword")]
pub(crate) fn propagate(
    py: Python<'_>,
    activation: &str,
    init: &str,
    sigma_p: Option<&str>,
    distribution: &str,
    depth: usize,
    width: usize,
    batch: usize,
    seed: u64,
    threads: Option<usize>,
    coordinates: Option<usize>,
) -> PyResult<String> {
    let activation = activation_of(py, activation)?;
    let init: SchemeRequest = init.parse().map_err(|error: Error| error.raise(py))?;
    let weights: WeightShape = distribution.parse().map_err(|error: Error| error.raise(py))?;
    let sigma_p = sigma_p.map(str::parse::<SigmaRequest>).transpose();
    let sigma_p = sigma_p.map_err(|error| error.raise(py))?;
    let invalid = |error: &dyn ToString| exception(py, Kind::Request, error.to_string());
    let (scheme, sigma_p) =
        lab::choose_scheme(&activation, init, sigma_p).map_err(|error| invalid(&error))?;
    let layer = vi3nr::InitRule::new(scheme).hidden_layer(&activation, width, width);
    let layer = layer.map_err(|error| error.raise(py))?;
    let plan = PropagationPlan {
        activation,
        weight_variance: layer.variance(),
        bias_variance: layer.bias_variance(),
        weights,
        sigma_p,
        depth,
        width,
        batch,
        seed,
        threads,
    };
    let compute = || -> Result<_, PropagateError> {
        let found = lab::propagate(&plan)?;
        let derivatives = coordinates.map(|count| lab::propagate_derivatives(&plan, count));
        Ok((found, lab::expectation(&plan), derivatives.transpose()?))
    };
    let (found, expected, derivatives) = py.detach(compute).map_err(|error| match error {
        PropagateError::Theory(error) => error.raise(py),
        error => exception(py, Kind::Other, error.to_string()),
    })?;
    let mut report = serde_json::json!(found);
    report["derivatives"] = serde_json::json!(derivatives);
    report["scheme"] = scheme.to_string().into();
    report["sigma_p"] = sigma_p.into();
    report["weight_variance"] = layer.variance().into();
    report["bias_variance"] = layer.bias_variance().into();
    report["expected"] = serde_json::json!(expected);
    Ok(report.to_string())
}
