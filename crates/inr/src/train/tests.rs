use vi3nr::Network;
use vi3nr::rng::{Random, Stream};
use vi3nr_engine::{CpuEngine, ReferenceEngine};

use super::*;
use crate::optimiser::{AdamSettings, KfacSettings, Schedule};
use crate::points::{Drawn, PointBatch, Sampled};

fn settings(steps: u64) -> TrainSettings {
    let optimiser = adam(1e-2, Schedule::Cosine);
    TrainSettings { steps, batch: None, optimiser, target_psnr: None, time_limit: None }
}

fn adam(learning_rate: f64, schedule: Schedule) -> OptimiserSettings {
    OptimiserSettings::Adam(AdamSettings { learning_rate, schedule })
}

fn this_run() -> Run<'static> {
    Run { seed: 1, threads: Some(1), started: Instant::now(), from: None }
}

/// A curve, as 200 samples or wherever it is asked for.
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

    fn push(&self, index: usize, batch: &mut PointBatch) {
        Self::push_at(index as f32 / 99.5 - 1.0, batch);
    }
}

impl Drawn for Curve {
    fn usual_count(&self) -> usize {
        32
    }

    fn final_passes(&self) -> usize {
        64
    }

    fn draw(&self, seed: u64, step: u64, count: usize, batch: &mut PointBatch) {
        let random = Random::new(seed, Stream::SAMPLES, 0);
        for index in 0..count as u64 {
            let x = 2.0 * random.uniform(step.wrapping_mul(1000) + index) - 1.0;
            Self::push_at(x as f32, batch);
        }
    }
}

fn problem() -> (Network, Vec<f32>) {
    let network = Network::uniform(1, 24, 3, 1, "sine:omega=3".parse().unwrap()).unwrap();
    let rule = vi3nr::InitRule {
        scheme: vi3nr::Scheme::Siren { omega: 3.0 },
        weights: vi3nr::WeightShape::Uniform,
        biases: vi3nr::BiasRule::Zero,
        first_biases: vi3nr::BiasRule::Zero,
    };
    let start = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 1);
    (network, start)
}

fn run(settings: &TrainSettings) -> (Outcome, Vec<Progress>) {
    let (outcome, seen, _) = run_on(Points::Sampled(&Curve), settings);
    (outcome, seen)
}

fn run_on(points: Points<'_>, settings: &TrainSettings) -> (Outcome, Vec<Progress>, CpuEngine) {
    let (network, start) = problem();
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let mut seen = Vec::new();
    let mut watch = |progress: &Progress, _: &dyn Fn() -> TrainState| {
        seen.push(*progress);
        ControlFlow::Continue(())
    };
    let outcome = train(&mut engine, points, settings, this_run(), &mut watch).unwrap();
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

/// Points drawn anew at each step lead to the same curve; where they are judged they have not been.
#[test]
fn drawn_points_fit_it_too_and_repeat() {
    let points = Points::Drawn(&Curve);
    let (outcome, seen, mut engine) = run_on(points, &settings(700));
    assert_eq!(outcome.points_seen, 700 * 32);
    let best = outcome.best.unwrap();
    assert!(best.step % 100 == 99 && best.loss < 1e-4, "{} {}", best.step, best.loss);
    let check = points.check_points(1).check(&mut engine).unwrap();
    assert!(check.loss < 1e-4 && check.values.is_empty(), "{}", check.loss);
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
fn a_watcher_and_a_spent_time_limit_stop_the_run() {
    let (network, start) = problem();
    let mut engine = ReferenceEngine::new(&network, &start).unwrap();
    let mut watch = |progress: &Progress, _: &dyn Fn() -> TrainState| match progress.step {
        5 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let mut run = |settings: &TrainSettings| {
        train(&mut engine, Points::Sampled(&Curve), settings, this_run(), &mut watch).unwrap()
    };
    let outcome = run(&settings(300));
    assert_eq!((outcome.stop, outcome.steps), (Stop::Interrupted, 5));
    let limited = TrainSettings { time_limit: Some(Duration::ZERO), ..settings(300) };
    let outcome = run(&limited);
    // At a limit of nothing one step is still made: there must be something to keep.
    assert_eq!((outcome.stop, outcome.steps), (Stop::Time, 1));
}

#[test]
fn divergence_is_told_and_the_best_is_kept() {
    let (outcome, seen) =
        run(&TrainSettings { optimiser: adam(1e30, Schedule::Constant), ..settings(300) });
    let Stop::Diverged { step } = outcome.stop else { panic!("{:?}", outcome.stop) };
    assert_eq!(step, outcome.steps + 1);
    let best = outcome.best.unwrap();
    assert!(best.parameters.iter().all(|parameter| parameter.is_finite()));
    assert!(best.loss <= seen[0].loss);
}

/// A run that is cut after any step and goes on in another engine ends with the same bytes.
#[test]
fn a_run_goes_on_to_the_same_bytes() {
    let (network, start) = problem();
    let muon = crate::optimiser::MuonSettings::for_network(&network);
    let optimisers = [
        settings(60).optimiser,
        OptimiserSettings::Muon(muon),
        OptimiserSettings::Kfac(KfacSettings::for_points(200)),
    ];
    for optimiser in optimisers {
        for (points, batch) in [
            (Points::Sampled(&Curve), None),
            (Points::Sampled(&Curve), Some(32)),
            (Points::Drawn(&Curve), None),
        ] {
            if optimiser.needs_all_points()
                && (batch.is_some() || matches!(points, Points::Drawn(_)))
            {
                continue;
            }
            let settings = TrainSettings { batch, optimiser: optimiser.clone(), ..settings(60) };
            let mut states = Vec::new();
            let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
            let mut watch = |_: &Progress, state: &dyn Fn() -> TrainState| {
                states.push(state());
                ControlFlow::Continue(())
            };
            let whole = train(&mut engine, points, &settings, this_run(), &mut watch).unwrap();
            let mut expected = Vec::new();
            engine.copy_parameters(&mut expected);
            for state in states.iter().step_by(13) {
                let mut engine = CpuEngine::new(&network, &start, Some(2)).unwrap();
                let mut watch =
                    |_: &Progress, _: &dyn Fn() -> TrainState| ControlFlow::Continue(());
                let run = Run { from: Some(state), ..this_run() };
                let outcome = train(&mut engine, points, &settings, run, &mut watch).unwrap();
                let mut found = Vec::new();
                engine.copy_parameters(&mut found);
                assert!(found == expected, "{batch:?} {}", state.step);
                assert_eq!((outcome.best, outcome.steps), (whole.best.clone(), whole.steps));
                assert_eq!(outcome.points_seen, whole.points_seen);
            }
        }
    }
}

/// Parts of the points, or points drawn anew, are not enough for kfac.
#[test]
fn kfac_refuses_parts_of_a_signal() {
    let (network, start) = problem();
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let optimiser = OptimiserSettings::Kfac(KfacSettings::for_points(200));
    let settings = TrainSettings { optimiser, batch: Some(32), ..settings(5) };
    for points in [Points::Sampled(&Curve), Points::Drawn(&Curve)] {
        let mut watch = |_: &Progress, _: &dyn Fn() -> TrainState| ControlFlow::Continue(());
        let error = train(&mut engine, points, &settings, this_run(), &mut watch).unwrap_err();
        assert!(error.to_string().contains("kfac needs all points"), "{error}");
    }
}
