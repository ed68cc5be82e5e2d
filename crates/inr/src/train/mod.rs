//! The training loop: steps of an optimiser until something says stop.

mod batches;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vi3nr_engine::{Engine, EngineError, Loss};

use crate::metrics::psnr_of_mse;
use crate::optimiser::{OptimiserSettings, OptimiserState, Situation, StateError, Verdict};
use crate::points::Points;
use batches::Batches;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// Steps at most.
    pub steps: u64,
    /// Points of a step; if none, all that are sampled or as many as are usually drawn.
    pub batch: Option<usize>,
    /// What makes a step of a gradient.
    pub optimiser: OptimiserSettings,
    /// Stop once the training loss is that of this PSNR (peak 2, dB).
    pub target_psnr: Option<f64>,
    /// Stop in time to be done this long after the start. The cosine schedule then ends with the
    /// time, so that the result depends on the machine's speed.
    pub time_limit: Option<Duration>,
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The engine refuses something.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A state that is not this run's.
    #[error(transparent)]
    State(#[from] StateError),
    /// An optimiser that cannot work on parts of a signal or another loss.
    #[error(
        "the optimizer {optimiser} needs all points at each step and the squared error as the loss, \
         not {seen}"
    )]
    NeedsAllPoints {
        /// Its name.
        optimiser: &'static str,
        /// What it would get.
        seen: &'static str,
    },
}

/// What a step found; handed to the watcher of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps done, this one included.
    pub step: u64,
    /// Steps at most.
    pub steps: u64,
    /// The loss of the step's points, before the step.
    pub loss: f64,
    /// The step's learning rate; for `kfac` the length that its model gave it.
    pub learning_rate: f64,
    /// Points seen so far, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations so far: 6·weights for each point seen, and what the optimiser did
    /// besides.
    pub operations: f64,
    /// Time since training began.
    pub elapsed: Duration,
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All steps were done.
    Steps,
    /// The loss reached the target.
    Target,
    /// The time was up.
    Time,
    /// The optimiser finds no step that makes the loss noticeably smaller.
    Converged,
    /// The watcher asked for it.
    Interrupted,
    /// The loss was not a finite number at this step (counted from 1).
    Diverged {
        /// The step whose loss was not finite.
        step: u64,
    },
}

impl Stop {
    /// One word for files and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Target => "target",
            Self::Time => "time",
            Self::Converged => "converged",
            Self::Interrupted => "interrupted",
            Self::Diverged { .. } => "diverged",
        }
    }
}

/// What training leaves behind besides the engine's parameters.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Why it ended.
    pub stop: Stop,
    /// Steps done.
    pub steps: u64,
    /// Points seen, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations, as in [`Progress::operations`].
    pub operations: f64,
    /// Time that training took.
    pub elapsed: Duration,
    /// The best parameters known, if any loss was finite: with full batches those of the smallest
    /// loss, with mini-batches the first ones or those at the end of the epoch of smallest mean loss
    /// (for drawn points, of a hundred steps).
    pub best: Option<Best>,
}

/// The parameters of the smallest loss seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Best {
    /// The loss by which they were chosen.
    pub loss: f64,
    /// How many steps led to these parameters.
    pub step: u64,
    /// In the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
}

/// Where a run stands at the end of a step: all that its next steps depend on besides its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainState {
    /// Steps done, by which every random number that is left to draw is known.
    pub step: u64,
    /// Points seen, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations, as in [`Progress::operations`].
    pub operations: f64,
    /// Time that training took.
    pub elapsed: Duration,
    /// The present epoch's losses.
    pub epoch: EpochMean,
    /// The best parameters known.
    pub best: Option<Best>,
    /// The present parameters, in the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
    /// What the optimiser remembers.
    pub optimiser: OptimiserState,
}

/// Sees every step, may take a copy of where the run then stands, and may stop it.
pub type Watch<'a> = dyn FnMut(&Progress, &dyn Fn() -> TrainState) -> ControlFlow<()> + 'a;

/// Trains the engine's network on `points`; `watch` sees every step and may stop the run.
///
/// # Errors
/// Points that do not fit the network or the optimiser, memory or threads that cannot be had, a state
/// of another run.
pub fn train(
    engine: &mut dyn Engine,
    points: Points<'_>,
    settings: &TrainSettings,
    run: Run<'_>,
    watch: &mut Watch<'_>,
) -> Result<Outcome, TrainError> {
    let network = engine.network().clone();
    let final_passes = points.final_passes() as f64;
    let mut batches = Batches::new(points, settings.batch, run.seed);
    let mut optimiser = settings.optimiser.start(&network, run.seed, run.threads)?;
    let gradient_operations = 6.0 * network.weight_count() as f64;
    let mut began = Instant::now();
    let mut best: Option<Best> = None;
    let mut epoch = EpochMean::default();
    let (mut points_seen, mut operations) = (0, 0.0);
    let mut stop = Stop::Steps;
    let mut step = 0;
    if let Some(state) = run.from {
        engine.set_parameters(&state.parameters)?;
        optimiser.restore(engine, &state.optimiser)?;
        batches.seek(state.step);
        (step, points_seen, operations) = (state.step, state.points_seen, state.operations);
        (best, epoch) = (state.best.clone(), state.epoch.clone());
        began = began.checked_sub(state.elapsed).unwrap_or(began);
    }
    while step < settings.steps {
        let remaining =
            settings.time_limit.map(|limit| limit.saturating_sub(run.started.elapsed()));
        if remaining
            .is_some_and(|left| left < time_to_finish(began, step, points_seen, final_passes))
        {
            stop = Stop::Time;
            break;
        }
        if settings.optimiser.needs_all_points() && !batches.is_full() {
            return Err(unsuited(&settings.optimiser, "a part of them"));
        }
        let points = batches.next();
        let batch = points.batch(&network)?;
        if settings.optimiser.needs_all_points()
            && (points.loss != Loss::Squared || !points.weights.is_empty())
        {
            return Err(unsuited(&settings.optimiser, "this signal's"));
        }
        let loss = engine.backpropagate(&batch);
        let count = batch.count();
        points_seen += count as u64;
        operations += gradient_operations * count as f64;
        if loss.is_finite() {
            epoch.add(loss, count);
        }
        let (is_full, epoch_ended) = (batches.is_full(), batches.epoch_ended());
        // The first parameters count as known, so that there always is something to go back to.
        let known = match (is_full || step == 0, epoch_ended) {
            _ if !loss.is_finite() => None,
            (true, _) => Some(loss),
            (false, true) => Some(epoch.take()),
            (false, false) => None,
        };
        if let Some(loss) = known {
            if best.as_ref().is_none_or(|best| loss < best.loss) {
                let best = best.get_or_insert_default();
                (best.loss, best.step) = (loss, step);
                engine.copy_parameters(&mut best.parameters);
            }
            if settings.target_psnr.is_some_and(|target| psnr_of_mse(loss) >= target) {
                stop = Stop::Target;
                break;
            }
        }
        let progress = fraction_done(settings, step, run.started);
        let situation = Situation { batch: batches.present(), loss, step, progress };
        let taken = optimiser.step(engine, &situation)?;
        operations += taken.operations;
        match taken.verdict {
            Verdict::Moved => {}
            Verdict::Diverged => {
                stop = Stop::Diverged { step: step + 1 };
                break;
            }
            Verdict::Exhausted => {
                stop = Stop::Converged;
                break;
            }
        }
        step += 1;
        let (steps, elapsed, learning_rate) = (settings.steps, began.elapsed(), taken.rate);
        let progress =
            Progress { step, steps, loss, learning_rate, points_seen, operations, elapsed };
        let state = || {
            let mut parameters = Vec::new();
            engine.copy_parameters(&mut parameters);
            TrainState {
                step,
                points_seen,
                operations,
                elapsed,
                epoch: epoch.clone(),
                best: best.clone(),
                parameters,
                optimiser: optimiser.save(engine),
            }
        };
        if watch(&progress, &state).is_break() {
            stop = Stop::Interrupted;
            break;
        }
    }
    Ok(Outcome { stop, steps: step, points_seen, operations, elapsed: began.elapsed(), best })
}

/// What a run has from outside, besides its settings.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Of everything random.
    pub seed: u64,
    /// Threads of the optimiser's own algebra, one per core if none. They do not change the result.
    pub threads: Option<usize>,
    /// When the time limit began to run.
    pub started: Instant,
    /// Where to go on; from the engine's parameters and step 0 if none.
    pub from: Option<&'a TrainState>,
}

fn unsuited(optimiser: &OptimiserSettings, seen: &'static str) -> TrainError {
    TrainError::NeedsAllPoints { optimiser: optimiser.name(), seen }
}

/// The share of the run that is over: by steps, or by time if that is further.
fn fraction_done(settings: &TrainSettings, step: u64, started: Instant) -> f64 {
    let by_steps = step as f64 / settings.steps as f64;
    let by_time = settings.time_limit.map_or(0.0, |limit| {
        started.elapsed().as_secs_f64() / limit.as_secs_f64().max(f64::MIN_POSITIVE)
    });
    by_steps.max(by_time)
}

/// What one more step, the evaluations at the end and the writing of files will take.
fn time_to_finish(began: Instant, step: u64, points_seen: u64, final_passes: f64) -> Duration {
    /// For files; an image takes well below half a microsecond a pass.
    const WRITING: f64 = 0.05;
    if step == 0 {
        return Duration::ZERO;
    }
    let elapsed = began.elapsed().as_secs_f64();
    // A forward pass is a third of a step's arithmetic.
    let evaluation = final_passes * (elapsed / points_seen as f64) / 3.0;
    Duration::from_secs_f64(elapsed / step as f64 + evaluation + final_passes * 5e-7 + WRITING)
}

/// The mean loss of an epoch's batches, weighted by their sizes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMean {
    sum: f64,
    count: usize,
}

impl EpochMean {
    fn add(&mut self, loss: f64, count: usize) {
        self.sum += loss * count as f64;
        self.count += count;
    }

    fn take(&mut self) -> f64 {
        let mean = self.sum / self.count as f64;
        *self = Self::default();
        mean
    }
}

#[cfg(test)]
mod tests;
