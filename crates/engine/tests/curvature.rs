//! Curvature factors and directional derivatives of the fused engine agree with the reference, and
//! parameters and the state of Adam can be transferred between engines.

use vi3nr::{BiasRule, InitRule, Network, Scheme, WeightShape};
use vi3nr_engine::{
    Adam, Batch, CpuEngine, Curvature, Engine, InstructionSet, ReferenceEngine, Update,
};

/// Reproducible numbers in [-1, 1].
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let random = vi3nr::rng::Random::new(seed, vi3nr::rng::Stream::new(2), 0);
    (0..count as u64).map(|i| (2.0 * random.uniform(i) - 1.0) as f32).collect()
}

fn start(network: &Network) -> Vec<f32> {
    let rule = InitRule {
        scheme: Scheme::VarianceInformed { sigma_p: 1.0, last_sigma_p: None },
        weights: WeightShape::Uniform,
        biases: BiasRule::LikeWeights,
        first_biases: BiasRule::LikeWeights,
    };
    vi3nr::draw(network, &rule.plan(network).unwrap(), 11)
}

const SHAPES: [(&[usize], &str); 5] = [
    (&[3, 40, 24, 2], "sine:omega=2"),
    (&[2, 1], "relu"),
    (&[1, 130, 1], "gaussian:sigma=0.5"),
    (&[40, 20, 33, 5], "exp(-x^2)"),
    (&[2, 48, 48, 48, 48, 3], "tanh"),
];

#[test]
fn factors_and_tangents_follow_the_reference() {
    for set in InstructionSet::available() {
        for (dims, activation) in SHAPES {
            let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
            let parameters = start(&network);
            let directions: Vec<Vec<f32>> =
                (5..8).map(|seed| numbers(parameters.len(), seed)).collect();
            let directions: Vec<&[f32]> = directions.iter().map(|d| &d[..]).collect();
            for count in [1, 67, 600] {
                let name = format!("{activation} {dims:?}, {count} points on {set:?}");
                let points = numbers(count * network.inputs(), 1);
                let signs: Vec<f32> =
                    numbers(count * network.outputs(), 2).iter().map(|x| x.signum()).collect();
                let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
                let mut engine =
                    CpuEngine::with_instruction_set(&network, &parameters, Some(2), set).unwrap();
                let exact = reference.factors(&points, &signs).unwrap();
                let seen = engine.factors(&points, &signs).unwrap();
                for (layer, (seen, exact)) in seen.iter().zip(&exact).enumerate() {
                    near(&seen.inputs, &exact.inputs, 3e-6, &format!("{name}: A of {layer}"));
                    near(&seen.slopes, &exact.slopes, 2e-5, &format!("{name}: G of {layer}"));
                }
                let double = |values: &[f32]| -> Vec<f64> {
                    values.iter().map(|value| f64::from(*value)).collect()
                };
                let exact = reference.tangents(&points, &directions).unwrap();
                let seen = engine.tangents(&points, &directions).unwrap();
                assert_eq!(seen.len(), 3);
                for (seen, exact) in seen.iter().zip(&exact) {
                    near(&double(seen), &double(exact), 2e-5, &format!("{name}: Jd"));
                }
            }
        }
    }
}

/// Checks that no element differs by more than `tolerance` times the largest magnitude.
fn near(seen: &[f64], exact: &[f64], tolerance: f64, name: &str) {
    assert_eq!(seen.len(), exact.len(), "{name}");
    let largest = exact.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (i, (a, b)) in seen.iter().zip(exact).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{name}, {i}: {a}, not {b}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_factors_and_tangents() {
    let network = Network::new(vec![2, 40, 40, 3], "gaussian:sigma=0.5".parse().unwrap()).unwrap();
    let parameters = start(&network);
    let points = numbers(2 * 1501, 1);
    let signs: Vec<f32> = numbers(3 * 1501, 2).iter().map(|x| x.signum()).collect();
    let direction = numbers(parameters.len(), 5);
    let run = |threads| {
        let mut engine = CpuEngine::new(&network, &parameters, Some(threads)).unwrap();
        let factors = engine.factors(&points, &signs).unwrap();
        (factors, engine.tangents(&points, &[&direction, &direction]).unwrap())
    };
    let one = run(1);
    assert_eq!(one.1[0], one.1[1]);
    for threads in [2, 3, 7] {
        assert!(run(threads) == one, "{threads} threads differ from one");
    }
}

/// Training continues unchanged after the parameters and the state of Adam are copied to another
/// engine.
#[test]
fn parameters_and_adam_state_can_be_transferred() {
    let network = Network::new(vec![2, 20, 17, 3], "sine:omega=5".parse().unwrap()).unwrap();
    let (points, targets) = (numbers(2 * 300, 1), numbers(3 * 300, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    for index in 0..2 {
        let make = |start: &[f32]| -> Box<dyn Engine> {
            match index {
                0 => Box::new(CpuEngine::new(&network, start, Some(2)).unwrap()),
                _ => Box::new(ReferenceEngine::new(&network, start).unwrap()),
            }
        };
        let mut engine = make(&start(&network));
        engine.load_batch(&batch).unwrap();
        for _ in 0..3 {
            engine.loss_and_gradient().unwrap();
            engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
        }
        let parameters = engine.parameters();
        let mut other = make(&vec![0.0; parameters.len()]);
        other.set_parameters(&parameters).unwrap();
        other.set_adam_memory(&engine.adam_memory()).unwrap();
        assert_eq!(other.adam_memory(), engine.adam_memory());
        other.load_batch(&batch).unwrap();
        for _ in 0..3 {
            let (seen, expected) =
                (other.loss_and_gradient().unwrap(), engine.loss_and_gradient().unwrap());
            // The reference computes with more digits than it returns.
            let allowed = if index == 0 { 0.0 } else { 1e-6 };
            assert!((seen / expected - 1.0).abs() <= allowed, "{seen}, not {expected}");
            for engine in [&mut engine, &mut other] {
                engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
            }
        }
    }
}

#[test]
fn wrong_lengths_are_errors() {
    let network = Network::new(vec![2, 4, 3], "tanh".parse().unwrap()).unwrap();
    let mut cpu = CpuEngine::new(&network, &[0.0; 27], Some(1)).unwrap();
    let mut reference = ReferenceEngine::new(&network, &[0.0; 27]).unwrap();
    let engines: [&mut dyn Engine; 2] = [&mut cpu, &mut reference];
    for engine in engines {
        assert!(engine.set_parameters(&[0.0; 26]).is_err());
        let curvature = engine.curvature().unwrap();
        assert!(curvature.factors(&[0.0; 4], &[1.0; 5]).is_err());
        assert!(curvature.factors(&[], &[]).is_err());
        assert!(curvature.tangents(&[0.0; 3], &[&[0.0; 27]]).is_err());
        assert!(curvature.tangents(&[], &[&[0.0; 27]]).is_err());
        assert!(curvature.tangents(&[0.0; 4], &[&[0.0; 26]]).is_err());
        assert!(curvature.tangents(&[0.0; 4], &[]).unwrap().is_empty());
        let mut memory = engine.adam_memory();
        memory.mean.pop();
        assert!(engine.set_adam_memory(&memory).is_err());
    }
}
