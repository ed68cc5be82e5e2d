//! What the tests share.

use vi3nr::Network;
use vi3nr_engine::gpu::GpuBackend;
use vi3nr_engine::{Backend, Engine};

pub(crate) use crate::common::numbers;
use crate::common::weights;
pub(crate) use crate::gpu_backend::backend;

pub(crate) fn network(dims: &[usize], activation: &str) -> Network {
    Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap()
}

/// Weights at a σ_p at which layers do not amplify perturbations; beyond it, any float32 computation
/// is far from the reference.
pub(crate) fn start(network: &Network) -> Vec<f32> {
    weights(network, vi3nr::auto_sigma_p(network.activation()).unwrap())
}

pub(crate) fn engine(backend: &GpuBackend, network: &Network) -> Box<dyn Engine> {
    backend.engine(network, &start(network)).unwrap()
}

pub(crate) fn double(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// The largest difference relative to the largest number of `exact`.
pub(crate) fn error(seen: &[f32], exact: &[f64]) -> f64 {
    assert_eq!(seen.len(), exact.len());
    let scale = exact.iter().fold(0.0f64, |scale, value| scale.max(value.abs()));
    let difference = |(seen, exact): (&f32, &f64)| (f64::from(*seen) - exact).abs() / scale;
    seen.iter().zip(exact).map(difference).fold(0.0, f64::max)
}
