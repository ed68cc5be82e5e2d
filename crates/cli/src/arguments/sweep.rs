//! What can be given after `sweep` and `report`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};
use vi3nr_lab::sweep::slurm::SlurmOptions;
use vi3nr_lab::sweep::{ExecutorName, ExecutorRequest};

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
    /// Show which trials of a sweep run, wait or have ended on a cluster with Slurm
    Status(SweepQueueArguments),
    /// Store the results of the trials that have ended on a cluster with Slurm
    Collect(SweepQueueArguments),
    /// Cancel the jobs of a sweep on a cluster with Slurm; the same sweep continues later
    Cancel(SweepQueueArguments),
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SweepRunArguments {
    /// Settings to try, as TOML: see docs/sweeps.md
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// Number of trials at a time, or of tasks on a cluster [default: one per core, or as many as the
    /// cluster allows]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) jobs: Option<usize>,
    /// Where the trials run: in-process, process (a child process for each), slurm (a cluster), or
    /// auto, which is in-process if all trials are small and else process
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
    #[command(flatten)]
    pub(crate) slurm: SlurmArguments,
    /// Submit the trials and return; vi3nr sweep collect stores their results later
    #[arg(long, help_heading = "Cluster with Slurm")]
    pub(crate) detach: bool,
    /// The same as `vi3nr sweep status FILE`
    #[arg(long, hide = true)]
    pub(crate) status: bool,
}

/// What a job array asks of a cluster.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster with Slurm")]
pub(crate) struct SlurmArguments {
    /// Number of trials that a task runs, one after another [default: 1]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=100_000))]
    pub(crate) pack: Option<usize>,
    /// Number of processors of a task, and of threads of its fits [default: 1]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) cpus_per_task: Option<usize>,
    /// Partition
    #[arg(long, value_name = "NAME")]
    pub(crate) partition: Option<String>,
    /// Time limit of a task, such as 2:00:00; trials that exceed it continue in another task
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<String>,
    /// Memory of a task, such as 4G
    #[arg(long, value_name = "SIZE")]
    pub(crate) mem: Option<String>,
    /// Generic resources of a task, such as gpu:1
    #[arg(long, value_name = "LIST")]
    pub(crate) gres: Option<String>,
    /// Account
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Quality of service
    #[arg(long, value_name = "NAME")]
    pub(crate) qos: Option<String>,
    /// Another option of sbatch, such as --sbatch=--constraint=avx512; repeatable
    #[arg(long, value_name = "OPTION", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) sbatch: Vec<String>,
}

impl SlurmArguments {
    /// The executor `name` with these options.
    pub(crate) fn request(&self, name: ExecutorName, program: PathBuf) -> ExecutorRequest {
        let number = |number: Option<usize>| number.and_then(NonZeroUsize::new);
        let slurm = SlurmOptions {
            pack: number(self.pack),
            cpus_per_task: number(self.cpus_per_task),
            partition: self.partition.clone(),
            time: self.time.clone(),
            mem: self.mem.clone(),
            gres: self.gres.clone(),
            account: self.account.clone(),
            qos: self.qos.clone(),
            sbatch: self.sbatch.clone(),
        };
        ExecutorRequest { name, program, slurm }
    }
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct SweepQueueArguments {
    /// File of the sweep
    pub(crate) file: PathBuf,
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
