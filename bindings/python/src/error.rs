//! From the library's errors to the exceptions of `vi3nr._errors`.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use vi3nr_engine::EngineError;
use vi3nr_inr::backend::BackendError;
use vi3nr_inr::decode::DecodeError;
use vi3nr_inr::evaluate::EvaluateError;
use vi3nr_inr::export::ExportError;
use vi3nr_inr::model_file::ModelError;
use vi3nr_inr::prepare::PrepareError;
use vi3nr_inr::request::RequestError;
use vi3nr_inr::run_directory::RunError;
use vi3nr_inr::session::FitError;
use vi3nr_inr::signal::SignalError;

/// The exception that an error becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `RequestError`, a `ValueError`: an argument is invalid.
    Request,
    /// `FileError`, an `OSError`: a file cannot be read or written.
    File,
    /// `DivergenceError`, an `ArithmeticError`: training diverged.
    Divergence,
    /// `Error`: anything else.
    Other,
}

/// The exception of this kind with a message.
pub(crate) fn exception(py: Python<'_>, kind: Kind, message: String) -> PyErr {
    static CLASSES: [PyOnceLock<Py<PyType>>; 4] = [const { PyOnceLock::new() }; 4];
    let (index, name) = match kind {
        Kind::Request => (0, "RequestError"),
        Kind::File => (1, "FileError"),
        Kind::Divergence => (2, "DivergenceError"),
        Kind::Other => (3, "Error"),
    };
    match CLASSES[index].import(py, "vi3nr._errors", name) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(_) => PyRuntimeError::new_err(message),
    }
}

/// Errors of the library that become exceptions.
pub(crate) trait Raise: ToString {
    fn kind(&self) -> Kind;

    fn raise(&self, py: Python<'_>) -> PyErr {
        exception(py, self.kind(), self.to_string())
    }
}

impl Raise for vi3nr::Error {
    fn kind(&self) -> Kind {
        Kind::Request
    }
}

impl Raise for RequestError {
    fn kind(&self) -> Kind {
        Kind::Request
    }
}

impl Raise for SignalError {
    fn kind(&self) -> Kind {
        match self {
            Self::Engine(_) => Kind::Other,
            Self::Transparent { .. }
            | Self::Downscale { .. }
            | Self::Crop { .. }
            | Self::Size { .. }
            | Self::Channels { .. }
            | Self::ValueCount { .. }
            | Self::BitDepth { .. }
            | Self::TooLong { .. }
            | Self::Audio { .. } => Kind::Request,
            _ => Kind::File,
        }
    }
}

impl Raise for ModelError {
    fn kind(&self) -> Kind {
        Kind::File
    }
}

impl Raise for PrepareError {
    fn kind(&self) -> Kind {
        match self {
            Self::Request(error) => error.kind(),
            Self::Signal(error) => error.kind(),
            _ => Kind::File,
        }
    }
}

impl Raise for FitError {
    fn kind(&self) -> Kind {
        match self {
            Self::Init(_) | Self::Weights { .. } | Self::NoPieces | Self::InPieces => Kind::Request,
            Self::NonFiniteInitialLoss { .. } => Kind::Divergence,
            Self::Signal(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            _ => Kind::Other,
        }
    }
}

impl Raise for BackendError {
    fn kind(&self) -> Kind {
        match self {
            Self::Request(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            _ => Kind::Other,
        }
    }
}

impl Raise for RunError {
    fn kind(&self) -> Kind {
        match self {
            Self::Prepare(error) => error.kind(),
            Self::Fit(error) | Self::Cut { source: error, .. } => error.kind(),
            Self::Signal(error) => error.kind(),
            Self::Decode(error) => error.kind(),
            _ => Kind::File,
        }
    }
}

impl Raise for DecodeError {
    fn kind(&self) -> Kind {
        match self {
            Self::Signal(error) => error.kind(),
            Self::Write(_) => Kind::File,
            Self::Engine(_) | Self::Pieces(_) => Kind::Other,
            _ => Kind::Request,
        }
    }
}

impl Raise for ExportError {
    fn kind(&self) -> Kind {
        match self {
            Self::Write(_) => Kind::File,
            _ => Kind::Request,
        }
    }
}

impl Raise for EvaluateError {
    fn kind(&self) -> Kind {
        match self {
            Self::Request(_) | Self::Shape { .. } => Kind::Request,
            Self::Signal(error) => error.kind(),
            _ => Kind::Other,
        }
    }
}

impl Raise for EngineError {
    fn kind(&self) -> Kind {
        match self {
            Self::Length { .. }
            | Self::BatchShape { .. }
            | Self::Term { .. }
            | Self::Activation { .. }
            | Self::Threads { .. } => Kind::Request,
            _ => Kind::Other,
        }
    }
}
