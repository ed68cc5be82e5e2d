//! The guarantees of the engines of every backend: which calls are errors, and what a call leaves
//! unchanged.

use vi3nr::Network;
use vi3nr_engine::{
    Adam, Backend, Batch, CpuBackend, CpuEngine, Engine, EngineError, ReferenceBackend, Residuals,
    Update, Workers,
};

#[cfg(feature = "gpu")]
#[path = "common/gpu.rs"]
mod gpu_backend;

fn backends() -> Vec<Box<dyn Backend>> {
    let cpu = Box::new(CpuBackend::new(Some(2)).unwrap());
    let reference = Box::new(ReferenceBackend::new(Some(2)).unwrap());
    let all: [Option<Box<dyn Backend>>; 3] = [Some(cpu), Some(reference), gpu()];
    all.into_iter().flatten().collect()
}

#[cfg(feature = "gpu")]
fn gpu() -> Option<Box<dyn Backend>> {
    gpu_backend::backend().map(|backend| Box::new(backend) as _)
}

#[cfg(not(feature = "gpu"))]
fn gpu() -> Option<Box<dyn Backend>> {
    None
}

fn numbers(count: usize, frequency: f32) -> Vec<f32> {
    (0..count).map(|i| 0.5 * (frequency * (i as f32 + 1.0)).sin()).collect()
}

fn network() -> Network {
    Network::new(vec![2, 20, 17, 9, 3], "sine:omega=2".parse().unwrap()).unwrap()
}

/// An engine of `backend` with a loaded batch of 300 points.
fn engine(backend: &dyn Backend) -> Box<dyn Engine> {
    let network = network();
    let mut engine = backend.engine(&network, &numbers(network.parameter_count(), 1.7)).unwrap();
    let (points, targets) = (numbers(600, 2.3), numbers(900, 0.9));
    engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
    engine
}

#[test]
fn errors_name_what_is_missing() {
    for backend in backends() {
        let network = network();
        let start = numbers(network.parameter_count(), 1.7);
        let mut fresh = backend.engine(&network, &start).unwrap();
        let adam = Update::adam(Adam::default(), 1e-3);
        assert_eq!(fresh.loss_and_gradient(), Err(EngineError::NoBatch));
        assert_eq!(fresh.gradient(), Err(EngineError::NoGradient));
        assert_eq!(fresh.apply(&adam), Err(EngineError::NoGradient));
        assert_eq!(fresh.adam_memory().unwrap().steps, 0);
        assert_eq!(fresh.parameters().unwrap(), start);
        let refused = backend.engine(&network, &start[1..]).map(|_| ()).unwrap_err();
        assert!(matches!(refused, EngineError::Length { what: "parameters", .. }), "{refused}");
    }
}

#[test]
fn batches_for_other_networks_are_errors() {
    let other = Network::new(vec![3, 4, 2], "relu".parse().unwrap()).unwrap();
    let (points, targets) = (numbers(6, 1.0), numbers(4, 1.0));
    let batch = Batch::new(&other, &points, &targets).unwrap();
    assert_eq!((batch.inputs(), batch.outputs(), batch.count()), (3, 2, 2));
    for backend in backends() {
        let mut engine = engine(&*backend);
        engine.loss_and_gradient().unwrap();
        let gradient = engine.gradient();
        let error = engine.load_batch(&batch).unwrap_err();
        assert_eq!(error, EngineError::BatchShape { seen: (3, 2), expected: (2, 3) });
        // The gradient is still that of the previous batch, which is no longer loaded.
        assert_eq!(engine.gradient(), gradient);
        assert_eq!(engine.loss_and_gradient(), Err(EngineError::NoBatch));
        assert_eq!(engine.gradient(), Err(EngineError::NoGradient));
    }
}

#[test]
fn a_gradient_is_kept_until_the_next() {
    for backend in backends() {
        let mut engine = engine(&*backend);
        let loss = engine.loss_and_gradient().unwrap();
        assert_eq!(engine.loss_and_gradient().unwrap(), loss, "a loaded batch is kept");
        let gradient = engine.gradient().unwrap();
        let start = engine.parameters().unwrap();
        engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
        assert_ne!(engine.parameters().unwrap(), start);
        engine.evaluate(&[0.1, 0.2], &mut [0.0; 3]).unwrap();
        engine.curvature().unwrap().factors(&[0.1, 0.2], Residuals::VALUES, &[1.0; 3]).unwrap();
        engine.curvature().unwrap().tangents(&[0.1, 0.2], Residuals::VALUES, &[&start]).unwrap();
        let (network, points, targets) = (engine.network().clone(), [0.3, 0.1], [0.0; 3]);
        engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
        engine.set_parameters(&start).unwrap();
        assert_eq!(engine.gradient().unwrap(), gradient);
        engine.loss_and_gradient().unwrap();
        assert_ne!(engine.gradient().unwrap(), gradient);
    }
}

/// Weights that are excepted from a step of Adam do not change, nor does their state. All other
/// parameters change as without exceptions.
#[test]
fn adam_can_except_the_weights_of_some_layers() {
    for backend in backends() {
        let (mut all, mut some) = (engine(&*backend), engine(&*backend));
        let start = all.parameters().unwrap();
        for _ in 0..2 {
            // Both engines have the same gradient, whatever the previous step has changed.
            for engine in [&mut all, &mut some] {
                engine.set_parameters(&start).unwrap();
                engine.loss_and_gradient().unwrap();
            }
            all.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
            let (constants, learning_rate) = (Adam::default(), 1e-3);
            let except_weights_of = &[2, 1];
            some.apply(&Update::Adam { constants, learning_rate, except_weights_of }).unwrap();
            let (all, some) = (
                (all.parameters().unwrap(), all.adam_memory().unwrap()),
                (some.parameters().unwrap(), some.adam_memory().unwrap()),
            );
            for layer in network().layers() {
                for (index, is_weight) in
                    layer.weights.map(|i| (i, true)).chain(layer.biases.map(|i| (i, false)))
                {
                    let is_excepted = is_weight && [1, 2].contains(&layer.index);
                    let memory = some.1.mean[index];
                    if is_excepted {
                        assert_eq!((some.0[index], memory), (start[index], 0.0));
                    } else {
                        assert_eq!((some.0[index], memory), (all.0[index], all.1.mean[index]));
                        assert_eq!(some.1.mean_square[index], all.1.mean_square[index]);
                    }
                }
            }
            assert_eq!(some.1.steps, all.1.steps);
        }
        let (constants, learning_rate) = (Adam::default(), 1e-3);
        let update = Update::Adam { constants, learning_rate, except_weights_of: &[4] };
        let expected = Err(EngineError::NoLayer { layer: 4, layers: 4 });
        assert_eq!(some.apply(&update), expected);
        assert_eq!(some.adam_memory().unwrap().steps, 2);
    }
}

#[test]
fn displacements_change_the_weights_of_one_layer() {
    for backend in backends() {
        let mut engine = engine(&*backend);
        let start = engine.parameters().unwrap();
        let layer = network().layers().swap_remove(1);
        let direction = numbers(layer.weights.len(), 0.3);
        engine.apply(&Update::Displace { layer: 1, direction: &direction, rate: 0.25 }).unwrap();
        for (index, (seen, before)) in engine.parameters().unwrap().iter().zip(&start).enumerate() {
            let expected = match layer.weights.contains(&index) {
                true => before - 0.25 * direction[index - layer.weights.start],
                false => *before,
            };
            assert!((seen - expected).abs() <= 1e-7 * expected.abs(), "{index}: {seen}");
        }
        // The displaced network is the one that is evaluated.
        let moved = engine.parameters().unwrap();
        let mut other = backend.engine(&network(), &moved).unwrap();
        let (mut seen, mut expected) = ([0.0; 3], [0.0; 3]);
        engine.evaluate(&[0.1, -0.3], &mut seen).unwrap();
        other.evaluate(&[0.1, -0.3], &mut expected).unwrap();
        assert!(seen.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5));
        for (layer, len) in [(4, layer.weights.len()), (1, 3)] {
            let direction = &direction[..len];
            assert!(engine.apply(&Update::Displace { layer, direction, rate: 1.0 }).is_err());
        }
        assert_eq!(engine.parameters().unwrap(), moved);
    }
}

/// Engines that share their threads do not affect each other.
#[test]
fn engines_on_shared_threads_give_the_same_bytes_as_alone() {
    let network = network();
    let (points, targets) = (numbers(2 * 2000, 2.3), numbers(3 * 2000, 0.9));
    let train = |mut engine: CpuEngine| {
        engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
        for _ in 0..20 {
            engine.loss_and_gradient().unwrap();
            engine.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
        }
        engine.parameters().unwrap()
    };
    let start = |seed: f32| numbers(network.parameter_count(), 1.0 + 0.1 * seed);
    let workers = Workers::new(Some(2)).unwrap();
    std::thread::scope(|scope| {
        let together: Vec<_> = (0..4u8)
            .map(|seed| {
                let (workers, train, network) = (&workers, &train, &network);
                scope.spawn(move || {
                    let start = start(seed.into());
                    train(CpuEngine::on_workers(network, &start, workers).unwrap())
                })
            })
            .collect();
        for (seed, together) in (0..4u8).zip(together) {
            let alone = CpuEngine::new(&network, &start(seed.into()), Some(1)).unwrap();
            assert_eq!(together.join().unwrap(), train(alone));
        }
    });
}

#[test]
fn backends_state_their_name_and_capabilities() {
    let names: Vec<_> = backends().iter().map(|backend| backend.name()).collect();
    assert_eq!(names, ["cpu", "reference", "gpu"][..names.len()]);
    for backend in backends() {
        let can = backend.capabilities();
        assert!(can.curvature && can.derivatives && can.thread_invariant);
        assert_eq!(backend.workers().threads(), 2);
        assert!(engine(&*backend).curvature().is_some());
    }
}
