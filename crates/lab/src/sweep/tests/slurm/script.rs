//! The script of a task.

use std::process::{Command, Stdio};

use super::*;

/// A folder with awkward characters, in which submission 7 lists two tasks.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let trials = folder.path().join("it's \"a\" $HOME %x\\d *.trials");
    fs::create_dir_all(trials.join("slurm")).unwrap();
    fs::write(trials.join("slurm/7.tasks"), "00001:0:- 00002:1:17\n00003:0:-\n").unwrap();
    (folder, trials)
}

/// The script for a task of submission 7, with a program that prints its arguments to standard error
/// and then runs `program`.
fn task(trials: &Path, index: &str, program: &str) -> Command {
    let path = trials.join("vi 3nr");
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >&2\n{program}\n");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sweep/slurm/task.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(path).arg(trials).arg("7");
    command.env("SLURM_ARRAY_TASK_ID", index).env("SLURM_ARRAY_JOB_ID", "12");
    command.env("SLURM_CPUS_PER_TASK", "3").current_dir("/");
    command
}

fn log(trials: &Path, id: u32) -> Vec<String> {
    let text = fs::read_to_string(trials.join(format!("0000{id}.log"))).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_task_runs_its_trials_one_after_another() {
    let (_folder, trials) = folder();
    let run = |id: u32| trials.join(format!("0000{id}")).display().to_string();
    fs::create_dir(trials.join("00002")).unwrap();
    fs::write(trials.join("00002/run.json"), "{}").unwrap();
    // The first trial fails, and the second continues a run.
    let program = "case $2 in --request) exit 2;; esac";
    let status = task(&trials, "0", program).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let first = log(&trials, 1);
    assert!(first[0].starts_with("job 12_0 on "), "{first:?}");
    let request = format!("{}.json", run(1));
    let expected =
        ["fit", "--request", &request, "--out", &run(1), "--threads", "3", "--json", "exit code 2"];
    assert_eq!(first[1..], expected);
    let expected = ["fit", "--resume", &run(2), "--threads", "3", "--json", "exit code 0"];
    assert_eq!(log(&trials, 2)[1..], expected);
    assert!(!trials.join("00003.log").exists());
    assert_eq!(fs::read(trials.join("slurm/7.log")).unwrap(), b"");

    // Started again by Slurm, it repeats only what has not ended well.
    assert!(task(&trials, "0", "").status().unwrap().success());
    assert_eq!((log(&trials, 1).len(), log(&trials, 2).len()), (20, 8));
    assert!(task(&trials, "1", "").status().unwrap().success());
    assert_eq!(log(&trials, 3).last().unwrap(), "exit code 0");
}

#[test]
fn a_task_without_a_list_does_nothing() {
    let (_folder, trials) = folder();
    // A line that is not there, and a list that is not there.
    assert!(task(&trials, "2", "").status().unwrap().success());
    fs::rename(trials.join("slurm/7.tasks"), trials.join("slurm/7.cancelled")).unwrap();
    assert_eq!(task(&trials, "0", "").status().unwrap().code(), Some(1));
    assert!((1..=3).all(|id| !trials.join(format!("0000{id}.log")).exists()));
    assert!(fs::read_to_string(trials.join("slurm/7.log")).unwrap().contains("7.tasks"));
}

/// Slurm sends SIGTERM to the script and to the fit. The script leaves the rest of the pack.
#[test]
fn a_task_that_is_to_end_leaves_the_rest() {
    let (_folder, trials) = folder();
    let status = task(&trials, "0", "kill -TERM $PPID; exit 130").stdin(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(1));
    assert_eq!(log(&trials, 1).last().unwrap(), "exit code 130");
    assert!(!trials.join("00002.log").exists());
}
