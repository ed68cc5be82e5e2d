//! What can be given after `sweep` and `report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vi3nr_lab::sweep::ExecutorName;

use super::values::{executor, threads};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SweepArguments {
    #[command(subcommand)]
    pub(crate) command: Option<SweepCommand>,
    #[command(flatten)]
    pub(crate) run: SweepRunArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SweepCommand {
    /// Show what a sweep has found so far: the best, all trials as CSV, maps and curves.
    Report(SweepReportArguments),
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SweepRunArguments {
    /// What to try, as TOML: see docs/sweeps.md.
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// The number of trials at a time [default: one per core].
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) jobs: Option<usize>,
    /// Who runs the trials: this process, or a process for each; auto takes this process where all are
    /// small.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = executor())]
    pub(crate) executor: ExecutorName,
    /// Run trials that have failed once more.
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Print the settings of the trials that would be run, and run none.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The file that results are kept in [default: FILE.sqlite].
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SweepReportArguments {
    /// The file of the sweep.
    pub(crate) file: PathBuf,
    /// The file that results are kept in [default: FILE.sqlite].
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Write trials.csv and the figures here [default: FILE.report].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The number of configurations that are printed.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) best: usize,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct ReportArguments {
    /// A run directory, a sweep's TOML file, or a directory of vi3nr repro.
    pub(crate) result: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
