//! Engines with kernels of other kinds, and on a device that fails.

use vi3nr::Network;

use super::device::{Checks, tests::device};
use super::engine::GpuEngine;
use super::networks::Context;
use crate::{
    Adam, Batch, BestParameters, Constraint, Engine, EngineError, Residuals, TermBatch, Update,
};

fn network() -> Network {
    Network::new(vec![2, 20, 17, 3], "sine:omega=2".parse().unwrap()).unwrap()
}

fn numbers(count: usize, frequency: f32) -> Vec<f32> {
    (0..count).map(|i| 0.5 * (frequency * (i as f32 + 1.0)).sin()).collect()
}

/// A loaded engine of 90 points.
fn engine(context: &Context) -> GpuEngine {
    let network = network();
    let start = numbers(network.parameter_count(), 1.7);
    let mut engine = GpuEngine::new(context, None, &network, &start).unwrap();
    let (points, targets) = (numbers(2 * 90, 2.3), numbers(3 * 90, 0.9));
    engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
    engine
}

/// Kernels whose indices are checked by the device give the same bytes: no index leaves its buffer.
#[test]
fn checked_kernels_give_the_same_bytes() {
    let Some(device) = device() else { return };
    let results = |checks| {
        let mut engine = engine(&Context::new(device.clone(), checks));
        let loss = engine.loss_and_gradient().unwrap();
        let gradient = engine.gradient().unwrap();
        engine.apply(&Update::adam(Adam::default(), 1e-2)).unwrap();
        let points = numbers(2 * 50, 0.7);
        let mut values = vec![0.0; 3 * 50];
        engine.evaluate(&points, &mut values).unwrap();
        let curvature = engine.curvature().unwrap();
        let factors = curvature.factors(&points, Residuals::VALUES, &numbers(3 * 50, 0.4)).unwrap();
        let direction = numbers(network().parameter_count(), 0.2);
        let tangents = curvature.tangents(&points, Residuals::VALUES, &[&direction]).unwrap();
        (loss, gradient, engine.parameters().unwrap(), values, factors, tangents)
    };
    assert!(results(Checks::None) == results(Checks::All));
}

/// Launches that end early give the same gradient and values: which workgroup computes a tile does not
/// depend on them. Only the loss is added in another order.
#[test]
fn several_launches_give_the_bytes_of_one() {
    let Some(device) = device() else { return };
    let results = |launch_operations| {
        let context = Context { launch_operations, ..Context::new(device.clone(), Checks::None) };
        let network = network();
        let start = numbers(network.parameter_count(), 1.7);
        let mut engine = GpuEngine::new(&context, None, &network, &start).unwrap();
        // More tiles of 32 points than the 128 workgroups.
        let (points, targets) = (numbers(2 * 4500, 2.3), numbers(3 * 4500, 0.9));
        engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
        let loss = engine.loss_and_gradient().unwrap();
        let gradient = engine.gradient().unwrap();
        let mut values = vec![0.0; targets.len()];
        engine.evaluate(&points, &mut values).unwrap();
        let terms = ["value:1".parse().unwrap(), "off-surface:0.5,a=3".parse().unwrap()];
        let constraint = Constraint::new(&network, &points, &terms).unwrap();
        engine.load_terms(&TermBatch::new([constraint]).unwrap()).unwrap();
        engine.loss_and_gradient().unwrap();
        let losses = [&[loss], engine.term_losses()].concat();
        (losses, gradient, engine.gradient().unwrap(), values)
    };
    let (whole, parts) = (results(1e12), results(1.0));
    assert!((&whole.1, &whole.2, &whole.3) == (&parts.1, &parts.2, &parts.3));
    for (whole, part) in whole.0.iter().zip(&parts.0) {
        assert!((whole / part - 1.0).abs() < 1e-6, "{whole}, {part}");
    }
}

/// After the loss of the device, every call that needs it returns an error.
#[test]
fn the_loss_of_the_device_is_an_error() {
    let Some(device) = device() else { return };
    let mut engine = engine(&Context::new(device.clone(), Checks::None));
    engine.loss_and_gradient().unwrap();
    device.destroy();
    let is_lost = |error: EngineError| matches!(error, EngineError::Device { .. });
    assert!(is_lost(engine.parameters().unwrap_err()));
    assert!(is_lost(engine.loss_and_gradient().unwrap_err()));
    assert!(is_lost(engine.gradient().map(drop).unwrap_err()) || engine.gradient().is_err());
    let run = crate::AdamRun {
        constants: Adam::default(),
        learning_rates: &[1e-3; 4],
        target_loss: None,
    };
    assert!(is_lost(engine.run(&run, &mut BestParameters::default()).unwrap_err()));
    assert!(is_lost(engine.evaluate(&[0.0; 2], &mut [0.0; 3]).unwrap_err()));
    let context = Context::new(device, Checks::None);
    let start = numbers(network().parameter_count(), 1.7);
    // Either at once or at the first use.
    if let Ok(other) = GpuEngine::new(&context, None, &network(), &start) {
        assert!(is_lost(other.parameters().unwrap_err()));
    }
}
