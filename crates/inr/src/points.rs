//! The training points of a signal: a finite set of samples, or a space to draw from.

use std::ops::Range;
use std::sync::Arc;

use vi3nr_engine::{Engine, EngineError};

use crate::supervision::Supervision;

mod batch;

pub use batch::{PointBatch, PointGroup, TermLosses};

/// The number of points evaluated at a time when all of them are needed.
const BAND: usize = 1 << 18;

/// The points at which a signal has known values.
#[derive(Clone)]
pub enum Points<'a> {
    /// A finite set; a step uses all of them, or a mini-batch of a shuffled order.
    Sampled(Arc<dyn Sampled + 'a>),
    /// A space; every step draws new points from it, with the targets of a supervision.
    Drawn(&'a dyn Drawn, &'a Supervision),
}

/// A finite set of points with their targets. They are generated for each batch, so that a signal
/// does not store its coordinates.
pub trait Sampled: Send + Sync {
    /// The number of points.
    fn count(&self) -> usize;

    /// Appends the points of `indices` (from 0, below [`Sampled::count`]) and their targets to
    /// `batch`.
    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch);
}

/// A selection of the points of a [`Sampled`].
#[derive(Debug, Clone)]
pub enum Indices<'a> {
    /// The indices of a range, in ascending order.
    Range(Range<usize>),
    /// A list of indices, in its order.
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
    /// The default number of points per step.
    fn default_count(&self) -> usize;

    /// The number of points evaluated after training: for the final losses, for
    /// [`Signal::metrics_of_fit`](crate::signal::Signal::metrics_of_fit) and for the files that the
    /// signal writes.
    fn final_passes(&self) -> usize;

    /// A sampler of about `count` points per step, with the targets of `supervision`. The points are
    /// a function of `seed`, `count`, `supervision` and [`Draw`] alone, so that runs can be repeated
    /// and resumed.
    fn sampler(&self, seed: u64, count: usize, supervision: &Supervision) -> Box<dyn Sampler + '_>;
}

/// Draws the points of a run.
pub trait Sampler: Send {
    /// Fills `batch`, which must be empty.
    fn draw(&mut self, draw: Draw, batch: &mut PointBatch);
}

/// Which points a [`Sampler`] draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The points of a training step, counted from 0.
    Step(u64),
    /// The points on which networks are evaluated; they are never trained on.
    Check,
}

/// A box of samples of a signal: a range along each axis, the fastest varying axis first.
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

    /// The range of samples along `axis`.
    pub fn axis(&self, axis: usize) -> Range<usize> {
        self.ranges[axis].clone()
    }

    /// The number of samples.
    pub fn sample_count(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).product()
    }

    /// Calls `visit` for each range of consecutive samples of a signal with `axes` samples along
    /// each axis, in the signal's order.
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

/// All combinations of `coordinates`, one list per axis, the first axis varying fastest: shape
/// (n, axes).
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

/// The points on which a network is evaluated. For drawn points, they are drawn once.
pub enum EvalPoints<'a> {
    /// All sampled points.
    Sampled(Arc<dyn Sampled + 'a>),
    /// The points of [`Draw::Check`].
    Drawn(PointBatch),
}

/// The loss and the values of a network on the points of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalLoss {
    /// The loss over all sampled points, or over the drawn points of [`Draw::Check`].
    pub loss: f64,
    /// The loss of each term, if the loss is a sum of terms.
    pub terms: TermLosses,
    /// The network's values at all sampled points, shape (n, outputs); empty for drawn points.
    pub values: Vec<f32>,
}

impl<'a> Points<'a> {
    /// The default number of points per step.
    pub fn default_count(&self) -> usize {
        match self {
            Self::Sampled(points) => points.count(),
            Self::Drawn(points, _) => points.default_count(),
        }
    }

    /// The number of points evaluated after training, repetitions counted: a time limit must leave
    /// time for them.
    pub fn final_passes(&self) -> usize {
        match self {
            // The last and the best parameters are evaluated.
            Self::Sampled(points) => 2 * points.count(),
            Self::Drawn(points, _) => points.final_passes(),
        }
    }

    /// The points on which networks are evaluated, for a run with this seed.
    pub fn eval_points(&self, seed: u64) -> EvalPoints<'a> {
        match self {
            Self::Sampled(points) => EvalPoints::Sampled(points.clone()),
            Self::Drawn(points, supervision) => {
                let mut batch = PointBatch::default();
                let mut sampler = points.sampler(seed, points.default_count(), supervision);
                sampler.draw(Draw::Check, &mut batch);
                EvalPoints::Drawn(batch)
            }
        }
    }
}

impl EvalPoints<'_> {
    /// Whether the loss is a sum of terms.
    pub(crate) fn has_terms(&self) -> bool {
        match self {
            Self::Drawn(batch) => batch.has_terms(),
            Self::Sampled(points) => {
                let mut nothing = PointBatch::default();
                points.push(Indices::Range(0..0), &mut nothing);
                nothing.has_terms()
            }
        }
    }

    /// Evaluates the current parameters of `engine`.
    ///
    /// # Errors
    /// Returns an [`EngineError`] if the points do not match the engine's network or memory cannot
    /// be allocated.
    pub fn evaluate(&self, engine: &mut dyn Engine) -> Result<EvalLoss, EngineError> {
        match self {
            Self::Drawn(batch) => batch.evaluate(engine),
            Self::Sampled(points) => {
                let network = engine.network().clone();
                let mut batch = PointBatch::default();
                if self.has_terms() {
                    points.push(Indices::Range(0..points.count()), &mut batch);
                    let found = batch.evaluate(engine)?;
                    let mut values = vec![0.0; points.count() * network.outputs()];
                    engine.evaluate(batch.coordinates(), &mut values)?;
                    return Ok(EvalLoss { values, ..found });
                }
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
                let loss = squares / values.len() as f64;
                Ok(EvalLoss { loss, terms: TermLosses::default(), values })
            }
        }
    }
}
