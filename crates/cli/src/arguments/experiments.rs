//! What can be given after the commands that measure: the engine's speed, the paper's controlled
//! experiments.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, BiasRule, WeightShape};
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_lab::bench::{BenchShape, Interpolation};
use vi3nr_lab::repro;
use vi3nr_lab::repro::evaluation::{EVALUATIONS, Profile};
use vi3nr_lab::sweep::ExecutorName;

use super::fit::WEIGHTS;
use super::values::{executor, finite, named, optimizer, positive, threads, word};
use super::{ImageArguments, ThreadsAndJson};

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct PropagateArguments {
    /// The nonlinearity: NAME, NAME:key=value or a formula in x.
    pub(crate) activation: Activation,
    /// The number of weight matrices.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) depth: usize,
    /// The number of units of every layer.
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub(crate) width: usize,
    /// Samples; the paper's script takes 10000.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) batch: usize,
    /// The rule for the weights, all of them hidden: ours, ours_mc, siren, xavier, kaiming,
    /// kaiming_out, kumar, pytorch, backward:sigma_p=S, or normal:std=S.
    #[arg(long, value_name = "SCHEME", default_value = "ours")]
    pub(crate) scheme: SchemeRequest,
    /// Standard deviation of the input preactivations: a number, or auto for the value at which
    /// gradients keep their variance (Eq. 13) [default: the scheme's own, auto for ours, else 1].
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// The distribution of the weights; the paper's are uniform.
    #[arg(long, value_name = "SHAPE", default_value = "uniform", visible_alias = "weights")]
    #[arg(value_parser = named::<WeightShape>(WEIGHTS))]
    pub(crate) distribution: WeightShape,
    /// Draw both variances over the layers: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// The seed of weights, inputs and gradients.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct ReproArguments {
    /// The controlled experiments table1 to table4 and fig2a; table5 to table8, fig2b, fig2c, fig3, fig4
    /// and fig5, which train networks on --data; or all of them.
    #[arg(value_parser = repro_names())]
    pub(crate) name: String,
    /// How much is trained: a part that shows the effect, or as much as the paper.
    #[arg(long, value_enum, default_value_t = ProfileName::Quick, help_heading = "Trained networks")]
    pub(crate) profile: ProfileName,
    /// The folder with kodak/, audio/ and shapes/.
    #[arg(long, value_name = "DIR", help_heading = "Trained networks")]
    pub(crate) data: Option<PathBuf>,
    /// The number of fits at a time [default: one per core].
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Trained networks")]
    pub(crate) jobs: Option<usize>,
    /// Who runs the fits: this process, or a process for each; auto takes this process where all are
    /// small.
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Trained networks")]
    #[arg(value_parser = executor())]
    pub(crate) executor: ExecutorName,
    /// Independent repetitions of whatever is random in the controlled experiments [default: 10; 3 for
    /// all of them with --profile quick].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) seeds: Option<u64>,
    /// Weight matrices of the deep networks.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) depth: usize,
    /// The number of units of every layer.
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub(crate) width: usize,
    /// Samples of each repetition; the paper's script takes 10000.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) batch: usize,
    /// Where CSV, JSON and pictures go [default: repro-results/NAME, with -PROFILE for trained
    /// networks].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    Quick,
    Paper,
}

impl From<ProfileName> for Profile {
    fn from(typed: ProfileName) -> Self {
        match typed {
            ProfileName::Quick => Self::Quick,
            ProfileName::Paper => Self::Paper,
        }
    }
}

/// The names of all that can be run again.
fn repro_names() -> clap::builder::PossibleValuesParser {
    let names = repro::NAMES.iter().chain(&EVALUATIONS).chain(&["all"]).copied();
    clap::builder::PossibleValuesParser::new(names)
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct BenchArguments {
    /// The problem: img256 (65,536 points, 8 activations of 128), img128 (16,384, 7 of 128), audio
    /// (65,536, 3 of 256) or sdf (30,000, 7 of 128).
    #[arg(long, default_value = "img256", value_parser = bench_shape)]
    pub(crate) shape: BenchShape,
    /// Another number of points for each network, 1 to 16,777,216.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub(crate) points: Option<u32>,
    /// Train N such networks side by side, 1 to 1,024; times and rates are of all together.
    #[arg(long, value_name = "N", default_value = "1")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) networks: u32,
    /// The nonlinearity [default: gaussian:sigma=0.05; with --to-psnr as fit has it].
    #[arg(long)]
    pub(crate) activation: Option<Activation>,
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    #[command(flatten)]
    pub(crate) grid: GridArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

/// What measures work instead of speed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work to reach a quality")]
pub(crate) struct WorkArguments {
    /// Instead of the engine's speed, measure how much work optimizers need to reach this PSNR in dB
    /// (peak = the picture's largest value, the paper's convention), in gradient equivalents: forward
    /// and backward passes over all points.
    #[arg(long, value_name = "DB", value_parser = finite, requires = "image")]
    #[arg(conflicts_with_all = ["shape", "points", "networks"])]
    pub(crate) to_psnr: Option<f64>,
    /// The picture to fit, all its pixels at each step.
    #[arg(long, value_name = "FILE", requires = "to_psnr")]
    pub(crate) image: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) preparation: ImageArguments,
    /// Which optimizers, separated by commas [default: the one that fit would take].
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "to_psnr")]
    #[arg(value_parser = optimizer())]
    pub(crate) optimizer: Vec<OptimizerName>,
    /// Give up after this many gradient equivalents; the schedules of adam and muon end there.
    #[arg(long, value_name = "GE", value_parser = positive, default_value_t = 300.0)]
    pub(crate) budget: f64,
    /// Repeat with this many seeds, from 0 on.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "to_psnr")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) seeds: u64,
    /// The first learning rate of adam or muon [default: as fit has it].
    #[arg(long, value_name = "RATE", value_parser = positive, requires = "to_psnr")]
    pub(crate) lr: Option<f64>,
    /// Standard deviation of the preactivations for the paper's initialization, as for fit.
    #[arg(long, value_name = "S", requires = "to_psnr")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// The first layer's biases, as for fit; several rules, separated by commas, are tried in turn.
    #[arg(long, value_name = "RULES", value_delimiter = ',', requires = "to_psnr")]
    pub(crate) first_bias: Vec<BiasRule>,
    /// Where the curves go, as work.csv, work.svg and work.png; nothing is written without it.
    #[arg(long, value_name = "DIR", requires = "to_psnr")]
    pub(crate) out: Option<PathBuf>,
}

/// What measures a grid of values in place of a network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Grid of values")]
pub(crate) struct GridArguments {
    /// The pictures that a grid is fitted to; --downscale, --crop, --gray and --alpha apply.
    #[arg(value_name = "FILE", requires = "grid_parameters")]
    pub(crate) files: Vec<PathBuf>,
    /// Instead of the engine's speed, measure the PSNR in dB (peak 2) that N values on a regular grid
    /// reach with interpolation between them, fitted to all pixels by 300 steps of Adam. The grid has
    /// the picture's proportions and at most one value for each pixel and channel.
    #[arg(long, value_name = "N", requires = "files")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(conflicts_with_all = ["to_psnr", "shape", "points", "networks", "activation"])]
    pub(crate) grid_parameters: Option<u64>,
    /// What lies between the values: bilinear from 2 by 2 of them, bicubic (Keys, a = -0.5) from 4 by 4.
    #[arg(long, value_name = "NAME", default_value = "bicubic", requires = "grid_parameters")]
    #[arg(value_parser = word::<Interpolation>(["bilinear", "bicubic"]))]
    pub(crate) grid_interpolation: Interpolation,
}

fn bench_shape(text: &str) -> Result<BenchShape, String> {
    let known = || BenchShape::ALL.map(BenchShape::name).join(", ");
    let found = BenchShape::ALL.into_iter().find(|shape| shape.name() == text);
    found.ok_or_else(|| format!("expected one of {}", known()))
}
