//! `fit --resume`: a run that was cut off goes on to the bytes of one that was not.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{error, json, texts, vi3nr};

/// A fit that takes a while, with a checkpoint after every few steps.
const FIT: [&str; 13] = [
    "fit",
    "--width",
    "24",
    "--layers",
    "3",
    "--steps",
    "300",
    "--batch",
    "1500",
    "--threads",
    "1",
    "--checkpoint-every",
    "7",
];

fn start(folder: &Path, arguments: &[&str]) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn model(folder: &Path, run: &str) -> Vec<u8> {
    fs::read(folder.join(run).join("model.safetensors")).unwrap()
}

/// Pseudo-random waits, the same at every run of the test.
struct Waits(u64);

impl Waits {
    fn next(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Lets `child` run for so many looks at its run directory, then kills it. Returns whether it had
/// ended by itself.
fn kill_after(child: &mut Child, run: &Path, looks: u64) -> bool {
    for _ in 0..looks {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        let _ = run.read_dir().map(Iterator::count);
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
    false
}

/// Kills fits at `kills` moments; each time an end is reached, the model must be that of a fit that
/// was left alone, and another begins.
fn kill_fits(kills: u32, max_looks: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    json(path, &[&FIT[..], &["--out", "whole", "--json"]].concat());
    let whole = model(path, "whole");
    let run = path.join("run");
    let mut waits = Waits(1);
    let mut child = start(path, &[&FIT[..], &["--out", "run"]].concat());
    let mut ends = 0;
    for _ in 0..kills {
        // A run that has not even said what it is begins anew.
        let ended = kill_after(&mut child, &run, waits.next(max_looks));
        if ended {
            ends += 1;
            assert!(model(path, "run") == whole, "after {ends} ends");
            fs::remove_dir_all(&run).unwrap();
        }
        child = match run.join("run.json").is_file() {
            true => start(path, &["fit", "--resume", "run"]),
            false => start(path, &[&FIT[..], &["--out", "run"]].concat()),
        };
    }
    child.wait().unwrap();
    if run.join("run.json").is_file() {
        json(path, &["fit", "--resume", "run", "--json"]);
    }
    assert!(model(path, "run") == whole);
    assert!(!run.join("checkpoint.safetensors").exists());
    let rows = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert_eq!(rows.lines().count(), 301, "every step has its row once");
    eprintln!("{kills} kills, {ends} ends on the way");
}

#[test]
fn a_killed_fit_goes_on_to_the_same_bytes() {
    kill_fits(6, 3_000);
}

#[test]
#[ignore = "a minute"]
fn a_fit_survives_a_hundred_kills() {
    kill_fits(100, 6_000);
}

/// Ctrl-C keeps a checkpoint of the very step; other threads, another folder and time in between
/// change nothing.
#[cfg(unix)]
#[test]
fn an_interrupted_fit_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let base = ["fit", "--width", "16", "--layers", "3", "--steps", "2000", "--batch", "200"];
    json(path, &[&base[..], &["--out", "whole", "--json"]].concat());
    let fit = start(path, &[&base[..], &["--out", "run", "--checkpoint-every", "1"]].concat());
    while !path.join("run/checkpoint.safetensors").is_file() {
        std::thread::yield_now();
    }
    Command::new("kill").args(["-INT", &fit.id().to_string()]).status().unwrap();
    let status = fit.wait_with_output().unwrap().status;
    let ended: Value =
        serde_json::from_slice(&fs::read(path.join("run/run.json")).unwrap()).unwrap();
    // The run may have ended before the signal came.
    let code = if ended["report"]["stopped"] == "interrupted" { 130 } else { 0 };
    assert_eq!(status.code(), Some(code));
    assert_eq!(path.join("run/checkpoint.safetensors").is_file(), code == 130);
    let elsewhere = tempfile::tempdir().unwrap();
    let run = path.join("run");
    let resume = ["fit", "--resume", run.to_str().unwrap(), "--threads", "2", "--json"];
    let report = json(elsewhere.path(), &resume);
    assert_eq!((&report["stopped"], &report["steps"]), (&"steps".into(), &2000.into()));
    assert!(model(path, "run") == model(path, "whole"));
    // A run that has ended says so again.
    assert_eq!(json(elsewhere.path(), &resume), report);
    let (text, _) = texts(&vi3nr(path, &["fit", "--resume", "run"]));
    assert!(text.starts_with("this run has ended: 2000 steps; stopped: steps"), "{text}");
}

#[test]
fn other_settings_and_damage_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let long = ["--steps", "100000000", "--checkpoint-every", "1", "--out", "run"];
    let mut fit = start(
        path,
        &[&["fit", "--width", "8", "--layers", "2", "--optimizer", "adam"], &long[..]].concat(),
    );
    let checkpoint = path.join("run/checkpoint.safetensors");
    while !checkpoint.is_file() {
        std::thread::yield_now();
    }
    fit.kill().unwrap();
    fit.wait().unwrap();
    let message = error(path, 2, &["fit", "--resume", "run", "--lr", "0.25", "--seed", "9"]);
    assert!(message.contains("belongs to other settings"), "{message}");
    assert!(message.contains("seed is 0 there and 9 here"), "{message}");
    assert!(message.contains("learning_rate is 0.0005 there and 0.25 here"), "{message}");
    assert!(!message.contains("dims"), "{message}");

    let mut bytes = fs::read(&checkpoint).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&checkpoint, &bytes).unwrap();
    let message = error(path, 2, &["fit", "--resume", "run"]);
    assert!(message.contains("checksum") && message.contains("remove it"), "{message}");

    // Without its checkpoint the run starts from nothing.
    fs::remove_file(&checkpoint).unwrap();
    let report = json(path, &["fit", "--resume", "run", "--time-limit", "0.5", "--json"]);
    assert_eq!(report["stopped"], "time");

    fs::write(path.join("run/run.json"), "{").unwrap();
    for arguments in [
        &["fit", "--resume", "run"][..],
        &["fit", "--resume", "nowhere"],
        &["fit", "photo.png", "--resume", "run"],
        &["fit", "--resume", "run", "--out", "other"],
        &["fit", "--checkpoint-every", "0"],
        &["fit", "--checkpoint-every", "-1s"],
        &["fit", "--checkpoint-every", "1 hour"],
    ] {
        error(path, 2, arguments);
    }
}
