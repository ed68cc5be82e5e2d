//! The fused engine agrees with the double-precision reference, for many shapes, activations, sizes
//! and instruction sets. Its error is compared with that of a naive float32 loop on the same
//! problem.

mod common;
#[path = "common/naive.rs"]
mod naive;

use common::{numbers, weights};
use naive::{distance, naive_float32};
use vi3nr::Network;
use vi3nr::activation::builtin::catalog;
use vi3nr_engine::{
    Adam, Batch, CpuEngine, Engine, Ensemble, InstructionSet, Loss, ReferenceEngine, Update,
    reference_gradient,
};

/// The loss on `batch`, whose gradient the engine keeps.
fn loss(engine: &mut dyn Engine, batch: &Batch<'_>) -> f64 {
    engine.load_batch(batch).unwrap();
    engine.loss_and_gradient().unwrap()
}

/// A step of Adam with the default constants.
fn adam(engine: &mut dyn Engine, learning_rate: f64) {
    engine.apply(&Update::adam(Adam::default(), learning_rate)).unwrap();
}

fn check(dims: &[usize], activation: &str, count: usize, set: InstructionSet) {
    let name = format!("{activation} {dims:?} {count} points on {set:?}");
    let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
    // At this sigma_p, layers do not amplify perturbations. Otherwise any float32 computation is
    // far from the reference.
    let sigma_p = vi3nr::auto_sigma_p(network.activation()).unwrap();
    let parameters = weights(&network, sigma_p);
    let points = numbers(count * network.inputs(), 1);
    let targets = numbers(count * network.outputs(), 2);
    let batch = Batch::new(&network, &points, &targets).unwrap();

    let exact_parameters: Vec<f64> = parameters.iter().map(|p| f64::from(*p)).collect();
    let (exact_loss, exact) = reference_gradient(&network, &exact_parameters, &batch).unwrap();
    let naive = distance(&naive_float32(&network, &parameters, &points, &targets), &exact);

    let mut engine = CpuEngine::with_instruction_set(&network, &parameters, Some(2), set).unwrap();
    let seen = loss(&mut engine, &batch);
    assert!((seen / exact_loss - 1.0).abs() < 1e-5, "{name}: loss {seen}, not {exact_loss}");
    let error = distance(&engine.gradient().unwrap(), &exact);
    // A naive loop over a few points can be exact by chance, so float32's own rounding is allowed.
    assert!(error <= 2.0 * naive + 3e-7, "{name}: error {error:e}, naive {naive:e}");

    let mut values = vec![0.0; targets.len()];
    engine.evaluate(&points, &mut values).unwrap();
    let mut reference_values = vec![0.0; targets.len()];
    let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
    reference.evaluate(&points, &mut reference_values).unwrap();
    for (value, exact) in values.iter().zip(&reference_values) {
        assert!(
            (value - exact).abs() < 2e-4 * exact.abs().max(1.0),
            "{name}: {value}, not {exact}"
        );
    }
}

#[test]
fn every_activation_over_depths_and_odd_counts() {
    for set in InstructionSet::available() {
        for (activation, _) in catalog() {
            for dims in [&[2, 32, 32, 3][..], &[1, 17, 1], &[3, 20, 45, 33, 2]] {
                for count in [1, 67, 300] {
                    check(dims, activation, count, set);
                }
            }
        }
    }
}

#[test]
fn extreme_shapes() {
    for set in InstructionSet::available() {
        for dims in [
            &[1, 1][..],
            &[5, 3],
            &[1, 1, 1],
            &[2, 128, 128, 128, 3],
            &[64, 16, 65],
            &[7, 1, 130, 1, 4],
            &[2, 300, 30, 1],
            &[16, 8],
            &[40, 3],
            &[2, 30, 8],
            &[2, 30, 9],
            &[2, 370, 370, 1],
            &[2, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 3],
        ] {
            for count in [2, 129, 513] {
                check(dims, "tanh", count, set);
            }
        }
    }
}

#[test]
fn the_papers_network_at_its_own_initialization() {
    let best = InstructionSet::available()[0];
    check(&[2, 128, 128, 128, 128, 128, 128, 128, 3], "gaussian", 200, best);
    check(&[2, 128, 128, 128, 128, 128, 128, 128, 3], "sine", 200, best);
}

#[test]
fn adam_follows_the_reference() {
    let network = Network::new(vec![2, 24, 24, 3], "sine:omega=5".parse().unwrap()).unwrap();
    let parameters = weights(&network, 1.0);
    let (points, targets) = (numbers(2 * 500, 1), numbers(3 * 500, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let mut engine = CpuEngine::new(&network, &parameters, Some(2)).unwrap();
    let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
    for step in 0..30 {
        let (seen, exact) = (loss(&mut engine, &batch), loss(&mut reference, &batch));
        assert!((seen / exact - 1.0).abs() < 1e-4, "step {step}: {seen}, not {exact}");
        adam(&mut engine, 3e-3);
        adam(&mut reference, 3e-3);
    }
}

/// Also for more threads than cores, and for more chunks than those of a small batch.
#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let network = Network::new(vec![2, 40, 40, 3], "gaussian".parse().unwrap()).unwrap();
    let parameters = weights(&network, 0.15);
    for (count, steps, threads) in [(3001, 5, [2, 3, 7]), (66_001, 2, [2, 5, 64])] {
        let (points, targets) = (numbers(2 * count, 1), numbers(3 * count, 2));
        let batch = Batch::new(&network, &points, &targets).unwrap();
        let run = |threads| {
            let mut engine = CpuEngine::new(&network, &parameters, Some(threads)).unwrap();
            let losses: Vec<u64> = (0..steps)
                .map(|_| {
                    let loss = loss(&mut engine, &batch);
                    adam(&mut engine, 1e-3);
                    loss.to_bits()
                })
                .collect();
            let trained = engine.parameters().unwrap();
            let mut values = vec![0.0; targets.len()];
            engine.evaluate(&points, &mut values).unwrap();
            let bits = |v: Vec<f32>| v.into_iter().map(f32::to_bits).collect::<Vec<u32>>();
            (losses, bits(trained), bits(values))
        };
        let one = run(1);
        for threads in threads {
            assert!(run(threads) == one, "{count} points: {threads} threads differ from one");
        }
    }
}

/// All losses, with and without weights, follow the reference, for more than one tile and chunk.
#[test]
fn losses_and_weights_follow_the_reference() {
    let network = Network::new(vec![3, 24, 24, 2], "sine:omega=5".parse().unwrap()).unwrap();
    let parameters = weights(&network, 1.0);
    let exact_parameters: Vec<f64> = parameters.iter().map(|p| f64::from(*p)).collect();
    let (points, targets) = (numbers(3 * 700, 1), numbers(2 * 700, 2));
    let weights: Vec<f32> = numbers(700, 3).iter().map(|w| w + 1.0).collect();
    let plain = Batch::new(&network, &points, &targets).unwrap();
    let mut engine = CpuEngine::new(&network, &parameters, Some(2)).unwrap();
    for kind in [
        Loss::Squared,
        Loss::Absolute,
        Loss::ClampedAbsolute { limit: 0.5 },
        Loss::ClampedSquared { limit: 0.5 },
    ] {
        let plain = plain.with_loss(kind);
        for batch in [plain, plain.with_weights(&weights).unwrap()] {
            let (exact, gradient) =
                reference_gradient(&network, &exact_parameters, &batch).unwrap();
            let seen = loss(&mut engine, &batch);
            assert!((seen / exact - 1.0).abs() < 1e-5, "{kind:?}: {seen}, not {exact}");
            let error = distance(&engine.gradient().unwrap(), &gradient);
            assert!(error < 1e-5, "{kind:?}: {error:e}");
        }
    }
    assert!(plain.with_weights(&weights[1..]).is_err());
}

/// Derivatives with respect to the coordinates follow the reference, and their values are those of
/// `evaluate`.
#[test]
fn derivatives_follow_the_reference() {
    for set in InstructionSet::available() {
        for (dims, activation) in [
            (&[3, 40, 24, 2][..], "sine:omega=4"),
            (&[2, 1], "relu"),
            (&[1, 130, 1], "gaussian:sigma=0.5"),
            (&[40, 20, 33, 5], "exp(-x^2)"),
            (&[2, 48, 48, 48, 48, 3], "tanh"),
        ] {
            let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
            let parameters = weights(&network, 1.0);
            for count in [1, 200] {
                let points = numbers(count * network.inputs(), 1);
                let each = network.outputs() * network.inputs();
                let mut engine =
                    CpuEngine::with_instruction_set(&network, &parameters, Some(2), set).unwrap();
                let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
                let mut values = vec![0.0; count * network.outputs()];
                let (mut seen, mut exact) = (vec![0.0; count * each], vec![0.0; count * each]);
                reference.differentiate(&points, &mut values, &mut exact).unwrap();
                engine.differentiate(&points, &mut values, &mut seen).unwrap();
                let largest = exact.iter().fold(0.0f32, |most, x| most.max(x.abs()));
                for (i, (a, b)) in seen.iter().zip(&exact).enumerate() {
                    let near = (a - b).abs() <= 2e-5 * largest;
                    assert!(near, "{activation} {dims:?} on {set:?}, {i}: {a}, not {b}");
                }
                let mut alone = vec![0.0; values.len()];
                engine.evaluate(&points, &mut alone).unwrap();
                assert_eq!(values, alone);
                assert!(engine.differentiate(&points, &mut values, &mut seen[1..]).is_err());
            }
        }
    }
}

/// Each member of an ensemble of different networks is trained as if it were alone.
#[test]
fn an_ensemble_trains_each_member_as_if_alone() {
    let activations = ["gaussian", "sine:omega=5", "relu"];
    let networks: Vec<Network> = (0..5)
        .map(|i| Network::new(vec![2, 20 + i, 3], activations[i % 3].parse().unwrap()).unwrap())
        .collect();
    let starts: Vec<Vec<f32>> = networks.iter().map(|network| weights(network, 0.2)).collect();
    let (points, targets) = (numbers(2 * 400, 1), numbers(3 * 400, 2));
    let batch_for = |member: usize, step: u64| {
        let count = 100 * (1 + step as usize % 4);
        let (points, targets) = (&points[..2 * count], &targets[..3 * count]);
        let batch = Batch::new(&networks[member], points, targets).unwrap();
        (batch, 1e-3 * (member + 1) as f64)
    };
    let members: Vec<_> = networks.iter().zip(&starts).map(|(n, s)| (n, &s[..])).collect();
    for threads in [1, 2, 11] {
        let mut ensemble = Ensemble::new(&members, Some(threads)).unwrap();
        let losses = ensemble.train(12, &Adam::default(), batch_for).unwrap();
        for (member, (network, parameters)) in members.iter().enumerate() {
            let mut alone = CpuEngine::new(network, parameters, Some(1)).unwrap();
            for step in 0..12 {
                let (batch, rate) = batch_for(member, step);
                assert_eq!(losses[member][step as usize], loss(&mut alone, &batch));
                adam(&mut alone, rate);
            }
            let (seen, expected) =
                (ensemble.members()[member].parameters().unwrap(), alone.parameters().unwrap());
            assert_eq!(seen, expected, "member {member} of {threads} threads");
        }
    }
    let mut none = Ensemble::new(&[], None).unwrap();
    assert!(none.train(3, &Adam::default(), batch_for).unwrap().is_empty());
}

#[test]
fn a_smaller_batch_after_a_larger_one_leaves_no_trace_of_it() {
    let network = Network::new(vec![1, 16, 1], "tanh".parse().unwrap()).unwrap();
    let parameters = weights(&network, 1.0);
    let (points, targets) = (numbers(2000, 1), numbers(2000, 2));
    let small = Batch::new(&network, &points[..10], &targets[..10]).unwrap();
    let mut fresh = CpuEngine::new(&network, &parameters, Some(2)).unwrap();
    loss(&mut fresh, &small);
    let mut used = CpuEngine::new(&network, &parameters, Some(2)).unwrap();
    loss(&mut used, &Batch::new(&network, &points, &targets).unwrap());
    loss(&mut used, &small);
    assert_eq!(fresh.gradient().unwrap(), used.gradient().unwrap());
}

#[test]
fn wrong_lengths_are_errors() {
    let network = Network::new(vec![2, 4, 3], "tanh".parse().unwrap()).unwrap();
    let message = |points: usize, targets: usize| {
        let (points, targets) = (vec![0.0; points], vec![0.0; targets]);
        Batch::new(&network, &points, &targets).unwrap_err().to_string()
    };
    assert!(message(3, 3).contains("multiple of the network's 2 inputs"));
    assert!(message(4, 3).contains("expected 6 (2 points, 3 each)"));
    assert!(message(0, 0).contains("at least one point"));
    assert!(CpuEngine::new(&network, &[0.0; 26], None).is_err());
    assert!(ReferenceEngine::new(&network, &[0.0; 28]).is_err());
    let mut engine = CpuEngine::new(&network, &[0.0; 27], None).unwrap();
    assert!(engine.evaluate(&[0.0; 4], &mut [0.0; 5]).is_err());
}
