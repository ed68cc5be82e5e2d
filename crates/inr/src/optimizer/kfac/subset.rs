//! Random points for the curvature, spread evenly over the batch.

use vi3nr::Network;
use vi3nr::rng::{Random, Stream};

use super::KfacSettings;
use crate::points::PointBatch;

/// Points over which the factors are averaged; the substream is the step.
const FACTOR_POINTS: Stream = Stream::new(6);
/// Signs that are propagated back for them; the substream is the step.
const FACTOR_SIGNS: Stream = Stream::new(7);
/// Points at which a step is modeled; the substream is the step.
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
    /// How many.
    pub(super) count: usize,
    /// Their coordinates, shape (n, inputs).
    pub(super) points: Vec<f32>,
    /// -1 or 1 for each output, shape (n, outputs); empty where none are needed.
    pub(super) signs: Vec<f32>,
}

impl Subsets {
    pub(super) fn new(settings: KfacSettings, seed: u64) -> Self {
        Self { settings, seed }
    }

    /// Points and signs of an update of the factors.
    pub(super) fn for_factors(&self, network: &Network, batch: &PointBatch, step: u64) -> Subset {
        let random = Random::new(self.seed, FACTOR_POINTS, step as u32);
        let mut subset = stratified(network, batch, self.settings.factor_points, &random);
        let random = Random::new(self.seed, FACTOR_SIGNS, step as u32);
        let signs = 0..(subset.count * network.outputs()) as u64;
        subset.signs =
            signs.map(|index| if random.below(index, 2) == 0 { -1.0 } else { 1.0 }).collect();
        subset
    }

    /// Points at which the model of a step knows J.
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

/// One point of each of `count` equal stretches of the batch; all of a batch that has no more.
fn stratified(network: &Network, batch: &PointBatch, count: usize, random: &Random) -> Subset {
    let inputs = network.inputs();
    let all = batch.points.len() / inputs;
    let count = count.min(all);
    let mut points = Vec::with_capacity(count * inputs);
    for stretch in 0..count {
        let (from, to) = (stretch * all / count, (stretch + 1) * all / count);
        let index = from + random.below(stretch as u64, (to - from) as u64) as usize;
        points.extend_from_slice(&batch.points[index * inputs..][..inputs]);
    }
    Subset { count, points, signs: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stretch_gives_one_point_and_steps_differ() {
        let network = Network::new(vec![1, 4, 2], "relu".parse().unwrap()).unwrap();
        let batch =
            PointBatch { points: (0..103).map(|i| i as f32).collect(), ..Default::default() };
        let settings = KfacSettings { factor_points: 10, model_points: 1000 };
        let subsets = Subsets::new(settings, 3);
        let first = subsets.for_factors(&network, &batch, 0);
        assert_eq!((first.count, first.points.len(), first.signs.len()), (10, 10, 20));
        for (stretch, point) in first.points.iter().enumerate() {
            let index = *point as usize;
            assert!((stretch * 103 / 10..(stretch + 1) * 103 / 10).contains(&index));
        }
        assert!(first.signs.iter().all(|sign| sign.abs() == 1.0));
        assert!(first.signs.contains(&1.0) && first.signs.contains(&-1.0));
        assert_eq!(first, subsets.for_factors(&network, &batch, 0));
        assert_ne!(first, subsets.for_factors(&network, &batch, 1));
        assert_eq!(subsets.for_model(&network, &batch, 1000, 0).points, batch.points);
    }
}
