//! The binary driven end to end.

mod audio;
mod backends;
mod bad_input;
mod bench_engine;
mod book;
#[cfg(unix)]
mod cluster;
mod command_line;
mod export;
mod fit;
#[cfg(feature = "gpu")]
mod gpu;
mod initial_weights;
mod models;
mod optimizers;
mod paper;
mod pieces;
mod points;
mod report;
mod repro;
mod requests;
mod resume;
mod several;
mod shapes;
mod signals;
mod sound_files;
mod sweep;
mod theory;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The command under test, run in `folder`.
fn vi3nr(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Standard output and standard error.
fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// Standard error without the warnings about a poor result, which the short fits of these tests
/// draw.
fn without_result_warnings(stderr: &str) -> String {
    let is_poor =
        |line: &&str| line.contains("try more steps") || line.contains("samples do not reach all");
    stderr.split_inclusive('\n').filter(|line| !is_poor(line)).collect()
}

/// The one JSON object of a command that must succeed; stderr must be empty but for a poor result,
/// since it is not a terminal.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = vi3nr(folder, arguments);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    assert_eq!(without_result_warnings(&stderr), "", "{arguments:?}");
    assert_eq!(stdout.lines().count(), 1, "{arguments:?}: {stdout}");
    serde_json::from_str(&stdout).unwrap()
}

/// The message of a command that must fail with `code` and say nothing on standard output.
fn error(folder: &Path, code: i32, arguments: &[&str]) -> String {
    let output = vi3nr(folder, arguments);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stdout} {stderr}");
    assert_eq!(stdout, "", "{arguments:?}");
    assert!(stderr.starts_with("error: "), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    stderr
}

/// A fit of a few steps on a small network; more arguments may follow.
const SMALL_FIT: [&str; 7] = ["fit", "--width", "16", "--layers", "3", "--steps", "20"];

/// Runs a small fit of the test image with `arguments` into the folder `out` of `folder`.
fn small_fit(folder: &Path, out: &str, arguments: &[&str]) -> Value {
    json(folder, &[&SMALL_FIT[..], &["--json", "--overwrite", "--out", out], arguments].concat())
}
