//! What can be given after `bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use vi3nr::scheme::SigmaRequest;
use vi3nr::{Activation, BiasRule};
use vi3nr_engine::WeightedTerm;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_lab::bench::{BenchShape, Interpolation};

use super::values::{finite, optimizer, positive, whole, word};
use super::{BackendArguments, ImageArguments, ThreadsAndJson};

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Time a training step and an inference, as a share of the peak of this machine or its GPU
    Engine(BenchEngineArguments),
    /// Measure how much work optimizers need to reach a PSNR on an image
    Optimizers(Box<BenchOptimizersArguments>),
    /// Measure the PSNR of a regular grid of values, the baseline without a network
    Grid(BenchGridArguments),
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct BenchEngineArguments {
    /// Problem: img256 (65,536 points, 8 activations of 128), img128 (16,384, 7 of 128), audio
    /// (65,536, 3 of 256) or sdf (30,000, 7 of 128)
    #[arg(long, value_name = "NAME", default_value = "img256", value_parser = bench_shape)]
    pub(crate) shape: BenchShape,
    /// Number of points of each network, 1 to 16,777,216 [default: that of --shape]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1..=1 << 24))]
    pub(crate) points: Option<u32>,
    /// Units of each hidden layer [default: that of --shape]
    #[arg(long, value_name = "M", value_parser = whole::<usize>(1..=u64::MAX))]
    pub(crate) width: Option<usize>,
    /// Number of weight matrices, one more than activations [default: that of --shape]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=u64::MAX))]
    pub(crate) layers: Option<usize>,
    /// Train N such networks side by side, 1 to 1,024; times and rates are those of all together
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<u32>(1..=1024))]
    pub(crate) networks: u32,
    /// Activation: NAME, NAME:key=value or a formula in x
    #[arg(long, value_name = "F", default_value = "gaussian:sigma=0.05")]
    pub(crate) activation: Activation,
    /// Also time a step on a loss of such terms, for example eikonal:1; may be given several times
    ///
    /// Terms compare values and derivatives of the network with respect to its coordinates: value,
    /// gradient, directional, normal, eikonal, laplacian, off-surface and heat, each with a weight
    /// after a colon.
    #[arg(long, value_name = "TERM")]
    pub(crate) term: Vec<WeightedTerm>,
    /// Also time training steps of this optimizer: muon or kfac
    #[arg(long, value_name = "NAME", value_parser = optimizer(), hide_possible_values = true)]
    pub(crate) optimizer: Option<OptimizerName>,
    /// Measure for about this long, at most a day; three repetitions of each kind are completed
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = bench_duration)]
    pub(crate) seconds: Duration,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct BenchOptimizersArguments {
    /// Image to fit
    #[arg(value_name = "FILE", required_unless_present = "image")]
    pub(crate) file: Option<PathBuf>,
    /// The same, as earlier versions have it.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "file")]
    pub(crate) image: Option<PathBuf>,
    /// Target PSNR in dB, the peak being the image's largest value; several, separated by commas
    ///
    /// Work is counted in gradient equivalents: forward and backward passes over all pixels. One
    /// network is fitted to the highest target and the others are read off on the way; an image in
    /// pieces is fitted once for each target.
    #[arg(long, value_name = "DB,...", value_parser = finite, value_delimiter = ',')]
    #[arg(required = true)]
    pub(crate) to_psnr: Vec<f64>,
    /// Optimizers, separated by commas: adam, muon, kfac [default: the one that fit chooses]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = optimizer())]
    #[arg(hide_possible_values = true)]
    pub(crate) optimizer: Vec<OptimizerName>,
    /// Give up after this many gradient equivalents; the schedules of adam and muon end there
    #[arg(long, value_name = "GE", value_parser = positive, default_value = "300")]
    pub(crate) budget: f64,
    /// Number of seeds, from 0 on, each of them a fit
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<u64>(1..=1000))]
    pub(crate) seeds: u64,
    /// Initial learning rate of adam or muon [default: that of fit]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub(crate) lr: Option<f64>,
    /// Activation: NAME, NAME:key=value or a formula in x [default: that of fit]
    #[arg(long, value_name = "F")]
    pub(crate) activation: Option<Activation>,
    /// Standard deviation of the preactivations at the start, as for fit
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// Initial biases of the first layer, as for fit; several rules, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(crate) first_bias: Vec<BiasRule>,
    /// Directory for the curves: work.csv, work.svg and work.png [default: none are written]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) preparation: ImageArguments,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct BenchGridArguments {
    /// Images, one after the other
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Number of values, about; the grid has the image's proportions
    ///
    /// The grid has at most one value for each pixel and channel, and its values are fitted to all
    /// pixels by 300 steps of Adam. The PSNR has the usual peak of 2.
    #[arg(short = 'p', long, alias = "grid-parameters", value_name = "N", required = true)]
    #[arg(value_parser = whole::<u64>(1..=u64::MAX))]
    pub(crate) parameters: u64,
    /// Interpolation: bilinear, of 2 by 2 values, or bicubic (Keys, a = -0.5), of 4 by 4
    #[arg(long, alias = "grid-interpolation", value_name = "NAME", default_value = "bicubic")]
    #[arg(value_parser = word::<Interpolation>(["bilinear", "bicubic"]))]
    #[arg(hide_possible_values = true)]
    pub(crate) interpolation: Interpolation,
    #[command(flatten)]
    pub(crate) preparation: ImageArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

fn bench_duration(text: &str) -> Result<Duration, String> {
    let seconds = positive(text)?;
    match seconds <= 86_400.0 {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("expected at most 86,400 seconds".into()),
    }
}

fn bench_shape(text: &str) -> Result<BenchShape, String> {
    let known = || BenchShape::ALL.map(BenchShape::name).join(", ");
    let found = BenchShape::ALL.into_iter().find(|shape| shape.name() == text);
    found.ok_or_else(|| format!("expected one of {}", known()))
}
