//! What can be given after the commands that answer from the theory alone.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, BiasRule, WeightShape};
use vi3nr_inr::signal::SignalKind;

use super::fit::{BIASES, WEIGHTS};
use super::values::{named, positive, signal_kind, whole};

/// What the fields of `solve --json` hold.
const SOLVE_JSON: &str = "JSON: kind is roots, every or none. roots lists sigma_p and gain_squared of \
    each root. For none, infimum is that of |cond - 1|, and approached_at is where it is approached: \
    0.0 (in the limit), a sigma_p, \"infinity\", or \"everywhere\"; else both are null. basis is what \
    the answer rests on: homogeneous, flat, vanishes-at-zero or one-crossing (proofs, proven is true), \
    or scan; range is that of the sigma_p that were computed, where the answer depends on it.";

/// What the fields of `init --json` hold.
const INIT_JSON: &str = "JSON: layers lists index, fan_in, fan_out, variance, std and bound (of \
    uniform weights, else null); scheme, derived_for and warnings tell about the rule. sigma_p lists \
    the standard deviations that the hidden layers keep, or is \"any\"; where it is empty they tend \
    to sigma_p_tends_to, 0.0 or \"infinity\". Both are null where there is no answer. chi is the factor by \
    which a layer multiplies a small error in the variance of its preactivations.";

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct GainArguments {
    /// The nonlinearity: NAME, NAME:key=value, or any formula in x.
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// The standard deviation of the preactivations: a number, auto for the value at which gradients
    /// keep their variance (Eq. 13), or a multiple such as 2*auto [default: as fit has it, twice that
    /// value, six times for audio, where there is one].
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// The kind of signal that defaults are taken for.
    #[arg(long, value_name = "KIND", value_parser = signal_kind(), default_value = "image")]
    pub(crate) signal: SignalKind,
    /// How to compute the expectations.
    #[arg(long, value_enum, default_value_t = MethodName::Auto)]
    pub(crate) method: MethodName,
    /// Samples of --method mc.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    #[arg(value_parser = whole::<u64>(2..=10_000_000_000))]
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

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true, after_help = SOLVE_JSON)]
pub(crate) struct SolveArguments {
    /// The nonlinearity: NAME, NAME:key=value, or any formula in x.
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// Inputs of the layer, M_i; equal to its outputs where not given.
    #[arg(long, value_name = "M", requires = "fan_out", value_parser = fan())]
    pub(crate) fan_in: Option<u32>,
    /// Outputs of the layer, M_{i+1}.
    #[arg(long, value_name = "N", requires = "fan_in", value_parser = fan())]
    pub(crate) fan_out: Option<u32>,
    /// The kind of signal that the default sigma_p is told for.
    #[arg(long, value_name = "KIND", value_parser = signal_kind(), default_value = "image")]
    pub(crate) signal: SignalKind,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true, after_help = INIT_JSON)]
pub(crate) struct InitArguments {
    /// The nonlinearity: NAME, NAME:key=value, or any formula in x.
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// Inputs, units of each hidden layer, outputs: for example 2,128,128,3.
    #[arg(long, value_name = "M0,M1,...", value_parser = dims)]
    pub(crate) dims: Dims,
    /// The kind of signal that defaults are taken for [default: by the number of inputs, audio for 1,
    /// image for 2, shape for 3].
    #[arg(long, value_name = "KIND", value_parser = signal_kind())]
    pub(crate) signal: Option<SignalKind>,
    /// The scheme of the weights: ours, ours_mc (its moments from 10^6 samples), siren, xavier, kaiming,
    /// kaiming_out, kumar, pytorch, backward, or normal:std=S. auto: the activation's own where it has
    /// one (SIREN's for the sine), else ours [default: auto].
    #[arg(long = "init", value_name = "SCHEME", alias = "scheme")]
    pub(crate) scheme: Option<SchemeRequest>,
    /// The standard deviation of the preactivations for --init ours or backward: a number, auto for the value at
    /// which gradients keep their variance (Eq. 13), or a multiple such as 2*auto [default: as fit has
    /// it, twice that value, six times for audio, where there is one].
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// The standard deviation of the network's output, where it is not sigma_p.
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) last_sigma_p: Option<f64>,
    /// The distribution of the weights [default: uniform; normal for --init normal].
    #[arg(long = "weights", value_name = "SHAPE", value_parser = named::<WeightShape>(WEIGHTS))]
    #[arg(alias = "distribution")]
    pub(crate) distribution: Option<WeightShape>,
    /// The biases [default: zero; like-weights for audio].
    #[arg(long, value_name = "RULE", value_parser = named::<BiasRule>(BIASES))]
    pub(crate) biases: Option<BiasRule>,
    /// The first layer's biases: zero, like-weights or uniform:B for U(-B, B) [default: those of
    /// --biases; where that is not given and f(-x) = f(x), like-weights].
    #[arg(long, value_name = "RULE")]
    pub(crate) first_bias: Option<BiasRule>,
    /// The seed of the numbers that --out writes.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Draw the weights and write them as tensors net.{i}.weight (out, in) and net.{i}.bias.
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub(crate) out: Option<PathBuf>,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct PlotArguments {
    /// The nonlinearity: NAME, NAME:key=value, or any formula in x.
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// The file to write, a vector drawing or a picture [default: plot.svg].
    #[arg(short, long, value_name = "FILE.svg|FILE.png")]
    pub(crate) out: Option<PathBuf>,
    /// The lowest sigma_p [default: a thousandth of what --sigma-p auto takes].
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) from: Option<f64>,
    /// The highest sigma_p [default: a thousand times what --sigma-p auto takes].
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) to: Option<f64>,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Layer sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dims(pub(crate) Vec<usize>);

fn dims(text: &str) -> Result<Dims, String> {
    let sizes = text.split(',').map(|size| size.trim().parse()).collect::<Result<_, _>>();
    sizes
        .map(Dims)
        .map_err(|_| "expected whole numbers separated by commas, for example 2,128,128,3".into())
}

fn fan() -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    whole(1..=u64::from(u32::MAX))
}
