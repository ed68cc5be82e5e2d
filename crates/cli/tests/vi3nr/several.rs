//! Several files in one fit, standard input and standard output.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{SMALL_FIT, error, json, small_fit, texts, vi3nr};

/// Two small images and a file that is none.
fn prepare(folder: &Path) {
    for name in ["hills.png", "leaves.png"] {
        fs::copy(vi3nr_test_data::image(name), folder.join(name)).unwrap();
    }
    fs::write(folder.join("text.png"), "not an image").unwrap();
}

/// A small fit of the middle of images.
fn fit<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&SMALL_FIT[..], &["--crop", "32"], more].concat()
}

/// The command with `input` on standard input.
fn piped(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[test]
fn each_file_has_its_own_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let output = vi3nr(folder, &fit(&["hills.png", "leaves.png", "--out", "all"]));
    let (stdout, stderr) = texts(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[0].starts_with("[1/2] hills.png: PSNR "), "{stdout}");
    assert!(lines[1].starts_with("[2/2] leaves.png: PSNR "), "{stdout}");
    json(folder, &fit(&["leaves.png", "--json", "--out", "alone"]));
    let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert_eq!(model("all/leaves"), model("alone"));
    assert_ne!(model("all/leaves"), model("all/hills"));
    let result = json(folder, &fit(&["hills.png", "leaves.png", "--json"]));
    assert_eq!(result["runs"].as_array().unwrap().len(), 2);
    assert_eq!(result["failed"], serde_json::json!([]));
    assert!(folder.join("runs/hills").exists() && folder.join("runs/leaves").exists());
}

#[test]
fn a_file_that_fails_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let output = vi3nr(folder, &fit(&["text.png", "absent.png", "hills.png", "-o", "all"]));
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stdout.starts_with("[3/3] hills.png: ") && stdout.lines().count() == 1, "{stdout}");
    assert!(stderr.contains("[1/3] text.png: 'text.png' is not an image"), "{stderr}");
    assert!(stderr.ends_with("error: 2 of 3 files failed: text.png, absent.png\n"), "{stderr}");
    assert!(folder.join("all/hills/model.safetensors").exists());
    assert!(!folder.join("all/text").exists());
    fs::create_dir(folder.join("other")).unwrap();
    fs::copy(folder.join("leaves.png"), folder.join("other/hills.png")).unwrap();
    let message = error(folder, 2, &fit(&["hills.png", "other/hills.png", "-o", "two"]));
    assert!(message.contains("'hills.png' and 'other/hills.png' would both be"), "{message}");
    assert!(!folder.join("two").exists());
}

#[test]
fn standard_input_is_fitted_like_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    prepare(folder);
    let bytes = fs::read(folder.join("hills.png")).unwrap();
    let output = piped(folder, &fit(&["-", "--json"]), &bytes);
    assert_eq!(output.status.code(), Some(0), "{}", texts(&output).1);
    json(folder, &fit(&["hills.png", "--json"]));
    let image = |run: &str| fs::read(folder.join(run).join("reconstruction.png")).unwrap();
    assert_eq!(image("runs/stdin"), image("runs/hills"));
    // The run has what it needs to go on.
    json(folder, &["fit", "--resume", "runs/stdin", "--steps", "5", "--json"]);
    let plan = piped(folder, &fit(&["-", "--dry-run", "--json"]), &bytes);
    assert_eq!(plan.status.code(), Some(0), "{}", texts(&plan).1);
    for (arguments, input, expected) in [
        (&["-"][..], &b"not an image"[..], "standard input"),
        (&["-"], b"", "standard input"),
        (&["-", "hills.png"], &bytes, "must be the only FILE"),
    ] {
        let output = piped(folder, &fit(arguments), input);
        let (_, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn a_model_is_decoded_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    small_fit(folder, "run", &[]);
    let output = vi3nr(folder, &["decode", "run", "--out", "-", "--scale", "2"]);
    assert_eq!(output.status.code(), Some(0));
    json(folder, &["decode", "run", "--out", "large.png", "--scale", "2", "--json"]);
    assert_eq!(output.stdout, fs::read(folder.join("large.png")).unwrap());
    assert!(!folder.join("-").exists());
    let message = error(folder, 2, &["decode", "run", "--out", "-", "--json"]);
    assert!(message.contains("both write to standard output"), "{message}");
}
