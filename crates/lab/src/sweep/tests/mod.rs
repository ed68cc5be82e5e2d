//! Sweeps end to end, from the file to the results.

mod estimates;
mod executors;
mod loops;
mod results;
#[cfg(unix)]
mod slurm;
mod stored;
mod summaries;

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use serde_json::json;
use vi3nr_inr::request::FitRequest;

use super::*;

/// Settings of a short fit.
const SHORT: &str = "optimizer = 'adam'\nwidth = 8\nlayers = 3\nsteps = 20\n";

/// A sweep in a temporary folder.
struct Bench {
    folder: tempfile::TempDir,
    plan: Plan,
    store: Store,
    folders: TrialFolders,
}

impl Bench {
    fn new(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(&toml::from_str(toml).unwrap(), folder.path()).unwrap();
        let store = Store::open(&folder.path().join("s.sqlite")).unwrap();
        let folders = TrialFolders::lock(&folder.path().join("s.trials")).unwrap();
        Self { folder, plan, store, folders }
    }

    fn run(&mut self, executor: &dyn Executor, jobs: usize) -> Result<bool, SweepError> {
        let stop = AtomicBool::new(false);
        self.run_until(executor, jobs, &stop, &mut |_| {})
    }

    fn run_until(
        &mut self,
        executor: &dyn Executor,
        jobs: usize,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<bool, SweepError> {
        let Self { plan, store, folders, .. } = self;
        run(plan, store, folders, executor, Some(jobs), stop, watch)
    }

    fn model(&self, id: i64) -> Vec<u8> {
        fs::read(self.folders.directory(id).join("model.safetensors")).unwrap()
    }
}

/// An executor whose outcomes come from a function of the request and the number of earlier
/// attempts. It counts the attempts.
struct Scripted<F> {
    script: F,
    ran: Mutex<HashMap<i64, usize>>,
}

impl<F> std::fmt::Debug for Scripted<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl<F: Fn(&FitRequest, usize) -> Outcome + Sync> Scripted<F> {
    fn new(script: F) -> Self {
        Self { script, ran: Mutex::default() }
    }

    fn total(&self) -> usize {
        self.ran.lock().unwrap().values().sum()
    }
}

impl<F: Fn(&FitRequest, usize) -> Outcome + Sync> Executor for Scripted<F> {
    fn execute(&self, job: &Job) -> Result<Ended, SweepError> {
        let before = {
            let mut ran = self.ran.lock().unwrap();
            let count = ran.entry(job.id).or_default();
            *count += 1;
            *count - 1
        };
        Ok(Ended { outcome: (self.script)(&job.request, before), seconds: 1.5 })
    }

    fn stop(&self) {}
}

fn report(psnr: f64) -> Outcome {
    Outcome::Report(json!({"psnr": psnr, "stopped": "steps", "optimizer": "adam"}))
}
