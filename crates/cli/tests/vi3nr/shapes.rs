//! Shapes from the file to the mesh.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{error, json, texts, vi3nr};

/// A sphere of radius 5 around (20, 0, -3), faces turned outwards: rings of `n` vertices.
fn sphere(n: usize) -> String {
    let mut vertices = vec![[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]];
    let mut faces = Vec::new();
    let at = |ring: usize, i: usize| 2 + ring * n + i % n;
    for ring in 0..n - 1 {
        let polar = std::f64::consts::PI * (ring + 1) as f64 / n as f64;
        for i in 0..n {
            let around = std::f64::consts::TAU * i as f64 / n as f64;
            let (sin, cos) = polar.sin_cos();
            vertices.push([sin * around.cos(), sin * around.sin(), cos]);
            if ring == 0 {
                faces.push(format!("3 0 {} {}", at(0, i), at(0, i + 1)));
            } else {
                let [a, b] = [at(ring - 1, i), at(ring - 1, i + 1)];
                faces.push(format!("4 {a} {} {} {b}", at(ring, i), at(ring, i + 1)));
            }
            if ring == n - 2 {
                faces.push(format!("3 1 {} {}", at(ring, i + 1), at(ring, i)));
            }
        }
    }
    let rows: Vec<String> = vertices
        .iter()
        .map(|[x, y, z]| format!("{} {} {}", 5.0 * x + 20.0, 5.0 * y, 5.0 * z - 3.0))
        .collect();
    format!(
        "ply\nformat ascii 1.0\nelement vertex {}\nproperty float x\nproperty float y\n\
         property float z\nelement face {}\nproperty list uchar int vertex_indices\nend_header\n\
         {}\n{}\n",
        vertices.len(),
        faces.len(),
        rows.join("\n"),
        faces.join("\n")
    )
}

/// Fits a small network to `ball.ply` in `folder`.
fn fit(folder: &Path, out: &str, arguments: &[&str]) -> Value {
    let small = [
        "fit",
        "ball.ply",
        "--json",
        "--overwrite",
        "--out",
        out,
        "--width",
        "32",
        "--layers",
        "4",
    ];
    let training =
        ["--steps", "150", "--batch", "900", "--lr", "1e-3", "--activation", "sine:omega=10"];
    json(folder, &[&small[..], &training, arguments].concat())
}

fn bounds(ply: &[u8]) -> [[f32; 2]; 3] {
    let end = ply.windows(11).position(|bytes| bytes == b"end_header\n").unwrap() + 11;
    let head = std::str::from_utf8(&ply[..end]).unwrap();
    let line = head.lines().find(|line| line.starts_with("element vertex")).unwrap();
    let count: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
    let mut bounds = [[f32::INFINITY, f32::NEG_INFINITY]; 3];
    for vertex in ply[end..end + 24 * count].chunks(24) {
        for (axis, bounds) in bounds.iter_mut().enumerate() {
            let x = f32::from_le_bytes(vertex[4 * axis..4 * axis + 4].try_into().unwrap());
            *bounds = [bounds[0].min(x), bounds[1].max(x)];
        }
    }
    bounds
}

#[test]
fn a_ball_is_fitted_measured_and_turned_back_into_triangles() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("ball.ply"), sphere(24)).unwrap();
    let report = fit(folder, "run", &[]);
    assert!(report["iou"].as_f64().unwrap() > 0.95, "{report}");
    assert!(folder.join("run/preview.png").is_file());
    let csv = fs::read_to_string(folder.join("run/metrics.csv")).unwrap();
    assert!(csv.starts_with("step,loss,learning_rate,seconds\n"), "{csv}");

    let info = json(folder, &["info", "run", "--json"]);
    let signal = &info["signal"];
    assert_eq!((&signal["kind"], &signal["elements"]), (&"shape".into(), &1104.into()));
    assert_eq!(signal["closed"], true);
    assert!((signal["scale"].as_f64().unwrap() - 5.0).abs() < 0.01, "{signal}");
    assert_eq!(info["dims"], serde_json::json!([3, 32, 32, 32, 1]));
    assert_eq!(info["settings"]["source"]["file"], "ball.ply");

    let metrics = json(folder, &["eval", "run", "--against", "ball.ply", "--grid", "48", "--json"]);
    let metric = |name: &str| metrics[name].as_f64().unwrap();
    assert!(metric("iou") > 0.95 && metric("iou_band_0.05") > 0.7, "{metrics}");
    assert!(metric("chamfer") < 0.01 && metric("normal_consistency") > 0.95, "{metrics}");

    for name in ["a.ply", "a.obj", "a.stl"] {
        let mesh = json(folder, &["mesh", "run", "--out", name, "--resolution", "40", "--json"]);
        assert_eq!(mesh["watertight"], true, "{mesh}");
        assert!(mesh["faces"].as_u64().unwrap() > 1000, "{mesh}");
        // What is written is a shape like any other, and close to the first.
        let metrics = json(folder, &["eval", "run", "--against", name, "--grid", "32", "--json"]);
        assert!(metrics["iou"].as_f64().unwrap() > 0.9, "{name}: {metrics}");
    }
    // The units of the file.
    let bounds = bounds(&fs::read(folder.join("a.ply")).unwrap());
    for (bounds, expected) in bounds.iter().zip([[15.0, 25.0], [-5.0, 5.0], [-8.0, 2.0]]) {
        assert!((0..2).all(|i| (bounds[i] - expected[i]).abs() < 0.5), "{bounds:?}");
    }

    let curved = ["decode", "run", "--resolution", "40", "--attributes", "curvature", "--out"];
    let found = json(folder, &[&curved[..], &["curved.ply", "--json"]].concat());
    let names = ["k1", "k2", "mean_curvature", "gaussian_curvature"];
    assert_eq!(found["attributes"], serde_json::json!(names));
    json(folder, &["eval", "run", "curved.ply", "--grid", "32", "--json"]);
    let message = error(folder, 2, &[&curved[..], &["curved.stl"]].concat());
    assert!(message.contains("--attributes: curvature in 'curved.stl'"), "{message}");

    let output = vi3nr(folder, &["mesh", "run", "--out", "b.ply", "--resolution", "40"]);
    let (stdout, stderr) = texts(&output);
    assert!(stdout.starts_with("b.ply (") && stdout.contains("faces, watertight)"), "{stdout}");
    assert_eq!(stderr, "");
    assert!(
        fs::read(folder.join("a.ply")).unwrap() == fs::read(folder.join("b.ply")).unwrap(),
        "the same model and resolution give the same bytes"
    );
}

#[test]
fn threads_change_no_byte_and_the_seed_does() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("ball.ply"), sphere(8)).unwrap();
    let model = |out: &str, arguments: &[&str]| {
        fit(folder, out, &[&["--steps", "12"], arguments].concat());
        fs::read(folder.join(out).join("model.safetensors")).unwrap()
    };
    let one = model("one", &["--threads", "1"]);
    assert!(one == model("two", &["--threads", "2"]));
    assert!(one != model("other", &["--seed", "1"]));
    assert!(one != model("clamped", &["--clamp", "0.05"]));
    assert!(one != model("absolute", &["--loss", "absolute"]));
    assert!(one != model("paper", &["--preset", "paper"]));
}

#[test]
fn a_surface_with_a_hole_is_fitted_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sphere(8);
    let holed = whole.replace("\n3 0 2 3\n", "\n3 0 2 2\n");
    assert_ne!(whole, holed);
    fs::write(folder.path().join("ball.ply"), holed).unwrap();
    let arguments = ["fit", "ball.ply", "--width", "16", "--layers", "3", "--steps", "5"];
    let (stdout, stderr) = texts(&vi3nr(folder.path(), &arguments));
    assert!(stdout.contains("not watertight") && stdout.contains("IoU"), "{stdout}");
    for part in ["1 faces with a repeated corner were dropped", "not watertight (3 open edges)"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn a_single_triangle_is_a_shape_without_an_inside() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("one.obj"), "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n").unwrap();
    let arguments = ["fit", "one.obj", "--width", "16", "--layers", "3", "--steps", "5"];
    let output =
        vi3nr(folder, &[&arguments[..], &["--json", "--overwrite", "--out", "run"]].concat());
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("not watertight (3 open edges)"), "{stderr}");
    assert!(stdout.contains("\"iou\":0.0"), "{stdout}");
}

#[test]
fn the_papers_experiment_on_shapes_is_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("ball.ply"), sphere(8)).unwrap();
    let small = ["fit", "ball.ply", "--width", "16", "--layers", "3", "--steps", "2"];
    let paper = ["--preset", "paper", "--overwrite", "--out", "run"];
    let (text, _) = texts(&vi3nr(folder, &[&small[..], &paper].concat()));
    for part in ["Table 6 of the paper: IoU", "Gaussian + our init", "0.9697", "this fit"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let info = json(folder, &["info", "run", "--json"]);
    let settings = &info["settings"];
    assert_eq!((&settings["batch"], &settings["learning_rate"]), (&30_000.into(), &3e-5.into()));
    assert_eq!(settings["schedule"]["factor"], 0.9999);
    let source = &settings["source"];
    assert_eq!((&source["loss"], &source["clamp"]), (&"absolute".into(), &Value::Null));

    let sources = [(&[][..], "squared"), (&["--loss", "absolute"], "absolute")];
    for (arguments, loss) in sources {
        let fast = ["--json", "--overwrite", "--out", "run"];
        json(folder, &[&small[..], &fast, arguments].concat());
        let settings = &json(folder, &["info", "run", "--json"])["settings"];
        assert_eq!(settings["batch"], 6144);
        let source = &settings["source"];
        assert_eq!((&source["loss"], &source["clamp"]), (&loss.into(), &0.1.into()));
    }
}

#[test]
fn what_cannot_be_done_with_shapes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |name: &str, content: &str| fs::write(folder.join(name), content).unwrap();
    let ball = sphere(6);
    write("ball.ply", &ball);
    write(
        "empty.ply",
        &ball.lines().filter(|line| !line.contains("face")).collect::<Vec<_>>().join("\n"),
    );
    write("flat.obj", "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n");
    write("nan.obj", "v 0 0 0\nv nan 0 0\nv 0 1 0\nf 1 2 3\n");
    write("far.ply", &ball.replace("element vertex", "element vertex 1000000000\ncomment"));
    write("cut.ply", &ball[..ball.len() / 2]);
    write("index.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n");
    for (file, reason) in [
        ("empty.ply", ""),
        ("flat.obj", "no area"),
        ("nan.obj", "expected finite numbers"),
        ("far.ply", "1000000000"),
        ("cut.ply", ""),
        ("index.obj", "out of bounds"),
    ] {
        let text = error(folder, 2, &["fit", file, "--steps", "1"]);
        assert!(text.contains(file) && text.contains(reason), "{text}");
    }
    for (arguments, reason) in [
        (&["fit", "ball.ply", "--crop", "8"][..], "only images have this setting"),
        (&["fit", "--clamp", "0.1"], "needs a FILE"),
        (&["fit", "--loss", "squared"], "needs a FILE"),
        (&["fit", "ball.ply", "--batch", "full"], "drawn anew"),
        (&["fit", "ball.ply", "--target-psnr", "30"], "--target-psnr"),
    ] {
        let text = error(folder, 2, arguments);
        assert!(text.contains(reason), "{text}");
    }
    fit(folder, "run", &["--steps", "1"]);
    crate::small_fit(folder, "image", &[]);
    for (arguments, reason) in [
        (&["decode", "run", "--out", "a.png"][..], ".ply, .obj or .stl"),
        (&["mesh", "image", "--out", "a.ply"], "kind image"),
        (&["mesh", "run", "--out", "a.gltf"], ".stl"),
        (&["mesh", "run", "--out", "a.ply", "--resolution", "7"], "expected 8 to 2048"),
        (&["eval", "image", "--against", "ball.ply"], "a surface in space"),
    ] {
        let text = error(folder, 2, arguments);
        assert!(text.contains(reason), "{text}");
    }
    assert!(!folder.join("a.ply").exists());
}
