//! The weights of a deep network, one layer at a time.

use vi3nr::WeightShape;
use vi3nr::init;
use vi3nr::rng::{Random, Stream};
use vi3nr_engine::{DenseLayers, EngineError};

use super::{MAX_KEPT_VALUES, PropagationPlan, zeros};

/// The source of the layers' weights.
pub(super) struct Weights {
    shape: WeightShape,
    variance: f64,
    width: usize,
    seed: u64,
    /// The weights of all layers, if drawing them is slow and they fit into memory; otherwise those
    /// of the current layer.
    held: Vec<f32>,
    are_all_held: bool,
}

impl Weights {
    pub(super) fn new(plan: &PropagationPlan, layers: &DenseLayers) -> Result<Self, EngineError> {
        let PropagationPlan { weights: shape, width, depth, seed, .. } = *plan;
        let size = width * width;
        let are_all_held = shape != WeightShape::Uniform && depth * size <= MAX_KEPT_VALUES;
        let held = zeros(if are_all_held { depth * size } else { size })?;
        let variance = plan.weight_variance;
        let mut weights = Self { shape, variance, width, seed, held, are_all_held };
        if are_all_held {
            layers.fill_rows(&mut weights.held, size, |layer, weights| {
                init::fill(shape, variance.sqrt(), width, &random(seed, layer), weights);
            });
        }
        Ok(weights)
    }

    /// The weights of a layer, of shape (width, width). Every call returns the same values.
    pub(super) fn layer(&mut self, layers: &DenseLayers, layer: usize) -> &[f32] {
        let size = self.width * self.width;
        if self.are_all_held {
            return &self.held[layer * size..(layer + 1) * size];
        }
        let random = random(self.seed, layer);
        match self.shape {
            WeightShape::Uniform => self.fill_uniform(layers, &random),
            shape => init::fill(shape, self.variance.sqrt(), self.width, &random, &mut self.held),
        }
        &self.held
    }

    /// Draws from U(-c, c) with c = √(3 σ²(W)), Eq. (7), with 32 random bits per weight: element e
    /// takes word e mod 4 of block e/4 of the generator.
    fn fill_uniform(&mut self, layers: &DenseLayers, random: &Random) {
        let step = (3.0 * self.variance).sqrt() * (-31f64).exp2();
        let width = self.width;
        layers.fill_rows(&mut self.held, width, |row, weights| {
            let first = row * width;
            let mut block = random.bits(first as u64 / 4);
            for (unit, weight) in weights.iter_mut().enumerate() {
                let element = first + unit;
                if element.is_multiple_of(4) {
                    block = random.bits(element as u64 / 4);
                }
                let centered = f64::from(block[element % 4]) + 0.5 - 31f64.exp2();
                *weight = (step * centered) as f32;
            }
        });
    }
}

/// The normal biases of all layers.
pub(super) struct Biases {
    /// Shape (depth, width); empty if their variance is 0.
    values: Vec<f32>,
    width: usize,
}

impl Biases {
    pub(super) fn new(plan: &PropagationPlan) -> Result<Self, EngineError> {
        let PropagationPlan { bias_variance, depth, width, seed, .. } = *plan;
        if bias_variance == 0.0 {
            return Ok(Self { values: Vec::new(), width });
        }
        let mut values = zeros(depth * width)?;
        for (layer, values) in values.chunks_mut(width).enumerate() {
            let random = Random::new(seed, Stream::BIASES, layer as u32);
            init::fill(WeightShape::Normal, bias_variance.sqrt(), 1, &random, values);
        }
        Ok(Self { values, width })
    }

    /// Adds the biases of a layer to the first `width` numbers of each row of `length` numbers.
    pub(super) fn add(
        &self,
        layers: &DenseLayers,
        layer: usize,
        length: usize,
        values: &mut [f32],
    ) {
        let own = layer * self.width..(layer + 1) * self.width;
        let Some(biases) = self.values.get(own) else { return };
        layers.fill_rows(values, length, |_, row| {
            row.iter_mut().zip(biases).for_each(|(value, bias)| *value += bias);
        });
    }
}

fn random(seed: u64, layer: usize) -> Random {
    Random::new(seed, Stream::WEIGHTS, layer as u32)
}
