//! Fits on a GPU, on the first software device or else the first usable one.

use std::path::Path;

use serde_json::Value;

use crate::backends::devices;
use crate::json;

/// The number of the device of these tests, if there is one.
fn device() -> Option<String> {
    let devices = devices()?;
    let usable = |device: &&Value| device["problem"].is_null();
    let software = devices.iter().filter(usable).find(|device| device["kind"] == "software");
    let device = software.or_else(|| devices.iter().find(usable))?;
    Some(device["index"].to_string())
}

/// A fit of 32x32 pixels and its report, with the same seed on each backend.
fn fit(folder: &Path, out: &str, more: &[&str]) -> Value {
    let image = vi3nr_test_data::image("leaves.png");
    let image = image.to_str().unwrap();
    let fit = ["fit", image, "--crop", "32", "--width", "24", "--layers", "4", "--json"];
    json(folder, &[&fit[..], &["--out", out], more].concat())
}

/// Every optimizer ends within 0.1 dB of the CPU, and the model has the same quality there.
#[test]
fn fits_on_a_device_are_those_of_the_cpu() {
    let Some(device) = device() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let gpu = ["--backend", "gpu", "--device", &device];
    for settings in [
        &["--optimizer", "adam", "--steps", "150"][..],
        &["--optimizer", "adam", "--steps", "40", "--batch", "300"],
        &["--optimizer", "kfac", "--steps", "15"],
        &["--optimizer", "muon", "--steps", "20"],
        &["--optimizer", "kfac", "--steps", "6", "--supervise", "gradient"],
        &["--activation", "exp(-x^2)*cos(5*x)", "--optimizer", "adam", "--steps", "40"],
    ] {
        let _ = std::fs::remove_dir_all(path.join("gpu"));
        let _ = std::fs::remove_dir_all(path.join("cpu"));
        let seen = fit(path, "gpu", &[settings, &gpu].concat());
        let expected = fit(path, "cpu", settings);
        let psnr = |report: &Value| report["psnr"].as_f64().unwrap();
        let difference = psnr(&seen) - psnr(&expected);
        assert!(difference.abs() < 0.1, "{settings:?}: {difference} dB");
        assert_eq!((&seen["backend"], &seen["steps"]), (&"gpu".into(), &expected["steps"]));
        assert!(seen["device"].is_string());
        if !settings.contains(&"--supervise") {
            let image = vi3nr_test_data::image("leaves.png");
            let eval = ["eval", "gpu", image.to_str().unwrap(), "--crop", "32", "--json"];
            let decoded = json(path, &eval)["psnr"].as_f64().unwrap();
            assert!((decoded - psnr(&seen)).abs() < 0.01, "{settings:?}: {decoded} dB on the CPU");
        }
    }
}

/// A run that was interrupted on the device is finished on the CPU.
#[cfg(unix)]
#[test]
fn a_run_of_a_device_is_finished_on_the_cpu() {
    let Some(device) = device() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let image = vi3nr_test_data::image("leaves.png");
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(["fit", image.to_str().unwrap(), "--crop", "32", "--width", "24", "--layers", "4"])
        .args(["--optimizer", "adam", "--steps", "20000", "--backend", "gpu", "--device", &device])
        .args(["--checkpoint-every", "10", "--out", "run"])
        .current_dir(path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !path.join("run/checkpoint.safetensors").is_file() {
        assert!(child.try_wait().unwrap().is_none(), "the fit ended early");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let resume = ["fit", "--resume", "run", "--backend", "cpu", "--json"];
    let report = json(path, &resume);
    assert_eq!((&report["backend"], &report["steps"]), (&"cpu".into(), &20_000.into()));
    assert!(report["psnr"].as_f64().unwrap() > 35.0, "{report}");
}

/// The pieces of an image, in common launches.
#[test]
fn pieces_are_fitted_on_a_device() {
    let Some(device) = device() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let pieces = ["--tile", "24", "--optimizer", "adam", "--steps", "20"];
    let image = vi3nr_test_data::image("leaves.png");
    let fit = |out: &str, more: &[&str]| {
        let fit = ["fit", image.to_str().unwrap(), "--crop", "40", "--width", "16", "--json"];
        json(path, &[&fit[..], &pieces, &["--out", out], more].concat())
    };
    let seen = fit("gpu", &["--backend", "gpu", "--device", &device]);
    let expected = fit("cpu", &[]);
    let difference = seen["psnr"].as_f64().unwrap() - expected["psnr"].as_f64().unwrap();
    assert!(difference.abs() < 0.1, "{difference} dB");
}
