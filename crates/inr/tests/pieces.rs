//! Fits in pieces: results, files and resuming after an interrupt.

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use common::{backend, directory, request};
use serde_json::{Value, json};
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::decode::decode_image;
use vi3nr_inr::evaluate::evaluate;
use vi3nr_inr::fit::Fitting;
use vi3nr_inr::model_file::{Body, Model, Storage};
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Run, RunEvent, RunOutcome};
use vi3nr_inr::run_directory::{RunDirectory, StoredRun};
use vi3nr_inr::session::{Beginning, Fit, FitError, Session};
use vi3nr_inr::signal::image::{BitDepth, Image, ImageOptions, test_image};
use vi3nr_inr::train::Stop;

/// Twelve small pieces of an image of 64x48 pixels.
fn small(more: Value) -> FitRequest {
    let mut settings = json!({"tile": 16, "width": 24, "quality": 30, "storage": "f32"});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request(settings)
}

fn image() -> Image {
    let square = test_image(64).unwrap();
    let values = square.values()[..3 * 64 * 48].to_vec();
    Image::from_values(64, 48, 3, values).unwrap()
}

fn fitted(request: FitRequest, threads: usize) -> Fit {
    Fitting::of(&image()).request(request).run_on(&backend(threads)).unwrap()
}

fn parameters(model: &Model) -> Vec<Vec<f32>> {
    match &model.body {
        Body::Pieces(set) => (0..set.piece_count()).map(|i| set.parameters(i).unwrap()).collect(),
        Body::Network { .. } => panic!("one network"),
    }
}

#[test]
fn every_piece_reaches_the_quality_and_threads_change_nothing() {
    let fit = fitted(small(json!({})), 2);
    let report = &fit.report;
    let pieces = report.pieces.as_ref().unwrap();
    assert_eq!((pieces.counts.as_slice(), report.stopped), (&[4, 3][..], Stop::Target));
    assert_eq!((pieces.below_target, pieces.unfinished), (0, 0));
    assert!(report.metrics.get("psnr").unwrap() >= 29.9, "{report:?}");
    assert!(pieces.worst.get("psnr").unwrap() >= 28.0, "{report:?}");
    assert_eq!(report.metrics.get("parameters"), Some(fit.model.parameter_count() as f64));
    assert_eq!(fit.pieces.as_ref().unwrap().reports.len(), 12);
    assert_eq!(parameters(&fit.model), parameters(&fitted(small(json!({})), 1).model));
    // The metrics of the fit are those of its model.
    let measured = evaluate(&fit.model, &image(), &backend(1)).unwrap();
    assert!((measured.get("psnr").unwrap() - report.metrics.get("psnr").unwrap()).abs() < 1e-6);
    let other = fitted(small(json!({"seed": 1})), 1);
    assert_ne!(parameters(&fit.model), parameters(&other.model));
}

#[test]
fn models_survive_their_files_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    for (name, storage) in [("f32", Storage::F32), ("f16", Storage::F16), ("bf16", Storage::Bf16)] {
        let fit = fitted(small(json!({"storage": name, "steps": 20, "quality": 20})), 2);
        assert_eq!(fit.model.storage, storage);
        fit.model.save(&path).unwrap();
        let read = Model::load(&path).unwrap();
        assert!(read == fit.model, "{name}");
        let bytes = fs::read(&path).unwrap();
        let expected = fit.model.parameter_count() * storage.bits() / 8;
        assert!((expected..expected + 8192).contains(&bytes.len()), "{name}: {}", bytes.len());
        // A model that is read and written again has the same bytes.
        let again = folder.path().join("again.safetensors");
        read.save(&again).unwrap();
        assert_eq!(fs::read(&again).unwrap(), bytes);
        let size = decode_image(&read, None, None, &folder.path().join("a.png"), &backend(2));
        assert_eq!(size.unwrap(), (64, 48));
    }
}

#[test]
fn regions_and_enlargements_agree_with_the_whole() {
    let fit = fitted(small(json!({})), 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    let decoded = |size, region: Option<&str>| {
        let region = region.map(|text| text.parse().unwrap());
        decode_image(&fit.model, size, region, &path, &backend(2)).unwrap();
        Image::open(&path, &ImageOptions::default()).unwrap()
    };
    let whole = decoded(None, None);
    let region = decoded(None, Some("13,9,20,30"));
    let tripled = decoded(Some((192, 144)), None);
    for y in 0..30 {
        let own = &whole.values()[3 * ((y + 9) * 64 + 13)..][..60];
        assert_eq!(own, &region.values()[60 * y..][..60]);
    }
    // At three times the size, the middle pixel of every three is the pixel itself.
    for (x, y) in [(0, 0), (15, 16), (16, 15), (63, 47), (31, 32)] {
        let own = &whole.values()[3 * (y * 64 + x)..][..3];
        let other = &tripled.values()[3 * ((3 * y + 1) * 192 + 3 * x + 1)..][..3];
        assert!(own.iter().zip(other).all(|(a, b)| (a - b).abs() < 0.009), "{x} {y}");
    }
}

fn begun(folder: &Path, more: Value) -> Run {
    let file = folder.join("a.png");
    image().save_png(&file, BitDepth::Eight).unwrap();
    let mut request = small(more);
    request.file = Some(file);
    Run::begin(&request, &directory(&folder.join("run"), true), &backend(2)).unwrap()
}

/// Executes a run until `pieces` pieces have ended.
fn execute(run: &Run, pieces: usize) -> RunOutcome {
    let mut watch = |event: RunEvent<'_>| match event {
        RunEvent::Pieces(progress) if progress.done >= pieces => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let interval = CheckpointInterval::default();
    run.execute(&backend(2), interval, Instant::now(), &mut watch).unwrap()
}

fn resumed(folder: &Path) -> Run {
    let (directory, stored) = RunDirectory::open(&folder.join("run")).unwrap();
    let StoredRun::Current(record) = &stored else { panic!() };
    let (request, none) = (record.request.clone(), FitRequest::default());
    Run::resume(directory, &stored, &request, &none, &backend(1)).unwrap()
}

#[test]
fn a_resumed_fit_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let model = folder.join("run/model.safetensors");
    let whole = execute(&begun(folder, json!({})), usize::MAX);
    assert_eq!(whole.fit.report.stopped, Stop::Target);
    assert!(!folder.join("run/pieces.journal").exists());
    let table = fs::read_to_string(folder.join("run/pieces.csv")).unwrap();
    assert_eq!(table.lines().count(), 13, "{table}");
    assert!(table.starts_with("piece,start_0,start_1,length_0,length_1,loss,psnr"), "{table}");
    let expected = fs::read(&model).unwrap();

    let part = execute(&begun(folder, json!({})), 5);
    let report = &part.fit.report;
    assert_eq!(report.stopped, Stop::Interrupted);
    let unfinished = report.pieces.as_ref().unwrap().unfinished;
    assert!((1..=7).contains(&unfinished), "{unfinished}");
    // Pieces that were not begun have the constant value of their mean, so that the model is
    // complete.
    assert!(report.metrics.get("psnr").unwrap() > 8.0, "{report:?}");
    assert!(Model::load(&model).is_ok());
    let journal = folder.join("run/pieces.journal");
    let kept = fs::read(&journal).unwrap();
    // A piece whose record is truncated is fitted again.
    for cut in [kept.len(), kept.len() - 1, kept.len() / 2, 40, 3, 0] {
        fs::write(&journal, &kept[..cut]).unwrap();
        let whole = execute(&resumed(folder), usize::MAX);
        assert_eq!(whole.fit.report.stopped, Stop::Target, "{cut}");
        assert_eq!(fs::read(&model).unwrap(), expected, "{cut}");
        // As after another interruption.
        let mut record: Value =
            serde_json::from_slice(&fs::read(folder.join("run/run.json")).unwrap()).unwrap();
        record["report"] = Value::Null;
        fs::write(folder.join("run/run.json"), record.to_string()).unwrap();
    }
    // A file that is not a journal is not overwritten.
    fs::write(&journal, "my own notes").unwrap();
    let run = resumed(folder);
    let mut watch = |_: RunEvent<'_>| ControlFlow::Continue(());
    let refused =
        run.execute(&backend(1), CheckpointInterval::default(), Instant::now(), &mut watch);
    assert!(refused.unwrap_err().to_string().contains("pieces.journal"));
    assert_eq!(fs::read_to_string(&journal).unwrap(), "my own notes");
}

#[test]
fn a_time_limit_leaves_a_model() {
    let request = small(json!({"quality": 200, "time_limit": 0.7, "steps": 100_000}));
    let fit = fitted(request, 2);
    assert_eq!(fit.report.stopped, Stop::Time);
    assert!(fit.report.pieces.as_ref().unwrap().unfinished > 0);
    assert!(fit.report.metrics.get("psnr").unwrap() > 10.0);
}

#[test]
fn a_piece_that_stalls_is_fitted_again() {
    // Networks of width 4 cannot reach this quality; wider ones come closer.
    let request = small(json!({"width": 4, "quality": 60, "steps": 70}));
    let fit = fitted(request, 2);
    let pieces = fit.report.pieces.as_ref().unwrap();
    assert_eq!((pieces.stalled, pieces.below_target), (12, 12));
    let reports = &fit.pieces.as_ref().unwrap().reports;
    assert!(reports.iter().all(|report| report.attempts == 3), "{reports:?}");
    assert!(reports.iter().any(|report| report.width > 4), "{reports:?}");
}

#[test]
fn storage_is_rounded_if_the_quality_is_still_reached() {
    let auto = |quality: f64| {
        fitted(small(json!({"storage": "auto", "quality": quality})), 2).model.storage
    };
    assert_eq!(auto(30.0), Storage::F16);
    assert_eq!(auto(75.0), Storage::F32);
}

#[test]
fn a_session_is_for_one_network() {
    let (image, backend) = (image(), backend(1));
    let plan = Fitting::of(&image).request(small(json!({}))).plan().unwrap().plan;
    let refused = Session::new(&plan, &image, &backend, Beginning::default());
    assert!(matches!(refused.err(), Some(FitError::InPieces)));
}
