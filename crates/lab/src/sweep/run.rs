//! The loop of a sweep: what is wanted, who runs it, what came out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::{ChildExecutor, Ended, Plan, Row, State, Store, SweepError, Trial, Verdict};

/// How often a trial that fails is run in all.
const ATTEMPTS: u32 = 2;
/// How often the watcher is called where nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// What happens in a sweep, for whoever shows it.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many trials are known to be wanted; so many of them have ended.
    Planned {
        /// Wanted.
        wanted: usize,
        /// Of these, with a result or given up.
        ended: usize,
        /// That run side by side.
        jobs: usize,
    },
    /// A trial begins.
    Started(&'a Trial),
    /// A trial has ended, for good unless `is_retried`.
    Ended {
        /// Which.
        trial: &'a Trial,
        /// What is known of it now.
        row: &'a Row,
        /// Whether it will be run once more.
        is_retried: bool,
    },
    /// Some time has passed.
    Tick,
}

impl Plan {
    /// What the store knows of a trial.
    pub fn verdict(&self, store: &Store, trial: &Trial) -> Verdict {
        match store.get(trial) {
            Some(row) if row.state == State::Done => self.score(row),
            Some(row) if row.state == State::Failed && row.attempts >= ATTEMPTS => Verdict::Failed,
            _ => Verdict::Open,
        }
    }

    /// The number that decides, of a trial that is done.
    fn score(&self, row: &Row) -> Verdict {
        let number = row.result.as_ref().and_then(|result| result[&self.metric].as_f64());
        number.map_or(Verdict::Failed, Verdict::Score)
    }
}

/// Runs what is wanted and has not ended, `jobs` trials at a time, until nothing is left or `stop` is
/// set. Returns whether all ended.
///
/// # Errors
/// A database that cannot be written, a program that cannot be started. What was reached is kept.
pub fn run(
    plan: &Plan,
    store: &mut Store,
    executor: &ChildExecutor,
    jobs: Option<usize>,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<bool, SweepError> {
    let cores = vi3nr_engine::thread_count(None);
    loop {
        let wanted = plan.strategy.wanted(plan, &|trial| plan.verdict(store, trial))?;
        store.add(&wanted)?;
        let is_open = |trial: &&Trial| plan.verdict(store, trial) == Verdict::Open;
        let mut open: Vec<Trial> = wanted.iter().filter(is_open).cloned().collect();
        // A combination that is listed twice is run once.
        let mut ids = std::collections::HashSet::new();
        open.retain(|trial| store.get(trial).is_some_and(|row| ids.insert(row.id)));
        let jobs = jobs.unwrap_or(cores).min(open.len()).max(1);
        let ended = wanted.len() - open.len();
        watch(Event::Planned { wanted: wanted.len(), ended, jobs });
        if open.is_empty() {
            return Ok(true);
        }
        round(plan, store, executor, (open, jobs, (cores / jobs).max(1)), stop, watch)?;
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
    }
}

enum Message {
    Started(Trial),
    Ended(Trial, Result<Ended, SweepError>),
}

/// Runs `open` trials to their ends.
fn round(
    plan: &Plan,
    store: &mut Store,
    executor: &ChildExecutor,
    (open, jobs, threads): (Vec<Trial>, usize, usize),
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<(), SweepError> {
    let numbered = open.into_iter().filter_map(|trial| Some((store.get(&trial)?.id, trial)));
    let queue: Mutex<VecDeque<(i64, Trial)>> = Mutex::new(numbered.collect());
    let halt = AtomicBool::new(false);
    let next = || {
        if stop.load(Ordering::Relaxed) || halt.load(Ordering::Relaxed) {
            return None;
        }
        queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    };
    let (sender, messages) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let sender = sender.clone();
            scope.spawn(move || {
                while let Some((id, trial)) = next() {
                    // The receiver outlives the senders.
                    let _ = sender.send(Message::Started(trial.clone()));
                    let ended = executor.execute(&trial, id, threads);
                    let _ = sender.send(Message::Ended(trial, ended));
                }
            });
        }
        drop(sender);
        let mut result = Ok(());
        loop {
            match messages.recv_timeout(TICK) {
                Ok(Message::Started(trial)) => watch(Event::Started(&trial)),
                Ok(Message::Ended(trial, ended)) => {
                    if result.is_err() {
                        continue;
                    }
                    match keep(plan, store, &trial, ended, stop) {
                        Ok(Some((row, is_retried))) => {
                            if is_retried {
                                let mut queue =
                                    queue.lock().unwrap_or_else(PoisonError::into_inner);
                                queue.push_back((row.id, trial.clone()));
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
                    if stop.load(Ordering::Relaxed) {
                        executor.stop();
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return result,
            }
        }
    })
}

/// Keeps how a trial ended. `None` for one that was cut off and counts as not begun.
fn keep(
    plan: &Plan,
    store: &mut Store,
    trial: &Trial,
    ended: Result<Ended, SweepError>,
    stop: &AtomicBool,
) -> Result<Option<(Row, bool)>, SweepError> {
    let ended = ended?;
    let Some(before) = store.get(trial).cloned() else { return Ok(None) };
    let was_cut = |result: &serde_json::Value| result["stopped"] == "interrupted";
    let row = match ended.result {
        Some(result) if was_cut(&result) => return Ok(None),
        Some(result) => Row {
            state: State::Done,
            attempts: before.attempts + 1,
            result: Some(result),
            error: None,
            seconds: ended.seconds,
            ..before
        },
        None if stop.load(Ordering::Relaxed) => return Ok(None),
        None => Row {
            state: State::Failed,
            attempts: before.attempts + 1,
            result: None,
            error: Some(ended.error),
            seconds: ended.seconds,
            ..before
        },
    };
    store.put(trial, row.clone())?;
    let is_retried = plan.verdict(store, trial) == Verdict::Open;
    Ok(Some((row, is_retried)))
}
