//! The GPU backend of tests.

use std::sync::OnceLock;

use vi3nr_engine::Workers;
use vi3nr_engine::gpu::{DeviceKind, GpuBackend, devices};

/// The backend of the device that the environment variable `VI3NR_DEVICE` names, else of the first
/// software device, else of the first usable one. `None`, counted as skipped, if there is none.
pub(crate) fn backend() -> Option<GpuBackend> {
    static BACKEND: OnceLock<Option<GpuBackend>> = OnceLock::new();
    let opened = BACKEND.get_or_init(|| {
        let all = devices();
        let named = std::env::var("VI3NR_DEVICE").ok().and_then(|text| text.parse().ok());
        let usable = || all.iter().filter(|info| info.problem.is_none());
        let software = usable().find(|info| info.kind == DeviceKind::Software);
        let index =
            named.or_else(|| software.or_else(|| usable().next()).map(|info| info.index))?;
        Some(GpuBackend::open(Some(index), Workers::new(Some(2)).unwrap()).unwrap())
    });
    if opened.is_none() {
        vi3nr_test_data::skip_without_gpu();
    }
    opened.clone()
}
