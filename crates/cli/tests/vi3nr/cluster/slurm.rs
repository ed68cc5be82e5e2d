//! A real Slurm.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::node::{Node, processes, wait_until};
use super::{results, write};

/// A cluster, or none where the calling test skips.
fn start() -> Option<Node> {
    Node::start().map_err(|reason| vi3nr_test_data::skip_without_slurm(&reason)).ok()
}

fn vi3nr(node: &Node, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"));
    command.args(arguments).current_dir(folder).env("SLURM_CONF", node.configuration_file());
    command
}

/// The head of a sweep, which is killed with its value.
struct Head(Child);

impl Head {
    fn start(node: &Node, folder: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["sweep", "s.toml", "--executor", "slurm"], arguments].concat();
        let mut command = vi3nr(node, folder, &arguments);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Head {
    /// As `kill -9`.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number of trials that have a model.
fn ended(folder: &Path) -> usize {
    let trials = fs::read_dir(folder.join("s.trials")).into_iter().flatten().flatten();
    trials.filter(|entry| entry.path().join("model.safetensors").exists()).count()
}

/// Kills a task that runs a fit: the script, and the fit that it waits for. Returns the number of the
/// trial.
fn kill_a_task(folder: &Path) -> String {
    let trials = fs::canonicalize(folder.join("s.trials")).unwrap().display().to_string();
    let mut killed = None;
    wait_until("a task runs", || {
        let fits = processes(&["vi3nr fit ", &trials]);
        let Some(fit) = fits.first().map(u32::to_string) else { return false };
        let status = fs::read_to_string(format!("/proc/{fit}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        let line = fs::read_to_string(format!("/proc/{fit}/cmdline")).unwrap_or_default();
        let run = line.split('\0').find(|word| word.starts_with(&trials));
        let (Some(parent), Some(run)) = (parent, run) else { return false };
        let kill = Command::new("kill").args(["-9", parent.trim(), &fit]).output();
        killed = kill.unwrap().status.success().then(|| run[trials.len() + 1..][..5].to_owned());
        killed.is_some()
    });
    killed.unwrap()
}

/// Runs `count` trials of `steps` steps on a cluster. Two heads and a task are killed.
fn survive(count: usize, steps: usize) {
    let Some(node) = start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, count, steps);
    let head = Head::start(&node, folder, &["--pack", "2"]);
    wait_until("trials have ended", || ended(folder) >= count / 10);
    drop(head);
    let head = Head::start(&node, folder, &["--pack", "2"]);
    let killed = kill_a_task(folder);
    let before = ended(folder);
    wait_until("more trials have ended", || ended(folder) > before);
    drop(head);
    let mut head = Head::start(&node, folder, &["--pack", "2"]);
    wait_until("the sweep ends", || !head.is_running());
    assert_eq!(head.0.wait().unwrap().code(), Some(0), "the trial {killed} was killed");

    // Each trial has one row, and the results are those of a sweep on this machine.
    fs::copy(folder.join("s.toml"), folder.join("local.toml")).unwrap();
    crate::json(folder, &["sweep", "local.toml", "--json", "--quiet"]);
    assert!(results(folder, "s", count) == results(folder, "local", count));
    crate::json(folder, &["sweep", "report", "s.toml", "--json"]);
    let rows = fs::read_to_string(folder.join("s.report/trials.csv")).unwrap();
    let mut ids: Vec<usize> =
        rows.lines().skip(1).map(|row| row.split(',').next().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=count).collect::<Vec<_>>());
    let lists: Vec<_> = fs::read_dir(folder.join("s.trials/slurm")).unwrap().collect();
    assert_eq!(lists.len(), 1, "{lists:?}");
}

#[test]
fn a_sweep_survives_the_death_of_heads_and_tasks() {
    survive(12, 800);
}

#[test]
#[ignore = "half a minute"]
fn forty_trials_survive_the_death_of_heads_and_tasks() {
    survive(40, 2000);
}

/// A task that reaches its time limit, or is cancelled, leaves a checkpoint, from which another
/// continues.
#[test]
fn cancelled_trials_continue_from_their_checkpoints() {
    let Some(node) = start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, 1, 10_000);
    let output = |arguments: &[&str]| {
        let output = vi3nr(&node, folder, arguments).output().unwrap();
        let (stdout, stderr) = crate::texts(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stdout}{stderr}");
        stdout
    };
    output(&["sweep", "s.toml", "--executor", "slurm", "--detach"]);
    let run = folder.join("s.trials/00001");
    wait_until("the trial runs", || run.join("run.json").exists());
    let status = output(&["sweep", "status", "s.toml"]);
    assert!(status.contains("pending trials: 1 running\n"), "{status}");
    assert!(output(&["sweep", "cancel", "s.toml"]).starts_with("cancelled "));
    wait_until("a checkpoint is written", || run.join("checkpoint.safetensors").exists());
    let log = || fs::read_to_string(folder.join("s.trials/00001.log")).unwrap();
    wait_until("the task ends", || log().ends_with("exit code 130\n"));
    output(&["sweep", "s.toml", "--executor", "slurm"]);
    fs::copy(folder.join("s.toml"), folder.join("local.toml")).unwrap();
    crate::json(folder, &["sweep", "local.toml", "--json", "--quiet"]);
    assert!(results(folder, "s", 1) == results(folder, "local", 1));
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert!(metrics.contains("\n10000,"), "it was trained to the end");
}
