//! What can be given after the commands that repeat the paper's experiments.

use std::path::PathBuf;

use clap::Args;
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, WeightShape};
use vi3nr_lab::propagate::MAX_COORDINATES;
use vi3nr_lab::repro;
use vi3nr_lab::repro::evaluation::{EVALUATIONS, FURTHER, Profile};
use vi3nr_lab::sweep::ExecutorName;

use super::ThreadsAndJson;
use super::fit::WEIGHTS;
use super::sweep::SlurmArguments;
use super::values::{executor, named, threads, whole};

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct PropagateArguments {
    /// Activation: NAME, NAME:key=value or a formula in x; see `vi3nr activations`
    #[arg(allow_hyphen_values = true)]
    pub(crate) activation: Activation,
    /// Number of weight matrices
    #[arg(long, value_name = "N", default_value = "100")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) depth: usize,
    /// Number of units of every layer
    #[arg(long, value_name = "M", default_value = "1000")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) width: usize,
    /// Number of samples; the paper's script uses 10000
    #[arg(long, value_name = "N", default_value = "1000")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) batch: usize,
    /// Scheme of the weights, all of hidden layers; see `vi3nr schemes`
    #[arg(long, alias = "scheme", value_name = "SCHEME", default_value = "ours")]
    pub(crate) init: SchemeRequest,
    /// Standard deviation of the input preactivations: a number, or auto for the smallest value at
    /// which gradients keep their variance, Eq. (13) [default: the scheme's own, auto for ours, else 1]
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// Distribution of the weights: uniform, normal, truncated-normal or orthogonal
    #[arg(long, alias = "distribution", value_name = "SHAPE", default_value = "uniform")]
    #[arg(value_parser = named::<WeightShape>(WEIGHTS), hide_possible_values = true)]
    pub(crate) weights: WeightShape,
    /// Also measure the derivatives of every layer's preactivations by the coordinates and their
    /// Laplacians, beside the variances that the theory predicts
    ///
    /// The input preactivations are then those of a first layer at a point with |x|^2 = D/3, the mean
    /// over D coordinates in [-1, 1].
    #[arg(long)]
    pub(crate) derivatives: bool,
    /// Number of coordinates D of --derivatives, 1 to 64
    #[arg(long, value_name = "D", default_value = "2", requires = "derivatives")]
    #[arg(value_parser = whole::<usize>(1..=MAX_COORDINATES as u64))]
    pub(crate) coordinates: usize,
    /// Draw both variances over the layers to FILE.svg or FILE.png
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Seed of weights, inputs and gradients
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole::<u64>(0..=u64::MAX))]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct ReproArguments {
    /// Table or figure: table1 to table4 and fig2a are controlled experiments; table5 to table8 and
    /// fig2b to fig5 train networks on --data; all runs every one. schemes, which is not in the paper,
    /// compares the initialization schemes
    #[arg(value_parser = repro_names())]
    pub(crate) name: String,
    /// How much is trained: quick, a part that shows the effect; medium, the smallest part that shows
    /// its size (hours); or paper, as much as the paper (weeks)
    #[arg(long, value_name = "NAME", default_value = "quick", value_parser = named::<Profile>(Profile::ALL.map(Profile::name)))]
    #[arg(help_heading = "Trained networks", hide_possible_values = true)]
    pub(crate) profile: Profile,
    /// Directory with kodak/, audio/ and shapes/
    #[arg(long, value_name = "DIR", env = "VI3NR_DATA", hide_env_values = true)]
    #[arg(help_heading = "Trained networks")]
    pub(crate) data: Option<PathBuf>,
    /// Number of fits at a time, or of tasks on a cluster [default: one per core, or as many as the
    /// cluster allows]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Trained networks")]
    pub(crate) jobs: Option<usize>,
    /// Where the fits run: in-process, process (a child process for each), slurm (a cluster), or auto,
    /// which is in-process if all fits are small and else process
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Trained networks")]
    #[arg(value_parser = executor(), hide_possible_values = true)]
    pub(crate) executor: ExecutorName,
    /// Number of seeds of the controlled experiments [default: 10; 3 for all with --profile quick]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=1000))]
    pub(crate) seeds: Option<u64>,
    /// Number of weight matrices of the deep networks
    #[arg(long, value_name = "N", default_value = "100")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) depth: usize,
    /// Number of units of every layer of the deep networks
    #[arg(long, value_name = "M", default_value = "1000")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) width: usize,
    /// Number of samples of each repetition; the paper's script uses 10000
    #[arg(long, value_name = "N", default_value = "1000")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) batch: usize,
    /// Directory for CSV, JSON and figures [default: repro-results/NAME, with -PROFILE for trained
    /// networks]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
    #[command(flatten)]
    pub(crate) slurm: SlurmArguments,
}

/// The names of all that can be run again.
fn repro_names() -> clap::builder::PossibleValuesParser {
    let names = repro::NAMES.iter().chain(&EVALUATIONS).chain(&FURTHER).chain(&["all"]).copied();
    clap::builder::PossibleValuesParser::new(names)
}
