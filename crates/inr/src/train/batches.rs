//! The points of each training step.

use std::sync::Arc;

use vi3nr::rng::{Random, Stream};
use vi3nr_engine::Workers;

use crate::points::{Draw, Indices, PointBatch, Points, Sampled, Sampler};

/// The order of the points in an epoch; the substream is the epoch.
const SHUFFLE: Stream = Stream::new(2);

/// The number of steps on drawn points whose mean loss stands for the loss of the parameters after
/// them.
const DRAWN_EPOCH: u64 = 100;

/// An iterator over the points of the steps, which holds only those of the current step.
pub(super) struct Batches<'a> {
    source: Source<'a>,
    seed: u64,
    batch: PointBatch,
    /// The threads that draw points.
    workers: &'a Workers,
}

enum Source<'a> {
    /// All points at each step.
    Whole,
    /// Mini-batches of a shuffled order.
    Shuffled(Shuffled<'a>),
    /// New points at each step.
    Drawn { sampler: Box<dyn Sampler + 'a>, step: u64 },
}

/// Mini-batches. Every epoch is a permutation of all points, drawn from (seed, epoch) alone and
/// split into mini-batches of `size` points, the last of which may be smaller.
struct Shuffled<'a> {
    points: Arc<dyn Sampled + 'a>,
    size: usize,
    epoch: u32,
    order: Vec<u32>,
    /// The start of the next mini-batch in `order`.
    next: usize,
}

impl<'a> Batches<'a> {
    /// Batches of `size` points; if `None`, of all sampled points or the default number of drawn
    /// points.
    pub(super) fn new(
        points: Points<'a>,
        size: Option<usize>,
        seed: u64,
        workers: &'a Workers,
    ) -> Self {
        let mut batch = PointBatch::default();
        let source = match points {
            Points::Sampled(points) => match size.filter(|size| *size < points.count()) {
                Some(size) => Source::Shuffled(Shuffled::new(points, size, seed)),
                None => {
                    points.push(Indices::Range(0..points.count()), &mut batch);
                    Source::Whole
                }
            },
            Points::Drawn(points, supervision) => {
                let count = size.unwrap_or(points.default_count());
                Source::Drawn { sampler: points.sampler(seed, count, supervision), step: 0 }
            }
        };
        Self { source, seed, batch, workers }
    }

    /// Continues as after `step` calls of [`Batches::next`].
    pub(super) fn seek(&mut self, step: u64) {
        match &mut self.source {
            Source::Whole => {}
            Source::Shuffled(shuffled) => shuffled.seek(self.seed, step),
            Source::Drawn { step: next, .. } => *next = step,
        }
    }

    /// The points and targets of the next step.
    pub(super) fn next(&mut self) -> &PointBatch {
        match &mut self.source {
            Source::Whole => {}
            Source::Shuffled(shuffled) => shuffled.next(self.seed, &mut self.batch),
            Source::Drawn { sampler, step } => {
                let batch = &mut self.batch;
                batch.clear();
                self.workers.install(|| sampler.draw(Draw::Step(*step), batch));
                *step += 1;
            }
        }
        &self.batch
    }

    /// The number of next steps on mini-batches, up to the one before the last of the epoch, whose
    /// points are known. It is 0 unless the points are shuffled.
    pub(super) fn steps_ahead(&self) -> usize {
        match &self.source {
            Source::Shuffled(shuffled) => shuffled.steps_ahead(),
            _ => 0,
        }
    }

    /// The points and targets of the next `steps` steps, and the number of points of a step.
    pub(super) fn ahead(&self, steps: usize) -> (PointBatch, usize) {
        let mut batch = PointBatch::default();
        let Source::Shuffled(Shuffled { points, size, order, next, .. }) = &self.source else {
            return (batch, 1);
        };
        points.push(Indices::List(&order[*next..next + steps * size]), &mut batch);
        (batch, *size)
    }

    /// Continues after `steps` of the steps of [`Batches::steps_ahead`].
    pub(super) fn skip(&mut self, steps: usize) {
        if let Source::Shuffled(shuffled) = &mut self.source {
            shuffled.next += steps * shuffled.size;
        }
    }

    /// The points and targets of the current step.
    pub(super) fn current(&self) -> &PointBatch {
        &self.batch
    }

    /// Whether the current batch is the last of its epoch.
    pub(super) fn epoch_ended(&self) -> bool {
        match &self.source {
            Source::Whole => true,
            Source::Shuffled(shuffled) => shuffled.next == shuffled.order.len(),
            Source::Drawn { step, .. } => step.is_multiple_of(DRAWN_EPOCH),
        }
    }

    /// Whether every step uses all points.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.source, Source::Whole)
    }
}

impl<'a> Shuffled<'a> {
    fn new(points: Arc<dyn Sampled + 'a>, size: usize, seed: u64) -> Self {
        let order = (0..points.count() as u32).collect();
        let mut shuffled = Self { points, size, epoch: 0, order, next: 0 };
        shuffled.shuffle(seed);
        shuffled
    }

    fn next(&mut self, seed: u64, batch: &mut PointBatch) {
        if self.next == self.order.len() {
            self.epoch = self.epoch.wrapping_add(1);
            self.next = 0;
            self.shuffle(seed);
        }
        let end = self.order.len().min(self.next + self.size);
        batch.clear();
        self.points.push(Indices::List(&self.order[self.next..end]), batch);
        self.next = end;
    }

    /// The number of complete mini-batches before the last of the epoch.
    fn steps_ahead(&self) -> usize {
        let left = self.order.len() - self.next;
        left.div_ceil(self.size).saturating_sub(1)
    }

    /// Continues as after `step` calls of [`Shuffled::next`]: a complete epoch ends with the next
    /// call.
    fn seek(&mut self, seed: u64, step: u64) {
        let per_epoch = self.order.len().div_ceil(self.size) as u64;
        let before = step.saturating_sub(1);
        // The epoch wraps after 2^32, as in `next`.
        self.epoch = (before / per_epoch) as u32;
        let taken = if step == 0 { 0 } else { before % per_epoch + 1 };
        self.next = self.order.len().min(taken as usize * self.size);
        self.shuffle(seed);
    }

    /// Fisher-Yates with the epoch's own random numbers.
    fn shuffle(&mut self, seed: u64) {
        let random = Random::new(seed, SHUFFLE, self.epoch);
        for (index, value) in self.order.iter_mut().enumerate() {
            *value = index as u32;
        }
        for index in (1..self.order.len()).rev() {
            let other = random.below(index as u64, index as u64 + 1) as usize;
            self.order.swap(index, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::Drawn;
    use crate::supervision::Supervision;

    /// Point i has the coordinate i and the targets (i, i).
    struct Numbers(usize);

    impl Sampled for Numbers {
        fn count(&self) -> usize {
            self.0
        }

        fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
            indices.for_each(|index| {
                batch.points.push(index as f32);
                batch.targets.extend([index as f32; 2]);
            });
        }
    }

    impl Drawn for Numbers {
        fn default_count(&self) -> usize {
            self.0
        }

        fn final_passes(&self) -> usize {
            0
        }

        fn sampler(&self, seed: u64, count: usize, _: &Supervision) -> Box<dyn Sampler + '_> {
            Box::new(Repeated { seed, count })
        }
    }

    /// `count` points, all with the coordinate 1000 * seed + step.
    struct Repeated {
        seed: u64,
        count: usize,
    }

    impl Sampler for Repeated {
        fn draw(&mut self, draw: Draw, batch: &mut PointBatch) {
            assert_eq!(*batch, PointBatch::default());
            let Draw::Step(step) = draw else { panic!("{draw:?}") };
            batch.points.resize(self.count, (1000 * self.seed + step) as f32);
            batch.targets.resize(self.count, 0.0);
        }
    }

    fn sampled(count: usize) -> Points<'static> {
        Points::Sampled(Arc::new(Numbers(count)))
    }

    #[test]
    fn an_epoch_has_every_point_once_with_its_target() {
        let workers = Workers::new(Some(1)).unwrap();
        let mut batches = Batches::new(sampled(103), Some(10), 9, &workers);
        let mut epochs = Vec::new();
        for _ in 0..2 {
            let mut seen = Vec::new();
            loop {
                let PointBatch { points, targets, .. } = batches.next();
                assert!(points.iter().zip(targets.chunks(2)).all(|(p, t)| t == [*p, *p]));
                seen.extend_from_slice(points);
                if batches.epoch_ended() {
                    break;
                }
            }
            let mut sorted = seen.clone();
            sorted.sort_by(f32::total_cmp);
            assert_eq!(sorted, (0..103).map(|i| i as f32).collect::<Vec<_>>());
            epochs.push(seen);
        }
        assert_ne!(epochs[0], epochs[1]);
        assert!(!epochs[0].is_sorted());
    }

    #[test]
    fn a_size_of_all_points_is_the_full_batch_in_order() {
        let workers = Workers::new(Some(1)).unwrap();
        for size in [None, Some(5), Some(100)] {
            let mut batches = Batches::new(sampled(5), size, 9, &workers);
            assert!(batches.is_full());
            assert_eq!(batches.next().points, [0.0, 1.0, 2.0, 3.0, 4.0]);
            assert!(batches.epoch_ended());
        }
    }

    #[test]
    fn batches_resume_from_any_step() {
        let numbers = Numbers(23);
        let workers = Workers::new(Some(1)).unwrap();
        for points in [sampled(23), Points::Drawn(&numbers, &Supervision::Values)] {
            for size in [None, Some(5), Some(23), Some(6)] {
                for step in [0, 1, 4, 5, 6, 10, 13] {
                    let mut run = Batches::new(points.clone(), size, 7, &workers);
                    (0..step).for_each(|_| drop(run.next().clone()));
                    let mut resumed = Batches::new(points.clone(), size, 7, &workers);
                    resumed.seek(step);
                    assert_eq!(run.epoch_ended(), resumed.epoch_ended(), "{size:?} {step}");
                    for _ in 0..9 {
                        assert_eq!(run.next(), resumed.next(), "{size:?} {step}");
                        assert_eq!(run.epoch_ended(), resumed.epoch_ended());
                    }
                }
            }
        }
    }

    #[test]
    fn steps_ahead_are_the_next_ones_of_the_epoch() {
        let workers = Workers::new(Some(1)).unwrap();
        for taken in [0, 1, 3, 4, 5, 6] {
            let batches = || {
                let mut batches = Batches::new(sampled(23), Some(5), 9, &workers);
                batches.seek(taken);
                batches
            };
            let (mut one_by_one, mut ahead) = (batches(), batches());
            // Of five steps, the last is not known ahead; after it, the next epoch is not drawn yet.
            let expected =
                [4, 3, 1, 0, 0, 3][[0, 1, 3, 4, 5, 6].iter().position(|t| *t == taken).unwrap()];
            assert_eq!(ahead.steps_ahead(), expected, "after {taken}");
            let (points, size) = ahead.ahead(expected);
            assert!(expected == 0 || size == 5);
            let next: Vec<f32> =
                (0..expected).flat_map(|_| one_by_one.next().points.clone()).collect();
            assert_eq!(points.points, next);
            ahead.skip(expected);
            assert_eq!(ahead.next(), one_by_one.next());
        }
    }

    #[test]
    fn drawn_points_depend_on_seed_and_step() {
        let numbers = Numbers(3);
        let workers = Workers::new(Some(1)).unwrap();
        for (size, count) in [(None, 3), (Some(7), 7)] {
            let mut batches =
                Batches::new(Points::Drawn(&numbers, &Supervision::Values), size, 2, &workers);
            assert!(!batches.is_full());
            for step in 0..2 * DRAWN_EPOCH {
                assert_eq!(batches.next().points, vec![(2000 + step) as f32; count]);
                assert_eq!(batches.epoch_ended(), (step + 1) % DRAWN_EPOCH == 0);
            }
        }
    }
}
