//! Every optimiser on small problems: what it reaches, what it repeats, what it remembers.

use std::ops::ControlFlow;
use std::time::Instant;

use vi3nr::{BiasRule, InitRule, Scheme, WeightShape};
use vi3nr_engine::{CpuEngine, ReferenceEngine};

use super::*;
use crate::points::{Points, Sampled};
use crate::train::{Outcome, Progress, Run, Stop, TrainSettings, TrainState, train};

/// A picture of 24 x 24 pixels and two channels with an edge.
struct Picture;

const SIDE: usize = 24;

impl Sampled for Picture {
    fn count(&self) -> usize {
        SIDE * SIDE
    }

    fn push(&self, index: usize, batch: &mut PointBatch) {
        let at = |i: usize| 2.0 * i as f32 / (SIDE - 1) as f32 - 1.0;
        let (x, y) = (at(index % SIDE), at(index / SIDE));
        batch.points.extend([x, y]);
        let edge = if x + 0.5 * y > 0.2 { 0.5 } else { -0.3 };
        batch.targets.extend([edge + 0.3 * (5.0 * x).sin(), (3.0 * x * y).cos()]);
    }
}

fn problem(activation: &str) -> (Network, Vec<f32>) {
    let network = Network::uniform(2, 32, 4, 2, activation.parse().unwrap()).unwrap();
    let rule = InitRule {
        scheme: Scheme::VarianceInformed { sigma_p: 0.5, last_sigma_p: None },
        weights: WeightShape::Uniform,
        biases: BiasRule::Zero,
        first_biases: BiasRule::LikeWeights,
    };
    let start = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 1);
    (network, start)
}

fn all() -> [OptimiserSettings; 3] {
    let rates = AdamSettings { learning_rate: 3e-3, schedule: Schedule::Cosine };
    let muon =
        MuonSettings { learning_rate: 5e-3, adam_learning_rate: 1e-3, schedule: Schedule::Cosine };
    let kfac = KfacSettings { factor_points: 200, model_points: 300 };
    [OptimiserSettings::Adam(rates), OptimiserSettings::Muon(muon), OptimiserSettings::Kfac(kfac)]
}

fn fit(engine: &mut dyn Engine, optimiser: &OptimiserSettings, steps: u64) -> (Outcome, Vec<f64>) {
    let settings = TrainSettings {
        steps,
        batch: None,
        optimiser: optimiser.clone(),
        target_psnr: None,
        time_limit: None,
    };
    let run = Run { seed: 4, threads: Some(2), started: Instant::now(), from: None };
    let mut losses = Vec::new();
    let mut watch = |progress: &Progress, _: &dyn Fn() -> TrainState| {
        losses.push(progress.loss);
        ControlFlow::Continue(())
    };
    let outcome = train(engine, Points::Sampled(&Picture), &settings, run, &mut watch).unwrap();
    (outcome, losses)
}

/// Forty steps of kfac go farther than three hundred of Adam, on both engines and for even and odd
/// activations.
#[test]
fn kfac_beats_adam_by_far() {
    let [adam, _, kfac] = all();
    for activation in ["gaussian:sigma=0.5", "sine:omega=3"] {
        let (network, start) = problem(activation);
        let best = |optimiser: &OptimiserSettings, steps| {
            let mut engine = CpuEngine::new(&network, &start, Some(2)).unwrap();
            fit(&mut engine, optimiser, steps).0.best.unwrap().loss
        };
        let (adam, kfac) = (best(&adam, 300), best(&kfac, 40));
        assert!(kfac < 0.5 * adam, "{activation}: {kfac:e} against {adam:e}");
    }
    let (network, start) = problem("sine:omega=3");
    let mut reference = ReferenceEngine::new(&network, &start).unwrap();
    let (outcome, losses) = fit(&mut reference, &kfac, 12);
    assert!(outcome.best.unwrap().loss < 0.1 * losses[0]);
}

/// What is kept is the smallest loss that was seen, and what kfac and muon do besides is counted.
#[test]
fn every_optimiser_lowers_the_loss_and_keeps_its_best() {
    for optimiser in all() {
        let (network, start) = problem("gaussian:sigma=0.5");
        let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
        let (outcome, losses) = fit(&mut engine, &optimiser, 60);
        let smallest = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let best = outcome.best.unwrap();
        assert_eq!(best.loss, smallest, "{}", optimiser.name());
        assert!(smallest < 0.5 * losses[0], "{}: {smallest:e}", optimiser.name());
        let gradients = 6.0 * network.weight_count() as f64 * (60 * SIDE * SIDE) as f64;
        let besides = outcome.operations / gradients - 1.0;
        assert_eq!(besides > 0.0, optimiser.name() != "adam");
    }
}

#[test]
fn threads_change_no_byte() {
    for optimiser in all() {
        let (network, start) = problem("gaussian:sigma=0.5");
        let run = |threads| {
            let mut engine = CpuEngine::new(&network, &start, Some(threads)).unwrap();
            let (_, losses) = fit(&mut engine, &optimiser, 15);
            let mut parameters = Vec::new();
            engine.copy_parameters(&mut parameters);
            (losses, parameters)
        };
        assert!(run(1) == run(3), "{}", optimiser.name());
    }
}

/// A memory put back, and the parameters with it: the run goes on to the same bytes.
#[test]
fn a_restored_state_goes_on_as_if_nothing_had_happened() {
    for optimiser in all() {
        let (network, start) = problem("gaussian:sigma=0.5");
        let mut batch = PointBatch::default();
        (0..Picture.count()).for_each(|index| Picture.push(index, &mut batch));
        let begin = |parameters: &[f32]| {
            let engine = CpuEngine::new(&network, parameters, Some(2)).unwrap();
            (engine, optimiser.start(&network, 4, Some(2)).unwrap())
        };
        let go = |engine: &mut CpuEngine, optimiser: &mut dyn Optimiser, step: u64| {
            let loss = engine.backpropagate(&batch.batch(&network).unwrap());
            let at = Situation { batch: &batch, loss, step, progress: step as f64 / 40.0 };
            optimiser.step(engine, &at).unwrap();
            loss
        };
        let (mut engine, mut one) = begin(&start);
        // Before the first step, after one, and in between of kfac's intervals.
        let mut step = 0;
        for pause in [0, 1, 13, 20] {
            while step < pause {
                go(&mut engine, &mut *one, step);
                step += 1;
            }
            let mut parameters = Vec::new();
            engine.copy_parameters(&mut parameters);
            let (mut other_engine, mut other) = begin(&parameters);
            other.restore(&mut other_engine, &one.save(&engine)).unwrap();
            assert_eq!(other.save(&other_engine), one.save(&engine));
            for _ in 0..7 {
                let expected = go(&mut engine, &mut *one, step);
                let seen = go(&mut other_engine, &mut *other, step);
                assert_eq!(seen, expected, "{} at {step} after {pause}", optimiser.name());
                step += 1;
            }
        }
        // What is missing or too short is told.
        let mut state = one.save(&engine);
        let name = state.single.keys().next().unwrap().clone();
        state.single.insert(name.clone(), vec![0.0; 3]);
        let error = one.restore(&mut engine, &state).unwrap_err().to_string();
        assert!(error.contains(&name) && error.contains("3 numbers"), "{error}");
        assert!(one.restore(&mut engine, &OptimiserState::default()).is_err());
    }
}

/// Two linear layers that can represent the targets: kfac reaches them and says that it is done.
#[test]
fn kfac_ends_where_nothing_more_is_to_be_gained() {
    let (network, start) = problem("sine:omega=1");
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let kfac = OptimiserSettings::Kfac(KfacSettings { factor_points: 576, model_points: 576 });
    let (outcome, losses) = fit(&mut engine, &kfac, 5_000);
    assert_eq!(outcome.stop, Stop::Converged);
    assert!(outcome.steps < 5_000 && outcome.best.unwrap().loss < 1e-2 * losses[0]);
}

#[test]
fn a_start_without_a_finite_loss_is_told() {
    for optimiser in all() {
        let (network, mut start) = problem("gaussian:sigma=0.5");
        start[3] = f32::NAN;
        let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
        let (outcome, _) = fit(&mut engine, &optimiser, 5);
        assert_eq!(outcome.stop, Stop::Diverged { step: 1 }, "{}", optimiser.name());
        assert!(outcome.best.is_none());
    }
}
