//! The trials of a sweep in the queue: seen, collected and cancelled.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::head::{Head, Round};
use super::look::{Look, Whereabouts};
use super::queue::Stage;
use super::submission::Submission;
use super::{SlurmCommands, job_name};
use crate::sweep::{Event, Job, Plan, Store, SweepError, TrialFolders};

/// Where the scheduled trials of a sweep are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatus {
    /// The number of trials whose result is in the database, or that have failed for good.
    pub ended: usize,
    /// The number of trials that have ended and whose results are not in the database yet.
    pub uncollected: usize,
    /// The number of trials whose tasks run.
    pub running: usize,
    /// The number of trials whose tasks wait.
    pub waiting: usize,
    /// The number of trials that are to be submitted: new ones, and those that were lost.
    pub open: usize,
    /// The tasks that wait or run.
    pub tasks: Vec<QueuedTask>,
}

/// A task in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedTask {
    /// The number of the job array.
    pub job: String,
    /// The index of the task in the array.
    pub index: usize,
    /// Whether the task runs.
    pub is_running: bool,
    /// The state as Slurm calls it, with the reason and the nodes.
    pub state: String,
}

impl QueueStatus {
    pub(super) fn of(round: &Round) -> Self {
        let (ended, running, waiting) = (round.ended, round.running, round.waiting);
        let tasks = queued(&round.live);
        Self { ended, uncollected: 0, running, waiting, open: round.open.len(), tasks }
    }
}

fn queued(tasks: &[super::queue::Task]) -> Vec<QueuedTask> {
    let live = tasks.iter().filter(|task| task.is_live());
    live.map(|task| QueuedTask {
        job: task.job.clone(),
        index: task.index,
        is_running: task.stage == Stage::Running,
        state: task.state.clone(),
    })
    .collect()
}

/// Stores the results of the trials that have ended, and submits none.
///
/// # Errors
/// Returns [`SweepError::Store`] if the database cannot be written, and [`SweepError::Slurm`] if the
/// queue cannot be read for some minutes.
pub fn collect(
    commands: &SlurmCommands,
    plan: &Plan,
    store: &mut Store,
    folders: &TrialFolders,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<QueueStatus, SweepError> {
    let mut head = Head::new(commands, plan, store, folders)?;
    loop {
        let Some(round) = head.round(&AtomicBool::new(false), watch)? else { continue };
        if round.pending() == 0 {
            head.end(&round)?;
        }
        return Ok(QueueStatus::of(&round));
    }
}

/// Where the trials with rows in `store` and run directories in the folder `trials` are. Nothing is
/// written, and another process may run the sweep meanwhile.
///
/// # Errors
/// Returns [`SweepError::Slurm`] if the queue cannot be read for some minutes.
pub fn status(
    commands: &SlurmCommands,
    plan: &Plan,
    store: &Store,
    trials: &Path,
) -> Result<QueueStatus, SweepError> {
    let trials = absolute(trials)?;
    commands.contact()?;
    let tasks = commands.tasks(&job_name(&trials), &mut sleep)?.unwrap_or_default();
    let submissions = Submission::read_all(&trials)?;
    let seen = HashSet::new();
    let look = Look::new(&submissions, &tasks, &seen);
    let mut status = QueueStatus { tasks: queued(&tasks), ..QueueStatus::default() };
    let mut ids = HashSet::new();
    for trial in plan.strategy.scheduled(plan, &|trial| plan.trial_score(store, trial))? {
        let row = plan.row(store, &trial)?;
        let is_pending = plan.trial_score(store, &trial)? == crate::sweep::TrialScore::Pending;
        match row {
            Some(_) if !is_pending => status.ended += 1,
            Some(row) if ids.insert(row.id) => {
                let job = Job::new(plan, &trial, row.id, &trials, 1)?;
                match look.whereabouts(&job, row.attempts) {
                    Whereabouts::Ended(_) => status.uncollected += 1,
                    Whereabouts::Queued(Stage::Waiting) => status.waiting += 1,
                    Whereabouts::Queued(_) => status.running += 1,
                    Whereabouts::Open | Whereabouts::Lost(_) => status.open += 1,
                }
            }
            Some(_) => {}
            None => status.open += 1,
        }
    }
    Ok(status)
}

/// Cancels the jobs of the sweep with the folder `trials`, and returns their numbers. Trials that run
/// write a checkpoint, from which another run of the sweep continues.
///
/// # Errors
/// Returns [`SweepError::Directory`] if the folder cannot be used, and [`SweepError::Slurm`] if the
/// queue cannot be read, or jobs cannot be cancelled, for some minutes.
pub fn cancel(commands: &SlurmCommands, trials: &Path) -> Result<Vec<String>, SweepError> {
    let trials = absolute(trials)?;
    // First, so that no task begins, and a head that waits submits no others.
    for submission in Submission::read_all(&trials)? {
        submission.cancel(&trials)?;
    }
    commands.contact()?;
    cancel_tasks(commands, &trials)
}

/// Cancels the jobs that are in the queue, with the patience of a head that waits.
pub(super) fn cancel_tasks(
    commands: &SlurmCommands,
    trials: &Path,
) -> Result<Vec<String>, SweepError> {
    let tasks = commands.tasks(&job_name(trials), &mut sleep)?.unwrap_or_default();
    let mut jobs: Vec<String> =
        tasks.into_iter().filter(|task| task.is_live()).map(|task| task.job).collect();
    jobs.sort();
    jobs.dedup();
    if !jobs.is_empty() {
        commands.cancel(&jobs.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(jobs)
}

fn absolute(trials: &Path) -> Result<std::path::PathBuf, SweepError> {
    std::fs::canonicalize(trials)
        .map_err(|source| SweepError::Directory { path: trials.to_owned(), source })
}

fn sleep(time: Duration) -> bool {
    std::thread::sleep(time);
    true
}
