//! The optimizers at the command line: what `fit` says of them, what it refuses, and how much work
//! `bench` finds.

use std::fs;

use crate::{error, json, small_fit, texts, vi3nr};

#[test]
fn every_optimizer_can_be_chosen_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut best = Vec::new();
    for name in ["adam", "muon", "kfac"] {
        let report = small_fit(folder.path(), name, &["--optimizer", name, "--batch", "full"]);
        assert_eq!(report["optimizer"], name);
        let equivalents = report["gradient_equivalents"].as_f64().unwrap();
        assert_eq!(equivalents > 20.0, name != "adam", "{name}: {equivalents}");
        // On so few points what kfac does besides outweighs its 20 gradients.
        assert!(equivalents < 60.0, "{name}: {equivalents}");
        let info = json(folder.path(), &["info", name, "--json"]);
        assert_eq!(info["settings"]["optimizer"], name);
        assert_eq!(info["settings"]["learning_rate"].is_null(), name == "kfac");
        best.push(report["psnr"].as_f64().unwrap());
    }
    assert!(best[2] > best[0] + 2.0, "{best:?}");
    // Small images are fitted by kfac unless an option of adam is given.
    for (arguments, name) in [(&[][..], "kfac"), (&["--lr", "1e-3"], "adam")] {
        assert_eq!(small_fit(folder.path(), "default", arguments)["optimizer"], name);
    }
    let output = vi3nr(folder.path(), &["fit", "--preset", "paper", "--steps", "2", "--out", "p"]);
    assert!(texts(&output).0.contains("adam: 2 steps"), "{output:?}");
}

#[test]
fn kfac_gives_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let model = |threads: &str| {
        small_fit(folder.path(), threads, &["--optimizer", "kfac", "--threads", threads]);
        fs::read(folder.path().join(threads).join("model.safetensors")).unwrap()
    };
    assert!(model("1") == model("3"));
}

#[test]
fn what_kfac_cannot_do_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let kfac = ["fit", "--optimizer", "kfac", "--out", "run"];
    for (arguments, reason) in [
        (&["--lr", "1e-3"][..], "kfac has no learning rate"),
        (&["--schedule", "constant"], "kfac has no learning rate"),
        (&["--batch", "100"], "needs all points"),
    ] {
        let message = error(folder.path(), 2, &[&kfac[..], arguments].concat());
        assert!(message.contains(reason), "{message}");
    }
    let cube = "v -1 -1 -1\nv 1 -1 -1\nv 0 1 -1\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n";
    fs::write(folder.path().join("tetra.obj"), cube).unwrap();
    let message = error(folder.path(), 2, &[&kfac[..], &["tetra.obj"]].concat());
    assert!(message.contains("needs all points"), "{message}");
    assert!(!folder.path().join("run").exists());
    for option in ["--first-bias", "--biases"] {
        for rule in ["uniform:-1", "uniform:", "uniform:nan", "often"] {
            let message = error(folder.path(), 2, &["fit", option, rule]);
            assert!(message.contains("like-weights, fan-in, uniform:B or normal:S"), "{message}");
        }
    }
}

/// The first biases of an even activation are drawn, those of others and of the paper are not.
#[test]
fn first_biases_follow_the_activation() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, rule) in [
        (&["--activation", "gaussian"][..], "like-weights"),
        (&["--activation", "exp(-x^2)"], "like-weights"),
        (&["--activation", "sine"], "zero"),
        (&["--activation", "gaussian", "--preset", "paper"], "zero"),
        (&["--activation", "gaussian", "--biases", "zero"], "zero"),
        (&["--activation", "gaussian", "--biases", "fan-in"], "fan-in"),
        (&["--first-bias", "uniform:0.25"], "uniform:0.25"),
    ] {
        small_fit(folder.path(), "run", arguments);
        let info = json(folder.path(), &["info", "run", "--json"]);
        assert_eq!(info["settings"]["first_biases"], rule, "{arguments:?}");
    }
}

#[test]
fn bench_counts_work_and_draws_curves() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &["--steps", "1"]);
    let bench = ["bench", "--to-psnr", "20", "--image", "run/reconstruction.png", "--crop", "16"];
    let more = ["--optimizer", "adam,kfac", "--budget", "30", "--out", "work", "--json"];
    let report = json(folder.path(), &[&bench[..], &more].concat());
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!((&runs[0]["optimizer"], &runs[1]["optimizer"]), (&"adam".into(), &"kfac".into()));
    let kfac = &runs[1];
    assert_eq!(kfac["stopped"], "target", "{report}");
    assert!(kfac["psnr_paper"].as_f64().unwrap() >= 20.0);
    let work = kfac["gradient_equivalents_to_target"].as_f64().unwrap();
    assert_eq!(work, kfac["gradient_equivalents"].as_f64().unwrap());
    // The present name of the command, and a target on the way.
    let bench_two = ["bench", "optimizers", "run/reconstruction.png", "--to-psnr", "10,20"];
    let more = ["--crop", "16", "--optimizer", "kfac", "--budget", "30", "--json"];
    let two = json(folder.path(), &[&bench_two[..], &more].concat());
    let targets = two["runs"][0]["targets"].as_array().unwrap();
    let works: Vec<_> = targets
        .iter()
        .map(|target| (target["psnr_paper"].as_f64(), target["gradient_equivalents"].as_f64()))
        .collect();
    assert_eq!(works[1], (Some(20.0), Some(work)));
    assert!(works[0].0 == Some(10.0) && works[0].1.is_some_and(|first| first < work), "{works:?}");
    let csv = fs::read_to_string(folder.path().join("work/work.csv")).unwrap();
    assert!(csv.starts_with(
        "optimizer,first_biases,seed,gradient_equivalents,seconds,psnr_paper\nadam,zero,0,"
    ));
    assert!(csv.contains("\nkfac,zero,0,"));
    for name in ["work.svg", "work.png"] {
        assert!(fs::metadata(folder.path().join("work").join(name)).unwrap().len() > 1000);
    }
    for arguments in [
        &["bench", "--to-psnr", "20"][..],
        &["bench", "--image", "run/reconstruction.png"],
        &[&bench[..], &["--budget", "0"]].concat(),
        &[&bench[..], &["--optimizer", "lion"]].concat(),
        &[&bench[..], &["--shape", "audio"]].concat(),
        &["bench", "--to-psnr", "nan", "--image", "run/reconstruction.png"],
        &["bench", "--to-psnr", "20", "--image", "absent.png"],
    ] {
        assert_eq!(vi3nr(folder.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_grid_of_values_is_the_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    small_fit(folder, "run", &[]);
    let file = "run/reconstruction.png";
    let grid = |more: &[&str]| {
        json(folder, &[&["bench", file, "--grid-parameters", "12288", "--json"], more].concat())
    };
    let named = ["bench", "grid", file, "-p", "12_288", "--interpolation", "bilinear", "--json"];
    let named = json(folder, &named)["grids"][0]["psnr"].clone();
    let seen = &grid(&[])["grids"][0];
    assert_eq!((&seen["columns"], &seen["rows"]), (&64.into(), &64.into()));
    assert_eq!((&seen["parameters"], &seen["bits_per_pixel"]), (&12288.into(), &24.0.into()));
    let bilinear = grid(&["--grid-interpolation", "bilinear"])["grids"][0]["psnr"].clone();
    assert!(seen["psnr"].as_f64().unwrap() > 20.0 && bilinear.as_f64().unwrap() > 20.0);
    assert_ne!(seen["psnr"], bilinear);
    assert_eq!(named, bilinear);
    for (arguments, expected) in [
        (&["bench", "grid", file][..], "--parameters"),
        (&["bench", "--grid-parameters", "9"], "FILE"),
        (&["bench", file, "--grid-parameters", "0"], "0"),
        (&["bench", "nothing.png", "--grid-parameters", "9"], "nothing.png"),
    ] {
        let message = error(folder, 2, arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}
