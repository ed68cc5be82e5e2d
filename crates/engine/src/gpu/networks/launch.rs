//! The launches of a pass.

use bytemuck::{Pod, Zeroable};

use crate::Loss;
use crate::gpu::device::{Bindings, Dispatch};
use crate::gpu::passes::Pass;

/// The constants of a launch of a pass; `struct Launch` in the kernels.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Launch {
    /// Whether partial gradients and losses are added to those of an earlier launch.
    pub(super) accumulate: u32,
    /// The kind of the loss of values, and the limit of a clamped one.
    pub(super) loss: u32,
    pub(super) limit: f32,
    /// The first of the jobs of this launch.
    pub(super) first_job: u32,
    /// The tiles of this launch.
    pub(super) first_tile: u32,
    pub(super) end_tile: u32,
    /// The number of terms of the loss.
    pub(super) terms: u32,
    pub(super) padding: u32,
}

impl Launch {
    /// The constants of a step with this loss of values.
    pub(super) fn of_loss(loss: Loss) -> Self {
        let (loss, limit) = match loss {
            Loss::Squared => (0, 0.0),
            Loss::Absolute => (1, 0.0),
            Loss::ClampedAbsolute { limit } => (2, limit),
            Loss::ClampedSquared { limit } => (3, limit),
        };
        Self { loss, limit: limit as f32, ..Self::default() }
    }

    /// The launches of `pass` for jobs of at most `tiles` tiles and `groups` workgroups along x and y.
    /// A launch ends after a while, so that the device can turn to other programs. The workgroups of a
    /// tile, and so the order of all sums, do not depend on the number of launches.
    pub(super) fn of_pass<'a>(
        self,
        pass: &'a Pass,
        bindings: &'a Bindings,
        tiles: usize,
        groups: [u32; 2],
    ) -> impl Iterator<Item = Dispatch<'a>> {
        (0..tiles).step_by(pass.tiles_per_launch).map(move |first| {
            let launch = Self {
                accumulate: if first > 0 { 1 } else { self.accumulate },
                first_tile: first as u32,
                end_tile: (first + pass.tiles_per_launch) as u32,
                ..self
            };
            let immediates = bytemuck::cast(launch);
            Dispatch { kernel: &pass.kernel, bindings, immediates, groups }
        })
    }
}
