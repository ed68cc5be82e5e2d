//! The commands and links of the README and the book.
//!
//! Every command in a code block is at least parsed by the binary. Those that need only what
//! [`prepare`] makes are run.

mod commands;
mod links;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vi3nr_inr::signal::image::{Image, ImageOptions};

use crate::{json, texts, vi3nr};
use commands::{Use, commands};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The README, the other pages beside it and all pages of the book, by path from the root.
fn pages() -> Vec<(String, String)> {
    let page = |name: String| {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        (name, text)
    };
    let mut names: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.extend(["README.md", "BENCHMARKS.md", "CONTRIBUTING.md"].map(String::from));
    names.sort();
    names.into_iter().map(page).collect()
}

/// The files that the book's examples have: an image, audio, a shape, and the models of the first two.
fn prepare(folder: &Path) {
    let image = vi3nr_test_data::image("hills.png");
    fs::copy(&image, folder.join("photo.png")).unwrap();
    let samples: Vec<u8> =
        (0..8000).flat_map(|i| (((i as f64 * 0.2).sin() * 2e4) as i16).to_le_bytes()).collect();
    let length = samples.len() as u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(1000u32.to_le_bytes());
    wav.extend(2000u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    fs::write(folder.join("speech.wav"), wav).unwrap();
    let bunny = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n\
                 property float z\nelement face 4\nproperty list uchar int vertex_indices\n\
                 end_header\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n";
    fs::write(folder.join("bunny.ply"), bunny).unwrap();
    for file in ["photo.png", "speech.wav"] {
        let small = ["--width", "8", "--layers", "3", "--steps", "2", "--tile", "none", "--json"];
        json(folder, &[&["fit", file][..], &small[..]].concat());
    }
}

#[test]
fn every_command_of_the_book_works() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let (mut parsed, mut run, mut wrong) = (0, 0, Vec::new());
    for (page, text) in pages() {
        for command in commands(&text) {
            let mut words: Vec<&str> = command.words.iter().map(String::as_str).collect();
            match command.use_in(folder.path()) {
                Use::Run => run += 1,
                Use::Plan => {
                    run += 1;
                    if !words.contains(&"--dry-run") {
                        words.push("--dry-run");
                    }
                }
                Use::Parse => {
                    parsed += 1;
                    words.push("--help");
                }
            }
            let output = vi3nr(folder.path(), &words);
            if output.status.code() != Some(0) {
                wrong.push(format!("{page}: {}\n{}", command.line, texts(&output).1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run > 30 && parsed > 30, "{run} run, {parsed} parsed");
}

/// The example of the sweeps page has the trials that the page says.
#[test]
fn the_sweep_of_the_book_varies_gaussian_networks() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for name in ["hills.png", "leaves.png"] {
        fs::copy(vi3nr_test_data::image(name), photos.join(name)).unwrap();
    }
    let page = fs::read_to_string(root().join("docs/sweeps.md")).unwrap();
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    fs::write(folder.path().join("gaussians.toml"), example).unwrap();
    let output = vi3nr(folder.path(), &["sweep", "gaussians.toml", "--dry-run"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let count = |part: &str| stdout.lines().filter(|line| line.contains(part)).count();
    assert_eq!((count("gaussian:sigma="), count("sine")), (360, 6), "{stdout}");
}

#[test]
fn every_link_leads_somewhere() {
    let wrong: Vec<String> =
        pages().iter().flat_map(|(page, text)| links::broken(&root(), page, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_summary_lists_every_page() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    for (page, _) in pages() {
        let Some(name) = page.strip_prefix("docs/").filter(|name| *name != "SUMMARY.md") else {
            continue;
        };
        assert!(summary.contains(&format!("]({name})")), "SUMMARY.md does not list {name}");
    }
}

/// Whether `python3` has all `modules`; says so where it has not.
pub(crate) fn python_has(modules: &str) -> bool {
    let import = Command::new("python3").args(["-c", &format!("import {modules}")]).output();
    let found = import.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: python3 without {modules}");
    }
    found
}

/// The NumPy loader gives the values of the program, for one network and for pieces of 16 bits.
#[test]
fn the_numpy_loader_decodes_images() {
    if !python_has("numpy") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = vi3nr_test_data::image("leaves.png");
    let fit = ["fit", image.to_str().unwrap(), "--crop", "100", "--steps", "20"];
    let small = ["--width", "16", "--layers", "3", "--out", "run", "--overwrite", "--json"];
    for options in [&["--tile", "none"][..], &["--tile", "30", "--storage", "f16"]] {
        json(folder.path(), &[&fit[..], &small[..], options].concat());
        let done = Command::new("python3")
            .arg(root().join("docs/load_model.py"))
            .args(["run/model.safetensors", "values.npy"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", texts(&done).1);
        assert_values_are_the_reconstruction(folder.path());
    }
}

/// Compares `values.npy`, shape (height, width, channels), with the image of the directory `run`.
fn assert_values_are_the_reconstruction(folder: &Path) {
    let file = fs::read(folder.join("values.npy")).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let double = file[..header].windows(3).any(|part| part == b"<f8");
    let number = |bytes: &[u8]| match double {
        true => f64::from_le_bytes(bytes.try_into().unwrap()),
        false => f64::from(f32::from_le_bytes(bytes.try_into().unwrap())),
    };
    let values: Vec<f64> =
        file[header..].chunks_exact(if double { 8 } else { 4 }).map(number).collect();
    let png = folder.join("run/reconstruction.png");
    let decoded = Image::open(&png, &ImageOptions::default()).unwrap();
    assert_eq!(values.len(), decoded.values().len());
    for (value, level) in values.iter().zip(decoded.values().iter()) {
        // Half a level of 8 bits, and float32's own error.
        assert!((value.clamp(-1.0, 1.0) - f64::from(*level)).abs() < 1.01 / 255.0);
    }
}

/// The example for ONNX Runtime gives the values of the program.
#[test]
fn the_onnx_example_decodes_an_image() {
    if !python_has("numpy, onnxruntime") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = vi3nr_test_data::image("leaves.png");
    let fit = ["fit", image.to_str().unwrap(), "--crop", "100", "--tile", "none", "--steps", "20"];
    let small = ["--width", "16", "--layers", "3", "--out", "run", "--json"];
    json(folder.path(), &[&fit[..], &small].concat());
    json(folder.path(), &["export", "run", "--out", "photo.onnx", "--json"]);
    let page = fs::read_to_string(root().join("docs/python.md")).unwrap();
    let section = page.split("## With ONNX Runtime\n").nth(1).unwrap();
    let example = section.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let done = Command::new("python3")
        .args(["-c", &format!("{example}\nnp.save('values.npy', values)")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", texts(&done).1);
    assert_values_are_the_reconstruction(folder.path());
}

#[test]
fn the_pytorch_loader_runs() {
    if !python_has("torch, safetensors") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    crate::small_fit(folder.path(), "run", &[]);
    let done = Command::new("python3")
        .arg(root().join("docs/load_model_torch.py"))
        .arg("run/model.safetensors")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (stdout, stderr) = texts(&done);
    assert!(done.status.success() && stdout.contains("[128, 128, 3]"), "{stdout}{stderr}");
}
