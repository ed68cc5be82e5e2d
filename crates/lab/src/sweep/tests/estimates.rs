use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The weights of the network of [`SHORT`] for an image, 2-8-8-3 (three matrices).
const WEIGHTS: f64 = (2 * 8 + 8 * 8 + 8 * 3) as f64;

fn estimate(bench: &Bench) -> Estimate {
    bench.plan.estimate(&bench.store).unwrap()
}

#[test]
fn what_is_left_is_counted_once() {
    let file =
        format!("maximize = 'psnr'\n[settings]\n{SHORT}batch = 100\nsigma-p = [1, 2, 2.0]\n");
    let file = file.replace("steps = 20", "steps = 20\nactivation = 'tanh'");
    let Ok(table) = toml::from_str::<SweepFile>(&file) else { panic!() };
    // The list that gives a value twice is refused before.
    assert!(Plan::new(&table, Path::new("")).is_err());
    let mut bench = Bench::new(&file.replace(", 2.0", ""));
    let all = estimate(&bench);
    assert_eq!((all.trials, all.operations), (2, 2.0 * 6.0 * WEIGHTS * 100.0 * 20.0));
    assert!((all.seconds(1e-3) - all.operations / 1e6).abs() < 1e-9);
    bench.run(&Scripted::new(|_, _| report(1.0)), 1).unwrap();
    assert_eq!(estimate(&bench), Estimate::default());
}

/// Four configurations of 5 steps, of which two continue with 20 steps.
#[test]
fn halving_is_followed_to_its_end() {
    let file = format!(
        "maximize = 'psnr'\nstrategy = {{ kind = 'halving', rungs = [5], keep = 0.5 }}\n\
         [settings]\n{SHORT}batch = 100\nsigma-p = [1, 2, 3, 4]\nactivation = 'tanh'\n"
    );
    let mut bench = Bench::new(&file);
    let steps = |steps: f64| 6.0 * WEIGHTS * 100.0 * steps;
    let all = estimate(&bench);
    assert_eq!((all.trials, all.operations), (6, steps(4.0 * 5.0 + 2.0 * 20.0)));
    // After the first rung, the scores are known.
    let stop = AtomicBool::new(false);
    let runs = AtomicUsize::new(0);
    let executor = Scripted::new(|request, _| {
        if runs.fetch_add(1, Ordering::Relaxed) == 3 {
            stop.store(true, Ordering::Relaxed);
        }
        report(f64::from(u8::from(request.steps == Some(5))))
    });
    assert!(!bench.run_until(&executor, 1, &stop, &mut |_| {}).unwrap());
    let rest = estimate(&bench);
    assert_eq!((rest.trials, rest.operations), (2, steps(40.0)));
    // A sweep that goes on says so, and how much of it a trial is.
    let mut told = vec![];
    let Bench { plan, store, folders, .. } = &mut bench;
    let executor = Scripted::new(|_, _| report(1.0));
    let watch = &mut |event: Event<'_>| match event {
        Event::Planned { operations, .. } => told.push(operations),
        Event::Ended { trial, .. } => told.push(-plan.operations(trial).unwrap()),
        _ => {}
    };
    let stop = AtomicBool::new(false);
    assert!(run(plan, store, folders, &executor, Some(1), &stop, watch).unwrap());
    assert_eq!(told, [steps(40.0), -steps(20.0), -steps(20.0), 0.0]);
}

/// A case with a single configuration does not wait for the comparison of another.
#[test]
fn cases_are_halved_on_their_own() {
    let file = format!(
        "maximize = 'psnr'\nstrategy = {{ kind = 'halving', rungs = [5], keep = 0.5 }}\n\
         [settings]\n{SHORT}activation = 'tanh'\n\
         [[case]]\nname = 'searched'\nsigma-p = [1, 2]\n[[case]]\nname = 'fixed'\nsigma-p = 3\n"
    );
    let bench = Bench::new(&file);
    let first = bench.plan.first_scheduled().unwrap();
    let seen: Vec<_> = first.iter().map(|trial| (trial.case, trial.request().steps)).collect();
    assert_eq!(seen, [(0, Some(5)), (0, Some(5)), (1, Some(20))]);
    assert!(bench.plan.is_full_length(&first[2]) && !bench.plan.is_full_length(&first[0]));
}
