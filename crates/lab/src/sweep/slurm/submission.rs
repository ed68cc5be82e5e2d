//! Submissions: the lists by which the tasks of an array know their trials.
//!
//! Submission N of a sweep is the file `slurm/N.tasks` in the folder of its trials. Line k lists the
//! trials of task k - 1 as words `ID:ATTEMPTS:PROGRESS`: the number of the trial, how many times it
//! had ended, and when its checkpoint had last been written (nanoseconds since 1970, or `-`). A
//! submission that is cancelled is renamed to `slurm/N.cancelled`, so that its tasks find no list.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use vi3nr_inr::atomic_file::write_atomically;
use vi3nr_inr::checkpoint::CHECKPOINT_FILE;
use vi3nr_inr::pieces::PIECES_FILE;

use super::SlurmError;
use crate::sweep::{SweepError, TrialFolders};

/// The ending of the list of a submission, and that of a cancelled one.
const ENDINGS: [&str; 2] = ["tasks", "cancelled"];

/// A trial of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The number of the trial.
    pub(super) id: i64,
    /// How many times the trial had ended when it was submitted.
    pub(super) attempts: u32,
    /// The progress when it was submitted; see [`progress`].
    pub(super) progress: Option<u128>,
}

/// A job array that was submitted, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submission {
    /// The number, from 1.
    pub(super) number: u64,
    /// Whether it was cancelled.
    pub(super) is_cancelled: bool,
    /// The trials of each task.
    pub(crate) tasks: Vec<Vec<Entry>>,
}

impl Submission {
    /// The submissions in the folder `trials`, sorted by number.
    pub(crate) fn read_all(trials: &Path) -> Result<Vec<Self>, SweepError> {
        let folder = folder(trials);
        let fail = |source| SweepError::Directory { path: folder.clone(), source };
        let files = match fs::read_dir(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        let mut submissions = Vec::new();
        for file in files {
            let path = file.map_err(fail)?.path();
            let part = |part: Option<&std::ffi::OsStr>| {
                part.and_then(|part| part.to_str()).map(str::to_owned)
            };
            let (Some(stem), Some(ending)) = (part(path.file_stem()), part(path.extension()))
            else {
                continue;
            };
            let (Ok(number), true) = (stem.parse(), ENDINGS.contains(&ending.as_str())) else {
                continue;
            };
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                // It was cancelled or removed in the meantime.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(SweepError::Read { path, source }),
            };
            let tasks = parse(&text).map_err(|reason| SlurmError::Tasks { path, reason })?;
            submissions.push(Self { number, is_cancelled: ending == ENDINGS[1], tasks });
        }
        submissions.sort_by_key(|submission| submission.number);
        Ok(submissions)
    }

    /// Writes the list.
    pub(super) fn write(&self, trials: &Path) -> Result<(), SweepError> {
        let word = |entry: &Entry| {
            let progress = entry.progress.map_or_else(|| "-".into(), |time| time.to_string());
            format!("{}:{}:{progress}", TrialFolders::name(entry.id), entry.attempts)
        };
        let mut text = String::new();
        for task in &self.tasks {
            text += &task.iter().map(word).collect::<Vec<_>>().join(" ");
            text += "\n";
        }
        let path = self.path(trials, ENDINGS[0]);
        Ok(write_atomically(&path, |writer| writer.write_all(text.as_bytes()))?)
    }

    /// Marks the submission as cancelled.
    pub(super) fn cancel(&self, trials: &Path) -> Result<(), SweepError> {
        let (from, to) = (self.path(trials, ENDINGS[0]), self.path(trials, ENDINGS[1]));
        match fs::rename(&from, to) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(SweepError::Directory { path: from, source })
            }
            _ => Ok(()),
        }
    }

    /// Removes the list, and the messages of the script.
    pub(super) fn remove(&self, trials: &Path) -> Result<(), SweepError> {
        for ending in ENDINGS.into_iter().chain(["log"]) {
            let path = self.path(trials, ending);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(SweepError::Directory { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The trials with their tasks.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.tasks
            .iter()
            .enumerate()
            .flat_map(|(task, entries)| entries.iter().map(move |e| (task, e)))
    }

    /// Whether it lists the trial with this number.
    pub(crate) fn lists(&self, id: i64) -> bool {
        self.entries().any(|(_, entry)| entry.id == id)
    }

    /// The numbers of a task's trials.
    #[cfg(test)]
    pub(crate) fn ids(&self, task: usize) -> Vec<i64> {
        self.tasks[task].iter().map(|entry| entry.id).collect()
    }

    fn path(&self, trials: &Path, ending: &str) -> PathBuf {
        folder(trials).join(format!("{}.{ending}", self.number))
    }
}

/// The folder of the submissions of the sweep with this folder of trials.
pub(super) fn folder(trials: &Path) -> PathBuf {
    trials.join("slurm")
}

/// When the checkpoint or the journal of a run was last written, in nanoseconds since 1970. A run
/// whose value differs from the earlier one has made progress.
pub(super) fn progress(run: &Path) -> Option<u128> {
    let written = |name| {
        let time = fs::metadata(run.join(name)).and_then(|data| data.modified()).ok()?;
        time.duration_since(UNIX_EPOCH).ok().map(|time| time.as_nanos())
    };
    [CHECKPOINT_FILE, PIECES_FILE].into_iter().filter_map(written).max()
}

fn parse(text: &str) -> Result<Vec<Vec<Entry>>, String> {
    let entry = |word: &str| {
        let mut parts = word.split(':');
        let (id, attempts, progress) = (parts.next()?, parts.next()?, parts.next()?);
        let progress = match progress {
            "-" => None,
            time => Some(time.parse().ok()?),
        };
        let entry = Entry { id: id.parse().ok()?, attempts: attempts.parse().ok()?, progress };
        parts.next().is_none().then_some(entry)
    };
    let word = |word: &str| {
        entry(word).ok_or_else(|| format!("it has '{word}'; expected NUMBER:ATTEMPTS:PROGRESS"))
    };
    text.lines().map(|line| line.split_whitespace().map(word).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64, attempts: u32, progress: Option<u128>) -> Entry {
        Entry { id, attempts, progress }
    }

    #[test]
    fn lists_are_written_read_cancelled_and_removed() {
        let trials = tempfile::tempdir().unwrap();
        let trials = trials.path();
        assert_eq!(Submission::read_all(trials).unwrap(), []);
        fs::create_dir(folder(trials)).unwrap();
        let first = Submission {
            number: 9,
            is_cancelled: false,
            tasks: vec![
                vec![entry(1, 0, None), entry(100_000, 1, Some(1 << 70))],
                vec![entry(2, 0, None)],
            ],
        };
        let second =
            Submission { number: 10, tasks: vec![vec![entry(3, 0, None)]], ..first.clone() };
        second.write(trials).unwrap();
        first.write(trials).unwrap();
        let text = fs::read_to_string(folder(trials).join("9.tasks")).unwrap();
        assert_eq!(text, "00001:0:- 100000:1:1180591620717411303424\n00002:0:-\n");
        // Other files are ignored.
        for name in ["9.log", "task.sh", "x.tasks", "tasks"] {
            fs::write(folder(trials).join(name), "nonsense").unwrap();
        }
        assert_eq!(Submission::read_all(trials).unwrap(), [first.clone(), second.clone()]);
        assert!(first.lists(2) && !first.lists(3));
        first.cancel(trials).unwrap();
        first.cancel(trials).unwrap();
        let cancelled = Submission { is_cancelled: true, ..first.clone() };
        assert_eq!(Submission::read_all(trials).unwrap(), [cancelled, second.clone()]);
        first.remove(trials).unwrap();
        first.remove(trials).unwrap();
        assert_eq!(Submission::read_all(trials).unwrap(), [second]);
        assert!(!folder(trials).join("9.log").exists());
    }

    #[test]
    fn a_damaged_list_is_an_error_that_names_it() {
        let trials = tempfile::tempdir().unwrap();
        fs::create_dir(folder(trials.path())).unwrap();
        let path = folder(trials.path()).join("1.tasks");
        for text in ["00001", "1:2", "1:2:3:4", "a:0:-", "1:-1:-", "1:0:x", "00001:0:- ::"] {
            fs::write(&path, text).unwrap();
            let error = Submission::read_all(trials.path()).unwrap_err().to_string();
            assert!(error.contains("1.tasks") && error.contains("expected NUMBER:"), "{error}");
        }
    }

    #[test]
    fn progress_is_the_time_of_the_checkpoint() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(progress(run.path()), None);
        let path = run.path().join(CHECKPOINT_FILE);
        fs::write(&path, "").unwrap();
        let time = UNIX_EPOCH + std::time::Duration::from_nanos(1_700_000_000_123_456_789);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(progress(run.path()), Some(1_700_000_000_123_456_789));
    }
}
