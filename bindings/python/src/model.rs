//! Models.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods as _, PyReadonlyArray2, ToPyArray as _};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;
use vi3nr_engine::Backend;
use vi3nr_inr::backend::{BackendError, BackendName, BackendRequest, OpenBackend, Workload};
use vi3nr_inr::decode::{
    DecodeRequest, PixelRegion, decode, decode_audio, decode_shape, derivatives_at, image_values,
    values_at,
};
use vi3nr_inr::evaluate::{evaluate, open_truth};
use vi3nr_inr::export::OnnxModel;
use vi3nr_inr::model_file::{Body, Model as Inner, Origin};
use vi3nr_inr::signal::audio::AudioInfo;
use vi3nr_inr::signal::image::ImageInfo;
use vi3nr_inr::signal::info_to_json;

use crate::backend::backend_request;
use crate::error::{Kind, Raise, exception};

/// A trained network, or the networks of all pieces of a signal.
#[pyclass(frozen)]
pub(crate) struct Model {
    inner: Arc<Inner>,
    backend: Mutex<ModelBackend>,
}

/// Where a model is evaluated.
struct ModelBackend {
    asked: BackendRequest,
    /// The open backend, unless it is the CPU: opening a GPU and compiling its kernels takes time.
    /// Threads are started anew for each call, so that a process can fork between calls.
    kept: Option<Arc<OpenBackend>>,
}

impl ModelBackend {
    fn open(&mut self, model: &Inner) -> Result<Arc<OpenBackend>, BackendError> {
        if let Some(opened) = &self.kept {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(OpenBackend::of(&self.asked, || Workload::of_model(model))?);
        self.keep(&opened);
        Ok(opened)
    }

    fn keep(&mut self, opened: &Arc<OpenBackend>) {
        // What was measured once is not measured again.
        self.asked.choice = Some(opened.name.into());
        match opened.name {
            BackendName::Cpu => self.asked.device = None,
            _ => self.kept = Some(Arc::clone(opened)),
        }
    }
}

impl Model {
    pub(crate) fn new(inner: Inner, asked: BackendRequest) -> Self {
        let backend = Mutex::new(ModelBackend { asked, kept: None });
        Self { inner: Arc::new(inner), backend }
    }

    /// A model that is evaluated on an open backend, which `asked` names.
    pub(crate) fn opened(inner: Inner, asked: BackendRequest, opened: OpenBackend) -> Self {
        let model = Self::new(inner, asked);
        model.lock().keep(&Arc::new(opened));
        model
    }

    pub(crate) fn read(py: Python<'_>, path: &Path, asked: BackendRequest) -> PyResult<Self> {
        let inner = py.detach(|| Inner::load(path)).map_err(|error| error.raise(py))?;
        Ok(Self::new(inner, asked))
    }

    fn lock(&self) -> MutexGuard<'_, ModelBackend> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with a backend, without the interpreter lock.
    fn with_backend<T: Send, E: Raise + Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Inner, &dyn Backend) -> Result<T, E> + Send,
    ) -> PyResult<T> {
        let opened =
            py.detach(|| self.lock().open(&self.inner)).map_err(|error| error.raise(py))?;
        py.detach(|| work(&self.inner, &*opened.backend)).map_err(|error| error.raise(py))
    }
}

#[pymethods]
impl Model {
    /// Reads a model file, or the model of a run directory.
    #[staticmethod]
    #[pyo3(signature = (path, threads=None, backend=None, device=None))]
    fn load(
        py: Python<'_>,
        path: PathBuf,
        threads: Option<usize>,
        backend: Option<&str>,
        device: Option<usize>,
    ) -> PyResult<Self> {
        Self::read(py, &path, backend_request(py, backend, device, threads)?)
    }

    /// Makes a model of a network whose parameters are given in the order of its layers, weights
    /// (out, in) before biases, from the metadata of another model.
    fn with_parameters(
        &self,
        py: Python<'_>,
        parameters: numpy::PyReadonlyArray1<'_, f32>,
    ) -> PyResult<Self> {
        let invalid = |message: String| exception(py, Kind::Request, message);
        let network = self.inner.network().clone();
        let parameters = parameters.as_array().to_vec();
        let (seen, expected) = (parameters.len(), network.parameter_count());
        if seen != expected {
            return Err(invalid(format!("{seen} parameters; expected {expected}")));
        }
        if matches!(self.inner.body, Body::Pieces(_)) {
            return Err(in_pieces(py));
        }
        let inner = Inner {
            body: Body::Network { network, parameters },
            storage: Default::default(),
            ..(*self.inner).clone()
        };
        Ok(Self::new(inner, self.lock().asked))
    }

    /// Writes the model file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.inner.save(&path)).map_err(|error| error.raise(py))
    }

    /// The values at coordinates, shape (n, inputs): shape (n, outputs).
    fn values<'py>(
        &self,
        py: Python<'py>,
        points: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let count = self.check(py, &points)?;
        let outputs = self.inner.network().outputs();
        let points = Contiguous::of(&points);
        let values =
            self.with_backend(py, |model, backend| values_at(model, points.numbers(), backend))?;
        PyArray1::from_vec(py, values).reshape([count, outputs])
    }

    /// The derivatives at coordinates, shape (n, inputs): shape (n, outputs, inputs).
    fn derivatives<'py>(
        &self,
        py: Python<'py>,
        points: PyReadonlyArray2<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let count = self.check(py, &points)?;
        let (inputs, outputs) = (self.inner.network().inputs(), self.inner.network().outputs());
        let points = Contiguous::of(&points);
        let found = self
            .with_backend(py, |model, backend| derivatives_at(model, points.numbers(), backend))?;
        PyArray1::from_vec(py, found).reshape([count, outputs, inputs])
    }

    /// The values of a decoded image before clamping, shape (height, width, channels).
    #[pyo3(signature = (size, region))]
    fn image_values<'py>(
        &self,
        py: Python<'py>,
        size: Option<(u32, u32)>,
        region: Option<(u32, u32, u32, u32)>,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let region = region.map(|(x, y, width, height)| PixelRegion { x, y, width, height });
        let (info, values) =
            self.with_backend(py, |model, backend| image_values(model, size, region, backend))?;
        let shape = [info.height as usize, info.width as usize, info.channels];
        PyArray1::from_vec(py, values).reshape(shape)
    }

    /// The samples of a decoded image in its bit depth, shape (height, width, channels), from its
    /// values.
    fn image_samples<'py>(
        &self,
        py: Python<'py>,
        values: numpy::PyReadonlyArray3<'py, f32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(info) = self.inner.signal.as_any().downcast_ref::<ImageInfo>() else {
            return Err(exception(py, Kind::Request, "the model is not one of an image".into()));
        };
        let array = values.as_array();
        let (height, width, channels) = array.dim();
        let samples: Vec<u16> = array.iter().map(|value| info.bit_depth.sample(*value)).collect();
        let shape = [height, width, channels];
        if info.bit_depth.bits() == 8 {
            let bytes: Vec<u8> = samples.iter().map(|sample| *sample as u8).collect();
            return Ok(PyArray1::from_vec(py, bytes).reshape(shape)?.into_any());
        }
        Ok(PyArray1::from_vec(py, samples).reshape(shape)?.into_any())
    }

    /// The samples of decoded audio, shape (samples, channels), and their rate.
    #[pyo3(signature = (rate, start, duration))]
    fn audio_samples<'py>(
        &self,
        py: Python<'py>,
        rate: Option<u32>,
        start: Option<f64>,
        duration: Option<f64>,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, u32)> {
        let span = match (start, duration) {
            (None, None) => None,
            (start, duration) => Some((start.unwrap_or(0.0), duration)),
        };
        let audio =
            self.with_backend(py, |model, backend| decode_audio(model, rate, span, backend))?;
        let info: AudioInfo = audio.audio_info();
        let samples: Vec<f32> = audio.samples().collect();
        let count = samples.len() / info.channels;
        Ok((PyArray1::from_vec(py, samples).reshape([count, info.channels])?, info.rate))
    }

    /// The vertices, the faces and the normals of the surface of a shape.
    #[allow(clippy::type_complexity)]
    fn mesh<'py>(
        &self,
        py: Python<'py>,
        resolution: usize,
    ) -> PyResult<(Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<u32>>, Bound<'py, PyArray2<f64>>)>
    {
        let shape =
            self.with_backend(py, |model, backend| decode_shape(model, resolution, backend))?;
        let rows = |vectors: &[[f64; 3]]| {
            let flat: Vec<f64> = vectors.iter().flatten().copied().collect();
            flat.to_pyarray(py).reshape([vectors.len(), 3])
        };
        let faces: Vec<u32> = shape.mesh.faces.iter().flatten().copied().collect();
        let faces = PyArray1::from_vec(py, faces).reshape([shape.mesh.faces.len(), 3])?;
        Ok((rows(&shape.mesh.vertices)?, faces, rows(&shape.normals)?))
    }

    /// Decodes to a file and returns the facts about it as JSON.
    #[pyo3(signature = (path, scale, size, region, rate, start, duration, resolution))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by keyword")]
    fn decode_file(
        &self,
        py: Python<'_>,
        path: PathBuf,
        scale: Option<f64>,
        size: Option<(u32, u32)>,
        region: Option<(u32, u32, u32, u32)>,
        rate: Option<u32>,
        start: Option<f64>,
        duration: Option<f64>,
        resolution: Option<usize>,
    ) -> PyResult<String> {
        let region = region.map(|(x, y, width, height)| PixelRegion { x, y, width, height });
        let request = DecodeRequest {
            scale,
            size,
            region,
            rate,
            start,
            duration,
            resolution,
            ..DecodeRequest::default()
        };
        let decoded = self.with_backend(py, |model, backend| {
            decode(model, &request, &path, backend, &mut |_| {})
        })?;
        Ok(json!({"facts": decoded.facts, "warnings": decoded.warnings}).to_string())
    }

    /// The metrics against the signal in a file, as JSON.
    fn evaluate(&self, py: Python<'_>, file: PathBuf) -> PyResult<String> {
        let metrics = self.with_backend(py, |model, backend| {
            let truth = backend
                .workers()
                .install(|| open_truth(&file, model, &Default::default(), None))?;
            evaluate(model, &*truth, backend)
        })?;
        Ok(json!(metrics).to_string())
    }

    /// The bytes of the model as an ONNX file.
    fn onnx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let exported =
            py.detach(|| OnnxModel::new(&self.inner)).map_err(|error| error.raise(py))?;
        Ok(PyBytes::new(py, exported.to_bytes()))
    }

    /// The parameters of the network, in the order of its layers.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let whole = self.inner.whole();
        let (_, parameters) = whole.ok_or_else(|| in_pieces(py))?;
        Ok(parameters.to_pyarray(py))
    }

    /// What is known about the model, as JSON.
    fn info(&self) -> String {
        let network = self.inner.network();
        let mut info = json!({
            "signal": info_to_json(&*self.inner.signal),
            "dims": network.dims(),
            "activation": network.activation().to_string(),
            "parameters": self.inner.parameter_count(),
            "input_scale": self.inner.input_scale,
            "seed": self.inner.seed,
            "storage": self.inner.storage,
            "details": self.inner.signal.details(),
            "settings": self.inner.origin.settings(),
        });
        if let Body::Pieces(set) = &self.inner.body {
            let grid = set.grid();
            info["pieces"] = json!({"counts": grid.counts(), "overlap": grid.overlap()});
        }
        if let Origin::Fit { request, plan } = &self.inner.origin {
            info["request"] = json!(request);
            info["plan"] = json!(plan);
        }
        info.to_string()
    }
}

impl Model {
    /// The number of points, if they have the network's number of coordinates.
    fn check(&self, py: Python<'_>, points: &PyReadonlyArray2<'_, f32>) -> PyResult<usize> {
        let (count, width) = points.as_array().dim();
        let inputs = self.inner.network().inputs();
        if width == inputs {
            return Ok(count);
        }
        let message = format!("coordinates of shape ({count}, {width}); expected (n, {inputs})");
        Err(exception(py, Kind::Request, message))
    }
}

/// The numbers of an array in order: its own, without a copy, if it holds them so.
enum Contiguous<'a> {
    Borrowed(&'a [f32]),
    Owned(Vec<f32>),
}

impl<'a> Contiguous<'a> {
    fn of(array: &'a PyReadonlyArray2<'_, f32>) -> Self {
        match array.as_slice() {
            Ok(numbers) => Self::Borrowed(numbers),
            Err(_) => Self::Owned(array.as_array().iter().copied().collect()),
        }
    }

    fn numbers(&self) -> &[f32] {
        match self {
            Self::Borrowed(numbers) => numbers,
            Self::Owned(numbers) => numbers,
        }
    }
}

fn in_pieces(py: Python<'_>) -> PyErr {
    let message =
        "the model is in pieces; expected a model of one network (fit with tile=\"none\")";
    exception(py, Kind::Request, message.into())
}
