//! Fits of files and arrays.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use numpy::{PyReadonlyArray1, PyReadonlyArray3};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};
use vi3nr_inr::backend::{BackendRequest, OpenBackend, Ready, ready};
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::fit::fit as fit_in_memory;
use vi3nr_inr::metrics::Metrics;
use vi3nr_inr::prepare::{Prepared, prepare, prepare_signal};
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::{Destination, Run, RunEvent, absolute};
use vi3nr_inr::run_directory::{RunDirectory, RunError, StoredRun};
use vi3nr_inr::session::{Beginning, Fit};
use vi3nr_inr::signal::audio::{Audio, AudioInfo};
use vi3nr_inr::signal::image::Image;
use vi3nr_inr::signal::{Signal as AnySignal, SignalError};

use crate::error::{Kind, Raise, exception};
use crate::model::Model;

/// How often Ctrl-C is looked for.
const SIGNALS_EVERY: Duration = Duration::from_millis(50);

/// A signal that was made from an array.
#[pyclass(frozen)]
pub(crate) struct Signal {
    inner: Mutex<Option<Box<dyn AnySignal>>>,
}

impl Signal {
    fn of(py: Python<'_>, signal: Result<impl AnySignal + 'static, SignalError>) -> PyResult<Self> {
        let signal = signal.map_err(|error| error.raise(py))?;
        Ok(Self { inner: Mutex::new(Some(Box::new(signal))) })
    }
}

/// The height, width and number of channels, and the elements in order.
fn elements<T: numpy::Element + Copy>(
    array: &PyReadonlyArray3<'_, T>,
) -> (u32, u32, usize, Vec<T>) {
    let array = array.as_array();
    let (height, width, channels) = array.dim();
    let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    (side(height), side(width), channels, array.iter().copied().collect())
}

#[pymethods]
impl Signal {
    /// An image of 8-bit samples, shape (height, width, channels).
    #[staticmethod]
    fn image_of_bytes(py: Python<'_>, array: PyReadonlyArray3<'_, u8>) -> PyResult<Self> {
        let (height, width, channels, samples) = elements(&array);
        Self::of(py, Image::from_bytes(width, height, channels, samples))
    }

    /// An image of 16-bit samples, shape (height, width, channels).
    #[staticmethod]
    fn image_of_words(py: Python<'_>, array: PyReadonlyArray3<'_, u16>) -> PyResult<Self> {
        let (height, width, channels, samples) = elements(&array);
        Self::of(py, Image::from_words(width, height, channels, samples))
    }

    /// An image of values on [-1, 1], shape (height, width, channels).
    #[staticmethod]
    fn image_of_values(py: Python<'_>, array: PyReadonlyArray3<'_, f32>) -> PyResult<Self> {
        let (height, width, channels, values) = elements(&array);
        Self::of(py, Image::from_values(width, height, channels, values))
    }

    /// Audio of samples, those of the channels interleaved.
    #[staticmethod]
    fn audio(
        py: Python<'_>,
        samples: PyReadonlyArray1<'_, f32>,
        channels: usize,
        rate: u32,
    ) -> PyResult<Self> {
        let samples: Vec<f32> = samples.as_array().iter().copied().collect();
        let info = AudioInfo { rate, channels, samples: 0, scale: 1.0, start: 0.0 };
        Self::of(py, Audio::from_samples(samples, info, None))
    }
}

/// The request that `settings`, a JSON object, describe.
fn request_of(py: Python<'_>, settings: &str) -> PyResult<FitRequest> {
    let invalid = |message: String| exception(py, Kind::Request, message);
    let value: Value =
        serde_json::from_str(settings).map_err(|error| invalid(error.to_string()))?;
    let Value::Object(settings) = value else {
        return Err(invalid("the settings are not an object".into()));
    };
    FitRequest::from_settings(&settings).map_err(|error| error.raise(py))
}

/// Fits the file of `settings`, or `signal`, and returns the model and the report as JSON.
///
/// With `out`, the fit writes a run directory. `watch` is called with a dictionary after each step; if
/// it returns False, the fit ends and keeps the best weights.
#[pyfunction]
#[pyo3(signature = (settings, signal, out, overwrite, threads, watch))]
pub(crate) fn fit(
    py: Python<'_>,
    settings: &str,
    signal: Option<&Signal>,
    out: Option<PathBuf>,
    overwrite: bool,
    threads: Option<usize>,
    watch: Option<Py<PyAny>>,
) -> PyResult<(Model, String)> {
    let request = request_of(py, settings)?;
    let started = Instant::now();
    if let Some(path) = out {
        let destination = Destination::Directory { path, overwrite };
        let (run, opened) = py
            .detach(|| Run::open(&request, None, &destination, threads))
            .map_err(|error| error.raise(py))?;
        return execute(py, &run, opened, threads, started, watch);
    }
    let given = signal
        .and_then(|signal| signal.inner.lock().unwrap_or_else(PoisonError::into_inner).take());
    let ready = py.detach(|| {
        ready(&request, threads, |request| match given {
            Some(signal) => prepare_signal(request, signal),
            None => prepare(request),
        })
    });
    let Ready { request, prepared, opened, .. } = ready.map_err(|error| error.raise(py))?;
    let Prepared { signal, resolved, weights, .. } = &prepared;
    let mut watcher = Watcher::new(&**signal, watch);
    let beginning =
        Beginning { started: Some(started), weights: weights.as_deref(), ..Beginning::default() };
    let stored = absolute(&request).map_err(|error| error.raise(py))?;
    let found = py.detach(|| {
        let (mut watch, backend) = (|event: RunEvent<'_>| watcher.see(&event), &*opened.backend);
        fit_in_memory(&resolved.plan, &**signal, backend, beginning, &stored, &mut watch)
    });
    let asked = BackendRequest::of(&request, threads);
    let found = found.map_err(|error| error.raise(py));
    finish(py, found, warnings(&prepared), watcher, (asked, opened))
}

/// Resumes the run in `directory` with the settings of `changes`.
#[pyfunction]
#[pyo3(signature = (directory, changes, threads, watch))]
pub(crate) fn resume(
    py: Python<'_>,
    directory: PathBuf,
    changes: &str,
    threads: Option<usize>,
    watch: Option<Py<PyAny>>,
) -> PyResult<(Model, String)> {
    let changes = request_of(py, changes)?;
    let started = Instant::now();
    let opened = || -> Result<_, RunError> {
        let (directory, stored) = RunDirectory::open(&directory)?;
        Ok((directory, stored))
    };
    let (opened, stored) = py.detach(opened).map_err(|error| error.raise(py))?;
    let StoredRun::Current(record) = &stored else {
        let message = format!(
            "'{}' was begun by version 1; resume it with `vi3nr fit --resume`",
            directory.display()
        );
        return Err(exception(py, Kind::Request, message));
    };
    let request = record.request.clone();
    let (run, reopened) = py
        .detach(|| Run::reopen(opened, &stored, &request, &changes, threads))
        .map_err(|error| error.raise(py))?;
    if let Some(ended) = run.ended() {
        let asked = BackendRequest::of(run.request(), threads);
        let model = Model::read(py, &run.directory().model_path(), asked)?;
        return Ok((model, ended.to_string()));
    }
    execute(py, &run, reopened, threads, started, watch)
}

fn execute(
    py: Python<'_>,
    run: &Run,
    opened: OpenBackend,
    threads: Option<usize>,
    started: Instant,
    watch: Option<Py<PyAny>>,
) -> PyResult<(Model, String)> {
    let mut watcher = Watcher::new(run.signal(), watch);
    let found = py.detach(|| {
        let mut watch = |event: RunEvent<'_>| watcher.see(&event);
        run.execute(&*opened.backend, CheckpointInterval::default(), started, &mut watch)
    });
    let found = found.map(|outcome| outcome.fit).map_err(|error| error.raise(py));
    let asked = BackendRequest::of(run.request(), threads);
    finish(py, found, warnings(run.prepared()), watcher, (asked, opened))
}

/// The warnings about the file and the settings.
fn warnings(prepared: &Prepared) -> Vec<String> {
    let own = prepared.signal.warnings().iter();
    own.chain(&prepared.resolved.warnings).cloned().collect()
}

/// The model and the report, or the exception that ended the fit, with the model as its attribute.
fn finish(
    py: Python<'_>,
    found: PyResult<Fit>,
    mut warnings: Vec<String>,
    watcher: Watcher<'_>,
    (asked, opened): (BackendRequest, OpenBackend),
) -> PyResult<(Model, String)> {
    let fit = match (found, &watcher.raised) {
        (Err(error), None) => return Err(error),
        (Err(_), Some(raised)) => return Err(raised.clone_ref(py)),
        (Ok(fit), _) => fit,
    };
    warnings.extend(fit.report.warnings.iter().cloned());
    let mut report = json!(fit.report);
    report["warnings"] = json!(warnings);
    report["network"] = json!(fit.plan.network.dims());
    let model = Model::opened(fit.model, asked, opened);
    let ended = match (watcher.raised, fit.report.problem) {
        (Some(raised), _) => Some(raised),
        (None, Some(problem)) => Some(exception(py, Kind::Divergence, problem)),
        (None, None) => None,
    };
    let Some(ended) = ended else { return Ok((model, report.to_string())) };
    // Python turns the parts into a model of its own class.
    ended.value(py).setattr("parts", (model, report.to_string()))?;
    Err(ended)
}

/// What is called after each step of a fit.
struct Watcher<'a> {
    signal: &'a dyn AnySignal,
    callback: Option<Py<PyAny>>,
    looked: Instant,
    /// The exception of the callback, or of Ctrl-C.
    raised: Option<PyErr>,
}

impl<'a> Watcher<'a> {
    fn new(signal: &'a dyn AnySignal, callback: Option<Py<PyAny>>) -> Self {
        Self { signal, callback, looked: Instant::now(), raised: None }
    }

    fn see(&mut self, event: &RunEvent<'_>) -> ControlFlow<()> {
        if self.raised.is_some() {
            return ControlFlow::Break(());
        }
        if self.callback.is_none() && self.looked.elapsed() < SIGNALS_EVERY {
            return ControlFlow::Continue(());
        }
        self.looked = Instant::now();
        match Python::attach(|py| self.call(py, event)) {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Whether the fit goes on.
    fn call(&self, py: Python<'_>, event: &RunEvent<'_>) -> PyResult<bool> {
        py.check_signals()?;
        let Some(callback) = &self.callback else { return Ok(true) };
        let entry = PyDict::new(py);
        let loss = match event {
            RunEvent::Step(progress) => {
                entry.set_item("step", progress.step)?;
                entry.set_item("steps", progress.steps)?;
                entry.set_item("learning_rate", progress.learning_rate)?;
                entry.set_item("elapsed", progress.elapsed.as_secs_f64())?;
                progress.loss
            }
            RunEvent::Pieces(progress) => {
                entry.set_item("step", progress.done)?;
                entry.set_item("steps", progress.pieces)?;
                entry.set_item("elapsed", progress.elapsed.as_secs_f64())?;
                progress.loss
            }
            _ => return Ok(true),
        };
        entry.set_item("loss", loss)?;
        let Metrics { all, .. } = self.signal.metrics_of_loss(loss);
        if let Some(first) = all.first() {
            entry.set_item(first.name, first.value)?;
        }
        let answer = callback.call1(py, (entry,))?;
        Ok(answer.is_none(py) || answer.is_truthy(py)?)
    }
}
