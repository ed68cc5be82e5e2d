//! The device of the tests, and networks with data.

use vi3nr::Network;
use vi3nr_engine::Backend;
use vi3nr_engine::gpu::{DeviceKind, GpuBackend, devices};
use vi3nr_engine::{Engine, Workers};

/// The backend of the device that the environment variable `VI3NR_DEVICE` names, else of the first
/// software device, else of the first usable one. `None`, counted as skipped, if there is none.
pub(crate) fn backend() -> Option<GpuBackend> {
    let all = devices();
    let named = std::env::var("VI3NR_DEVICE").ok().and_then(|text| text.parse().ok());
    let usable = || all.iter().filter(|info| info.problem.is_none());
    let software = usable().find(|info| info.kind == DeviceKind::Software);
    let Some(index) = named.or_else(|| software.or_else(|| usable().next()).map(|info| info.index))
    else {
        vi3nr_test_data::skip_without_gpu();
        return None;
    };
    Some(GpuBackend::open(Some(index), Workers::new(Some(1)).unwrap()).unwrap())
}

/// Numbers from -1 to 1 that look random.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Parameters whose layers keep the scale of their inputs.
pub(crate) fn start(network: &Network) -> Vec<f32> {
    let mut parameters = numbers(3, network.parameter_count());
    for layer in network.layers() {
        let scale = 1.5 / (layer.fan_in as f32).sqrt();
        parameters[layer.weights].iter_mut().for_each(|weight| *weight *= scale);
        parameters[layer.biases].iter_mut().for_each(|bias| *bias *= 0.5);
    }
    parameters
}

pub(crate) fn engine(backend: &GpuBackend, network: &Network) -> Box<dyn Engine> {
    backend.engine(network, &start(network)).unwrap()
}

/// The largest difference relative to the largest number of `exact`.
pub(crate) fn error(seen: &[f32], exact: &[f64]) -> f64 {
    assert_eq!(seen.len(), exact.len());
    let scale = exact.iter().fold(0.0f64, |scale, value| scale.max(value.abs()));
    let difference = |(seen, exact): (&f32, &f64)| (f64::from(*seen) - exact).abs() / scale;
    seen.iter().zip(exact).map(difference).fold(0.0, f64::max)
}

pub(crate) fn double(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}
