//! What can be given on the command line.

mod experiments;
mod fit;
mod models;
mod signal;
mod sweep;
mod theory;
mod values;

pub(crate) use experiments::{BenchArguments, ProfileName, PropagateArguments, ReproArguments};
pub(crate) use fit::FitArguments;
pub(crate) use models::{DecodeArguments, EvalArguments, InfoArguments, MeshArguments};
pub(crate) use signal::{AudioArguments, ImageArguments, ShapeArguments};
pub(crate) use sweep::{
    ReportArguments, SweepArguments, SweepCommand, SweepReportArguments, SweepRunArguments,
};
pub(crate) use theory::{GainArguments, InitArguments, MethodName, PlotArguments, SolveArguments};

use clap::{Args, Parser, Subcommand};

use values::threads;

/// Coordinate networks with the right initialization: ask what an activation needs, fit an image,
/// audio or a shape, decode it at any resolution.
#[derive(Debug, Parser)]
#[command(name = "vi3nr", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network on an image, audio or a shape and write it to a run directory.
    Fit(Box<FitArguments>),
    /// Turn a model back into an image, audio or a mesh, at any resolution.
    Decode(DecodeArguments),
    /// Turn a model of a shape back into triangles, at any resolution.
    Mesh(MeshArguments),
    /// Compare a model with an image (PSNR in both conventions, SSIM, largest error), audio (MSE, SNR,
    /// spectral convergence) or a shape (IoU, Chamfer distance, normal consistency).
    Eval(EvalArguments),
    /// Show what a model file holds.
    Info(InfoArguments),
    /// Time a training step and an inference as a share of this machine's peak.
    Bench(BenchArguments),
    /// Compute the gain of an activation at one sigma_p, and the factor by which gradients grow.
    Gain(GainArguments),
    /// Find all sigma_p at which gradients keep their variance, Eq. (13).
    Solve(SolveArguments),
    /// Compute the variance of the initial weights of every layer of a network, and draw them.
    Init(InitArguments),
    /// Plot the condition of Eq. (13) and the gain over sigma_p.
    Plot(PlotArguments),
    /// Measure variances in a deep network, forward and backward.
    Propagate(PropagateArguments),
    /// Run a table or figure of the paper again and compare, number by number.
    Repro(ReproArguments),
    /// Try many settings of fit, as a file lists them, and keep every result.
    Sweep(SweepArguments),
    /// Show a run, a sweep or reproduced tables as one HTML file that needs no network connection.
    Report(ReportArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ThreadsAndJson {
    /// Worker threads; the result does not depend on them [default: one per core].
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "General")]
    pub(crate) threads: Option<usize>,
    /// Print exactly one JSON object on standard output.
    #[arg(long, help_heading = "General")]
    pub(crate) json: bool,
}
