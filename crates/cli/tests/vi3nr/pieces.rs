//! Fits in pieces, from the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sound_files::{Format, tone, wav};
use crate::{error, json, texts, vi3nr};

/// Sixteen pieces of the test image.
const FIT: [&str; 8] = ["fit", "--tile", "32", "--width", "24", "--quality", "25", "--json"];

fn fit(folder: &Path, out: &str, more: &[&str]) -> Value {
    json(folder, &[&FIT[..], &["--overwrite", "--out", out], more].concat())
}

#[test]
fn an_image_is_fitted_decoded_and_measured_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let report = fit(folder, "run", &[]);
    assert_eq!(report["stopped"], "target", "{report}");
    assert_eq!(report["pieces"]["counts"], serde_json::json!([4, 4]));
    assert!(report["psnr"].as_f64().unwrap() >= 25.0, "{report}");
    for file in ["pieces.csv", "pieces.png", "pieces-work.png", "reconstruction.png", "run.json"] {
        assert!(folder.join("run").join(file).is_file(), "{file}");
    }
    assert!(!folder.join("run/pieces.journal").exists());

    let info = json(folder, &["info", "run", "--json"]);
    assert_eq!(info["pieces"], serde_json::json!({"counts": [4, 4], "overlap": 2}));
    assert_eq!(info["storage"], "f16");
    // Some of the networks may have been widened.
    let parameters = info["parameters"].as_u64().unwrap();
    assert!(parameters >= 16 * 1347, "{info}");
    assert_eq!(report["parameters"].as_f64(), Some(parameters as f64));
    let (text, _) = texts(&vi3nr(folder, &["info", "run"]));
    let together = format!("16 (4x4), overlap 2, {parameters} parameters together as f16");
    assert!(text.contains(&together), "{text}");

    // Against its own reconstruction only the rounding to 8 bits is left.
    let own = json(folder, &["eval", "run", "run/reconstruction.png", "--json"]);
    assert!(own["psnr"].as_f64().unwrap() > 48.0, "{own}");
    assert_eq!(own["bits_per_pixel"], report["bits_per_pixel"]);

    let part = ["decode", "run", "--region", "30,20,40,50", "--scale", "2", "--out", "part.png"];
    let decoded = json(folder, &[&part[..], &["--json"]].concat());
    assert_eq!((&decoded["width"], &decoded["height"]), (&80.into(), &100.into()));
    let slope = ["decode", "run", "--out", "slope.png", "--derivative"];
    let found = json(folder, &[&slope[..], &["norm", "--json"]].concat());
    assert!(found["scale"].as_f64().unwrap() > 0.0, "{found}");
    let message = error(folder, 2, &[&slope[..], &["laplacian"]].concat());
    assert!(message.contains("--derivative: laplacian of a model in pieces"), "{message}");
    json(folder, &["report", "run", "--out", "report.html", "--json"]);
    let html = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(html.contains("Pieces") && html.contains("quality of the pieces and work"));

    // The plan says how the image is cut, and the same plan gives the same bytes.
    let (plan, _) = texts(&vi3nr(folder, &["fit", "--tile", "32", "--dry-run"]));
    assert!(plan.contains("pieces    16 (4x4), overlap 2"), "{plan}");
    let again = fit(folder, "again", &["--threads", "1"]);
    assert_eq!(again["loss"], report["loss"]);
    let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert!(model("run") == model("again"));
}

#[test]
fn a_fit_in_pieces_that_is_killed_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let slow = ["--tile", "16", "--width", "32", "--quality", "38", "--threads", "1"];
    let fit = |out| [&["fit", "--overwrite", "--out", out][..], &slow[..]].concat();
    json(folder, &[&fit("whole")[..], &["--json"]].concat());
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
        .args(fit("cut"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Until a few pieces are there.
    let journal = folder.join("cut/pieces.journal");
    let length = || fs::metadata(&journal).map_or(0, |about| about.len());
    while length() < 40_000 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    json(folder, &["fit", "--resume", "cut", "--json"]);
    let model = |run: &str| fs::read(folder.join(run).join("model.safetensors")).unwrap();
    assert!(model("whole") == model("cut"));
    // It has ended: nothing is left to do, and it does not go on.
    let again = json(folder, &["fit", "--resume", "cut", "--json"]);
    assert_eq!(again["stopped"], "target");
    let message = error(folder, 2, &["fit", "--resume", "cut", "--steps", "9"]);
    assert!(message.contains("--steps") && message.contains("pieces"), "{message}");
}

#[test]
fn audio_is_fitted_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("tone.wav"), wav(Format::Float(32), 1, 8000, &tone(6000, 1))).unwrap();
    let options = ["--tile", "1024", "--width", "24", "--quality", "30", "--json"];
    let report = json(folder, &[&["fit", "tone.wav", "--out", "run"][..], &options[..]].concat());
    assert_eq!(report["pieces"]["counts"], serde_json::json!([6]));
    assert!(report["snr"].as_f64().unwrap() >= 30.0, "{report}");
    assert!(folder.join("run/waveform.svg").is_file() && folder.join("run/pieces.png").is_file());
    let part = ["decode", "run", "--out", "a.wav", "--start", "0.1", "--duration", "0.2", "--json"];
    let decoded = json(folder, &part);
    assert_eq!(decoded["samples"], 1600);
    let eval = json(folder, &["eval", "run", "tone.wav", "--json"]);
    assert!((eval["snr"].as_f64().unwrap() - report["snr"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn what_cannot_be_cut_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (options, texts) in [
        (&["--tile", "7"][..], &["--tile", "8 to 1048576, or none"][..]),
        (&["--tile", "big"], &["--tile", "or none"]),
        (&["--quality", "nan"], &["--quality", "finite"]),
        (&["--storage", "f8"], &["--storage", "f16"]),
        (&["--parameters", "0"], &["--parameters"]),
        (&["--parameters", "20"], &["--parameters", "at least"]),
        (&["--parameters", "9999", "--width", "8"], &["--parameters", "--width"]),
        (&["--quality", "30", "--target-psnr", "30"], &["--quality", "--target-psnr"]),
    ] {
        let message = error(folder, 2, &[&["fit"][..], options].concat());
        assert!(texts.iter().all(|text| message.contains(text)), "{options:?}: {message}");
    }
    fit(folder, "run", &[]);
    for (options, texts) in [
        (&["--region", "0,0,0,9"][..], "X,Y,WIDTH,HEIGHT"),
        (&["--region", "100,100,40,9"], "inside the image of 128x128"),
        (&["--start", "1"], "audio"),
    ] {
        let message =
            error(folder, 2, &[&["decode", "run", "--out", "a.png"][..], options].concat());
        assert!(message.contains(texts), "{options:?}: {message}");
    }
    let message = error(folder, 2, &["fit", "--from", "run"]);
    assert!(message.contains("in pieces"), "{message}");
}

/// The default of an image that is too large for one network.
#[test]
fn a_large_image_reaches_its_quality() {
    let image = vi3nr_test_data::image("hills.png");
    let folder = tempfile::tempdir().unwrap();
    let path = image.to_str().unwrap();
    let options = ["--quality", "36", "--out", "run", "--json"];
    let report = json(folder.path(), &[&["fit", path][..], &options[..]].concat());
    let psnr = report["psnr"].as_f64().unwrap();
    assert!((36.0..37.5).contains(&psnr), "{report}");
    assert!(report["worst_psnr"].is_null());
    assert!(report["pieces"]["worst_psnr"].as_f64().unwrap() > 35.0, "{report}");
    assert_eq!(report["pieces"]["below_target"], 0);
}
