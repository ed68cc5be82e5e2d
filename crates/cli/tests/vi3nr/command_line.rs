//! The command line itself: short flags, help, suggestions, completions, manual pages, colors.

use std::process::Command;

use serde_json::Value;

use crate::{SMALL_FIT, error, json, small_fit, texts, vi3nr};

/// Standard output of a command that must succeed.
fn stdout(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = vi3nr(folder.path(), arguments);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    stdout
}

#[test]
fn every_shell_has_a_completion_script() {
    for (shell, parts) in [
        ("bash", ["complete -F _vi3nr", "--checkpoint-every"]),
        ("zsh", ["#compdef vi3nr", "--checkpoint-every"]),
        ("fish", ["complete -c vi3nr", "checkpoint-every"]),
    ] {
        let script = stdout(&["completions", shell]);
        assert!(parts.iter().all(|part| script.contains(part)), "{shell}: {script}");
        // Hidden options, names of earlier versions and the values of an option.
        for old in ["end-with-input", "against", "distribution", "grid-parameters", "-l image"] {
            assert!(!script.contains(old), "{shell} offers {old}");
        }
        assert!(!script.contains("--image") && script.contains("orthogonal"), "{shell}: {script}");
    }
    let folder = tempfile::tempdir().unwrap();
    let message = error(folder.path(), 2, &["completions", "bsh"]);
    assert!(message.contains("'bash'"), "{message}");
}

#[test]
fn every_command_has_a_manual_page() {
    assert!(stdout(&["man"]).contains(".TH vi3nr 1"));
    let page = stdout(&["man", "fit"]);
    assert!(page.contains(".TH vi3nr-fit 1") && page.contains("\\-\\-quality"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let output = vi3nr(folder.path(), &["man", "-o", "pages"]);
    assert_eq!(output.status.code(), Some(0), "{}", texts(&output).1);
    for name in ["vi3nr.1", "vi3nr-fit.1", "vi3nr-bench-grid.1", "vi3nr-completions.1"] {
        assert!(folder.path().join("pages").join(name).exists(), "{name}");
    }
    let message = error(folder.path(), 2, &["man", "fti"]);
    assert!(message.contains("no command 'fti'; did you mean 'fit'?"), "{message}");
}

#[test]
fn help_of_fit_fits_one_screen() {
    for (arguments, most) in [(&["fit", "-h"][..], 45), (&["-h"], 45), (&["--help"], 45)] {
        let help = stdout(arguments);
        let lines = help.lines().count();
        assert!(lines <= most, "{arguments:?} has {lines} lines:\n{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    let (short, long) = (stdout(&["fit", "-h"]), stdout(&["fit", "--help"]));
    for expert in ["--last-sigma-p", "--checkpoint-every", "--clamp"] {
        assert!(!short.contains(expert) && long.contains(expert), "{expert}");
    }
    for usual in ["-o, --out", "-n, --steps", "-j, --threads", "--quality", "-q, --quiet"] {
        assert!(short.contains(usual), "{usual}: {short}");
    }
    for old in ["--scheme", "--distribution", "--end-with-input"] {
        assert!(!long.contains(old), "{old} is shown");
    }
}

#[test]
fn a_misspelled_name_is_told_the_one_that_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, expected) in [
        (&["fitt"][..], "'fit'"),
        (&["fit", "--qualty", "40"], "'--quality'"),
        (&["fit", "--optimizer", "kfca"], "'kfac'"),
        (&["fit", "--activation", "gausian"], "did you mean 'gaussian'?"),
        (&["fit", "--activation", "gaussian:sgma=1"], "did you mean 'sigma'?"),
        (&["fit", "--init", "xaver"], "did you mean 'xavier'?"),
        (&["gain", "tahn"], "did you mean 'tanh'?"),
    ] {
        let message = error(folder.path(), 2, arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn whole_numbers_may_have_an_exponent_or_underscores() {
    let folder = tempfile::tempdir().unwrap();
    for (steps, expected) in [("1e3", 1000), ("2.5e3", 2500), ("30_000", 30_000)] {
        let plan = json(folder.path(), &["fit", "--dry-run", "--json", "-n", steps]);
        assert_eq!(plan["plan"]["training"]["steps"], expected, "{plan}");
    }
    for steps in ["1.5", "1e-3", "_1", "-1", "1e99", "0"] {
        let message = error(folder.path(), 2, &["fit", "--dry-run", "--steps", steps]);
        assert!(message.contains("expected a whole number, 1 or more"), "{message}");
    }
}

#[test]
fn short_flags_and_earlier_names_mean_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let plan = |arguments: &[&str]| {
        json(folder.path(), &[&["fit", "--dry-run", "--json"], arguments].concat())["plan"].clone()
    };
    assert_eq!(plan(&["-n", "7", "-j", "1"]), plan(&["--steps", "7", "--threads", "1"]));
    let new = plan(&["--init", "xavier", "--weights", "normal"]);
    assert_eq!(plan(&["--scheme", "xavier", "--distribution", "normal"]), new);
    let init = ["init", "tanh", "--dims", "2,8,8,1", "--json"];
    let init = |more: &[&str]| json(folder.path(), &[&init[..], more].concat());
    let new = init(&["--init", "xavier", "--weights", "normal"]);
    assert_eq!(init(&["--scheme", "xavier", "--distribution", "normal"]), new);
    let help = stdout(&["bench", "--help"]);
    assert!(["engine", "optimizers", "grid"].iter().all(|name| help.contains(name)), "{help}");
}

#[test]
fn quiet_and_verbose_change_standard_error_only() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["init", "gelu", "--init", "kaiming", "--dims", "2,8,1"];
    let run = |more: &[&str]| texts(&vi3nr(folder.path(), &[&arguments[..], more].concat()));
    let (text, warning) = run(&[]);
    let warns = warning.starts_with("warning: ");
    let (quiet, nothing) = run(&["-q"]);
    let (verbose, more) = run(&["-v"]);
    assert!(warns && nothing.is_empty(), "{warning}{nothing}");
    assert_eq!((&quiet, &verbose), (&text, &text));
    assert!(more.starts_with(&warning) && more.contains("vi3nr 0."), "{more}");
    let fit = vi3nr(folder.path(), &[&SMALL_FIT[..], &["--out", "run", "-v"]].concat());
    assert!(texts(&fit).1.contains("network   2-16-16-3"), "{}", texts(&fit).1);
    let message = error(folder.path(), 2, &["gain", "tanh", "-q", "-v"]);
    assert!(message.contains("cannot be used with"), "{message}");
    // Errors are written all the same.
    assert!(!error(folder.path(), 2, &["info", "absent", "-q"]).is_empty());
}

#[test]
fn colors_follow_the_option_and_no_color() {
    let folder = tempfile::tempdir().unwrap();
    let message = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
            .args(arguments)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        texts(&output).1
    };
    for wrong in [&["info", "absent"][..], &["fit", "--steps", "0"]] {
        let with = |more: &[&'static str]| [wrong, more].concat();
        let force = ("CLICOLOR_FORCE", "1");
        assert!(!message(&with(&[]), &[]).contains('\x1b'));
        assert!(message(&with(&["--color", "always"]), &[]).contains("\x1b["));
        assert!(!message(&with(&["--color", "never"]), &[force]).contains('\x1b'));
        assert!(!message(&with(&[]), &[("NO_COLOR", "1")]).contains('\x1b'));
    }
}

#[test]
fn catalogs_list_every_choice() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = json(folder.path(), &["activations", "--json"]);
    let entries = catalog["activations"].as_array().unwrap();
    assert!(entries.len() >= 20, "{catalog}");
    let text = stdout(&["activations"]);
    for entry in entries {
        let name = entry["name"].as_str().unwrap();
        let gain = json(folder.path(), &["gain", name, "--sigma-p", "1", "--json"]);
        assert_eq!(entry["gain"], gain["gain"], "{name}");
        assert!(text.contains(&format!("\n{name} ")), "{name}: {text}");
    }
    let catalog = json(folder.path(), &["schemes", "--json"]);
    let names: Vec<&Value> =
        catalog["schemes"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    for name in ["ours", "ours_mc", "siren", "xavier", "kaiming", "kumar", "pytorch", "normal"] {
        assert!(names.contains(&&Value::from(name)), "{name}: {catalog}");
        assert!(stdout(&["schemes"]).contains(&format!("\n{name} ")), "{name}");
    }
}

#[test]
fn text_has_one_psnr_and_the_paper_has_both() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &[]);
    for (preset, expected) in [("fast", 1), ("paper", 2)] {
        let arguments = ["--preset", preset, "--out", "other", "--overwrite"];
        let fit = vi3nr(folder.path(), &[&SMALL_FIT[..], &arguments].concat());
        let (text, _) = texts(&fit);
        let lines = text.lines().filter(|line| line.starts_with("PSNR ")).count();
        assert_eq!(lines, expected, "{preset}: {text}");
    }
    let eval = vi3nr(folder.path(), &["eval", "run", "run/reconstruction.png"]);
    let (text, _) = texts(&eval);
    assert_eq!(text.matches("PSNR ").count(), 1, "{text}");
}

#[test]
fn the_data_of_the_paper_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let repro = |variables: &[(&str, &str)]| {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"))
            .args(["repro", "table5"])
            .env_remove("VI3NR_DATA")
            .envs(variables.iter().copied())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", texts(&output).1);
        texts(&output).1
    };
    assert!(repro(&[]).contains("expected --data DIR or VI3NR_DATA"));
    assert!(repro(&[("VI3NR_DATA", "nowhere")]).contains("nowhere"));
}
