//! Functions shared by the tests in this folder.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use vi3nr_engine::{Backend, CpuBackend};
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::prepare::Prepared;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run, RunEvent, RunOutcome};
use vi3nr_inr::run_directory::RunError;
use vi3nr_inr::session::{Beginning, Fit, Session};

/// The path of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub(crate) fn backend(threads: usize) -> CpuBackend {
    CpuBackend::new(Some(threads)).unwrap()
}

/// The request with these settings.
pub(crate) fn request(settings: Value) -> FitRequest {
    FitRequest::from_settings(settings.as_object().unwrap()).unwrap()
}

/// The request for a small fit of the fixture `name` with these further settings.
pub(crate) fn small(name: &str, settings: Value) -> FitRequest {
    let file = fixture(name);
    let size = json!({"file": file, "width": 8, "layers": 3});
    request(size).with(&request(settings)).unwrap()
}

/// Executes `run`, interrupted after the step `cut` if given.
pub(crate) fn execute(
    run: &Run,
    backend: &dyn Backend,
    cut: Option<u64>,
) -> Result<RunOutcome, RunError> {
    let mut watch = |event: RunEvent<'_>| match event {
        RunEvent::Step(progress) if Some(progress.step) == cut => ControlFlow::Break(()),
        RunEvent::Step(_) => ControlFlow::Continue(()),
        other => panic!("{other:?}"),
    };
    let started = Instant::now();
    run.execute(backend, CheckpointInterval::Steps(10), started, &mut watch)
}

/// Settings for every optimizer, with full batches and mini-batches.
pub(crate) fn image_fits() -> [Value; 4] {
    [
        json!({"steps": 25}),
        json!({"steps": 25, "optimizer": "adam"}),
        json!({"steps": 25, "batch": 50, "lr_decay": 0.98}),
        json!({"steps": 25, "optimizer": "muon", "activation": "gaussian:sigma=0.3"}),
    ]
}

/// Requests for small fits of every supported kind of signal.
pub(crate) fn fits() -> Vec<FitRequest> {
    let mut fits: Vec<FitRequest> =
        image_fits().into_iter().map(|settings| small("tiny.png", settings)).collect();
    if cfg!(feature = "audio") {
        fits.push(small("tiny.wav", json!({"steps": 25, "batch": 64})));
    }
    if cfg!(feature = "shape") {
        fits.push(small("tetra.ply", json!({"steps": 12, "batch": 90})));
        fits.push(small("tetra.ply", json!({"steps": 12, "batch": 90, "terms": "siren"})));
    }
    fits
}

/// Runs the session of `prepared` to its end.
pub(crate) fn fit(request: &FitRequest, prepared: &Prepared, backend: &dyn Backend) -> Fit {
    let beginning = Beginning { weights: prepared.weights.as_deref(), ..Beginning::default() };
    let plan = &prepared.resolved.plan;
    let mut session = Session::new(plan, &*prepared.signal, backend, beginning).unwrap();
    while session.step().unwrap().is_some() {}
    session.finish(request).unwrap()
}

pub(crate) fn directory(path: &Path, overwrite: bool) -> Destination {
    Destination::Directory { path: path.to_owned(), overwrite }
}

/// Executes a run in `path` from beginning to end.
pub(crate) fn whole_run(request: &FitRequest, path: &Path) -> Fit {
    let backend = backend(2);
    let run = Run::begin(request, &directory(path, false), &backend).unwrap();
    execute(&run, &backend, None).unwrap().fit
}
