//! Reproducing the paper's tables and figures of trained networks as sweeps.
//!
//! `file` reads the experiments (`repro/table5.toml` to `table8.toml`, `fig2b.toml` to `fig5.toml`)
//! and makes the plan of a sweep for a profile. `result` puts our scores beside the paper's numbers,
//! `comparison` judges the differences, and `report` writes the results.

mod comparison;
mod crossing;
mod file;
mod report;
mod result;
mod ridge;

use std::path::Path;
use std::sync::atomic::AtomicBool;

pub use comparison::{Effect, Order, Size};
pub use file::{EVALUATIONS, Evaluation, FURTHER, Profile};
pub use report::EvaluationResult;
pub use result::{RowResult, RunScore};
pub use ridge::MapResult;

use super::ReproError;
use crate::sweep::{
    self, Estimate, Event, Figure, Plan, Runner, State, Store, Summary, SweepPaths, TrialFolders,
};

/// An evaluation with the paths of its data and its results.
#[derive(Debug)]
pub struct EvaluationRun {
    name: String,
    profile: Profile,
    evaluation: Evaluation,
    /// The plan of the sweep.
    pub plan: Plan,
    paths: SweepPaths,
}

impl EvaluationRun {
    /// The evaluation `name` of the files in the folder `data` (with `kodak/`, `audio/` and
    /// `shapes/`). Its results are written to the directory `out`.
    ///
    /// # Errors
    /// Returns [`ReproError::Unknown`] for an unknown name, [`ReproError::Data`] if files are
    /// missing, and [`ReproError::Directory`] if the directory cannot be created.
    pub fn new(name: &str, profile: Profile, data: &Path, out: &Path) -> Result<Self, ReproError> {
        let evaluation = Evaluation::named(name)?;
        let fail = |path: &Path, source| ReproError::Directory { path: path.to_owned(), source };
        let data = std::fs::canonicalize(data)
            .map_err(|source| ReproError::Data { path: data.to_owned(), source })?;
        let plan = evaluation.plan(profile, &data)?;
        let settings = plan.cases.iter().flat_map(|case| &case.settings);
        let files = settings.filter(|setting| setting.name == "file");
        for file in files.flat_map(|setting| &setting.values) {
            let path = data.join(&file.text);
            std::fs::metadata(&path).map_err(|source| ReproError::Data { path, source })?;
        }
        std::fs::create_dir_all(out).map_err(|source| fail(out, source))?;
        let paths = SweepPaths::of(&out.join(format!("{name}.toml")), None);
        Ok(Self { name: name.into(), profile, evaluation, plan, paths })
    }

    /// Runs the trials without a result, `jobs` at a time, by `runner`. If `stop` was set before the
    /// end, the result is that of the trials so far, and another call continues.
    ///
    /// # Errors
    /// Returns [`ReproError::Sweep`] if a program cannot be started or results cannot be stored, and
    /// the errors of the executor.
    pub fn run(
        &self,
        runner: &Runner,
        jobs: Option<usize>,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<EvaluationResult, ReproError> {
        let folders = TrialFolders::lock(&self.paths.trials)?;
        let mut store = Store::open(&self.paths.database)?;
        let is_done = runner.run(&self.plan, &mut store, &folders, jobs, stop, watch)?;
        self.result(&store, is_done)
    }

    /// The work of the trials without a result.
    ///
    /// # Errors
    /// Returns [`ReproError::Sweep`] if stored results cannot be read or a trial is invalid.
    pub fn estimate(&self) -> Result<Estimate, ReproError> {
        let store = Store::open(&self.paths.database)?;
        Ok(self.plan.estimate(&store)?)
    }

    fn result(&self, store: &Store, is_complete: bool) -> Result<EvaluationResult, ReproError> {
        let summary = Summary::new(&self.plan, store)?;
        let scheduled =
            self.plan.strategy.scheduled(&self.plan, &|t| self.plan.trial_score(store, t))?;
        let rows = result::rows(&self.evaluation, &self.plan, &summary, store)?;
        let figures = match result::curves(&self.evaluation, &self.plan, &rows) {
            Some(chart) => vec![("curves".to_owned(), Figure::Chart(chart))],
            None => sweep::figures(&self.plan, store)?,
        };
        let mut seconds = 0.0;
        let mut ended = 0;
        for trial in &scheduled {
            let Some(row) = self.plan.row(store, trial)? else { continue };
            seconds += row.seconds;
            ended += usize::from(row.state != State::Waiting);
        }
        Ok(EvaluationResult {
            name: self.name.clone(),
            title: self.evaluation.title.clone(),
            caption: self.evaluation.caption.clone(),
            profile: self.profile,
            note: self.evaluation.note(self.profile).into(),
            metric: self.plan.metric.clone(),
            is_maximized: self.plan.is_maximized,
            rows,
            maps: ridge::maps(&self.evaluation, &self.plan, &summary)?,
            figures,
            is_complete,
            trials: ended,
            seconds,
            run_directories: self.paths.trials.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
