//! Reading a stored database of each format.

use vi3nr_inr::plan::FitPlan;

use super::*;

/// The sweep whose database is stored as an example of its format.
fn stored_sweep() -> (tempfile::TempDir, Plan, SweepPaths) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folder = tempfile::tempdir().unwrap();
    for ending in ["toml", "png", "sqlite"] {
        let name = format!("sweep-2.{ending}");
        if fixtures.join(&name).exists() {
            fs::copy(fixtures.join(&name), folder.path().join(&name)).unwrap();
        }
    }
    let path = folder.path().join("sweep-2.toml");
    let (file, base) = SweepFile::read(&path).unwrap();
    let plan = Plan::new(&file, &base).unwrap();
    let paths = SweepPaths::of(&path, None);
    (folder, plan, paths)
}

#[test]
fn a_database_of_format_2_is_read() {
    let (_folder, plan, paths) = stored_sweep();
    let store = Store::open_existing(&paths.database).unwrap();
    let states: Vec<&str> = store.rows().iter().map(|row| row.state.as_str()).collect();
    assert_eq!(states, ["done", "done", "diverged", "failed", "waiting"]);
    for row in store.rows() {
        let settings = row.request.as_object().unwrap();
        assert!(FitRequest::from_settings(settings).is_ok(), "{}", row.request);
        assert_eq!(row.version.as_deref(), (row.state != State::Waiting).then_some("0.1.0"));
        let own = serde_json::from_str::<FitPlan>(&row.key);
        assert_eq!(own.is_ok(), row.state != State::Failed, "{}", row.key);
        if let Ok(own) = own {
            assert_eq!(own.canonical(), row.key);
        }
        let result = row.result.as_ref();
        assert_eq!(result.is_some_and(|result| result["psnr"].is_number()), result.is_some());
    }
    // The rows belong to the trials of the sweep.
    let summary = Summary::new(&plan, &store).unwrap();
    assert_eq!(summary.counts(), Counts { done: 3, diverged: 1, failed: 0, pending: 2 });
    assert_eq!(summary.entries[0].label, "good");
    assert_eq!(summary.entries[0].scores.len(), 2);
}

/// Writes the database of `a_database_of_format_2_is_read`, once for each format.
#[test]
#[ignore = "writes into the repository"]
fn write_the_database_of_this_format() {
    let (folder, plan, paths) = stored_sweep();
    let _ = fs::remove_file(&paths.database);
    let mut store = Store::open(&paths.database).unwrap();
    let folders = TrialFolders::lock(&paths.trials).unwrap();
    let executor = InProcessExecutor::default();
    let stop = AtomicBool::new(false);
    run(&plan, &mut store, &folders, &executor, Some(1), &stop, &mut |_| {}).unwrap();
    let waiting = plan.first_scheduled().unwrap().last().unwrap().clone();
    let row = plan.row(&store, &waiting).unwrap().unwrap().clone();
    drop(store);
    let connection = rusqlite::Connection::open(&paths.database).unwrap();
    connection
        .execute(
            "UPDATE trial SET state = 'waiting', attempts = 0, result = NULL, seconds = NULL, \
             version = NULL WHERE id = ?1",
            [row.id],
        )
        .unwrap();
    // A single file, without a write-ahead log.
    connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).unwrap();
    connection.execute("VACUUM", []).unwrap();
    drop(connection);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::copy(&paths.database, fixtures.join("sweep-2.sqlite")).unwrap();
    drop(folder);
}
