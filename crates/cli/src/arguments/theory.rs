//! What can be given after the commands that answer from the theory alone.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, BiasRule, WeightShape};
use vi3nr_inr::signal::SignalKind;

use super::fit::WEIGHTS;
use super::values::{named, positive, signal_kind, whole};

/// What the fields of `solve --json` contain.
const SOLVE_JSON: &str = "JSON: kind is roots, every or none. roots has sigma_p and gain_squared of \
    each root. With kind none, infimum is the smallest |cond - 1|, and approached_at says where it is \
    approached: 0.0 (in the limit), a sigma_p, \"infinity\" or \"everywhere\"; otherwise both are null. \
    proven tells whether the answer is proven. basis is the argument: homogeneous, flat or \
    vanishes-at-zero (proofs), one-crossing (a proof if a sigma_p is found), or scan (cond was \
    computed at many sigma_p). range is the range of those sigma_p if the answer depends on it.";

/// What the fields of `init --json` contain.
const INIT_JSON: &str = "JSON: layers has index, fan_in, fan_out, variance, std and bound (of \
    uniform weights, else null), noise_std and bias_std, the standard deviations of the noise in the \
    weights and of the biases. scheme, derived_for and warnings are about the scheme. sigma_p lists \
    the standard deviations that the hidden layers keep, or is \"any\"; if it is empty, they tend to \
    sigma_p_tends_to, 0.0 or \"infinity\". Both are null if they cannot be computed. chi is the factor \
    by which a hidden layer without biases multiplies a small error in the variance of its \
    preactivations, error_growth the same with its biases, and gradient_growth the factor by which it \
    multiplies the variance of the gradient; they are at the sigma_p of the scheme if it is kept, else \
    at the first that is. derivatives has the \
    standard deviations that the theory of wide layers predicts for the outputs: std of the derivative \
    by a coordinate and laplacian_std of the sum of second derivatives, at points with |x|^2 = \
    square_norm, the mean over inputs in [-1, 1]; layers has them as derivative_std and laplacian_std \
    for the preactivations of each layer. missing says why one is null.";

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct GainArguments {
    /// Activation: NAME, NAME:key=value or a formula in x; see `vi3nr activations`
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// Standard deviation of the preactivations: a number, auto or a multiple of auto
    /// [default: as for fit, 2*auto, or 6*auto with --signal audio]
    ///
    /// auto is the smallest value at which gradients keep their variance from layer to layer,
    /// Eq. (13). If no value or every value keeps it, auto is 1 or the nearest suitable value, and
    /// the default is auto itself.
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// Kind of signal whose default sigma_p is used: image, audio or shape
    #[arg(long, value_name = "KIND", value_parser = signal_kind(), default_value = "image")]
    #[arg(hide_possible_values = true)]
    pub(crate) signal: SignalKind,
    /// Method for the moments E[f], E[f^2], E[f'] and E[f'^2]
    #[arg(long, value_enum, value_name = "NAME", default_value_t = MethodName::Auto)]
    pub(crate) method: MethodName,
    /// Number of samples of --method mc, 2 to 10,000,000,000
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    #[arg(value_parser = whole::<u64>(2..=10_000_000_000))]
    pub(crate) samples: u64,
    /// Seed of --method mc
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole::<u64>(0..=u64::MAX))]
    pub(crate) seed: u64,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodName {
    /// Closed form if one is known, else quadrature
    Auto,
    /// Closed form; an error if none is known
    Closed,
    /// Numerical integration with a bound on its error
    Quadrature,
    /// Monte Carlo estimate from --samples normal numbers, with its standard error
    Mc,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true, after_help = SOLVE_JSON)]
pub(crate) struct SolveArguments {
    /// Activation: NAME, NAME:key=value or a formula in x; see `vi3nr activations`
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// Number of inputs of the layer [default: as many as outputs]
    #[arg(long, value_name = "M", requires = "fan_out", value_parser = fan())]
    pub(crate) fan_in: Option<u32>,
    /// Number of outputs of the layer [default: as many as inputs]
    #[arg(long, value_name = "N", requires = "fan_in", value_parser = fan())]
    pub(crate) fan_out: Option<u32>,
    /// Kind of signal whose default sigma_p is printed too: image, audio or shape
    #[arg(long, value_name = "KIND", value_parser = signal_kind(), default_value = "image")]
    #[arg(hide_possible_values = true)]
    pub(crate) signal: SignalKind,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true, after_help = INIT_JSON)]
pub(crate) struct InitArguments {
    /// Activation: NAME, NAME:key=value or a formula in x; see `vi3nr activations`
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// Layer sizes: inputs, units of each hidden layer, outputs; for example 2,128,128,3
    #[arg(long, value_name = "M0,M1,...", value_parser = dims)]
    pub(crate) dims: Dims,
    /// Kind of signal whose defaults are used: image, audio or shape [default: by the number of
    /// inputs, audio for 1, shape for 3, else image]
    #[arg(long, value_name = "KIND", value_parser = signal_kind(), hide_possible_values = true)]
    pub(crate) signal: Option<SignalKind>,
    /// Scheme of the initial weights; see `vi3nr schemes` [default: auto]
    ///
    /// One of ours, ours_mc (its moments from 10^6 samples), eoc (with biases that let weights keep
    /// the variance of gradients too), siren, ws:alpha=A (SIREN's weights times A in all layers but the
    /// last), finer:k=K (SIREN's weights, first biases U(-K, K)), winner:s0=S,s1=S (SIREN's weights
    /// plus noise in the first two layers), xavier, kaiming, kaiming_out, kumar, pytorch, backward,
    /// normal:std=S, or auto: the activation's own if it has one (SIREN's for the sine), else ours.
    #[arg(long = "init", value_name = "SCHEME", alias = "scheme")]
    pub(crate) scheme: Option<SchemeRequest>,
    /// Standard deviation of the preactivations: a number, auto or a multiple of auto
    /// [default: as for fit, 2*auto, or 6*auto for audio]
    ///
    /// For --init ours, ours_mc, eoc or backward. auto is the smallest value at which gradients keep their
    /// variance from layer to layer, Eq. (13). If no value or every value keeps it, auto is 1 or the
    /// nearest suitable value, and the default is auto itself.
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// Standard deviation of the first layer's preactivations, for --init ours or eoc: as --sigma-p
    /// [default: sigma_p]
    #[arg(long, value_name = "S")]
    pub(crate) first_sigma_p: Option<SigmaRequest>,
    /// Standard deviation of the network's output [default: sigma_p]
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) last_sigma_p: Option<f64>,
    /// Distribution of the weights: uniform, normal, truncated-normal or orthogonal
    /// [default: uniform; normal with --init normal]
    #[arg(long = "weights", value_name = "SHAPE", value_parser = named::<WeightShape>(WEIGHTS))]
    #[arg(alias = "distribution", hide_possible_values = true)]
    pub(crate) distribution: Option<WeightShape>,
    /// Biases: zero, like-weights (distributed as the weights are), fan-in for U(-b, b) with
    /// b = 1/sqrt(fan-in) as in PyTorch, uniform:B for U(-B, B), normal:S for N(0, S^2) or scheme (as it
    /// determines) [default: scheme with --init eoc; else zero, and like-weights for audio]
    #[arg(long, value_name = "RULE")]
    pub(crate) biases: Option<BiasRule>,
    /// Biases of the first layer, as --biases [default: as --biases, zero with --init eoc;
    /// like-weights if f(-x) = f(x)]
    ///
    /// An even activation without biases would make the network an even function at the start.
    /// --biases sets these biases too.
    #[arg(long, value_name = "RULE")]
    pub(crate) first_bias: Option<BiasRule>,
    /// Seed of the weights that --out writes
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole::<u64>(0..=u64::MAX))]
    pub(crate) seed: u64,
    /// File for the drawn weights, as tensors net.{i}.weight (out, in) and net.{i}.bias
    /// [default: none is written]
    #[arg(short, long, value_name = "FILE.safetensors")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct PlotArguments {
    /// Activation: NAME, NAME:key=value or a formula in x; see `vi3nr activations`
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// File to write, FILE.svg or FILE.png
    #[arg(short, long, value_name = "FILE", default_value = "plot.svg")]
    pub(crate) out: PathBuf,
    /// Lowest sigma_p [default: a thousandth of the one that gain --sigma-p auto uses]
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) from: Option<f64>,
    /// Highest sigma_p [default: a thousand times the one that gain --sigma-p auto uses]
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) to: Option<f64>,
    /// Print one JSON object on standard output and nothing else
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
