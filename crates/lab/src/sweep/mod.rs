//! Many fits from one file: which settings, in which order, what came out.
//!
//! Read in the order in which a sweep meets them: `file` (what a TOML file may say), `setting` (one field
//! of a request with its values), `trial` and `plan` (all combinations as [`Trial`]s), `identity` (what a trial's
//! request means for its signal), `strategy` (which trials are wanted, given what is known), `store` (what is
//! known: one SQLite file), `executor` (who runs a trial: [`InProcessExecutor`], [`ChildExecutor`]), `run`
//! (the loop that joins them), `summary` and `table` (the best, as text and CSV) and `figures` (maps and
//! curves).
//!
//! A [`Trial`] is one [`FitRequest`](vi3nr_inr::request::FitRequest) with one row of the store as its
//! result. The row is found by the canonical form of the trial's
//! [`FitPlan`](vi3nr_inr::plan::FitPlan), so results of other defaults, other versions of the format or
//! another content of the file are never taken for the trial's. Which trials are wanted is a function of the
//! plan and the rows alone, so a sweep that was killed goes on where it stopped, and another
//! [`Executor`], a cluster's queue for example, may run them.

mod error;
mod executor;
mod figures;
mod file;
mod identity;
mod plan;
mod run;
mod setting;
mod store;
mod strategy;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod trial;

use std::path::{Path, PathBuf};

pub use error::SweepError;
pub use executor::{
    ChildExecutor, Ended, Executor, ExecutorName, InProcessExecutor, Job, Outcome, TrialFolders,
};
pub use figures::{Figure, figures};
pub use file::{CaseFile, SweepFile};
pub use identity::Identity;
pub use plan::{Case, Plan};
pub use run::{Event, run};
pub use setting::{Assignment, Setting, Value};
pub use store::{Row, State, Store};
pub use strategy::{Known, Strategy, TrialScore};
pub use summary::{Counts, Entry, Score, Summary};
pub use trial::Trial;

/// Where a sweep keeps what it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPaths {
    /// The database.
    pub database: PathBuf,
    /// The run directories of the trials.
    pub trials: PathBuf,
}

impl SweepPaths {
    /// Beside the file, or at `database`, with the run directories beside that: `a.toml` has
    /// `a.sqlite` and `a.trials`.
    pub fn of(file: &Path, database: Option<&Path>) -> Self {
        let database = database.map_or_else(|| file.with_extension("sqlite"), Path::to_owned);
        Self { trials: database.with_extension("trials"), database }
    }
}
