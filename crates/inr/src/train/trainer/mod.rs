//! Training, one step at a time.

mod runs;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vi3nr::Network;
use vi3nr_engine::{Backend, Engine, EngineError};

use super::batches::Batches;
use super::{Best, EpochMean, Progress, Stop, TrainError, TrainOutcome, TrainSettings, TrainState};
use crate::metrics::psnr_of_mse;
use crate::optimizer::{Optimizer, OptimizerSettings, StepContext, StepStatus};
use crate::points::Points;

/// The context of training, besides its settings.
#[derive(Debug, Clone, Copy)]
pub struct RunContext<'a> {
    /// The seed of all random numbers.
    pub seed: u64,
    /// The engine's backend, whose worker threads draw points and run the optimizer's linear
    /// algebra.
    pub backend: &'a dyn Backend,
    /// The instant from which the time limit counts.
    pub started: Instant,
}

/// A network in training: an engine, its points and an optimizer.
pub struct Trainer<'a> {
    engine: Box<dyn Engine + 'a>,
    network: Network,
    settings: TrainSettings,
    optimizer: Box<dyn Optimizer>,
    batches: Batches<'a>,
    /// The largest number of points of a step.
    points_per_step: usize,
    /// The number of points evaluated after training.
    final_passes: f64,
    started: Instant,
    /// The start of training, moved back by the duration of earlier sessions.
    began: Instant,
    /// The number of points that the engine has loaded for one step.
    loaded: usize,
    /// The number of next steps whose points the engine has loaded.
    steps_loaded: usize,
    step: u64,
    points_seen: u64,
    operations: f64,
    epoch: EpochMean,
    best: Option<Best>,
    stop: Option<Stop>,
    /// Whether the engine takes several steps in one call.
    takes_runs: bool,
    /// The steps that the engine has taken and [`Trainer::step`] has not returned yet.
    waiting: VecDeque<Progress>,
}

impl<'a> Trainer<'a> {
    /// Creates a trainer of the engine's network on `points`, from the engine's parameters and step
    /// 0.
    ///
    /// # Errors
    /// Returns [`TrainError::NeedsAllPoints`] if the optimizer does not support the points or their
    /// loss, and [`TrainError::Engine`] if the backend lacks an operation that the optimizer needs.
    pub fn new(
        engine: Box<dyn Engine + 'a>,
        points: Points<'a>,
        settings: TrainSettings,
        context: RunContext<'a>,
    ) -> Result<Self, TrainError> {
        let network = engine.network().clone();
        let final_passes = points.final_passes() as f64;
        let workers = context.backend.workers();
        let points_per_step = settings.batch.unwrap_or(points.default_count());
        let batches = Batches::new(points, settings.batch, context.seed, workers);
        check_points(&settings.optimizer, &batches)?;
        let optimizer = settings.optimizer.start(&network, context.seed, context.backend)?;
        let takes_runs = context.backend.capabilities().runs
            && !batches.current().has_terms()
            && optimizer.adam_rate(0, 0.0).is_some();
        Ok(Self {
            engine,
            network,
            settings,
            optimizer,
            batches,
            points_per_step,
            final_passes,
            started: context.started,
            began: Instant::now(),
            loaded: 0,
            steps_loaded: 0,
            step: 0,
            points_seen: 0,
            operations: 0.0,
            epoch: EpochMean::default(),
            best: None,
            stop: None,
            takes_runs,
            waiting: VecDeque::new(),
        })
    }

    /// Restores the state of an earlier session of the same settings: the next steps are those that
    /// followed in it.
    ///
    /// # Errors
    /// Returns [`TrainError::State`] or [`TrainError::Engine`] if the state belongs to another
    /// network or optimizer, or holds a number that no run of these settings can have.
    pub fn restore(&mut self, state: &TrainState) -> Result<(), TrainError> {
        state.check(self.settings.steps, self.points_per_step)?;
        self.engine.set_parameters(&state.parameters)?;
        self.optimizer.restore(&mut *self.engine, &state.optimizer, state.step)?;
        self.batches.seek(state.step);
        (self.step, self.points_seen) = (state.step, state.points_seen);
        self.operations = state.operations;
        (self.best, self.epoch) = (state.best.clone(), state.epoch.clone());
        self.began = self.began.checked_sub(state.elapsed).unwrap_or(self.began);
        Ok(())
    }

    /// Takes one training step and returns its progress, or `None` if training has ended.
    ///
    /// With a backend whose engines take [several steps in one call][runs], the engine can be ahead of
    /// the returned step; see [`Trainer::is_settled`].
    ///
    /// # Errors
    /// Returns [`TrainError::Engine`] if the points do not match the network or memory cannot be
    /// allocated.
    ///
    /// [runs]: vi3nr_engine::Capabilities::runs
    pub fn step(&mut self) -> Result<Option<Progress>, TrainError> {
        if let Some(progress) = self.waiting.pop_front() {
            return Ok(Some(progress));
        }
        if self.stop.is_some() {
            return Ok(None);
        }
        if self.step >= self.settings.steps {
            return Ok(self.end(Stop::Steps));
        }
        if self.is_out_of_time() {
            return Ok(self.end(Stop::Time));
        }
        if self.takes_runs && self.run()? {
            return Ok(self.waiting.pop_front());
        }
        let is_full = self.batches.is_full();
        let batch = self.batches.next();
        // The full batch never changes and is loaded once.
        if !(self.loaded > 0 && is_full) {
            self.steps_loaded = 0;
            self.loaded = batch.load(&self.network, &mut *self.engine)?;
        }
        let count = self.loaded;
        let loss = self.engine.loss_and_gradient()?;
        let terms = self.batches.current().term_losses(&self.network, &*self.engine);
        self.points_seen += count as u64;
        self.operations += 6.0 * self.network.weight_count() as f64 * count as f64;
        if loss.is_finite() {
            self.epoch.add(loss, count);
        }
        if let Some(known) = self.known_loss(loss)
            && self.record_loss(known)?
        {
            return Ok(self.end(Stop::Target));
        }
        let progress = self.fraction_done();
        let batch = self.batches.current();
        let context = StepContext { batch, loss, step: self.step, progress };
        let outcome = self.optimizer.step(&mut *self.engine, &context)?;
        self.operations += outcome.operations;
        match outcome.status {
            StepStatus::Moved => {}
            StepStatus::Diverged => return Ok(self.end(Stop::Diverged)),
            StepStatus::Exhausted => return Ok(self.end(Stop::Converged)),
        }
        self.step += 1;
        Ok(Some(Progress {
            step: self.step,
            steps: self.settings.steps,
            loss,
            terms,
            learning_rate: outcome.rate,
            points_seen: self.points_seen,
            operations: self.operations,
            elapsed: self.began.elapsed(),
        }))
    }

    /// Whether the last returned step is the last that the engine has taken, so that
    /// [`Trainer::state`] is the state after it.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Ends training early. Steps that the engine has taken are still returned.
    pub fn interrupt(&mut self) {
        self.stop.get_or_insert(Stop::Interrupted);
    }

    /// The best parameters so far; `None` before the first finite loss.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// Whether training ended because it reached its target.
    pub fn is_at_target(&self) -> bool {
        self.stop == Some(Stop::Target)
    }

    /// Resumes training that reached its target, until it reaches another one or the maximum number of
    /// steps.
    pub fn resume_to(&mut self, target_psnr: f64) {
        if self.is_at_target() {
            self.settings.target_psnr = Some(target_psnr);
            self.stop = None;
        }
    }

    /// A copy of the state, which with the settings determines all further steps. It is that after
    /// the last step of the engine; see [`Trainer::is_settled`].
    ///
    /// # Errors
    /// Returns [`TrainError::Engine`] if the parameters cannot be read from a device.
    pub fn state(&self) -> Result<TrainState, TrainError> {
        Ok(TrainState {
            step: self.step,
            points_seen: self.points_seen,
            operations: self.operations,
            elapsed: self.began.elapsed(),
            epoch: self.epoch.clone(),
            best: self.best.clone(),
            parameters: self.engine.parameters()?,
            optimizer: self.optimizer.save(&*self.engine)?,
        })
    }

    /// The engine with its last parameters, and the result of training.
    pub fn finish(self) -> (Box<dyn Engine + 'a>, TrainOutcome) {
        let outcome = TrainOutcome {
            stop: self.stop.unwrap_or(Stop::Interrupted),
            steps: self.step,
            points_seen: self.points_seen,
            operations: self.operations,
            elapsed: self.began.elapsed(),
            best: self.best,
        };
        (self.engine, outcome)
    }

    fn end(&mut self, stop: Stop) -> Option<Progress> {
        self.stop = Some(stop);
        None
    }

    /// The loss of the parameters before the step, or its estimate by the mean of an epoch, if
    /// known. `loss` is that of the step's points.
    fn known_loss(&mut self, loss: f64) -> Option<f64> {
        // The loss of the initial parameters counts as known, so that there always are best
        // parameters.
        let is_whole = self.batches.is_full() || self.step == 0;
        match (is_whole, self.batches.epoch_ended()) {
            _ if !loss.is_finite() => None,
            (true, _) => Some(loss),
            (false, true) => Some(self.epoch.take()),
            (false, false) => None,
        }
    }

    /// Stores the parameters if their loss is the smallest so far. Returns whether it reaches the
    /// target.
    fn record_loss(&mut self, loss: f64) -> Result<bool, EngineError> {
        if self.best.as_ref().is_none_or(|best| loss < best.loss) {
            let best = self.best.get_or_insert_default();
            (best.loss, best.step) = (loss, self.step);
            self.engine.copy_parameters(&mut best.parameters)?;
        }
        Ok(self.settings.target_psnr.is_some_and(|target| psnr_of_mse(loss) >= target))
    }

    fn is_out_of_time(&self) -> bool {
        let Some(limit) = self.settings.time_limit else { return false };
        limit.saturating_sub(self.started.elapsed()) < self.time_to_finish()
    }

    /// The estimated duration of one more step, the final evaluations and the writing of files.
    fn time_to_finish(&self) -> Duration {
        /// Seconds for writing files, besides half a microsecond per evaluated point.
        const WRITING: f64 = 0.05;
        if self.step == 0 {
            return Duration::ZERO;
        }
        let elapsed = self.began.elapsed().as_secs_f64();
        // A forward pass is a third of a step's arithmetic.
        let evaluation = self.final_passes * (elapsed / self.points_seen as f64) / 3.0;
        let seconds = elapsed / self.step as f64 + evaluation + self.final_passes * 5e-7 + WRITING;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// The completed fraction of the run: the larger of that by steps and that by time.
    fn fraction_done(&self) -> f64 {
        let by_steps = self.step as f64 / self.settings.steps as f64;
        by_steps.max(self.fraction_done_by_time())
    }

    fn fraction_done_by_time(&self) -> f64 {
        self.settings.time_limit.map_or(0.0, |limit| {
            self.started.elapsed().as_secs_f64() / limit.as_secs_f64().max(f64::MIN_POSITIVE)
        })
    }
}

/// Checks that the optimizer gets all points and the squared error as the loss, if it needs them.
fn check_points(optimizer: &OptimizerSettings, batches: &Batches<'_>) -> Result<(), TrainError> {
    if !optimizer.needs_all_points() {
        return Ok(());
    }
    let all = batches.current();
    let seen = match batches.is_full() {
        false => "a part of the points",
        true if all.residuals().is_some() => return Ok(()),
        true => "another loss",
    };
    Err(TrainError::NeedsAllPoints { optimizer: optimizer.name(), seen })
}
