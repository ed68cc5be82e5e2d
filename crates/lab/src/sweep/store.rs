//! What is known of a sweep's trials: one SQLite file, a row for each command line.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};
use serde_json::Value;

use super::{SweepError, Trial};

/// Tells SQLite files of sweeps from others: "vi3n".
const APPLICATION: i64 = 0x7669_336e;
/// Version of the tables.
const FORMAT: i64 = 1;

/// `arguments` is the command line as a JSON array, `result` what the command printed.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS trial (
        id INTEGER PRIMARY KEY,
        arguments TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')) DEFAULT 'waiting',
        attempts INTEGER NOT NULL DEFAULT 0,
        result TEXT,
        error TEXT,
        seconds REAL,
        version TEXT
    )";

/// How far a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has no result yet.
    Waiting,
    /// It has its result.
    Done,
    /// It ended without one, as often as `attempts` says.
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// What is known of one trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number, from 1.
    pub id: i64,
    /// How far it is.
    pub state: State,
    /// How often it has ended.
    pub attempts: u32,
    /// What the command printed.
    pub result: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took, the last time.
    pub seconds: f64,
}

/// The open database with all its rows.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    rows: HashMap<String, Row>,
}

impl Store {
    /// Opens the database, a new one if there is none.
    ///
    /// # Errors
    /// A file that is no sweep's database, or what the system reports.
    pub fn open(path: &Path) -> Result<Self, SweepError> {
        let connection = Connection::open(path);
        Self::with(path, connection, |connection| {
            let is_new: bool =
                connection
                    .query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| row.get(0))?;
            if is_new {
                connection.pragma_update(None, "application_id", APPLICATION)?;
                connection.pragma_update(None, "user_version", FORMAT)?;
                connection.execute(TABLE, [])?;
            }
            Ok(())
        })
    }

    /// Opens an existing database to read it.
    ///
    /// # Errors
    /// As [`Store::open`]; also where there is none.
    pub fn open_existing(path: &Path) -> Result<Self, SweepError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        Self::with(path, connection, |_| Ok(()))
    }

    fn with(
        path: &Path,
        connection: rusqlite::Result<Connection>,
        prepare: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Self, SweepError> {
        let fail = |reason: String| SweepError::Store { path: path.to_owned(), reason };
        let open = || -> rusqlite::Result<(Connection, i64, i64)> {
            let connection = connection?;
            connection.busy_timeout(std::time::Duration::from_secs(10))?;
            prepare(&connection)?;
            let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
            let (application, format) = (pragma("application_id")?, pragma("user_version")?);
            Ok((connection, application, format))
        };
        let (connection, application, format) = open().map_err(|error| fail(error.to_string()))?;
        if application != APPLICATION {
            return Err(fail("it is a database of something else".into()));
        }
        if format != FORMAT {
            let reason = format!("its format is {format}, this version reads {FORMAT}");
            return Err(fail(reason));
        }
        let rows = read(&connection).map_err(|error| fail(error.to_string()))?;
        Ok(Self { connection, path: path.to_owned(), rows })
    }

    /// What is known of a trial.
    pub fn get(&self, trial: &Trial) -> Option<&Row> {
        self.rows.get(&key(trial))
    }

    /// Gives every trial a row, those that have one keep it.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn add(&mut self, trials: &[Trial]) -> Result<(), SweepError> {
        // A combination may be listed twice.
        let mut seen = HashSet::new();
        let keys = trials.iter().map(key).filter(|key| !self.rows.contains_key(key));
        let new: Vec<String> = keys.filter(|key| seen.insert(key.clone())).collect();
        let add = |connection: &mut Connection| -> rusqlite::Result<Vec<i64>> {
            let transaction = connection.transaction()?;
            let mut ids = Vec::new();
            for key in &new {
                transaction.execute("INSERT INTO trial (arguments) VALUES (?1)", params![key])?;
                ids.push(transaction.last_insert_rowid());
            }
            transaction.commit()?;
            Ok(ids)
        };
        let ids = add(&mut self.connection).map_err(|error| self.error(&error))?;
        for (key, id) in new.into_iter().zip(ids) {
            let row = Row {
                id,
                state: State::Waiting,
                attempts: 0,
                result: None,
                error: None,
                seconds: 0.0,
            };
            self.rows.insert(key, row);
        }
        Ok(())
    }

    /// Keeps how a trial ended; it is on disk when this returns.
    ///
    /// # Errors
    /// What SQLite reports.
    pub fn put(&mut self, trial: &Trial, row: Row) -> Result<(), SweepError> {
        let result = row.result.as_ref().map(Value::to_string);
        self.connection
            .execute(
                "UPDATE trial SET state = ?2, attempts = ?3, result = ?4, error = ?5, seconds = ?6, \
                 version = ?7 WHERE id = ?1",
                params![
                    row.id,
                    row.state.word(),
                    row.attempts,
                    result,
                    row.error,
                    row.seconds,
                    env!("CARGO_PKG_VERSION")
                ],
            )
            .map_err(|error| self.error(&error))?;
        self.rows.insert(key(trial), row);
        Ok(())
    }

    fn error(&self, error: &rusqlite::Error) -> SweepError {
        SweepError::Store { path: self.path.clone(), reason: error.to_string() }
    }
}

/// The command line as it is kept.
fn key(trial: &Trial) -> String {
    Value::from(trial.arguments()).to_string()
}

fn read(connection: &Connection) -> rusqlite::Result<HashMap<String, Row>> {
    let mut statement = connection
        .prepare("SELECT arguments, id, state, attempts, result, error, seconds FROM trial")?;
    let rows = statement.query_map([], |row| {
        let state: String = row.get(2)?;
        let result: Option<String> = row.get(4)?;
        let result = result.and_then(|text| serde_json::from_str(&text).ok());
        let state = match state.as_str() {
            // A result that cannot be read is none.
            "done" if result.is_some() => State::Done,
            "failed" => State::Failed,
            _ => State::Waiting,
        };
        let known = Row {
            id: row.get(1)?,
            state,
            attempts: row.get(3)?,
            result,
            error: row.get(5)?,
            seconds: row.get::<_, Option<f64>>(6)?.unwrap_or(0.0),
        };
        Ok((row.get(0)?, known))
    })?;
    rows.collect()
}
