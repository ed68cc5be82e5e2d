//! The work that a sweep still has to do.

use std::collections::HashSet;

use vi3nr_inr::plan::FitPlan;

use super::{Plan, Store, SweepError, Trial, TrialScore};

/// The trials that are left and their work.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// The number of trials.
    pub trials: usize,
    /// Their floating-point operations: 6 for each weight, point and step.
    pub operations: f64,
}

impl Estimate {
    /// The duration in seconds on a machine that computes at this rate, all trials that run at a time
    /// together.
    pub fn seconds(&self, gflops: f64) -> f64 {
        self.operations / (1e9 * gflops)
    }
}

fn operations(plan: &FitPlan) -> f64 {
    let all = plan.signal.points().default_count();
    let points = plan.training.batch.unwrap_or(all);
    6.0 * plan.network.weight_count() as f64 * points as f64 * plan.training.steps as f64
}

impl Plan {
    /// The floating-point operations of a trial: 6 for each weight, point and step. 0 if a file of the
    /// trial cannot be read.
    ///
    /// # Errors
    /// As [`Plan::identity`].
    pub fn operations(&self, trial: &Trial) -> Result<f64, SweepError> {
        Ok(self.identity(trial)?.plan.as_ref().map_or(0.0, operations))
    }

    /// The work of all trials without a result. Which configurations successive halving will keep is
    /// not known, so that equal scores are assumed; those of a case usually need equal work. A line
    /// search ends sooner or later than assumed.
    ///
    /// # Errors
    /// Returns the errors of [`Strategy::scheduled`](super::Strategy::scheduled) and of
    /// [`Plan::identity`].
    pub fn estimate(&self, store: &Store) -> Result<Estimate, SweepError> {
        let mut estimate = Estimate::default();
        let (mut assumed, mut keys) = (HashSet::new(), HashSet::new());
        loop {
            let scheduled = self.strategy.scheduled(self, &|trial| {
                Ok(match self.trial_score(store, trial)? {
                    TrialScore::Pending if assumed.contains(&trial.name) => TrialScore::Score(0.0),
                    known => known,
                })
            })?;
            let before = assumed.len();
            for trial in scheduled {
                let is_pending = self.trial_score(store, &trial)? == TrialScore::Pending;
                if !is_pending || !assumed.insert(trial.name.clone()) {
                    continue;
                }
                let identity = self.identity(&trial)?;
                // A combination that occurs twice is run once.
                if let (true, Ok(plan)) = (keys.insert(identity.key.clone()), &identity.plan) {
                    estimate.trials += 1;
                    estimate.operations += operations(plan);
                }
            }
            if assumed.len() == before {
                return Ok(estimate);
            }
        }
    }
}
