//! Every version of every file format can still be read: tests with the files in `fixtures/`.
//!
//! `fixtures/version-1` was written before plans were stored: models, `command.json` and `run.json`
//! of three runs, an interrupted run and initial weights. `fixtures/version-2` was written before
//! signals were cut into pieces. `fixtures/version-3` is written by
//! `version_3::write_the_fixtures`. The files must not change as long as their version is
//! supported.

#[path = "../common/mod.rs"]
mod common;
mod version_1;
mod version_2;
mod version_3;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{backend, fixture, request};
use serde_json::{Value, json};
use vi3nr_engine::InstructionSet;
use vi3nr_inr::evaluate::{evaluate, open_truth};
use vi3nr_inr::model_file::{InitialFile, Model, ModelFile, Weights, parameters_fingerprint};
use vi3nr_inr::prepare::prepare;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run_directory::{RunDirectory, RunError};
use vi3nr_inr::session::{Beginning, Session};
use vi3nr_inr::signal::{SignalKind, SignalRequest};
use vi3nr_inr::train::TrainState;

/// The folder of the signals according to the fixtures.
const FOLDER: &str = "/home/user/signals";

/// A stored run.
struct Kept {
    name: &'static str,
    file: &'static str,
    settings: Value,
    dims: &'static [usize],
    input_scale: f64,
    /// The CRC-32 of the model's parameters, the same in both versions.
    checksum: &'static str,
    /// The metric of the report that is compared with that of the model.
    metric: &'static str,
}

/// The finished runs, which are the same in both versions.
fn finished() -> Vec<Kept> {
    let mut kept = vec![Kept {
        name: "image",
        file: "tiny.png",
        settings: json!({"crop": 10, "steps": 20}),
        dims: &[2, 8, 8, 3],
        input_scale: 1.0,
        checksum: "366ecb4d",
        metric: "psnr",
    }];
    if cfg!(feature = "audio") {
        kept.push(Kept {
            name: "audio",
            file: "tiny.wav",
            settings: json!({"steps": 20}),
            dims: &[1, 8, 8, 1],
            input_scale: 100.0,
            checksum: "acc1dcbb",
            metric: "mse",
        });
    }
    if cfg!(feature = "shape") {
        kept.push(Kept {
            name: "shape",
            file: "tetra.ply",
            settings: json!({"steps": 5, "batch": 300}),
            dims: &[3, 8, 8, 1],
            input_scale: 1.0,
            checksum: "93bf3f2f",
            metric: "iou",
        });
    }
    kept
}

/// The request with the activation that was the default of versions 1 and 2, with SIREN's weights.
fn with_activation(given: &FitRequest) -> FitRequest {
    given.with(&request(json!({"activation": "sine:omega=30"}))).unwrap()
}

fn kept(version: u32, name: &str) -> PathBuf {
    fixture(&format!("version-{version}")).join(name)
}

/// Whether the machine has the instruction set with which the fixtures were written, so that
/// results agree bit for bit.
fn computes_alike() -> bool {
    format!("{:?}", InstructionSet::best()) == "Avx512"
}

/// Checks that two states are those of the same run.
fn assert_same(seen: &TrainState, expected: &TrainState) {
    assert_eq!(seen.step, expected.step);
    if computes_alike() {
        let strip =
            |state: &TrainState| TrainState { elapsed: Default::default(), ..state.clone() };
        assert!(strip(seen) == strip(expected), "step {}", seen.step);
    }
    for (a, b) in seen.parameters.iter().zip(&expected.parameters) {
        assert!((a - b).abs() <= 1e-3 * (1.0 + b.abs()), "{a} {b}");
    }
}

/// Checks a model against the signal that it was fitted to and the report of its run.
fn assert_reproduces(model: &Model, kept: &Kept, report: &Value) {
    let asked = SignalRequest::default();
    let truth = open_truth(&fixture(kept.file), model, &asked, None).unwrap();
    let metrics = evaluate(model, &*truth, &backend(2)).unwrap();
    let (seen, expected) =
        (metrics.get(kept.metric).unwrap(), report[kept.metric].as_f64().unwrap());
    assert!((seen - expected).abs() < 1e-4 * expected, "{} {seen} {expected}", kept.name);
}

/// The metadata of a safetensors file.
fn metadata(path: &Path) -> HashMap<String, String> {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    serde_json::from_value(header["__metadata__"].clone()).unwrap()
}

/// Checks that the stored state equals that of a fresh run, and that both continue alike.
fn assert_continues(request: &FitRequest, state: &TrainState, steps: u64) {
    let prepared = prepare(request).unwrap();
    let (plan, signal, backend) = (&prepared.resolved.plan, &*prepared.signal, backend(2));
    let mut fresh = Session::new(plan, signal, &backend, Beginning::default()).unwrap();
    for _ in 0..state.step {
        fresh.step().unwrap().unwrap();
    }
    assert_same(state, &fresh.state().unwrap());
    let beginning = Beginning { state: Some(state), ..Beginning::default() };
    let mut resumed = Session::new(plan, signal, &backend, beginning).unwrap();
    for _ in 0..steps {
        let (a, b) = (fresh.step().unwrap().unwrap(), resumed.step().unwrap().unwrap());
        assert_eq!((a.step, a.points_seen), (b.step, b.points_seen));
    }
    assert_same(&resumed.state().unwrap(), &fresh.state().unwrap());
}

fn copied(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, into.join(path.file_name().unwrap())).unwrap();
    }
}

/// Models of every kind can be read even if the kind was left out at compilation.
#[test]
fn models_of_every_kind_open_with_any_features() {
    for version in [1, 2] {
        for (name, kind, scale) in [
            ("image", SignalKind::Image, 1.0),
            ("audio", SignalKind::Audio, 100.0),
            ("shape", SignalKind::Shape, 1.0),
        ] {
            let model = Model::load(&kept(version, name).join("model.safetensors")).unwrap();
            assert_eq!((model.signal.kind(), model.input_scale), (kind, scale));
        }
    }
}

#[test]
fn initial_weights_of_both_versions_open() {
    for (version, input_scale) in [(1, None), (2, Some(1.0))] {
        let path = kept(version, "init.safetensors");
        let ModelFile::Initial(InitialFile { network, parameters, seed, settings, .. }) =
            ModelFile::load(&path).unwrap()
        else {
            panic!()
        };
        assert_eq!(network.dims(), [2, 8, 3]);
        assert_eq!(network.activation().to_string(), "gaussian:sigma=0.05");
        assert_eq!((parameters_fingerprint(&parameters).as_str(), seed), ("a7f3f040", 0));
        assert_eq!(settings["weights"], "uniform");
        let scheme = settings["init"].as_str().unwrap().parse().unwrap();
        let rule = vi3nr::InitRule::new(scheme);
        let drawn = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 0);
        assert_eq!(drawn, parameters);
        assert_eq!(Weights::load(&path).unwrap().input_scale, input_scale);
        // As a model, the weights represent an image.
        let model = Model::load(&path).unwrap();
        assert_eq!((model.signal.kind(), model.input_scale), (SignalKind::Image, 1.0));
        assert_eq!(model.whole().unwrap().1, parameters);
        let request = request(json!({"from": path, "steps": 2}));
        assert_eq!(prepare(&request).unwrap().resolved.plan.network, network);
    }
}

#[test]
fn damaged_records_are_errors() {
    for (version, name) in [(1, "image"), (2, "image"), (2, "cut")] {
        let folder = tempfile::tempdir().unwrap();
        copied(&kept(version, name), folder.path());
        let record = folder.path().join("run.json");
        let whole = fs::read_to_string(&record).unwrap();
        for length in [0, 1, whole.len() / 2, whole.len() - 3] {
            fs::write(&record, &whole[..length]).unwrap();
            let error = RunDirectory::read(folder.path()).unwrap_err();
            assert!(matches!(error, RunError::Record { .. }), "{version} {length}: {error}");
            assert!(error.to_string().contains("run.json"), "{error}");
        }
        if version == 2 {
            for (old, new) in [("\"format\": 2", "\"format\": 3"), ("\"sine", "\"sinus")] {
                fs::write(&record, whole.replace(old, new)).unwrap();
                let error = RunDirectory::read(folder.path()).unwrap_err();
                assert!(matches!(error, RunError::Record { .. }), "{error}");
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copied(&kept(1, "cut"), folder.path());
    fs::write(folder.path().join("command.json"), "{\"words\": 3}").unwrap();
    let error = RunDirectory::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("command.json"), "{error}");
}
