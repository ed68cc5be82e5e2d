//! The main loop with scripted executors.

use std::sync::Condvar;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;

#[test]
fn failures_are_tried_twice_and_can_be_retried() {
    let mut bench = Bench::new("maximize = 'psnr'\n[settings]\nseed = [0, 1, 2, 3]");
    let script = |request: &FitRequest, before| match (request.seed, before) {
        (Some(0), _) => report(30.0),
        // Fails once.
        (Some(1), 0) => Outcome::Failed("no memory".into()),
        (Some(2), _) => Outcome::Failed("bad luck".into()),
        (Some(3), _) => Outcome::Report(json!({"psnr": 7.0, "stopped": "diverged"})),
        _ => report(20.0),
    };
    let executor = Scripted::new(script);
    assert!(bench.run(&executor, 2).unwrap());
    assert_eq!(executor.total(), 1 + 2 + 2 + 1);
    let states: Vec<State> = bench.store.rows().iter().map(|row| row.state).collect();
    assert_eq!(states, [State::Done, State::Done, State::Failed, State::Diverged]);
    assert_eq!(bench.store.rows()[2].error.as_deref(), Some("bad luck"));
    assert_eq!(bench.store.rows()[1].error, None);

    let summary = Summary::new(&bench.plan, &bench.store).unwrap();
    let counts = Counts { done: 3, diverged: 1, failed: 1, pending: 0 };
    assert_eq!(summary.counts(), counts);
    assert_eq!(summary.entries.len(), 1);
    assert_eq!(summary.entries[0].values(), [30.0, 20.0, 7.0]);
    let text = summary.to_text("title", 3);
    assert!(text.starts_with("title\n3 trials done (1 diverged), 1 failed, 0 pending\n"), "{text}");
    assert!(text.ends_with("    3  1 diverged  1 failed\n"), "{text}");
    let paths = SweepPaths::of(&bench.folder.path().join("s.toml"), None);
    let csv = bench.plan.to_csv(&bench.store, &paths).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "id,state,case,request.seed,plan.sigma_p,psnr,stopped,run,error");
    let starts = |line: usize, text: &str| lines[line].starts_with(text);
    assert!(starts(3, "3,failed,,2,0.05000274672686803,,,"), "{csv}");
    assert!(lines[3].ends_with(",bad luck"), "{csv}");
    assert!(starts(4, "4,diverged,,3,0.05000274672686803,7.0,diverged,"), "{csv}");

    // Nothing is left to do until the failed trial is reset.
    assert!(bench.run(&executor, 2).unwrap());
    assert_eq!(executor.total(), 6);
    assert_eq!(bench.store.retry_failed().unwrap(), 1);
    let better = Scripted::new(|_: &FitRequest, _| report(25.0));
    assert!(bench.run(&better, 2).unwrap());
    assert_eq!(better.total(), 1);
    assert_eq!(Summary::new(&bench.plan, &bench.store).unwrap().counts().failed, 0);
}

/// Every configuration has its first seed before any has its second, so that an interrupted sweep
/// compares all of them.
#[test]
fn replicates_run_one_after_the_other() {
    let mut bench = Bench::new(
        "maximize = 'psnr'\n[settings]\nsteps = [10, 20]\nseed = [5, 3]\nwidth = [8, 16]",
    );
    let order = Mutex::new(Vec::new());
    let script = |request: &FitRequest, _| {
        order.lock().unwrap().push((request.seed, request.steps, request.width));
        report(1.0)
    };
    assert!(bench.run(&Scripted::new(script), 1).unwrap());
    let order = order.into_inner().unwrap();
    assert_eq!(order.len(), 8);
    assert!(order[..4].iter().all(|trial| trial.0 == Some(5)), "{order:?}");
    assert!(order[4..].iter().all(|trial| trial.0 == Some(3)), "{order:?}");
    // Within a replicate, the order is that of the settings.
    let configuration = |trial: &(_, _, _)| (trial.1, trial.2);
    let of_replicate = |trials: &[_]| trials.iter().map(configuration).collect::<Vec<_>>();
    assert_eq!(of_replicate(&order[..4]), of_replicate(&order[4..]));
}

/// An executor whose first trial breaks the database. Another trial ends only after the second call
/// of `stop`, as if it had started just after the first one.
#[derive(Debug)]
struct Breaking {
    database: PathBuf,
    stops: Mutex<usize>,
    stopped: Condvar,
    ran: AtomicUsize,
}

impl Executor for Breaking {
    fn execute(&self, _: &Job) -> Result<Ended, SweepError> {
        if self.ran.fetch_add(1, Ordering::SeqCst) == 0 {
            let connection = rusqlite::Connection::open(&self.database).unwrap();
            connection.execute("DROP TABLE trial", []).unwrap();
            return Ok(Ended { outcome: report(1.0), seconds: 0.0 });
        }
        let mut stops = self.stops.lock().unwrap();
        while *stops < 2 {
            stops = self.stopped.wait(stops).unwrap();
        }
        Ok(Ended { outcome: Outcome::Interrupted, seconds: 0.0 })
    }

    fn stop(&self) {
        *self.stops.lock().unwrap() += 1;
        self.stopped.notify_all();
    }
}

#[test]
fn a_database_error_ends_the_sweep() {
    let mut bench = Bench::new("maximize = 'psnr'\n[settings]\nseed = [0, 1, 2, 3, 4, 5]");
    let database = bench.folder.path().join("s.sqlite");
    let executor = Breaking {
        database,
        stops: Mutex::default(),
        stopped: Condvar::new(),
        ran: AtomicUsize::new(0),
    };
    let (sender, result) = std::sync::mpsc::channel();
    let sweep = std::thread::spawn(move || {
        let error = bench.run(&executor, 2).unwrap_err();
        sender.send((error.to_string(), executor.ran.load(Ordering::SeqCst))).unwrap();
    });
    let ended = result.recv_timeout(Duration::from_secs(60));
    let (error, ran) = ended.expect("the sweep hangs after an error of its database");
    sweep.join().unwrap();
    assert!(error.contains("s.sqlite") && error.contains("no such table"), "{error}");
    assert!(ran <= 3, "{ran} trials were begun");
}

#[test]
fn invalid_requests_are_rejected_before_anything_is_run() {
    let mut bench =
        Bench::new("maximize = 'psnr'\n[settings]\ninit = 'siren'\nactivation = ['sine', 'tanh']");
    let executor = Scripted::new(|_: &FitRequest, _| report(1.0));
    let error = bench.run(&executor, 1).unwrap_err();
    assert!(matches!(&error, SweepError::Request { error, .. } if error.fields == ["init"]));
    assert_eq!((executor.total(), bench.store.rows().len()), (0, 0));
}

/// Ctrl-C reaches child processes, too, which then end without a result.
#[test]
fn trials_that_end_during_an_interrupt_have_not_failed() {
    let mut bench = Bench::new("maximize = 'psnr'\n[settings]\nseed = [0, 1]");
    let stop = AtomicBool::new(false);
    let executor = Scripted::new(|_: &FitRequest, _| {
        stop.store(true, Ordering::Relaxed);
        Outcome::Failed("interrupted".into())
    });
    assert!(!bench.run_until(&executor, 1, &stop, &mut |_| {}).unwrap());
    let rows = bench.store.rows();
    assert!(rows.iter().all(|row| row.state == State::Waiting && row.attempts == 0));
}
