//! Several steps in one call of the engine.

use vi3nr_engine::{Adam, AdamRun, BestParameters, EngineError, RunEnd};

use super::{Progress, Stop, TrainError, Trainer};
use crate::metrics::mse_of_psnr;
use crate::points::TermLosses;
use crate::train::Best;

/// The largest number of steps that the engine is asked for.
const MAX_STEPS: u64 = 1024;

impl Trainer<'_> {
    /// Lets the engine take as many of the next steps as it likes, which then wait to be returned.
    /// Returns false, without taking any, if the next step needs its loss compared with others: the
    /// first, and the last of an epoch of mini-batches.
    pub(super) fn run(&mut self) -> Result<bool, TrainError> {
        let is_full = self.batches.is_full();
        if !is_full && (self.step == 0 || !self.load_steps()?) {
            return Ok(false);
        }
        if is_full && self.loaded == 0 {
            // The full batch never changes and is loaded once.
            self.loaded = self.batches.next().load(&self.network, &mut *self.engine)?;
        }
        let most = if is_full { MAX_STEPS } else { self.steps_loaded as u64 };
        let all = most.min(self.settings.steps - self.step);
        let by_time = self.fraction_done_by_time();
        let rate = |step: u64| {
            let progress = by_time.max(step as f64 / self.settings.steps as f64);
            self.optimizer.adam_rate(step, progress).unwrap_or_default()
        };
        let learning_rates: Vec<f64> = (self.step..self.step + all).map(rate).collect();
        let target_loss = self.settings.target_psnr.map(mse_of_psnr);
        let run =
            AdamRun { constants: Adam::default(), learning_rates: &learning_rates, target_loss };
        let mut best = match self.best.take() {
            Some(Best { loss, step, parameters }) => (BestParameters { loss, parameters }, step),
            None => (BestParameters::default(), 0),
        };
        let began = self.began.elapsed();
        let outcome = self.engine.run(&run, &mut best.0);
        if let Ok(Some(index)) = outcome.as_ref().map(|outcome| outcome.best) {
            best.1 = self.step + index as u64;
        }
        let (BestParameters { loss, parameters }, step) = best;
        self.best = loss.is_finite().then_some(Best { loss, step, parameters });
        let outcome = outcome?;
        let duration = self.began.elapsed().saturating_sub(began);
        if !is_full {
            self.batches.skip(outcome.steps);
            self.steps_loaded -= outcome.steps;
        }
        let count = if is_full { self.loaded } else { self.points_per_step };
        for (index, loss) in outcome.losses.iter().enumerate() {
            self.points_seen += count as u64;
            self.operations += 6.0 * self.network.weight_count() as f64 * count as f64;
            if loss.is_finite() {
                self.epoch.add(*loss, count);
            }
            if index < outcome.steps {
                self.step += 1;
                let done = (index + 1) as f64 / outcome.losses.len() as f64;
                self.waiting.push_back(Progress {
                    step: self.step,
                    steps: self.settings.steps,
                    loss: *loss,
                    terms: TermLosses::default(),
                    learning_rate: learning_rates[index],
                    points_seen: self.points_seen,
                    operations: self.operations,
                    elapsed: began + duration.mul_f64(done),
                });
            }
        }
        self.stop = outcome.end.map(|end| match end {
            RunEnd::Target => Stop::Target,
            RunEnd::Diverged => Stop::Diverged,
        });
        Ok(true)
    }

    /// Loads the points of the next steps, unless they are. Returns whether there are any.
    fn load_steps(&mut self) -> Result<bool, TrainError> {
        if self.steps_loaded > 0 {
            return Ok(true);
        }
        let steps = self.batches.steps_ahead();
        if steps == 0 {
            return Ok(false);
        }
        let (points, size) = self.batches.ahead(steps);
        match points.load_steps(&self.network, &mut *self.engine, size) {
            Ok(()) => {
                (self.steps_loaded, self.loaded) = (steps, 0);
                Ok(true)
            }
            // An epoch that does not fit on the device is loaded step by step.
            Err(EngineError::Memory { .. }) => {
                self.takes_runs = false;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
