//! Updates of the parameters, and many steps in one call.

use vi3nr_engine::{
    Adam, AdamRun, Backend, Batch, BestParameters, Engine, EngineError, ReferenceEngine, RunEnd,
    RunOutcome, Update,
};

use crate::support::{backend, double, engine, error, network, numbers, start};

/// Runs an engine until all steps are taken or it ends.
fn run(
    engine: &mut dyn Engine,
    rates: &[f64],
    target: Option<f64>,
) -> (RunOutcome, BestParameters) {
    let mut best = BestParameters::default();
    let mut all = RunOutcome { losses: Vec::new(), steps: 0, best: None, end: None };
    while all.end.is_none() && all.steps < rates.len() {
        let learning_rates = &rates[all.steps..];
        let run = AdamRun { constants: Adam::default(), learning_rates, target_loss: target };
        let part = engine.run(&run, &mut best).unwrap();
        all.best = part.best.map(|index| all.steps + index).or(all.best);
        all.losses.extend(part.losses);
        all.steps += part.steps;
        all.end = part.end;
    }
    (all, best)
}

/// One call of [`Engine::run`].
fn run_once(engine: &mut dyn Engine, learning_rates: &[f64]) -> RunOutcome {
    let run = AdamRun { constants: Adam::default(), learning_rates, target_loss: None };
    engine.run(&run, &mut BestParameters::default()).unwrap()
}

/// A run on the device takes the steps of the reference, keeps the best parameters, and goes on where
/// single steps left off.
#[test]
fn runs_take_the_steps_of_the_reference() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 24, 32, 3], "tanh");
    let (points, targets) = (numbers(2 * 150, 1), numbers(3 * 150, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let rates: Vec<f64> = (0..40).map(|step| 1e-2 / (1.0 + 0.1 * f64::from(step))).collect();
    let mut gpu = engine(&backend, &network);
    let mut reference = ReferenceEngine::new(&network, &start(&network)).unwrap();
    gpu.load_batch(&batch).unwrap();
    reference.load_batch(&batch).unwrap();
    let (seen, best) = run(&mut *gpu, &rates, None);
    let (exact, exact_best) = run(&mut reference, &rates, None);
    assert_eq!((seen.steps, seen.end, seen.best), (40, None, exact.best));
    let losses: Vec<f32> = seen.losses.iter().map(|loss| *loss as f32).collect();
    assert!(error(&losses, &exact.losses) < 1e-6, "{:?}", seen.losses);
    let difference = error(&best.parameters, &double(&exact_best.parameters));
    assert!(difference < 1e-5, "{difference:e}");
    // The state after the run is that of single steps.
    let step = Update::adam(Adam::default(), 1e-3);
    for engine in [&mut *gpu, &mut reference as &mut dyn Engine] {
        engine.loss_and_gradient().unwrap();
        engine.apply(&step).unwrap();
    }
    let (seen, exact) = (gpu.parameters().unwrap(), reference.parameters().unwrap());
    assert!(error(&seen, &double(&exact)) < 1e-5);
    assert_eq!(gpu.adam_memory().unwrap().steps, 41);
}

/// A run ends before the step at which the loss reaches its target, and at a loss that is not finite.
#[test]
fn runs_end_at_their_target_and_at_losses_that_are_not_finite() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 24, 32, 3], "tanh");
    let (points, targets) = (numbers(2 * 150, 1), numbers(3 * 150, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let mut gpu = engine(&backend, &network);
    gpu.load_batch(&batch).unwrap();
    let (all, _) = run(&mut *gpu, &[1e-2; 30], None);
    let at = all.best.unwrap();
    let target = all.losses[at];
    gpu.set_parameters(&start(&network)).unwrap();
    gpu.set_adam_memory(&engine(&backend, &network).adam_memory().unwrap()).unwrap();
    let (seen, best) = run(&mut *gpu, &[1e-2; 30], Some(target));
    assert_eq!((seen.steps, seen.end, seen.best), (at, Some(RunEnd::Target), Some(at)));
    assert_eq!(seen.losses[..], all.losses[..=at]);
    assert_eq!((best.loss, &best.parameters), (target, &gpu.parameters().unwrap()));
    assert_eq!(gpu.adam_memory().unwrap().steps, at as u64);

    let mut infinite = start(&network);
    infinite[0] = f32::INFINITY;
    gpu.set_parameters(&infinite).unwrap();
    let mut huge = targets.clone();
    huge[5] = 3e30;
    gpu.load_batch(&Batch::new(&network, &points, &huge).unwrap()).unwrap();
    let (seen, best) = run(&mut *gpu, &[1e-2; 5], None);
    assert_eq!((seen.steps, seen.end, seen.losses.len()), (0, Some(RunEnd::Diverged), 1));
    assert!(best.parameters.is_empty());
    assert_eq!(gpu.parameters().unwrap(), infinite);
}

/// A run without a step changes nothing, before and after others.
#[test]
fn a_run_without_a_step_leaves_the_gradient() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 24, 32, 3], "tanh");
    let (points, targets) = (numbers(2 * 50, 1), numbers(3 * 50, 2));
    let mut gpu = engine(&backend, &network);
    gpu.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
    let nothing = RunOutcome { losses: Vec::new(), steps: 0, best: None, end: None };
    assert_eq!(run_once(&mut *gpu, &[]), nothing);
    assert_eq!(gpu.gradient(), Err(EngineError::NoGradient));
    run_once(&mut *gpu, &[1e-3; 2]);
    let gradient = gpu.gradient().unwrap();
    assert_eq!(run_once(&mut *gpu, &[]), nothing);
    assert_eq!(gpu.gradient().unwrap(), gradient);
}

/// Constants that are not numbers end in a loss that is not finite, as on the CPU.
#[test]
fn constants_that_are_not_finite_end_a_run() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 24, 32, 3], "tanh");
    let (points, targets) = (numbers(2 * 50, 1), numbers(3 * 50, 2));
    let mut gpu = engine(&backend, &network);
    gpu.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
    let constants = Adam { epsilon: f64::NAN, ..Adam::default() };
    let mut best = BestParameters::default();
    let mut ends = Vec::new();
    for _ in 0..2 {
        let run = AdamRun { constants, learning_rates: &[1e-3], target_loss: None };
        ends.push(gpu.run(&run, &mut best).unwrap().end);
    }
    assert_eq!(ends, [None, Some(RunEnd::Diverged)]);
}

/// A network with more vectors of parameters than a launch has invocations.
#[test]
fn more_parameters_than_invocations_are_updated() {
    let Some(backend) = backend() else { return };
    let network = network(&[1, 4096, 4096, 1], "tanh");
    let start = vec![1e-3; network.parameter_count()];
    let mut gpu = backend.engine(&network, &start).unwrap();
    let numbers = [0.5, -0.3];
    gpu.load_batch(&Batch::new(&network, &numbers, &numbers).unwrap()).unwrap();
    gpu.loss_and_gradient().unwrap();
    gpu.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
    let seen = gpu.parameters().unwrap();
    // Everything after these weights is beyond the first launch of all invocations. Their own gradient
    // is not complete on llvmpipe, which ends loops after 65,535 iterations.
    let weights = network.layers()[1].weights.clone();
    let after = &seen[weights.end..];
    assert!(after.iter().all(|value| (value - 1e-3).abs() > 5e-4), "{:?}", after.first());
    let direction = vec![1.0; weights.len()];
    gpu.apply(&Update::Displace { layer: 1, direction: &direction, rate: 0.5 }).unwrap();
    let moved = gpu.parameters().unwrap();
    assert!(weights.into_iter().all(|index| moved[index] == seen[index] - 0.5));
}

/// Networks that are trained side by side, in common launches, end with the bytes of networks that are
/// trained alone, and a second run with those of the first.
#[test]
fn networks_side_by_side_are_the_same_as_alone() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 24, 32, 3], "tanh");
    // Networks with different numbers of points, learning rates and steps.
    let train = |backend: &dyn Backend, seed: u64| {
        let count = 60 + 45 * seed as usize;
        let (points, targets) = (numbers(2 * count, seed), numbers(3 * count, seed + 9));
        let rates = vec![1e-3 * (1.0 + seed as f64); 12 + 3 * seed as usize];
        let mut engine = backend.engine(&network, &start(&network)).unwrap();
        engine.load_batch(&Batch::new(&network, &points, &targets).unwrap()).unwrap();
        let (outcome, best) = run(&mut *engine, &rates, None);
        let mut values = vec![0.0; targets.len()];
        engine.evaluate(&points, &mut values).unwrap();
        (outcome, best, engine.parameters().unwrap(), engine.gradient().unwrap(), values)
    };
    let alone: Vec<_> = (0..3).map(|seed| train(&backend, seed)).collect();
    assert_eq!(train(&backend, 1), alone[1]);
    let backends = backend.side_by_side(3).unwrap();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (seed, backend) in (0..).zip(&backends) {
            let train = &train;
            threads.push(scope.spawn(move || train(&**backend, seed)));
        }
        for (thread, alone) in threads.into_iter().zip(&alone) {
            assert_eq!(&thread.join().unwrap(), alone);
        }
    });
}

/// A run on the points of several steps takes the same steps as batches that are loaded one by one.
#[test]
fn runs_on_the_points_of_several_steps_are_single_steps() {
    let Some(backend) = backend() else { return };
    let network = network(&[2, 24, 32, 3], "tanh");
    let (count, size) = (230, 60);
    let (points, targets) = (numbers(2 * count, 1), numbers(3 * count, 2));
    let batch = Batch::new(&network, &points, &targets).unwrap();
    let mut single = engine(&backend, &network);
    let mut losses = Vec::new();
    for first in (0..count).step_by(size) {
        let end = count.min(first + size);
        let (points, targets) = (&points[2 * first..2 * end], &targets[3 * first..3 * end]);
        single.load_batch(&Batch::new(&network, points, targets).unwrap()).unwrap();
        losses.push(single.loss_and_gradient().unwrap());
        single.apply(&Update::adam(Adam::default(), 1e-3)).unwrap();
    }
    let mut several = engine(&backend, &network);
    several.load_steps(&batch, size).unwrap();
    assert_eq!(several.loss_and_gradient(), Err(EngineError::NoBatch));
    // Neither the target nor the best parameters matter.
    let (seen, best) = run(&mut *several, &[1e-3; 4], Some(1e9));
    assert_eq!((seen.losses, seen.steps, seen.best, seen.end), (losses, 4, None, None));
    assert_eq!(best, BestParameters::default());
    assert_eq!(several.parameters().unwrap(), single.parameters().unwrap());
    let rest = AdamRun { constants: Adam::default(), learning_rates: &[1e-3], target_loss: None };
    let error = several.run(&rest, &mut BestParameters::default()).unwrap_err();
    assert_eq!(error, EngineError::NoBatch);
}
