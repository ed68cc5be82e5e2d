//! What can be given on the command line.

mod backend;
mod bench;
mod experiments;
mod fit;
mod help;
mod legacy;
mod models;
mod program;
mod shown;
mod signal;
mod sweep;
mod theory;
mod values;

pub(crate) use backend::{BackendArguments, DevicesArguments};
pub(crate) use bench::{
    BenchArguments, BenchCommand, BenchEngineArguments, BenchGridArguments,
    BenchOptimizersArguments,
};
pub(crate) use experiments::{PropagateArguments, ReproArguments};
pub(crate) use fit::FitArguments;
pub(crate) use models::{
    DecodeArguments, EvalArguments, ExportArguments, InfoArguments, SampleArguments,
};
pub(crate) use program::{CatalogArguments, CompletionsArguments, ManArguments};
pub(crate) use shown::shown;
pub(crate) use signal::{AudioArguments, ImageArguments, ShapeArguments};
pub(crate) use sweep::{
    ReportArguments, SweepArguments, SweepCommand, SweepQueueArguments, SweepReportArguments,
    SweepRunArguments,
};
pub(crate) use theory::{GainArguments, InitArguments, MethodName, PlotArguments, SolveArguments};

use std::ffi::OsString;

use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use values::threads;

/// Coordinate networks with the right initialization: compute what an activation needs, fit an
/// image, audio or a shape, decode it at any resolution
#[derive(Debug, Parser)]
#[command(name = "vi3nr", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
}

/// The program with its styles and the help that lists its commands.
pub(crate) fn command() -> clap::Command {
    let command = Arguments::command().styles(help::STYLES);
    let template = help::template(&command);
    command.help_template(template)
}

/// Reads the command line; help, version and errors end the program.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Arguments {
    let words = legacy::translated(words);
    let matches = command().color(color(&words)).get_matches_from(words);
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The value of `--color`, which also decides how errors about the command line look.
fn color(words: &[OsString]) -> ColorChoice {
    let texts: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let pairs = texts.iter().zip(texts.iter().skip(1).map(Some).chain([None]));
    let given = pairs.filter_map(|(word, next)| match word.strip_prefix("--color")? {
        "" => Some(next?.to_string()),
        value => Some(value.strip_prefix('=')?.to_owned()),
    });
    given.last().and_then(|value| value.parse().ok()).unwrap_or(ColorChoice::Auto)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network on an image, audio or a shape and write it to a run directory
    Fit(Box<FitArguments>),
    /// Write the image, audio or mesh that a model represents, at any resolution
    #[command(alias = "mesh")]
    Decode(DecodeArguments),
    /// Compare a model with an image, audio or a shape
    ///
    /// Images: PSNR, SSIM and the largest error. Audio: MSE, SNR and spectral convergence. Shapes:
    /// IoU, Chamfer distance and normal consistency.
    Eval(EvalArguments),
    /// Show what a model file holds
    Info(InfoArguments),
    /// Write a model as an ONNX file, for other programs
    ///
    /// The graph maps `coordinates`, float32 (n, inputs), to `values`, float32 (n, outputs), with
    /// any activation, formulas included. The file keeps the metadata of the model, from which the
    /// coordinates of a pixel or sample follow. A model in pieces has no such graph: it must be
    /// fitted with --tile none.
    Export(ExportArguments),
    /// Draw points from a shape, for experiments with point clouds
    Sample(SampleArguments),
    /// Compute the gain of an activation at one sigma_p, and how gradients grow there
    Gain(GainArguments),
    /// Find every sigma_p at which gradients keep their variance, Eq. (13)
    Solve(SolveArguments),
    /// Compute the variance of the initial weights of each layer, and draw the weights
    Init(InitArguments),
    /// Plot the condition of Eq. (13) and the gain over sigma_p
    Plot(PlotArguments),
    /// Measure variances in a deep network, forward and backward
    Propagate(PropagateArguments),
    /// List the built-in activations with formula, parameters and gain
    Activations(CatalogArguments),
    /// List the initialization schemes with their variances and parameters
    Schemes(CatalogArguments),
    /// Run many fits, as a TOML file lists their settings, and keep every result
    Sweep(SweepArguments),
    /// Run a table or figure of the paper again and compare number by number
    Repro(ReproArguments),
    /// Show a run, a sweep or reproduced tables as one self-contained HTML file
    Report(ReportArguments),
    /// Measure the engine's speed, the work that optimizers need, or a grid as a baseline
    Bench(BenchArguments),
    /// List the GPUs of this machine and whether they can be used
    Devices(DevicesArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print the manual page of the program or of a command
    Man(ManArguments),
}

/// What every command accepts.
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub(crate) struct GlobalArguments {
    /// Write no progress and no warnings to standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Write more to standard error: the plan of a fit, the machine, the time taken
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Use colors: always, never or auto (by terminal and NO_COLOR)
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_possible_values = true)]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Args)]
pub(crate) struct ThreadsAndJson {
    /// Number of worker threads; no result depends on it [default: one per core]
    #[arg(short = 'j', long, value_name = "N", value_parser = threads, help_heading = "General")]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object on standard output and nothing else
    #[arg(long, help_heading = "General")]
    pub(crate) json: bool,
}
