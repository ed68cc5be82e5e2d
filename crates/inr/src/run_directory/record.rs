//! `run.json`: what a run was asked for, what it does and what came out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::plan::FitPlan;
use crate::request::FitRequest;
use crate::session::Fit;
use crate::signal::Signal;
use crate::train::Stop;

/// The version of `run.json`.
pub const RUN_FORMAT: u32 = 2;

/// `run.json`, written when a run begins and again when it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunRecord {
    /// [`RUN_FORMAT`].
    pub format: u32,
    /// The version of the program that wrote it.
    pub vi3nr_version: String,
    /// What was asked for, with absolute paths.
    pub request: FitRequest,
    /// What is done.
    pub plan: FitPlan,
    /// What came out: a [`FitReport`](crate::session::FitReport); `None` while the run goes on.
    pub report: Option<Value>,
    /// The convention of each number of the report.
    #[serde(default)]
    pub conventions: Map<String, Value>,
    /// The files that the signal drew, inside the directory.
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
        conventions.insert("loss".into(), signal.loss_convention().into());
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

    /// Whether the run has ended otherwise than by an interrupt.
    pub fn has_ended(&self) -> bool {
        self.stopped().is_some_and(|stop| stop != Stop::Interrupted)
    }
}

/// Why training ended, as a report says.
pub(super) fn stopped(report: &Value) -> Option<Stop> {
    Stop::deserialize(report.get("stopped")?).ok()
}

/// What a run directory says of its run.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredRun {
    /// A run of this version.
    Current(Box<RunRecord>),
    /// A run of version 1, which kept a command line.
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
    /// The words after `vi3nr fit`.
    pub words: Vec<String>,
}

impl StoredRun {
    /// The report of a run that has ended otherwise than by an interrupt.
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
