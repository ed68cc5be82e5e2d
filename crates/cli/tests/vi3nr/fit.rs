//! `fit`: what it leaves behind and that nothing but its settings decides the bytes.

use std::fs;

use crate::{SMALL_FIT, json, small_fit, texts, vi3nr, without_result_warnings};

#[test]
fn a_fit_without_arguments_draws_and_fits_its_own_image() {
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &[&SMALL_FIT[..], &["--json"]].concat());
    assert_eq!(report["model"], "runs/test-image/model.safetensors");
    assert_eq!(report["steps"], 20);
    assert_eq!(report["stopped"], "steps");
    for key in ["seconds", "loss", "psnr", "psnr_paper", "points_per_second"] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}: {report}");
    }
    // The two conventions of the same loss: the peaks are 2 and the image's largest value.
    let (psnr, paper) = (report["psnr"].as_f64().unwrap(), report["psnr_paper"].as_f64().unwrap());
    assert!(psnr - paper >= 6.02, "{psnr} {paper}");
    let loss = report["loss"].as_f64().unwrap();
    assert!((psnr - 10.0 * (4.0 / loss).log10()).abs() < 1e-9);

    let run = folder.path().join("runs/test-image");
    let mut names: Vec<_> =
        fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let expected = ["metrics.csv", "model.safetensors", "reconstruction.png", "run.json"];
    assert_eq!(names, expected);
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert_eq!(metrics.lines().count(), 21);
    let run_json: serde_json::Value =
        serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(run_json["report"]["psnr"], report["psnr"]);
    assert_eq!(run_json["plan"]["network"]["dims"], serde_json::json!([2, 16, 16, 3]));

    // A second fit does not overwrite the first.
    let again = json(folder.path(), &[&SMALL_FIT[..], &["--json"]].concat());
    assert_eq!(again["model"], "runs/test-image-2/model.safetensors");
}

#[test]
fn the_text_for_people_names_the_convention_and_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let output = vi3nr(folder.path(), &SMALL_FIT);
    let (stdout, stderr) = texts(&output);
    assert_eq!(without_result_warnings(&stderr), "");
    assert!(stderr.contains("the model represents little of the image: its loss is"), "{stderr}");
    for part in [
        "128x128, 3 channels, 8 bits per sample; network 2-16-16-3 (371 parameters), sine:omega=20",
        "20 steps in",
        "(peak 2, the usual convention)",
        "runs/test-image/reconstruction.png",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

#[test]
fn threads_and_repetition_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let model = |out: &str, arguments: &[&str]| {
        small_fit(folder.path(), out, arguments);
        fs::read(folder.path().join(out).join("model.safetensors")).unwrap()
    };
    for extra in [&[][..], &["--batch", "1000", "--biases", "like-weights"]] {
        let with = |more: &[&'static str]| [extra, more].concat();
        let one = model("one", &with(&["--threads", "1"]));
        assert!(one == model("two", &with(&["--threads", "2"])), "{extra:?}");
        assert!(one == model("three", &with(&["--threads", "3"])), "{extra:?}");
        assert!(one == model("again", &with(&["--threads", "1"])), "{extra:?}");
        assert!(one != model("other", &with(&["--seed", "1"])), "{extra:?}");
    }
}

#[test]
fn an_event_file_has_every_step() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &["--tensorboard"]);
    let file = fs::read(folder.path().join("run/events.out.tfevents.vi3nr")).unwrap();
    let (mut records, mut rest) = (0, &file[..]);
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        rest = &rest[12 + length + 4..];
        records += 1;
    }
    assert_eq!(records, 21);
    assert_eq!(file.windows(15).filter(|part| part == b"train/psnr_pape").count(), 20);
}

#[test]
fn options_reach_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], expected: &[(&str, serde_json::Value)]| {
        small_fit(folder.path(), "run", arguments);
        let info = json(folder.path(), &["info", "run", "--json"]);
        for (key, value) in expected {
            assert_eq!(&info["settings"][key], value, "{arguments:?}");
        }
    };
    check(
        &["--activation", "gaussian:sigma=0.1", "--sigma-p", "0.2", "--last-sigma-p", "0.5"],
        &[("init", "ours:sigma_p=0.2,last_sigma_p=0.5".into())],
    );
    check(
        &["--init", "siren", "--activation", "sine:omega=10", "--weights", "normal"],
        &[("init", "siren:omega=10".into()), ("weights", "normal".into())],
    );
    check(
        &["--lr", "0.01", "--lr-decay", "0.9", "--batch", "full"],
        &[
            ("learning_rate", 0.01.into()),
            ("schedule", serde_json::json!({"kind": "exponential", "factor": 0.9})),
            ("batch", serde_json::Value::Null),
        ],
    );
    check(&["--engine", "reference", "--steps", "1"], &[("engine", "reference".into())]);
}

#[test]
fn engines_agree() {
    let folder = tempfile::tempdir().unwrap();
    let psnr = |engine: &str| {
        let report = small_fit(folder.path(), engine, &["--engine", engine, "--steps", "5"]);
        report["psnr"].as_f64().unwrap()
    };
    assert!((psnr("cpu") - psnr("reference")).abs() < 1e-3);
}

#[test]
fn a_target_and_a_spent_time_limit_end_a_fit() {
    let folder = tempfile::tempdir().unwrap();
    let report = small_fit(folder.path(), "a", &["--target-psnr", "1"]);
    assert_eq!((&report["stopped"], &report["steps"]), (&"target".into(), &0.into()));
    let report = small_fit(folder.path(), "b", &["--time-limit", "1e-9", "--steps", "100000"]);
    assert_eq!(report["stopped"], "time");
}

#[test]
fn divergence_fails_but_keeps_the_best_weights() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--out", "run", "--json", "--lr", "1e30", "--schedule", "constant"];
    let output = vi3nr(folder.path(), &[&SMALL_FIT[..], &arguments].concat());
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("error: training diverged at step "), "{stderr}");
    assert!(stderr.contains("learning rate") && stderr.contains("--lr 1.0e29"), "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["stopped"], "diverged");
    assert!(report["psnr"].as_f64().unwrap() > 0.0);
    json(folder.path(), &["info", "run", "--json"]);
}

/// Ctrl-C after the run directory exists: the fit stops after a step and keeps the model.
#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_model() {
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let fit = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(["fit", "--width", "16", "--layers", "3", "--steps", "100000000", "--json"])
        .args(["--out", "run"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The handler stands before the directory does.
    while !folder.path().join("run").is_dir() {
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &fit.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = fit.wait_with_output().unwrap();
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("vi3nr fit --resume run goes on"), "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["stopped"], "interrupted");
    json(folder.path(), &["info", "run", "--json"]);
}
