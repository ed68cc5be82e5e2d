//! One round of a head: results are stored, and what no task lists is submitted.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vi3nr_inr::atomic_file::write_atomically;

use super::look::{Look, Whereabouts};
use super::queue::{Stage, Task};
use super::submission::{Entry, Submission, folder, progress};
use super::{Slurm, SlurmCommands, SlurmError, job_name};
use crate::sweep::executor::prepare;
use crate::sweep::run::{Schedule, store_result};
use crate::sweep::{Ended, Event, Job, Outcome, Plan, Store, SweepError, Trial, TrialFolders};

/// The script of a task.
const SCRIPT: &str = include_str!("task.sh");
/// The interval between two ticks.
const TICK: Duration = Duration::from_millis(200);

/// A head with the results of its sweep.
pub(super) struct Head<'a> {
    commands: &'a SlurmCommands,
    plan: &'a Plan,
    store: &'a mut Store,
    folders: &'a TrialFolders,
    name: String,
    /// The submissions that were not cancelled when this head first saw them.
    active: HashSet<u64>,
    /// The tasks that were in the queue, or were accepted by it.
    seen: HashSet<(u64, usize)>,
    /// The number of scheduled trials that was last told.
    planned: Option<usize>,
}

/// The trials that have not ended, at the end of a round.
#[derive(Default)]
pub(super) struct Round {
    /// The number of trials that have ended.
    pub(super) ended: usize,
    /// The number of trials whose tasks run.
    pub(super) running: usize,
    /// The number of trials whose tasks wait.
    pub(super) waiting: usize,
    /// Trials to submit.
    pub(super) open: Vec<Open>,
    /// The sweep's tasks in the queue that wait or run.
    pub(super) live: Vec<Task>,
    /// Tasks that run although nothing lists their trials.
    pub(super) unknown: Vec<String>,
    /// Whether the jobs were cancelled after this head began.
    pub(super) is_cancelled: bool,
    submissions: Vec<Submission>,
}

/// What a head has submitted.
#[derive(Default)]
pub(super) struct Submitted {
    /// The number of tasks.
    pub(super) tasks: usize,
    /// The number of their trials.
    pub(super) trials: usize,
    /// Why no more were submitted, if the queue refused an array.
    pub(super) refused: Option<SlurmError>,
}

/// A trial that no task lists.
pub(super) struct Open {
    trial: Trial,
    job: Job,
    /// How many times it has ended.
    attempts: u32,
}

impl Round {
    /// The number of trials that have not ended.
    pub(super) fn pending(&self) -> usize {
        self.running + self.waiting + self.open.len()
    }

    /// Why tasks wait, as Slurm says of the first one that gives a reason.
    pub(super) fn reason(&self) -> Option<&str> {
        let waiting = self.live.iter().filter(|task| task.stage == Stage::Waiting);
        waiting.map(|task| task.reason.as_str()).find(|reason| !matches!(*reason, "" | "None"))
    }
}

impl<'a> Head<'a> {
    /// A head of a cluster that answers.
    pub(super) fn new(
        commands: &'a SlurmCommands,
        plan: &'a Plan,
        store: &'a mut Store,
        folders: &'a TrialFolders,
    ) -> Result<Self, SweepError> {
        commands.contact()?;
        let name = job_name(folders.path());
        let all = Submission::read_all(folders.path())?;
        let active =
            all.into_iter().filter(|own| !own.is_cancelled).map(|own| own.number).collect();
        let seen = HashSet::new();
        Ok(Self { commands, plan, store, folders, name, active, seen, planned: None })
    }

    /// Stores what has ended and finds out where the other trials are; `None` once `stop` is set.
    pub(super) fn round(
        &mut self,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<Round>, SweepError> {
        // The queue first: what has left it has written all its files.
        let mut wait = |time| pause(time, stop, watch);
        let Some(tasks) = self.commands.tasks(&self.name, &mut wait)? else { return Ok(None) };
        self.seen.extend(tasks.iter().map(|task| (task.submission, task.index)));
        let submissions = Submission::read_all(self.folders.path())?;
        let seen = self.seen.clone();
        let look = Look::new(&submissions, &tasks, &seen);
        let mut has_waited = false;
        let mut round = loop {
            let schedule = Schedule::of(self.plan, self.store)?;
            self.tell_planned(&schedule, watch)?;
            let mut round = Round { ended: schedule.ended, ..Round::default() };
            let (mut has_stored, mut has_left) = (false, false);
            for (trial, id) in schedule.pending {
                let (job, attempts) = self.job(&trial, id)?;
                let whereabouts = look.whereabouts(&job, attempts);
                has_left |= look.has_left(id) && !matches!(whereabouts, Whereabouts::Ended(_));
                let outcome = match whereabouts {
                    Whereabouts::Queued(Stage::Waiting) => {
                        round.waiting += 1;
                        continue;
                    }
                    Whereabouts::Queued(_) => {
                        round.running += 1;
                        continue;
                    }
                    Whereabouts::Open => {
                        round.open.push(Open { trial, job, attempts });
                        continue;
                    }
                    Whereabouts::Ended(report) => Outcome::Report(report),
                    // A network file system may show its files later.
                    Whereabouts::Lost(_) if !has_waited => continue,
                    Whereabouts::Lost(message) => Outcome::Failed(message),
                };
                self.put(&trial, &job, outcome, watch)?;
                has_stored = true;
            }
            let must_wait = has_left && !has_waited;
            if must_wait && !pause(self.commands.delay, stop, watch) {
                return Ok(None);
            }
            has_waited |= must_wait;
            if !has_stored && !must_wait {
                break round;
            }
        };
        let is_listed = |number| submissions.iter().any(|own: &Submission| own.number == number);
        round.is_cancelled =
            submissions.iter().any(|own| own.is_cancelled && self.active.contains(&own.number));
        let running = |task: &&Task| task.stage == Stage::Running && !is_listed(task.submission);
        round.unknown = tasks.iter().filter(running).map(Task::name).collect();
        round.live = tasks.into_iter().filter(Task::is_live).collect();
        round.submissions = self.without_ended(submissions, &round.live)?;
        Ok(Some(round))
    }

    /// Removes the submissions none of whose tasks is in the queue. Their losses have been stored.
    fn without_ended(
        &self,
        submissions: Vec<Submission>,
        live: &[Task],
    ) -> Result<Vec<Submission>, SweepError> {
        let mut kept = Vec::new();
        for submission in submissions {
            if live.iter().any(|task| task.submission == submission.number) {
                kept.push(submission);
            } else {
                submission.remove(self.folders.path())?;
            }
        }
        Ok(kept)
    }

    /// Removes all submissions, when every trial has ended.
    pub(super) fn end(&self, round: &Round) -> Result<(), SweepError> {
        round.submissions.iter().try_for_each(|own| own.remove(self.folders.path()))
    }

    fn job(&self, trial: &Trial, id: i64) -> Result<(Job, u32), SweepError> {
        let row = self.plan.row(self.store, trial)?;
        let attempts = row.map_or(0, |row| row.attempts);
        // The number of threads follows from the task.
        Ok((Job::new(self.plan, trial, id, self.folders.path(), 1)?, attempts))
    }

    fn tell_planned(
        &mut self,
        schedule: &Schedule,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), SweepError> {
        let scheduled = schedule.ended + schedule.pending.len();
        if self.planned.replace(scheduled) != Some(scheduled) {
            watch(schedule.event(self.plan, self.store, 1)?);
        }
        Ok(())
    }

    fn put(
        &mut self,
        trial: &Trial,
        job: &Job,
        outcome: Outcome,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), SweepError> {
        let seconds = match &outcome {
            Outcome::Report(report) => report["seconds"].as_f64().unwrap_or(0.0),
            _ => 0.0,
        };
        let ended = Ended { outcome, seconds };
        if let Some((row, is_retried)) = store_result(self.plan, self.store, job, ended, false)? {
            watch(Event::Ended { trial, row: &row, is_retried });
        }
        Ok(())
    }

    /// Submits the open trials of a round, in as many arrays as needed, of which at most `jobs` tasks
    /// run at a time.
    pub(super) fn submit(
        &mut self,
        slurm: &Slurm,
        round: &Round,
        jobs: Option<usize>,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Submitted, SweepError> {
        let trials = self.folders.path();
        let script = folder(trials).join("task.sh");
        fs::create_dir_all(folder(trials))
            .map_err(|source| SweepError::Directory { path: folder(trials), source })?;
        write_atomically(&script, |writer| writer.write_all(SCRIPT.as_bytes()))?;
        let mut entries = Vec::new();
        for Open { trial, job, attempts } in &round.open {
            if let Err(outcome) = prepare(job) {
                self.put(trial, job, outcome, watch)?;
                continue;
            }
            // A log shows that the trial was begun by this submission.
            let log = job.directory.with_extension("log");
            if let Err(source) = fs::remove_file(&log)
                && source.kind() != std::io::ErrorKind::NotFound
            {
                return Err(SweepError::Directory { path: log, source });
            }
            let progress = progress(&job.directory);
            entries.push(Entry { id: job.id, attempts: *attempts, progress });
        }
        let tasks: Vec<Vec<Entry>> = entries.chunks(slurm.pack).map(<[Entry]>::to_vec).collect();
        let mut before: Vec<String> = Vec::new();
        before.extend(round.live.iter().map(|task| task.job.clone()));
        before.dedup();
        let mut submitted = Submitted::default();
        for tasks in tasks.chunks(self.commands.max_array_size()?) {
            let submission = Submission {
                number: self.next_number(),
                is_cancelled: false,
                tasks: tasks.to_vec(),
            };
            submission.write(trials)?;
            let after = if jobs.is_some() { &before[..] } else { &[] };
            let words = self.words(slurm, &submission, jobs, after);
            let job = match self.accepted(&words, submission.number, stop, watch)? {
                Ok(job) => job,
                Err(refused) => {
                    submission.remove(trials)?;
                    return Ok(Submitted { refused: Some(refused), ..submitted });
                }
            };
            self.active.insert(submission.number);
            self.seen.extend((0..tasks.len()).map(|task| (submission.number, task)));
            let trials = tasks.iter().map(Vec::len).sum();
            watch(Event::Submitted { job: &job, tasks: tasks.len(), trials });
            submitted.tasks += tasks.len();
            submitted.trials += trials;
            before.push(job);
        }
        Ok(submitted)
    }

    /// The words for `sbatch`. The options of the user come after defaults and before those by which
    /// jobs are recognized, since the last one counts.
    fn words(
        &self,
        slurm: &Slurm,
        submission: &Submission,
        jobs: Option<usize>,
        after: &[String],
    ) -> Vec<OsString> {
        let trials = self.folders.path();
        let (number, last) = (submission.number, submission.tasks.len() - 1);
        // A path in `--output` would have its percent signs and backslashes replaced.
        let mut words: Vec<OsString> = vec!["--output=/dev/null".into(), "--chdir=/".into()];
        if !after.is_empty() {
            words.push(format!("--dependency=afterany:{}", after.join(":")).into());
        }
        words.extend(slurm.words.iter().map(OsString::from));
        let limit = jobs.map_or_else(String::new, |jobs| format!("%{jobs}"));
        words.extend([
            "--parsable".into(),
            format!("--job-name={}{number}", self.name).into(),
            format!("--array=0-{last}{limit}").into(),
            folder(trials).join("task.sh").into(),
            slurm.program.clone().into(),
            trials.into(),
            number.to_string().into(),
        ]);
        words
    }

    /// Submits an array. `sbatch` may fail although the array was accepted, for example if the answer
    /// took too long; the queue decides.
    fn accepted(
        &self,
        words: &[OsString],
        number: u64,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Result<String, SlurmError>, SweepError> {
        let refused = match self.commands.submit(words) {
            Ok(job) => return Ok(Ok(job)),
            Err(refused @ SlurmError::Refused { .. }) => refused,
            Err(error) => return Err(error.into()),
        };
        let mut wait = |time| pause(time, stop, watch);
        let tasks = self.commands.tasks(&self.name, &mut wait)?.unwrap_or_default();
        let own = tasks.into_iter().find(|task| task.submission == number);
        Ok(own.map(|task| task.job).ok_or(refused))
    }

    /// A number that no submission of this sweep had before, also of those whose lists are gone.
    fn next_number(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
        let last = self.active.iter().max().copied().unwrap_or(0);
        u64::try_from(now).unwrap_or(0).max(last + 1)
    }
}

/// Waits, and ticks. Returns false as soon as `stop` is set.
pub(super) fn pause(time: Duration, stop: &AtomicBool, watch: &mut dyn FnMut(Event<'_>)) -> bool {
    let end = Instant::now() + time;
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        watch(Event::Tick);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(TICK));
    }
}
