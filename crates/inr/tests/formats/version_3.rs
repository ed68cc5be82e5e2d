//! Models and runs in pieces, which version 3 of models and plans introduced.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::evaluate::{evaluate, open_truth};
use vi3nr_inr::model_file::{Alignment, Body, Model, Storage};
use vi3nr_inr::prepare::prepare;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Run, RunEvent};
use vi3nr_inr::run_directory::{RunDirectory, RunRecord, StoredRun};
use vi3nr_inr::signal::SignalRequest;
use vi3nr_inr::train::Stop;

use super::common::{backend, directory, fixture, small};
use super::{FOLDER, copied, kept, metadata};

/// Four pieces of the small image.
fn in_pieces() -> FitRequest {
    let settings = json!({
        "tile": 8, "quality": 25, "storage": "f16", "activation": "sine:omega=20",
    });
    small("tiny.png", settings)
}

/// Executes a run until `pieces` pieces have ended.
fn execute(run: &Run, pieces: usize) -> Stop {
    let mut watch = |event: RunEvent<'_>| match event {
        RunEvent::Pieces(progress) if progress.done >= pieces => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let interval = CheckpointInterval::default();
    run.execute(&backend(1), interval, Instant::now(), &mut watch).unwrap().fit.report.stopped
}

#[test]
fn a_model_in_pieces_has_the_same_quality() {
    let path = kept(3, "pieces");
    let model = Model::load(&path).unwrap();
    let Body::Pieces(set) = &model.body else { panic!("{:?}", model.body) };
    assert_eq!((set.grid().counts(), set.grid().overlap()), (&[2, 2][..], 2));
    assert_eq!((model.storage, model.alignment), (Storage::F16, Alignment::Areas));
    assert_eq!(metadata(&path.join("model.safetensors"))["format_version"], "3");
    let StoredRun::Current(record) = RunDirectory::read(&path).unwrap() else { panic!() };
    let plan = prepare(&in_pieces()).unwrap().resolved.plan;
    assert_eq!(record.plan.canonical(), plan.canonical());
    let asked = SignalRequest::default();
    let truth = open_truth(&fixture("tiny.png"), &model, &asked, None).unwrap();
    let psnr = evaluate(&model, &*truth, &backend(2)).unwrap().get("psnr").unwrap();
    let expected = record.report.unwrap()["psnr"].as_f64().unwrap();
    assert!((psnr - expected).abs() < 1e-3, "{psnr} {expected}");
}

#[test]
fn a_run_resumes_from_a_journal_of_pieces() {
    let folder = tempfile::tempdir().unwrap();
    copied(&kept(3, "pieces-cut"), folder.path());
    let (directory, stored) = RunDirectory::open(folder.path()).unwrap();
    let before = fs::metadata(folder.path().join("pieces.journal")).unwrap().len();
    assert!(before > 1000);
    let none = FitRequest::default();
    let run = Run::resume(directory, &stored, &in_pieces(), &none, &backend(1)).unwrap();
    assert_eq!(execute(&run, usize::MAX), Stop::Target);
    let model = Model::load(folder.path()).unwrap();
    assert_eq!(model.parameter_count(), Model::load(&kept(3, "pieces")).unwrap().parameter_count());
}

/// Rewrites `fixtures/version-3`, which is allowed only if the version changes before it is
/// released:
///
/// ```sh
/// cargo test --release -p vi3nr-inr --test formats -- --ignored
/// ```
#[test]
#[ignore = "writes the fixtures that the other tests read"]
fn write_the_fixtures() {
    let temporary = tempfile::tempdir().unwrap();
    for (name, pieces, files) in [
        ("pieces", usize::MAX, &["model.safetensors", "pieces.csv"][..]),
        ("pieces-cut", 2, &["pieces.journal"]),
    ] {
        let path = temporary.path().join(name);
        let run = Run::begin(&in_pieces(), &directory(&path, false), &backend(1)).unwrap();
        execute(&run, pieces);
        if pieces < usize::MAX {
            // As if the run had been killed and not interrupted.
            run.directory().begin(run.request(), run.plan()).unwrap();
        }
        let into = kept(3, name);
        fs::create_dir_all(&into).unwrap();
        for file in files {
            fs::copy(path.join(file), into.join(file)).unwrap();
        }
        // Paths of this machine are left out.
        let text = fs::read(path.join("run.json")).unwrap();
        let mut record: RunRecord = serde_json::from_slice(&text).unwrap();
        record.request.file = Some(Path::new(FOLDER).join("tiny.png"));
        let text = serde_json::to_string_pretty(&record).unwrap() + "\n";
        fs::write(into.join("run.json"), text).unwrap();
    }
}
