//! What can be typed after the commands that run the paper's controlled experiments.

use std::path::PathBuf;

use clap::Args;
use vi3nr::Activation;

use super::{InitChoice, Sigma, ThreadsAndJson, Weights, init, sigma};

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct PropagateArguments {
    /// The nonlinearity: NAME, NAME:key=value or a formula in x.
    pub(crate) activation: Activation,
    /// Weight matrices.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) depth: usize,
    /// Units of every layer.
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub(crate) width: usize,
    /// Samples; the paper's script takes 10000.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) batch: usize,
    /// The rule for the weights, all of them hidden: ours, siren, xavier, kaiming, kaiming_out,
    /// kumar, pytorch, backward:sigma_p=S, or normal:std=S.
    #[arg(long, value_name = "SCHEME", default_value = "ours", value_parser = init)]
    pub(crate) scheme: InitChoice,
    /// Standard deviation of the input preactivations: a number, or auto for the value at which
    /// gradients keep their variance (Eq. 13) [default: the scheme's own, auto for ours, else 1].
    #[arg(long, value_name = "S", value_parser = sigma)]
    pub(crate) sigma_p: Option<Sigma>,
    /// The distribution of the weights; the paper's are uniform.
    #[arg(long, value_enum, default_value_t = Weights::Uniform)]
    pub(crate) distribution: Weights,
    /// Draw both variances over the layers: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Decides weights, inputs and gradients.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct ReproArguments {
    /// table1, table2, table3, table4 or fig2a.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(vi3nr_inr::repro::NAMES))]
    pub(crate) name: String,
    /// Independent repetitions of whatever is random.
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) seeds: u64,
    /// Weight matrices of the deep networks.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) depth: usize,
    /// Units of every layer.
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub(crate) width: usize,
    /// Samples of each repetition; the paper's script takes 10000.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) batch: usize,
    /// Where CSV, JSON and pictures go [default: repro-results/NAME].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}
