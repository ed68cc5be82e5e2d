//! From the library's errors to exit codes, and from its fields to this program's options.

use vi3nr_inr::backend::BackendError;
use vi3nr_inr::checkpoint::CheckpointError;
use vi3nr_inr::decode::DecodeError;
use vi3nr_inr::evaluate::EvaluateError;
use vi3nr_inr::export::ExportError;
use vi3nr_inr::prepare::PrepareError;
use vi3nr_inr::request::RequestError;
use vi3nr_inr::run_directory::RunError;
use vi3nr_inr::session::FitError;
use vi3nr_inr::signal::SignalError;
use vi3nr_inr::train::TrainError;

use crate::output::Failure;

/// The option that fills a field of a request.
pub(crate) fn flag(field: &str) -> String {
    match field {
        "file" => "FILE".into(),
        // One entry of the list.
        "terms" => "--term".into(),
        field => format!("--{}", field.replace('_', "-")),
    }
}

/// A message with the options by which the error can be avoided.
fn with_flags(message: String, fields: &[&str]) -> String {
    match fields {
        [] => message,
        fields => {
            let flags: Vec<String> = fields.iter().map(|field| flag(field)).collect();
            format!("{message} ({})", flags.join(", "))
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self::Usage(error.message(flag))
    }
}

impl From<SignalError> for Failure {
    fn from(error: SignalError) -> Self {
        Self::Usage(with_flags(error.to_string(), error.fields()))
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Request(error) => error.into(),
            PrepareError::Signal(error) => error.into(),
            error => Self::usage(error),
        }
    }
}

impl From<FitError> for Failure {
    fn from(error: FitError) -> Self {
        let message = with_flags(error.to_string(), error.fields());
        match error {
            // What is asked for cannot be, which is known only now.
            FitError::Init(_)
            | FitError::Weights { .. }
            | FitError::Train(TrainError::NeedsAllPoints { .. }) => Self::Usage(message),
            _ => Self::Failed(message),
        }
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Request(error) => error.into(),
            error => Self::failed(error),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Prepare(error) => error.into(),
            RunError::Fit(error) => error.into(),
            RunError::Cut { ref path, .. } => {
                Self::Failed(format!("{error}; vi3nr fit --resume {} goes on", path.display()))
            }
            RunError::Exists { .. } => Self::Usage(with_flags(error.to_string(), &["overwrite"])),
            RunError::Checkpoint(CheckpointError::Write(error)) => Self::failed(error),
            RunError::Record { .. } | RunError::NoRun { .. } | RunError::Checkpoint(_) => {
                Self::usage(error)
            }
            error => Self::failed(error),
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Request(error) => error.into(),
            DecodeError::Signal(error) if error.is_about_request() => error.into(),
            DecodeError::Kind { .. } | DecodeError::CompiledOut { .. } => Self::usage(error),
            error => Self::failed(error),
        }
    }
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Request(error) => error.into(),
            EvaluateError::Shape { .. } => Self::usage(error),
            error => Self::failed(error),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Request(error) => error.into(),
            ExportError::Pieces { .. } => {
                Self::Usage(format!("{error} (fit {} none)", flag("tile")))
            }
            error => Self::failed(error),
        }
    }
}
