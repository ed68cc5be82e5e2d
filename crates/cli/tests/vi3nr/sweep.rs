//! `sweep`: what is run, what is kept, what a killed one loses.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{error, json, texts, vi3nr};

/// Settings that make a fit short.
const SHORT: &str = "optimizer = 'adam'\nwidth = 8\nlayers = 3\nsteps = 20\n";

fn write(folder: &Path, text: &str) {
    fs::write(folder.join("s.toml"), text).unwrap();
}

/// A small grid of Gaussian networks on the test image: 2 parameters, 3 sigma_p, 2 seeds.
fn grid(folder: &Path) {
    write(
        folder,
        &format!(
            "title = 'grid'\nmaximise = 'psnr'\n[settings]\n{SHORT}seed = [0, 1]\n\
             activation = {{ format = 'gaussian:sigma={{}}', values = [0.05, 0.1] }}\n\
             sigma-p = {{ format = '{{}}*auto', values = [0.5, 1, 2] }}\n"
        ),
    );
}

#[test]
fn a_grid_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    grid(folder.path());
    let planned = json(folder.path(), &["sweep", "s.toml", "--dry-run", "--json"]);
    assert_eq!(planned["trials"].as_array().unwrap().len(), 12);
    assert!(!folder.path().join("s.sqlite").exists());
    let (text, _) = texts(&vi3nr(folder.path(), &["sweep", "s.toml", "--dry-run"]));
    // The root for sigma 0.05 is 0.0776887.
    assert!(
        text.starts_with(
            "activation=gaussian:sigma=0.05 layers=3 optimizer=adam seed=0 sigma_p=0.5*auto steps=20 \
             width=8\n"
        ),
        "{text}"
    );
    let scheme = planned["trials"][0]["plan"]["init"]["scheme"].as_str().unwrap();
    assert!(scheme.starts_with("ours:sigma_p=0.038844"), "{scheme}");

    let report = json(folder.path(), &["sweep", "s.toml", "--jobs", "3", "--json"]);
    assert_eq!(
        (&report["done"], &report["failed"], &report["open"]),
        (&12.into(), &0.into(), &0.into())
    );
    let best = &report["configurations"][0];
    assert_eq!(best["scores"].as_array().unwrap().len(), 2);

    // A trial is its request: run by hand it gives the same model.
    let request = planned["trials"][0]["request"].to_string();
    fs::write(folder.path().join("by-hand.json"), request).unwrap();
    json(folder.path(), &["fit", "--request", "by-hand.json", "--out", "by-hand", "--json"]);
    let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("by-hand") == model("s.trials/00001"));

    // Nothing is left to do.
    let before = fs::metadata(folder.path().join("s.trials/00001/run.json")).unwrap();
    assert_eq!(json(folder.path(), &["sweep", "s.toml", "--json"]), report);
    let after = fs::metadata(folder.path().join("s.trials/00001/run.json")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());

    let report = json(folder.path(), &["sweep", "report", "s.toml", "--json"]);
    let files: Vec<_> =
        report["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    assert_eq!(files, ["s.report/trials.csv", "s.report/scores.svg", "s.report/scores.png"]);
    let rows = fs::read_to_string(folder.path().join("s.report/trials.csv")).unwrap();
    assert_eq!(rows.lines().count(), 13);
    assert!(rows.starts_with(
        "id,state,case,request.activation,request.layers,request.optimizer,request.seed,\
         request.sigma_p,request.steps,request.width,plan.sigma_p,"
    ));
    let map = fs::read_to_string(folder.path().join("s.report/scores.svg")).unwrap();
    assert!(map.contains("Eq. (13)") && map.contains("psnr"));
    let (text, _) = texts(&vi3nr(folder.path(), &["sweep", "report", "s.toml", "--best", "2"]));
    assert!(text.contains("12 trials done, 0 failed, 0 pending") && text.contains("and 4 more"));
}

#[test]
fn cases_have_settings_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let both = "[[case]]\nname = 'sine'\nsigma-p = []\n\
                [[case]]\nname = 'other'\nactivation = 'relu'\nsteps = 3\n";
    write(
        folder.path(),
        &format!("maximise = 'psnr'\n[settings]\n{SHORT}activation = 'sine'\nsigma-p = 1\n{both}"),
    );
    let (text, _) = texts(&vi3nr(folder.path(), &["sweep", "s.toml", "--dry-run"]));
    assert_eq!(
        text,
        "activation=sine:omega=30 layers=3 optimizer=adam steps=20 width=8\n\
         activation=relu layers=3 optimizer=adam sigma_p=1 steps=3 width=8\n"
    );
}

/// The same settings in two cases are one trial; a value that is given twice in a list is refused.
#[test]
fn what_is_listed_twice_is_run_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &format!("maximise = 'psnr'\n[settings]\n{SHORT}seed = [0, 0]\n"));
    let message = error(folder.path(), 2, &["sweep", "s.toml"]);
    assert!(message.contains("setting 'seed': 0 is given twice"), "{message}");
    let cases = "[[case]]\nname = 'a'\n[[case]]\nname = 'b'\nseed = [0, 1]\n";
    write(folder.path(), &format!("maximise = 'psnr'\n[settings]\n{SHORT}seed = 0\n{cases}"));
    let report = json(folder.path(), &["sweep", "s.toml", "--json"]);
    assert_eq!((&report["done"], &report["open"]), (&3.into(), &0.into()));
    assert_eq!(fs::read_dir(folder.path().join("s.trials")).unwrap().count(), 3, "and the lock");
}

#[test]
fn halving_drops_the_worse_early() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "maximise = 'psnr'\nstrategy = { kind = 'halving', rungs = [2, 5], keep = 0.5 }\n\
         [settings]\nwidth = 8\nlayers = 3\nsteps = 20\nlr = [1e-6, 1e-5, 1e-3, 3e-3]\n",
    );
    let report = json(folder.path(), &["sweep", "s.toml", "--json"]);
    // Four with 2 steps, two with 5, one with 20.
    assert_eq!(report["done"], 7);
    let best = &report["configurations"][0]["settings"];
    assert_eq!((&best["steps"], &best["lr"]), (&"20".into(), &"0.003".into()));
    let steps = |index: usize| &report["configurations"][index]["settings"]["steps"];
    assert_eq!((steps(1), steps(2), steps(3)), (&"5".into(), &"5".into(), &"2".into()));
}

#[test]
fn a_line_search_begins_at_the_theory() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &format!(
            "minimise = 'loss'\nstrategy = {{ kind = 'line-search', refinements = 0 }}\n\
             [settings]\n{SHORT}activation = 'gaussian:sigma=0.05'\n"
        ),
    );
    let report = json(folder.path(), &["sweep", "s.toml", "--json"]);
    let mut sigmas: Vec<f64> = Vec::new();
    let mut losses: Vec<f64> = Vec::new();
    for entry in report["configurations"].as_array().unwrap() {
        sigmas.push(entry["settings"]["sigma_p"].as_str().unwrap().parse().unwrap());
        losses.push(entry["mean"].as_f64().unwrap());
    }
    assert!(sigmas.contains(&0.0776887) && sigmas.contains(&0.155377), "{sigmas:?}");
    assert!(losses.is_sorted());
    // The best is not at an end of what was looked at, unless that is as far as it goes.
    let (best, reach) = (sigmas[0], 2f64.powi(6) * 1.01);
    let is_inside = sigmas.iter().any(|s| *s > best) && sigmas.iter().any(|s| *s < best);
    assert!(is_inside || !(0.0776887 / reach..0.0776887 * reach).contains(&best), "{sigmas:?}");
}

/// A file that is not an image fails, twice, and the others go on.
#[test]
fn failures_are_recorded_and_do_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.png"), "not an image").unwrap();
    json(
        folder.path(),
        &["fit", "--width", "8", "--layers", "2", "--steps", "1", "--out", "r", "--json"],
    );
    fs::copy(folder.path().join("r/reconstruction.png"), folder.path().join("b.png")).unwrap();
    write(
        folder.path(),
        &format!("maximise = 'psnr'\n[settings]\nfile = {{ glob = '*.png' }}\n{SHORT}"),
    );
    let output = vi3nr(folder.path(), &["sweep", "s.toml", "--json"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("1 of 2 trials failed"), "{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&report["done"], &report["failed"], &report["open"]),
        (&1.into(), &1.into(), &0.into())
    );
    json(folder.path(), &["sweep", "report", "s.toml", "--json"]);
    let rows = fs::read_to_string(folder.path().join("s.report/trials.csv")).unwrap();
    assert!(
        rows.contains("1,failed,") && rows.contains("a.png") && rows.contains("not an image"),
        "{rows}"
    );
    // Nothing is run again, unless it is asked for; the same file fails again.
    let failed = |arguments: &[&str]| {
        let output = vi3nr(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1));
        serde_json::from_str::<Value>(&texts(&output).0).unwrap()
    };
    assert_eq!(failed(&["sweep", "s.toml", "--json"]), without_files(&report));
    let retried = failed(&["sweep", "s.toml", "--retry-failed", "--json"]);
    assert_eq!(retried, without_files(&report));
}

fn without_files(report: &Value) -> Value {
    let mut report = report.clone();
    report.as_object_mut().unwrap().remove("files");
    report
}

/// A fit that diverges has the score of its best parameters, and is marked.
#[test]
fn divergence_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &format!("maximise = 'psnr'\n[settings]\n{SHORT}lr = [1e-3, 1e30]"));
    for executor in ["in-process", "process"] {
        let database = format!("{executor}.sqlite");
        let arguments =
            ["sweep", "s.toml", "--executor", executor, "--database", &database, "--json"];
        let report = json(folder.path(), &arguments);
        assert_eq!((&report["done"], &report["diverged"]), (&2.into(), &1.into()), "{report}");
        let worse = &report["configurations"][1];
        let lr: f64 = worse["settings"]["lr"].as_str().unwrap().parse().unwrap();
        assert_eq!((lr, &worse["diverged"]), (1e30, &1.into()));
    }
}

/// Who runs the trials does not matter for what they give.
#[test]
fn results_do_not_depend_on_the_executor() {
    let folder = tempfile::tempdir().unwrap();
    grid(folder.path());
    let run = |executor: &str, jobs: &str| {
        let database = format!("{executor}-{jobs}.sqlite");
        let arguments = ["--executor", executor, "--jobs", jobs, "--database", &database, "--json"];
        let mut report = json(folder.path(), &[&["sweep", "s.toml"][..], &arguments].concat());
        report["database"] = Value::Null;
        let model = |id: u32| {
            let run = folder.path().join(format!("{executor}-{jobs}.trials/{id:05}"));
            fs::read(run.join("model.safetensors")).unwrap()
        };
        (report, (1..=12).map(model).collect::<Vec<_>>())
    };
    let in_process = run("in-process", "3");
    assert!(in_process == run("process", "2"));
    assert!(in_process == run("in-process", "1"));
}

#[test]
fn nonsense_is_refused_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("", "maximize"),
        ("maximise = 'psnr'\nminimise = 'loss'", "expected one of the two"),
        ("maximise = 'psnr'\n[settings]\nwidht = 3", "did you mean 'width'?"),
        ("maximise = 'psnr'\n[settings]\nwidth = [8, 'wide']", "wide"),
        ("maximise = 'psnr'\n[settings]\nactivation = 'gauss'", "gauss"),
        ("maximise = 'psnr'\n[settings]\nout = 'x'", "the sweep itself"),
        ("maximise = 'psnr'\n[settings]\nlr = []", "no values"),
        ("maximise = 'psnr'\n[settings]\ninit = 'siren'\nactivation = 'tanh'", "init"),
        ("maximise = 'psnr'\n[settings]\ncrop = 9", "crop"),
        ("maximise = 'psnr'\n[settings]\nsigma-p = 'x*auto'\nactivation = 'sine'", "2*auto"),
        ("maximise = 'psnr'\n[setings]\n", "setings"),
        ("maximise = ", "s.toml"),
        ("maximise = 'psnr'\nstrategy = { kind = 'random' }", "random"),
        ("maximise = 'psnr'\nstrategy = { kind = 'halving', rungs = [9], keep = 0.5 }", "steps"),
        ("maximise = 'psnr'\n[settings]\nfile = { glob = '*.none' }", "no file matches"),
        (
            "maximise = 'psnr'\n[settings]\nseed = { from = 0, to = 9999, points = 10000 }\n\
             lr = { from = 1, to = 2, points = 10000 }",
            "combinations",
        ),
    ] {
        write(folder.path(), text);
        let message = error(folder.path(), 2, &["sweep", "s.toml"]);
        assert!(message.contains(part), "{text}: {message}");
        assert!(!folder.path().join("s.sqlite").exists(), "{text}");
    }
    error(folder.path(), 2, &["sweep", "missing.toml"]);
    error(folder.path(), 2, &["sweep"]);
    grid(folder.path());
    error(folder.path(), 2, &["sweep", "report", "s.toml"]);
    fs::write(folder.path().join("s.sqlite"), "this is not a database, is it?").unwrap();
    let message = error(folder.path(), 1, &["sweep", "s.toml"]);
    assert!(message.contains("s.sqlite") && message.contains("not a database"), "{message}");
}

/// An interrupted sweep says so, exits with 130 and goes on with the same command.
#[cfg(unix)]
#[test]
fn an_interrupt_keeps_what_was_reached() {
    for executor in ["in-process", "process"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = "optimizer = 'adam'\nwidth = 8\nlayers = 3\nbatch = 64\nsteps = 100000";
        write(folder.path(), &format!("maximise = 'psnr'\n[settings]\n{settings}\nseed = [0, 1]"));
        let sweep = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
            .args(["sweep", "s.toml", "--executor", executor, "--jobs", "1"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while !folder.path().join("s.trials/00001/run.json").exists() {
            std::thread::yield_now();
        }
        let id = sweep.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let output = sweep.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted; the same command goes on"), "{said}");
        assert!(!said.contains("error"), "{said}");
        let arguments = ["sweep", "s.toml", "--executor", executor, "--json"];
        let report = json(folder.path(), &arguments);
        assert_eq!((&report["done"], &report["open"]), (&2.into(), &0.into()));
    }
}

/// Kills a sweep again and again; every trial ends with one attempt, none is lost.
fn kill_a_sweep(executor: &str, kills: u32) {
    let folder = tempfile::tempdir().unwrap();
    grid(folder.path());
    let whole = json(folder.path(), &["sweep", "s.toml", "--json"]);
    fs::remove_file(folder.path().join("s.sqlite")).unwrap();
    fs::remove_dir_all(folder.path().join("s.trials")).unwrap();
    let mut random = 0x9e37_79b9_u64;
    for _ in 0..kills {
        let mut sweep = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
            .args(["sweep", "s.toml", "--executor", executor, "--json"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Until so many polls have passed, which is any moment of the sweep.
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut polls = (random >> 33) % 400;
        while polls > 0 && sweep.try_wait().unwrap().is_none() {
            let _ = folder.path().join("s.trials").read_dir().map(Iterator::count);
            std::thread::yield_now();
            polls -= 1;
        }
        let _ = sweep.kill();
        sweep.wait().unwrap();
    }
    // The lock was the killed sweep's own: it is free at once.
    let report = json(folder.path(), &["sweep", "s.toml", "--json"]);
    assert_eq!(report, whole);
    let rows = {
        json(folder.path(), &["sweep", "report", "s.toml", "--json"]);
        fs::read_to_string(folder.path().join("s.report/trials.csv")).unwrap()
    };
    let mut ids: Vec<&str> =
        rows.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 12, "{rows}");
}

#[test]
fn a_killed_sweep_goes_on_where_it_stopped() {
    kill_a_sweep("in-process", 5);
    kill_a_sweep("process", 5);
}

#[test]
#[ignore = "half a minute"]
fn a_sweep_survives_a_hundred_kills() {
    kill_a_sweep("in-process", 50);
    kill_a_sweep("process", 50);
}
