//! Files of version 1, before plans were stored.

use serde_json::{Value, json};
use vi3nr_inr::checkpoint::{Checkpoint, Identity};
use vi3nr_inr::model_file::{Model, Origin, parameters_fingerprint};
use vi3nr_inr::prepare::prepare;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::Run;
use vi3nr_inr::run_directory::{RunDirectory, StoredRun};
use vi3nr_inr::signal::SignalKind;
use vi3nr_inr::signal::image::ImageInfo;
use vi3nr_inr::train::Stop;

use super::common::{backend, execute, request, small};
use super::{
    FOLDER, assert_continues, assert_reproduces, copied, finished, kept, metadata, with_activation,
};

#[test]
fn models_of_version_1_open() {
    for one in finished() {
        let path = kept(1, one.name);
        let model = Model::load(&path).unwrap();
        assert_eq!(model.network().dims(), one.dims);
        assert_eq!(model.network().activation().to_string(), "sine:omega=30");
        assert_eq!((model.input_scale, model.seed), (one.input_scale, 0));
        let found = parameters_fingerprint(model.whole().unwrap().1);
        assert_eq!(found, one.checksum, "{}", one.name);
        let Origin::Settings(settings) = &model.origin else { panic!("{:?}", model.origin) };
        assert_eq!(settings["init"], "siren:omega=30");
        assert_eq!(settings["source"]["file"], one.file);

        let StoredRun::Version1(run) = RunDirectory::read(&path).unwrap() else { panic!() };
        assert_eq!((run.command.folder.to_str(), &*run.command.words[0]), (Some(FOLDER), one.file));
        let stored = StoredRun::Version1(run);
        let report = stored.report().unwrap();
        assert_eq!(report["stopped"], "steps");
        // Evaluating a shape is slow, and version 2 has the same parameters.
        if one.name != "shape" {
            assert_reproduces(&model, &one, report);
        }

        // Written again, it has the current format and the same content.
        let folder = tempfile::tempdir().unwrap();
        let again = folder.path().join("a.safetensors");
        model.save(&again).unwrap();
        assert!(Model::load(&again).unwrap() == model);
        assert_eq!(metadata(&again)["format_version"], "3");
    }
    let image = Model::load(&kept(1, "image")).unwrap();
    let info = image.signal.as_any().downcast_ref::<ImageInfo>().unwrap();
    assert_eq!((info.width, info.height, info.channels), (10, 10, 3));
    let options = image.origin.options(SignalKind::Image);
    assert_eq!((options.image.crop, options.image.downscale), (Some(10), 1));
}

/// The request of the interrupted run of version 1.
fn cut_of_version_1() -> FitRequest {
    small("tiny.png", json!({"optimizer": "adam", "steps": 200_000}))
}

#[test]
fn a_checkpoint_of_version_1_identifies_its_run() {
    let checkpoint = Checkpoint::load(&kept(1, "cut").join("checkpoint.safetensors")).unwrap();
    assert!(matches!(checkpoint.identity, Identity::Version1(_)) && checkpoint.request.is_none());
    assert_eq!((checkpoint.state.step, checkpoint.log.len()), (40, 1));
    assert_eq!(checkpoint.log[0].steps, 200_000);
    let differences = |changes: Value| {
        let request = with_activation(&cut_of_version_1()).with(&request(changes)).unwrap();
        let prepared = prepare(&request).unwrap();
        checkpoint.differences(&prepared.resolved.plan, &*prepared.signal)
    };
    assert_eq!(differences(json!({})), Vec::<String>::new());
    assert_eq!(differences(json!({"seed": 1})), ["seed is 0 there and 1 here"]);
    assert_eq!(
        differences(json!({"lr": 0.25})),
        ["settings.learning_rate is 0.0005 there and 0.25 here"]
    );
    let cropped = differences(json!({"crop": 10})).join("\n");
    for field in ["points", "settings.source.crop", "signal.width"] {
        assert!(cropped.contains(field), "{cropped}");
    }
}

#[test]
fn a_resumed_run_of_version_1_has_the_same_bytes() {
    let checkpoint = Checkpoint::load(&kept(1, "cut").join("checkpoint.safetensors")).unwrap();
    assert_continues(&with_activation(&cut_of_version_1()), &checkpoint.state, 25);
}

/// A resumed run of version 1 is stored in the current format.
#[test]
fn a_resumed_run_of_version_1_has_the_current_format() {
    let folder = tempfile::tempdir().unwrap();
    copied(&kept(1, "cut"), folder.path());
    let (directory, stored) = RunDirectory::open(folder.path()).unwrap();
    assert!(matches!(&stored, StoredRun::Version1(run) if run.run.is_none()));
    assert_eq!(stored.report(), None);
    let request = cut_of_version_1();
    let none = FitRequest::default();
    let run = Run::resume(directory, &stored, &request, &none, &backend(1)).unwrap();
    let outcome = execute(&run, &backend(1), Some(47)).unwrap();
    assert_eq!((outcome.fit.report.steps, outcome.fit.report.stopped), (47, Stop::Interrupted));

    let (directory, stored) = RunDirectory::open(folder.path()).unwrap();
    let StoredRun::Current(record) = &stored else { panic!("{stored:?}") };
    assert!(!record.has_ended());
    let run = Run::resume(directory, &stored, &record.request, &none, &backend(1)).unwrap();
    let outcome = execute(&run, &backend(1), Some(50)).unwrap();
    assert_eq!(outcome.fit.report.steps, 50);
}

/// A finished run of version 1 can be continued.
#[test]
fn a_finished_run_of_version_1_continues_from_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    copied(&kept(1, "image"), folder.path());
    let before = Model::load(folder.path()).unwrap();
    let (directory, stored) = RunDirectory::open(folder.path()).unwrap();
    let own = small("tiny.png", json!({"crop": 10, "steps": 20}));
    let more = request(json!({"steps": 5}));
    let run = Run::resume(directory, &stored, &own, &more, &backend(1)).unwrap();
    let start = run.plan().start.as_ref().unwrap();
    assert_eq!(start.parameters, parameters_fingerprint(before.whole().unwrap().1));
    let fit = execute(&run, &backend(1), None).unwrap().fit;
    assert!(fit.report.loss <= stored.report().unwrap()["loss"].as_f64().unwrap());
    assert!(folder.path().join("metrics-1.csv").is_file());
    assert!(matches!(RunDirectory::read(folder.path()), Ok(StoredRun::Current(_))));
}
