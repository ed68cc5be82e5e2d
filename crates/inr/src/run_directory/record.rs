//! `run.json`: the request, the plan and the report of a run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::plan::FitPlan;
use crate::request::FitRequest;
use crate::session::Fit;
use crate::signal::Signal;
use crate::train::Stop;

/// The format version of `run.json`.
pub const RUN_FORMAT: u32 = 2;

/// The content of `run.json`, which is written when a run begins and again when it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunRecord {
    /// The format version, [`RUN_FORMAT`].
    pub format: u32,
    /// The version of the program that wrote the record.
    pub vi3nr_version: String,
    /// The request, with absolute paths.
    pub request: FitRequest,
    /// The plan.
    pub plan: FitPlan,
    /// The report, a [`FitReport`](crate::session::FitReport) as JSON; `None` until the run ends.
    pub report: Option<Value>,
    /// The convention of each number of the report.
    #[serde(default)]
    pub conventions: Map<String, Value>,
    /// The names of the files of the signal's kind in the directory.
    #[serde(default)]
    pub files: Vec<PathBuf>,
}

impl RunRecord {
    /// The record of a run that begins.
    pub(super) fn new(request: &FitRequest, plan: &FitPlan) -> Self {
        Self {
            format: RUN_FORMAT,
            vi3nr_version: env!("CARGO_PKG_VERSION").into(),
            request: request.clone(),
            plan: plan.clone(),
            report: None,
            conventions: Map::new(),
            files: Vec::new(),
        }
    }

    /// The record of a run that has ended with `fit`.
    pub(super) fn ended(
        request: &FitRequest,
        fit: &Fit,
        signal: &dyn Signal,
        files: &[PathBuf],
    ) -> Self {
        let mut conventions = Map::new();
        let loss = fit.plan.supervision.loss_convention().unwrap_or(signal.loss_convention());
        conventions.insert("loss".into(), loss.into());
        for metric in &fit.report.metrics.all {
            let words = [metric.unit, metric.convention].map(str::to_owned);
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            conventions.insert(metric.name.into(), words.join(", ").into());
        }
        let names = files.iter().filter_map(|file| file.file_name().map(PathBuf::from));
        Self {
            report: Some(json!(fit.report)),
            conventions,
            files: names.collect(),
            ..Self::new(request, &fit.plan)
        }
    }

    /// Why training ended, if the run has ended.
    pub fn stopped(&self) -> Option<Stop> {
        stopped(self.report.as_ref()?)
    }

    /// Whether the run has ended without being interrupted.
    pub fn has_ended(&self) -> bool {
        self.stopped().is_some_and(|stop| stop != Stop::Interrupted)
    }
}

/// Why training ended, according to `report`.
pub(super) fn stopped(report: &Value) -> Option<Stop> {
    Stop::deserialize(report.get("stopped")?).ok()
}

/// The record of a run in its directory.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredRun {
    /// A run of this version.
    Current(Box<RunRecord>),
    /// A run of version 1, which stored a command line.
    Version1(Version1Run),
}

/// A run of version 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Version1Run {
    /// The command that began it.
    pub command: StartingCommand,
    /// `run.json`, if the run has ended.
    pub run: Option<Value>,
}

/// The command line that began a run of version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartingCommand {
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    /// The arguments of `vi3nr fit`.
    pub words: Vec<String>,
}

impl StoredRun {
    /// The report, if the run has ended without being interrupted.
    pub fn report(&self) -> Option<&Value> {
        match self {
            Self::Current(record) => record.report.as_ref().filter(|_| record.has_ended()),
            Self::Version1(run) => {
                let report = run.run.as_ref()?.get("report")?;
                stopped(report).filter(|stop| *stop != Stop::Interrupted).map(|_| report)
            }
        }
    }
}
