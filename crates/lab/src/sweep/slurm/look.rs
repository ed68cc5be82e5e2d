//! What has become of a trial: the queue, the submissions and the run directories together.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;
use vi3nr_inr::run_directory::{RunDirectory, StoredRun};

use super::queue::{Stage, Task};
use super::submission::{Entry, Submission, progress};
use crate::sweep::Job;
use crate::sweep::executor::{CHANGED, tail};

/// The number of bytes at the end of a log that are read.
const MAX_LOG_BYTES: u64 = 16_384;

/// What has become of a trial.
#[derive(Debug, PartialEq)]
pub(super) enum Whereabouts {
    /// It has ended with this report.
    Ended(Value),
    /// A task that waits or runs lists it.
    Queued(Stage),
    /// No task lists it.
    Open,
    /// Its task has ended without a result or progress; the message says why.
    Lost(String),
}

/// The submissions and the tasks in the queue at one time.
pub(super) struct Look<'a> {
    submissions: &'a [Submission],
    tasks: HashMap<(u64, usize), &'a Task>,
    /// Tasks that are known to have been submitted.
    seen: &'a HashSet<(u64, usize)>,
    /// Where each trial is listed: the positions of the submission and of the task, in the order of
    /// submission.
    listed: HashMap<i64, Vec<(usize, usize, &'a Entry)>>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        submissions: &'a [Submission],
        tasks: &'a [Task],
        seen: &'a HashSet<(u64, usize)>,
    ) -> Self {
        let tasks = tasks.iter().map(|task| ((task.submission, task.index), task)).collect();
        let mut listed: HashMap<_, Vec<_>> = HashMap::new();
        for (position, submission) in submissions.iter().enumerate() {
            for (task, entry) in submission.entries() {
                listed.entry(entry.id).or_default().push((position, task, entry));
            }
        }
        Self { submissions, tasks, seen, listed }
    }

    /// The task that waits or runs and lists the trial.
    pub(super) fn live_task(&self, id: i64) -> Option<&'a Task> {
        let listed = self.listed.get(&id)?;
        let task = |(submission, task, _): &(usize, usize, &Entry)| {
            self.tasks.get(&(self.submissions[*submission].number, *task)).copied()
        };
        listed.iter().filter_map(task).find(|task| task.is_live())
    }

    /// Whether a task that has listed the trial has ended.
    pub(super) fn has_left(&self, id: i64) -> bool {
        self.listed.contains_key(&id) && self.live_task(id).is_none()
    }

    /// What has become of the trial of `job`, which had ended `attempts` times before.
    pub(super) fn whereabouts(&self, job: &Job, attempts: u32) -> Whereabouts {
        let live = self.live_task(job.id).map(|task| task.stage);
        // A task that waits has not begun, unless Slurm is to start it again.
        let has_begun = || job.directory.with_extension("log").exists();
        if live == Some(Stage::Waiting) && !has_begun() {
            return Whereabouts::Queued(Stage::Waiting);
        }
        let is_another = match RunDirectory::read(&job.directory) {
            Ok(StoredRun::Current(record)) if record.plan.canonical() == job.key => {
                match (record.has_ended(), record.report) {
                    (true, Some(report)) => return Whereabouts::Ended(report),
                    _ => false,
                }
            }
            Ok(_) => true,
            Err(_) => false,
        };
        if let Some(stage) = live {
            return Whereabouts::Queued(stage);
        }
        match self.listed.get(&job.id).and_then(|listed| listed.last()) {
            Some((submission, task, entry)) if entry.attempts == attempts => {
                let submission = &self.submissions[*submission];
                match self.loss(submission, *task, entry, &job.directory) {
                    // The directory was empty, or held a run of this trial.
                    Some(_) if is_another => Whereabouts::Lost(CHANGED.into()),
                    Some(message) => Whereabouts::Lost(message),
                    None => Whereabouts::Open,
                }
            }
            // It was never submitted, or its loss has been stored.
            _ => Whereabouts::Open,
        }
    }

    /// Why a trial whose task has left the queue has no result. `None` if that is not its fault: it
    /// made progress, or was not begun.
    fn loss(
        &self,
        submission: &Submission,
        task: usize,
        entry: &Entry,
        directory: &Path,
    ) -> Option<String> {
        let now = progress(directory);
        if submission.is_cancelled || (now.is_some() && now != entry.progress) {
            return None;
        }
        let key = (submission.number, task);
        let ended = self.tasks.get(&key);
        if let Some(log) = end_of(&directory.with_extension("log")) {
            let has_exited = log.lines().last().is_some_and(|line| line.starts_with("exit code "));
            let state = ended.map_or_else(String::new, |task| format!(" ({})", task.state));
            let killed = format!("\nits task ended before it did{state}");
            return Some(tail(&(log + if has_exited { "" } else { &killed })));
        }
        let trials = directory.parent()?;
        let others = submission.tasks[task].iter().filter(|other| other.id != entry.id);
        let log = |other: &Entry| {
            crate::sweep::TrialFolders::directory_in(trials, other.id).with_extension("log")
        };
        if !self.seen.contains(&key) || others.into_iter().any(|other| log(other).exists()) {
            return None;
        }
        let name = ended.map_or_else(|| "its task".into(), |task| format!("task {}", task.name()));
        let state = ended.map_or_else(String::new, |task| format!(" ({})", task.state));
        let script =
            end_of(&super::submission::folder(trials).join(format!("{}.log", submission.number)));
        let said = script.map(|text| tail(&text)).filter(|text| !text.is_empty());
        // The script fails if it cannot write to the folder.
        let hint = match ended {
            Some(task) if task.reason == "NonZeroExitCode" => {
                format!("; can its node write to '{}'?", trials.display())
            }
            _ => String::new(),
        };
        let said = said.map_or(hint, |said| format!(": {said}"));
        Some(format!("{name} ended{state} before the trial began{said}"))
    }
}

/// The end of a log, or `None` if there is none.
fn end_of(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_LOG_BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_LOG_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}
