//! Adam on the sum of the partial gradients, and the packing of the new weights.

use std::ops::Range;

use rayon::prelude::*;

use super::aligned::Aligned;
use super::instruction_set::{InstructionSet, Task};
use super::layout::Layout;
use super::product::{Unpacked, pack};
use super::tiny::without_subnormal;
use super::vector::Vector;
use crate::EngineError;
use crate::adam::AdamStep;
use crate::error::try_zeros;

/// The number of parameters that one task updates: small enough to balance the load of the threads,
/// large enough to amortize the cost of a task.
const STRIP: usize = 4096;

/// The state of Adam in the inner layout.
#[derive(Debug)]
pub(super) struct AdamState {
    pub(super) mean: Aligned,
    pub(super) mean_square: Aligned,
    pub(super) steps: u64,
}

/// One strip of the arrays of an update.
struct Strip<'a> {
    parameters: &'a mut [f32],
    mean: &'a mut [f32],
    mean_square: &'a mut [f32],
    /// The same strip of every partial gradient, in the order of summation.
    partials: Vec<&'a [f32]>,
    step: AdamStep,
}

impl Task for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let (beta1, beta2) = (self.step.beta1 as f32, self.step.beta2 as f32);
        let (rest1, rest2) = ((1.0 - self.step.beta1) as f32, (1.0 - self.step.beta2) as f32);
        let (epsilon, size) = (self.step.epsilon as f32, self.step.step_size as f32);
        let correction = self.step.root_correction as f32;
        let mut gradient = [0.0f32; STRIP];
        let gradient = &mut gradient[..self.parameters.len()];
        sum_partials(gradient, &self.partials);
        let means = self.mean.iter_mut().zip(self.mean_square);
        for ((parameter, g), (mean, square)) in self.parameters.iter_mut().zip(gradient).zip(means)
        {
            *mean = without_subnormal(beta1 * *mean + rest1 * *g);
            *square = without_subnormal(beta2 * *square + rest2 * *g * *g);
            *parameter -= size * *mean / (square.sqrt() * correction + epsilon);
        }
    }
}

/// sums ← Σ partials, in their order.
#[inline(always)]
fn sum_partials(sums: &mut [f32], partials: &[&[f32]]) {
    sums.copy_from_slice(partials[0]);
    for partial in &partials[1..] {
        for (sum, value) in sums.iter_mut().zip(*partial) {
            *sum += value;
        }
    }
}

/// One strip of the sum of partial gradients.
struct Sum<'a> {
    sums: &'a mut [f32],
    /// The same strip of every partial gradient, in the order of summation.
    partials: Vec<&'a [f32]>,
}

impl Task for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        sum_partials(self.sums, &self.partials);
    }
}

/// The sum of the partial gradients, in the inner layout: the gradient of a step of Adam.
pub(super) fn total_gradient(
    set: InstructionSet,
    layout: &Layout,
    partials: &[Aligned],
) -> Result<Vec<f32>, EngineError> {
    let mut total = try_zeros(layout.len)?;
    total.par_chunks_mut(STRIP).enumerate().for_each(|(index, sums)| {
        let start = index * STRIP;
        let partials = partials.iter().map(|partial| &partial[start..][..sums.len()]).collect();
        set.run(Sum { sums, partials });
    });
    Ok(total)
}

/// Applies one step of Adam with the sum of `partials` as the gradient to the parameters in the
/// ranges `moved`, which are in ascending order.
pub(super) fn adam_step(
    set: InstructionSet,
    moved: &[Range<usize>],
    mut parameters: &mut [f32],
    state: &mut AdamState,
    partials: &[Aligned],
    step: AdamStep,
) {
    let (mut mean, mut mean_square) = (&mut state.mean[..], &mut state.mean_square[..]);
    let mut strips = Vec::new();
    let mut at = 0;
    for range in moved {
        for start in range.clone().step_by(STRIP) {
            let end = range.end.min(start + STRIP);
            let partials = partials.iter().map(|partial| &partial[start..end]).collect();
            strips.push(Strip {
                parameters: cut(&mut parameters, start - at, end - start),
                mean: cut(&mut mean, start - at, end - start),
                mean_square: cut(&mut mean_square, start - at, end - start),
                partials,
                step,
            });
            at = end;
        }
    }
    strips.into_par_iter().for_each(|strip| set.run(strip));
}

/// Skips `skip` numbers of `rest` and splits off the next `len`.
fn cut<'a>(rest: &mut &'a mut [f32], skip: usize, len: usize) -> &'a mut [f32] {
    let (taken, left) = std::mem::take(rest)[skip..].split_at_mut(len);
    *rest = left;
    taken
}

/// Packs the weights in the panels of the forward and the backward product.
pub(super) fn pack_weights(
    set: InstructionSet,
    layout: &Layout,
    parameters: &[f32],
    forward: &mut [f32],
    backward: &mut [f32],
) {
    let panel = set.panel_columns();
    rayon::scope(|scope| {
        let (mut forward, mut forward_start) = (forward, 0);
        let mut backward = backward;
        for layer in &layout.layers {
            let weights = &parameters[layer.weights.clone()];
            let rest = forward.split_at_mut(layer.weights.start - forward_start).1;
            let (mine, rest) = rest.split_at_mut(layer.weights.len());
            (forward, forward_start) = (rest, layer.weights.end);
            let from = Unpacked {
                values: weights,
                row_stride: layer.columns,
                col_stride: 1,
                columns: layer.columns,
            };
            scope.spawn(move |_| pack(mine, layer.fan_in, layer.columns, panel, from));
            let (mine, rest) = backward.split_at_mut(layer.fan_out * layer.backward_columns);
            backward = rest;
            let from = Unpacked {
                values: weights,
                row_stride: 1,
                col_stride: layer.columns,
                columns: layer.fan_in,
            };
            scope.spawn(move |_| {
                pack(mine, layer.fan_out, layer.backward_columns, panel, from);
            });
        }
    });
}
