use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use vi3nr::Network;
use vi3nr::rng::{Random, Stream};
use vi3nr_engine::{Backend, Capabilities, CpuBackend, CpuEngine, Engine, ReferenceEngine};

use super::run_tests::With;
use super::*;
use crate::metrics::psnr_of_mse;
use crate::optimizer::{AdamSettings, KfacSettings, OptimizerName, Problem, Schedule};
use crate::points::{Draw, Drawn, Indices, PointBatch, Points, Sampled, Sampler};
use crate::supervision::Supervision;

pub(super) fn settings(steps: u64) -> TrainSettings {
    let optimizer = adam(1e-2, Schedule::Cosine);
    TrainSettings { steps, batch: None, optimizer, target_psnr: None, time_limit: None }
}

pub(super) fn adam(learning_rate: f64, schedule: Schedule) -> OptimizerSettings {
    OptimizerSettings::Adam(AdamSettings { learning_rate, schedule })
}

pub(super) fn backend() -> CpuBackend {
    CpuBackend::new(Some(1)).unwrap()
}

fn this_run(backend: &CpuBackend) -> RunContext<'_> {
    RunContext { seed: 1, backend, started: Instant::now() }
}

/// A curve, as 200 samples or at drawn points.
struct Curve;

impl Curve {
    fn push_at(x: f32, batch: &mut PointBatch) {
        batch.points.push(x);
        batch.targets.push((4.0 * x).sin() * x);
    }
}

impl Sampled for Curve {
    fn count(&self) -> usize {
        200
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        indices.for_each(|index| Self::push_at(index as f32 / 99.5 - 1.0, batch));
    }
}

impl Drawn for Curve {
    fn default_count(&self) -> usize {
        32
    }

    fn final_passes(&self) -> usize {
        64
    }

    fn sampler(&self, seed: u64, count: usize, _: &Supervision) -> Box<dyn Sampler + '_> {
        Box::new(CurveSampler { random: Random::new(seed, Stream::new(90), 0), count })
    }
}

/// Draws points of the curve from the random numbers of the step.
struct CurveSampler {
    random: Random,
    count: usize,
}

impl Sampler for CurveSampler {
    fn draw(&mut self, draw: Draw, batch: &mut PointBatch) {
        let step = match draw {
            Draw::Step(step) => step,
            Draw::Check => u64::MAX,
        };
        for index in 0..self.count as u64 {
            let x = 2.0 * self.random.uniform(step.wrapping_mul(1000).wrapping_add(index)) - 1.0;
            Curve::push_at(x as f32, batch);
        }
    }
}

pub(super) fn sampled() -> Points<'static> {
    Points::Sampled(Arc::new(Curve))
}

/// Trains `engine`, from `state` if given, until training ends or `watch` interrupts it.
fn train<'a>(
    engine: &'a mut dyn Engine,
    points: Points<'a>,
    settings: &TrainSettings,
    context: RunContext<'a>,
    state: Option<&TrainState>,
    mut watch: impl FnMut(&Progress, &Trainer<'_>) -> ControlFlow<()>,
) -> Result<TrainOutcome, TrainError> {
    let mut trainer = Trainer::new(Box::new(engine), points, settings.clone(), context)?;
    if let Some(state) = state {
        trainer.restore(state)?;
    }
    while let Some(progress) = trainer.step()? {
        if watch(&progress, &trainer).is_break() {
            trainer.interrupt();
        }
    }
    Ok(trainer.finish().1)
}

/// A callback that does not interrupt training.
fn uninterrupted(_: &Progress, _: &Trainer<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(super) fn problem() -> (Network, Vec<f32>) {
    let network = Network::uniform(1, 24, 3, 1, "sine:omega=3".parse().unwrap()).unwrap();
    let rule = vi3nr::InitRule::new(vi3nr::Scheme::Siren { omega: 3.0 });
    let start = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 1);
    (network, start)
}

fn run(settings: &TrainSettings) -> (TrainOutcome, Vec<Progress>) {
    let (outcome, seen, _) = run_on(sampled(), settings);
    (outcome, seen)
}

fn run_on(
    points: Points<'_>,
    settings: &TrainSettings,
) -> (TrainOutcome, Vec<Progress>, CpuEngine) {
    let (network, start) = problem();
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let mut seen = Vec::new();
    let watch = |progress: &Progress, _: &Trainer<'_>| {
        seen.push(*progress);
        ControlFlow::Continue(())
    };
    let outcome = train(&mut engine, points, settings, this_run(&backend()), None, watch).unwrap();
    (outcome, seen, engine)
}

#[test]
fn full_batches_fit_a_curve_and_keep_the_best() {
    let (outcome, seen) = run(&settings(300));
    assert_eq!((outcome.stop, outcome.steps, seen.len()), (Stop::Steps, 300, 300));
    let best = outcome.best.unwrap();
    let smallest = seen.iter().map(|progress| progress.loss).fold(f64::INFINITY, f64::min);
    assert_eq!(best.loss, smallest);
    assert_eq!(seen[best.step as usize].loss, smallest);
    assert!(smallest < 1e-4, "{smallest}");
    assert_eq!(outcome.points_seen, 300 * 200);
}

#[test]
fn mini_batches_fit_it_too() {
    let (outcome, seen) = run(&TrainSettings { batch: Some(32), ..settings(700) });
    // 200 = 6·32 + 8: an epoch has seven steps, the last of them small.
    assert_eq!(outcome.points_seen, 100 * 200);
    assert!(outcome.best.unwrap().loss < 1e-4, "{}", seen.last().unwrap().loss);
}

/// Points drawn anew at each step fit the same curve, also at points that were not trained on.
#[test]
fn drawn_points_fit_it_too_and_repeat() {
    let points = Points::Drawn(&Curve, &Supervision::Values);
    let (outcome, seen, mut engine) = run_on(points.clone(), &settings(700));
    assert_eq!(outcome.points_seen, 700 * 32);
    let best = outcome.best.unwrap();
    assert!(best.step % 100 == 99 && best.loss < 1e-4, "{} {}", best.step, best.loss);
    let found = points.eval_points(1).evaluate(&mut engine).unwrap();
    assert!(found.loss < 1e-4 && found.values.is_empty(), "{}", found.loss);
    let again = run_on(points, &settings(700)).1;
    assert!(seen.iter().zip(&again).all(|(a, b)| a.loss == b.loss));
    assert!(seen.windows(2).all(|pair| pair[0].loss != pair[1].loss));
}

#[test]
fn a_target_stops_the_run_at_its_first_crossing() {
    let (outcome, seen) = run(&TrainSettings { target_psnr: Some(30.0), ..settings(300) });
    assert_eq!(outcome.stop, Stop::Target);
    assert!(outcome.steps < 300);
    let best = outcome.best.unwrap();
    assert!(psnr_of_mse(best.loss) >= 30.0);
    assert_eq!(best.step, outcome.steps);
    assert!(seen.iter().all(|progress| psnr_of_mse(progress.loss) < 30.0));
}

#[test]
fn a_callback_and_a_time_limit_stop_the_run() {
    let (network, start) = problem();
    let mut engine = ReferenceEngine::new(&network, &start).unwrap();
    let watch = |progress: &Progress, _: &Trainer<'_>| match progress.step {
        5 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let mut run = |settings: &TrainSettings| {
        train(&mut engine, sampled(), settings, this_run(&backend()), None, watch).unwrap()
    };
    let outcome = run(&settings(300));
    assert_eq!((outcome.stop, outcome.steps), (Stop::Interrupted, 5));
    let limited = TrainSettings { time_limit: Some(Duration::ZERO), ..settings(300) };
    let outcome = run(&limited);
    // One step is taken even with a time limit of zero, so that there is a result.
    assert_eq!((outcome.stop, outcome.steps), (Stop::Time, 1));
}

#[test]
fn divergence_is_reported_and_the_best_parameters_are_kept() {
    let (outcome, seen) =
        run(&TrainSettings { optimizer: adam(1e30, Schedule::Constant), ..settings(300) });
    assert_eq!((outcome.stop, outcome.steps), (Stop::Diverged, seen.len() as u64));
    let best = outcome.best.unwrap();
    assert!(best.parameters.iter().all(|parameter| parameter.is_finite()));
    assert!(best.loss <= seen[0].loss);
}

/// A run that is interrupted after any step and resumed in another engine ends with the same bytes.
#[test]
fn a_resumed_run_ends_with_the_same_bytes() {
    let (network, start) = problem();
    let muon = crate::optimizer::MuonSettings::for_network(&network);
    let optimizers = [
        settings(60).optimizer,
        OptimizerSettings::Muon(muon),
        OptimizerSettings::Kfac(KfacSettings::for_points(200)),
    ];
    for optimizer in optimizers {
        for (points, batch) in [
            (sampled(), None),
            (sampled(), Some(32)),
            (Points::Drawn(&Curve, &Supervision::Values), None),
        ] {
            if optimizer.needs_all_points()
                && (batch.is_some() || matches!(points, Points::Drawn(..)))
            {
                continue;
            }
            let settings = TrainSettings { batch, optimizer: optimizer.clone(), ..settings(60) };
            let mut states = Vec::new();
            let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
            let watch = |_: &Progress, trainer: &Trainer<'_>| {
                states.push(trainer.state().unwrap());
                ControlFlow::Continue(())
            };
            let backend = backend();
            let run = this_run(&backend);
            let whole = train(&mut engine, points.clone(), &settings, run, None, watch).unwrap();
            let expected = engine.parameters().unwrap();
            for state in states.iter().step_by(13) {
                let mut engine = CpuEngine::new(&network, &start, Some(2)).unwrap();
                let points = points.clone();
                let outcome =
                    train(&mut engine, points, &settings, run, Some(state), uninterrupted).unwrap();
                assert!(engine.parameters().unwrap() == expected, "{batch:?} {}", state.step);
                assert_eq!((outcome.best, outcome.steps), (whole.best.clone(), whole.steps));
                assert_eq!(outcome.points_seen, whole.points_seen);
            }
        }
    }
}

/// K-FAC supports neither mini-batches nor drawn points.
#[test]
fn kfac_rejects_mini_batches() {
    let (network, start) = problem();
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let optimizer = OptimizerSettings::Kfac(KfacSettings::for_points(200));
    let settings = TrainSettings { optimizer, batch: Some(32), ..settings(5) };
    for points in [sampled(), Points::Drawn(&Curve, &Supervision::Values)] {
        let error =
            train(&mut engine, points, &settings, this_run(&backend()), None, uninterrupted)
                .unwrap_err();
        assert!(error.to_string().contains("kfac needs all points"), "{error}");
    }
}

/// K-FAC on a backend that does not support curvature.
#[test]
fn kfac_rejects_a_backend_without_curvature() {
    let (network, start) = problem();
    let backend = With(backend(), Capabilities::default());
    let mut engine = backend.engine(&network, &start).unwrap();
    let run = RunContext { seed: 1, backend: &backend, started: Instant::now() };
    let optimizer = OptimizerSettings::Kfac(KfacSettings::for_points(200));
    let settings = TrainSettings { optimizer, ..settings(5) };
    let error = train(&mut *engine, sampled(), &settings, run, None, uninterrupted).unwrap_err();
    let TrainError::Engine(EngineError::Unsupported { backend, missing }) = error else {
        panic!("{error}")
    };
    assert_eq!(backend, "other");
    assert!(missing.contains("curvature"), "{missing}");
}

/// JSON has the names of `Stop::as_str`.
#[test]
fn reasons_to_stop_have_one_form() {
    for stop in
        [Stop::Steps, Stop::Target, Stop::Time, Stop::Converged, Stop::Interrupted, Stop::Diverged]
    {
        let text = serde_json::to_string(&stop).unwrap();
        assert_eq!(text, format!("\"{stop}\""));
        assert_eq!(serde_json::from_str::<Stop>(&text).unwrap(), stop);
    }
}

/// A state from a damaged checkpoint is refused by the name of the field, without an overflow or a
/// division by zero in the steps that follow.
#[test]
fn impossible_numbers_of_a_state_are_refused_by_name() {
    let seen = sampled().default_count();
    for name in OptimizerName::ALL {
        let (network, start) = problem();
        let backend = backend();
        let adam = AdamSettings { learning_rate: 1e-3, schedule: Schedule::Constant };
        let points = seen;
        let optimizer = name.suited_to(&Problem { network: &network, points, adam });
        let settings = TrainSettings {
            steps: 5,
            batch: None,
            optimizer,
            target_psnr: None,
            time_limit: Some(Duration::from_secs(3600)),
        };
        let trainer = || {
            let engine = backend.engine(&network, &start).unwrap();
            Trainer::new(engine, sampled(), settings.clone(), this_run(&backend)).unwrap()
        };
        let mut first = trainer();
        first.step().unwrap();
        first.step().unwrap();
        let good = first.state().unwrap();
        trainer().restore(&good).unwrap();
        type Change = fn(&mut TrainState, u64);
        let changes: [(&str, Change); 4] = [
            ("step", |state, value| state.step = value),
            ("points_seen", |state, value| state.points_seen = value),
            ("epoch.count", |state, value| state.epoch.count = value as usize),
            ("best.step", |state, value| state.best.as_mut().unwrap().step = value),
        ];
        let mut cases = Vec::new();
        for (field, change) in changes {
            for value in [0, u64::MAX, u64::MAX - 1, 1 << 63] {
                let mut state = good.clone();
                change(&mut state, value);
                cases.push((field.to_owned(), value, state));
            }
        }
        for field in good.optimizer.counters.keys() {
            for value in [0, u64::MAX, u64::MAX - 1, 1 << 63] {
                let mut state = good.clone();
                state.optimizer.counters.insert(field.clone(), value);
                cases.push((field.clone(), value, state));
            }
        }
        for (field, value, state) in cases {
            let mut trainer = trainer();
            match trainer.restore(&state) {
                Ok(()) => {
                    assert_eq!(value, 0, "{name}: {field} = {value} was accepted");
                    assert_ne!(field, "points_seen");
                    while trainer.step().unwrap().is_some() {}
                }
                Err(error) => {
                    let text = error.to_string();
                    // A step that is not the others' is seen in them.
                    assert!(text.contains(&field) || field == "step", "{name}: {field}: {text}");
                    assert!(text.contains("expected"), "{text}");
                }
            }
        }
        let mut infinite = good.clone();
        infinite.operations = f64::INFINITY;
        assert!(trainer().restore(&infinite).unwrap_err().to_string().contains("operations"));
    }
}
