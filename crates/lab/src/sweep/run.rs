//! The main loop of a sweep: it schedules trials, runs them and stores their results.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use serde_json::Value;
use vi3nr_inr::train::Stop;

use super::slurm::Submission;
use super::{
    Ended, Executor, Job, Outcome, Plan, Row, State, Store, SweepError, Trial, TrialFolders,
    TrialScore,
};

/// How many times a trial that fails is run in total.
const ATTEMPTS: u32 = 2;
/// The interval between two ticks.
const TICK: Duration = Duration::from_millis(200);

/// An event of a running sweep, for a display of its progress.
#[derive(Debug)]
pub enum Event<'a> {
    /// The scheduled trials have been determined.
    Planned {
        /// The number of scheduled trials.
        scheduled: usize,
        /// The number of these that have a result or have failed for good.
        ended: usize,
        /// The floating-point operations that are left, see [`Plan::estimate`].
        operations: f64,
        /// The number of trials that run at the same time.
        jobs: usize,
    },
    /// A trial has started.
    Started(&'a Trial),
    /// A trial has ended, for good unless `is_retried`.
    Ended {
        /// The trial.
        trial: &'a Trial,
        /// The row with its result.
        row: &'a Row,
        /// Whether it failed and will be run again.
        is_retried: bool,
    },
    /// A job array has been submitted to a cluster.
    Submitted {
        /// The number of the job.
        job: &'a str,
        /// The number of its tasks.
        tasks: usize,
        /// The number of trials that these run.
        trials: usize,
    },
    /// The cluster's queue has been looked at.
    Queued {
        /// The number of trials whose tasks run.
        running: usize,
        /// The number of trials whose tasks wait.
        waiting: usize,
        /// Why tasks wait, or why no more are submitted, if it is known.
        reason: Option<&'a str>,
    },
    /// Time has passed without another event.
    Tick,
}

impl Plan {
    /// The score of a trial in the store.
    ///
    /// # Errors
    /// As [`Plan::identity`].
    pub fn trial_score(&self, store: &Store, trial: &Trial) -> Result<TrialScore, SweepError> {
        Ok(match self.row(store, trial)? {
            Some(row) => self.score_of(row),
            None => TrialScore::Pending,
        })
    }

    fn score_of(&self, row: &Row) -> TrialScore {
        match row.state {
            State::Done | State::Diverged => self.score(row),
            State::Failed if row.attempts >= ATTEMPTS => TrialScore::Failed,
            State::Failed | State::Waiting => TrialScore::Pending,
        }
    }

    /// The value of the metric in a trial's result.
    fn score(&self, row: &Row) -> TrialScore {
        let number = row.result.as_ref().and_then(|result| result[&self.metric].as_f64());
        number.map_or(TrialScore::Failed, TrialScore::Score)
    }
}

/// The scheduled trials, given the results so far.
pub(super) struct Schedule {
    /// The number of trials that have a result or have failed for good.
    pub(super) ended: usize,
    /// The others, each once, with the numbers of their rows, in the order in which they run: the
    /// first file and seed of every configuration, then the second of every configuration. An
    /// interrupted sweep thus has compared as many configurations as possible.
    pub(super) pending: Vec<(Trial, i64)>,
}

impl Schedule {
    /// Schedules trials and adds rows for those that have none.
    pub(super) fn of(plan: &Plan, store: &mut Store) -> Result<Self, SweepError> {
        let scheduled = plan.strategy.scheduled(plan, &|trial| plan.trial_score(store, trial))?;
        let mut new = Vec::new();
        for trial in &scheduled {
            if plan.row(store, trial)?.is_none() {
                let key = plan.identity(trial)?.key.clone();
                new.push((key, Value::Object(trial.request().settings())));
            }
        }
        store.add(new)?;
        let mut pending: Vec<(usize, Trial, i64)> = Vec::new();
        let mut ids = HashSet::new();
        let mut replicates: HashMap<_, usize> = HashMap::new();
        let mut ended = 0;
        for trial in scheduled {
            let replicate = replicates.entry(trial.configuration(&[])).or_default();
            *replicate += 1;
            match plan.row(store, &trial)? {
                Some(row) if plan.score_of(row) == TrialScore::Pending => {
                    // A combination that occurs twice is run once.
                    if ids.insert(row.id) {
                        pending.push((*replicate, trial, row.id));
                    }
                }
                _ => ended += 1,
            }
        }
        // The sort is stable, so equal replicates keep the order of the settings.
        pending.sort_by_key(|(replicate, ..)| *replicate);
        let pending = pending.into_iter().map(|(_, trial, id)| (trial, id)).collect();
        Ok(Self { ended, pending })
    }

    /// What has been determined, where `jobs` trials run at the same time.
    ///
    /// # Errors
    /// As [`Plan::estimate`].
    pub(super) fn event(
        &self,
        plan: &Plan,
        store: &Store,
        jobs: usize,
    ) -> Result<Event<'static>, SweepError> {
        let operations = plan.estimate(store)?.operations;
        let (ended, pending) = (self.ended, self.pending.len());
        Ok(Event::Planned { scheduled: ended + pending, ended, operations, jobs })
    }
}

/// Runs the pending trials, `jobs` at a time, until none is left or `stop` is set. Returns whether
/// all trials have ended. Without `jobs` there is one per core.
///
/// # Errors
/// Returns [`SweepError::Request`] before anything is run if the request of a trial is invalid,
/// [`SweepError::Store`] if the database cannot be written, [`SweepError::Queued`] if trials are in
/// the queue of a cluster, and the errors of the executor. No trial is still running then, and the
/// results so far are kept.
pub fn run(
    plan: &Plan,
    store: &mut Store,
    folders: &TrialFolders,
    executor: &dyn Executor,
    jobs: Option<usize>,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<bool, SweepError> {
    let cores = vi3nr_engine::thread_count(None);
    loop {
        let schedule = Schedule::of(plan, store)?;
        let queued = Submission::read_all(folders.path())?;
        if schedule
            .pending
            .iter()
            .any(|(_, id)| queued.iter().any(|submission| submission.lists(*id)))
        {
            return Err(SweepError::Queued { path: folders.path().to_owned() });
        }
        let jobs = jobs.unwrap_or(cores).min(schedule.pending.len()).max(1);
        watch(schedule.event(plan, store, jobs)?);
        if schedule.pending.is_empty() {
            return Ok(true);
        }
        let threads = (cores / jobs).max(1);
        let mut queue = VecDeque::new();
        for (trial, id) in schedule.pending {
            let job = Job::new(plan, &trial, id, folders.path(), threads)?;
            queue.push_back((trial, Box::new(job)));
        }
        round(plan, store, executor, (queue, jobs), stop, watch)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
    }
}

enum Message {
    Started(Trial),
    Ended(Trial, Box<Job>, Result<Ended, SweepError>),
}

/// Runs the trials of `queue` until they end.
fn round(
    plan: &Plan,
    store: &mut Store,
    executor: &dyn Executor,
    (queue, jobs): (VecDeque<(Trial, Box<Job>)>, usize),
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<(), SweepError> {
    let queue = Mutex::new(queue);
    let queue = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let halt = AtomicBool::new(false);
    let ends = || stop.load(Ordering::Relaxed) || halt.load(Ordering::Relaxed);
    let next = || if ends() { None } else { queue().pop_front() };
    let (sender, messages) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            scope.spawn(move || {
                while let Some((trial, job)) = next() {
                    // The receiver outlives the senders.
                    let _ = sender.send(Message::Started(trial.clone()));
                    let ended = executor.execute(&job);
                    let _ = sender.send(Message::Ended(trial, job, ended));
                }
            });
        }
        drop(sender);
        let mut result = Ok(());
        loop {
            match messages.recv_timeout(TICK) {
                Ok(Message::Started(trial)) => watch(Event::Started(&trial)),
                // After an error no further result can be stored.
                Ok(Message::Ended(..)) if result.is_err() => {}
                Ok(Message::Ended(trial, job, ended)) => {
                    let is_stopping = stop.load(Ordering::Relaxed);
                    match ended.and_then(|end| store_result(plan, store, &job, end, is_stopping)) {
                        Ok(Some((row, is_retried))) => {
                            if is_retried {
                                queue().push_back((trial.clone(), job));
                            }
                            watch(Event::Ended { trial: &trial, row: &row, is_retried });
                        }
                        Ok(None) => {}
                        Err(error) => {
                            result = Err(error);
                            halt.store(true, Ordering::Relaxed);
                            executor.stop();
                        }
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    watch(Event::Tick);
                    // Repeatedly, since a trial may have started after the last call.
                    if ends() {
                        executor.stop();
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return result,
            }
        }
    })
}

/// Stores the result of a trial. `None` for a trial that was interrupted, which stays pending.
pub(super) fn store_result(
    plan: &Plan,
    store: &mut Store,
    job: &Job,
    Ended { outcome, seconds }: Ended,
    is_stopping: bool,
) -> Result<Option<(Row, bool)>, SweepError> {
    let Some(before) = store.get(&job.key).cloned() else { return Ok(None) };
    let (state, result, error) = match outcome {
        Outcome::Interrupted => return Ok(None),
        // Ctrl-C reaches child processes before the executor knows of it.
        Outcome::Failed(_) if is_stopping => return Ok(None),
        Outcome::Report(report) if report["stopped"] == Stop::Diverged.as_str() => {
            (State::Diverged, Some(report), None)
        }
        Outcome::Report(report) => (State::Done, Some(report), None),
        Outcome::Failed(message) => (State::Failed, None, Some(message)),
    };
    let row = Row { state, attempts: before.attempts + 1, result, error, seconds, ..before };
    store.put(row.clone())?;
    let is_retried = plan.score_of(&row) == TrialScore::Pending;
    Ok(Some((row, is_retried)))
}
