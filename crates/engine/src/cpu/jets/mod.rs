//! The fused pass of values together with their derivatives with respect to the coordinates.
//!
//! Every point has one row for each of its [`Channels`], and the rows of a point are consecutive: a
//! tile of P points with C channels is a matrix of P·C rows. All channels pass through the same
//! weights, so that a layer is one matrix product over all rows, as is its backward pass and the
//! gradient of its weights. Only the bias and the activation distinguish the channels; they are
//! elementwise and work on a few rows at a time, which are still in the first-level cache.

mod curvature;
mod elementwise;
mod function;
mod pass;
mod scratch;
mod step;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::core::Core;
use super::layout::{Layout, MAX_TILE_POINTS, TILE_BYTES};
use super::tile::Shared;
use crate::EngineError;
use crate::channels::{Channels, hessian_index};
use function::jet_function;
pub(super) use function::{Derivatives, JetFunction};
use scratch::Scratch;
pub(super) use step::{JetsByOrder, chunk_count, sums_and_partials};

/// The minimum number of rows of a tile, so that the products are not dominated by the cost of
/// reading the weights.
const MIN_TILE_ROWS: usize = 64;

/// The passes of one set of channels: the activation with its derivatives, and a scratch for every
/// thread.
pub(super) struct Jets {
    channels: Channels,
    function: Box<dyn JetFunction>,
    tile_points: usize,
    scratch: Vec<Mutex<Scratch>>,
}

/// What a pass reads.
#[derive(Clone, Copy)]
struct Pass<'a> {
    shared: Shared<'a>,
    channels: &'a Channels,
    function: &'a dyn JetFunction,
}

impl Jets {
    /// Prepares passes of `channels`; `with_backward` says whether losses are differentiated, which
    /// needs one more derivative of the activation.
    ///
    /// # Errors
    /// Returns [`EngineError::Activation`] if the derivatives of a formula exceed its limits, and
    /// [`EngineError::Memory`] if an allocation fails.
    pub(super) fn new(
        core: &Core,
        channels: Channels,
        with_backward: bool,
    ) -> Result<Self, EngineError> {
        let derivatives = (channels.order() + usize::from(with_backward)).max(1);
        let function = jet_function(core.network.activation(), derivatives)?;
        let tile_points = tile_points(&core.layout, &channels, derivatives);
        let scratch = (0..core.workers.threads())
            .map(|_| {
                Scratch::new(&core.layout, &channels, derivatives, tile_points).map(Mutex::new)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { channels, function, tile_points, scratch })
    }

    /// The scratch of the calling thread. No other thread holds its lock.
    fn own_scratch(&self) -> MutexGuard<'_, Scratch> {
        let index = rayon::current_thread_index().unwrap_or(0);
        self.scratch[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass<'a>(&'a self, shared: Shared<'a>) -> Pass<'a> {
        Pass { shared, channels: &self.channels, function: &*self.function }
    }

    /// Evaluates Φ and its first and second derivatives at `points`: see
    /// [`Engine::differentiate_twice`](crate::Engine::differentiate_twice), which checks the
    /// lengths. The channels are those of [`Channels::hessian`].
    pub(super) fn differentiate_twice(
        &self,
        core: &Core,
        points: &[f32],
        (values, derivatives, hessians): (&mut [f32], &mut [f32], &mut [f32]),
    ) {
        let (inputs, outputs) = (core.network.inputs(), core.network.outputs());
        let (pass, tile) = (self.pass(core.shared()), self.tile_points);
        core.workers.install(|| {
            values
                .par_chunks_mut(tile * outputs)
                .zip(derivatives.par_chunks_mut(tile * outputs * inputs))
                .zip(hessians.par_chunks_mut(tile * outputs * inputs * inputs))
                .zip(points.par_chunks(tile * inputs))
                .for_each(|(((values, derivatives), hessians), points)| {
                    let mut scratch = self.own_scratch();
                    let (rows, stride) = pass.forward(&mut scratch, points);
                    let results = values
                        .chunks_exact_mut(outputs)
                        .zip(derivatives.chunks_exact_mut(outputs * inputs))
                        .zip(hessians.chunks_exact_mut(outputs * inputs * inputs));
                    let channels = pass.channels.count();
                    for (rows, ((values, derivatives), hessians)) in
                        rows.chunks(channels * stride).zip(results)
                    {
                        values.copy_from_slice(&rows[..outputs]);
                        for (o, a) in (0..outputs).flat_map(|o| (0..inputs).map(move |a| (o, a))) {
                            derivatives[o * inputs + a] = rows[(1 + a) * stride + o];
                            for b in 0..inputs {
                                let channel = 1 + inputs + hessian_index(a, b, inputs);
                                hessians[(o * inputs + a) * inputs + b] =
                                    rows[channel * stride + o];
                            }
                        }
                    }
                });
        });
    }
}

/// The number of points of a tile whose scratch has about [`TILE_BYTES`].
fn tile_points(layout: &Layout, channels: &Channels, derivatives: usize) -> usize {
    let rows = 2 * channels.count() + derivatives - 1;
    let point_bytes: usize =
        layout.layers.iter().map(|layer| size_of::<f32>() * layer.tile_stride * rows).sum();
    let least = MIN_TILE_ROWS.div_ceil(channels.count());
    (TILE_BYTES / point_bytes).clamp(least, MAX_TILE_POINTS.max(least))
}
