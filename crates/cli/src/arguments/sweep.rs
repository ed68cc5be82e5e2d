//! What can be given after `sweep` and `report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vi3nr_lab::sweep::ExecutorName;

use super::BackendArguments;
use super::values::{executor, threads, whole};

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
    /// Show the results of a sweep so far: the best, all trials as CSV, maps and curves
    Report(SweepReportArguments),
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SweepRunArguments {
    /// Settings to try, as TOML: see docs/sweeps.md
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// Number of trials at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) jobs: Option<usize>,
    /// Where the trials run: in-process, process (a child process for each), or auto, which is
    /// in-process if all trials are small
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = executor())]
    #[arg(hide_possible_values = true)]
    pub(crate) executor: ExecutorName,
    /// Run failed trials once more
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Print the settings of the trials that would run, and run none
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Database of the results [default: FILE.sqlite]
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SweepReportArguments {
    /// File of the sweep
    pub(crate) file: PathBuf,
    /// Database of the results [default: FILE.sqlite]
    #[arg(long, value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Directory for trials.csv and the figures [default: FILE.report]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Number of configurations that are printed
    #[arg(long, value_name = "N", default_value = "10")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) best: usize,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct ReportArguments {
    /// Run directory, a sweep's TOML file, or a directory of vi3nr repro
    pub(crate) result: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}
