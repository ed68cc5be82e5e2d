//! The report of reproduced tables and figures.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vi3nr_inr::model_file::Model;
use vi3nr_inr::run_directory::MODEL_FILE;
use vi3nr_inr::signal::{Signal, SignalKind};

use super::images::{LEFT_IMAGES, tile};
use super::run::KnownRun;
use super::{Block, Page, ReportError, ReportImage, Section, cell, read, read_json};

/// The maximum number of images of runs that are shown for a table.
const MAX_IMAGES: usize = 24;

/// A page about the results that `vi3nr repro` wrote into `folder` or into folders in it.
///
/// # Errors
/// Returns [`ReportError::Content`] if there are no results, and [`ReportError::Read`] if a file
/// cannot be read.
pub fn of_repro(folder: &Path) -> Result<Page, ReportError> {
    let mut results = Vec::new();
    find(folder, &mut results)?;
    for inner in folders(folder)? {
        find(&inner, &mut results)?;
    }
    if results.is_empty() {
        let reason = "it holds neither run.json nor a result of vi3nr repro".into();
        return Err(ReportError::Content { path: folder.to_owned(), reason });
    }
    results.sort_by(|a, b| a.0["name"].as_str().cmp(&b.0["name"].as_str()));
    let sections: Result<Vec<Section>, ReportError> =
        results.iter().map(|(result, folder)| section(result, folder)).collect();
    Ok(Page {
        title: "The paper's tables and figures, reproduced".into(),
        subtitle: format!("VI³NR (CVPR 2025), {} of its tables and figures", results.len()),
        sections: sections?,
    })
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let fail = |source| ReportError::Read { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(fail)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.retain(|path| path.is_dir() && path.extension().is_none());
    paths.sort();
    Ok(paths)
}

/// Adds the results in a folder: JSON files that begin with the name of their table or figure.
fn find(folder: &Path, results: &mut Vec<(Value, PathBuf)>) -> Result<(), ReportError> {
    let fail = |source| ReportError::Read { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        let Some(stem) = path.file_stem().filter(|_| is_json) else { continue };
        let result = read_json(&path)?;
        let is_own =
            result["name"].as_str().is_some_and(|own| stem.to_string_lossy().starts_with(own));
        if is_own && (result["cells"].is_array() || result["rows"].is_array()) {
            results.push((result, folder.to_owned()));
        }
    }
    Ok(())
}

fn section(result: &Value, folder: &Path) -> Result<Section, ReportError> {
    let name = result["name"].as_str().unwrap_or_default();
    let mut blocks = Vec::new();
    for key in ["caption", "note"] {
        blocks.extend(result[key].as_str().map(|text| Block::Text(text.into())));
    }
    let list = |key: &str| result[key].as_array().cloned().unwrap_or_default();
    let (cells, mut rows, maps) = (list("cells"), list("rows"), list("maps"));
    for row in &mut rows {
        for key in ["effect", "paper_effect"] {
            row[key] = effect(&row[key], result["is_maximized"] == true);
        }
    }
    if !cells.is_empty() {
        blocks.push(columns(
            &cells,
            &[
                "row",
                "column",
                "quantity",
                "paper",
                "ours",
                "sd",
                "repetitions",
                "verdict",
                "reason",
            ],
        ));
    }
    if !rows.is_empty() {
        blocks.push(columns(
            &rows,
            &[
                "name",
                "paper",
                "paper_sd",
                "ours",
                "sd",
                "count",
                "last",
                "order",
                "than",
                "effect",
                "paper_effect",
                "size",
                "note",
                "reason",
            ],
        ));
    }
    if !maps.is_empty() {
        blocks.push(columns(
            &maps,
            &["name", "paper", "ratio", "spread", "columns", "width", "reason"],
        ));
    }
    let fail = |source| ReportError::Read { path: folder.to_owned(), source };
    let mut figures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.extension().is_some_and(|ending| ending == "svg") && stem.starts_with(name) {
            figures.push(path);
        }
    }
    figures.sort();
    for path in figures {
        let svg = String::from_utf8_lossy(&read(&path)?).into_owned();
        blocks.push(Block::Chart { svg, caption: String::new() });
    }
    let images = images(&rows, &folder.join(format!("{name}.trials")))?;
    if !images.is_empty() {
        blocks.push(Block::Images { images, is_scaled: true });
    }
    let title = result["title"].as_str().unwrap_or_default();
    Ok(Section { heading: format!("{name}: {title}"), blocks })
}

/// The reconstruction of the first signal by the best settings of each row, and before the first of
/// each signal the ground truth, if its file still exists.
fn images(rows: &[Value], trials: &Path) -> Result<Vec<ReportImage>, ReportError> {
    let mut images = Vec::new();
    let mut shown = HashSet::new();
    for row in rows {
        let Some(id) = row["runs"][0].as_i64() else { continue };
        let directory = crate::sweep::TrialFolders::directory_in(trials, id);
        for (name, _) in LEFT_IMAGES {
            let path = directory.join(name);
            if path.is_file() && images.len() < MAX_IMAGES {
                images.extend(ground_truth(&directory, &mut shown));
                let caption = row["name"].as_str().unwrap_or_default().into();
                images.push(ReportImage { caption, png: read(&path)? });
            }
        }
    }
    Ok(images)
}

/// The ground truth of the image of a run, unless it is in `shown` already or cannot be read.
fn ground_truth(directory: &Path, shown: &mut HashSet<String>) -> Option<ReportImage> {
    let model = Model::load(&directory.join(MODEL_FILE)).ok()?;
    if model.signal.kind() != SignalKind::Image {
        return None;
    }
    let truth = KnownRun::read(directory).ok()?.truth(&model).ok()?;
    let is_new = shown.insert(truth.fingerprint());
    if is_new { tile(&truth, "ground truth".into()) } else { None }
}

/// An effect as text if it has an interval: a difference with its margin, or a quotient with the factor
/// of its interval. Results of earlier versions have numbers.
fn effect(effect: &Value, is_difference: bool) -> Value {
    let (Some(value), Some(margin)) = (effect.get("value"), effect.get("margin")) else {
        return effect.clone();
    };
    match (margin.is_null(), is_difference) {
        (true, _) => value.clone(),
        (_, true) => format!("{} ± {}", cell(value), cell(margin)).into(),
        (_, false) => format!("{} within a factor of {}", cell(value), cell(margin)).into(),
    }
}

/// A table of these entries of the objects; columns without a value are left out.
fn columns(objects: &[Value], names: &[&str]) -> Block {
    let is_filled = |value: &Value| !value.is_null() && value.as_str() != Some("");
    let is_used = |name: &&&str| objects.iter().any(|object| is_filled(&object[**name]));
    let names: Vec<&str> = names.iter().filter(is_used).copied().collect();
    let row = |object: &Value| names.iter().map(|name| cell(&object[*name])).collect();
    Block::Table {
        head: names.iter().map(|name| heading(name).to_owned()).collect(),
        rows: objects.iter().map(row).collect(),
    }
}

/// The heading of a column that shows this key.
fn heading(key: &str) -> &str {
    match key {
        "sd" => "standard deviation",
        "paper_sd" => "paper's standard deviation",
        "count" => "runs",
        "than" => "compared with",
        "effect" => "effect size",
        "paper_effect" => "paper's effect size",
        "last" => "at the last step",
        "size" => "size beside the paper's",
        "note" => "best settings",
        "ratio" => "parameter / σₚ along the ridge",
        "spread" => "geometric standard deviation",
        "columns" => "columns with a ridge",
        "width" => "share of a column near its best score",
        key => key,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn effects_are_shown_with_their_intervals() {
        let own = json!({"value": 52.25, "margin": 19.5});
        assert_eq!(effect(&own, true), "52.250 ± 19.500");
        assert_eq!(effect(&own, false), "52.250 within a factor of 19.500");
        assert_eq!(effect(&json!({"value": 2.5, "margin": null}), true), 2.5);
        assert_eq!(effect(&json!(1.5), true), 1.5);
        assert_eq!(effect(&Value::Null, true), Value::Null);
    }
}
