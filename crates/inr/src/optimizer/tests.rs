//! All optimizers on small problems: convergence, determinism and saved states.

use std::sync::Arc;
use std::time::Instant;

use vi3nr::{BiasRule, InitRule, Scheme};
use vi3nr_engine::{CpuBackend, CpuEngine, ReferenceBackend};

use super::*;
use crate::points::{Indices, Points, Sampled};
use crate::train::{RunContext, Stop, TrainOutcome, TrainSettings, Trainer};

/// An image of 24 x 24 pixels and two channels with an edge.
struct TestImage;

const SIDE: usize = 24;

impl Sampled for TestImage {
    fn count(&self) -> usize {
        SIDE * SIDE
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        let at = |i: usize| 2.0 * i as f32 / (SIDE - 1) as f32 - 1.0;
        indices.for_each(|index| {
            let (x, y) = (at(index % SIDE), at(index / SIDE));
            batch.points.extend([x, y]);
            let edge = if x + 0.5 * y > 0.2 { 0.5 } else { -0.3 };
            batch.targets.extend([edge + 0.3 * (5.0 * x).sin(), (3.0 * x * y).cos()]);
        });
    }
}

fn problem(activation: &str) -> (Network, Vec<f32>) {
    let network = Network::uniform(2, 32, 4, 2, activation.parse().unwrap()).unwrap();
    let scheme = Scheme::ours(0.5);
    let rule = InitRule::new(scheme).with_first_biases(BiasRule::LikeWeights);
    let start = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 1);
    (network, start)
}

fn all() -> [OptimizerSettings; 3] {
    let rates = AdamSettings { learning_rate: 3e-3, schedule: Schedule::Cosine };
    let muon =
        MuonSettings { learning_rate: 5e-3, adam_learning_rate: 1e-3, schedule: Schedule::Cosine };
    let kfac = KfacSettings { factor_points: 200, model_points: 300 };
    [OptimizerSettings::Adam(rates), OptimizerSettings::Muon(muon), OptimizerSettings::Kfac(kfac)]
}

fn backend(threads: usize) -> CpuBackend {
    CpuBackend::new(Some(threads)).unwrap()
}

/// Trains `engine` on the image. Also returns the loss of every step.
fn fit(
    engine: &mut dyn Engine,
    optimizer: &OptimizerSettings,
    steps: u64,
) -> (TrainOutcome, Vec<f64>) {
    let settings = TrainSettings {
        steps,
        batch: None,
        optimizer: optimizer.clone(),
        target_psnr: None,
        time_limit: None,
    };
    let backend = backend(2);
    let run = RunContext { seed: 4, backend: &backend, started: Instant::now() };
    let points = Points::Sampled(Arc::new(TestImage));
    let mut trainer = Trainer::new(Box::new(engine), points, settings, run).unwrap();
    let mut losses = Vec::new();
    while let Some(progress) = trainer.step().unwrap() {
        losses.push(progress.loss);
    }
    (trainer.finish().1, losses)
}

/// Forty steps of K-FAC reach a lower loss than 300 of Adam, for even and odd activations, and
/// K-FAC also works on the reference engine.
#[test]
fn kfac_needs_far_fewer_steps_than_adam() {
    let [adam, _, kfac] = all();
    for activation in ["gaussian:sigma=0.5", "sine:omega=3"] {
        let (network, start) = problem(activation);
        let best = |optimizer: &OptimizerSettings, steps| {
            let mut engine = CpuEngine::new(&network, &start, Some(2)).unwrap();
            fit(&mut engine, optimizer, steps).0.best.unwrap().loss
        };
        let (adam, kfac) = (best(&adam, 300), best(&kfac, 40));
        assert!(kfac < 0.5 * adam, "{activation}: {kfac:e} against {adam:e}");
    }
    let (network, start) = problem("sine:omega=3");
    let backend = ReferenceBackend::new(Some(1)).unwrap();
    let mut reference = backend.engine(&network, &start).unwrap();
    let (outcome, losses) = fit(&mut *reference, &kfac, 12);
    assert!(outcome.best.unwrap().loss < 0.1 * losses[0]);
}

/// The best loss is the smallest one seen, and the extra operations of kfac and muon are counted.
#[test]
fn every_optimizer_lowers_the_loss_and_keeps_its_best() {
    for optimizer in all() {
        let (network, start) = problem("gaussian:sigma=0.5");
        let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
        let (outcome, losses) = fit(&mut engine, &optimizer, 60);
        let smallest = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let best = outcome.best.unwrap();
        assert_eq!(best.loss, smallest, "{}", optimizer.name());
        assert!(smallest < 0.5 * losses[0], "{}: {smallest:e}", optimizer.name());
        let gradients = 6.0 * network.weight_count() as f64 * (60 * SIDE * SIDE) as f64;
        let besides = outcome.operations / gradients - 1.0;
        assert_eq!(besides > 0.0, optimizer.name() != OptimizerName::Adam);
    }
}

#[test]
fn threads_change_no_byte() {
    for optimizer in all() {
        let (network, start) = problem("gaussian:sigma=0.5");
        let run = |threads| {
            let mut engine = CpuEngine::new(&network, &start, Some(threads)).unwrap();
            let (_, losses) = fit(&mut engine, &optimizer, 15);
            (losses, engine.parameters().unwrap())
        };
        assert!(run(1) == run(3), "{}", optimizer.name());
    }
}

/// With restored state and parameters, training continues bit for bit.
#[test]
fn a_restored_state_continues_bit_for_bit() {
    for optimizer in all() {
        let (network, start) = problem("gaussian:sigma=0.5");
        let mut batch = PointBatch::default();
        TestImage.push(Indices::Range(0..TestImage.count()), &mut batch);
        let begin = |parameters: &[f32]| {
            let engine = CpuEngine::new(&network, parameters, Some(2)).unwrap();
            (engine, optimizer.start(&network, 4, &backend(2)).unwrap())
        };
        let go = |engine: &mut CpuEngine, optimizer: &mut dyn Optimizer, step: u64| {
            batch.load(&network, engine).unwrap();
            let loss = engine.loss_and_gradient().unwrap();
            let at = StepContext { batch: &batch, loss, step, progress: step as f64 / 40.0 };
            optimizer.step(engine, &at).unwrap();
            loss
        };
        let (mut engine, mut one) = begin(&start);
        // Before the first step, after one, and between the updates of kfac.
        let mut step = 0;
        for pause in [0, 1, 13, 20] {
            while step < pause {
                go(&mut engine, &mut *one, step);
                step += 1;
            }
            let (mut other_engine, mut other) = begin(&engine.parameters().unwrap());
            other.restore(&mut other_engine, &one.save(&engine).unwrap(), step).unwrap();
            assert_eq!(other.save(&other_engine).unwrap(), one.save(&engine).unwrap());
            for _ in 0..7 {
                let expected = go(&mut engine, &mut *one, step);
                let seen = go(&mut other_engine, &mut *other, step);
                assert_eq!(seen, expected, "{} at {step} after {pause}", optimizer.name());
                step += 1;
            }
        }
        // Missing entries and wrong lengths are errors.
        let mut state = one.save(&engine).unwrap();
        let name = state.single.keys().next().unwrap().clone();
        state.single.insert(name.clone(), vec![0.0; 3]);
        let error = one.restore(&mut engine, &state, step).unwrap_err().to_string();
        assert!(error.contains(&name) && error.contains("3 numbers"), "{error}");
        assert!(one.restore(&mut engine, &OptimizerState::default(), step).is_err());
    }
}

/// K-FAC stops by itself once it can no longer reduce the loss.
#[test]
fn kfac_stops_when_the_loss_no_longer_falls() {
    let (network, start) = problem("sine:omega=1");
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let kfac = OptimizerSettings::Kfac(KfacSettings { factor_points: 576, model_points: 576 });
    let (outcome, losses) = fit(&mut engine, &kfac, 5_000);
    assert_eq!(outcome.stop, Stop::Converged);
    assert!(outcome.steps < 5_000 && outcome.best.unwrap().loss < 1e-2 * losses[0]);
}

#[test]
fn a_non_finite_initial_loss_is_reported() {
    for optimizer in all() {
        let (network, mut start) = problem("gaussian:sigma=0.5");
        start[3] = f32::NAN;
        let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
        let (outcome, _) = fit(&mut engine, &optimizer, 5);
        assert_eq!((outcome.stop, outcome.steps), (Stop::Diverged, 0), "{}", optimizer.name());
        assert!(outcome.best.is_none());
    }
}

/// The JSON form in model files and plans.
#[test]
fn settings_keep_their_form_in_json() {
    let forms = [
        r#"{"optimizer":"adam","learning_rate":0.003,"schedule":{"kind":"cosine"}}"#,
        r#"{"optimizer":"muon","learning_rate":0.005,"adam_learning_rate":0.001,"schedule":{"kind":"cosine"}}"#,
        r#"{"optimizer":"kfac","factor_points":200,"model_points":300}"#,
    ];
    for (settings, form) in all().into_iter().zip(forms) {
        assert_eq!(serde_json::to_string(&settings).unwrap(), form);
        assert_eq!(serde_json::from_str::<OptimizerSettings>(form).unwrap(), settings);
    }
    let schedule = r#"{"kind":"exponential","factor":0.5}"#;
    let parsed: Schedule = serde_json::from_str(schedule).unwrap();
    assert_eq!(parsed, Schedule::Exponential { factor: 0.5 });
    assert_eq!(serde_json::to_string(&parsed).unwrap(), schedule);
}

#[test]
fn names_and_rates_are_those_of_the_settings() {
    for (mut settings, name) in all().into_iter().zip(OptimizerName::ALL) {
        assert_eq!(settings.name(), *name);
        assert_eq!(name.as_str().parse(), Ok(*name));
        assert_eq!(serde_json::to_string(name).unwrap(), format!("\"{name}\""));
        let first = settings.learning_rate();
        assert_eq!(first.is_none(), *name == OptimizerName::Kfac);
        if let Some(rates) = settings.rates_mut() {
            *rates.learning_rate *= 2.0;
            assert_eq!(settings.learning_rate(), first.map(|rate| 2.0 * rate));
        }
    }
    let error = "sgd".parse::<OptimizerName>().unwrap_err().to_string();
    assert_eq!(error, "unknown optimizer 'sgd', expected one of adam, muon, kfac");
}
