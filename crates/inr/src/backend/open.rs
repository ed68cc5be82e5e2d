//! Opening the backend that is asked for.

use std::sync::Arc;

use vi3nr_engine::{Backend, CpuBackend, EngineError, ReferenceBackend, Workers};

use super::device::{OpenGpu, open_gpu};
use super::{BackendChoice, BackendName, BackendRequest, Device, Times, Workload, measure};
use crate::plan::Reason;
use crate::prepare::{PrepareError, Prepared};
use crate::request::{FitRequest, RequestError};
use crate::run_directory::RunError;
use crate::session::FitError;

/// Why no backend can be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The settings contradict each other.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The device cannot be used, or the threads cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// An open backend, and why it was taken.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenBackend {
    /// The backend.
    pub backend: Box<dyn Backend>,
    /// Its name.
    pub name: BackendName,
    /// The GPU, if it is one.
    pub device: Option<Device>,
    /// Why it was taken.
    pub grounds: Grounds,
}

/// Why a backend was taken.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Grounds {
    /// It was asked for, or it is the default.
    Named,
    /// It is the faster one.
    Measured {
        /// The times on both backends.
        times: Times,
        /// What was timed, as a noun phrase.
        unit: String,
        /// The GPU.
        gpu: Device,
    },
    /// There is no GPU to compare with, for this reason.
    NoGpu(String),
}

impl OpenBackend {
    /// Opens the backend called `name` on `workers`; `device` is the number of the GPU.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if the GPU cannot be used.
    pub fn named(
        name: BackendName,
        device: Option<usize>,
        workers: &Arc<Workers>,
    ) -> Result<Self, EngineError> {
        let workers = Arc::clone(workers);
        Ok(match name {
            BackendName::Cpu => Self::cpu(workers, Grounds::Named),
            BackendName::Gpu => {
                let OpenGpu { backend, device } = open_gpu(device, &workers)?;
                Self { backend, name, device: Some(device), grounds: Grounds::Named }
            }
            BackendName::Reference => {
                let backend = Box::new(ReferenceBackend::with_workers(workers));
                Self { backend, name, device: None, grounds: Grounds::Named }
            }
        })
    }

    /// Opens the GPU number `device`, or the first that can be used and is not software, if
    /// `workload` takes less time there, and the CPU otherwise. It is the CPU also if no GPU can be
    /// used or if it lacks what the workload needs.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if a device is given and cannot be used, and the errors of
    /// [`measure`] on the CPU.
    pub fn faster(
        device: Option<usize>,
        workload: &Workload,
        workers: &Arc<Workers>,
    ) -> Result<Self, EngineError> {
        let cpu = |grounds| Self::cpu(Arc::clone(workers), grounds);
        let opened = match open_gpu(device, workers) {
            Ok(opened) => opened,
            Err(EngineError::Device { seen, .. }) if device.is_none() => {
                return Ok(cpu(Grounds::NoGpu(seen)));
            }
            Err(error) => return Err(error),
        };
        let gpu = opened.device;
        if let Some(missing) = workload.missing(opened.backend.capabilities()) {
            return Ok(cpu(Grounds::NoGpu(format!("{gpu} does not offer {missing}"))));
        }
        let on_cpu = measure(workload, &CpuBackend::with_workers(Arc::clone(workers)))?;
        let on_gpu = match measure(workload, &*opened.backend) {
            Ok(seconds) => seconds,
            Err(error) => return Ok(cpu(Grounds::NoGpu(format!("{gpu}: {error}")))),
        };
        let times = Times { cpu: on_cpu, gpu: on_gpu };
        let grounds = Grounds::Measured { times, unit: workload.unit(), gpu: gpu.clone() };
        Ok(match times.faster() {
            BackendName::Gpu => {
                let (backend, name) = (opened.backend, BackendName::Gpu);
                Self { backend, name, device: Some(gpu), grounds }
            }
            _ => cpu(grounds),
        })
    }

    /// Opens the backend that `request` asks for; `workload` is what it is for.
    ///
    /// # Errors
    /// Returns [`BackendError::Request`] if the settings contradict each other, and
    /// [`BackendError::Engine`] if the device cannot be used or the threads cannot be started.
    pub fn of(
        request: &BackendRequest,
        workload: impl FnOnce() -> Workload,
    ) -> Result<Self, BackendError> {
        request.check()?;
        let workers = Workers::new(request.threads)?;
        Ok(match request.choice.unwrap_or_default().name() {
            Some(name) => Self::named(name, request.device, &workers)?,
            None => Self::faster(request.device, &workload(), &workers)?,
        })
    }

    fn cpu(workers: Arc<Workers>, grounds: Grounds) -> Self {
        let backend = Box::new(CpuBackend::with_workers(workers));
        Self { backend, name: BackendName::Cpu, device: None, grounds }
    }

    /// The backend, the device and why they were taken, in one line.
    pub fn line(&self) -> String {
        let name = self.name.as_str();
        let time = |seconds: f64| format!("{:.3} ms", 1e3 * seconds);
        match (&self.grounds, &self.device) {
            (Grounds::Named, None) => format!("backend {name}"),
            (Grounds::Named, Some(device)) => format!("backend {name}: {device}"),
            (Grounds::Measured { times, unit, .. }, Some(device)) => {
                let (gpu, cpu) = (time(times.gpu), time(times.cpu));
                format!("backend {name}: {device}; {unit} takes {gpu}, {cpu} on the CPU")
            }
            (Grounds::Measured { times, unit, gpu }, None) => {
                let (cpu, on_gpu) = (time(times.cpu), time(times.gpu));
                format!("backend {name}: {unit} takes {cpu}, {on_gpu} on {gpu}")
            }
            (Grounds::NoGpu(reason), _) => format!("backend {name}: {reason}"),
        }
    }
}

/// A request that is prepared, with the open backend that it asks for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ready {
    /// The request. A choice of `auto` has been replaced by the backend that was taken.
    pub request: FitRequest,
    /// The signal, the plan and the weights to start from.
    pub prepared: Prepared,
    /// The backend.
    pub opened: OpenBackend,
}

/// Opens the backend that `request` asks for with `threads` worker threads, or one per core, and
/// prepares the request with `prepare` on these threads.
///
/// If the request asks for [`BackendChoice::Auto`], steps of its plan are measured. The plan, and the
/// request that is returned, then name the backend that was taken.
///
/// # Errors
/// Returns [`RunError::Prepare`] if `prepare` fails or a setting is impossible, and [`RunError::Fit`]
/// if the backend cannot be opened.
pub fn ready(
    request: &FitRequest,
    threads: Option<usize>,
    prepare: impl FnOnce(&FitRequest) -> Result<Prepared, PrepareError> + Send,
) -> Result<Ready, RunError> {
    let asked = BackendRequest::of(request, threads);
    asked.check().map_err(PrepareError::from)?;
    let choice = asked.choice.unwrap_or_default();
    let workers = Workers::new(threads).map_err(FitError::from)?;
    let mut request = request.clone();
    if let Some(name) = choice.name() {
        let opened = OpenBackend::named(name, asked.device, &workers).map_err(FitError::from)?;
        let prepared = workers.install(|| prepare(&request))?;
        return Ok(Ready { request, prepared, opened });
    }
    // Which backend it is matters only to the name in the plan.
    (request.backend, request.device) = (Some(BackendChoice::Cpu), None);
    let mut prepared = workers.install(|| prepare(&request))?;
    let workload = Workload::of_plan(&prepared.resolved.plan);
    let opened = OpenBackend::faster(asked.device, &workload, &workers).map_err(FitError::from)?;
    request.backend = Some(opened.name.into());
    request.device = opened.device.as_ref().map(|device| device.index);
    prepared.resolved.plan.backend = opened.name;
    let text = opened.line().trim_start_matches("backend ").to_owned();
    prepared.resolved.reasons.push(Reason { field: "backend", text });
    Ok(Ready { request, prepared, opened })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Work;

    fn gpu() -> Device {
        Device {
            index: 1,
            name: "GPU X".into(),
            kind: "discrete",
            interface: "Vulkan",
            driver: "driver 5".into(),
            buffer_bytes: 1 << 30,
            workgroup_bytes: 1 << 15,
            workgroup_invocations: 1024,
            problem: None,
        }
    }

    #[test]
    fn the_line_says_what_was_taken_and_why() {
        let workers = Workers::new(Some(1)).unwrap();
        let line = |name, device, grounds| {
            let opened = OpenBackend::named(BackendName::Cpu, None, &workers).unwrap();
            OpenBackend { name, device, grounds, ..opened }.line()
        };
        let measured = |cpu, on_gpu| Grounds::Measured {
            times: Times { cpu, gpu: on_gpu },
            unit: "a step".into(),
            gpu: gpu(),
        };
        for (seen, expected) in [
            (line(BackendName::Cpu, None, Grounds::Named), "backend cpu"),
            (
                line(BackendName::Gpu, Some(gpu()), Grounds::Named),
                "backend gpu: GPU X (Vulkan, driver 5)",
            ),
            (
                line(BackendName::Gpu, Some(gpu()), measured(0.014, 0.0009)),
                "backend gpu: GPU X (Vulkan, driver 5); a step takes 0.900 ms, 14.000 ms on the CPU",
            ),
            (
                line(BackendName::Cpu, None, measured(0.014, 0.02)),
                "backend cpu: a step takes 14.000 ms, 20.000 ms on GPU X (Vulkan, driver 5)",
            ),
            (
                line(BackendName::Cpu, None, Grounds::NoGpu("no GPU driver was found".into())),
                "backend cpu: no GPU driver was found",
            ),
        ] {
            assert_eq!(seen, expected);
        }
    }

    /// Without a GPU that is not software, `auto` is the CPU and says why.
    #[test]
    fn auto_without_a_gpu_is_the_cpu() {
        let network = vi3nr::Network::uniform(1, 4, 2, 1, "tanh".parse().unwrap()).unwrap();
        let workload = Workload {
            network,
            points: 4,
            networks: std::num::NonZeroUsize::MIN,
            work: Work::Evaluation,
            needs: Default::default(),
        };
        let workers = Workers::new(Some(1)).unwrap();
        let has_gpu = super::super::devices().is_ok_and(|devices| {
            devices.iter().any(|device| device.kind != "software" && device.problem.is_none())
        });
        let opened = OpenBackend::faster(None, &workload, &workers).unwrap();
        match opened.grounds {
            Grounds::NoGpu(reason) => {
                assert_eq!(opened.name, BackendName::Cpu);
                assert!(reason.contains("GPU"), "{reason}");
            }
            grounds => assert!(has_gpu, "{grounds:?}"),
        }
        // A device that is asked for must be there.
        let error = OpenBackend::faster(Some(999), &workload, &workers).unwrap_err();
        assert!(matches!(error, EngineError::Device { .. }), "{error}");
    }
}
