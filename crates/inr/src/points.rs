//! Where the points of training come from: a grid of known values, or a space to draw from.

use vi3nr::Network;
use vi3nr_engine::{Batch, Engine, EngineError, Loss};

/// Points whose values are computed at a time where all of them are needed.
const BAND: usize = 1 << 18;

/// The points that a signal is known at.
#[derive(Clone, Copy)]
pub enum Points<'a> {
    /// Finitely many; a step sees all of them or a part of a shuffled order.
    Sampled(&'a dyn Sampled),
    /// As many as are asked for; every step sees new ones.
    Drawn(&'a dyn Drawn),
}

/// Finitely many points with their targets. They are handed out one by one, so that a signal need
/// not hold its coordinates.
pub trait Sampled: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// Appends point `index` (from 0, below [`Sampled::count`]) and its targets to `batch`.
    fn push(&self, index: usize, batch: &mut PointBatch);
}

/// A space from which points are drawn with their targets.
pub trait Drawn: Sync {
    /// Points of a step where no number is asked for.
    fn usual_count(&self) -> usize;

    /// How many points go through the network once training is over: those of the checks, of
    /// [`Signal::metrics_of_fit`](crate::signal::Signal::metrics_of_fit) and of the pictures.
    fn final_passes(&self) -> usize;

    /// Fills the empty `batch` with about `count` points: a function of the arguments alone, so
    /// that runs can be repeated and continued. The step [`CHECK_STEP`] is not trained on.
    fn draw(&self, seed: u64, step: u64, count: usize, batch: &mut PointBatch);
}

/// The step whose points of a [`Drawn`] signal judge a network instead of training it.
pub const CHECK_STEP: u64 = u64::MAX;

/// Points and targets on their way to the engine; the memory is used again for the next step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointBatch {
    /// Coordinates, shape (n, inputs).
    pub points: Vec<f32>,
    /// Values, shape (n, outputs).
    pub targets: Vec<f32>,
    /// What the loss of each point is multiplied by, shape (n); empty where all are 1.
    pub weights: Vec<f32>,
    /// How far a value lies from its target.
    pub loss: Loss,
}

impl PointBatch {
    /// Removes all points.
    pub fn clear(&mut self) {
        self.points.clear();
        self.targets.clear();
        self.weights.clear();
    }

    /// What the engine takes.
    ///
    /// # Errors
    /// Lengths that do not fit the network or each other.
    pub fn batch(&self, network: &Network) -> Result<Batch<'_>, EngineError> {
        let batch = Batch::new(network, &self.points, &self.targets)?.with_loss(self.loss);
        if self.weights.is_empty() { Ok(batch) } else { batch.with_weights(&self.weights) }
    }
}

/// The points that a network is judged by; drawn ones are drawn but once.
pub enum CheckPoints<'a> {
    /// All that are sampled.
    Sampled(&'a dyn Sampled),
    /// Those of [`CHECK_STEP`].
    Drawn(PointBatch),
}

/// How a network does on the points of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The loss on all sampled points, or on the drawn ones of [`CHECK_STEP`].
    pub loss: f64,
    /// The network's values at all sampled points, in their order; empty for drawn ones.
    pub values: Vec<f32>,
}

impl<'a> Points<'a> {
    /// Points of a step where no number is asked for.
    pub fn usual_count(&self) -> usize {
        match self {
            Self::Sampled(points) => points.count(),
            Self::Drawn(points) => points.usual_count(),
        }
    }

    /// How many points go through the network once training is over, repetitions counted: what a
    /// time limit must leave time for.
    pub fn final_passes(&self) -> usize {
        match self {
            // The last parameters are checked, and the best ones.
            Self::Sampled(points) => 2 * points.count(),
            Self::Drawn(points) => points.final_passes(),
        }
    }

    /// The points to judge networks by; `seed` is that of the run.
    pub fn check_points(&self, seed: u64) -> CheckPoints<'a> {
        match *self {
            Self::Sampled(points) => CheckPoints::Sampled(points),
            Self::Drawn(points) => {
                let mut batch = PointBatch::default();
                points.draw(seed, CHECK_STEP, points.usual_count(), &mut batch);
                CheckPoints::Drawn(batch)
            }
        }
    }

    /// A checksum of some of the points and their targets, for telling signals apart; `seed` is that
    /// of the run.
    pub fn fingerprint(&self, seed: u64) -> String {
        let mut batch = PointBatch::default();
        match self {
            Self::Sampled(points) => {
                (0..points.count().min(BAND)).for_each(|index| points.push(index, &mut batch));
            }
            // A few: their targets may take long.
            Self::Drawn(points) => points.draw(seed, CHECK_STEP, 64, &mut batch),
        }
        let mut hasher = crc32fast::Hasher::new();
        for value in batch.points.iter().chain(&batch.targets) {
            hasher.update(&value.to_le_bytes());
        }
        format!("{:08x}", hasher.finalize())
    }
}

impl CheckPoints<'_> {
    /// Measures the present parameters of `engine`.
    ///
    /// # Errors
    /// Points that do not fit the engine's network.
    pub fn check(&self, engine: &mut dyn Engine) -> Result<Check, EngineError> {
        let network = engine.network().clone();
        match self {
            Self::Drawn(batch) => {
                let loss = engine.backpropagate(&batch.batch(&network)?);
                Ok(Check { loss, values: Vec::new() })
            }
            Self::Sampled(points) => {
                let mut batch = PointBatch::default();
                let (count, outputs) = (points.count(), network.outputs());
                let mut values = vec![0.0; count * outputs];
                let mut squares = 0.0;
                for (band, values) in values.chunks_mut(BAND * outputs).enumerate() {
                    let first = band * BAND;
                    batch.clear();
                    (first..first + values.len() / outputs)
                        .for_each(|index| points.push(index, &mut batch));
                    engine.evaluate(&batch.points, values)?;
                    for (value, target) in values.iter().zip(&batch.targets) {
                        squares += (f64::from(*value) - f64::from(*target)).powi(2);
                    }
                }
                Ok(Check { loss: squares / values.len() as f64, values })
            }
        }
    }
}
