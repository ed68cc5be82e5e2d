//! Backends of runs: chosen by name or by measurement, changed when a run is resumed, and lost.

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use common::{backend, directory, execute, request, small, whole_run};
use serde_json::{Value, json};
use vi3nr::Network;
use vi3nr_engine::{
    AdamMemory, Backend, Batch, Capabilities, CpuBackend, Curvature, Engine, EngineError,
    TermBatch, Update, Workers,
};
use vi3nr_inr::backend::{BackendChoice, BackendName, Grounds, OpenBackend};
use vi3nr_inr::checkpoint::{CheckpointError, CheckpointInterval};
use vi3nr_inr::model_file::Model;
use vi3nr_inr::prepare::PrepareError;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Run, RunEvent};
use vi3nr_inr::run_directory::{RunDirectory, RunError, RunRecord, StoredRun};
use vi3nr_inr::train::Stop;

fn record(path: &Path) -> RunRecord {
    match RunDirectory::read(path).unwrap() {
        StoredRun::Current(record) => *record,
        stored => panic!("{stored:?}"),
    }
}

/// Resumes the run in `path` on the backend that it or `changes` asks for.
fn reopened(path: &Path, changes: Value) -> Result<(Run, OpenBackend), RunError> {
    let (directory, stored) = RunDirectory::open(path)?;
    Run::reopen(directory, &stored, &record(path).request, &request(changes), Some(1))
}

#[test]
fn a_run_goes_on_with_another_backend() {
    for settings in
        [json!({"optimizer": "adam"}), json!({"optimizer": "kfac"}), json!({"batch": 9})]
    {
        let folder = tempfile::tempdir().unwrap();
        let [whole, path] = ["whole", "run"].map(|name| folder.path().join(name));
        let own = small("tiny.png", json!({"steps": 25})).with(&request(settings)).unwrap();
        let expected = whole_run(&own, &whole);
        let (run, opened) = Run::open(&own, None, &directory(&path, false), Some(1)).unwrap();
        assert_eq!(opened.name, BackendName::Cpu);
        execute(&run, &*opened.backend, Some(7)).unwrap();

        let (run, opened) = reopened(&path, json!({"backend": "reference"})).unwrap();
        assert_eq!((opened.name, run.plan().backend), (BackendName::Reference, opened.name));
        let part = execute(&run, &*opened.backend, Some(13)).unwrap();
        assert_eq!((part.fit.report.steps, part.fit.report.backend), (13, "reference"));
        // The record has the backend, which need not be named again.
        let (run, opened) = reopened(&path, json!({})).unwrap();
        assert_eq!((opened.name, run.plan().backend), (BackendName::Reference, opened.name));
        execute(&run, &*opened.backend, Some(18)).unwrap();
        assert_eq!(record(&path).request.backend, Some(BackendChoice::Reference));

        // The backend is all that may change.
        let before = record(&path);
        let (run, opened) = reopened(&path, json!({"backend": "cpu", "seed": 1})).unwrap();
        match execute(&run, &*opened.backend, None).unwrap_err() {
            RunError::Checkpoint(CheckpointError::Foreign { differences, .. }) => {
                assert_eq!(differences, ["seed is 0 there and 1 here"]);
            }
            error => panic!("{error}"),
        }
        assert_eq!(record(&path), before);

        let (run, opened) = reopened(&path, json!({"backend": "cpu"})).unwrap();
        assert_eq!(record(&path).request.backend, Some(BackendChoice::Cpu));
        let last = execute(&run, &*opened.backend, None).unwrap();
        let report = &last.fit.report;
        assert_eq!((report.steps, report.stopped, report.backend), (25, Stop::Steps, "cpu"));
        assert_eq!(last.log.rows().len(), 25);
        let (seen, expected) = (report.loss, expected.report.loss);
        assert!((seen - expected).abs() < 0.05 * expected, "{seen} {expected}");

        // Nothing is left to do, whatever the backend.
        let (run, _) = reopened(&path, json!({"backend": "reference"})).unwrap();
        assert_eq!(run.ended().unwrap()["backend"], "cpu");
        // A finished run is continued on any backend.
        let (run, opened) = reopened(&path, json!({"backend": "reference", "steps": 3})).unwrap();
        assert_eq!(execute(&run, &*opened.backend, None).unwrap().fit.report.steps, 3);
        assert_eq!(record(&path).plan.backend, BackendName::Reference);
    }
}

#[test]
fn a_measurement_leaves_a_backend_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let own = small("tiny.png", json!({"steps": 5, "backend": "auto"}));
    let (run, opened) = Run::open(&own, None, &directory(&path, false), Some(1)).unwrap();
    assert_ne!(opened.grounds, Grounds::Named);
    let taken = run.plan().backend;
    assert_eq!((taken, record(&path).plan.backend), (opened.name, opened.name));
    assert_eq!(record(&path).request.backend, Some(taken.into()));
    let reasons = &run.prepared().resolved.reasons;
    assert!(reasons.iter().any(|reason| reason.field == "backend"), "{reasons:?}");
    let report = execute(&run, &*opened.backend, None).unwrap().fit.report;
    assert_eq!(report.backend, taken.as_str());
    assert_eq!(report.device.is_some(), taken == BackendName::Gpu);
}

#[test]
fn a_device_needs_a_backend_that_has_devices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    for settings in [json!({"device": 0}), json!({"backend": "reference", "device": 0})] {
        let own = small("tiny.png", settings);
        let error = Run::open(&own, None, &directory(&path, false), Some(1)).unwrap_err();
        let RunError::Prepare(PrepareError::Request(error)) = error else { panic!("{error}") };
        assert_eq!(error.fields, ["device"], "{error}");
    }
    assert!(!path.exists());
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_build_without_gpus_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let own = small("tiny.png", json!({"backend": "gpu"}));
    let target = directory(&folder.path().join("run"), false);
    let error = Run::open(&own, None, &target, Some(1)).unwrap_err().to_string();
    let expected = "this build has no GPU support; expected a build with the feature gpu";
    assert_eq!(error, expected);
    assert_eq!(vi3nr_inr::backend::devices().unwrap_err().to_string(), expected);
}

#[cfg(feature = "gpu")]
#[test]
fn a_device_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let own = small("tiny.png", json!({"backend": "gpu", "device": 999}));
    let error = Run::open(&own, None, &directory(&path, false), Some(1)).unwrap_err().to_string();
    let is_empty = vi3nr_inr::backend::devices().unwrap().is_empty();
    let expected = if is_empty { "mesa-vulkan-drivers" } else { "there is no device 999" };
    assert!(error.contains(expected), "{error}");
    assert!(!path.exists());
}

/// A backend on the CPU whose device is lost after so many steps.
#[derive(Debug)]
struct Losing {
    inner: Box<dyn Backend>,
    left: Arc<AtomicI64>,
}

impl Losing {
    fn after(steps: i64) -> Self {
        let inner = Box::new(CpuBackend::new(Some(1)).unwrap());
        Self { inner, left: Arc::new(AtomicI64::new(steps)) }
    }
}

impl Backend for Losing {
    fn name(&self) -> &'static str {
        "losing"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn engine(
        &self,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Box<dyn Engine>, EngineError> {
        let inner = self.inner.engine(network, parameters)?;
        Ok(Box::new(LosingEngine { inner, left: Arc::clone(&self.left) }))
    }

    fn workers(&self) -> &Arc<Workers> {
        self.inner.workers()
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        let losing = |inner| Box::new(Self { inner, left: Arc::clone(&self.left) }) as _;
        Ok(self.inner.side_by_side(count)?.into_iter().map(losing).collect())
    }
}

struct LosingEngine {
    inner: Box<dyn Engine>,
    left: Arc<AtomicI64>,
}

impl Engine for LosingEngine {
    fn loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(EngineError::Device {
                seen: "the device was lost".into(),
                expected: "a device that works".into(),
            });
        }
        self.inner.loss_and_gradient()
    }

    fn network(&self) -> &Network {
        self.inner.network()
    }

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        self.inner.load_batch(batch)
    }

    fn load_terms(&mut self, batch: &TermBatch<'_>) -> Result<(), EngineError> {
        self.inner.load_terms(batch)
    }

    fn term_losses(&self) -> &[f64] {
        self.inner.term_losses()
    }

    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError> {
        self.inner.apply(update)
    }

    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError> {
        self.inner.evaluate(points, values)
    }

    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError> {
        self.inner.differentiate(points, values, derivatives)
    }

    fn differentiate_twice(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
        hessians: &mut [f32],
    ) -> Result<(), EngineError> {
        self.inner.differentiate_twice(points, values, derivatives, hessians)
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) -> Result<(), EngineError> {
        self.inner.copy_parameters(parameters)
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        self.inner.set_parameters(parameters)
    }

    fn gradient(&self) -> Result<Vec<f32>, EngineError> {
        self.inner.gradient()
    }

    fn adam_memory(&self) -> Result<AdamMemory, EngineError> {
        self.inner.adam_memory()
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        self.inner.set_adam_memory(memory)
    }

    fn curvature(&mut self) -> Option<&mut dyn Curvature> {
        self.inner.curvature()
    }
}

/// The checkpoints of these runs are written every ten steps.
#[test]
fn a_lost_device_leaves_the_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, path, early] = ["whole", "run", "early"].map(|name| folder.path().join(name));
    let own = small("tiny.png", json!({"steps": 40, "optimizer": "adam"}));
    let expected = whole_run(&own, &whole);
    let losing = Losing::after(25);
    let run = Run::begin(&own, &directory(&path, false), &losing).unwrap();
    let error = execute(&run, &losing, None).unwrap_err();
    assert!(matches!(error, RunError::Cut { .. }), "{error:?}");
    let message = error.to_string();
    let parts = ["the device was lost", "what was done before is kept in", path.to_str().unwrap()];
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    assert!(path.join("checkpoint.safetensors").is_file());

    let (run, opened) = reopened(&path, json!({})).unwrap();
    let mut first = None;
    let mut watch = |event: RunEvent<'_>| {
        if let RunEvent::Step(progress) = event {
            first.get_or_insert(progress.step);
        }
        ControlFlow::Continue(())
    };
    let interval = CheckpointInterval::Steps(10);
    let outcome = run.execute(&*opened.backend, interval, Instant::now(), &mut watch).unwrap();
    assert_eq!(first, Some(21));
    assert!(outcome.fit.model == expected.model);

    // Before the first checkpoint there is nothing to resume from.
    let losing = Losing::after(5);
    let run = Run::begin(&own, &directory(&early, false), &losing).unwrap();
    let error = execute(&run, &losing, None).unwrap_err();
    assert!(matches!(error, RunError::Fit(_)), "{error:?}");
}

#[test]
fn a_lost_device_leaves_the_finished_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let own = request(json!({
        "tile": 32, "width": 16, "layers": 3, "steps": 6, "quality": 90, "storage": "f32",
    }));
    // Three attempts at each of 16 pieces take at most 18 steps and a few more passes.
    let losing = Losing::after(200);
    let run = Run::begin(&own, &directory(&path, false), &losing).unwrap();
    let mut watch = |_: RunEvent<'_>| ControlFlow::Continue(());
    let interval = CheckpointInterval::default();
    let error = run.execute(&losing, interval, Instant::now(), &mut watch).unwrap_err();
    assert!(matches!(error, RunError::Cut { .. }), "{error:?}");
    let journal = path.join("pieces.journal");
    let kept = fs::metadata(&journal).unwrap().len();

    // The journal may be continued on another backend, too.
    let (run, opened) = reopened(&path, json!({"backend": "reference"})).unwrap();
    let mut done = None;
    let mut stop = |event: RunEvent<'_>| {
        if let RunEvent::Pieces(progress) = event {
            done.get_or_insert(progress.done);
        }
        ControlFlow::Break(())
    };
    run.execute(&*opened.backend, interval, Instant::now(), &mut stop).unwrap();
    assert!(done.unwrap() > 0);
    assert!(fs::metadata(&journal).unwrap().len() >= kept);
    let (run, opened) = reopened(&path, json!({"backend": "cpu"})).unwrap();
    let outcome = run.execute(&*opened.backend, interval, Instant::now(), &mut watch).unwrap();
    assert_eq!(outcome.fit.report.pieces.unwrap().unfinished, 0);
    assert!(Model::load(&path.join("model.safetensors")).is_ok());
}

/// A run that names no backend is one on the CPU, as before there were others.
#[test]
fn the_default_is_the_cpu() {
    assert_eq!(FitRequest::default().backend.unwrap_or_default(), BackendChoice::Cpu);
    let own = small("tiny.png", json!({"steps": 3}));
    let fit = common::fit(&own, &vi3nr_inr::prepare::prepare(&own).unwrap(), &backend(1));
    assert_eq!((fit.report.backend, fit.report.device), ("cpu", None));
}
