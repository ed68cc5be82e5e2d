//! The report of one fit.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use vi3nr_engine::Backend;
use vi3nr_inr::chart::{Chart, Curve, Panel, Scale};
use vi3nr_inr::model_file::{Model, Origin};
use vi3nr_inr::pieces::MAP_FILES;
use vi3nr_inr::prepare::TEST_IMAGE_SIDE;
use vi3nr_inr::preset::Preset;
use vi3nr_inr::run_directory::{MODEL_FILE, RunDirectory, RunRecord, StoredRun, Version1Run};
use vi3nr_inr::signal::image::{Image, test_image};
use vi3nr_inr::signal::{Signal, SignalInfo, SignalKind};

use super::images::{ImageComparison, LEFT_IMAGES, compare_images};
use super::{Block, Page, ReportError, ReportImage, Section, read, words};

/// What is known of a run, whichever version of vi3nr wrote it.
pub(super) struct KnownRun {
    /// The numbers of the result; null until the run ends.
    report: Value,
    conventions: Value,
    settings: Value,
    subtitle: String,
    /// Whether the run follows the paper, so that its PSNR is reported by the paper's convention,
    /// too.
    follows_paper: bool,
    /// The file that was fitted, or why it is not known; `None` for the test image.
    file: Result<Option<PathBuf>, String>,
}

/// A page about the run in `directory`.
///
/// If the run fitted an image and its file still exists, the page shows the ground truth, the
/// reconstruction and their error side by side, computed on `backend`. Otherwise it says why not,
/// and shows the images that the run left.
///
/// # Errors
/// Returns [`ReportError::Run`] if there is no run or its record is damaged, [`ReportError::Model`]
/// if its model cannot be read, [`ReportError::Evaluate`] if the model cannot be evaluated, and
/// [`ReportError::Read`] if another file cannot be read.
pub fn of_run(directory: &Path, backend: &dyn Backend) -> Result<Page, ReportError> {
    let mut known = KnownRun::read(directory)?;
    let mut blocks = Vec::new();
    let model = directory.join(MODEL_FILE);
    if let Ok(metadata) = std::fs::metadata(&model) {
        match compared(directory, &known, backend)? {
            Some(Ok(comparison)) => {
                known.add("ssim", comparison.ssim.into());
                blocks.push(Block::Images { images: comparison.images, is_scaled: true });
                if !comparison.crops.is_empty() {
                    blocks.push(Block::Images { images: comparison.crops, is_scaled: false });
                }
            }
            Some(Err(reason)) => {
                blocks.push(Block::Text(format!("The ground truth is not shown: {reason}.")));
            }
            None => {}
        }
        known.add("model_size", file_size(metadata.len()).into());
    }
    if !blocks.iter().any(|block| matches!(block, Block::Images { .. })) {
        let images = left(directory, &LEFT_IMAGES)?;
        if !images.is_empty() {
            blocks.push(Block::Images { images, is_scaled: true });
        }
    }
    let mut sections = Vec::new();
    let mut add = |heading: &str, blocks: Vec<Block>| {
        if !blocks.is_empty() {
            sections.push(Section { heading: heading.into(), blocks });
        }
    };
    add("Reconstruction", blocks);
    let result = match &known.report {
        Value::Null => Block::Text("The run has not ended.".into()),
        report => table(
            &["quantity", "value", "convention"],
            words::results(&without_twins(report, known.follows_paper), &known.conventions),
        ),
    };
    let mut results = judgements(&known.report);
    results.push(result);
    add("Result", results);
    let maps = left(directory, &MAP_FILES.map(|name| (name, "quality of the pieces and work")))?;
    add(
        "Pieces",
        maps.into_iter().map(|map| Block::Images { images: vec![map], is_scaled: true }).collect(),
    );
    let metrics = directory.join("metrics.csv");
    if metrics.is_file() {
        let rows = String::from_utf8_lossy(&read(&metrics)?).into_owned();
        let svg = curves(&rows, known.follows_paper).to_svg()?;
        let caption = "Each value is that before the update of its step.".into();
        add("Training", vec![Block::Chart { svg, caption }]);
    }
    add("Settings", vec![table(&["setting", "value"], words::settings(&known.settings))]);
    let name = directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy();
    Ok(Page { title: format!("Fit: {name}"), subtitle: known.subtitle, sections })
}

impl KnownRun {
    /// What the files in `directory` say of their run.
    pub(super) fn read(directory: &Path) -> Result<Self, ReportError> {
        Ok(match RunDirectory::read(directory)? {
            StoredRun::Current(record) => Self::current(&record),
            StoredRun::Version1(run) => Self::version_1(&run),
        })
    }

    fn current(record: &RunRecord) -> Self {
        let plan = &record.plan;
        let mut settings = plan.to_json();
        if let Value::Object(settings) = &mut settings {
            settings.insert("vi3nr_version".into(), record.vi3nr_version.as_str().into());
            if let Some(file) = &record.request.file {
                let path = file.to_string_lossy();
                settings.insert("request".into(), json!({ "file": path }));
                // The same file without its folder.
                settings["source"].as_object_mut().map(|source| source.remove("file"));
            }
        }
        Self {
            report: record.report.clone().unwrap_or_default(),
            conventions: Value::Object(record.conventions.clone()),
            settings,
            subtitle: subtitle(
                plan.network.activation().to_string(),
                plan.init.scheme.to_string(),
                plan.seed.to_string(),
            ),
            follows_paper: record.request.preset == Some(Preset::Paper),
            file: Ok(record.request.file.clone()),
        }
    }

    fn version_1(run: &Version1Run) -> Self {
        let value = run.run.clone().unwrap_or_default();
        let mut settings = Map::new();
        for name in ["network", "seed", "settings", "signal", "vi3nr_version"] {
            settings.insert(name.into(), value[name].clone());
        }
        // The record names the file without its folder, which the command may have.
        let file = match value["settings"]["source"]["file"].as_str() {
            None => Ok(None),
            Some(name) => {
                let is_own = |word: &&String| {
                    Path::new(word).file_name().is_some_and(|own| own.to_string_lossy() == name)
                };
                let found = run.command.words.iter().find(is_own);
                let missing = || format!("version 1 did not record the folder of '{name}'");
                found.map(|word| Some(run.command.folder.join(word))).ok_or_else(missing)
            }
        };
        Self {
            report: value["report"].clone(),
            conventions: value["conventions"].clone(),
            subtitle: subtitle(
                value["network"]["activation"].as_str().unwrap_or_default().into(),
                value["settings"]["init"].as_str().unwrap_or_default().into(),
                value["seed"].to_string(),
            ),
            settings: Value::Object(settings),
            follows_paper: run.command.words.iter().any(|word| word == "paper"),
            file,
        }
    }

    /// Adds a number to the result of a run that has ended.
    fn add(&mut self, key: &str, value: Value) {
        if let Value::Object(report) = &mut self.report {
            report.insert(key.into(), value);
        }
    }

    /// The ground truth of the model's image, or why there is none.
    pub(super) fn truth(&self, model: &Model) -> Result<Image, String> {
        let truth = match &self.file {
            Err(reason) => return Err(reason.clone()),
            Ok(None) => test_image(TEST_IMAGE_SIDE),
            Ok(Some(file)) => Image::open(file, &model.origin.options(SignalKind::Image).image),
        };
        let truth = truth.map_err(|error| error.to_string())?;
        if *model.signal != *(&truth.image_info() as &dyn SignalInfo) {
            return Err("the file has another size than the one that was fitted".into());
        }
        match &model.origin {
            Origin::Fit { plan, .. } if truth.fingerprint() != plan.source.fingerprint => {
                Err("the file has changed since it was fitted".into())
            }
            _ => Ok(truth),
        }
    }
}

fn subtitle(activation: String, scheme: String, seed: String) -> String {
    format!("activation {activation}, initialization {scheme}, seed {seed}")
}

/// What a report says about the result in words: the problem, and the warnings.
fn judgements(report: &Value) -> Vec<Block> {
    let warnings = report["warnings"].as_array().into_iter().flatten();
    let sentences = warnings.chain([&report["problem"]]).filter_map(Value::as_str);
    sentences
        .map(|sentence| {
            let mut characters = sentence.chars();
            let first: String =
                characters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
            Block::Text(format!("{first}{}.", characters.as_str()))
        })
        .collect()
}

/// The report without its [`judgements`] and without the second of two numbers for one quality: the PSNR by the paper's
/// convention, unless the run follows the paper.
fn without_twins(report: &Value, follows_paper: bool) -> Value {
    let mut report = report.clone();
    if let Value::Object(report) = &mut report {
        report.retain(|key, _| {
            let is_twin = !follows_paper && key.ends_with("psnr_paper");
            !is_twin && key != "warnings" && key != "problem"
        });
    }
    report
}

/// A number of bytes in KiB or MiB.
fn file_size(bytes: u64) -> String {
    let kibibytes = bytes as f64 / 1024.0;
    match kibibytes < 1024.0 {
        true => format!("{kibibytes:.1} KiB"),
        false => format!("{:.1} MiB", kibibytes / 1024.0),
    }
}

/// Those of the images `names`, files with captions, that the run left.
fn left(directory: &Path, names: &[(&str, &str)]) -> Result<Vec<ReportImage>, ReportError> {
    let paths = names.iter().map(|(name, caption)| (caption, directory.join(name)));
    let image = |(caption, path): (&&str, PathBuf)| {
        Ok(ReportImage { caption: (**caption).into(), png: read(&path)? })
    };
    paths.filter(|(_, path)| path.is_file()).map(image).collect()
}

/// The comparison of the image that a run was fitted to with its reconstruction, or why there is no ground truth.
/// `None` for signals that are not images.
fn compared(
    directory: &Path,
    known: &KnownRun,
    backend: &dyn Backend,
) -> Result<Option<Result<ImageComparison, String>>, ReportError> {
    let model = Model::load(&directory.join(MODEL_FILE))?;
    if model.signal.kind() != SignalKind::Image {
        return Ok(None);
    }
    let truth = match known.truth(&model) {
        Ok(truth) => truth,
        Err(reason) => return Ok(Some(Err(reason))),
    };
    Ok(compare_images(&truth, &model, backend)?.map(Ok))
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> Block {
    Block::Table { head: head.iter().map(|name| (*name).into()).collect(), rows }
}

/// The quality, or the loss of a signal whose loss has no decibels, and the learning rate over the
/// steps.
fn curves(csv: &str, follows_paper: bool) -> Chart {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let rows: Vec<Vec<f64>> = lines
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    let has = |name: &str| names.contains(&name);
    // Both kinds of PSNR and the loss have the same shape: one of them is enough.
    let is_shown = |name: &str| match name {
        "step" | "seconds" => false,
        "loss" => !has("psnr") && !has("snr"),
        "psnr" => !(follows_paper && has("psnr_paper")),
        "psnr_paper" => follows_paper,
        _ => true,
    };
    let panel = |(column, name): (usize, &&str)| {
        let point = |row: &Vec<f64>| Some((*row.first()?, *row.get(column)?));
        let points: Vec<(f64, f64)> = rows.iter().filter_map(point).collect();
        let is_log = matches!(*name, "loss" | "learning_rate");
        Panel {
            title: words::metric(name),
            scale: if is_log { Scale::Log } else { Scale::Linear },
            curves: vec![Curve { label: String::new(), points }],
            level: None,
            marks: Vec::new(),
            range: None,
        }
    };
    let shown = names.iter().enumerate().filter(|(_, name)| is_shown(name));
    Chart {
        title: String::new(),
        x_label: "step".into(),
        x_scale: Scale::Linear,
        panels: shown.map(panel).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_curve_shows_the_quality() {
        let titles = |csv: &str, follows_paper| -> Vec<String> {
            curves(csv, follows_paper).panels.into_iter().map(|panel| panel.title).collect()
        };
        let image = "step,loss,psnr,psnr_paper,learning_rate,seconds\n1,0.1,20,14,1e-3,0.5\n";
        assert_eq!(titles(image, false), ["PSNR in dB", "learning rate"]);
        assert_eq!(titles(image, true), ["PSNR, the paper's convention in dB", "learning rate"]);
        let shape = "step,loss,learning_rate,seconds\n1,0.1,1e-3,0.5\n";
        assert_eq!(titles(shape, false), ["training loss", "learning rate"]);
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(file_size(401_756), "392.3 KiB");
        assert_eq!(file_size(4_463_424), "4.3 MiB");
    }
}
