//! What heads submit, wait for, collect and cancel.

use std::sync::atomic::Ordering;

use super::*;

/// Five trials in packs of two, in arrays of at most four tasks.
#[test]
fn a_sweep_is_submitted_once_and_collected() {
    let mut bench = Bench::new(&seeds(5));
    let cluster = Cluster::new();
    let options = SlurmOptions { mem: Some("1G".into()), ..pack(2) };
    let trials = bench.folders.path().to_owned();
    let mut lists = Vec::new();
    let done = bench.on(&cluster.slurm(&options), &mut |event| {
        if let Event::Submitted { job, tasks, trials: count } = event {
            assert_eq!((job, tasks, count), ("1", 3, 5));
            let submission = Submission::read_all(&trials).unwrap().remove(0);
            lists = (0..3).map(|task| submission.ids(task)).collect();
            fit_all(&trials);
        }
    });
    assert!(done.unwrap());
    assert_eq!(lists, [vec![1, 2], vec![3, 4], vec![5]]);
    assert_eq!(bench.states(), [(State::Done, 1); 5]);
    let calls = cluster.calls();
    assert_eq!(calls.len(), 1);
    let name = option(&calls[0], "--job-name");
    let number = name.rsplit('-').next().unwrap();
    let script = trials.join("slurm/task.sh").display().to_string();
    let expected = [
        "--output=/dev/null",
        "--chdir=/",
        "--requeue",
        "--cpus-per-task=1",
        "--mem=1G",
        "--parsable",
        &format!("--job-name={name}"),
        "--array=0-2",
        &script,
        "/bin/vi3nr",
        &trials.display().to_string(),
        number,
    ];
    assert_eq!(calls[0], expected);
    assert!(name.starts_with("vi3nr-s-"), "{name}");
    assert_eq!(bench.folder_of_lists(), ["task.sh"]);

    // The same results as in this process, and nothing left to do.
    let mut local = Bench::new(&seeds(5));
    assert!(local.run(&InProcessExecutor::default(), 1).unwrap());
    for id in 1..=5 {
        assert!(bench.model(id) == local.model(id));
    }
    assert!(bench.on(&cluster.slurm(&options), &mut |_| {}).unwrap());
    assert_eq!(cluster.calls().len(), 1);
}

/// Arrays have at most `MaxArraySize` tasks, and with a limit one array waits for the others.
#[test]
fn long_sweeps_have_several_arrays() {
    for (jobs, arrays, after) in
        [(None, ["0-3", "0-1"], None), (Some(3), ["0-3%3", "0-1%3"], Some("1"))]
    {
        let mut bench = Bench::new(&seeds(6));
        let cluster = Cluster::new();
        let slurm = cluster.slurm(&SlurmOptions::default());
        let Bench { plan, store, folders, .. } = &mut bench;
        let status = slurm.submit(plan, store, folders, jobs, &mut |_| {});
        // The queue is empty, so the tasks have ended before they began.
        assert_eq!(status.unwrap().open, 6);
        let calls = cluster.calls();
        let seen: Vec<String> = calls.iter().map(|call| option(call, "--array")).collect();
        assert_eq!(seen, arrays);
        let dependency = |call: &[String]| {
            call.iter()
                .find_map(|word| word.strip_prefix("--dependency=afterany:"))
                .map(str::to_owned)
        };
        assert_eq!((dependency(&calls[0]), dependency(&calls[1]).as_deref()), (None, after));
        assert_ne!(option(&calls[0], "--job-name"), option(&calls[1], "--job-name"));
    }
}

/// A head that is stopped or killed leaves its jobs to the next one.
#[test]
fn another_head_waits_for_the_same_jobs() {
    let mut bench = Bench::new(&seeds(3));
    let cluster = Cluster::new();
    let slurm = cluster.slurm(&SlurmOptions::default());
    let trials = bench.folders.path().to_owned();
    let stop = AtomicBool::new(false);
    let Bench { plan, store, folders, .. } = &mut bench;
    let done = slurm.run(plan, store, folders, None, &stop, &mut |event| {
        if matches!(event, Event::Submitted { .. }) {
            cluster.queue(&["RUNNING", "PENDING", "COMPLETING"]);
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(!done.unwrap());
    assert_eq!(bench.lists(), [[1], [2], [3]]);

    // One has ended in the meantime.
    fit(&trials, 1);
    let before = fs::read(trials.join("00003.json")).unwrap();
    let mut looks = Vec::new();
    let done = bench.on(&slurm, &mut |event| {
        if let Event::Queued { running, waiting, .. } = event {
            looks.push((running, waiting));
            match looks.len() {
                1 => cluster.queue(&["COMPLETED", "RUNNING", "COMPLETING"]),
                // Slurm is to start a task again whose trial has ended.
                2 => {
                    fit(&trials, 2);
                    fit(&trials, 3);
                    cluster.queue(&["COMPLETED", "PENDING", "COMPLETING"]);
                }
                _ => panic!("{looks:?}"),
            }
        }
    });
    assert!(done.unwrap());
    assert_eq!(looks, [(1, 1), (2, 0)]);
    assert_eq!(cluster.calls().len(), 1, "nothing is submitted twice");
    assert_eq!(bench.states(), [(State::Done, 1); 3]);
    assert_eq!(fs::read(trials.join("00003.json")).unwrap(), before);
}

/// `collect` stores what has ended; then the next rung is submitted.
#[test]
fn rungs_are_submitted_and_collected_one_after_another() {
    let toml = "maximize = 'psnr'\nstrategy = { kind = 'halving', rungs = [2, 5], keep = 0.5 }\n\
                [settings]\nwidth = 8\nlayers = 3\nsteps = 20\nlr = [1e-6, 1e-5, 1e-3, 3e-3]";
    let mut bench = Bench::new(toml);
    let cluster = Cluster::new();
    let slurm = cluster.slurm(&pack(4));
    let trials = bench.folders.path().to_owned();
    for (round, count) in [4, 2, 1].into_iter().enumerate() {
        let Bench { plan, store, folders, .. } = &mut bench;
        let mut watch = |event: Event<'_>| {
            if let Event::Submitted { tasks, trials, .. } = event {
                assert_eq!((tasks, trials), (1, count));
                cluster.queue(&["PENDING"]);
            }
        };
        let status = slurm.submit(plan, store, folders, None, &mut watch).unwrap();
        assert_eq!((status.waiting, status.open), (count, 0));
        assert_eq!((status.tasks.len(), status.tasks[0].index), (1, 0));
        // Submitted again, nothing happens.
        let again = slurm.submit(plan, store, folders, None, &mut |_| {}).unwrap();
        assert_eq!(again, status);
        assert_eq!(cluster.calls().len(), round + 1);

        fit_all(&trials);
        cluster.queue(&["COMPLETING"]);
        let seen = slurm::status(&cluster.commands(), plan, store, &trials).unwrap();
        assert_eq!((seen.ended, seen.uncollected), (status.ended, count));
        let after = collect(&cluster.commands(), plan, store, folders, &mut |_| {}).unwrap();
        // The trials of the next rung are open.
        assert_eq!((after.ended, after.open), (status.ended + count, [2, 1, 0][round]));
    }
    assert_eq!(Summary::new(&bench.plan, &bench.store).unwrap().counts().done, 7);
    assert_eq!(bench.folder_of_lists(), ["task.sh"]);
}

#[test]
fn a_refused_array_is_an_error_with_its_reason() {
    let mut bench = Bench::new(&seeds(2));
    let cluster = Cluster::new();
    cluster.write("refuse", "sbatch: error: invalid partition\nsbatch: error: Batch job failed\n");
    let slurm = cluster.slurm(&SlurmOptions::default());
    let error = bench.on(&slurm, &mut |_| {}).unwrap_err();
    let SweepError::Slurm(SlurmError::Refused { reason, .. }) = error else { panic!("{error}") };
    assert_eq!(reason, "sbatch: error: invalid partition; sbatch: error: Batch job failed");
    assert_eq!(bench.folder_of_lists(), ["task.sh"]);
    assert_eq!(bench.states(), [(State::Waiting, 0); 2]);
}

/// A limit of jobs holds the rest back until tasks have ended.
#[test]
fn a_full_queue_takes_the_rest_later() {
    let mut bench = Bench::new(&seeds(6));
    let cluster = Cluster::new();
    let slurm = cluster.slurm(&SlurmOptions::default());
    let trials = bench.folders.path().to_owned();
    let mut reasons = Vec::new();
    let done = bench.on(&slurm, &mut |event| match event {
        Event::Submitted { tasks, .. } => match cluster.calls().len() {
            1 => {
                assert_eq!(tasks, 4);
                cluster.queue(&["RUNNING"; 4]);
                cluster.write("refuse", "too many jobs");
            }
            _ => {
                fit_all(&trials);
                cluster.queue(&[]);
            }
        },
        Event::Queued { running, reason, .. } => {
            reasons.push((running, reason.map(str::to_owned)));
            if reasons.len() == 3 {
                fs::remove_file(cluster.folder.path().join("refuse")).unwrap();
                cluster.write("calls", "a call\n");
                fit_all(&trials);
                cluster.write("queue", "");
            }
        }
        _ => {}
    });
    assert!(done.unwrap());
    assert_eq!(bench.states(), [(State::Done, 1); 6]);
    let (running, reason) = &reasons[1];
    assert!(*running == 4 && reason.as_ref().unwrap().contains("too many jobs"), "{reasons:?}");
}

/// `sbatch` may fail although the array was accepted.
#[test]
fn the_queue_decides_whether_an_array_was_accepted() {
    let mut bench = Bench::new(&seeds(1));
    let cluster = Cluster::new();
    let path = cluster.folder.path().join("sbatch");
    let text = fs::read_to_string(&path).unwrap();
    let accepts = "for word in \"$@\"; do case $word in --job-name=*) name=${word#*=};; esac; done\n\
                   echo \"$name|7|0|RUNNING|node|None\" >queue; echo 'timed out' >&2; exit 1";
    fs::write(&path, text.replace("wc -l <calls", accepts)).unwrap();
    let trials = bench.folders.path().to_owned();
    let done = bench.on(&cluster.slurm(&SlurmOptions::default()), &mut |event| {
        if let Event::Submitted { job, .. } = event {
            assert_eq!(job, "7");
            fit_all(&trials);
        }
    });
    assert!(done.unwrap());
    assert_eq!(cluster.calls().len(), 1);
}

#[test]
fn a_queue_that_does_not_answer_is_an_error() {
    let mut bench = Bench::new(&seeds(1));
    let cluster = Cluster::new();
    cluster.write("silent", "");
    // At the first look nothing has been submitted, and nothing is waited for.
    let commands = SlurmCommands { patience: Duration::from_secs(3600), ..cluster.commands() };
    let patient = cluster.slurm(&SlurmOptions::default()).with_commands(commands);
    let error = bench.on(&patient, &mut |_| {}).unwrap_err();
    let SweepError::Slurm(SlurmError::Unreachable { program, reason }) = error else {
        panic!("{error}")
    };
    assert!(program.ends_with("squeue") && reason == "no answer", "{reason}");
    assert_eq!(cluster.calls().len(), 0);
    // Later it may fail for a while.
    fs::remove_file(cluster.folder.path().join("silent")).unwrap();
    let error = bench.on(&cluster.slurm(&SlurmOptions::default()), &mut |event| {
        if let Event::Submitted { .. } = event {
            cluster.write("silent", "");
        }
    });
    let error = error.unwrap_err();
    let SweepError::Slurm(SlurmError::Silent { program, reason, .. }) = error else {
        panic!("{error}")
    };
    assert!(program.ends_with("squeue") && reason == "no answer", "{reason}");
    fs::remove_file(cluster.folder.path().join("silent")).unwrap();
    // It answers after a while.
    let commands = SlurmCommands { patience: Duration::from_secs(60), ..cluster.commands() };
    let slurm = cluster.slurm(&SlurmOptions::default()).with_commands(commands);
    let trials = bench.folders.path().to_owned();
    let mut ticks = 0;
    let done = bench.on(&slurm, &mut |event| match event {
        Event::Tick => {
            ticks += 1;
            let _ = fs::remove_file(cluster.folder.path().join("silent"));
            fit_all(&trials);
            cluster.queue(&[]);
        }
        Event::Planned { .. } => cluster.write("silent", ""),
        _ => {}
    });
    assert!(done.unwrap() && ticks > 0);

    let missing = SlurmCommands { squeue: "no/such/squeue".into(), ..cluster.commands() };
    let mut bench = Bench::new(&seeds(1));
    let slurm = cluster.slurm(&SlurmOptions::default()).with_commands(missing);
    let error = bench.on(&slurm, &mut |_| {}).unwrap_err();
    assert!(matches!(error, SweepError::Slurm(SlurmError::Start { .. })), "{error}");
}

/// A cancelled sweep submits nothing, and a later one starts where it stopped.
#[test]
fn cancelled_jobs_are_not_failures() {
    let mut bench = Bench::new(&seeds(2));
    let cluster = Cluster::new();
    let slurm = cluster.slurm(&SlurmOptions::default());
    let trials = bench.folders.path().to_owned();
    let mut looks = 0;
    let error = bench.on(&slurm, &mut |event| match event {
        Event::Submitted { .. } => cluster.queue(&["RUNNING", "PENDING"]),
        Event::Queued { .. } => {
            looks += 1;
            // Both began, and another process cancels them.
            for id in [1, 2] {
                fs::write(trials.join(format!("0000{id}.log")), "job 1_0 on node").unwrap();
            }
            assert_eq!(cancel(&cluster.commands(), &trials).unwrap(), ["1"]);
        }
        _ => {}
    });
    assert!(matches!(error, Err(SweepError::Slurm(SlurmError::Cancelled))));
    assert_eq!(looks, 1);
    let calls = cluster.calls();
    assert_eq!(calls[1..], [["scancel --quiet 1"], ["scancel --quiet 1"]]);

    cluster.write("queue", "");
    assert_eq!(cancel(&cluster.commands(), &trials).unwrap(), Vec::<String>::new());
    let done = bench.on(&slurm, &mut |event| {
        if matches!(event, Event::Submitted { .. }) {
            fit_all(&trials);
        }
    });
    assert!(done.unwrap());
    assert_eq!(bench.states(), [(State::Done, 1); 2]);
    let missing = cancel(&cluster.commands(), Path::new("no/such/folder"));
    assert!(matches!(missing, Err(SweepError::Directory { .. })));
}

/// Trials in the queue are not run on this machine, and jobs whose trials are unknown prevent new
/// ones.
#[test]
fn a_trial_does_not_run_in_two_places() {
    let mut bench = Bench::new(&seeds(2));
    let cluster = Cluster::new();
    let slurm = cluster.slurm(&SlurmOptions::default());
    let Bench { plan, store, folders, .. } = &mut bench;
    let submitted = &mut |event: Event<'_>| {
        if matches!(event, Event::Submitted { .. }) {
            cluster.queue(&["RUNNING", "PENDING"]);
        }
    };
    slurm.submit(plan, store, folders, None, submitted).unwrap();
    let error = bench.run(&InProcessExecutor::default(), 1).unwrap_err();
    assert!(matches!(error, SweepError::Queued { .. }), "{error}");

    // The folder of the lists is deleted.
    fs::remove_dir_all(bench.folders.path().join("slurm")).unwrap();
    let error = bench.on(&slurm, &mut |_| {}).unwrap_err();
    let SweepError::Slurm(SlurmError::Unknown { jobs, .. }) = error else { panic!("{error}") };
    assert_eq!(jobs, "1_0");
    assert_eq!(cluster.calls().len(), 1);
}
