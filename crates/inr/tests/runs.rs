//! Runs on disk: resuming, rejected changes and overwriting.

mod common;

use std::fs;
use std::path::Path;

use common::{backend, directory, execute, fits, fixture, request, small, whole_run};
use serde_json::{Value, json};
use vi3nr_inr::checkpoint::CheckpointError;
use vi3nr_inr::model_file::{Model, parameters_fingerprint};
use vi3nr_inr::prepare::PrepareError;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run};
use vi3nr_inr::run_directory::{RunDirectory, RunError, StoredRun};
use vi3nr_inr::signal::image::Image;
use vi3nr_inr::train::Stop;

/// Resumes the run in `path` with its own request.
fn resumed(path: &Path, changes: &FitRequest) -> Result<Run, RunError> {
    let (directory, stored) = RunDirectory::open(path)?;
    let StoredRun::Current(record) = &stored else { panic!("{stored:?}") };
    Run::resume(directory, &stored, &record.request, changes, &backend(2))
}

fn names(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The rows of `metrics.csv` without their seconds.
fn rows(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path.join("metrics.csv")).unwrap();
    text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
}

#[test]
fn a_resumed_run_ends_with_the_same_bytes() {
    for request in fits() {
        let folder = tempfile::tempdir().unwrap();
        let [whole, cut] = ["whole", "cut"].map(|name| folder.path().join(name));
        whole_run(&request, &whole);
        let run = Run::begin(&request, &directory(&cut, false), &backend(2)).unwrap();
        assert_eq!(names(&cut), ["run.json"]);
        let outcome = execute(&run, &backend(2), Some(7)).unwrap();
        assert_eq!(outcome.fit.report.stopped, Stop::Interrupted);
        assert!(cut.join("checkpoint.safetensors").is_file());

        let run = resumed(&cut, &FitRequest::default()).unwrap();
        assert!(run.ended().is_none());
        let outcome = execute(&run, &backend(1), None).unwrap();
        assert_eq!(outcome.fit.report.stopped, Stop::Steps);
        let model = |path: &Path| fs::read(path.join("model.safetensors")).unwrap();
        assert!(model(&whole) == model(&cut), "{}", run.plan().canonical());
        assert_eq!(rows(&whole), rows(&cut));
        assert_eq!(names(&whole), names(&cut));

        // Nothing is left to do.
        let run = resumed(&cut, &FitRequest::default()).unwrap();
        assert_eq!(run.ended().unwrap()["stopped"], "steps");
    }
}

#[test]
fn a_run_without_a_checkpoint_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, cut] = ["whole", "cut"].map(|name| folder.path().join(name));
    let request = small("tiny.png", json!({"steps": 12}));
    let expected = whole_run(&request, &whole);
    Run::begin(&request, &directory(&cut, false), &backend(1)).unwrap();
    let run = resumed(&cut, &FitRequest::default()).unwrap();
    assert!(execute(&run, &backend(1), None).unwrap().fit.model == expected.model);
}

#[test]
fn a_checkpoint_is_rejected_for_other_settings_or_signals() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("run"), folder.path().join("a.png"));
    fs::copy(fixture("tiny.png"), &file).unwrap();
    let request = small("tiny.png", json!({"steps": 30, "file": file}));
    let run = Run::begin(&request, &directory(&path, false), &backend(1)).unwrap();
    execute(&run, &backend(1), Some(5)).unwrap();
    let refused = |changes: Value| {
        let run = resumed(&path, &common::request(changes)).unwrap();
        match execute(&run, &backend(1), None).unwrap_err() {
            RunError::Checkpoint(CheckpointError::Foreign { differences, .. }) => differences,
            error => panic!("{error}"),
        }
    };
    assert_eq!(refused(json!({"seed": 1})), ["seed is 0 there and 1 here"]);
    let differences = refused(json!({"steps": 40, "width": 9}));
    assert_eq!(differences.len(), 2, "{differences:?}");
    // One sample of one pixel.
    let image = Image::open(&file, &Default::default()).unwrap();
    let mut values = image.values().to_vec();
    values[200] = if values[200] > 0.0 { -1.0 } else { 1.0 };
    let other = Image::from_values(image.width(), image.height(), 3, values).unwrap();
    other.save_png(&file, image.bit_depth()).unwrap();
    let differences = refused(json!({}));
    assert!(differences.len() == 1 && differences[0].contains("fingerprint"), "{differences:?}");
}

#[test]
fn a_finished_run_is_overwritten_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let first = small("tiny.png", json!({"steps": 9, "seed": 1}));
    whole_run(&first, &path);
    let before = fs::read(path.join("model.safetensors")).unwrap();
    let second = small("tiny.png", json!({"steps": 9, "seed": 2}));
    let error = Run::begin(&second, &directory(&path, false), &backend(1)).unwrap_err();
    assert!(matches!(error, RunError::Exists { .. }), "{error}");
    assert_eq!(fs::read(path.join("model.safetensors")).unwrap(), before);
    let run = Run::begin(&second, &directory(&path, true), &backend(1)).unwrap();
    assert_eq!(names(&path), ["run.json"]);
    execute(&run, &backend(1), None).unwrap();
    assert_ne!(fs::read(path.join("model.safetensors")).unwrap(), before);
    // An invalid request leaves the finished run unchanged.
    let wrong = small("tiny.png", json!({"crop": 500}));
    let error = Run::begin(&wrong, &directory(&path, true), &backend(1)).unwrap_err();
    assert!(matches!(error, RunError::Prepare(PrepareError::Signal(_))), "{error}");
    assert!(path.join("model.safetensors").is_file());

    let under = Destination::Under(folder.path().join("runs"));
    let name = |request: &FitRequest| {
        let run = Run::begin(request, &under, &backend(1)).unwrap();
        run.directory().path().file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!([name(&first), name(&first)], ["tiny", "tiny-2"]);
    assert_eq!(name(&request(json!({}))), "test-image");
}

#[test]
fn a_finished_run_continues_from_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let request = small("tiny.png", json!({"steps": 30, "optimizer": "adam", "seed": 4}));
    let first = whole_run(&request, path);
    let weights = parameters_fingerprint(first.model.whole().unwrap().1);
    let csv = fs::read(path.join("metrics.csv")).unwrap();

    // An invalid request leaves the finished run unchanged.
    let refused = resumed(path, &common::request(json!({"steps": 5, "crop": 500})));
    assert!(matches!(refused.unwrap_err(), RunError::Prepare(_)));
    assert_eq!(fs::read(path.join("metrics.csv")).unwrap(), csv);
    assert!(!path.join("start.safetensors").exists());

    let more = common::request(json!({"steps": 20}));
    let run = resumed(path, &more).unwrap();
    assert!(run.ended().is_none());
    assert_eq!(run.plan().start.as_ref().unwrap().parameters, weights);
    assert_eq!(run.plan().training.steps, 20);
    assert_eq!(fs::read(path.join("metrics-1.csv")).unwrap(), csv);
    assert!(Model::load(&path.join("start.safetensors")).unwrap() == first.model);
    // The run can also be resumed after being killed here.
    let run_again = resumed(path, &FitRequest::default()).unwrap();
    assert_eq!(run_again.plan(), run.plan());
    let outcome = execute(&run_again, &backend(2), Some(11)).unwrap();
    assert_eq!(outcome.fit.report.stopped, Stop::Interrupted);
    let run = resumed(path, &FitRequest::default()).unwrap();
    let second = execute(&run, &backend(2), None).unwrap();
    let found = second.log.rows()[0].loss;
    assert!((found - first.report.loss).abs() < 1e-6, "{found} {}", first.report.loss);
    assert_eq!((second.fit.report.steps, second.fit.report.stopped), (20, Stop::Steps));
    assert!(second.fit.report.loss <= first.report.loss);

    // Continue once more, with a time limit.
    let run = resumed(path, &common::request(json!({"time_limit": 0.2}))).unwrap();
    let third = execute(&run, &backend(2), None).unwrap();
    assert!(third.fit.report.loss <= second.fit.report.loss);
    let expected = ["metrics-1.csv", "metrics-2.csv", "metrics.csv"];
    assert_eq!(names(path)[..3], expected);
    assert!(Model::load(&path.join("start.safetensors")).unwrap() == second.fit.model);
}

/// Settings of the finished run's network do not conflict with its weights.
#[test]
fn a_finished_run_continues_whatever_its_initialization() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({"steps": 5, "activation": "gaussian:sigma=0.3", "sigma_p": "auto"});
    let first = whole_run(&small("tiny.png", settings), folder.path());
    let run = resumed(folder.path(), &request(json!({"steps": 3, "lr": 1e-4}))).unwrap();
    assert_eq!(run.plan().network, *first.model.network());
    execute(&run, &backend(1), None).unwrap();
}
