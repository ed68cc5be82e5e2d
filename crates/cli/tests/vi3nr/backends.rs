//! The options `--backend` and `--device`, and the command `devices`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::{SMALL_FIT, error, json, texts, vi3nr};

/// The command under test with variables, without the line that a layer of Mesa writes where there is
/// no desktop.
fn with(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(arguments)
        .env("NODEVICE_SELECT", "1")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The exit code, standard output and standard error on this machine.
pub(crate) fn outcome(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = with(folder, &[], arguments);
    let (stdout, stderr) = texts(&output);
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    (output.status.code().unwrap(), stdout, stderr)
}

/// The devices of this machine, or `None` with a line in the file of skipped tests.
pub(crate) fn devices() -> Option<Vec<Value>> {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = outcome(folder.path(), &["devices", "--json"]);
    if code != 0 {
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        if cfg!(feature = "gpu") {
            vi3nr_test_data::skip_without_gpu();
        }
        return None;
    }
    let devices: Value = serde_json::from_str(&stdout).unwrap();
    Some(devices["devices"].as_array().unwrap().clone())
}

fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SMALL_FIT[..], more].concat()
}

#[test]
fn devices_are_listed() {
    let Some(devices) = devices() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (code, text, _) = outcome(folder.path(), &["devices"]);
    assert_eq!(code, 0);
    for (index, device) in devices.iter().enumerate() {
        assert_eq!(device["index"], index);
        let name = device["name"].as_str().unwrap();
        assert!(text.contains(&format!("{index}: {name}")), "{text}");
        for part in ["kind", "interface", "driver"] {
            assert!(text.contains(device[part].as_str().unwrap()), "{part}: {text}");
        }
        assert!(device["buffer_bytes"].as_u64().unwrap() > 0, "{device}");
        assert!(device["workgroup_bytes"].as_u64().unwrap() > 0, "{device}");
        assert!(device["problem"].is_null() || device["problem"].is_string(), "{device}");
    }
}

/// A build without the feature, or a machine without a driver, says what is missing.
#[test]
fn a_missing_driver_or_feature_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // The loader of Vulkan then finds no driver.
    let none = [("VK_DRIVER_FILES", "/nonexistent"), ("VK_ICD_FILENAMES", "/nonexistent")];
    let expected = match cfg!(feature = "gpu") {
        true => ["error: no GPU driver was found", "mesa-vulkan-drivers"],
        false => ["error: this build has no GPU support", "a build with the feature gpu"],
    };
    // Metal is a part of the system.
    if cfg!(all(feature = "gpu", target_os = "macos")) {
        return;
    }
    let fit = small(&["--backend", "gpu", "--out", "run"]);
    let bench = ["bench", "engine", "--backend", "gpu", "--seconds", "1"];
    for arguments in [&["devices"][..], &["devices", "--json"], &fit, &bench] {
        let output = with(folder.path(), &none, arguments);
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stdout.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(expected.iter().all(|part| stderr.contains(part)), "{arguments:?}: {stderr}");
    }
    assert!(!folder.path().join("run").exists());
    // A fit that may use a GPU is done on the CPU.
    let output = with(folder.path(), &none, &small(&["--backend", "auto", "--out", "run"]));
    let (text, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let line = format!("\nbackend cpu: {}", &expected[0]["error: ".len()..]);
    assert!(text.contains(&line), "{text}");
}

#[test]
fn software_and_unknown_devices_are_refused() {
    let Some(devices) = devices() else { return };
    let folder = tempfile::tempdir().unwrap();
    let absent = devices.len().to_string();
    let commands = [
        small(&["--backend", "gpu", "--device", &absent, "--out", "run"]),
        small(&["--backend", "auto", "--device", &absent, "--out", "run"]),
    ];
    for arguments in commands {
        let (code, _, stderr) = outcome(folder.path(), &arguments);
        assert_eq!(code, 1, "{arguments:?}: {stderr}");
        assert!(stderr.contains(&format!("there is no device {absent}")), "{stderr}");
    }
    let is_software = |device: &Value| device["kind"] == "software";
    if devices.iter().all(is_software) {
        let arguments = small(&["--backend", "gpu", "--out", "run"]);
        let (code, _, stderr) = outcome(folder.path(), &arguments);
        assert_eq!(code, 1, "{stderr}");
        let parts = ["no GPU that can be used was found", "software", "the number of a device"];
        assert!(parts.iter().all(|part| stderr.contains(part)), "{stderr}");
        let arguments = small(&["--backend", "auto", "--out", "run", "--json"]);
        let (code, stdout, stderr) = outcome(folder.path(), &arguments);
        assert_eq!(code, 0, "{stderr}");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&report["backend"], &report["device"]), (&"cpu".into(), &Value::Null));
    }
}

#[test]
fn contradicting_options_are_errors_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    crate::small_fit(folder.path(), "model", &[]);
    let fit = |more: &[&'static str]| small(more);
    let decode = ["decode", "model", "--out", "a.png"];
    for arguments in [
        fit(&["--device", "0"]),
        fit(&["--backend", "cpu", "--device", "0"]),
        fit(&["--backend", "reference", "--device", "0"]),
        [&decode[..], &["--device", "0"]].concat(),
        vec!["eval", "model", "model/reconstruction.png", "--device", "0"],
        vec!["report", "model", "--device", "0"],
    ] {
        let message = error(folder.path(), 2, &arguments);
        assert!(message.contains("--device: 0, but the backend"), "{arguments:?}: {message}");
    }
    for wrong in ["cuda", "GPU"] {
        let message = error(
            folder.path(),
            2,
            &fit(&["--backend"]).into_iter().chain([wrong]).collect::<Vec<_>>(),
        );
        assert!(message.contains("cpu, gpu, auto, reference"), "{message}");
    }
}

/// `--engine` is what earlier versions call it, on the command line and in files.
#[test]
fn an_engine_is_a_backend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("old.toml"), "engine = \"reference\"\nsteps = 3\n").unwrap();
    std::fs::write(path.join("new.toml"), "backend = \"reference\"\nsteps = 3\n").unwrap();
    let plan = |more: &[&str]| {
        json(path, &[&["fit", "--dry-run", "--json", "--steps", "3"], more].concat())
    };
    let named = plan(&["--backend", "reference"]);
    assert_eq!(named["plan"]["engine"], "reference");
    assert_eq!(named["request"]["backend"], "reference");
    assert_eq!(plan(&["--engine", "reference"]), named);
    assert_eq!(plan(&["--request", "old.toml"]), named);
    assert_eq!(plan(&["--request", "new.toml"]), named);
    let text = texts(&vi3nr(path, &["fit", "--help"])).0;
    assert!(text.contains("--backend") && !text.contains("--engine"), "{text}");
}

/// A model is decoded and compared on another backend, and the fit says on which it ran.
#[test]
fn models_are_evaluated_on_any_backend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let output = vi3nr(path, &small(&["--out", "run", "--backend", "reference"]));
    let (text, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(text.contains("\nbackend reference\n"), "{text}");
    let psnr = |backend: &str| {
        let eval = ["eval", "run", "run/reconstruction.png", "--json", "--backend", backend];
        json(path, &eval)["psnr"].as_f64().unwrap()
    };
    assert!((psnr("cpu") - psnr("reference")).abs() < 1e-3);
    for backend in ["cpu", "reference"] {
        let decode = ["decode", "run", "--out", "a.png", "--json", "--backend", backend];
        assert_eq!(json(path, &decode)["width"], 128);
        let out = format!("{backend}.html");
        let report = ["report", "run", "--out", &out, "--json", "--backend", backend];
        assert_eq!(json(path, &report)["report"], out.as_str());
    }
    // Of the default there is nothing to say.
    let (text, _) = texts(&vi3nr(path, &small(&["--out", "other"])));
    assert!(!text.contains("backend"), "{text}");
}

/// A run goes on with the backend that is named, and keeps it.
#[cfg(unix)]
#[test]
fn a_run_is_resumed_on_another_backend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let fit = ["fit", "--width", "16", "--layers", "3", "--steps", "3000", "--batch", "200"];
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args([&fit[..], &["--out", "run", "--checkpoint-every", "1"]].concat())
        .current_dir(path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !path.join("run/checkpoint.safetensors").is_file() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let message =
        error(path, 2, &["fit", "--resume", "run", "--backend", "reference", "--seed", "5"]);
    assert!(message.contains("seed is 0 there and 5 here"), "{message}");
    let report = json(path, &["fit", "--resume", "run", "--backend", "reference", "--json"]);
    assert_eq!((&report["backend"], &report["steps"]), (&"reference".into(), &3000.into()));
    let record = std::fs::read(path.join("run/run.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["request"]["backend"], "reference");
}

/// The trials of a sweep have backends by name.
#[test]
fn a_sweep_refuses_what_a_measurement_decides() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = |backend: &str| {
        let text = format!(
            "maximize = 'psnr'\n[settings]\nwidth = 8\nlayers = 3\nsteps = 2\nbackend = '{backend}'\n"
        );
        std::fs::write(folder.path().join("s.toml"), text).unwrap();
    };
    sweep("auto");
    let message = error(folder.path(), 2, &["sweep", "s.toml"]);
    assert!(message.contains("decided by a measurement"), "{message}");
    sweep("reference");
    assert_eq!(json(folder.path(), &["sweep", "s.toml", "--json"])["done"], 1);
}
