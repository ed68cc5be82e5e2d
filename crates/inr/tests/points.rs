//! Surfaces from points.
#![cfg(feature = "shape")]

mod common;

use std::fs;
use std::path::Path;

use common::{backend, directory, execute, request, whole_run};
use serde_json::{Value, json};
use vi3nr_inr::decode::values_at;
use vi3nr_inr::evaluate::{evaluate, open_truth};
use vi3nr_inr::model_file::Model;
use vi3nr_inr::request::FitRequest;
use vi3nr_inr::run::Run;
use vi3nr_inr::session::Fit;
use vi3nr_inr::signal::SignalRequest;
use vi3nr_inr::signal::shape::ShapeInfo;

const RADIUS: f64 = 2.0;
const CENTER: [f64; 3] = [5.0, -1.0, 0.5];

/// Points of a sphere, evenly spread along a spiral, with or without normals.
fn sphere(folder: &Path, has_normals: bool) -> FitRequest {
    let count = 1500;
    let golden = std::f64::consts::PI * (3.0 - 5f64.sqrt());
    let mut text = String::new();
    for i in 0..count {
        let z = 1.0 - (2.0 * f64::from(i) + 1.0) / f64::from(count);
        let (sine, cosine) = (golden * f64::from(i)).sin_cos();
        let ring = (1.0 - z * z).sqrt();
        let normal = [ring * cosine, ring * sine, z];
        let at = |axis: usize| CENTER[axis] + RADIUS * normal[axis];
        text += &format!("{} {} {}", at(0), at(1), at(2));
        if has_normals {
            text += &format!(" {} {} {}", normal[0], normal[1], normal[2]);
        }
        text += "\n";
    }
    let name = if has_normals { "normals.xyz" } else { "bare.xyz" };
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    let small = json!({
        "file": file, "width": 32, "layers": 4, "activation": "sine:omega=8", "steps": 500,
        "batch": 600, "lr": 2e-3,
    });
    request(small)
}

fn with(base: &FitRequest, settings: Value) -> FitRequest {
    base.with(&request(settings)).unwrap()
}

/// The mean error of the signed distance on a grid, as a part of the diameter.
fn distance_error(model: &Model) -> f64 {
    let info = model.signal.as_any().downcast_ref::<ShapeInfo>().unwrap();
    let side = 9;
    let at = |index: usize| 2.2 * index as f32 / (side - 1) as f32 - 1.1;
    let points: Vec<f32> = (0..side * side * side)
        .flat_map(|i| [at(i % side), at(i / side % side), at(i / side / side)])
        .collect();
    let values = values_at(model, &points, &backend(2)).unwrap();
    let errors = points.chunks_exact(3).zip(&values).filter_map(|(point, value)| {
        let place = info.placement.restore([0, 1, 2].map(|axis| f64::from(point[axis])));
        let away: f64 = (0..3).map(|axis| (place[axis] - CENTER[axis]).powi(2)).sum();
        let truth = away.sqrt() - RADIUS;
        // The center is a kink of the distance.
        let error = (f64::from(*value) * info.placement.scale - truth).abs() / (2.0 * RADIUS);
        (away.sqrt() > 0.25 * RADIUS).then_some(error)
    });
    let errors: Vec<f64> = errors.collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

fn fit(request: &FitRequest, folder: &Path, name: &str) -> Fit {
    whole_run(request, &folder.join(name))
}

#[test]
fn a_sphere_is_found_from_points_with_and_without_normals() {
    let folder = tempfile::tempdir().unwrap();
    for has_normals in [true, false] {
        let request = sphere(folder.path(), has_normals);
        let name = format!("run-{has_normals}");
        let fit = fit(&request, folder.path(), &name);
        let error = distance_error(&fit.model);
        assert!(error < 0.01, "{has_normals}: {error}");
        let terms: Vec<&str> = fit.report.terms.iter().map(|term| &*term.term).collect();
        assert_eq!(
            terms,
            ["value:power=1", "normal", "eikonal:power=1", "off-surface", "heat:lambda=8"]
        );
        let total: f64 = fit.report.terms.iter().map(|term| term.weight * term.loss).sum();
        assert!((fit.report.loss - total).abs() < 1e-6 * total, "{} {total}", fit.report.loss);
        let csv = fs::read_to_string(folder.path().join(&name).join("metrics.csv")).unwrap();
        let head = "step,loss,value,normal,eikonal,off-surface,heat,learning_rate,seconds\n";
        assert!(csv.starts_with(head), "{csv}");
        // Other points of the sphere, whose center of mass and extent differ.
        let moved = folder.path().join("other.xyz");
        let rows = fs::read_to_string(request.file.as_ref().unwrap()).unwrap();
        let half: Vec<&str> =
            rows.lines().enumerate().filter(|(i, _)| i % 3 > 0).map(|l| l.1).collect();
        fs::write(&moved, half[..half.len() * 9 / 10].join("\n")).unwrap();
        let model = Model::load(&folder.path().join(&name).join("model.safetensors")).unwrap();
        let backend = backend(2);
        let truth = open_truth(&moved, &model, &SignalRequest::default(), Some(32)).unwrap();
        let metrics = evaluate(&model, &*truth, &backend).unwrap();
        assert!(metrics.get("iou_band_0.05").unwrap() > 0.8, "{has_normals}: {metrics:?}");
    }
}

/// The terms of SALD and HotSpot do not determine the sign; the result is positive outside.
#[test]
fn the_distance_is_positive_outside_for_terms_without_a_sign() {
    let folder = tempfile::tempdir().unwrap();
    for (index, terms) in ["sald", "hotspot"].into_iter().enumerate() {
        for seed in 0..2 {
            let base = sphere(folder.path(), false);
            let settings = json!({"terms": terms, "steps": 20, "seed": seed, "width": 8});
            let fit = fit(&with(&base, settings), folder.path(), &format!("run-{index}-{seed}"));
            let corner =
                |bits: usize| [0, 1, 2].map(|axis| if bits >> axis & 1 == 0 { -1.2 } else { 1.2 });
            let faces: Vec<f32> = (0..3)
                .flat_map(|axis| [-1.2, 1.2].map(|side| (axis, side)))
                .flat_map(|(axis, side)| {
                    (0..64).flat_map(move |i| {
                        let place = |index: usize| 0.3 * index as f32 - 1.05;
                        let mut point = [place(i % 8), place(i / 8), 0.0];
                        point.swap(axis, 2);
                        point[axis] = side;
                        point
                    })
                })
                .chain((0..8).flat_map(corner))
                .collect();
            let values = values_at(&fit.model, &faces, &backend(1)).unwrap();
            let negative = values.iter().filter(|value| **value < 0.0).count();
            assert!(negative * 10 < values.len() * 6, "{terms} {seed}: {negative}");
        }
    }
}

#[test]
fn a_resumed_fit_of_points_has_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let base = sphere(folder.path(), false);
    for terms in ["siren heat:10", "sald"] {
        let request = with(&base, json!({"terms": terms, "steps": 210, "batch": 90, "width": 8}));
        let path = |name: &str| folder.path().join(format!("{name}-{}", terms.len()));
        let whole = path("whole");
        whole_run(&request, &whole);
        let cut = path("cut");
        let run = Run::begin(&request, &directory(&cut, false), &backend(1)).unwrap();
        execute(&run, &backend(1), Some(107)).unwrap();
        execute(&run, &backend(3), None).unwrap();
        for name in ["model.safetensors", "preview.png"] {
            let read = |path: &Path| fs::read(path.join(name)).unwrap();
            assert!(read(&cut) == read(&whole), "{terms}: {name}");
        }
        let losses = |path: &Path| -> Vec<String> {
            let text = fs::read_to_string(path.join("metrics.csv")).unwrap();
            text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
        };
        assert_eq!(losses(&cut), losses(&whole));
    }
}
