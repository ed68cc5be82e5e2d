//! The results of a sweep: one SQLite database with a row for each plan.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};
use serde_json::Value;

use super::SweepError;

/// The application id that marks SQLite databases of sweeps: "vi3n".
const APPLICATION: i64 = 0x7669_336e;
/// The version of the tables.
const FORMAT: i64 = 2;
/// The longest time to wait for another process that writes to the database.
const BUSY: Duration = Duration::from_secs(60);

/// `key` is the canonical plan, `request` the request as JSON with paths relative to the folder of
/// the sweep's file, and `result` the report of the fit as JSON.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS trial (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        request TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'diverged', 'failed'))
            DEFAULT 'waiting',
        attempts INTEGER NOT NULL DEFAULT 0,
        result TEXT,
        error TEXT,
        seconds REAL,
        version TEXT
    )";

/// The state of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The trial has no result yet.
    Waiting,
    /// The trial has a result.
    Done,
    /// The loss stopped being finite. The result is that of the best parameters before.
    Diverged,
    /// The trial ended without a result as many times as `attempts` says.
    Failed,
}

impl State {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
        }
    }
}

/// The row of a trial.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The number of the trial, from 1.
    pub id: i64,
    /// The canonical plan: [`Identity::key`](super::Identity::key).
    pub key: String,
    /// The settings of the request, with paths as in the sweep's file.
    pub request: Value,
    /// The state.
    pub state: State,
    /// How many times the trial has ended.
    pub attempts: u32,
    /// The report of the fit.
    pub result: Option<Value>,
    /// The error message of a trial that failed.
    pub error: Option<String>,
    /// The duration of the last attempt, in seconds.
    pub seconds: f64,
    /// The version of vi3nr that ran the trial.
    pub version: Option<String>,
}

/// An open database with all its rows in memory.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    rows: HashMap<String, Row>,
}

impl Store {
    /// Opens the database and creates it if it does not exist. Other processes can read it at any
    /// time; writers wait for each other.
    ///
    /// # Errors
    /// Returns [`SweepError::Store`] if the file is not a sweep's database in this format, with the
    /// remedy, or if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, SweepError> {
        let connection = Connection::open(path);
        Self::with(path, connection, |connection| {
            let count = "SELECT count(*) = 0 FROM sqlite_master";
            let is_new: bool = connection.query_row(count, [], |row| row.get(0))?;
            if is_new {
                connection.pragma_update(None, "application_id", APPLICATION)?;
                connection.pragma_update(None, "user_version", FORMAT)?;
                connection.execute(TABLE, [])?;
            }
            Ok(())
        })
    }

    /// Opens an existing database for reading.
    ///
    /// # Errors
    /// As [`Store::open`], and also if the file does not exist.
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
            connection.busy_timeout(BUSY)?;
            prepare(&connection)?;
            let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
            let (application, format) = (pragma("application_id")?, pragma("user_version")?);
            Ok((connection, application, format))
        };
        let (connection, application, format) = open().map_err(|error| fail(error.to_string()))?;
        if application != APPLICATION {
            return Err(fail("it is not the database of a sweep".into()));
        }
        if format < FORMAT {
            let reason = format!(
                "its format is {format}, of an earlier version of vi3nr with possibly other \
                 defaults, and this version writes format {FORMAT}; move it and its folder of trials \
                 away to run the sweep again, or choose another path for the new database"
            );
            return Err(fail(reason));
        }
        if format > FORMAT {
            let reason = format!(
                "its format is {format}, of a later version of vi3nr, and this version reads \
                 format {FORMAT}"
            );
            return Err(fail(reason));
        }
        if !connection.is_readonly("main").unwrap_or(true) {
            // On file systems without shared memory the journal mode stays unchanged.
            connection
                .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
                .map_err(|error| fail(error.to_string()))?;
        }
        let rows = read(&connection).map_err(|error| fail(error.to_string()))?;
        Ok(Self { connection, path: path.to_owned(), rows })
    }

    /// The row with this key.
    pub fn get(&self, key: &str) -> Option<&Row> {
        self.rows.get(key)
    }

    /// The last row that has a result for a request with these settings.
    pub fn last_of(&self, request: &Value) -> Option<&Row> {
        let has_result = |row: &&Row| row.result.is_some() && row.request == *request;
        self.rows.values().filter(has_result).max_by_key(|row| row.id)
    }

    /// All rows, sorted by number.
    pub fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// Adds a row for each trial, given as a key and the settings of its request. Existing rows are
    /// unchanged.
    ///
    /// # Errors
    /// Returns [`SweepError::Store`] with the error of SQLite.
    pub fn add(&mut self, trials: Vec<(String, Value)>) -> Result<(), SweepError> {
        // A combination may occur twice.
        let mut seen = HashSet::new();
        let is_new = |key: &String| !self.rows.contains_key(key);
        let new: Vec<(String, Value)> =
            trials.into_iter().filter(|(key, _)| is_new(key) && seen.insert(key.clone())).collect();
        let insert = "INSERT INTO trial (key, request) VALUES (?1, ?2)";
        let add = |connection: &mut Connection| -> rusqlite::Result<Vec<i64>> {
            let transaction = connection.transaction()?;
            let mut ids = Vec::new();
            for (key, request) in &new {
                transaction.execute(insert, params![key, request.to_string()])?;
                ids.push(transaction.last_insert_rowid());
            }
            transaction.commit()?;
            Ok(ids)
        };
        let ids = add(&mut self.connection).map_err(|error| self.error(&error))?;
        for ((key, request), id) in new.into_iter().zip(ids) {
            let row = Row {
                id,
                key: key.clone(),
                request,
                state: State::Waiting,
                attempts: 0,
                result: None,
                error: None,
                seconds: 0.0,
                version: None,
            };
            self.rows.insert(key, row);
        }
        Ok(())
    }

    /// Stores the result of a trial. It is on disk when this returns.
    ///
    /// # Errors
    /// Returns [`SweepError::Store`] with the error of SQLite.
    pub fn put(&mut self, row: Row) -> Result<(), SweepError> {
        let row = Row { version: Some(env!("CARGO_PKG_VERSION").into()), ..row };
        let result = row.result.as_ref().map(Value::to_string);
        self.connection
            .execute(
                "UPDATE trial SET state = ?2, attempts = ?3, result = ?4, error = ?5, \
                 seconds = ?6, version = ?7 WHERE id = ?1",
                params![
                    row.id,
                    row.state.as_str(),
                    row.attempts,
                    result,
                    row.error,
                    row.seconds,
                    row.version
                ],
            )
            .map_err(|error| self.error(&error))?;
        self.rows.insert(row.key.clone(), row);
        Ok(())
    }

    /// Resets all failed trials, so that they are run again. Returns their number.
    ///
    /// # Errors
    /// Returns [`SweepError::Store`] with the error of SQLite.
    pub fn retry_failed(&mut self) -> Result<usize, SweepError> {
        let update = "UPDATE trial SET state = 'waiting', attempts = 0, error = NULL \
                      WHERE state = 'failed'";
        self.connection.execute(update, []).map_err(|error| self.error(&error))?;
        let failed = self.rows.values_mut().filter(|row| row.state == State::Failed);
        Ok(failed
            .map(|row| {
                (row.state, row.attempts, row.error) = (State::Waiting, 0, None);
            })
            .count())
    }

    fn error(&self, error: &rusqlite::Error) -> SweepError {
        SweepError::Store { path: self.path.clone(), reason: error.to_string() }
    }
}

fn read(connection: &Connection) -> rusqlite::Result<HashMap<String, Row>> {
    let mut statement = connection.prepare(
        "SELECT id, key, request, state, attempts, result, error, seconds, version FROM trial",
    )?;
    let rows = statement.query_map([], |row| {
        let key: String = row.get(1)?;
        let request: String = row.get(2)?;
        let state: String = row.get(3)?;
        let result: Option<String> = row.get(5)?;
        let result = result.and_then(|text| serde_json::from_str(&text).ok());
        let state = match state.as_str() {
            // A trial whose result cannot be read is run again.
            "done" if result.is_some() => State::Done,
            "diverged" if result.is_some() => State::Diverged,
            "failed" => State::Failed,
            _ => State::Waiting,
        };
        let known = Row {
            id: row.get(0)?,
            key: key.clone(),
            request: serde_json::from_str(&request).unwrap_or_default(),
            state,
            attempts: row.get(4)?,
            result,
            error: row.get(6)?,
            seconds: row.get::<_, Option<f64>>(7)?.unwrap_or(0.0),
            version: row.get(8)?,
        };
        Ok((key, known))
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_kept_and_found_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        let mut store = Store::open(&path).unwrap();
        let request = |seed: u64| json!({"seed": seed});
        let twice = vec![("a".to_owned(), request(1)), ("a".to_owned(), request(1))];
        store.add(twice).unwrap();
        store.add(vec![("a".into(), request(1)), ("b".into(), request(2))]).unwrap();
        let of = |store: &Store, key: &str| store.get(key).unwrap().clone();
        let result = Some(json!({"psnr": 1.5}));
        store.put(Row { state: State::Diverged, result, attempts: 1, ..of(&store, "a") }).unwrap();
        let error = Some("no memory".to_owned());
        store.put(Row { state: State::Failed, error, attempts: 2, ..of(&store, "b") }).unwrap();
        // A reader while the writer is open.
        let read = Store::open_existing(&path).unwrap();
        assert_eq!(read.rows(), store.rows());
        assert_eq!(read.rows().iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(of(&read, "a").version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(read.last_of(&request(1)).unwrap().key, "a");
        assert_eq!(read.last_of(&request(2)), None);
        let journal = |store: &Store| -> String {
            store.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap()
        };
        assert_eq!(journal(&store), "wal");

        assert_eq!(store.retry_failed().unwrap(), 1);
        assert_eq!(store.retry_failed().unwrap(), 0);
        drop(store);
        let row = of(&Store::open_existing(&path).unwrap(), "b");
        assert_eq!((row.state, row.attempts, row.error), (State::Waiting, 0, None));
    }

    #[test]
    fn a_writer_waits_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        let mut store = Store::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            other.execute_batch("COMMIT").unwrap();
        });
        store.add(vec![("a".into(), json!({}))]).unwrap();
        writer.join().unwrap();
    }

    #[test]
    fn other_databases_are_rejected_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let database = |name: &str, application: i64, format: i64| {
            let path = folder.path().join(name);
            let connection = Connection::open(&path).unwrap();
            connection.pragma_update(None, "application_id", application).unwrap();
            connection.pragma_update(None, "user_version", format).unwrap();
            connection.execute("CREATE TABLE trial (id INTEGER)", []).unwrap();
            path
        };
        for (path, part) in [
            (database("old", APPLICATION, 1), "move it and its folder of trials away"),
            (database("new", APPLICATION, 3), "of a later version"),
            (database("other", 1, 1), "not the database of a sweep"),
        ] {
            for opened in [Store::open(&path), Store::open_existing(&path)] {
                let error = opened.unwrap_err().to_string();
                assert!(error.contains(part), "{error}");
            }
        }
        let text = folder.path().join("text");
        std::fs::write(&text, "this is not a database").unwrap();
        assert!(Store::open(&text).unwrap_err().to_string().contains("not a database"));
        assert!(Store::open_existing(&folder.path().join("none")).is_err());
    }
}
