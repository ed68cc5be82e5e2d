//! Strategies and figures with known results.

use serde_json::Value as Json;
use vi3nr_inr::chart::Scale;

use super::*;

#[test]
fn maps_have_the_numbers_of_the_plans() {
    let mut bench = Bench::new(
        "title = 'grid'\nmaximise = 'psnr'\n[settings]\nseed = [0, 1]\n\
         activation = { format = 'gaussian:sigma={}', values = [0.05, 0.1] }\n\
         sigma-p = { format = '{}*auto', values = [0.5, 1, 2] }",
    );
    let score = |request: &FitRequest, _| {
        report(f64::from(u8::from(request.sigma_p.unwrap().to_string() == "2*auto")))
    };
    assert!(bench.run(&Scripted::new(score), 1).unwrap());
    let figures = figures(&bench.plan, &bench.store).unwrap();
    let [(name, Figure::Map(map))] = &figures[..] else { panic!("{figures:?}") };
    assert_eq!((name.as_str(), map.title.as_str()), ("scores", "grid"));
    assert_eq!(map.columns, [0.05, 0.1]);
    // Half, once and twice the roots 0.0776887 and 0.155377: two of the six coincide.
    assert_eq!(map.rows, [0.0388443, 0.0776887, 0.155377, 0.310755]);
    let values = [map.value(0, 2), map.value(1, 3), map.value(1, 1)];
    assert_eq!(values, [Some(1.0), Some(1.0), Some(0.0)]);
    // Not part of the sweep, so a neighbor is drawn there and not a hole.
    assert_eq!(map.value(0, 3), None);
    assert_eq!(map.line.points.len(), 2);
    assert!((map.line.points[1].1 - 0.0776887).abs() < 1e-6, "{:?}", map.line.points);

    let mut bench = Bench::new("minimize = 'loss'\n[settings]\nlr = [1e-4, 1e-3, 1e-2]");
    let loss = |request: &FitRequest, _| Outcome::Report(json!({"loss": request.lr}));
    assert!(bench.run(&Scripted::new(loss), 1).unwrap());
    let figures = super::figures(&bench.plan, &bench.store).unwrap();
    let [(_, Figure::Chart(chart))] = &figures[..] else { panic!("{figures:?}") };
    assert_eq!(chart.panels[0].curves[0].points, [(1e-4, 1e-4), (1e-3, 1e-3), (1e-2, 1e-2)]);
    let best = &Summary::new(&bench.plan, &bench.store).unwrap().entries[0];
    assert_eq!(best.label, "lr=0.0001");
}

#[test]
fn halving_continues_with_the_best() {
    let mut bench = Bench::new(
        "maximize = 'psnr'\nstrategy = { kind = 'halving', rungs = [2, 5], keep = 0.5 }\n\
         [settings]\nsteps = 20\nlr = [1e-6, 1e-5, 1e-3, 3e-3]",
    );
    let score =
        |request: &FitRequest, _| report(request.lr.unwrap() * request.steps.unwrap() as f64);
    let executor = Scripted::new(score);
    assert!(bench.run(&executor, 2).unwrap());
    assert_eq!(executor.total(), 4 + 2 + 1);
    let summary = Summary::new(&bench.plan, &bench.store).unwrap();
    let entry = |index: usize| {
        let trial = &summary.entries[index].trials[0];
        (trial.get("steps").unwrap().text.clone(), trial.get("lr").unwrap().text.clone())
    };
    assert_eq!(entry(0), ("20".into(), "0.003".into()));
    assert_eq!(entry(1), ("5".into(), "0.003".into()));
    assert_eq!(entry(2), ("5".into(), "0.001".into()));

    // A curve for each rung.
    let figures = figures(&bench.plan, &bench.store).unwrap();
    let [(_, Figure::Chart(chart))] = &figures[..] else { panic!("{figures:?}") };
    let curves: Vec<(&str, usize)> = chart.panels[0]
        .curves
        .iter()
        .map(|curve| (curve.label.as_str(), curve.points.len()))
        .collect();
    assert_eq!(curves, [("2 steps", 4), ("5 steps", 2), ("20 steps", 1)]);
}

#[test]
fn a_map_of_a_halving_shows_its_first_rung() {
    let mut bench = Bench::new(
        "title = 't'\nmaximize = 'psnr'\nstrategy = { kind = 'halving', rungs = [2], keep = 0.1 }\n\
         [settings]\nsteps = 20\nlr = [1e-4, 1e-3, 1e-2]\nwidth = [8, 16]",
    );
    let score = |request: &FitRequest, _| match request.lr {
        Some(1e-2) => Outcome::Failed("no result".into()),
        _ => report(request.width.unwrap() as f64 * request.steps.unwrap() as f64),
    };
    assert!(bench.run(&Scripted::new(score), 1).unwrap());
    let figures = figures(&bench.plan, &bench.store).unwrap();
    let [(_, Figure::Map(map))] = &figures[..] else { panic!("{figures:?}") };
    assert_eq!(map.title, "t (after 2 steps)");
    assert_eq!(
        (map.columns.as_slice(), map.rows.as_slice()),
        (&[1e-4, 1e-3, 1e-2][..], &[8.0, 16.0][..])
    );
    assert_eq!((map.value(0, 0), map.value(1, 1)), (Some(16.0), Some(32.0)));
    // Failed trials belong to the sweep and leave a gap.
    assert!(map.value(2, 0).unwrap().is_nan());
    assert_eq!((map.x_scale, map.y_scale), (Scale::Log, Scale::Linear));
}

#[test]
fn a_line_search_finds_the_best_sigma_p() {
    for (start, expected) in
        [("", [0.155377, 0.310755]), ("sigma_p = '4*auto'", [0.155377, 0.310755])]
    {
        let mut bench = Bench::new(&format!(
            "maximize = 'psnr'\nstrategy = {{ kind = 'line-search', refinements = 0 }}\n\
             [settings]\nactivation = 'gaussian:sigma=0.05'\n{start}"
        ));
        let score = |request: &FitRequest, _| {
            let sigma_p: f64 = request.sigma_p.unwrap().to_string().parse().unwrap();
            report(-(sigma_p.ln() - 0.17f64.ln()).abs())
        };
        assert!(bench.run(&Scripted::new(score), 2).unwrap());
        let summary = Summary::new(&bench.plan, &bench.store).unwrap();
        let seen: Vec<f64> = summary
            .entries
            .iter()
            .map(|entry| entry.trials[0].get("sigma_p").unwrap().number.unwrap())
            .collect();
        assert_eq!(seen[0], expected[0], "{seen:?}");
        assert!(seen.contains(&expected[1]), "{seen:?}");
    }
}

#[test]
fn a_trial_is_displayed_as_its_request() {
    let bench = Bench::new("maximize = 'psnr'\n[settings]\nsigma-p = 1\nsteps = 1e3\ngray = true");
    let trial = &bench.plan.trials()[0];
    assert_eq!(trial.to_string(), "gray=true sigma_p=1 steps=1000");
    assert_eq!(Json::Object(trial.request().settings())["steps"], 1000);
}
