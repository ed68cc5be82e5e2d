//! Which points each step sees.

use vi3nr::rng::{Random, Stream};

/// The points of one step after another: all of them, or shuffled parts.
///
/// Every epoch is a permutation of all points, drawn from (seed, epoch) alone, cut into parts of
/// the batch size; its last part may be smaller.
#[derive(Debug)]
pub(super) struct Batches<'a> {
    points: &'a [f32],
    targets: &'a [f32],
    inputs: usize,
    outputs: usize,
    /// None for all points at once.
    size: Option<usize>,
    seed: u64,
    epoch: u32,
    order: Vec<u32>,
    /// Where the next part starts in `order`.
    next: usize,
    part_points: Vec<f32>,
    part_targets: Vec<f32>,
}

impl<'a> Batches<'a> {
    /// Batches of `size` points, or of all of them if `size` is none or not below their number.
    pub(super) fn new(
        (points, inputs): (&'a [f32], usize),
        (targets, outputs): (&'a [f32], usize),
        size: Option<usize>,
        seed: u64,
    ) -> Self {
        let count = points.len() / inputs;
        let size = size.filter(|size| *size < count);
        let order = if size.is_some() { (0..count as u32).collect() } else { Vec::new() };
        let mut batches = Self {
            points,
            targets,
            inputs,
            outputs,
            size,
            seed,
            epoch: 0,
            order,
            next: 0,
            part_points: Vec::new(),
            part_targets: Vec::new(),
        };
        batches.shuffle();
        batches
    }

    /// The points and targets of the next step.
    pub(super) fn next(&mut self) -> (&[f32], &[f32]) {
        let Some(size) = self.size else {
            return (self.points, self.targets);
        };
        if self.next == self.order.len() {
            self.epoch = self.epoch.wrapping_add(1);
            self.next = 0;
            self.shuffle();
        }
        let end = self.order.len().min(self.next + size);
        self.part_points.clear();
        self.part_targets.clear();
        for &index in &self.order[self.next..end] {
            let index = index as usize;
            let point = &self.points[index * self.inputs..][..self.inputs];
            let target = &self.targets[index * self.outputs..][..self.outputs];
            self.part_points.extend_from_slice(point);
            self.part_targets.extend_from_slice(target);
        }
        self.next = end;
        (&self.part_points, &self.part_targets)
    }

    /// Whether the part just returned was the last of its epoch.
    pub(super) fn epoch_ended(&self) -> bool {
        self.next == self.order.len()
    }

    /// Whether every step sees all points.
    pub(super) fn is_full(&self) -> bool {
        self.size.is_none()
    }

    /// Fisher-Yates with the epoch's own random numbers.
    fn shuffle(&mut self) {
        let random = Random::new(self.seed, Stream::Shuffle, self.epoch);
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

    fn batches<'a>(points: &'a [f32], targets: &'a [f32], size: Option<usize>) -> Batches<'a> {
        Batches::new((points, 1), (targets, 2), size, 9)
    }

    #[test]
    fn an_epoch_shows_every_point_once_with_its_own_target() {
        let points: Vec<f32> = (0..103).map(|i| i as f32).collect();
        let targets: Vec<f32> = (0..206).map(|i| (i / 2) as f32).collect();
        let mut batches = batches(&points, &targets, Some(10));
        let mut epochs = Vec::new();
        for _ in 0..2 {
            let mut seen = Vec::new();
            loop {
                let (points, targets) = batches.next();
                assert!(points.iter().zip(targets.chunks(2)).all(|(p, t)| t == [*p, *p]));
                seen.extend_from_slice(points);
                if batches.epoch_ended() {
                    break;
                }
            }
            let mut sorted = seen.clone();
            sorted.sort_by(f32::total_cmp);
            assert_eq!(sorted, points);
            epochs.push(seen);
        }
        assert_ne!(epochs[0], epochs[1]);
        assert_ne!(epochs[0], points);
    }

    #[test]
    fn a_size_of_all_points_is_the_full_batch_in_order() {
        let points: Vec<f32> = (0..5).map(|i| i as f32).collect();
        let targets = vec![0.0; 10];
        for size in [None, Some(5), Some(100)] {
            let mut batches = batches(&points, &targets, size);
            assert!(batches.is_full());
            assert_eq!(batches.next().0, points);
            assert!(batches.epoch_ended());
        }
    }
}
