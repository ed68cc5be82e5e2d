//! The command `init`.

use serde_json::{Value, json};

use crate::error;
use crate::theory::{answer, number};

#[test]
fn initial_weights_follow_the_theory() {
    let gaussian = ["init", "gaussian:sigma=0.05", "--dims", "2,128,128,3"];
    let ours = answer(&[&gaussian[..], &["--sigma-p", "auto"]].concat());
    assert_eq!(ours["derived_for"], "any activation");
    assert_eq!((&ours["warnings"], &ours["distribution"]), (&json!([]), &json!("uniform")));
    let layers = ours["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 3);
    let sigma_p = number(&ours["sigma_p"][0]);
    assert!((sigma_p - 0.0776886987).abs() < 1e-9);
    // Eq. (27) and Eq. (7).
    assert!((number(&layers[0]["bound"]) - sigma_p * 4.5f64.sqrt()).abs() < 1e-12);
    assert!((128.0 * number(&layers[1]["variance"]) - 0.0145710678).abs() < 1e-10);
    assert!((number(&layers[1]["std"]).powi(2) - number(&layers[1]["variance"])).abs() < 1e-18);
    let fans = |layer: &Value| (layer["fan_in"].clone(), layer["fan_out"].clone());
    assert_eq!(fans(&layers[2]), (json!(128), json!(3)));

    let dims = ["--dims", "2,16,16,1"];
    let init = |rest: &[&str]| answer(&[&["init"], rest, &dims[..]].concat());
    assert_eq!(init(&["sine"])["scheme"], "siren:omega=30");
    assert_eq!(init(&["sine", "--sigma-p", "1"])["scheme"], "ours:sigma_p=1");
    assert_eq!(init(&["relu", "--scheme", "kaiming"])["sigma_p"], "any");
    let misused = init(&["gaussian", "--scheme", "xavier", "--distribution", "normal"]);
    assert_eq!(misused["warnings"].as_array().unwrap().len(), 3);
    assert_eq!(misused["layers"][0]["bound"], Value::Null);
    let dying = init(&["tanh", "--scheme", "xavier"]);
    assert_eq!((&dying["sigma_p"], &dying["sigma_p_tends_to"]), (&json!([]), &json!(0.0)));
    assert_eq!(
        answer(&["init", "tanh", "--scheme", "xavier", "--dims", "2,3"])["sigma_p"],
        json!(null)
    );
}

/// The edge of chaos keeps both variances, by biases that the report contains.
#[test]
fn the_edge_of_chaos_has_biases() {
    let init = |rest: &[&str]| {
        answer(&[&["init"], rest, &["--dims", "2,128,128,128,3", "--scheme", "eoc"]].concat())
    };
    let tanh = init(&["tanh", "--sigma-p", "1"]);
    assert_eq!((&tanh["biases"], &tanh["first_biases"]), (&json!("scheme"), &json!("zero")));
    assert!((number(&tanh["sigma_p"][0]) - 1.0).abs() < 1e-9);
    assert!((number(&tanh["gradient_growth"]) - 1.0).abs() < 1e-9);
    // 1 - 1/1.17784 and 0.4611/1.17784.
    let bias = |report: &Value, layer: usize| number(&report["layers"][layer]["bias_std"]);
    assert!((bias(&tanh, 1).powi(2) - 0.150965).abs() < 1e-6);
    assert_eq!((bias(&tanh, 0), bias(&tanh, 3)), (0.0, bias(&tanh, 1)));
    assert!((number(&tanh["error_growth"]) - 0.39147).abs() < 1e-4);
    assert!(number(&tanh["derivatives"]["std"]) > 0.0);
    assert_eq!(tanh["warnings"], json!([]));
    // The fixed point that was asked for, not the stable one below it.
    let gelu = init(&["gelu", "--sigma-p", "1"]);
    assert!(gelu["warnings"][0].as_str().unwrap().contains("chi = 1.144"));
    assert!(number(&gelu["error_growth"]) > 1.06 && gelu["sigma_p"].as_array().unwrap().len() == 2);
    let first = init(&["tanh", "--sigma-p", "1", "--first-sigma-p", "0.5"]);
    assert!(bias(&first, 1) > bias(&first, 2));
    assert_eq!(bias(&init(&["tanh", "--biases", "zero"]), 1), 0.0);

    let folder = tempfile::tempdir().unwrap();
    for (rest, part) in [
        (
            &["gaussian", "--sigma-p", "0.01"][..],
            "--init: the scheme eoc:sigma_p=0.01 does not apply to gaussian",
        ),
        (&["tanh", "--first-sigma-p", "0"], "a finite number above 0"),
        (&["tanh", "--first-sigma-p", "nan"], "a finite number above 0"),
        (&["tanh", "--last-sigma-p", "1"], "--last-sigma-p: a sigma_p of the last layer"),
    ] {
        let arguments = [&["init", "--dims", "2,8,8,1", "--scheme", "eoc"], rest].concat();
        let message = error(folder.path(), 2, &arguments);
        assert!(message.contains(part), "{rest:?}: {message}");
    }
    let arguments =
        ["init", "sine", "--dims", "2,8,8,1", "--init", "siren", "--first-sigma-p", "1"];
    let message = error(folder.path(), 2, &arguments);
    assert!(message.contains("--first-sigma-p: ") && message.contains("ours or eoc"), "{message}");
}

/// The noise of WINNER is computed from the signal of a fit; `init` has no signal.
#[test]
fn noise_follows_from_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    let fit = |out: &str, init: &str| {
        let network = ["--width", "8", "--layers", "3", "--steps", "3", "--optimizer", "adam"];
        let arguments = [&["fit", "--init", init, "--out", out, "--json"][..], &network].concat();
        crate::json(folder.path(), &arguments)
    };
    fit("a", "winner");
    let scheme = crate::json(folder.path(), &["info", "a", "--json"])["settings"]["init"].clone();
    let scheme = scheme.as_str().unwrap();
    assert!(scheme.starts_with("winner:omega=30,s0=0."), "{scheme}");
    fit("b", scheme);
    let weights = |out: &str| {
        let model = std::fs::read(folder.path().join(out).join("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
        model[8 + length..].to_vec()
    };
    assert_eq!(weights("a"), weights("b"));
    let noisy = answer(&["init", "sine", "--dims", "2,8,8,1", "--init", "winner:s0=2,s1=0"]);
    let first = &noisy["layers"][0];
    assert!((number(&first["variance"]) - 4.0 - 1.0 / 12.0).abs() < 1e-12);
    assert_eq!((number(&first["noise_std"]), &first["bound"]), (2.0, &json!(null)));
    for (arguments, part) in [
        (&["init", "sine", "--dims", "2,8,1", "--init", "winner"][..], "without a signal"),
        (&["init", "sine", "--dims", "3,8,1", "--init", "winner"], "a shape has none"),
        (&["fit", "--init", "winner", "--activation", "tanh"], "the sine, sin(omega x), only"),
        (&["fit", "--init", "winner:s0=nan,s1=1"], "a finite number of at least 0"),
    ] {
        let message = error(folder.path(), 2, arguments);
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
}

#[test]
fn initial_weights_are_written_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, seed: &str| {
        let arguments = [
            "init",
            "sine",
            "--dims",
            "2,16,16,3",
            "--biases",
            "like-weights",
            "--seed",
            seed,
            "--out",
            name,
            "--json",
        ];
        assert_eq!(crate::json(folder.path(), &arguments)["file"], name);
        std::fs::read(folder.path().join(name)).unwrap()
    };
    let bytes = write("a.safetensors", "4");
    assert_eq!(bytes, write("b.safetensors", "4"));
    assert_ne!(bytes, write("c.safetensors", "5"));
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    for (key, value) in [
        ("format", "vi3nr-init"),
        ("dims", "2,16,16,3"),
        ("activation", "sine:omega=30"),
        ("scheme", "siren:omega=30"),
        ("biases", "like-weights"),
        ("seed", "4"),
    ] {
        assert_eq!(header["__metadata__"][key], value);
    }
    assert_eq!(header["net.0.weight"]["shape"], json!([16, 2]));
    assert_eq!(header["net.2.bias"]["shape"], json!([3]));
    // 371 numbers, and the initial weights within SIREN's bound.
    assert_eq!(bytes.len(), 8 + length + 4 * (2 * 16 + 16 + 16 * 16 + 16 + 16 * 3 + 3));
    let floats = bytes[8 + length..].chunks_exact(4);
    let first: Vec<f32> =
        floats.take(32).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    assert!(first.iter().all(|weight| weight.abs() <= 0.5 && *weight != 0.0));
    let info = crate::json(folder.path(), &["info", "a.safetensors", "--json"]);
    assert_eq!((&info["seed"], &info["settings"]["init"]), (&json!(4), &json!("siren:omega=30")));
}

#[test]
fn impossible_networks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, expected) in [
        (&["tanh"][..], 2, "--dims"),
        (&["tanh", "--dims", "2"], 2, "layer sizes 2: at least the numbers of inputs and outputs"),
        (&["tanh", "--dims", "2,x"], 2, "whole numbers separated by commas"),
        (&["tanh", "--dims", ""], 2, "whole numbers separated by commas"),
        (&["tanh", "--dims", "2,0,3"], 2, "layer sizes 2,0,3: a size is 0"),
        (&["tanh", "--dims", "2,99999999999999999999,3"], 2, "whole numbers"),
        (&["tanh", "--dims", "2,8,3", "--scheme", "he"], 2, "known: ours"),
        (&["tanh", "--dims", "2,8,3", "--sigma-p", "0"], 2, "above 0"),
        (
            &["tanh", "--dims", "2,8,3", "--scheme", "siren"],
            2,
            "--init: the scheme siren was requested for tanh",
        ),
        (
            &["tanh", "--dims", "2,8,3", "--scheme", "xavier", "--sigma-p", "1"],
            2,
            "belongs to the scheme ours",
        ),
        (&["gaussian", "--dims", "2,8,3", "--scheme", "kumar"], 2, "does not apply"),
        (&["tanh", "--dims", "2,8,3", "--out", "missing/w"], 1, "cannot write 'missing/w'"),
        (
            &["relu", "--dims", "2,8,3", "--scheme", "normal:std=1e39", "--out", "w"],
            2,
            "expected finite numbers",
        ),
    ] {
        let message = error(folder.path(), code, &[&["init"], arguments].concat());
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
