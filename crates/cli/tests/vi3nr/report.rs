//! `report`: one file, readable anywhere, checked in a real browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{error, json, small_fit};

/// A Chromium on this machine, or none (with a message).
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut places =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = places.find(|place| place.is_file());
    if found.is_none() {
        eprintln!("skipped: no Chromium in PATH; the report is not opened in a browser");
    }
    found
}

/// Put at the end of a copy of the report: leaves what a reader would see in the title.
const PROBE: &str = "<script>addEventListener('load', () => {
  const size = e => [e.tagName.toLowerCase(), e.getBoundingClientRect().width, e.naturalWidth ?? 1];
  document.title = JSON.stringify({
    figures: [...document.querySelectorAll('img, svg')].map(size),
    fits: document.documentElement.scrollWidth <= innerWidth,
  });
})</script></body>";

/// Opens the report without a network, on a narrow window, and checks that every figure is drawn and
/// that nothing is complained of. Returns how many figures there are.
fn open_in_browser(report: &Path) -> Option<usize> {
    let browser = chromium()?;
    let folder = tempfile::tempdir().unwrap();
    let probed = folder.path().join("probed.html");
    let html = fs::read_to_string(report).unwrap();
    fs::write(&probed, html.replace("</body>", PROBE)).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .args(["--window-size=500,900", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", probed.display()))
        .output()
        .unwrap();
    let (dom, log) = crate::texts(&output);
    let title = dom.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let (title, _) = title.unwrap_or_else(|| panic!("the browser shows nothing: {log}"));
    let seen: Value = serde_json::from_str(&title.replace("&quot;", "\"")).unwrap();
    let complaints: Vec<_> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    assert_eq!(seen["fits"], true, "the page is wider than the window");
    let figures = seen["figures"].as_array().unwrap();
    for figure in figures {
        let (width, natural) = (figure[1].as_f64().unwrap(), figure[2].as_f64().unwrap());
        assert!(width > 50.0 && natural > 0.0, "{figure}");
    }
    Some(figures.len())
}

fn report_of(folder: &Path, result: &str) -> PathBuf {
    let object = json(folder, &["report", result, "--out", "r.html", "--json"]);
    assert_eq!(object["report"], "r.html");
    let path = folder.join("r.html");
    let html = fs::read_to_string(&path).unwrap();
    for outside in ["http://", "https://", "src=\"/", "@import", "<script"] {
        // The name space of SVG is a name, not an address that is asked for.
        let html = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!html.contains(outside), "{outside}");
    }
    path
}

#[test]
fn a_fit_is_shown_beside_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    small_fit(folder.path(), "run", &["--seed", "7"]);
    let report = report_of(folder.path(), "run");
    let html = fs::read_to_string(&report).unwrap();
    for part in
        ["ground truth", "absolute error; white is ", "PSNR", "SSIM", "sine:omega=20", "seed 7"]
    {
        assert!(html.contains(part), "{part}");
    }
    // Three images and the curves.
    if let Some(figures) = open_in_browser(&report) {
        assert_eq!(figures, 4);
    }
}

#[test]
fn a_sweep_and_a_reproduction_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("s.toml"),
        "title = 'a < b'\nmaximise = 'psnr'\n[settings]\nwidth = 8\nlayers = 3\nsteps = 3\n\
         activation = { format = 'gaussian:sigma={}', values = [0.05, 0.1] }\n\
         sigma-p = [0.1, 0.2]\n",
    )
    .unwrap();
    json(folder.path(), &["sweep", "s.toml", "--json"]);
    let report = report_of(folder.path(), "s.toml");
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.contains("a &lt; b") && html.contains("4 trials done"), "{html}");
    if let Some(figures) = open_in_browser(&report) {
        assert_eq!(figures, 1);
    }
    json(folder.path(), &["repro", "fig2a", "--out", "results", "--json"]);
    let report = report_of(folder.path(), "results");
    assert!(fs::read_to_string(&report).unwrap().contains("ridge of the map"));
    if let Some(figures) = open_in_browser(&report) {
        assert_eq!(figures, 1);
    }
}

#[test]
fn what_is_no_result_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("file.txt"), "x").unwrap();
    for result in ["missing", "empty", "file.txt"] {
        error(folder.path(), 2, &["report", result]);
    }
}
