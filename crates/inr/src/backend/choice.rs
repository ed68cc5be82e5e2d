//! What is asked for.

use serde::{Deserialize, Serialize};

use crate::request::{FitRequest, RequestError};

/// The backend of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BackendName {
    /// The fused float32 engine on the CPU.
    #[default]
    Cpu,
    /// Float32 on a GPU.
    Gpu,
    /// The reference engine: plain loops in double precision, slow, for comparison.
    Reference,
}

impl BackendName {
    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        BackendChoice::from(self).as_str()
    }
}

/// The backend that a request asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BackendChoice {
    /// [`BackendName::Cpu`].
    #[default]
    Cpu,
    /// [`BackendName::Gpu`].
    Gpu,
    /// The CPU or a GPU, whichever is faster by measurement.
    Auto,
    /// [`BackendName::Reference`].
    Reference,
}

impl BackendChoice {
    /// All choices.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Gpu, Self::Auto, Self::Reference];

    /// The name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Auto => "auto",
            Self::Reference => "reference",
        }
    }

    /// The backend, or `None` if a measurement decides.
    pub fn name(self) -> Option<BackendName> {
        match self {
            Self::Cpu => Some(BackendName::Cpu),
            Self::Gpu => Some(BackendName::Gpu),
            Self::Reference => Some(BackendName::Reference),
            Self::Auto => None,
        }
    }
}

impl From<BackendName> for BackendChoice {
    fn from(name: BackendName) -> Self {
        match name {
            BackendName::Cpu => Self::Cpu,
            BackendName::Gpu => Self::Gpu,
            BackendName::Reference => Self::Reference,
        }
    }
}

/// A backend, a device and a number of threads that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackendRequest {
    /// The backend; [`BackendChoice::Cpu`] if `None`.
    pub choice: Option<BackendChoice>,
    /// The number of the GPU in the list of [`devices`](super::devices); if `None`, the first that
    /// can be used and is not software.
    pub device: Option<usize>,
    /// The number of worker threads; one per core if `None`.
    pub threads: Option<usize>,
}

impl BackendRequest {
    /// What `request` asks for.
    pub fn of(request: &FitRequest, threads: Option<usize>) -> Self {
        Self { choice: request.backend, device: request.device, threads }
    }

    /// Checks that a device is given only for a backend that uses one.
    ///
    /// # Errors
    /// Returns a [`RequestError`] for the field `device`.
    pub fn check(&self) -> Result<(), RequestError> {
        let choice = self.choice.unwrap_or_default();
        match self.device {
            Some(device) if !matches!(choice, BackendChoice::Gpu | BackendChoice::Auto) => {
                let seen = format!("{device}, but the backend {} uses no device", choice.as_str());
                Err(RequestError::new("device", seen, "the backend gpu or auto, or no device"))
            }
            _ => Ok(()),
        }
    }
}
