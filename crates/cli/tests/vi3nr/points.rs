//! Shapes from points.

use std::fs;
use std::path::Path;

use crate::{error, json, texts, vi3nr};

/// A tetrahedron as OBJ.
const TETRAHEDRON: &str =
    "v 1 1 1\nv -1 -1 1\nv -1 1 -1\nv 1 -1 -1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";

/// Writes `name` with points of the tetrahedron.
fn sample(folder: &Path, name: &str, more: &[&str]) {
    fs::write(folder.join("tetra.obj"), TETRAHEDRON).unwrap();
    let command = ["sample", "tetra.obj", "--points", "400", "--out", name, "--json"];
    let seen = json(folder, &[&command[..], more].concat());
    assert_eq!(seen["points"], 400);
    assert_eq!(seen["normals"], !more.contains(&"--no-normals"));
}

/// Fits a small network to `file` in `folder`.
fn fit(file: &str, more: &[&str]) -> Vec<String> {
    let small = ["--width", "8", "--layers", "3", "--steps", "3", "--batch", "60", "--overwrite"];
    let words = [&["fit", file, "--out", "run"], &small[..], more].concat();
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn points_are_drawn_fitted_and_compared_with_their_mesh() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, more) in
        [("a.xyz", &[][..]), ("b.ply", &["--no-normals"]), ("c.pcd", &["--noise", "0.01"])]
    {
        sample(folder, name, more);
        let words = fit(name, &["--json"]);
        let report = json(folder, &words.iter().map(String::as_str).collect::<Vec<_>>());
        let terms = report["terms"].as_array().unwrap();
        let names: Vec<&str> = terms.iter().map(|term| term["term"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["value:power=1", "normal", "eikonal:power=1", "off-surface", "heat:lambda=8"]
        );
        assert_eq!(terms[1]["weight"], 100.0);
        let form = if more.contains(&"--no-normals") { "points" } else { "oriented-points" };
        let info = json(folder, &["info", "run", "--json"]);
        assert_eq!(
            (&info["signal"]["form"], &info["signal"]["elements"]),
            (&form.into(), &400.into())
        );
        assert_eq!(info["plan"]["supervision"]["surface"][0], "value:3000,power=1");
        let metrics = json(folder, &["eval", "run", "tetra.obj", "--grid", "16", "--json"]);
        assert!(metrics["iou"].is_f64(), "{metrics}");
    }
    let sampled = fs::read(folder.join("a.xyz")).unwrap();
    sample(folder, "a.xyz", &[]);
    assert!(
        sampled == fs::read(folder.join("a.xyz")).unwrap(),
        "the same arguments, the same points"
    );
}

#[test]
fn terms_are_given_one_by_one_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    sample(folder, "a.xyz", &[]);
    let run = |more: &[&str]| {
        let words = fit("a.xyz", more);
        vi3nr(folder, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (plan, _) = texts(&run(&["--dry-run", "--term", "igr", "--term", "eikonal:0.5"]));
    assert!(plan.contains("terms     value:1,power=1 gradient:1,power=1 eikonal:0.5\n"), "{plan}");
    let (report, _) = texts(&run(&["--term", "igr"]));
    assert!(report.contains("\nterm gradient:power=1: "), "{report}");
    let request = serde_json::json!({"terms": ["igr", "eikonal:0.5"]}).to_string();
    fs::write(folder.join("request.json"), request).unwrap();
    assert_eq!(texts(&run(&["--dry-run", "--request", "request.json"])).0, plan);
}

#[test]
fn impossible_terms_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    sample(folder, "a.xyz", &[]);
    for (more, reason) in [
        (&["--term", "ikonal"][..], "no term 'ikonal'"),
        (&["--term", "directional:1"], "--term: directional:1, for which shapes have no targets"),
        (&["--term", "igr", "--supervise", "distance"], "--supervise, --term"),
        (&["--optimizer", "kfac"], "points that are drawn anew"),
        (&["--clamp", "0.1"], "--clamp"),
    ] {
        let words = fit("a.xyz", more);
        let seen = error(folder, 2, &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(seen.contains(reason), "{more:?}: {seen}");
    }
    let seen = error(folder, 2, &["fit", "--term", "igr"]);
    assert!(seen.contains("--term") && seen.contains("images have no targets"), "{seen}");
    let seen = error(folder, 2, &["sample", "tetra.obj", "--out", "a.obj"]);
    assert!(seen.contains(".xyz"), "{seen}");
}
