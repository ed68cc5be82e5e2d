//! Running the trials of a sweep on a cluster with Slurm, as tasks of job arrays.
//!
//! A sweep on a cluster has a head, the process that calls [`Slurm::run`]. It submits the pending
//! trials, waits, stores the results of those that have ended and submits again those that were lost.
//! It has no state of its own: another head that starts later knows from the rows which trials are
//! pending, from the queue which of them wait or run, and from the run directories which have ended.
//! [`Slurm::submit`] and [`collect`] do one round of the same work without waiting.
//!
//! - `options`: what a job asks of the cluster;
//! - `commands`: `sbatch`, `squeue`, `scancel` and `scontrol`;
//! - `queue`: the tasks in the queue;
//! - `submission`: the lists by which tasks know their trials;
//! - `task.sh`: the script of a task;
//! - `look`: what has become of a trial;
//! - `head`: one round, and `run`: all of them;
//! - `status`: a view of the queue.
//!
//! The name of a job contains a hash of the folder of the trials. A job of this name is never
//! submitted twice for the same trial: a trial is submitted only if no waiting or running task lists
//! it, and a task whose list has been removed does nothing.

mod commands;
mod error;
mod head;
mod look;
mod options;
mod queue;
mod run;
mod status;
mod submission;

use std::path::{Path, PathBuf};

pub use commands::SlurmCommands;
pub use error::SlurmError;
pub use options::SlurmOptions;
pub use status::{QueueStatus, QueuedTask, cancel, collect, status};
pub(super) use submission::Submission;

/// Runs the trials of sweeps on a cluster.
#[derive(Debug, Clone)]
pub struct Slurm {
    /// `vi3nr`, at a path that is the same on all nodes.
    program: PathBuf,
    /// The number of trials of a task.
    pack: usize,
    /// Options of `sbatch`.
    words: Vec<String>,
    commands: SlurmCommands,
}

impl Slurm {
    /// Runs trials by `program`, which is `vi3nr` at a path that exists on all nodes, as the folder of
    /// the sweep and the files that it names must.
    ///
    /// # Errors
    /// Returns [`SlurmError::Option`] if an option of `sbatch` is not one.
    pub fn new(program: PathBuf, options: &SlurmOptions) -> Result<Self, SlurmError> {
        // Tasks run in another working directory.
        let program = std::path::absolute(&program).unwrap_or(program);
        let commands = SlurmCommands::default();
        Ok(Self { program, pack: options.pack(), words: options.words()?, commands })
    }

    /// The same with other commands.
    #[must_use]
    pub fn with_commands(self, commands: SlurmCommands) -> Self {
        Self { commands, ..self }
    }
}

/// The name of the jobs of the sweep with this folder of trials, up to the number of a submission:
/// `vi3nr-NAME-HASH-`.
fn job_name(trials: &Path) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let stem = trials.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = stem.chars().filter(is_plain).take(20).collect();
    // FNV-1a: a hash that no later version may change.
    let hash =
        trials.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
    format!("vi3nr-{stem}-{hash:016x}-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_jobs_identify_the_folder() {
        let name = job_name(Path::new("/home/a b/it's \"1\".trials"));
        assert!(name.starts_with("vi3nr-its1-"), "{name}");
        assert_eq!(name.len(), "vi3nr-its1--".len() + 16);
        assert_ne!(
            job_name(Path::new("/home/b/s.trials")),
            job_name(Path::new("/home/c/s.trials"))
        );
        // FNV-1a of "a", from the authors' test vectors.
        assert_eq!(job_name(Path::new("a")), "vi3nr-a-af63dc4c8601ec8c-");
        let long = "x".repeat(300);
        assert_eq!(job_name(Path::new(&long)).len(), "vi3nr--".len() + 20 + 1 + 16);
    }
}
