//! Backends and devices.

use pyo3::prelude::*;
use serde_json::{Value, json};
use vi3nr_inr::backend::{BackendRequest, devices as list_devices};
use vi3nr_inr::request::FitRequest;

use crate::error::Raise as _;

/// The request for a backend by its name, with the errors of a fit.
pub(crate) fn backend_request(
    py: Python<'_>,
    backend: Option<&str>,
    device: Option<usize>,
    threads: Option<usize>,
) -> PyResult<BackendRequest> {
    let Value::Object(mut settings) = json!({"backend": backend, "device": device}) else {
        return Ok(BackendRequest { threads, ..BackendRequest::default() });
    };
    settings.retain(|_, value| !value.is_null());
    let request = FitRequest::from_settings(&settings).map_err(|error| error.raise(py))?;
    let asked = BackendRequest::of(&request, threads);
    asked.check().map_err(|error| error.raise(py))?;
    Ok(asked)
}

/// The GPUs of the machine as JSON.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<String> {
    let devices = py.detach(list_devices).map_err(|error| error.raise(py))?;
    Ok(json!(devices).to_string())
}
