//! The engine, for training loops in Python.

use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::{
    PyArray1, PyArray2, PyArray3, PyArray4, PyArrayMethods as _, PyReadonlyArray1,
    PyReadonlyArray2, PyReadonlyArray3, PyUntypedArrayMethods as _,
};
use pyo3::prelude::*;
use vi3nr::Network;
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr_engine::{
    Adam, Batch, Constraint, Engine as Inner, EngineError, TermBatch, Update, WeightedTerm, Workers,
};
use vi3nr_inr::backend::OpenBackend;
use vi3nr_inr::plan::resolve_initialization;
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::recipes;
use vi3nr_inr::request::{FitRequest, RequestError};
use vi3nr_inr::signal::SignalKind;

use crate::backend::backend_request;
use crate::error::{Kind, Raise as _, exception};

/// A network in training.
#[pyclass(frozen)]
pub(crate) struct Engine {
    network: Network,
    inner: Mutex<Box<dyn Inner>>,
}

/// The attributes of a constraint in Python, with arrays in single precision.
#[derive(FromPyObject)]
struct ConstraintArrays<'py> {
    points: PyReadonlyArray2<'py, f32>,
    terms: Vec<String>,
    values: Option<PyReadonlyArray2<'py, f32>>,
    gradients: Option<PyReadonlyArray3<'py, f32>>,
    laplacians: Option<PyReadonlyArray2<'py, f32>>,
    directions: Option<PyReadonlyArray2<'py, f32>>,
    slopes: Option<PyReadonlyArray2<'py, f32>>,
    weights: Option<PyReadonlyArray1<'py, f32>>,
}

/// The numbers of a constraint, in order.
struct ConstraintNumbers {
    points: Vec<f32>,
    terms: Vec<WeightedTerm>,
    values: Option<Vec<f32>>,
    gradients: Option<Vec<f32>>,
    laplacians: Option<Vec<f32>>,
    directional: Option<[Vec<f32>; 2]>,
    weights: Option<Vec<f32>>,
}

impl ConstraintNumbers {
    fn of(py: Python<'_>, arrays: &ConstraintArrays<'_>, network: &Network) -> PyResult<Self> {
        let (inputs, outputs) = (network.inputs(), network.outputs());
        let count = arrays.points.shape()[0];
        let check = |name: &str, seen: Option<&[usize]>, expected: &[usize]| match seen {
            Some(seen) if seen != expected => {
                let message = format!("{name} of shape {seen:?}; expected {expected:?}");
                Err(exception(py, Kind::Request, message))
            }
            _ => Ok(()),
        };
        let shape2 = |array: &Option<PyReadonlyArray2<'_, f32>>| {
            array.as_ref().map(|array| array.shape().to_vec())
        };
        check("points", Some(arrays.points.shape()), &[count, inputs])?;
        check("values", shape2(&arrays.values).as_deref(), &[count, outputs])?;
        let gradients = arrays.gradients.as_ref().map(|array| array.shape().to_vec());
        check("gradients", gradients.as_deref(), &[count, outputs, inputs])?;
        check("laplacians", shape2(&arrays.laplacians).as_deref(), &[count, outputs])?;
        check("directions", shape2(&arrays.directions).as_deref(), &[count, inputs])?;
        check("slopes", shape2(&arrays.slopes).as_deref(), &[count, outputs])?;
        let copy2 = |array: &PyReadonlyArray2<'_, f32>| -> Vec<f32> {
            array.as_array().iter().copied().collect()
        };
        let terms = arrays.terms.iter().map(|text| text.parse());
        let terms: Result<Vec<WeightedTerm>, EngineError> = terms.collect();
        // Without targets, directional derivatives are compared with 0.
        let slopes = || arrays.slopes.as_ref().map_or(vec![0.0; count * outputs], copy2);
        Ok(Self {
            points: copy2(&arrays.points),
            terms: terms.map_err(|error| error.raise(py))?,
            values: arrays.values.as_ref().map(copy2),
            gradients: arrays
                .gradients
                .as_ref()
                .map(|own| own.as_array().iter().copied().collect()),
            laplacians: arrays.laplacians.as_ref().map(copy2),
            directional: arrays.directions.as_ref().map(|own| [copy2(own), slopes()]),
            weights: arrays.weights.as_ref().map(|own| own.as_array().to_vec()),
        })
    }

    fn constraint(&self, network: &Network) -> Result<Constraint<'_>, EngineError> {
        let mut constraint = Constraint::new(network, &self.points, &self.terms)?;
        if let Some(values) = &self.values {
            constraint = constraint.with_values(values)?;
        }
        if let Some(gradients) = &self.gradients {
            constraint = constraint.with_gradients(gradients)?;
        }
        if let Some(laplacians) = &self.laplacians {
            constraint = constraint.with_laplacians(laplacians)?;
        }
        if let Some([directions, slopes]) = &self.directional {
            constraint = constraint.with_directional(directions, slopes)?;
        }
        if let Some(weights) = &self.weights {
            constraint = constraint.with_weights(weights)?;
        }
        Ok(constraint)
    }
}

impl Engine {
    fn lock(&self) -> MutexGuard<'_, Box<dyn Inner>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the engine, without the interpreter lock.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut dyn Inner) -> Result<T, EngineError> + Send,
    ) -> PyResult<T> {
        py.detach(|| work(&mut **self.lock())).map_err(|error| error.raise(py))
    }

    /// The numbers of an array of shape (n, `width`), and n.
    fn rows(
        &self,
        py: Python<'_>,
        name: &str,
        array: &PyReadonlyArray2<'_, f32>,
        width: usize,
    ) -> PyResult<(Vec<f32>, usize)> {
        let (count, seen) = array.as_array().dim();
        if seen == width {
            return Ok((array.as_array().iter().copied().collect(), count));
        }
        let message = format!("{name} of shape ({count}, {seen}); expected (n, {width})");
        Err(exception(py, Kind::Request, message))
    }
}

#[pymethods]
impl Engine {
    /// Draws the initial weights of a network with the sizes `dims`.
    #[new]
    #[pyo3(signature = (dims, activation, init, sigma_p, first_sigma_p, seed, threads, backend, device))]
    #[expect(clippy::too_many_arguments, reason = "Python passes them by keyword")]
    fn new(
        py: Python<'_>,
        dims: Vec<usize>,
        activation: &str,
        init: Option<&str>,
        sigma_p: Option<&str>,
        first_sigma_p: Option<&str>,
        seed: u64,
        threads: Option<usize>,
        backend: Option<&str>,
        device: Option<usize>,
    ) -> PyResult<Self> {
        let asked = backend_request(py, backend, device, threads)?;
        let Some(name) = asked.choice.unwrap_or_default().name() else {
            let seen = "auto, but it is not known how many points a step will have";
            return Err(RequestError::new("backend", seen, "cpu, gpu or reference").raise(py));
        };
        let theory = |error: vi3nr::Error| error.raise(py);
        let activation = activation.parse().map_err(theory)?;
        let network = Network::new(dims, activation).map_err(theory)?;
        let init = init.map(str::parse::<SchemeRequest>).transpose().map_err(theory)?;
        let sigma = |text: Option<&str>| text.map(str::parse::<SigmaRequest>).transpose();
        let mut request = FitRequest::default();
        request.init = init;
        request.sigma_p = sigma(sigma_p).map_err(theory)?;
        request.first_sigma_p = sigma(first_sigma_p).map_err(theory)?;
        let recipe = recipes(SignalKind::Image).of(Preset::Fast);
        let resolved = py
            .detach(|| resolve_initialization(&request, &network, &recipe, None))
            .map_err(|error| error.raise(py))?;
        let plan = resolved.rule.plan(&network).map_err(theory)?;
        let inner = py.detach(|| {
            let parameters = vi3nr::draw(&network, &plan, seed);
            let opened = OpenBackend::named(name, device, &Workers::new(threads)?)?;
            opened.backend.engine(&network, &parameters)
        });
        let inner = inner.map_err(|error| error.raise(py))?;
        Ok(Self { network, inner: Mutex::new(inner) })
    }

    /// The number of inputs, the hidden widths and the number of outputs.
    #[getter]
    fn dims(&self) -> Vec<usize> {
        self.network.dims().to_vec()
    }

    /// The activation in its text form.
    #[getter]
    fn activation(&self) -> String {
        self.network.activation().to_string()
    }

    /// Loads points, shape (n, inputs), and targets, shape (n, outputs).
    fn load_batch(
        &self,
        py: Python<'_>,
        points: PyReadonlyArray2<'_, f32>,
        targets: PyReadonlyArray2<'_, f32>,
    ) -> PyResult<()> {
        let (points, count) = self.rows(py, "points", &points, self.network.inputs())?;
        let (targets, seen) = self.rows(py, "targets", &targets, self.network.outputs())?;
        if seen != count {
            let message = format!("{seen} targets for {count} points; expected {count}");
            return Err(exception(py, Kind::Request, message));
        }
        self.with(py, |engine| engine.load_batch(&Batch::new(&self.network, &points, &targets)?))
    }

    /// Loads constraints, whose attributes are those of `vi3nr.Constraint`.
    fn load_terms(&self, py: Python<'_>, constraints: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let numbers = constraints.iter().map(|constraint| {
            let arrays: ConstraintArrays<'_> = constraint.extract()?;
            ConstraintNumbers::of(py, &arrays, &self.network)
        });
        let numbers: Vec<ConstraintNumbers> = numbers.collect::<PyResult<_>>()?;
        self.with(py, |engine| {
            let constraints = numbers.iter().map(|own| own.constraint(&self.network));
            let constraints: Vec<Constraint<'_>> = constraints.collect::<Result<_, _>>()?;
            engine.load_terms(&TermBatch::new(constraints)?)
        })
    }

    /// Computes the loss of the current parameters and keeps its gradient.
    fn loss_and_gradient(&self, py: Python<'_>) -> PyResult<f64> {
        self.with(py, |engine| engine.loss_and_gradient())
    }

    /// The unweighted mean loss of each term.
    fn term_losses(&self, py: Python<'_>) -> Vec<f64> {
        py.detach(|| self.lock().term_losses().to_vec())
    }

    /// One step of Adam with the gradient of the last loss.
    fn adam(
        &self,
        py: Python<'_>,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
    ) -> PyResult<()> {
        let constants = Adam { beta1, beta2, epsilon };
        self.with(py, |engine| engine.apply(&Update::adam(constants, learning_rate)))
    }

    /// The parameters in the order of the layers: weights (out, in) before biases.
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let parameters = py.detach(|| self.lock().parameters()).map_err(|error| error.raise(py))?;
        Ok(PyArray1::from_vec(py, parameters))
    }

    /// Replaces the parameters.
    fn set_parameters(
        &self,
        py: Python<'_>,
        parameters: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<()> {
        let parameters = parameters.as_array().to_vec();
        self.with(py, |engine| engine.set_parameters(&parameters))
    }

    /// The gradient of the last loss, in the order of the parameters.
    fn gradient<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        Ok(PyArray1::from_vec(py, self.with(py, |engine| engine.gradient())?))
    }

    /// The values at points, shape (n, inputs): shape (n, outputs).
    fn values<'py>(
        &self,
        py: Python<'py>,
        points: PyReadonlyArray2<'_, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let outputs = self.network.outputs();
        let (points, count) = self.rows(py, "points", &points, self.network.inputs())?;
        let values = self.with(py, |engine| {
            let mut values = vec![0.0; count * outputs];
            engine.evaluate(&points, &mut values)?;
            Ok(values)
        })?;
        PyArray1::from_vec(py, values).reshape([count, outputs])
    }

    /// The first derivatives at points, shape (n, inputs): shape (n, outputs, inputs).
    fn derivatives<'py>(
        &self,
        py: Python<'py>,
        points: PyReadonlyArray2<'_, f32>,
    ) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let (points, count) = self.rows(py, "points", &points, inputs)?;
        let derivatives = self.with(py, |engine| {
            let mut values = vec![0.0; count * outputs];
            let mut derivatives = vec![0.0; values.len() * inputs];
            engine.differentiate(&points, &mut values, &mut derivatives)?;
            Ok(derivatives)
        })?;
        PyArray1::from_vec(py, derivatives).reshape([count, outputs, inputs])
    }

    /// The second derivatives at points, shape (n, inputs): shape (n, outputs, inputs, inputs).
    fn hessians<'py>(
        &self,
        py: Python<'py>,
        points: PyReadonlyArray2<'_, f32>,
    ) -> PyResult<Bound<'py, PyArray4<f32>>> {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let (points, count) = self.rows(py, "points", &points, inputs)?;
        let hessians = self.with(py, |engine| {
            let mut values = vec![0.0; count * outputs];
            let mut derivatives = vec![0.0; values.len() * inputs];
            let mut hessians = vec![0.0; derivatives.len() * inputs];
            engine.differentiate_twice(&points, &mut values, &mut derivatives, &mut hessians)?;
            Ok(hessians)
        })?;
        PyArray1::from_vec(py, hessians).reshape([count, outputs, inputs, inputs])
    }
}
