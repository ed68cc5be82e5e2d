//! What can be typed after the commands that answer from the theory alone.

use clap::{Args, ValueEnum};
use vi3nr::Activation;

use super::{Sigma, sigma};

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct GainArguments {
    /// The nonlinearity: NAME, NAME:key=value, or any formula in x.
    pub(crate) activation: Activation,
    /// Standard deviation of the preactivations: a number, or auto for the value at which gradients
    /// keep their variance (Eq. 13).
    #[arg(long, value_name = "S", value_parser = sigma, default_value = "1")]
    pub(crate) sigma_p: Sigma,
    /// How to compute the expectations.
    #[arg(long, value_enum, default_value_t = MethodName::Auto)]
    pub(crate) method: MethodName,
    /// Samples of --method mc.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(2..=10_000_000_000))]
    pub(crate) samples: u64,
    /// Seed of --method mc.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodName {
    /// Closed form where one is known, else quadrature.
    Auto,
    /// Closed form; an error where none is known.
    Closed,
    /// Integration with a bound on the error.
    Quadrature,
    /// The paper's Monte Carlo estimate, with its standard error.
    Mc,
}

/// JSON: kind is roots, every or none. roots lists sigma_p and gain_squared of each root. For none,
/// infimum is that of |cond - 1| and approached_at is where it is approached: 0.0 (in the limit), a
/// sigma_p, "infinity", or "everywhere"; else both are null.
#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct SolveArguments {
    /// The nonlinearity: NAME, NAME:key=value, or any formula in x.
    pub(crate) activation: Activation,
    /// Inputs of the layer, M_i; equal to its outputs where not given.
    #[arg(long, value_name = "M", requires = "fan_out", value_parser = fan())]
    pub(crate) fan_in: Option<u32>,
    /// Outputs of the layer, M_{i+1}.
    #[arg(long, value_name = "N", requires = "fan_in", value_parser = fan())]
    pub(crate) fan_out: Option<u32>,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

fn fan() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}
