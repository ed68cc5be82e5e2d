//! Sweeps: many fits that one TOML file describes, run and compared.
//!
//! The modules, in the order in which a sweep uses them:
//!
//! - `file`: the contents of the TOML file;
//! - `setting`: one field of a request with its values;
//! - `trial` and `plan`: all combinations of values as [`Trial`]s;
//! - `identity`: the plan of a trial's request for its signal;
//! - `strategy`: the trials that are scheduled, given the scores so far;
//! - `store`: the results, in one SQLite database;
//! - `executor`: running a trial ([`InProcessExecutor`], [`ChildExecutor`]);
//! - `run`: the main loop;
//! - `estimate`: the work that is left;
//! - [`slurm`]: the main loop on a cluster;
//! - `summary` and `table`: the results as text and CSV;
//! - `figures`: the results as heat maps and curves.
//!
//! A [`Trial`] is one [`FitRequest`](vi3nr_inr::request::FitRequest) with one row of the store as
//! its result. The key of the row is the canonical form of the trial's
//! [`FitPlan`](vi3nr_inr::plan::FitPlan), so results that belong to other defaults, another version
//! of the format or another content of the file are never mistaken for the trial's. The scheduled
//! trials are a function of the plan and the rows alone. A sweep that was killed therefore
//! continues where it stopped, and the trials can run anywhere: a [`Runner`] runs them in this process,
//! in child processes or on a cluster.

mod error;
mod estimate;
mod executor;
mod figures;
mod file;
mod identity;
mod plan;
mod run;
mod setting;
pub mod slurm;
mod store;
mod strategy;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod trial;

use std::path::{Path, PathBuf};

pub use error::SweepError;
pub use estimate::Estimate;
pub use executor::{
    ChildExecutor, Ended, Executor, ExecutorName, ExecutorRequest, InProcessExecutor, Job, Outcome,
    Runner, TrialFolders,
};
pub use figures::{Figure, figures};
pub use file::{CaseFile, SweepFile};
pub use identity::Identity;
pub use plan::{Case, Plan};
pub use run::{Event, run};
pub use setting::{Assignment, Setting, Value};
pub use store::{Row, State, Store};
pub use strategy::{Scores, Strategy, TrialScore};
pub use summary::{Counts, Entry, Score, Summary};
pub use trial::Trial;

/// The locations of a sweep's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPaths {
    /// The database.
    pub database: PathBuf,
    /// The folder of the trials' run directories.
    pub trials: PathBuf,
}

impl SweepPaths {
    /// The paths for a sweep's `file`: `a.toml` has the database `a.sqlite` and the folder
    /// `a.trials`. If `database` is given, the folder lies beside that database.
    pub fn of(file: &Path, database: Option<&Path>) -> Self {
        let database = database.map_or_else(|| file.with_extension("sqlite"), Path::to_owned);
        Self { trials: database.with_extension("trials"), database }
    }
}
