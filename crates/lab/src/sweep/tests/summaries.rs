//! Labels, summaries and tables of sweeps with scripted results.

use super::*;

#[test]
fn configurations_are_sorted_by_their_mean_scores() {
    let mut bench =
        Bench::new("minimize = 'loss'\n[settings]\nlr = [1e-4, 1e-3, 1e-2]\nseed = [0, 1]");
    let script = |request: &FitRequest, _| match (request.lr, request.seed) {
        (Some(1e-4), Some(seed)) => Outcome::Report(json!({"loss": 2 * seed})),
        (Some(1e-3), Some(0)) => Outcome::Report(json!({"loss": 0.5, "stopped": "diverged"})),
        (Some(1e-3), _) => Outcome::Failed("out of memory".into()),
        // A result without the metric is a failure.
        _ => Outcome::Report(json!({"psnr": 30.0})),
    };
    assert!(bench.run(&Scripted::new(script), 2).unwrap());
    let summary = Summary::new(&bench.plan, &bench.store).unwrap();
    let labels: Vec<&str> = summary.entries.iter().map(|entry| entry.label.as_str()).collect();
    assert_eq!(labels, ["lr=0.001", "lr=0.0001", "lr=0.01"]);
    let numbers: Vec<(f64, f64, usize, usize)> = summary
        .entries
        .iter()
        .map(|entry| (entry.mean(), entry.sd(), entry.diverged(), entry.failed))
        .collect();
    assert_eq!(numbers[0], (0.5, 0.0, 1, 1));
    assert_eq!(numbers[1], (1.0, 2f64.sqrt(), 0, 0));
    assert!(numbers[2].0.is_nan() && numbers[2].3 == 2, "{numbers:?}");
    let counts = Counts { done: 3, diverged: 1, failed: 3, pending: 0 };
    assert_eq!(summary.counts(), counts);

    let text = summary.to_text("", 2);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "3 trials done (1 diverged), 3 failed, 0 pending");
    let cells = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
    assert_eq!(cells(1), ["configuration", "loss", "sd", "n"]);
    assert_eq!(cells(2), ["lr=0.001", "0.500", "-", "1", "1", "diverged", "1", "failed"]);
    assert_eq!(cells(3), ["lr=0.0001", "1.000", "1.414", "2"]);
    assert_eq!(lines[4], "and 1 more");
}

#[test]
fn pending_trials_are_counted() {
    let bench = Bench::new("maximize = 'psnr'\n[settings]\nseed = [0, 1, 2]");
    let summary = Summary::new(&bench.plan, &bench.store).unwrap();
    assert_eq!(summary.counts(), Counts { pending: 3, ..Counts::default() });
    assert!(summary.entries[0].mean().is_nan());
    assert!(summary.to_text("", 1).contains("(the only configuration)"));
}

#[test]
fn labels_name_the_case_and_what_varies() {
    let bench = Bench::new(
        "maximize = 'psnr'\n[settings]\nseed = [0, 1]\nwidth = 8\nlr = [1e-3, 1e-2]\n\
         [[case]]\nname = 'sine'\nactivation = 'sine'\nlr = []\n\
         [[case]]\nname = 'relu'\nactivation = 'relu'",
    );
    let trials = bench.plan.trials();
    assert_eq!(trials.len(), 2 + 4);
    let labels = |index: usize| {
        let trial = &trials[index];
        (bench.plan.label(trial), bench.plan.full_label(trial))
    };
    assert_eq!(labels(1), ("sine".into(), "sine seed=1".into()));
    assert_eq!(labels(2), ("relu: lr=0.001".into(), "relu: lr=0.001 seed=0".into()));
    // Trials with the same file and seed are compared, whatever their configuration.
    assert_eq!(trials[0].replicate(), trials[2].replicate());
    assert_ne!(trials[0].replicate(), trials[1].replicate());
    assert_eq!(trials[2].configuration(&[]), trials[3].configuration(&[]));
    assert_ne!(trials[2].configuration(&[]), trials[4].configuration(&[]));
    assert_eq!(trials[2].configuration(&["lr"]), trials[4].configuration(&["lr"]));
}

#[test]
fn cells_of_the_table_are_quoted() {
    let mut bench = Bench::new("maximize = 'psnr'\n[settings]\nseed = 0");
    let script = |_: &FitRequest, _| Outcome::Failed("a \"quoted\", long\nmessage".into());
    assert!(bench.run(&Scripted::new(script), 1).unwrap());
    let paths = SweepPaths::of(&bench.folder.path().join("s.toml"), None);
    let csv = bench.plan.to_csv(&bench.store, &paths).unwrap();
    assert!(csv.ends_with(",\"a \"\"quoted\"\", long\nmessage\"\n"), "{csv}");
}

#[test]
fn both_spellings_of_the_metric_are_read() {
    for (old, new) in [("maximise", "maximize"), ("minimise", "minimize")] {
        let read = |word: &str| -> SweepFile {
            toml::from_str(&format!("{word} = 'psnr'\n[settings]\nseed = [0, 1]")).unwrap()
        };
        assert_eq!(read(old), read(new));
    }
    // Both spellings of one word contradict each other.
    assert!(toml::from_str::<SweepFile>("maximise = 'psnr'\nmaximize = 'psnr'").is_err());
}

#[test]
fn strategies_that_do_not_fit_the_settings_are_rejected() {
    let halving = "kind = 'halving', rungs = [10, 20], keep = 0.5";
    for (strategy, settings, part) in [
        ("kind = 'halving', rungs = [10], keep = 0", "steps = 30", "between 0 and 1"),
        ("kind = 'halving', rungs = [10], keep = 1.5", "steps = 30", "between 0 and 1"),
        ("kind = 'halving', rungs = [], keep = 0.5", "steps = 30", "increasing"),
        ("kind = 'halving', rungs = [20, 10], keep = 0.5", "steps = 30", "increasing"),
        ("kind = 'halving', rungs = [0, 10], keep = 0.5", "steps = 30", "increasing"),
        (halving, "steps = 20", "larger than those of its rungs"),
        (halving, "steps = [30, 40]", "larger than those of its rungs"),
        (halving, "seed = 0", "larger than those of its rungs"),
        ("kind = 'line-search', factor = 1", "seed = 0", "a factor above 1"),
        ("kind = 'line-search', refinements = 11", "seed = 0", "at most 10 refinements"),
        ("kind = 'line-search'", "sigma_p = [0.1, 0.2]", "a single starting value"),
    ] {
        let toml =
            format!("maximize = 'psnr'\nstrategy = {{ {strategy} }}\n[settings]\n{settings}");
        let error = Plan::new(&toml::from_str(&toml).unwrap(), Path::new("")).unwrap_err();
        assert!(error.to_string().contains(part), "{strategy}, {settings}: {error}");
    }
}
