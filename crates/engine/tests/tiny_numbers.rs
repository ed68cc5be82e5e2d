//! Numbers that become tiny between two layers are zero in the CPU's engine, whichever pass they
//! appear in, so that no product has subnormal operands. The reference keeps them.

use vi3nr::Network;
use vi3nr_engine::{Batch, CpuEngine, DenseLayers, Engine, ReferenceEngine, Residuals};

const POINTS: [f32; 6] = [0.5, 0.3, -0.7, 0.2, 0.1, -0.9];

fn network() -> Network {
    Network::new(vec![2, 20, 20, 20, 1], "relu".parse().unwrap()).unwrap()
}

/// Parameters whose weights of layer i are multiples of `scales[i]`, without biases.
fn parameters(scales: [f32; 4]) -> Vec<f32> {
    let network = network();
    let mut parameters = vec![0.0; network.parameter_count()];
    for (layer, scale) in network.layers().into_iter().zip(scales) {
        for (i, weight) in parameters[layer.weights.clone()].iter_mut().enumerate() {
            *weight = scale * (1.0 + (1.7 * i as f32).sin());
        }
    }
    parameters
}

/// Checks that each of the results of `run` is zero for the CPU's engine and not for the reference.
fn assert_dropped<const N: usize>(
    scales: [f32; 4],
    run: impl Fn(&mut dyn Engine) -> [Vec<f32>; N],
) {
    let (network, parameters) = (network(), parameters(scales));
    let mut cpu = CpuEngine::new(&network, &parameters, Some(2)).unwrap();
    let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
    let all_zero = |values: &[f32]| values.iter().all(|value| *value == 0.0);
    for (seen, exact) in run(&mut cpu).iter().zip(run(&mut reference)) {
        assert!(all_zero(seen), "{seen:?}");
        assert!(!all_zero(&exact));
    }
}

/// The activations of the third layer would be about 1e-33, and the last layer would make numbers
/// of ordinary size of them.
#[test]
fn tiny_activations_are_zero() {
    let scales = [1e-12, 1e-12, 1e-12, 1e30];
    let run = |engine: &mut dyn Engine| {
        let (mut values, mut slopes, mut hessians) = (vec![0.0; 3], vec![0.0; 6], vec![0.0; 12]);
        engine.evaluate(&POINTS, &mut values).unwrap();
        engine.differentiate_twice(&POINTS, &mut values, &mut slopes, &mut hessians).unwrap();
        let direction = parameters([1e-12, 0.0, 0.0, 0.0]);
        let curvature = engine.curvature().unwrap();
        let mut tangents = curvature.tangents(&POINTS, Residuals::VALUES, &[&direction]).unwrap();
        [values, slopes, tangents.remove(0)]
    };
    assert_dropped(scales, run);
}

/// The derivative of the loss with respect to the first layer would be about 1e-33.
#[test]
fn tiny_gradients_are_zero() {
    let scales = [1e30, 1e-12, 1e-12, 1e-12];
    let run = |engine: &mut dyn Engine| {
        let network = network();
        let (mut values, mut slopes) = (vec![0.0; 3], vec![0.0; 6]);
        engine.differentiate(&POINTS, &mut values, &mut slopes).unwrap();
        engine.load_batch(&Batch::new(&network, &POINTS, &[1.0; 3]).unwrap()).unwrap();
        engine.loss_and_gradient().unwrap();
        let first = network.layers()[0].weights.clone();
        [slopes, engine.gradient().unwrap()[first].to_vec()]
    };
    assert_dropped(scales, run);
}

#[test]
fn tiny_results_of_single_layers_are_zero() {
    let layers = DenseLayers::new(&"relu".parse().unwrap(), Some(1)).unwrap();
    let (mut values, mut slopes) = ([1.0, 1e-30, -1.0, 1e-28], [0.0; 4]);
    layers.value_and_slope(&mut values, &mut slopes).unwrap();
    assert_eq!(values, [1.0, 0.0, 0.0, 1e-28]);
    let mut factors = [1e-15, 1e-10, 1.0, -1e-20];
    layers.multiply(&mut factors, &[1e-15, 1e-10, 1.0, 1e-20]).unwrap();
    assert_eq!(factors, [0.0, 1e-10 * 1e-10, 1.0, 0.0]);
}
