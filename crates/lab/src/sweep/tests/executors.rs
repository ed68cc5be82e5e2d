//! Executors that run real fits, in this process and in child processes.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use vi3nr_inr::run::{Destination, Run};

use super::*;

#[test]
fn trials_in_this_process_equal_single_runs() {
    let mut bench = Bench::new(&format!(
        "maximize = 'psnr'\n[settings]\n{SHORT}seed = [0, 1]\nsigma-p = ['0.5*auto', 2]\n\
         activation = 'gaussian:sigma=0.05'"
    ));
    assert!(bench.run(&InProcessExecutor::default(), 3).unwrap());
    let summary = Summary::new(&bench.plan, &bench.store).unwrap();
    assert_eq!(summary.counts(), Counts { done: 4, ..Counts::default() });

    // A single run of the stored request, as in a child process.
    let row = bench.store.rows()[1].clone();
    let file = bench.folder.path().join("by-hand.json");
    fs::write(&file, row.request.to_string()).unwrap();
    let request = crate::request_file::read(&file).unwrap();
    let path = bench.folder.path().join("by-hand");
    let destination = Destination::Directory { path: path.clone(), overwrite: false };
    let (by_hand, opened) = Run::open(&request, None, &destination, Some(2)).unwrap();
    assert_eq!(by_hand.plan().canonical(), row.key);
    let go_on = &mut |_: vi3nr_inr::run::RunEvent<'_>| std::ops::ControlFlow::Continue(());
    by_hand.execute(&*opened.backend, Default::default(), Instant::now(), go_on).unwrap();
    assert!(fs::read(path.join("model.safetensors")).unwrap() == bench.model(row.id));

    // A run that ended before its result was stored is not trained again.
    let before = bench.model(1);
    let forgotten = Row { state: State::Waiting, result: None, ..bench.store.rows()[0].clone() };
    let result = bench.store.rows()[0].result.clone();
    bench.store.put(forgotten).unwrap();
    assert!(bench.run(&InProcessExecutor::default(), 1).unwrap());
    assert_eq!(bench.store.rows()[0].result, result);
    assert!(bench.model(1) == before);
}

#[test]
fn an_interrupted_trial_resumes_from_its_checkpoint() {
    let settings = "optimizer = 'adam'\nwidth = 8\nlayers = 3\nbatch = 64\nsteps = 40000";
    let toml = format!("maximize = 'psnr'\n[settings]\n{settings}");
    let mut whole = Bench::new(&toml);
    assert!(whole.run(&InProcessExecutor::default(), 1).unwrap());

    let mut bench = Bench::new(&toml);
    let stop = AtomicBool::new(false);
    let executor = InProcessExecutor::default();
    let is_done = bench.run_until(&executor, 1, &stop, &mut |event| {
        if matches!(event, Event::Tick) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(!is_done.unwrap());
    assert!(bench.folders.directory(1).join("checkpoint.safetensors").exists());
    assert_eq!(bench.store.rows()[0].state, State::Waiting);
    assert!(bench.run(&InProcessExecutor::default(), 1).unwrap());
    assert_eq!(bench.store.rows()[0].attempts, 1);
    assert!(bench.model(1) == whole.model(1));
}

/// A shell script that replaces `vi3nr`.
#[cfg(unix)]
fn program(folder: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("program.sh");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn children_get_their_request_and_their_error_messages_are_stored() {
    let toml = format!("maximize = 'psnr'\n[settings]\n{SHORT}");
    let mut bench = Bench::new(&toml);
    let program = program(bench.folder.path(), "echo \"error: $*\" >&2\nexit 3");
    assert!(bench.run(&ChildExecutor::new(program.clone()), 1).unwrap());
    let directory = bench.folders.directory(1).display().to_string();
    let row = bench.store.rows()[0].clone();
    assert_eq!((row.state, row.attempts), (State::Failed, 2));
    let words = row.error.unwrap();
    let expected = format!("error: fit --request {directory}.json --out {directory} --threads ");
    assert!(words.starts_with(&expected) && words.ends_with(" --json --end-with-input"), "{words}");
    // The file beside the directory is the request.
    let request = crate::request_file::read(Path::new(&format!("{directory}.json"))).unwrap();
    assert_eq!(request, bench.plan.request(&bench.plan.trials()[0]));

    // An interrupted run is resumed.
    let mut bench = Bench::new(&toml);
    let request = bench.plan.request(&bench.plan.trials()[0]);
    let path = bench.folders.directory(1);
    let destination = Destination::Directory { path, overwrite: false };
    Run::open(&request, None, &destination, Some(1)).unwrap();
    assert!(bench.run(&ChildExecutor::new(program), 1).unwrap());
    let words = bench.store.rows()[0].error.clone().unwrap();
    assert!(words.starts_with("error: fit --resume "), "{words}");

    let error = bench
        .store
        .retry_failed()
        .and_then(|_| bench.run(&ChildExecutor::new("no/such/program".into()), 1).map(drop));
    assert!(matches!(error, Err(SweepError::Start { .. })));
}

/// Children end when their standard input is closed.
#[cfg(unix)]
#[test]
fn children_end_with_the_sweep() {
    let mut bench = Bench::new(&format!("maximize = 'psnr'\n[settings]\n{SHORT}seed = [0, 1, 2]"));
    let program = program(bench.folder.path(), "cat >/dev/null\nexit 1");
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let executor = ChildExecutor::new(program);
    let is_done = bench.run_until(&executor, 2, &stop, &mut |event| {
        if matches!(event, Event::Started(_)) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(!is_done.unwrap());
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(bench.store.rows().iter().all(|row| row.state == State::Waiting));
    // The executor starts no other trial.
    let trial = &bench.plan.trials()[0];
    let job = Job {
        id: 9,
        request: bench.plan.request(trial),
        key: bench.plan.identity(trial).unwrap().key.clone(),
        directory: bench.folders.directory(9),
        threads: 1,
    };
    assert_eq!(executor.execute(&job).unwrap().outcome, Outcome::Interrupted);
}

/// A changed file has new trials, and a deleted file keeps its results.
#[test]
fn results_belong_to_the_content_of_files() {
    let mut bench = Bench::new(&format!("maximize = 'psnr'\n[settings]\n{SHORT}file = 'a.png'"));
    let again = |bench: &mut Bench| {
        let toml = format!("maximize = 'psnr'\n[settings]\n{SHORT}file = 'a.png'");
        bench.plan = Plan::new(&toml::from_str(&toml).unwrap(), bench.folder.path()).unwrap();
        let executor = InProcessExecutor::default();
        assert!(bench.run(&executor, 1).unwrap());
        Summary::new(&bench.plan, &bench.store).unwrap().counts()
    };
    let done = Counts { done: 1, ..Counts::default() };
    let failed = Counts { failed: 1, ..Counts::default() };
    assert_eq!(again(&mut bench), failed);
    assert!(bench.store.rows()[0].error.as_ref().unwrap().contains("a.png"));
    let fixture =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let path = bench.folder.path().join("a.png");
    fs::copy(fixture("sweep-2.png"), &path).unwrap();
    assert_eq!(again(&mut bench), done);
    let image = vi3nr_inr::signal::image::test_image(8).unwrap();
    image.save_png(&path, image.bit_depth()).unwrap();
    assert_eq!(again(&mut bench), done);
    assert_eq!(bench.store.rows().len(), 3);
    fs::remove_file(&path).unwrap();
    assert_eq!(again(&mut bench), done);
    assert_eq!(bench.store.rows().len(), 3);
}
