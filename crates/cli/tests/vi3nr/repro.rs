//! The paper's controlled experiments.

use std::fs;

use serde_json::Value;

use crate::{error, json, texts, vi3nr};

const SMALL: [&str; 6] = ["--depth", "10", "--width", "48", "--batch", "40"];

fn cell<'a>(report: &'a Value, row: &str, column: &str, quantity: &str) -> &'a Value {
    let cells = report["cells"].as_array().unwrap();
    let found = cells.iter().find(|cell| {
        cell["row"] == row && cell["column"] == column && cell["quantity"] == quantity
    });
    found.unwrap_or_else(|| panic!("no {row}, {column}, {quantity}"))
}

#[test]
fn propagate_keeps_what_eq_13_promises() {
    let folder = tempfile::tempdir().unwrap();
    let base =
        ["propagate", "sinc:a=1", "--depth", "20", "--width", "256", "--batch", "50", "--json"];
    let report = json(folder.path(), &base);
    assert!((report["sigma_p"].as_f64().unwrap() - 2.223335).abs() < 1e-6);
    assert_eq!(report["scheme"], "ours:sigma_p=2.2233350423688756");
    assert_eq!(report["forward_variance"].as_array().unwrap().len(), 20);
    assert_eq!(report["backward_variance"].as_array().unwrap().len(), 20);
    assert_eq!(
        (&report["forward_non_finite"], &report["backward_non_finite"]),
        (&0.into(), &0.into())
    );
    assert!(report["e_f"].as_f64().unwrap() < 10.0 && report["e_b"].as_f64().unwrap() < 30.0);
    let threads = [&base[..], &["--threads", "3"]].concat();
    assert_eq!(report, json(folder.path(), &threads));
    // Xavier on a tanh at sigma_p = 1 loses most of the variance.
    let xavier = [&["propagate", "tanh", "--scheme", "xavier", "--json"], &SMALL[..]].concat();
    let report = json(folder.path(), &xavier);
    assert_eq!(report["sigma_p"], 1.0);
    assert!(report["e_f"].as_f64().unwrap() > 60.0);
}

#[test]
fn propagate_prints_every_tenth_layer() {
    let folder = tempfile::tempdir().unwrap();
    let (text, _) = texts(&vi3nr(folder.path(), &[&["propagate", "relu"], &SMALL[..]].concat()));
    let layers: Vec<_> = text.lines().skip(5).filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(layers, ["1", "10", "E_f", "E_b", "0", "theory", "chi", "with", "cosine"], "{text}");
    assert!(text.contains("\n0 % means that the variance is kept"), "{text}");
    assert!(text.contains("theory for networks of 48 units: E_f = 39.7 %, E_b = 39.7 %"), "{text}");
    assert!(text.contains("\nchi 1: a layer multiplies"), "{text}");
}

/// Without biases the gradient of tanh grows by 1.178 per layer.
#[test]
fn propagate_keeps_both_variances_at_the_edge_of_chaos() {
    let folder = tempfile::tempdir().unwrap();
    let run = |further: &[&str]| {
        let base = ["propagate", "tanh", "--sigma-p", "1", "--depth", "30", "--width", "256"];
        json(folder.path(), &[&base[..], &["--batch", "20", "--json"], further].concat())
    };
    let number = |value: &Value| value.as_f64().unwrap();
    let (plain, edge) = (run(&[]), run(&["--init", "eoc"]));
    assert_eq!(plain["bias_variance"], 0.0);
    assert!((number(&edge["bias_variance"]) - (1.0 - 1.0 / 1.17780723)).abs() < 1e-8);
    assert!((number(&edge["expected"]["gradient_growth"]) - 1.0).abs() < 1e-12);
    assert!((number(&edge["expected"]["error_factor"]) - 0.461071 / 1.177807).abs() < 1e-6);
    assert!((number(&plain["expected"]["chi"]) - 0.461071).abs() < 1e-6);
    assert!(number(&plain["e_b"]) > 95.0 && number(&edge["e_b"]) < 45.0);
    assert!(number(&edge["e_f"]) < 15.0);
    // All inputs share the biases.
    assert!(number(&plain["cosine"]).abs() < 0.1 && number(&edge["cosine"]) > 0.7);
    let unstable = ["propagate", "gelu", "--sigma-p", "1", "--depth", "20", "--width", "64"];
    let (_, warning) = texts(&vi3nr(folder.path(), &[&unstable[..], &["--batch", "2"]].concat()));
    assert!(warning.contains("sigma_p = 1 is not stable for gelu"), "{warning}");
    assert!(warning.contains("stays within a factor of 2 for one layer;"), "{warning}");
    let refused =
        error(folder.path(), 2, &["propagate", "sigmoid", "--init", "eoc", "--sigma-p", "1"]);
    assert!(refused.contains("cond"), "{refused}");
}

#[test]
fn propagate_measures_derivatives_beside_the_prediction() {
    let folder = tempfile::tempdir().unwrap();
    let base = ["propagate", "tanh", "--depth", "12", "--width", "256", "--batch", "20"];
    let report = json(folder.path(), &[&base[..], &["--derivatives", "--json"]].concat());
    let derivatives = &report["derivatives"];
    let list = |name: &str| -> Vec<f64> {
        let values = derivatives[name].as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap()).collect()
    };
    assert_eq!((&derivatives["coordinates"], &derivatives["missing"]), (&2.into(), &Value::Null));
    let measured = list("derivative_variance");
    let predicted = list("predicted_derivative_variance");
    assert_eq!((measured.len(), predicted.len()), (12, 12));
    assert!((predicted[0] - 1.0884249).abs() < 1e-6, "{predicted:?}");
    assert!((measured[0] / predicted[0] - 1.0).abs() < 0.1, "{measured:?}");
    assert!((list("predicted_laplacian_variance")[0] - 8.33838).abs() < 1e-4);
    assert_eq!(list("laplacian_variance").len(), 12);
    let plain = json(folder.path(), &[&base[..], &["--json"]].concat());
    assert_eq!(plain["derivatives"], Value::Null);
    assert_eq!(plain["forward_variance"], report["forward_variance"]);

    let relu = [&["propagate", "relu", "--derivatives", "--coordinates", "3"], &SMALL[..]].concat();
    let (text, _) = texts(&vi3nr(folder.path(), &relu));
    let (_, table) = text.split_once("variances of derivatives by 3 coordinates").unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((rows[0][0], rows[0][2], rows[0][4], rows[1][0]), ("1", "1", "-", "10"), "{text}");
    assert!(table.contains("\nnot predicted: E[f''^2] of relu"), "{table}");
    let message = error(folder.path(), 2, &["propagate", "tanh", "--coordinates", "3"]);
    assert!(message.contains("--derivatives"), "{message}");
    let message =
        error(folder.path(), 2, &["propagate", "tanh", "--derivatives", "--coordinates", "65"]);
    assert!(message.contains("--coordinates"), "{message}");
}

#[test]
fn propagate_draws_variances_and_takes_other_weights() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for shape in ["uniform", "normal", "truncated-normal", "orthogonal"] {
        let arguments = ["propagate", "tanh", "--distribution", shape, "--plot", "v.svg", "--json"];
        let report = json(folder.path(), &[&arguments[..], &SMALL[..]].concat());
        assert_eq!((&report["distribution"], &report["plot"]), (&shape.into(), &"v.svg".into()));
        seen.push(report["e_b"].as_f64().unwrap());
        let drawing = fs::read_to_string(folder.path().join("v.svg")).unwrap();
        let title = format!("f = tanh, ours:sigma_p=1, {shape} weights: 10 layers of 48 units");
        assert!(drawing.contains(&title) && drawing.contains("variance of the gradient"));
    }
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
    let png = [&["propagate", "relu", "--plot", "v.png"], &SMALL[..]].concat();
    let (text, _) = texts(&vi3nr(folder.path(), &png));
    assert!(text.ends_with("v.png\n"), "{text}");
    assert!(fs::read(folder.path().join("v.png")).unwrap().starts_with(b"\x89PNG"));
    let message = error(folder.path(), 2, &["propagate", "relu", "--plot", "v.pdf"]);
    assert!(message.contains("v.pdf"), "{message}");
}

#[test]
fn table_1_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &["repro", "table1", "--seeds", "2", "--json"]);
    let ours = cell(&report, "Ours", "tanh", "variance");
    assert_eq!((&ours["verdict"], &ours["paper"]), (&"agrees".into(), &"2.54".into()));
    let kumar = cell(&report, "Kumar", "sigmoid", "variance");
    assert_eq!(kumar["verdict"], "differs");
    assert!((kumar["ours"].as_f64().unwrap() - 12.8).abs() < 1e-9);
    assert!(kumar["reason"].as_str().unwrap().contains("3.6"));
    let root = cell(&report, "Eq. (13), exact", "tanh", "sigma_p");
    assert_eq!((&root["ours"], &root["verdict"]), (&Value::Null, &"differs".into()));
    for cell in report["cells"].as_array().unwrap() {
        let explained = cell["verdict"] != "differs" || cell["reason"].is_string();
        assert!(explained, "{cell}");
    }
    let lines = fs::read_to_string(folder.path().join("repro-results/table1/table1.csv")).unwrap();
    assert_eq!(lines.lines().count(), report["cells"].as_array().unwrap().len() + 1);
}

#[test]
fn figure_2a_has_its_ridge_on_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let report = json(folder.path(), &["repro", "fig2a", "--out", "f", "--json"]);
    let ratio = report["cells"][0]["ours"].as_f64().unwrap();
    assert!((ratio - 0.6436).abs() < 0.01, "{ratio}");
    for file in ["fig2a.csv", "fig2a.json", "fig2a.png", "fig2a.svg", "fig2a-map.csv"] {
        assert!(folder.path().join("f").join(file).is_file(), "{file}");
    }
}

#[test]
fn deep_tables_take_other_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["repro", "table2", "--seeds", "2", "--json"], &SMALL[..]].concat();
    let report = json(folder.path(), &arguments);
    assert_eq!(report["settings"]["depth"], 10);
    let ours = cell(&report, "Ours", "relu", "e_f");
    assert_eq!(ours["repetitions"], 2);
    // One run of something random says nothing about its spread.
    let once = [&["repro", "table2", "--seeds", "1", "--json"], &SMALL[..]].concat();
    let once = json(folder.path(), &once);
    assert_eq!(cell(&once, "Ours", "relu", "e_f")["verdict"], "shown");
    // The rectifier's weights are the same for four methods.
    assert_eq!(ours["ours"], cell(&report, "Kaiming", "relu", "e_f")["ours"]);
}

#[test]
fn impossible_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["propagate", "tanh", "--depth", "0"][..],
        &["propagate", "tanh", "--width", "1"],
        &["propagate", "tanh", "--width", "60000"],
        &["propagate", "tanh", "--batch", "0"],
        &["propagate", "gaussian", "--scheme", "kumar"],
        &["propagate", "tanh", "--scheme", "siren"],
        &["repro", "table9"],
        &["repro", "table5"],
        &["repro", "all"],
        &["repro", "table5", "--data", "no/such/folder"],
        &["repro", "table5", "--data", "."],
        &["repro", "table1", "--seeds", "0"],
        &["repro", "table2", "--batch", "0"],
    ] {
        error(folder.path(), 2, arguments);
    }
}
