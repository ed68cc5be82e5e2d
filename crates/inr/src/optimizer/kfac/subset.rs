//! Stratified random points of a batch, for the curvature.

use vi3nr::Network;
use vi3nr::rng::{Random, Stream};
use vi3nr_engine::Residuals;

use super::KfacSettings;
use crate::points::PointBatch;

/// The points of an update of the factors; the substream is the step.
const FACTOR_POINTS: Stream = Stream::new(6);
/// The random signs that are backpropagated from these points; the substream is the step.
const FACTOR_SIGNS: Stream = Stream::new(7);
/// The points of the quadratic model; the substream is the step.
const MODEL_POINTS: Stream = Stream::new(8);

/// Draws subsets as functions of the seed and the step.
#[derive(Debug)]
pub(super) struct Subsets {
    settings: KfacSettings,
    seed: u64,
}

/// Some points of a batch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subset {
    /// The number of points, n.
    pub(super) count: usize,
    /// The coordinates, shape (n, inputs).
    pub(super) points: Vec<f32>,
    /// -1 or 1 for each residual, shape (n, residuals); empty for the quadratic model.
    pub(super) signs: Vec<f32>,
}

impl Subsets {
    pub(super) fn new(settings: KfacSettings, seed: u64) -> Self {
        Self { settings, seed }
    }

    /// The points and signs of an update of the factors.
    pub(super) fn for_factors(
        &self,
        network: &Network,
        (batch, residuals): (&PointBatch, Residuals),
        step: u64,
    ) -> Subset {
        let random = Random::new(self.seed, FACTOR_POINTS, step as u32);
        let mut subset = stratified(network, batch, self.settings.factor_points, &random);
        let random = Random::new(self.seed, FACTOR_SIGNS, step as u32);
        let each = residuals.count(network.inputs(), network.outputs());
        let signs = 0..(subset.count * each) as u64;
        subset.signs =
            signs.map(|index| if random.below(index, 2) == 0 { -1.0 } else { 1.0 }).collect();
        subset
    }

    /// The points of the quadratic model of a step.
    pub(super) fn for_model(
        &self,
        network: &Network,
        batch: &PointBatch,
        count: usize,
        step: u64,
    ) -> Subset {
        let random = Random::new(self.seed, MODEL_POINTS, step as u32);
        stratified(network, batch, count, &random)
    }
}

/// One random point from each of `count` equal segments of the batch, or all points if the batch
/// has at most `count`.
fn stratified(network: &Network, batch: &PointBatch, count: usize, random: &Random) -> Subset {
    let inputs = network.inputs();
    let coordinates = batch.coordinates();
    let all = coordinates.len() / inputs;
    let count = count.min(all);
    let mut points = Vec::with_capacity(count * inputs);
    for segment in 0..count {
        let (from, to) = (segment * all / count, (segment + 1) * all / count);
        let index = from + random.below(segment as u64, (to - from) as u64) as usize;
        points.extend_from_slice(&coordinates[index * inputs..][..inputs]);
    }
    Subset { count, points, signs: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_segment_has_one_point_and_steps_differ() {
        let network = Network::new(vec![1, 4, 2], "relu".parse().unwrap()).unwrap();
        let batch =
            PointBatch { points: (0..103).map(|i| i as f32).collect(), ..Default::default() };
        let settings = KfacSettings { factor_points: 10, model_points: 1000 };
        let subsets = Subsets::new(settings, 3);
        let first = subsets.for_factors(&network, (&batch, Residuals::VALUES), 0);
        assert_eq!((first.count, first.points.len(), first.signs.len()), (10, 10, 20));
        for (segment, point) in first.points.iter().enumerate() {
            let index = *point as usize;
            assert!((segment * 103 / 10..(segment + 1) * 103 / 10).contains(&index));
        }
        assert!(first.signs.iter().all(|sign| sign.abs() == 1.0));
        assert!(first.signs.contains(&1.0) && first.signs.contains(&-1.0));
        assert_eq!(first, subsets.for_factors(&network, (&batch, Residuals::VALUES), 0));
        assert_ne!(first, subsets.for_factors(&network, (&batch, Residuals::VALUES), 1));
        assert_eq!(subsets.for_model(&network, &batch, 1000, 0).points, batch.points);
    }
}
