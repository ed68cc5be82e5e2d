//! `decode`, `eval` and `info` on a model that a fit has made.

use std::fs;
use std::path::Path;

use crate::{error, json, small_fit, texts, vi3nr};

/// Width and height of a PNG file, read from its header.
fn png_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..4], b"\x89PNG");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn decoding_gives_the_reconstruction_and_any_other_size() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &[]);
    let file = |name: &str| folder.path().join(name);

    json(folder.path(), &["decode", "run", "--out", "native.png", "--json"]);
    assert!(
        fs::read(file("native.png")).unwrap() == fs::read(file("run/reconstruction.png")).unwrap()
    );

    let report =
        json(folder.path(), &["decode", "run", "--out", "a.png", "--scale", "2.5", "--json"]);
    assert_eq!(report, serde_json::json!({"file": "a.png", "width": 320, "height": 320}));
    assert_eq!(png_size(&file("a.png")), (320, 320));
    let model = "run/model.safetensors";
    json(folder.path(), &["decode", model, "--out", "b.png", "--size", "31x77", "--json"]);
    assert_eq!(png_size(&file("b.png")), (31, 77));
}

#[test]
fn derivatives_are_drawn_with_their_scale() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &[]);
    let decode = |more: &[&str]| {
        let command = ["decode", "run", "--out", "map.png", "--json"];
        let facts = json(folder.path(), &[&command[..], more].concat());
        assert_eq!(facts["quantile"], 0.995);
        facts["scale"].as_f64().unwrap()
    };
    let x = decode(&["--derivative", "x"]);
    assert_eq!(png_size(&folder.path().join("map.png")), (128, 128));
    let norm = decode(&["--derivative", "norm", "--scale", "2", "--region", "3,4,20,10"]);
    assert_eq!(png_size(&folder.path().join("map.png")), (40, 20));
    assert!(x > 0.0 && norm > 0.0);

    // The numbers depend on the machine; the words do not.
    let golden = |derivative: &str, expected: &str| {
        let command = ["decode", "run", "--out", "map.png", "--derivative", derivative];
        let (text, _) = texts(&vi3nr(folder.path(), &command));
        let is_number = |word: &&str| word.parse::<f64>().is_ok();
        let text = text.replace(',', " ,");
        let words: Vec<&str> = text.split_whitespace().collect();
        let words: Vec<&str> =
            words.iter().map(|word| if is_number(word) { "N" } else { *word }).collect();
        assert_eq!(words.join(" ").replace(" ,", ","), expected);
    };
    golden(
        "laplacian",
        "map.png (128x128 pixels; derivative laplacian: black is N, mid-gray N and white N per \
         pixel^2, the N % quantile of the magnitudes)",
    );
    golden(
        "norm",
        "map.png (128x128 pixels; derivative norm: black is N and white N per pixel, the N % \
         quantile of the magnitudes)",
    );
    let message =
        error(folder.path(), 2, &["decode", "run", "--out", "map.png", "--derivative", "z"]);
    assert!(message.contains("x, y, norm, laplacian"), "{message}");
}

#[test]
fn evaluation_agrees_with_the_fit() {
    let folder = tempfile::tempdir().unwrap();
    let fit = small_fit(folder.path(), "run", &[]);
    // Against its own reconstruction only the rounding to 8 bits is left: at most 1/255.
    let own =
        json(folder.path(), &["eval", "run", "--against", "run/reconstruction.png", "--json"]);
    assert!(own["psnr"].as_f64().unwrap() > 48.0, "{own}");
    assert!(own["ssim"].as_f64().unwrap() > 0.99, "{own}");
    let mut keys: Vec<_> = own.as_object().unwrap().keys().collect();
    keys.sort();
    let expected = ["bits_per_pixel", "max_error", "parameters", "psnr", "psnr_paper", "ssim"];
    assert_eq!(keys, expected);

    // An image of the fit's own size is taken as it is; of the fit's source, as it was prepared.
    let again = ["fit", "run/reconstruction.png", "--downscale", "2", "--crop", "40", "--gray"];
    let small = ["--width", "16", "--layers", "3", "--steps", "20", "--json", "--out", "again"];
    let fit_again = json(folder.path(), &[&again[..], &small].concat());
    let eval =
        json(folder.path(), &["eval", "again", "--against", "run/reconstruction.png", "--json"]);
    assert!((eval["psnr"].as_f64().unwrap() - fit_again["psnr"].as_f64().unwrap()).abs() < 1e-9);
    assert!(fit["psnr"] != fit_again["psnr"]);

    let message = error(
        folder.path(),
        2,
        &["eval", "again", "--against", "run/reconstruction.png", "--crop", "50"],
    );
    assert!(
        message.contains("the model is of 40x40 gray pixels, but the file has 50x50 RGB"),
        "{message}"
    );

    let (text, _) =
        texts(&vi3nr(folder.path(), &["eval", "run", "--against", "run/reconstruction.png"]));
    for part in ["peak 2, the usual convention", "SSIM 0.9", "largest error"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn info_shows_what_the_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &["--seed", "7"]);
    let info = json(folder.path(), &["info", "run", "--json"]);
    assert_eq!(info["dims"], serde_json::json!([2, 16, 16, 3]));
    assert_eq!(info["activation"], "sine:omega=20");
    assert_eq!(info["seed"], 7);
    assert_eq!(info["signal"]["kind"], "image");
    let bits = 32.0 * 371.0 / (128.0 * 128.0);
    assert!((info["bits_per_pixel"].as_f64().unwrap() - bits).abs() < 1e-12);
    let (text, _) = texts(&vi3nr(folder.path(), &["info", "run"]));
    let golden = "\
run/model.safetensors
image         128x128, 3 channels, 8 bits per sample
coordinates   -1,1 on the longest side, same spacing on all, ends included
network       2-16-16-3 (3 weight matrices, 371 parameters, 0.7 bits per pixel)
activation    sine:omega=20
seed          7
";
    assert!(text.starts_with(golden), "{text}");
    assert!(
        text.contains("init          ours:sigma_p=0.05000274672686803,first_sigma_p=0.5\n"),
        "{text}"
    );
}
