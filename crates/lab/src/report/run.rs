//! The report of one fit.

use std::path::Path;

use serde_json::Value;

use super::pictures::DRAWN;
use super::{Block, Page, Picture, ReportError, Section, entries, read, read_json};
use vi3nr_inr::chart::{Chart, Curve, Panel, Scale};

/// A page about the run in `directory`. `compared` are pictures of truth, reconstruction and error where
/// there are some; else those that the run left are shown.
///
/// # Errors
/// Files that cannot be read.
pub fn of_run(directory: &Path, compared: Vec<Picture>) -> Result<Page, ReportError> {
    let run = read_json(&directory.join("run.json"))?;
    let mut pictures = compared;
    if pictures.is_empty() {
        for name in DRAWN {
            let path = directory.join(name);
            if path.is_file() {
                let caption = name.trim_end_matches(".png").into();
                pictures.push(Picture { caption, png: read(&path)? });
            }
        }
    }
    let mut sections = Vec::new();
    if !pictures.is_empty() {
        sections
            .push(Section { heading: "Pictures".into(), blocks: vec![Block::Pictures(pictures)] });
    }
    sections.push(Section {
        heading: "Result".into(),
        blocks: vec![table(&["number", "value"], &run["report"])],
    });
    let metrics = directory.join("metrics.csv");
    if metrics.is_file() {
        let rows = String::from_utf8_lossy(&read(&metrics)?).into_owned();
        let svg = curves(&rows).to_svg()?;
        let caption = "Over the steps, each before its update.".into();
        sections.push(Section {
            heading: "Training".into(),
            blocks: vec![Block::Chart { svg, caption }],
        });
    }
    sections.push(Section {
        heading: "Conventions".into(),
        blocks: vec![table(&["number", "meaning"], &run["conventions"])],
    });
    let mut settings = Value::Object(serde_json::Map::new());
    for name in ["network", "seed", "settings", "signal", "vi3nr_version"] {
        settings[name] = run[name].clone();
    }
    sections.push(Section {
        heading: "Settings".into(),
        blocks: vec![table(&["setting", "value"], &settings)],
    });
    let name = directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy();
    let activation = run["network"]["activation"].as_str().unwrap_or_default();
    let init = run["settings"]["init"].as_str().unwrap_or_default();
    Ok(Page {
        title: format!("Fit: {name}"),
        subtitle: format!("{activation}, {init}, seed {}", run["seed"]),
        sections,
    })
}

fn table(head: &[&str], object: &Value) -> Block {
    let mut rows = Vec::new();
    entries("", object, &mut rows);
    Block::Table { head: head.iter().map(|name| (*name).into()).collect(), rows }
}

/// The loss, what the signal says of it, and the learning rate over the steps.
fn curves(csv: &str) -> Chart {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let rows: Vec<Vec<f64>> = lines
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    let panel = |(column, name): (usize, &&str)| {
        let point = |row: &Vec<f64>| Some((*row.first()?, *row.get(column)?));
        let points: Vec<(f64, f64)> = rows.iter().filter_map(point).collect();
        let is_log = matches!(*name, "loss" | "learning_rate");
        Panel {
            title: (*name).into(),
            scale: if is_log { Scale::Log } else { Scale::Linear },
            curves: vec![Curve { label: String::new(), points }],
            level: None,
            marks: Vec::new(),
        }
    };
    let shown = names.iter().enumerate().filter(|(_, name)| !matches!(**name, "step" | "seconds"));
    Chart {
        title: String::new(),
        x_label: "step".into(),
        x_scale: Scale::Linear,
        panels: shown.map(panel).collect(),
    }
}
