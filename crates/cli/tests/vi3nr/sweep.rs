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

/// A small grid of Gaussian networks on the test picture: 2 parameters, 3 sigma_p, 2 seeds.
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
            "vi3nr fit --activation gaussian:sigma=0.05 --layers 3 --optimizer adam --seed 0 --sigma-p \
             0.0388443 \
             --steps 20 --width 8\n"
        ),
        "{text}"
    );

    let report = json(folder.path(), &["sweep", "s.toml", "--jobs", "3", "--json"]);
    assert_eq!(
        (&report["done"], &report["failed"], &report["open"]),
        (&12.into(), &0.into(), &0.into())
    );
    let best = &report["configurations"][0];
    assert_eq!(best["scores"].as_array().unwrap().len(), 2);

    // A trial is its command line: run by hand it gives the same model.
    let trial = planned["trials"][0].as_array().unwrap();
    let mut arguments: Vec<&str> = trial.iter().map(|word| word.as_str().unwrap()).collect();
    arguments.extend(["--out", "by-hand", "--json"]);
    json(folder.path(), &arguments);
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
        "id,state,case,--activation,--layers,--optimizer,--seed,--sigma-p,--steps,--width,"
    ));
    let map = fs::read_to_string(folder.path().join("s.report/scores.svg")).unwrap();
    assert!(map.contains("Eq. (13)") && map.contains("psnr"));
    let (text, _) = texts(&vi3nr(folder.path(), &["sweep", "report", "s.toml", "--best", "2"]));
    assert!(text.contains("12 trials done, 0 failed, 0 open") && text.contains("and 4 more"));
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
        "vi3nr fit --activation sine --layers 3 --optimizer adam --steps 20 --width 8\n\
         vi3nr fit --activation relu --layers 3 --optimizer adam --sigma-p 1 --steps 3 --width 8\n"
    );
}

/// The same settings in two cases, or twice in a list, are one trial.
#[test]
fn what_is_listed_twice_is_run_once() {
    let folder = tempfile::tempdir().unwrap();
    let cases = "[[case]]\nname = 'a'\n[[case]]\nname = 'b'\nseed = [0, 0]\n";
    write(folder.path(), &format!("maximise = 'psnr'\n[settings]\n{SHORT}seed = 0\n{cases}"));
    let report = json(folder.path(), &["sweep", "s.toml", "--json"]);
    assert_eq!((&report["done"], &report["open"]), (&3.into(), &0.into()));
    assert_eq!(fs::read_dir(folder.path().join("s.trials")).unwrap().count(), 2, "and the lock");
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
        sigmas.push(entry["settings"]["sigma-p"].as_str().unwrap().parse().unwrap());
        losses.push(entry["mean"].as_f64().unwrap());
    }
    assert!(sigmas.contains(&0.0776887) && sigmas.contains(&0.155377), "{sigmas:?}");
    assert!(losses.is_sorted());
    // The best is not at an end of what was looked at, unless that is as far as it goes.
    let (best, reach) = (sigmas[0], 2f64.powi(6) * 1.01);
    let is_inside = sigmas.iter().any(|s| *s > best) && sigmas.iter().any(|s| *s < best);
    assert!(is_inside || !(0.0776887 / reach..0.0776887 * reach).contains(&best), "{sigmas:?}");
}

/// A file that is no picture fails, twice, and the others go on.
#[test]
fn failures_are_recorded_and_do_not_stop_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.png"), "no picture").unwrap();
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
        rows.contains("1,failed,") && rows.contains("a.png") && rows.contains("error: "),
        "{rows}"
    );
}

#[test]
fn nonsense_is_refused_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("", "maximise"),
        ("maximise = 'psnr'\nminimise = 'loss'", "expected one of the two"),
        ("maximise = 'psnr'\n[settings]\nwidht = 3", "--widht"),
        ("maximise = 'psnr'\n[settings]\nwidth = [8, 'wide']", "wide"),
        ("maximise = 'psnr'\n[settings]\nactivation = 'gauss'", "gauss"),
        ("maximise = 'psnr'\n[settings]\nout = 'x'", "the sweep itself"),
        ("maximise = 'psnr'\n[settings]\nlr = []", "no values"),
        ("maximise = 'psnr'\n[settings]\nsigma-p = '2*auto'", "activation"),
        ("maximise = 'psnr'\n[settings]\nsigma-p = 'x*auto'\nactivation = 'sine'", "K*auto"),
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
    fs::write(folder.path().join("s.sqlite"), "this is no database at all, is it?").unwrap();
    let message = error(folder.path(), 1, &["sweep", "s.toml"]);
    assert!(message.contains("s.sqlite") && message.contains("not a database"), "{message}");
}

/// Kills a sweep again and again; every trial ends with one attempt, none is lost.
fn kill_a_sweep(kills: u32) {
    let folder = tempfile::tempdir().unwrap();
    grid(folder.path());
    let whole = json(folder.path(), &["sweep", "s.toml", "--json"]);
    fs::remove_file(folder.path().join("s.sqlite")).unwrap();
    fs::remove_dir_all(folder.path().join("s.trials")).unwrap();
    let mut random = 0x9e37_79b9_u64;
    for _ in 0..kills {
        let mut sweep = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
            .args(["sweep", "s.toml", "--json"])
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
    // The children of a sweep that was killed let go of the lock at once: it was its own.
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
    kill_a_sweep(5);
}

#[test]
#[ignore = "half a minute"]
fn a_sweep_survives_a_hundred_kills() {
    kill_a_sweep(100);
}
