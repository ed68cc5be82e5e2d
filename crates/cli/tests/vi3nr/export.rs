//! `export`: the command, and its files in ONNX Runtime where it is installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use vi3nr::activation::builtin::catalog;
use vi3nr_engine::{CpuEngine, Engine, ReferenceEngine};
use vi3nr_inr::model_file::Weights;

use crate::book::python_has;
use crate::{error, json, small_fit, texts, vi3nr};

#[test]
fn a_model_is_written_to_a_file_or_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &["--storage", "f16"]);
    let report = json(folder.path(), &["export", "run", "--out", "a.onnx", "--json"]);
    let file = fs::read(folder.path().join("a.onnx")).unwrap();
    let expected = serde_json::json!({
        "file": "a.onnx", "opset": 20, "inputs": 2, "outputs": 3, "operations": 7,
        "parameters": 371, "bytes": file.len(),
    });
    assert_eq!(report, expected);
    // As decode does, it replaces a file.
    let model = "run/model.safetensors";
    let output = vi3nr(folder.path(), &["export", model, "-o", "a.onnx"]);
    let text = format!(
        "a.onnx (ONNX opset 20, 2 to 3, 7 operations, 371 parameters, {} bytes)\n",
        file.len()
    );
    assert_eq!(texts(&output), (text, String::new()));
    assert!(fs::read(folder.path().join("a.onnx")).unwrap() == file);
    let output = vi3nr(folder.path(), &["export", "run", "-q", "--out", "-"]);
    assert!(output.stdout == file && output.stderr.is_empty());
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "cut", &["--tile", "40"]);
    let refusals: [(&[&str], &str); 5] = [
        (
            &["export", "cut", "--out", "a.onnx"],
            "'cut': the model has 9 pieces, each with a network of its own; expected one network, \
             as a fit without pieces gives (fit --tile none)",
        ),
        (&["export", "absent", "--out", "a.onnx"], "cannot read 'absent'"),
        (&["export", "w.safetensors", "--out", "a.pt"], "expected a name that ends with .onnx"),
        (&["export", "w.safetensors"], "--out <FILE>"),
        (&["export", "w.safetensors", "--json", "--out", "-"], "expected one of them"),
    ];
    json(folder.path(), &["init", "tanh", "--dims", "2,4,1", "--out", "w.safetensors", "--json"]);
    for (arguments, part) in refusals {
        let message = error(folder.path(), 2, arguments);
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
    assert!(!folder.path().join("a.onnx").exists());
    error(folder.path(), 1, &["export", "w.safetensors", "--out", "absent/a.onnx"]);
}

/// Formulas, besides the built-in activations.
const FORMULAS: [&str; 8] = [
    "sin(20*x)*exp(-x^2/(2*s^2)):s=0.3",
    "x/(1+abs(x))",
    "max(x,0)^2-0.1*min(x,1)",
    "(exp(x)-1)/(1+exp(x))",
    "log(1+x^2)*sign(x)",
    "atan(3*x)+0.1*cosh(x/5)",
    "sech(2*x)-sinh(x/4)",
    "x*erfc(-x)+sqrt(1+x^2)^1.5",
];

/// The largest difference of `values` from `exact`.
fn largest_error(values: &[f32], exact: &[f32]) -> f32 {
    assert_eq!(values.len(), exact.len());
    values.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn numbers(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The error of ONNX Runtime is about that of the program's own engine, for every activation.
#[test]
fn onnx_runtime_gives_the_values_of_the_engine() {
    if !python_has("numpy, onnxruntime") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<&str> = catalog().map(|(name, _)| name).chain(FORMULAS).collect();
    let file = |index: usize, extension: &str| format!("{index}.{extension}");
    for (index, name) in names.iter().enumerate() {
        let (weights, onnx) = (file(index, "safetensors"), file(index, "onnx"));
        let init = ["init", name, "--dims", "2,32,32,32,3", "-q", "--json", "--out", &weights];
        json(folder.path(), &init);
        json(folder.path(), &["export", &weights, "--json", "--out", &onnx]);
    }
    let points: Vec<f32> = (0..2000).map(|i| (0.7 * f64::from(i)).sin() as f32).collect();
    let bytes: Vec<u8> = points.iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(folder.path().join("points"), bytes).unwrap();
    let done = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vi3nr/run_onnx.py"))
        .args([".", "points"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", texts(&done).1);

    for (index, name) in names.iter().enumerate() {
        let path = |extension| folder.path().join(file(index, extension));
        let Weights { network, parameters, .. } = Weights::load(&path("safetensors")).unwrap();
        let (mut exact, mut own) = (vec![0.0; 3000], vec![0.0; 3000]);
        let mut reference = ReferenceEngine::new(&network, &parameters).unwrap();
        reference.evaluate(&points, &mut exact).unwrap();
        let mut engine = CpuEngine::new(&network, &parameters, Some(1)).unwrap();
        engine.evaluate(&points, &mut own).unwrap();
        let largest = exact.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        let (found, usual) =
            (largest_error(&numbers(&path("values")), &exact), largest_error(&own, &exact));
        println!("{name}: {found:.1e}, the engine {usual:.1e}, values within {largest:.2}");
        assert!(found <= 2.0 * usual + 1e-6 * largest, "{name}: {found:e}, the engine {usual:e}");
    }
}
