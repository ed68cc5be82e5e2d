//! The training loop: steps of Adam until something says stop.

mod batches;
mod schedule;

pub use schedule::Schedule;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use vi3nr_engine::{Adam, Engine, EngineError};

use crate::metrics::psnr_of_mse;
use crate::points::Points;
use batches::Batches;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// Steps at most.
    pub steps: u64,
    /// Points of a step; if none, all that are sampled or as many as are usually drawn.
    pub batch: Option<usize>,
    /// The first learning rate of Adam.
    pub learning_rate: f64,
    /// How it falls.
    pub schedule: Schedule,
    /// Stop once the training loss is that of this PSNR (peak 2, dB).
    pub target_psnr: Option<f64>,
    /// Stop in time to be done this long after the start. The cosine schedule then ends with the
    /// time, so that the result depends on the machine's speed.
    pub time_limit: Option<Duration>,
    /// Adam's constants.
    pub adam: Adam,
}

/// What a step found; handed to the watcher of the run.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done, this one included.
    pub step: u64,
    /// Steps at most.
    pub steps: u64,
    /// The loss of the step's points, before the step.
    pub loss: f64,
    /// The step's learning rate.
    pub learning_rate: f64,
    /// Points seen so far, repetitions counted.
    pub points_seen: u64,
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
    /// Time that training took.
    pub elapsed: Duration,
    /// The best parameters known, if any loss was finite: with full batches those of the smallest
    /// loss, with mini-batches the first ones or those at the end of the epoch of smallest mean loss
    /// (for drawn points, of a hundred steps).
    pub best: Option<Best>,
}

/// The parameters of the smallest loss seen.
#[derive(Debug, Clone, Default)]
pub struct Best {
    /// The loss by which they were chosen.
    pub loss: f64,
    /// How many steps led to these parameters.
    pub step: u64,
    /// In the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
}

/// Trains the engine's network on `points`. `started` is when the time limit began to run; `watch`
/// sees every step and may stop the run.
///
/// # Errors
/// Points that do not fit the network.
pub fn train(
    engine: &mut dyn Engine,
    points: Points<'_>,
    settings: &TrainSettings,
    seed: u64,
    started: Instant,
    watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, EngineError> {
    let network = engine.network().clone();
    let final_passes = points.final_passes() as f64;
    let mut batches = Batches::new(points, settings.batch, seed);
    let began = Instant::now();
    let mut best: Option<Best> = None;
    let mut epoch = EpochMean::default();
    let mut points_seen = 0;
    let mut stop = Stop::Steps;
    let mut step = 0;
    while step < settings.steps {
        let remaining = settings.time_limit.map(|limit| limit.saturating_sub(started.elapsed()));
        if remaining
            .is_some_and(|left| left < time_to_finish(began, step, points_seen, final_passes))
        {
            stop = Stop::Time;
            break;
        }
        let batch = batches.next().batch(&network)?;
        let loss = engine.backpropagate(&batch);
        if !loss.is_finite() {
            stop = Stop::Diverged { step: step + 1 };
            break;
        }
        let count = batch.count();
        points_seen += count as u64;
        epoch.add(loss, count);
        // The first parameters count as known, so that there always is something to go back to.
        let known = match (batches.is_full() || step == 0, batches.epoch_ended()) {
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
        let progress = fraction_done(settings, step, started);
        let learning_rate = settings.schedule.rate(settings.learning_rate, step, progress);
        engine.adam_step(&settings.adam, learning_rate);
        step += 1;
        let (steps, elapsed) = (settings.steps, began.elapsed());
        if watch(&Progress { step, steps, loss, learning_rate, points_seen, elapsed }).is_break() {
            stop = Stop::Interrupted;
            break;
        }
    }
    Ok(Outcome { stop, steps: step, points_seen, elapsed: began.elapsed(), best })
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
#[derive(Debug, Default)]
struct EpochMean {
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
