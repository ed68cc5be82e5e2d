//! Files of version 2, before signals were cut into pieces.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vi3nr_inr::checkpoint::{Checkpoint, Identity};
use vi3nr_inr::model_file::{Model, Origin, parameters_fingerprint};
use vi3nr_inr::plan::FitPlan;
use vi3nr_inr::prepare::prepare;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::Run;
use vi3nr_inr::run_directory::{RUN_FORMAT, RunDirectory, StoredRun};

use super::common::{backend, execute, fixture, request, small};
use super::{
    FOLDER, assert_continues, assert_reproduces, copied, finished, kept, metadata, with_activation,
};

/// The interrupted runs of version 2: name, settings and step of the checkpoint.
fn cut_off() -> [(&'static str, Value, u64); 2] {
    [("cut", json!({"steps": 200, "batch": 32}), 40), ("cut-kfac", json!({"steps": 60}), 13)]
}

/// Checks that the request and the plan of a stored run are those of the current version.
fn assert_current(request: &FitRequest, plan: &FitPlan, file: &str, settings: &Value) {
    let today = small(file, settings.clone());
    let expected = prepare(&with_activation(&today)).unwrap().resolved.plan;
    assert_eq!(plan.canonical(), expected.canonical());
    let mut moved = request.clone();
    moved.file = Some(fixture(file));
    assert_eq!(moved, today);
}

#[test]
fn models_and_records_of_version_2_open() {
    for one in finished() {
        let path = kept(2, one.name);
        let model = Model::load(&path).unwrap();
        assert_eq!(model.network().dims(), one.dims);
        assert_eq!((model.input_scale, model.seed), (one.input_scale, 0));
        let found = parameters_fingerprint(model.whole().unwrap().1);
        assert_eq!(found, one.checksum, "{}", one.name);
        let Origin::Fit { request, plan } = &model.origin else { panic!("{:?}", model.origin) };
        assert_eq!(request.file, Some(one.file.into()));
        assert_current(request, plan, one.file, &one.settings);

        let StoredRun::Current(record) = RunDirectory::read(&path).unwrap() else { panic!() };
        assert_eq!(record.format, RUN_FORMAT);
        assert_eq!(record.request.file, Some(Path::new(FOLDER).join(one.file)));
        assert_current(&record.request, &record.plan, one.file, &one.settings);
        assert_eq!(record.plan, **plan);
        assert!(record.has_ended() && !record.files.is_empty());
        assert!(record.conventions.contains_key("loss"));
        assert_reproduces(&model, &one, record.report.as_ref().unwrap());

        // Nothing is lost when they are written again.
        let folder = tempfile::tempdir().unwrap();
        let again = folder.path().join("a.safetensors");
        model.save(&again).unwrap();
        assert!(Model::load(&again).unwrap() == model);
        let text = fs::read_to_string(path.join("run.json")).unwrap();
        let stored: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json!(record), stored);
    }
    // Version 1 stored -1,1 for any scale.
    let audio = metadata(&kept(2, "audio").join("model.safetensors"));
    assert_eq!(
        audio["coordinate_range"],
        "-100,100 from the first sample to the last, ends included"
    );
    assert_eq!((&*audio["input_scale"], &*audio["format_version"]), ("100", "2"));
}

#[test]
fn checkpoints_of_version_2_resume_to_the_same_bytes() {
    for (name, settings, step) in cut_off() {
        let path = kept(2, name);
        let checkpoint = Checkpoint::load(&path.join("checkpoint.safetensors")).unwrap();
        let StoredRun::Current(record) = RunDirectory::read(&path).unwrap() else { panic!() };
        assert!(record.report.is_none() && !record.has_ended());
        assert_eq!(checkpoint.state.step, step);
        assert_eq!(checkpoint.identity, Identity::Plan(record.plan.to_json()));
        assert_eq!(checkpoint.request.as_ref(), Some(&record.request));
        assert_eq!(checkpoint.log.len() as u64, step);
        assert_current(&record.request, &record.plan, "tiny.png", &settings);

        let own = small("tiny.png", settings);
        let given = with_activation(&own);
        let prepared = prepare(&given).unwrap();
        let plan = &prepared.resolved.plan;
        assert!(checkpoint.differences(plan, &*prepared.signal).is_empty());
        let other = given.with(&request(json!({"seed": 1}))).unwrap();
        let other = prepare(&other).unwrap();
        let differences = checkpoint.differences(&other.resolved.plan, &*other.signal);
        assert_eq!(differences, ["seed is 0 there and 1 here"]);
        assert_continues(&given, &checkpoint.state, 20);

        // The run on disk is also resumed to its end, although its request left the weights open and the
        // defaults are others today.
        assert!(own.activation.is_none() && own.init.is_none());
        let folder = tempfile::tempdir().unwrap();
        copied(&path, folder.path());
        let (directory, stored) = RunDirectory::open(folder.path()).unwrap();
        let none = FitRequest::default();
        let run = Run::resume(directory, &stored, &own, &none, &backend(2)).unwrap();
        let steps = execute(&run, &backend(2), None).unwrap().fit.report.steps;
        assert_eq!(steps, plan.training.steps);
    }
}
