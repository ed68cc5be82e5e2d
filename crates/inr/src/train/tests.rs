use vi3nr::Network;
use vi3nr_engine::{CpuEngine, ReferenceEngine};

use super::*;

fn settings(steps: u64) -> TrainSettings {
    TrainSettings {
        steps,
        batch: None,
        learning_rate: 1e-2,
        schedule: Schedule::Cosine,
        target_psnr: None,
        time_limit: None,
        adam: Adam::default(),
    }
}

fn problem() -> (Network, Vec<f32>, Vec<f32>, Vec<f32>) {
    let network = Network::uniform(1, 24, 3, 1, "sine:omega=3".parse().unwrap()).unwrap();
    let rule = vi3nr::InitRule {
        scheme: vi3nr::Scheme::Siren { omega: 3.0 },
        weights: vi3nr::WeightShape::Uniform,
        biases: vi3nr::BiasRule::Zero,
    };
    let start = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 1);
    let points: Vec<f32> = (0..200).map(|i| i as f32 / 99.5 - 1.0).collect();
    let targets = points.iter().map(|x| (4.0 * x).sin() * x).collect();
    (network, start, points, targets)
}

fn run(settings: &TrainSettings) -> (Outcome, Vec<Progress>) {
    let (network, start, points, targets) = problem();
    let mut engine = CpuEngine::new(&network, &start, Some(1)).unwrap();
    let mut seen = Vec::new();
    let mut watch = |progress: &Progress| {
        seen.push(*progress);
        ControlFlow::Continue(())
    };
    let outcome =
        train(&mut engine, &points, &targets, settings, 1, Instant::now(), &mut watch).unwrap();
    (outcome, seen)
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
    let (network, start, points, targets) = problem();
    let mut engine = ReferenceEngine::new(&network, &start).unwrap();
    let mut watch = |progress: &Progress| match progress.step {
        5 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let mut run = |settings: &TrainSettings| {
        train(&mut engine, &points, &targets, settings, 1, Instant::now(), &mut watch).unwrap()
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
        run(&TrainSettings { learning_rate: 1e30, schedule: Schedule::Constant, ..settings(300) });
    let Stop::Diverged { step } = outcome.stop else { panic!("{:?}", outcome.stop) };
    assert_eq!(step, outcome.steps + 1);
    let best = outcome.best.unwrap();
    assert!(best.parameters.iter().all(|parameter| parameter.is_finite()));
    assert!(best.loss <= seen[0].loss);
}
