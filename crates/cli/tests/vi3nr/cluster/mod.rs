//! Sweeps on a cluster: with commands that are shell scripts, and with a real Slurm where one can be
//! started.

mod node;
mod slurm;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::texts;

/// Writes a sweep with this many seeds of a fit with this many steps.
fn write(folder: &Path, seeds: usize, steps: usize) {
    let seeds: Vec<usize> = (0..seeds).collect();
    let text = format!(
        "title = 'seeds'\nmaximize = 'psnr'\n[settings]\noptimizer = 'adam'\nwidth = 8\nlayers = 3\n\
         steps = {steps}\nseed = {seeds:?}\n"
    );
    fs::write(folder.join("s.toml"), text).unwrap();
}

/// The model of each trial, and the results of all as the database has them, but for times.
fn results(folder: &Path, name: &str, count: usize) -> Vec<(Vec<u8>, Value)> {
    let arguments = ["sweep", "report", &format!("{name}.toml"), "--json"];
    let report = crate::json(folder, &arguments);
    assert_eq!(
        (&report["done"], &report["failed"], &report["open"]),
        (&count.into(), &0.into(), &0.into())
    );
    let scores = &report["configurations"][0]["scores"];
    let model = |id: usize| {
        let run = folder.join(format!("{name}.trials/{id:05}"));
        (fs::read(run.join("model.safetensors")).unwrap(), scores[id - 1].clone())
    };
    (1..=count).map(model).collect()
}

/// A folder with a sweep and a folder `bin` with commands: `sbatch` runs the tasks at once, unless
/// there is a file `wait`, and `squeue` prints a file.
struct Scripts {
    folder: tempfile::TempDir,
}

impl Scripts {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let sbatch = r#"
            for word in "$@"; do
                case $word in
                --array=*) last=${word#--array=0-}; last=${last%\%*};;
                --job-name=*) name=${word#*=};;
                --cpus-per-task=*) export SLURM_CPUS_PER_TASK="${word#*=}";;
                esac
            done
            while [ "${1#-}" != "$1" ]; do shift; done
            export SLURM_ARRAY_JOB_ID=5
            for SLURM_ARRAY_TASK_ID in $(seq 0 "$last"); do
                export SLURM_ARRAY_TASK_ID
                if [ -e "$here/wait" ]; then
                    echo "$name|5|$SLURM_ARRAY_TASK_ID|PENDING||Priority" >>"$here/queue"
                else
                    sh "$@" || exit 1
                fi
            done
            echo 5"#;
        let scripts = [
            ("sbatch", sbatch),
            ("squeue", "cat \"$here/queue\""),
            ("scancel", "echo \"$@\" >>\"$here/cancelled\"; : >\"$here/queue\""),
            ("scontrol", "echo MaxArraySize = 1001"),
        ];
        for (name, text) in scripts {
            let path = bin.join(name);
            let text = format!("#!/bin/sh\nhere='{}'\n{text}\n", folder.path().display());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(folder.path().join("queue"), "").unwrap();
        Self { folder }
    }

    fn vi3nr(&self, arguments: &[&str]) -> Output {
        let path =
            format!("{}/bin:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .output()
            .unwrap()
    }

    /// Standard output and standard error of a command that ends with `code`.
    fn texts(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.vi3nr(arguments);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stdout}{stderr}");
        (stdout, stderr)
    }
}

#[test]
fn a_sweep_runs_in_tasks() {
    let cluster = Scripts::new();
    let folder = cluster.folder.path();
    write(folder, 5, 20);
    let slurm = ["--executor", "slurm", "--pack", "2", "--cpus-per-task", "2", "--sbatch=--nice"];
    let (stdout, stderr) = cluster.texts(0, &[&["sweep", "s.toml"], &slurm[..]].concat());
    assert_eq!(stderr, "submitted job 5: 5 trials in 3 tasks\n");
    assert!(stdout.starts_with("seeds\n5 trials done, 0 failed, 0 pending\n"), "{stdout}");
    let log = fs::read_to_string(folder.join("s.trials/00005.log")).unwrap();
    assert!(log.starts_with("job 5_2 on ") && log.ends_with("exit code 0\n"), "{log}");
    fs::copy(folder.join("s.toml"), folder.join("local.toml")).unwrap();
    crate::json(folder, &["sweep", "local.toml", "--json", "--quiet"]);
    assert!(results(folder, "s", 5) == results(folder, "local", 5));
}

#[test]
fn a_sweep_is_submitted_watched_cancelled_and_collected() {
    let cluster = Scripts::new();
    let folder = cluster.folder.path();
    write(folder, 3, 20);
    fs::write(folder.join("wait"), "").unwrap();
    let detached = ["sweep", "s.toml", "--executor", "slurm", "--detach"];
    let (stdout, stderr) = cluster.texts(0, &detached);
    assert_eq!(stderr, "submitted job 5: 3 trials in 3 tasks\n");
    let waiting = "pending trials: 3 waiting\njob 5: 3 tasks PENDING, Priority\n";
    assert!(stdout.ends_with(waiting), "{stdout}");
    assert_eq!(cluster.texts(0, &["sweep", "status", "s.toml"]).0, stdout);
    assert_eq!(cluster.texts(0, &["sweep", "s.toml", "--status"]).0, stdout);
    // The trials do not run here as well.
    let (_, stderr) = cluster.texts(1, &["sweep", "s.toml"]);
    assert!(stderr.contains("were submitted to Slurm"), "{stderr}");

    assert_eq!(cluster.texts(0, &["sweep", "cancel", "s.toml"]).0, "cancelled 5\n");
    assert_eq!(fs::read_to_string(folder.join("cancelled")).unwrap(), "--quiet 5\n");
    let (stdout, _) = cluster.texts(0, &["sweep", "cancel", "s.toml"]);
    assert_eq!(stdout, "no job is in the queue\n");
    let (stdout, _) = cluster.texts(0, &["sweep", "status", "s.toml"]);
    let open = "pending trials: 3 in no queue\nvi3nr sweep s.toml --executor slurm submits those that \
                are in no queue\n";
    assert!(stdout.ends_with(open), "{stdout}");

    fs::remove_file(folder.join("wait")).unwrap();
    cluster.texts(0, &detached);
    let (stdout, _) = cluster.texts(0, &["sweep", "collect", "s.toml", "--json"]);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&report["done"], &report["queue"]["ended"]), (&3.into(), &3.into()));
    assert_eq!(report["queue"]["tasks"], Value::Array(Vec::new()));
    let (stdout, _) = cluster.texts(0, &["sweep", "status", "s.toml"]);
    assert!(stdout.starts_with("seeds\n3 trials done") && !stdout.contains("pending trials"));
}

#[test]
fn nonsense_for_a_cluster_is_refused() {
    let cluster = Scripts::new();
    let folder = cluster.folder.path();
    write(folder, 2, 20);
    let run = |arguments: &[&str]| {
        let (stdout, stderr) = cluster.texts(2, &[&["sweep"], arguments].concat());
        assert_eq!(stdout, "", "{arguments:?}");
        stderr
    };
    for (arguments, part) in [
        (&["s.toml", "--detach"][..], "--executor slurm"),
        (&["s.toml", "--mem", "1G"], "expected 'slurm'"),
        (
            &["s.toml", "--executor", "process", "--pack", "2"],
            "'process' takes no settings of Slurm",
        ),
        (&["s.toml", "--executor", "slurm", "--pack", "0"], "--pack"),
        (&["s.toml", "--executor", "slurm", "--cpus-per-task", "0"], "--cpus-per-task"),
        (&["s.toml", "--executor", "slurm", "--sbatch", "gpu"], "'gpu' is not an option of sbatch"),
        (&["status", "s.toml"], "s.trials"),
        (&["collect", "s.toml"], "s.trials"),
        (&["cancel", "s.toml"], "s.trials"),
        (&["cancel"], "FILE"),
        (&["collect", "missing.toml"], "missing.toml"),
    ] {
        let stderr = run(arguments);
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
        assert!(!folder.join("s.trials").exists(), "{arguments:?}");
    }
    // Without the commands of Slurm.
    fs::remove_file(folder.join("bin/squeue")).unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(["sweep", "s.toml", "--executor", "slurm"])
        .current_dir(folder)
        .env("PATH", folder.join("bin"))
        .output()
        .unwrap();
    let (_, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("cannot start 'squeue'"), "{stderr}");
}
