//! Many fits from one file: which settings, in which order, what came out.
//!
//! Read in the order in which a sweep meets them: `file` (what a TOML file may say), `setting` (one
//! setting with its values), `plan` (all combinations as [`Trial`]s), `strategy` (which of them are wanted,
//! given what is known), `store` (what is known: one SQLite file), `executor` (who runs a trial), `run` (the
//! loop that joins them), `summary` (the best, as text and CSV) and `figures` (maps and curves).
//!
//! A [`Trial`] is one command line of `vi3nr fit` with one row of the store as its result. Which trials are
//! wanted is a function of the plan and the rows alone, so a sweep that was killed goes on where it
//! stopped, and another executor, a cluster's queue for example, may fill in the rows.

mod error;
mod executor;
mod figures;
mod file;
mod plan;
mod run;
mod setting;
mod store;
mod strategy;
mod summary;

use std::path::{Path, PathBuf};

pub use error::SweepError;
pub use executor::{ChildExecutor, Ended};
pub use figures::{Figure, figures};
pub use file::{CaseFile, SweepFile};
pub use plan::{Case, Plan, Trial};
pub use run::{Event, run};
pub use setting::{Chosen, Setting, Value};
pub use store::{Row, State, Store};
pub use strategy::{Strategy, Verdict};
pub use summary::{Entry, Summary};

/// Where a sweep keeps what it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The database.
    pub database: PathBuf,
    /// The run directories of the trials.
    pub trials: PathBuf,
}

impl Places {
    /// Beside the file, or at `database`, with the run directories beside that: `a.toml` has
    /// `a.sqlite` and `a.trials`.
    pub fn of(file: &Path, database: Option<&Path>) -> Self {
        let database = database.map_or_else(|| file.with_extension("sqlite"), Path::to_owned);
        Self { trials: database.with_extension("trials"), database }
    }
}
