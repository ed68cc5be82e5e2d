//! `vi3nr gain`: what one activation needs at one sigma_p.

use serde::Serialize;
use vi3nr::scheme::{SigmaP, SigmaRequest};
use vi3nr::{Activation, Error, Gain, Method, Moments, variance_sensitivity};
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::recipes;
use vi3nr_inr::signal::SignalKind;

use crate::CommandResult;
use crate::arguments::{GainArguments, MethodName};
use crate::explain;
use crate::numbers::{bound, bounded, significant};
use crate::output::{Failure, print};

/// Computes and prints.
pub(crate) fn run(arguments: &GainArguments) -> CommandResult {
    let activation = &arguments.activation;
    let sigma_p = sigma_p(activation, arguments.sigma_p, arguments.signal)?;
    let moments = moments(arguments, sigma_p.value)?;
    let gain = Gain::from_moments(activation, sigma_p.value, moments).map_err(Failure::usage)?;
    let reason = sigma_p.reason.to_string();
    let chi = variance_sensitivity(activation, sigma_p.value).ok();
    let text = text(activation, &gain, &reason, chi);
    print(arguments.json, &Report::of(&gain, &reason, chi), &text)
}

/// The sigma_p that is asked for, or the one that a fit of a signal of this kind would take.
pub(super) fn sigma_p(
    activation: &Activation,
    asked: Option<SigmaRequest>,
    kind: SignalKind,
) -> Result<SigmaP, Failure> {
    let recipe = recipes(kind).of(Preset::Fast);
    let resolved = match asked {
        Some(asked) => asked.resolve(activation),
        None => recipe.sigma_p(activation),
    };
    resolved.map_err(Failure::usage)
}

/// The moments by the method that was asked for.
fn moments(arguments: &GainArguments, sigma_p: f64) -> Result<Moments, Failure> {
    let activation = &arguments.activation;
    let computed: Result<Moments, Error> = match arguments.method {
        MethodName::Auto => Moments::of(activation, sigma_p),
        MethodName::Closed => match Moments::closed(activation, sigma_p) {
            Ok(None) => {
                let reason = format!(
                    "no closed form is known for {activation}; --method auto takes quadrature"
                );
                return Err(Failure::Usage(reason));
            }
            Ok(Some(moments)) => Ok(moments),
            Err(error) => Err(error),
        },
        MethodName::Quadrature => Moments::by_quadrature(activation, sigma_p),
        MethodName::Mc => {
            Moments::by_sampling(activation, sigma_p, arguments.samples, arguments.seed)
        }
    };
    computed.map_err(Failure::usage)
}

/// The JSON object that scripts read; what is infinite or does not exist is null, as JSON has it.
#[derive(Serialize)]
struct Report<'a> {
    sigma_p: f64,
    /// Where it comes from.
    sigma_p_reason: &'a str,
    mean: f64,
    second_moment: f64,
    gain: f64,
    gain_squared: f64,
    derivative_second_moment: f64,
    condition: f64,
    /// What a layer multiplies an error in the variance by; null if it is not known.
    chi: Option<f64>,
    /// The largest among all the numbers; for mc the largest standard error.
    error_bound: f64,
    method: &'static str,
    derivative_mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl<'a> Report<'a> {
    fn of(gain: &Gain, sigma_p_reason: &'a str, chi: Option<f64>) -> Self {
        let moments = &gain.moments;
        let (method, samples, seed) = match moments.method {
            Method::Closed => ("closed", None, None),
            Method::Quadrature => ("quadrature", None, None),
            Method::MonteCarlo { samples, seed } => ("mc", Some(samples), Some(seed)),
            _ => ("other", None, None),
        };
        Self {
            sigma_p: gain.sigma_p,
            sigma_p_reason,
            mean: moments.mean.value,
            second_moment: moments.second_moment.value,
            gain: gain.gain.value,
            gain_squared: gain.gain_squared.value,
            derivative_second_moment: moments.derivative_second_moment.value,
            condition: gain.condition.value,
            chi,
            error_bound: gain.error_bound(),
            method,
            derivative_mean: moments.derivative_mean.value,
            samples,
            seed,
        }
    }
}

/// What people read.
fn text(activation: &Activation, gain: &Gain, reason: &str, chi: Option<f64>) -> String {
    let moments = &gain.moments;
    let sigma_p = significant(gain.sigma_p, 12);
    let (method, error) = match moments.method {
        Method::Closed => ("closed form".to_owned(), "error at most"),
        Method::Quadrature => ("quadrature".to_owned(), "error at most"),
        Method::MonteCarlo { samples, seed } => {
            (format!("Monte Carlo, {samples} samples, seed {seed}"), "standard error")
        }
        _ => ("another method".to_owned(), "error at most"),
    };
    let mut lines =
        vec![format!("{activation}, z ~ N(0, sigma_p^2), sigma_p = {sigma_p}: {method}")];
    lines.push(format!("  sigma_p is {reason}"));
    for (name, number) in [
        ("mean  E[f(z)]", moments.mean),
        ("second moment  E[f(z)^2]", moments.second_moment),
        ("slope's mean  E[f'(z)]", moments.derivative_mean),
        ("slope's second moment  E[f'(z)^2]", moments.derivative_second_moment),
        ("gain^2  sigma_p^2/E[f^2], Eq. (15)", gain.gain_squared),
        ("gain", gain.gain),
        ("condition  gain^2 E[f'^2], Eq. (13)", gain.condition),
    ] {
        let line = if number.value.is_nan() {
            format!("  {name:<37}does not exist")
        } else if number.value.is_infinite() {
            format!("  {name:<37}infinite")
        } else {
            format!("  {name:<37}{:<17}{}", bounded(number), bound(number, error))
        };
        lines.push(line);
    }
    lines.push(explain::condition(gain.condition.value));
    lines.extend(chi.map(|chi| explain::chi(chi, chi)));
    lines.push(format!(
        "Weights of a hidden layer: standard deviation gain/sqrt(fan-in) = {}/sqrt(fan-in);\n\
         uniform on plus or minus sqrt(3) gain/sqrt(fan-in) = {}/sqrt(fan-in).\n\
         This keeps sigma_p = {sigma_p} where the first layer establishes it: on coordinates in \
         [-1, 1],\nuniform on plus or minus 3 sigma_p/sqrt(fan-in), Eq. (27).",
        bounded(gain.gain),
        bounded(gain.uniform_bound()),
    ));
    lines.join("\n")
}
