//! Invalid requests.

use serde_json::{Value, json};

use super::{facts, resolved};
use crate::plan::resolve;
use crate::request::{BatchSize, FitRequest};

#[test]
fn errors_name_the_invalid_fields() {
    let rows: &[(&str, Value, &[&str])] = &[
        ("shape", json!({"batch": "full"}), &["batch"]),
        ("shape", json!({"target_psnr": 30.0}), &["target_psnr"]),
        ("shape", json!({"quality": 30.0}), &["quality"]),
        ("shape", json!({"tile": 64}), &["tile"]),
        ("image", json!({"quality": 30.0, "target_psnr": 30.0}), &["quality", "target_psnr"]),
        ("image", json!({"parameters": 10}), &["parameters"]),
        ("image", json!({"parameters": 0}), &["parameters"]),
        ("image", json!({"parameters": 10_000, "width": 16}), &["parameters", "width"]),
        ("shape", json!({"optimizer": "kfac"}), &["optimizer"]),
        ("image", json!({"optimizer": "kfac", "batch": 100}), &["optimizer"]),
        ("image", json!({"optimizer": "kfac", "lr": 0.1}), &["lr"]),
        (
            "image",
            json!({"optimizer": "kfac", "lr": 0.1, "schedule": "cosine"}),
            &["lr", "schedule"],
        ),
        ("image", json!({"optimizer": "kfac", "lr_decay": 0.5}), &["lr_decay"]),
        ("image", json!({"schedule": "exponential"}), &["lr_decay"]),
        ("image", json!({"schedule": "cosine", "lr_decay": 0.5}), &["lr_decay"]),
        ("image", json!({"schedule": "constant", "lr_decay": 0.5}), &["lr_decay"]),
        ("image", json!({"init": "siren", "activation": "relu"}), &["init"]),
        ("image", json!({"init": "siren", "sigma_p": 0.1}), &["sigma_p"]),
        ("image", json!({"init": "siren", "last_sigma_p": 0.1}), &["last_sigma_p"]),
        ("image", json!({"init": "kaiming", "sigma_p": "auto"}), &["sigma_p"]),
        ("image", json!({"init": "ours_mc", "last_sigma_p": 0.1}), &["last_sigma_p"]),
        ("image", json!({"init": "ours_mc", "first_sigma_p": 0.1}), &["first_sigma_p"]),
        ("image", json!({"init": "eoc", "last_sigma_p": 0.1}), &["last_sigma_p"]),
        ("image", json!({"init": "ws", "activation": "tanh"}), &["init"]),
        ("image", json!({"init": "finer"}), &["init"]),
        ("shape", json!({"init": "winner"}), &["init"]),
        ("image", json!({"init": "winner", "activation": "tanh"}), &["init"]),
        ("image", json!({"init": "winner", "sigma_p": 1.0}), &["sigma_p"]),
        ("image", json!({"init": "ws", "first_sigma_p": 1.0}), &["first_sigma_p"]),
        ("image", json!({"init": "eoc", "activation": "softplus"}), &["init"]),
        ("image", json!({"init": "eoc:sigma_p=0.01", "activation": "gaussian"}), &["init"]),
        ("image", json!({"activation": "1/x"}), &["activation"]),
        // Terms.
        ("image", json!({"terms": "siren"}), &["terms"]),
        ("audio", json!({"supervise": "surface"}), &["supervise"]),
        ("shape", json!({"supervise": "distance", "terms": "igr"}), &["supervise", "terms"]),
        ("shape", json!({"terms": "igr", "clamp": 0.1}), &["clamp"]),
        ("shape", json!({"supervise": "surface", "loss": "squared"}), &["loss"]),
        ("points", json!({"loss": "squared", "clamp": 0.1}), &["clamp", "loss"]),
        ("shape", json!({"terms": "eikonal:0"}), &["terms"]),
        ("shape", json!({"terms": "siren directional:1"}), &["terms"]),
        ("points", json!({"optimizer": "kfac"}), &["optimizer"]),
        ("points", json!({"target_psnr": 30.0}), &["target_psnr"]),
        // Settings of another kind of signal.
        ("image", json!({"input_scale": 2.0}), &["input_scale"]),
        ("shape", json!({"input_scale": 2.0}), &["input_scale"]),
        ("image", json!({"start": 1.0, "channels": "all"}), &["channels", "start"]),
        ("audio", json!({"crop": 8}), &["crop"]),
        ("audio", json!({"loss": "squared"}), &["loss"]),
        ("shape", json!({"gray": false, "alpha": "white"}), &["gray", "alpha"]),
        // Backends.
        ("image", json!({"backend": "auto"}), &["backend"]),
        ("image", json!({"device": 0}), &["device"]),
        ("image", json!({"backend": "reference", "device": 0}), &["device"]),
        // Numbers out of range.
        ("image", json!({"steps": 0}), &["steps"]),
        ("image", json!({"lr": 0.0}), &["lr"]),
        ("image", json!({"lr": -1.0}), &["lr"]),
        ("image", json!({"lr_decay": -0.5}), &["lr_decay"]),
        ("image", json!({"last_sigma_p": -0.5}), &["last_sigma_p"]),
        ("image", json!({"time_limit": 0.0}), &["time_limit"]),
        ("image", json!({"time_limit": 1e300}), &["time_limit"]),
        ("audio", json!({"input_scale": 0.0}), &["input_scale"]),
        ("audio", json!({"start": -1.0}), &["start"]),
        ("audio", json!({"duration": 0.0}), &["duration"]),
        ("shape", json!({"clamp": -0.1}), &["clamp"]),
        ("image", json!({"downscale": 0}), &["downscale"]),
        ("image", json!({"crop": 0}), &["crop"]),
        ("image", json!({"width": 0}), &["width", "layers"]),
        ("image", json!({"layers": 0}), &["width", "layers"]),
        ("image", json!({"width": 100_000_000}), &["width", "layers"]),
    ];
    for (signal, settings, fields) in rows {
        let error = resolved(signal, settings).unwrap_err();
        assert_eq!(error.fields, *fields, "{signal} {settings}: {error}");
        assert!(!error.seen.is_empty() && !error.to_string().contains("--"), "{error}");
    }
}

/// Values that JSON cannot hold, but a library call can set.
#[test]
fn numbers_that_bypass_parsing_are_checked_too() {
    let mut cases = Vec::new();
    for number in [f64::NAN, f64::INFINITY] {
        let mut lr = FitRequest { lr: Some(number), ..FitRequest::default() };
        cases.push((lr.clone(), "lr"));
        (lr.lr, lr.target_psnr) = (None, Some(number));
        cases.push((lr, "target_psnr"));
    }
    for size in [0, BatchSize::MAX + 1] {
        let batch = Some(BatchSize::Points(size));
        cases.push((FitRequest { batch, ..FitRequest::default() }, "batch"));
    }
    for (request, field) in cases {
        let error = resolve(&request, &facts("image", &request)).unwrap_err();
        assert_eq!(error.fields, [field], "{error}");
    }
}
