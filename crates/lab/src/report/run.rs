//! The report of one fit.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use vi3nr_engine::Backend;
use vi3nr_inr::chart::{Chart, Curve, Panel, Scale};
use vi3nr_inr::model_file::{Model, Origin};
use vi3nr_inr::pieces::MAP_FILES;
use vi3nr_inr::prepare::TEST_PICTURE_SIDE;
use vi3nr_inr::run_directory::{MODEL_FILE, RunDirectory, RunRecord, StoredRun, Version1Run};
use vi3nr_inr::signal::image::{Image, test_picture};
use vi3nr_inr::signal::{Signal, SignalInfo, SignalKind};

use super::pictures::{DRAWN, side_by_side};
use super::{Block, Page, Picture, ReportError, Section, entries, read};

/// What a page tells of a run, whichever version wrote it.
struct Known {
    /// The numbers that came out; null while the run goes on.
    report: Value,
    conventions: Value,
    settings: Value,
    subtitle: String,
    /// The file that was fitted, or why it is not known; `None` for the test picture.
    file: Result<Option<PathBuf>, String>,
}

/// A page about the run in `directory`. Where an image was fitted and its file still is where it was,
/// truth, reconstruction and error stand side by side, computed on `backend`; else the page says why not
/// and shows the pictures that the run left.
///
/// # Errors
/// Returns [`ReportError::Run`] if there is no run or its record is damaged, [`ReportError::Model`] if
/// its model cannot be read, [`ReportError::Evaluate`] if that cannot be evaluated, and
/// [`ReportError::Read`] if another file cannot be read.
pub fn of_run(directory: &Path, backend: &dyn Backend) -> Result<Page, ReportError> {
    let known = match RunDirectory::read(directory)? {
        StoredRun::Current(record) => Known::current(&record),
        StoredRun::Version1(run) => Known::version_1(&run),
    };
    let mut blocks = Vec::new();
    let mut pictures = Vec::new();
    if directory.join(MODEL_FILE).exists() {
        match compared(directory, &known, backend)? {
            Ok(compared) => pictures = compared,
            Err(reason) => {
                blocks.push(Block::Text(format!("The ground truth is not shown: {reason}.")));
            }
        }
    }
    if pictures.is_empty() {
        pictures = left(directory, &DRAWN)?;
    }
    if !pictures.is_empty() {
        blocks.push(Block::Pictures(pictures));
    }
    let mut sections = Vec::new();
    if !blocks.is_empty() {
        sections.push(Section { heading: "Pictures".into(), blocks });
    }
    let maps = left(directory, &MAP_FILES)?;
    if !maps.is_empty() {
        sections.push(Section { heading: "Pieces".into(), blocks: vec![Block::Pictures(maps)] });
    }
    let result = match &known.report {
        Value::Null => Block::Text("The run has not ended.".into()),
        report => table(&["number", "value"], report),
    };
    sections.push(Section { heading: "Result".into(), blocks: vec![result] });
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
    for (heading, head, values) in [
        ("Conventions", ["number", "meaning"], &known.conventions),
        ("Settings", ["setting", "value"], &known.settings),
    ] {
        sections.push(Section { heading: heading.into(), blocks: vec![table(&head, values)] });
    }
    let name = directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy();
    Ok(Page { title: format!("Fit: {name}"), subtitle: known.subtitle, sections })
}

impl Known {
    fn current(record: &RunRecord) -> Self {
        let plan = &record.plan;
        Self {
            report: record.report.clone().unwrap_or_default(),
            conventions: Value::Object(record.conventions.clone()),
            settings: json!({
                "request": record.request.settings(),
                "plan": plan.to_json(),
                "vi3nr_version": record.vi3nr_version,
            }),
            subtitle: format!(
                "{}, {}, seed {}",
                plan.network.activation(),
                plan.init.scheme,
                plan.seed
            ),
            file: Ok(record.request.file.clone()),
        }
    }

    fn version_1(run: &Version1Run) -> Self {
        let value = run.run.clone().unwrap_or_default();
        let mut settings = Map::new();
        for name in ["network", "seed", "settings", "signal", "vi3nr_version"] {
            settings.insert(name.into(), value[name].clone());
        }
        // The record names the file without its folder, the command may have it.
        let file = match value["settings"]["source"]["file"].as_str() {
            None => Ok(None),
            Some(name) => {
                let is_own = |word: &&String| {
                    Path::new(word).file_name().is_some_and(|own| own.to_string_lossy() == name)
                };
                let found = run.command.words.iter().find(is_own);
                let missing = || format!("version 1 did not keep where '{name}' was");
                found.map(|word| Some(run.command.folder.join(word))).ok_or_else(missing)
            }
        };
        Self {
            report: value["report"].clone(),
            conventions: value["conventions"].clone(),
            subtitle: format!(
                "{}, {}, seed {}",
                value["network"]["activation"].as_str().unwrap_or_default(),
                value["settings"]["init"].as_str().unwrap_or_default(),
                value["seed"]
            ),
            settings: Value::Object(settings),
            file,
        }
    }
}

/// Those of the pictures `names` that the run left.
fn left(directory: &Path, names: &[&str]) -> Result<Vec<Picture>, ReportError> {
    let paths = names.iter().map(|name| (name, directory.join(name)));
    let picture = |(name, path): (&&str, PathBuf)| {
        Ok(Picture { caption: name.trim_end_matches(".png").into(), png: read(&path)? })
    };
    paths.filter(|(_, path)| path.is_file()).map(picture).collect()
}

/// The image that a run was fitted to beside what the network made of it; nothing for other signals.
/// The inner error says why there is no ground truth.
fn compared(
    directory: &Path,
    known: &Known,
    backend: &dyn Backend,
) -> Result<Result<Vec<Picture>, String>, ReportError> {
    let model = Model::load(&directory.join(MODEL_FILE))?;
    let kind = model.signal.kind();
    if kind != SignalKind::Image {
        return Ok(Ok(Vec::new()));
    }
    let truth = match &known.file {
        Err(reason) => return Ok(Err(reason.clone())),
        Ok(None) => test_picture(TEST_PICTURE_SIDE).map_err(|error| error.to_string()),
        Ok(Some(file)) => {
            let options = model.origin.options(kind);
            Image::open(file, &options.image).map_err(|error| error.to_string())
        }
    };
    let truth = match truth {
        Ok(truth) => truth,
        Err(reason) => return Ok(Err(reason)),
    };
    if let Origin::Fit { plan, .. } = &model.origin
        && *model.signal == *(&truth.image_info() as &dyn SignalInfo)
        && truth.fingerprint() != plan.source.fingerprint
    {
        return Ok(Err("the file has changed since it was fitted".into()));
    }
    let pictures = side_by_side(&truth, &model, backend)?;
    if pictures.is_empty() {
        return Ok(Err("the file has another size than the one that was fitted".into()));
    }
    Ok(Ok(pictures))
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
