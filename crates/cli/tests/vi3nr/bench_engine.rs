//! `bench engine`: times, rates and shares of the peak.

use serde_json::Value;

use crate::backends::{devices, outcome};
use crate::{error, json, texts, vi3nr};

/// The weights of `img128`.
const WEIGHTS: f64 = 2.0 * 128.0 + 6.0 * 128.0 * 128.0 + 128.0 * 3.0;

/// Fails unless the rates follow from the times, for `points` points of all networks together.
fn assert_is_consistent(report: &Value, points: f64) {
    let number = |key: &str| report[key].as_f64().unwrap();
    let is = |seen: f64, expected: f64| (seen / expected - 1.0).abs() < 1e-9;
    for (kind, factor) in [("step", 6.0), ("inference", 2.0)] {
        let gflops = factor * WEIGHTS * points / number(&format!("{kind}_seconds")) / 1e9;
        assert!(gflops > 0.0 && is(number(&format!("{kind}_gflops")), gflops), "{report}");
        let fraction = gflops / number("peak_gflops");
        assert!(is(number(&format!("{kind}_fraction_of_peak")), fraction), "{report}");
        assert!(number(&format!("{kind}_fraction_of_peak_at_best")) > 0.0, "{report}");
    }
    let networks = number("networks");
    assert!(is(number("step_seconds_per_network"), number("step_seconds") / networks), "{report}");
    if let Some(single) = report.get("single_steps") {
        let number = |key: &str| single[key].as_f64().unwrap();
        let gflops = 6.0 * WEIGHTS * points / number("seconds") / 1e9;
        assert!(gflops > 0.0 && is(number("gflops"), gflops), "{report}");
    }
}

/// A short benchmark; more arguments may follow.
fn short<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let bench = ["bench", "engine", "--shape", "img128", "--activation", "relu"];
    [&bench[..], &["--points", "64", "--seconds", "0.1"], more].concat()
}

#[test]
fn the_figures_of_the_cpu_are_consistent() {
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &short(&["--json"]));
    assert_eq!((&report["shape"], &report["activation"]), (&"img128".into(), &"relu".into()));
    assert_eq!((&report["backend"], &report["device"]), (&"cpu".into(), &Value::Null));
    assert!(report["instructions"].is_string(), "{report}");
    assert!(report.get("single_steps").is_none() && report.get("terms").is_none(), "{report}");
    assert_eq!(report["steps_per_run"], 1);
    assert_is_consistent(&report, 64.0);
    // More networks than threads.
    let several = ["--networks", "5", "--threads", "2", "--term", "eikonal:1", "--json"];
    let report = json(folder.path(), &short(&several));
    assert_eq!((&report["networks"], &report["threads"]), (&5.into(), &2.into()));
    assert_is_consistent(&report, 5.0 * 64.0);
    assert_eq!(report["terms"]["terms"], serde_json::json!(["eikonal:1"]));
    assert!(report["terms"]["relative_to_values"].as_f64().unwrap() > 0.0, "{report}");
}

/// Another size than that of the shape, and K-FAC beside Adam.
#[test]
fn the_figures_of_an_optimizer_are_consistent() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--width", "16", "--layers", "3", "--networks", "3", "--threads", "2"];
    let kfac = [&size[..], &["--optimizer", "kfac", "--json"]].concat();
    let report = json(folder.path(), &short(&kfac));
    assert_eq!(report["dims"], serde_json::json!([2, 16, 16, 3]));
    let steps = &report["optimizer"];
    assert_eq!(steps["optimizer"], "kfac");
    let number = |key: &str| steps[key].as_f64().unwrap();
    // A step works more than its gradient, and Adam's operations do not count.
    assert!(number("relative_operations") > 1.0 && number("relative_to_adam") > 0.0, "{report}");
    let gradient = 6.0 * (2.0 * 16.0 + 16.0 * 16.0 + 16.0 * 3.0) * 64.0 * 3.0;
    let operations = number("relative_operations") * gradient;
    let gflops = operations / number("step_seconds") / 1e9;
    let fraction = gflops / report["peak_gflops"].as_f64().unwrap();
    assert!((number("fraction_of_peak") / fraction - 1.0).abs() < 1e-9, "{report}");
    let adam = [&size[..], &["--optimizer", "adam", "--json"]].concat();
    let report = json(folder.path(), &short(&adam));
    assert_eq!(report["optimizer"]["relative_operations"], 1.0);
    let text = vi3nr(folder.path(), &short(&["--optimizer", "muon"]));
    let (stdout, stderr) = texts(&text);
    assert!(stdout.contains("\nmuon ") && stdout.contains("2-128-128"), "{stdout}{stderr}");
}

/// On a software device, which is named by its number.
#[test]
fn the_figures_of_a_gpu_are_consistent() {
    let Some(devices) = devices() else { return };
    let usable = devices.iter().filter(|device| device["problem"].is_null());
    let software = usable.clone().find(|device| device["kind"] == "software");
    let Some(device) = software.or_else(|| usable.clone().next()) else { return };
    let index = device["index"].to_string();
    let gpu = ["--backend", "gpu", "--device", &index];
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let (code, stdout, stderr) = outcome(folder.path(), &short(&[&gpu, more].concat()));
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        stdout
    };
    let several = ["--networks", "2", "--term", "eikonal:1", "--json"];
    let report: Value = serde_json::from_str(&run(&several)).unwrap();
    assert_eq!((&report["backend"], &report["device"]), (&"gpu".into(), device));
    assert!(report.get("instructions").is_none(), "{report}");
    assert!(report["steps_per_run"].as_u64().unwrap() > 0, "{report}");
    assert!(report["single_steps"].is_object(), "{report}");
    assert!(report["terms"]["step_seconds"].as_f64().unwrap() > 0.0, "{report}");
    assert_is_consistent(&report, 2.0 * 64.0);
    let text = run(&[]);
    for part in ["backend gpu: ", device["name"].as_str().unwrap(), "single step", "% of peak"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("a network"), "{text}");
}

/// `auto` takes the CPU where no GPU can be used, and says why.
#[test]
fn auto_without_a_gpu_is_the_cpu() {
    let is_usable = |device: &Value| device["problem"].is_null() && device["kind"] != "software";
    if devices().is_some_and(|devices| devices.iter().any(is_usable)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (code, text, stderr) = outcome(folder.path(), &short(&["--backend", "auto"]));
    assert_eq!(code, 0, "{stderr}");
    assert!(text.contains("\nbackend cpu: "), "{text}");
    assert!(!text.contains("single step"), "{text}");
}

#[test]
fn impossible_benchmarks_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["--seconds", "0"][..], "expected a finite number above 0"),
        (&["--seconds", "1e9"], "expected at most 86,400 seconds"),
        (&["--device", "0"], "--device: 0, but the backend cpu uses no device"),
        (&["--backend", "cuda"], "cpu, gpu, auto, reference"),
        (&["--width", "0"], "expected a whole number, 1 or more"),
        (&["--layers", "-1"], "expected a whole number, 1 or more"),
        (&["--optimizer", "sgd"], "possible values: adam, muon, kfac"),
    ] {
        let message = error(folder.path(), 2, &short(arguments));
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    for (size, expected) in [
        (["--width", "1000000000"], "a size is over 65536"),
        (["--layers", "1000000000"], "at most 1024 are allowed"),
    ] {
        let message = error(folder.path(), 1, &short(&size));
        assert!(message.contains(expected), "{message}");
    }
    let message = error(folder.path(), 1, &short(&["--backend", "reference"]));
    assert!(message.contains("'reference' does not offer a measurement of its peak"), "{message}");
    if let Some(devices) = devices() {
        let absent = devices.len().to_string();
        let gpu = ["--backend", "gpu", "--device", &absent];
        let (code, _, stderr) = outcome(folder.path(), &short(&gpu));
        assert_eq!(code, 1);
        assert!(stderr.contains(&format!("there is no device {absent}")), "{stderr}");
    }
}

/// Values that overflow have no loss, and the time of such a step would mean nothing.
#[test]
fn a_network_that_cannot_be_trained_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let output = vi3nr(folder.path(), &short(&["--activation", "exp(exp(exp(x*1e3)))"]));
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
}
