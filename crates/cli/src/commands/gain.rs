//! `vi3nr gain`: what one activation needs at one sigma_p.

use serde::Serialize;
use vi3nr::{Activation, Error, Gain, Method, Moments};

use super::scheme::sigma_p;
use crate::Done;
use crate::arguments::{GainArguments, MethodName};
use crate::numbers::{bound, bounded, significant};
use crate::output::{Failure, print};

/// Computes and prints.
pub(crate) fn run(arguments: &GainArguments) -> Done {
    let activation = &arguments.activation;
    let sigma_p = sigma_p(activation, arguments.sigma_p)?;
    let moments = moments(arguments, sigma_p)?;
    let gain = Gain::from_moments(activation, sigma_p, moments).map_err(Failure::unusable)?;
    print(arguments.json, &Report::of(&gain), &text(activation, &gain))
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
                return Err(Failure::Unusable(reason));
            }
            Ok(Some(moments)) => Ok(moments),
            Err(error) => Err(error),
        },
        MethodName::Quadrature => Moments::by_quadrature(activation, sigma_p),
        MethodName::Mc => {
            Moments::by_sampling(activation, sigma_p, arguments.samples, arguments.seed)
        }
    };
    computed.map_err(Failure::unusable)
}

/// The JSON object that scripts read.
#[derive(Serialize)]
struct Report {
    sigma_p: f64,
    mean: f64,
    second_moment: f64,
    gain: f64,
    gain_squared: f64,
    derivative_second_moment: f64,
    condition: f64,
    /// The largest among all the numbers; for mc the largest standard error.
    error_bound: f64,
    method: &'static str,
    derivative_mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl Report {
    fn of(gain: &Gain) -> Self {
        let moments = &gain.moments;
        let (method, samples, seed) = match moments.method {
            Method::Closed => ("closed", None, None),
            Method::Quadrature => ("quadrature", None, None),
            Method::MonteCarlo { samples, seed } => ("mc", Some(samples), Some(seed)),
            _ => ("other", None, None),
        };
        Self {
            sigma_p: gain.sigma_p,
            mean: moments.mean.value,
            second_moment: moments.second_moment.value,
            gain: gain.gain.value,
            gain_squared: gain.gain_squared.value,
            derivative_second_moment: moments.derivative_second_moment.value,
            condition: gain.condition.value,
            error_bound: gain.error_bound(),
            method,
            derivative_mean: moments.derivative_mean.value,
            samples,
            seed,
        }
    }
}

/// What people read.
fn text(activation: &Activation, gain: &Gain) -> String {
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
    for (name, number) in [
        ("mean  E[f(z)]", moments.mean),
        ("second moment  E[f(z)^2]", moments.second_moment),
        ("slope's mean  E[f'(z)]", moments.derivative_mean),
        ("slope's second moment  E[f'(z)^2]", moments.derivative_second_moment),
        ("gain^2  sigma_p^2/E[f^2], Eq. (15)", gain.gain_squared),
        ("gain", gain.gain),
        ("condition  gain^2 E[f'^2], Eq. (13)", gain.condition),
    ] {
        lines.push(format!("  {name:<37}{:<17}{}", bounded(number), bound(number, error)));
    }
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
