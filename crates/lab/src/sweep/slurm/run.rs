//! All rounds of a sweep on a cluster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::head::{Head, Round, Submitted, pause};
use super::status::{QueueStatus, cancel_tasks};
use super::{Slurm, SlurmError};
use crate::sweep::{Event, Plan, Store, SweepError, TrialFolders};

/// The shortest interval between two looks at the queue.
const MIN_INTERVAL: Duration = Duration::from_millis(500);
/// The interval is the time since the head began, divided by this number.
const SHARE: u32 = 20;

impl Slurm {
    /// Runs the pending trials until none is left or `stop` is set, and stores their results. Returns
    /// whether all trials have ended. At most `jobs` tasks run at a time; without `jobs` as many as
    /// the cluster allows.
    ///
    /// If it ends early, for whatever reason, the jobs continue, and another call waits for them.
    ///
    /// A trial whose task is lost is submitted again. If it made no progress since it was submitted,
    /// that counts as a failure, and it fails for good with the second one, like a fit that fails.
    ///
    /// # Errors
    /// Returns [`SweepError::Request`] before anything is submitted if the request of a trial is
    /// invalid, [`SweepError::Store`] if the database cannot be written, and [`SweepError::Slurm`]:
    /// [`SlurmError::Start`] if a command is missing, [`SlurmError::Refused`] if `sbatch` refuses an
    /// array and no other is in the queue, [`SlurmError::Silent`] if the queue cannot be read for some
    /// minutes, [`SlurmError::Unknown`] if other jobs run in the folder, and [`SlurmError::Cancelled`]
    /// after [`cancel`](super::cancel) in another process.
    pub fn run(
        &self,
        plan: &Plan,
        store: &mut Store,
        folders: &TrialFolders,
        jobs: Option<usize>,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, SweepError> {
        let mut head = Head::new(&self.commands, plan, store, folders)?;
        let mut patience = Patience::new(self, folders);
        let began = Instant::now();
        // The number of tasks in the queue when it refused another array, and why.
        let mut held: Option<(usize, String)> = None;
        loop {
            let Some(round) = head.round(stop, watch)? else { return Ok(false) };
            if round.pending() == 0 {
                head.end(&round)?;
                return Ok(true);
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            if round.is_cancelled {
                // Also what was submitted at the same time.
                cancel_tasks(&self.commands, folders.path())?;
                return Err(SlurmError::Cancelled.into());
            }
            let can_submit = held.as_ref().is_none_or(|(live, _)| round.live.len() < *live);
            let mut waiting = round.waiting;
            if patience.allows(&round)? && !round.open.is_empty() && can_submit {
                let Submitted { tasks, trials, refused } =
                    head.submit(self, &round, jobs, stop, watch)?;
                waiting += trials;
                let live = round.live.len() + tasks;
                held = match refused {
                    Some(refused) if live == 0 => return Err(refused.into()),
                    refused => refused.map(|why| (live, why.to_string())),
                };
            }
            let reason = held.as_ref().map(|(_, reason)| reason.as_str()).or(round.reason());
            watch(Event::Queued { running: round.running, waiting, reason });
            let interval = (began.elapsed() / SHARE).max(MIN_INTERVAL);
            if !pause(interval.min(self.commands.max_interval), stop, watch) {
                return Ok(false);
            }
        }
    }

    /// Stores the results of the trials that have ended, submits the pending ones that are not in the
    /// queue, and returns without waiting for them.
    ///
    /// # Errors
    /// As [`Slurm::run`]. What was submitted before an error is kept.
    pub fn submit(
        &self,
        plan: &Plan,
        store: &mut Store,
        folders: &TrialFolders,
        jobs: Option<usize>,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<QueueStatus, SweepError> {
        let mut head = Head::new(&self.commands, plan, store, folders)?;
        let mut patience = Patience::new(self, folders);
        let stop = AtomicBool::new(false);
        loop {
            let Some(round) = head.round(&stop, watch)? else { continue };
            if round.pending() == 0 {
                head.end(&round)?;
            } else if !patience.allows(&round)? {
                pause(MIN_INTERVAL.min(self.commands.max_interval), &stop, watch);
                continue;
            } else if !round.open.is_empty() {
                let submitted = head.submit(self, &round, jobs, &stop, watch)?;
                submitted.refused.map_or(Ok(()), Err)?;
                // Once more, for the status of what was submitted.
                let Some(round) = head.round(&stop, watch)? else { continue };
                return Ok(QueueStatus::of(&round));
            }
            return Ok(QueueStatus::of(&round));
        }
    }
}

/// How long tasks whose trials are unknown have run. Tasks of a sweep that has just ended may run for
/// another moment.
struct Patience<'a> {
    slurm: &'a Slurm,
    folders: &'a TrialFolders,
    since: Option<Instant>,
}

impl<'a> Patience<'a> {
    fn new(slurm: &'a Slurm, folders: &'a TrialFolders) -> Self {
        Self { slurm, folders, since: None }
    }

    /// Whether trials may be submitted, since no unknown task runs.
    fn allows(&mut self, round: &Round) -> Result<bool, SlurmError> {
        if round.unknown.is_empty() {
            self.since = None;
            return Ok(true);
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.slurm.commands.patience {
            return Ok(false);
        }
        let (jobs, path) = (round.unknown.join(", "), self.folders.path().to_owned());
        Err(SlurmError::Unknown { jobs, path })
    }
}
