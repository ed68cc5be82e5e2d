//! Trials whose tasks are lost.

use super::*;

/// Submits a sweep again and again; before each look at the queue, `task` does what the tasks of the
/// n-th submission did before they ended.
fn run(bench: &mut Bench, cluster: &Cluster, pack: usize, task: impl Fn(usize, &Path)) -> bool {
    let trials = bench.folders.path().to_owned();
    let slurm = cluster.slurm(&super::pack(pack));
    let done = bench.on(&slurm, &mut |event| {
        if matches!(event, Event::Submitted { .. }) {
            let count = cluster.calls().len();
            assert!(count < 10, "it is submitted without end");
            cluster.queue(&[]);
            task(count, &trials);
        }
    });
    done.unwrap()
}

#[test]
fn a_lost_trial_is_submitted_again_and_fails_with_the_second_loss() {
    let mut bench = Bench::new(&seeds(3));
    let cluster = Cluster::new();
    assert!(run(&mut bench, &cluster, 1, |count, trials| {
        let log = |id: i64, text: &str| {
            fs::write(TrialFolders::directory_in(trials, id).with_extension("log"), text).unwrap();
        };
        match count {
            1 => {
                fit(trials, 1);
                log(2, "job 1_1 on node\n");
                log(3, "job 1_2 on node\nerror: no memory\nexit code 1\n");
                cluster.queue(&["COMPLETED", "NODE_FAIL", "FAILED"]);
            }
            2 => {
                fit(trials, 2);
                log(3, "job 2_1 on node\nerror: still no memory\nexit code 1\n");
            }
            _ => panic!("submission {count}"),
        }
    }));
    assert_eq!(bench.states(), [(State::Done, 1), (State::Done, 2), (State::Failed, 2)]);
    let error = bench.store.rows()[2].error.clone().unwrap();
    assert_eq!(error, "job 2_1 on node\nerror: still no memory\nexit code 1");
    assert_eq!(option(&cluster.calls()[1], "--array"), "0-1");
    assert_eq!(bench.folder_of_lists(), ["task.sh"]);
}

#[test]
fn a_task_that_is_killed_says_so() {
    let mut bench = Bench::new(&seeds(2));
    let cluster = Cluster::new();
    assert!(run(&mut bench, &cluster, 1, |_, trials| {
        fs::write(trials.join("00001.log"), "job 1_0 on node\nstep 12\n").unwrap();
        cluster.queue(&["OUT_OF_MEMORY", "FAILED"]);
    }));
    assert_eq!(bench.states(), [(State::Failed, 2); 2]);
    let errors: Vec<String> =
        bench.store.rows().iter().map(|row| row.error.clone().unwrap()).collect();
    assert_eq!(
        errors[0],
        "job 1_0 on node\nstep 12\nits task ended before it did (OUT_OF_MEMORY, on node)"
    );
    assert_eq!(errors[1], "task 2_1 ended (FAILED, on node) before the trial began");
}

/// A trial that reaches another checkpoint in each task is never given up.
#[test]
fn progress_is_not_a_failure() {
    let mut bench = Bench::new(&seeds(1));
    let cluster = Cluster::new();
    let time = |seconds| std::time::UNIX_EPOCH + Duration::from_secs(seconds);
    assert!(run(&mut bench, &cluster, 1, |count, trials| {
        if count == 5 {
            return fit(trials, 1);
        }
        let directory = trials.join("00001");
        fs::write(directory.with_extension("log"), "job on node\nexit code 130\n").unwrap();
        let request = crate::request_file::read(&directory.with_extension("json")).unwrap();
        if count == 1 {
            let destination = Destination::Directory { path: directory.clone(), overwrite: true };
            Run::open(&request, None, &destination, Some(1)).unwrap();
        }
        let checkpoint = directory.join("checkpoint.safetensors");
        assert_eq!(checkpoint.exists(), count > 1, "the run is kept");
        fs::write(&checkpoint, "").unwrap();
        let file = fs::File::options().write(true).open(&checkpoint).unwrap();
        file.set_modified(time(count as u64)).unwrap();
    }));
    assert_eq!(bench.states(), [(State::Done, 1)]);
}

/// The trials of a pack that a task did not reach are not blamed.
#[test]
fn the_rest_of_a_pack_is_not_lost() {
    let mut bench = Bench::new(&seeds(4));
    let cluster = Cluster::new();
    assert!(run(&mut bench, &cluster, 4, |count, trials| match count {
        1 => {
            fit(trials, 1);
            fs::write(trials.join("00002.log"), "job 1_0 on node\n").unwrap();
        }
        _ => [2, 3, 4].into_iter().for_each(|id| fit(trials, id)),
    }));
    let expected = [(State::Done, 1), (State::Done, 2), (State::Done, 1), (State::Done, 1)];
    assert_eq!(bench.states(), expected);
}

/// What a head did not see is not counted: it may have been killed before it submitted anything.
#[test]
fn a_list_without_a_job_is_forgotten() {
    let mut bench = Bench::new(&seeds(1));
    let cluster = Cluster::new();
    fs::create_dir(bench.folders.path().join("slurm")).unwrap();
    fs::write(bench.folders.path().join("slurm/5.tasks"), "00001:0:-\n").unwrap();
    assert!(run(&mut bench, &cluster, 1, |_, trials| fit_all(trials)));
    assert_eq!(bench.states(), [(State::Done, 1)]);

    // With a log it began, so it counts; once.
    let mut bench = Bench::new(&seeds(1));
    fs::create_dir(bench.folders.path().join("slurm")).unwrap();
    fs::write(bench.folders.path().join("slurm/5.tasks"), "00001:0:-\n").unwrap();
    bench.log(1, "job 1_0 on node");
    let cluster = Cluster::new();
    let Bench { plan, store, folders, .. } = &mut bench;
    for _ in 0..2 {
        let status = collect(&cluster.commands(), plan, store, folders, &mut |_| {}).unwrap();
        assert_eq!(status.open, 1);
    }
    assert_eq!(bench.states(), [(State::Failed, 1)]);
}

/// A run of another plan, since a file has changed, is not the trial's result.
#[test]
fn a_run_of_another_plan_is_a_failure() {
    let mut bench = Bench::new(&seeds(1));
    let cluster = Cluster::new();
    assert!(run(&mut bench, &cluster, 1, |_, trials| {
        let request = trials.join("00001.json");
        let text = fs::read_to_string(&request).unwrap().replace("\"steps\": 20", "\"steps\": 3");
        fs::write(&request, text).unwrap();
        fit(trials, 1);
    }));
    assert_eq!(bench.states(), [(State::Failed, 2)]);
    assert!(bench.store.rows()[0].error.as_ref().unwrap().contains("has changed"));
}
