//! Where the points of training come from: a grid of known values, or a space to draw from.

use std::ops::Range;
use std::sync::Arc;

use vi3nr::Network;
use vi3nr_engine::{Batch, Engine, EngineError, Loss};

/// Points whose values are computed at a time where all of them are needed.
const BAND: usize = 1 << 18;

/// The points that a signal is known at.
#[derive(Clone)]
pub enum Points<'a> {
    /// Finitely many; a step sees all of them or a part of a shuffled order.
    Sampled(Arc<dyn Sampled + 'a>),
    /// As many as are asked for; every step sees new ones.
    Drawn(&'a dyn Drawn),
}

/// Finitely many points with their targets. They are made when a batch needs them, so that a signal
/// need not hold its coordinates.
pub trait Sampled: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// Appends the points of `indices` (from 0, below [`Sampled::count`]) and their targets to `batch`.
    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch);
}

/// Some of the points of a [`Sampled`].
#[derive(Debug, Clone)]
pub enum Indices<'a> {
    /// Those of a range, in order.
    Range(Range<usize>),
    /// These, in this order.
    List(&'a [u32]),
}

impl Indices<'_> {
    /// Calls `visit` for each index in order.
    #[inline]
    pub fn for_each(self, mut visit: impl FnMut(usize)) {
        match self {
            Self::Range(range) => range.for_each(visit),
            Self::List(list) => list.iter().for_each(|index| visit(*index as usize)),
        }
    }
}

/// A space from which points are drawn with their targets.
pub trait Drawn: Sync {
    /// The number of points of a step where none is asked for.
    fn default_count(&self) -> usize;

    /// How many points go through the network once training is over: those of the final losses, of
    /// [`Signal::metrics_of_fit`](crate::signal::Signal::metrics_of_fit) and of the pictures.
    fn final_passes(&self) -> usize;

    /// The points of the steps of one run, about `count` for each; what they are is a function of
    /// `seed`, `count` and [`Draw`] alone, so that runs can be repeated and continued.
    fn sampler(&self, seed: u64, count: usize) -> Box<dyn Sampler + '_>;
}

/// Draws the points of one run.
pub trait Sampler: Send {
    /// Fills the empty `batch`.
    fn draw(&mut self, draw: Draw, batch: &mut PointBatch);
}

/// Which points are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Those of a training step, counted from 0.
    Step(u64),
    /// Those that judge a network and are never trained on.
    Check,
}

/// A box of samples of a signal: a range along each axis, the fastest varying first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    ranges: Vec<Range<usize>>,
}

impl Region {
    /// The box with these ranges.
    pub fn new(ranges: Vec<Range<usize>>) -> Self {
        Self { ranges }
    }

    /// The number of axes.
    pub fn axis_count(&self) -> usize {
        self.ranges.len()
    }

    /// The samples along an axis.
    pub fn axis(&self, axis: usize) -> Range<usize> {
        self.ranges[axis].clone()
    }

    /// The number of samples.
    pub fn sample_count(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).product()
    }

    /// Calls `visit` for each run of samples that follow each other in a signal with `axes`, in the
    /// signal's order.
    pub fn for_each_run(&self, axes: &[usize], mut visit: impl FnMut(Range<usize>)) {
        let Some((first, others)) = self.ranges.split_first() else { return };
        let runs: usize = others.iter().map(ExactSizeIterator::len).product();
        for run in 0..runs {
            let (mut rest, mut start, mut stride) = (run, first.start, axes[0]);
            for (range, length) in others.iter().zip(&axes[1..]) {
                start += (range.start + rest % range.len()) * stride;
                rest /= range.len();
                stride *= length;
            }
            visit(start..start + first.len());
        }
    }
}

/// All combinations of `coordinates`, a list for each axis, the first axis fastest: shape (n, axes).
pub(crate) fn combinations(coordinates: &[&[f32]]) -> Vec<f32> {
    let count: usize = coordinates.iter().map(|along| along.len()).product();
    let mut points = Vec::with_capacity(count * coordinates.len());
    for index in 0..count {
        let mut rest = index;
        for along in coordinates {
            points.push(along[rest % along.len()]);
            rest /= along.len();
        }
    }
    points
}

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
pub enum EvalPoints<'a> {
    /// All that are sampled.
    Sampled(Arc<dyn Sampled + 'a>),
    /// Those of [`Draw::Check`].
    Drawn(PointBatch),
}

/// How a network does on the points of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalLoss {
    /// The loss on all sampled points, or on the drawn ones of [`Draw::Check`].
    pub loss: f64,
    /// The network's values at all sampled points, in their order; empty for drawn ones.
    pub values: Vec<f32>,
}

impl<'a> Points<'a> {
    /// The number of points of a step where none is asked for.
    pub fn default_count(&self) -> usize {
        match self {
            Self::Sampled(points) => points.count(),
            Self::Drawn(points) => points.default_count(),
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
    pub fn eval_points(&self, seed: u64) -> EvalPoints<'a> {
        match self {
            Self::Sampled(points) => EvalPoints::Sampled(points.clone()),
            Self::Drawn(points) => {
                let mut batch = PointBatch::default();
                points.sampler(seed, points.default_count()).draw(Draw::Check, &mut batch);
                EvalPoints::Drawn(batch)
            }
        }
    }
}

impl EvalPoints<'_> {
    /// Measures the parameters that `engine` now has.
    ///
    /// # Errors
    /// Returns the [`EngineError`] if the points do not fit the engine's network or memory is short.
    pub fn evaluate(&self, engine: &mut dyn Engine) -> Result<EvalLoss, EngineError> {
        let network = engine.network().clone();
        match self {
            Self::Drawn(batch) => {
                engine.load_batch(&batch.batch(&network)?)?;
                Ok(EvalLoss { loss: engine.loss_and_gradient()?, values: Vec::new() })
            }
            Self::Sampled(points) => {
                let mut batch = PointBatch::default();
                let (count, outputs) = (points.count(), network.outputs());
                let mut values = vec![0.0; count * outputs];
                let mut squares = 0.0;
                for (band, values) in values.chunks_mut(BAND * outputs).enumerate() {
                    let first = band * BAND;
                    batch.clear();
                    points.push(Indices::Range(first..first + values.len() / outputs), &mut batch);
                    engine.evaluate(&batch.points, values)?;
                    for (value, target) in values.iter().zip(&batch.targets) {
                        squares += (f64::from(*value) - f64::from(*target)).powi(2);
                    }
                }
                Ok(EvalLoss { loss: squares / values.len() as f64, values })
            }
        }
    }
}
