//! Requests and plans through the binary: the same fit by every door, directories that are kept,
//! runs of the version before, and fits that go on from weights.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{SMALL_FIT, error, json, small_fit, texts, vi3nr};

/// A folder of files that the version before wrote.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../inr/tests/fixtures").join(name)
}

/// A copy of a stored run that may be written to.
fn copy_of(name: &str, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(fixture(name)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The tensors of a model file, without its metadata.
fn tensors(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_plan_is_printed_and_nothing_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let dry = ["fit", "--dry-run", "--width", "16"];
    let plan = json(folder.path(), &[&dry[..], &["--json"]].concat());
    assert_eq!(plan["request"], json!({"width": 16}));
    assert_eq!(plan["plan"]["network"]["dims"].as_array().unwrap().len(), 9);
    assert_eq!(plan["plan"]["training"]["optimizer"], "kfac");
    assert!(plan["reasons"]["optimizer"].as_str().unwrap().contains("16384"));
    let (text, stderr) = texts(&vi3nr(folder.path(), &dry));
    assert_eq!(stderr, "");
    for part in [
        "network   2-16-16",
        "--activation     sine:omega=20, tuned",
        "--first-sigma-p  0.5, tuned",
        "--optimizer      kfac",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(names(folder.path()), [""; 0]);
    // What cannot be is refused as by a fit.
    error(folder.path(), 2, &["fit", "--dry-run", "--crop", "3"]);
}

/// Flags, a TOML file, a JSON file and both together make the same model.
#[test]
fn the_same_request_by_every_door_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    let model = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
    small_fit(path, "flags", &["--activation", "gaussian:sigma=0.1", "--sigma-p", "2*auto"]);
    let settings = "width = 16\nlayers = 3\nactivation = 'gaussian:sigma=0.1'\n";
    write("a.toml", &format!("{settings}steps = 20\nsigma-p = '2*auto'\n"));
    json(path, &["fit", "--request", "a.toml", "--out", "toml", "--json"]);
    assert!(model("flags") == model("toml"));
    write(
        "b.json",
        r#"{"width": 16, "layers": 9, "activation": "gaussian:sigma=0.1", "steps": 3}"#,
    );
    let beside = ["--layers", "3", "--steps", "20", "--sigma-p", "2*auto", "--json"];
    let request = ["fit", "--request", "b.json", "--out", "json"];
    json(path, &[&request[..], &beside].concat());
    assert!(model("flags") == model("json"));

    for (text, expected) in [
        ("widht = 3", "width"),
        ("width = 'x'", "width"),
        ("width = [1, 2]", "width"),
        ("lr = -1", "lr"),
        ("=", "c.toml"),
    ] {
        write("c.toml", text);
        let message = error(path, 2, &["fit", "--request", "c.toml", "--out", "none"]);
        assert!(message.contains(expected), "{text}: {message}");
    }
    error(path, 2, &["fit", "--request", "absent.toml"]);
    assert!(!path.join("none").exists());
}

#[test]
fn an_earlier_run_is_kept_unless_it_is_to_be_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let again = ["--out", "run", "--json"];
    json(path, &[&SMALL_FIT[..], &again].concat());
    let kept = fs::read(path.join("run/model.safetensors")).unwrap();
    let message = error(path, 2, &[&SMALL_FIT[..], &again, &["--seed", "1"]].concat());
    assert!(message.contains("'run' holds an earlier run"), "{message}");
    assert!(message.contains("--overwrite"), "{message}");
    assert!(fs::read(path.join("run/model.safetensors")).unwrap() == kept);

    fs::write(path.join("run/notes.txt"), "mine").unwrap();
    fs::write(path.join("run/waveform.svg"), "an earlier run's").unwrap();
    small_fit(path, "run", &["--seed", "1"]);
    let expected =
        ["metrics.csv", "model.safetensors", "notes.txt", "reconstruction.png", "run.json"];
    assert_eq!(names(&path.join("run")), expected);
    error(path, 2, &["fit", "--overwrite"]);
}

/// A finished run goes on from its model, with steps in addition, and loses nothing.
#[test]
fn a_finished_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let first = small_fit(path, "run", &["--optimizer", "adam"]);
    let model = tensors(&path.join("run/model.safetensors"));
    let more = json(path, &["fit", "--resume", "run", "--steps", "30", "--json"]);
    assert_eq!((&more["steps"], &more["stopped"]), (&json!(30), &json!("steps")));
    assert!(more["loss"].as_f64() < first["loss"].as_f64());
    assert!(tensors(&path.join("run/start.safetensors")) == model);
    let rows = |name: &str| fs::read_to_string(path.join(name)).unwrap().lines().count();
    assert_eq!((rows("run/metrics-1.csv"), rows("run/metrics.csv")), (21, 31));
    // It has ended again, and says so; other settings are not its own.
    let message = error(path, 2, &["fit", "--resume", "run", "--lr", "0.25"]);
    assert!(message.contains("learning_rate is 0.0005 there and 0.25 here"), "{message}");
    assert_eq!(json(path, &["fit", "--resume", "run", "--json"])["steps"], 30);
    let message = error(path, 2, &["fit", "--resume", "run", "--steps", "3", "--width", "99"]);
    assert!(message.contains("--width"), "{message}");
    assert_eq!(rows("run/metrics.csv"), 31);
}

#[test]
fn a_fit_starts_from_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_fit(path, "first", &["--optimizer", "adam", "--steps", "200"]);
    // One step from trained weights is better than twenty from new ones.
    let warm = ["fit", "--from", "first", "--steps", "1", "--json", "--out", "warm"];
    let warm = json(path, &warm);
    let cold = small_fit(path, "cold", &["--optimizer", "adam", "--steps", "20"]);
    assert!(warm["loss"].as_f64() < cold["loss"].as_f64(), "{warm} {cold}");
    let info = json(path, &["info", "warm", "--json"]);
    assert_eq!(info["dims"], json!([2, 16, 16, 3]));
    assert_eq!(info["settings"]["start"]["parameters"].as_str().unwrap().len(), 8);
    for (more, expected) in [
        (&["--width", "17"][..], "--width, --from"),
        (&["--activation", "tanh"], "--activation, --from"),
        (&["--init", "siren"], "--init, --from"),
        (&["--sigma-p", "1"], "--sigma-p, --from"),
        (&["--from", "absent"], "absent"),
    ] {
        let message = error(path, 2, &[&["fit", "--from", "first"][..], more].concat());
        assert!(message.contains(expected), "{message}");
    }
}

/// A finished run that does not match its record, or is asked for what it cannot do, stays as it is.
#[test]
fn a_finished_run_that_cannot_go_on_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_fit(path, "run", &["--steps", "3"]);
    small_fit(path, "other", &["--steps", "3", "--width", "9"]);
    let model = path.join("run/model.safetensors");
    let kept = fs::read(&model).unwrap();
    let go_on = ["fit", "--resume", "run", "--steps", "2"];
    let message = error(path, 2, &[&go_on[..], &["--from", "other"]].concat());
    assert!(message.contains("--from"), "{message}");
    let message = error(path, 2, &[&go_on[..], &["--overwrite"]].concat());
    assert!(message.contains("--overwrite"), "{message}");
    assert!(fs::read(&model).unwrap() == kept);

    for bytes in [&kept[..kept.len() / 2], &fs::read(path.join("other/model.safetensors")).unwrap()]
    {
        fs::write(&model, bytes).unwrap();
        error(path, 2, &go_on);
        assert!(fs::read(&model).unwrap() == bytes);
        assert!(!path.join("run/start.safetensors").exists());
    }
    fs::write(&model, kept).unwrap();
    // The plan that is printed is the one that is carried out.
    let planned = json(path, &[&go_on[..], &["--dry-run", "--json"]].concat());
    assert_eq!(json(path, &[&go_on[..], &["--json"]].concat())["steps"], 2);
    let info = json(path, &["info", "run", "--json"]);
    assert_eq!((&info["plan"], info["plan"]["start"].is_null()), (&planned["plan"], false));
}

/// The name of a decoded file says what is in it, and a grid is a grid of a shape.
#[test]
fn commands_refuse_what_a_kind_of_signal_does_not_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_fit(path, "run", &["--steps", "2"]);
    let message = error(path, 2, &["decode", "run", "--out", "x.wav"]);
    assert!(message.contains("expected a name that ends with .png"), "{message}");
    assert!(!path.join("x.wav").exists());
    let image = path.join("run/reconstruction.png");
    let message = error(path, 2, &["eval", "run", image.to_str().unwrap(), "--grid", "32"]);
    assert!(message.contains("--grid"), "{message}");
    fs::create_dir(path.join("empty")).unwrap();
    let message = error(path, 2, &["decode", "empty", "--out", "x.png"]);
    assert!(message.contains("a directory without a model"), "{message}");
}

/// `init` draws the weights that `fit` starts from: one step from the file is one step of the fit.
#[test]
fn initial_weights_are_those_of_a_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for activation in ["gaussian:sigma=0.1", "sine:omega=20", "sin(20*x)", "tanh"] {
        let init =
            ["init", activation, "--dims", "2,16,16,3", "--seed", "5", "--out", "w", "--json"];
        json(path, &init);
        let fit = ["--activation", activation, "--seed", "5", "--steps", "1"];
        small_fit(path, "drawn", &fit);
        let read = ["fit", "--from", "w", "--seed", "5", "--steps", "1", "--json", "--overwrite"];
        json(path, &[&read[..], &["--out", "read"]].concat());
        let model = |run: &str| tensors(&path.join(run).join("model.safetensors"));
        assert!(model("drawn") == model("read"), "{activation}");
    }
    // A formula that spells the sine starts as the sine does.
    let model = |activation: &str| {
        small_fit(path, "run", &["--activation", activation, "--steps", "1"]);
        json(path, &["info", "run", "--json"])["settings"]["init"].clone()
    };
    assert_eq!(model("sin(30*x)"), model("sine:omega=30"));

    // Such a file is a model of the default size.
    json(path, &["decode", "w", "--out", "w.png", "--size", "9x7", "--json"]);
    let info = json(path, &["info", "w", "--json"]);
    assert_eq!((&info["dims"], &info["seed"]), (&json!([2, 16, 16, 3]), &json!(5)));
    json(path, &["init", "tanh", "--dims", "5,4,2", "--out", "odd", "--json"]);
    json(path, &["info", "odd", "--json"]);
    let message = error(path, 2, &["decode", "odd", "--out", "odd.png"]);
    assert!(message.contains("maps 5 numbers to 2"), "{message}");
}

/// Runs and models of the version before still open, and go on.
#[test]
fn runs_of_version_1_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for kind in ["image", "audio", "shape"] {
        let run = path.join(kind);
        copy_of(&format!("version-1/{kind}"), &run);
        let info = json(path, &["info", kind, "--json"]);
        assert_eq!(info["signal"]["kind"], kind);
        let out = match kind {
            "image" => "a.png",
            "audio" => "a.wav",
            _ => continue,
        };
        json(path, &["decode", kind, "--out", out, "--json"]);
        let file = fixture(if kind == "image" { "tiny.png" } else { "tiny.wav" });
        let metrics = json(path, &["eval", kind, file.to_str().unwrap(), "--json"]);
        let run: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
        let name = if kind == "image" { "psnr" } else { "snr" };
        let (seen, stored) =
            (metrics[name].as_f64().unwrap(), run["report"][name].as_f64().unwrap());
        assert!((seen - stored).abs() < 1e-3, "{kind}: {seen}, then {stored}");
    }
    // The file that was fitted is where the command line of the run says.
    let mut command: Value =
        serde_json::from_slice(&fs::read(path.join("image/command.json")).unwrap()).unwrap();
    command["folder"] = fixture("").to_str().unwrap().into();
    fs::write(path.join("image/command.json"), command.to_string()).unwrap();
    let ended = json(path, &["fit", "--resume", "image", "--json"]);
    assert_eq!((&ended["steps"], &ended["stopped"]), (&json!(20), &json!("steps")));
    json(path, &["report", "image", "--out", "r.html", "--json"]);
    let more = json(path, &["fit", "--resume", "image", "--steps", "5", "--json"]);
    assert_eq!(more["steps"], 5);
}

/// A broken record is an error, never a reason to train again over what is there.
#[test]
fn a_broken_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small_fit(path, "run", &[]);
    let model = fs::read(path.join("run/model.safetensors")).unwrap();
    for broken in ["", "{", "[1]", r#"{"format": 3}"#, r#"{"format": 2, "request": {}}"#] {
        fs::write(path.join("run/run.json"), broken).unwrap();
        let message = error(path, 2, &["fit", "--resume", "run"]);
        assert!(message.contains("run.json"), "{broken}: {message}");
        assert!(fs::read(path.join("run/model.safetensors")).unwrap() == model);
    }
}

/// A path of any bytes can be read and written; JSON shows what of it is text.
#[cfg(unix)]
#[test]
fn a_path_need_not_be_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let bytes = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    let run = |arguments: &[&OsStr]| -> Value {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("vi3nr"));
        let output = command.args(arguments).arg("--json").current_dir(path).output().unwrap();
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    let options = |words: &'static str| words.split(' ').map(OsStr::new);
    let with = |words, more: &[&'static OsStr]| -> Vec<&'static OsStr> {
        options(words).chain(more.iter().copied()).collect()
    };
    small_fit(path, "run", &["--steps", "2"]);
    let [image, request, model] = [b"a\xff.png" as &[u8], b"r\xff.toml", b"m\xff"].map(bytes);
    assert_eq!(run(&with("decode run --size 12x12 --out", &[image]))["file"], "a\u{fffd}.png");
    fs::write(path.join(request), "steps = 3\nwidth = 8\n").unwrap();
    let fit = [image, OsStr::new("--request"), request, OsStr::new("--out"), model];
    let report = run(&with("fit --seed 4 --layers 3", &fit));
    assert_eq!(
        (&report["steps"], &report["model"]),
        (&json!(3), &json!("m\u{fffd}/model.safetensors"))
    );
    let info = run(&with("info", &[model]));
    assert_eq!((&info["dims"], &info["seed"]), (&json!([2, 8, 8, 3]), &json!(4)));
    run(&with("report", &[model, OsStr::new("--out"), bytes(b"r\xff.html")]));
    run(&with("plot tanh --out", &[bytes(b"p\xff.svg")]));
    run(&with("init tanh --dims 2,3,1 --out", &[bytes(b"w\xff")]));
}
