//! Losses on values: gradients and evaluations.

use vi3nr::activation::builtin::catalog;
use vi3nr_engine::gpu::GpuBackend;
use vi3nr_engine::{Backend, Batch, Engine, Loss, ReferenceEngine, reference_gradient};

use crate::naive::{distance, naive_float32};
use crate::support::{backend, double, engine, error, network, numbers, start};

/// Three formulas beside the built-in forms.
const FORMULAS: [&str; 3] =
    ["exp(-x^2/(2*s^2)):s=0.5", "x*exp(-x^2)*cos(3*x)", "x*exp(-x^2)+0.5*sin(3*x)-tanh(x/2)"];

/// The loss and the gradient against the reference: the error of the gradient is at most twice that of
/// a naive float32 loop.
fn check_gradient(backend: &GpuBackend, dims: &[usize], activation: &str, count: usize) {
    let name = format!("{activation} {dims:?} {count} points");
    let network = network(dims, activation);
    let parameters = start(&network);
    let points = numbers(count * network.inputs(), 1);
    let targets = numbers(count * network.outputs(), 2);
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let (exact_loss, exact) = reference_gradient(&network, &double(&parameters), &batch).unwrap();
    let naive = distance(&naive_float32(&network, &parameters, &points, &targets), &exact);

    let mut engine = engine(backend, &network);
    engine.load_batch(&batch).unwrap();
    let loss = engine.loss_and_gradient().unwrap();
    assert!((loss / exact_loss - 1.0).abs() < 1e-5, "{name}: loss {loss}, not {exact_loss}");
    let error = distance(&engine.gradient().unwrap(), &exact);
    // A naive loop over a few points can be exact by chance, so float32's own rounding is allowed.
    assert!(error <= 2.0 * naive + 3e-7, "{name}: error {error:e}, naive {naive:e}");
}

fn check_values(backend: &GpuBackend, dims: &[usize], activation: &str, count: usize) {
    let network = network(dims, activation);
    let points = numbers(count * network.inputs(), 1);
    let (mut seen, mut exact) =
        (vec![0.0; count * network.outputs()], vec![0.0; count * network.outputs()]);
    engine(backend, &network).evaluate(&points, &mut seen).unwrap();
    let mut reference = ReferenceEngine::new(&network, &start(&network)).unwrap();
    reference.evaluate(&points, &mut exact).unwrap();
    let error = error(&seen, &double(&exact));
    assert!(error < 2e-5, "{activation} {dims:?} {count} points: {error:e}");
}

/// One compiled step for each activation: the shape of a network is data for the kernels.
#[test]
fn every_activation_over_depths_and_odd_counts() {
    let Some(backend) = backend() else { return };
    for activation in catalog().map(|(name, _)| name).chain(FORMULAS) {
        for dims in [&[2, 32, 32, 3][..], &[1, 17, 1], &[2, 20, 30, 9, 2]] {
            for count in [1, 67, 300] {
                check_gradient(&backend, dims, activation, count);
            }
        }
    }
}

/// Blocks of every kind: 40 columns, 64, two of 104, and 128, with up to 65 outputs and 32 layers.
#[test]
fn shapes_of_every_block() {
    let Some(backend) = backend() else { return };
    let mut deep = vec![2; 33];
    deep[1..32].fill(8);
    let shapes = [
        &[3, 20, 40, 33, 2][..],
        &[2, 64, 64, 50, 65],
        &[2, 200, 30, 1],
        &[1, 128, 128, 1],
        &deep,
        &[4, 8, 1, 8, 1],
        &[9, 11, 2],
    ];
    for dims in shapes {
        for count in [2, 129, 257] {
            check_gradient(&backend, dims, "tanh", count);
        }
        check_values(&backend, dims, "tanh", 130);
    }
}

/// Every loss, with weights of the points.
#[test]
fn losses_and_weights() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 20, 3], "tanh");
    let (points, targets) = (numbers(2 * 90, 1), numbers(3 * 90, 2));
    let weights: Vec<f32> = numbers(90, 3).iter().map(|weight| 1.0 + weight).collect();
    let mut engine = engine(&backend, &network);
    for loss in [
        Loss::Squared,
        Loss::Absolute,
        Loss::ClampedAbsolute { limit: 0.3 },
        Loss::ClampedSquared { limit: 0.3 },
    ] {
        let batch = Batch::new(&network, &points, &targets).unwrap().with_loss(loss);
        let batch = batch.with_weights(&weights).unwrap();
        let parameters = double(&start(&network));
        let (exact_loss, exact) = reference_gradient(&network, &parameters, &batch).unwrap();
        engine.load_batch(&batch).unwrap();
        let seen = engine.loss_and_gradient().unwrap();
        assert!((seen / exact_loss - 1.0).abs() < 1e-6, "{loss:?}: {seen}, not {exact_loss}");
        let error = distance(&engine.gradient().unwrap(), &exact);
        assert!(error < 1e-6, "{loss:?}: {error:e}");
    }
}

/// Points that do not fit on the device at one time are copied in parts, with the same results.
#[test]
fn batches_in_parts_have_the_same_gradient() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 20, 3], "tanh");
    let (points, targets) = (numbers(2 * 1000, 1), numbers(3 * 1000, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let mut whole = engine(&backend, &network);
    whole.load_batch(&batch).unwrap();
    let loss = whole.loss_and_gradient().unwrap();
    // 1000 points take 24 kB.
    let mut parts = engine(&backend.with_max_resident_bytes(5 << 10), &network);
    parts.load_batch(&batch).unwrap();
    let seen = parts.loss_and_gradient().unwrap();
    assert!((seen / loss - 1.0).abs() < 1e-6, "{seen}, not {loss}");
    let exact = double(&whole.gradient().unwrap());
    assert!(distance(&parts.gradient().unwrap(), &exact) < 1e-6);
}

/// A second engine, and a second call, give the same bytes.
#[test]
fn results_have_the_same_bytes_every_time() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 20, 30, 9, 2], "tanh");
    let (points, targets) = (numbers(2 * 700, 1), numbers(2 * 700, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let mut first = None;
    for _ in 0..2 {
        let mut engine = engine(&backend, &network);
        engine.load_batch(&batch).unwrap();
        for _ in 0..3 {
            let loss = engine.loss_and_gradient().unwrap();
            let seen = (loss, engine.gradient().unwrap());
            assert!(*first.get_or_insert_with(|| seen.clone()) == seen);
        }
    }
}

/// NaN and infinite numbers are not errors.
#[test]
fn numbers_that_are_not_finite_propagate() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 20, 3], "tanh");
    let mut engine = engine(&backend, &network);
    let mut parameters = start(&network);
    *parameters.last_mut().unwrap() = f32::NAN;
    engine.set_parameters(&parameters).unwrap();
    let (points, targets) = (numbers(2 * 9, 1), numbers(3 * 9, 2));
    engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
    assert!(engine.loss_and_gradient().unwrap().is_nan());
}

/// What is NaN in the first layer is not lost on the way to the loss.
#[test]
fn a_nan_of_any_layer_reaches_every_loss() {
    let Some(backend) = backend() else { return };
    let (points, targets) = (numbers(2 * 9, 1), numbers(3 * 9, 2));
    for activation in ["tanh", "relu", "sine:omega=30", "gaussian", "x^2.5", "log(x)"] {
        let network = network(&[2, 20, 20, 3], activation);
        let mut parameters: Vec<f32> = numbers(network.parameter_count(), 3);
        // A formula that is not defined below 0 needs no help.
        if !["x^2.5", "log(x)"].contains(&activation) {
            parameters[0] = f32::NAN;
        }
        let mut engine = backend.engine(&network, &parameters).unwrap();
        let batch = Batch::new(&network, &points, &targets).unwrap();
        for loss in [Loss::Squared, Loss::Absolute, Loss::ClampedAbsolute { limit: 0.1 }] {
            engine.load_batch(&batch.with_loss(loss)).unwrap();
            let seen = engine.loss_and_gradient().unwrap();
            assert!(seen.is_nan(), "{activation} {loss:?}: {seen}");
        }
    }
}
