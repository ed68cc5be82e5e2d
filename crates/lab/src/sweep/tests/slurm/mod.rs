//! Sweeps on a cluster whose commands are shell scripts.

mod heads;
mod losses;
mod script;

use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use vi3nr_inr::run::{Destination, Run, RunEvent};

use super::*;
use crate::sweep::slurm::*;

/// A cluster: the file `queue` is what `squeue` prints, and each call of `sbatch` and `scancel` is
/// appended to `calls`, its words separated by tabs.
struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = Self { folder };
        let scripts = [
            ("squeue", "[ ! -e silent ] || { echo 'no answer' >&2; exit 1; }\ncat queue"),
            (
                "sbatch",
                "for word in \"$@\"; do printf '%s\\t' \"$word\"; done >>calls; echo >>calls\n\
                 if [ -e refuse ]; then cat refuse >&2; exit 1; fi\n\
                 wc -l <calls",
            ),
            ("scancel", "echo \"scancel $*\" >>calls"),
            ("scontrol", "echo 'MaxArraySize            = 4'"),
        ];
        for (name, text) in scripts {
            let path = own.folder.path().join(name);
            let folder = own.folder.path().display();
            fs::write(&path, format!("#!/bin/sh\ncd '{folder}'\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        own.write("queue", "");
        own.write("calls", "");
        own
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn commands(&self) -> SlurmCommands {
        let path = |name: &str| self.folder.path().join(name);
        SlurmCommands {
            sbatch: path("sbatch"),
            squeue: path("squeue"),
            scancel: path("scancel"),
            scontrol: path("scontrol"),
            patience: Duration::ZERO,
            max_interval: Duration::ZERO,
            delay: Duration::ZERO,
        }
    }

    fn slurm(&self, options: &SlurmOptions) -> Slurm {
        Slurm::new("/bin/vi3nr".into(), options).unwrap().with_commands(self.commands())
    }

    /// The words of each call.
    fn calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.folder.path().join("calls")).unwrap();
        text.lines().map(|line| line.trim_end().split('\t').map(str::to_owned).collect()).collect()
    }

    /// Puts the tasks of the last submission into the queue in these states.
    fn queue(&self, states: &[&str]) {
        let calls = self.calls();
        let name = option(calls.last().unwrap(), "--job-name");
        let job = calls.len();
        let line =
            |(task, state): (usize, &&str)| format!("{name}|{job}|{task}|{state}|node|None\n");
        self.write("queue", &states.iter().enumerate().map(line).collect::<String>());
    }
}

fn option(words: &[String], name: &str) -> String {
    let mut values = words.iter().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    values.next_back().unwrap_or_else(|| panic!("no {name} in {words:?}")).to_owned()
}

/// Settings of sweeps with this many seeds.
fn seeds(count: usize) -> String {
    let seeds: Vec<String> = (0..count).map(|seed| seed.to_string()).collect();
    format!("maximize = 'psnr'\n[settings]\n{SHORT}seed = [{}]", seeds.join(", "))
}

fn pack(count: usize) -> SlurmOptions {
    SlurmOptions { pack: NonZeroUsize::new(count), ..SlurmOptions::default() }
}

impl Bench {
    fn on(&mut self, slurm: &Slurm, watch: &mut dyn FnMut(Event<'_>)) -> Result<bool, SweepError> {
        let Self { plan, store, folders, .. } = self;
        slurm.run(plan, store, folders, None, &AtomicBool::new(false), watch)
    }

    /// The tasks of the submissions that are listed, in the order of submission.
    fn lists(&self) -> Vec<Vec<i64>> {
        let submissions = Submission::read_all(self.folders.path()).unwrap();
        let tasks = submissions
            .iter()
            .flat_map(|own| (0..own.tasks.len()).map(|task| own.ids(task)).collect::<Vec<_>>());
        tasks.collect()
    }

    fn states(&self) -> Vec<(State, u32)> {
        self.store.rows().iter().map(|row| (row.state, row.attempts)).collect()
    }

    fn log(&self, id: i64, text: &str) {
        fs::write(self.folders.directory(id).with_extension("log"), text).unwrap();
    }

    fn folder_of_lists(&self) -> Vec<String> {
        let files = fs::read_dir(self.folders.path().join("slurm")).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Does what a task does for a trial: it starts its request or resumes its run.
fn fit(trials: &Path, id: i64) {
    let directory = TrialFolders::directory_in(trials, id);
    fs::write(directory.with_extension("log"), "exit code 0\n").unwrap();
    let request = crate::request_file::read(&directory.with_extension("json")).unwrap();
    let destination = Destination::Directory { path: directory, overwrite: true };
    let (run, opened) = Run::open(&request, None, &destination, Some(1)).unwrap();
    let go_on = &mut |_: RunEvent<'_>| std::ops::ControlFlow::Continue(());
    run.execute(&*opened.backend, Default::default(), Instant::now(), go_on).unwrap();
}

/// Runs all trials of the submissions that are listed.
fn fit_all(trials: &Path) {
    for submission in Submission::read_all(trials).unwrap() {
        for task in 0..submission.tasks.len() {
            submission.ids(task).into_iter().for_each(|id| fit(trials, id));
        }
    }
}
