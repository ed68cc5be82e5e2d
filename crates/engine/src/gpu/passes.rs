//! Compiled passes, with the tables that they read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::device::{Access, Buffer, Checks, Device, Kernel};
use super::kernels::channels::Slopes;
use super::kernels::{self, Purpose};
use super::layout::{Keep, Layout};
use super::networks::Context;
use super::wgsl;
use crate::EngineError;
use crate::channels::Channels;
use vi3nr::Network;

/// The compiled kernels of a device, by their text: networks of one activation and width share them.
#[derive(Debug)]
pub(super) struct KernelCache {
    kernels: Mutex<HashMap<String, Kernel>>,
    checks: Checks,
}

impl KernelCache {
    pub(super) fn new(checks: Checks) -> Self {
        Self { kernels: Mutex::default(), checks }
    }

    /// The kernel with this text, compiled if it is new.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if it cannot be compiled.
    pub(super) fn get(
        &self,
        device: &Device,
        text: String,
        accesses: &[Access],
    ) -> Result<Kernel, EngineError> {
        let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kernel) = kernels.get(&text) {
            return Ok(kernel.clone());
        }
        let kernel = device.kernel(&text, accesses, self.checks)?;
        kernels.insert(text, kernel.clone());
        Ok(kernel)
    }
}

/// The functions that terms call besides the activation.
const TERM_FUNCTIONS: &str = "math_exp";

/// A compiled pass over tiles of points.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) kernel: Kernel,
    pub(super) table: Buffer,
    pub(super) channels: Channels,
    /// The number of points of a tile.
    pub(super) points: usize,
    /// The number of vectors of a tile's points and targets.
    pub(super) tile: usize,
    /// The number of vectors of scratch memory of a workgroup.
    pub(super) scratch: usize,
    /// The largest number of workgroups for one network.
    pub(super) groups: usize,
    /// The largest number of tiles of a launch: a multiple of `groups`.
    pub(super) tiles_per_launch: usize,
}

impl Pass {
    /// Compiles the pass of `network` for `purpose` and `channels`. `rows` is the number of numbers
    /// that each point has in the buffer of points.
    ///
    /// # Errors
    /// Returns [`EngineError::Activation`] if the derivatives of a formula exceed their limits,
    /// [`EngineError::Unsupported`] if a tile cannot hold the channels, and the errors of
    /// [`KernelCache::get`].
    pub(super) fn new(
        context: &Context,
        (network, layout): (&Network, &Layout),
        (purpose, channels, rows): (Purpose, Channels, usize),
    ) -> Result<Self, EngineError> {
        let Context { device, cache, .. } = context;
        let points = layout.tile.points(channels.count());
        if points == 0 {
            let missing = "derivatives with respect to so many coordinates";
            return Err(EngineError::Unsupported { backend: "gpu", missing });
        }
        let (keep, slopes, sums) = match purpose {
            Purpose::Evaluate => (Keep::Two, Slopes::Unused, 0),
            Purpose::Tangents => (Keep::TwoMoved, Slopes::Kept, 0),
            Purpose::Step | Purpose::Terms => (Keep::All, Slopes::Kept, layout.parameters),
            Purpose::Factors => (Keep::All, Slopes::Kept, layout.moments()),
        };
        let order = kernels::channels::order(&channels, slopes);
        let functions = if purpose == Purpose::Terms { TERM_FUNCTIONS } else { "" };
        let activation = wgsl::activation(network.activation(), order, functions)?;
        let coherent = device.has_coherent;
        let text = kernels::pass(purpose, layout.tile, &channels, &activation, coherent);
        let (read, write) = (Access::Read, Access::Write);
        let accesses: &[Access] = match purpose {
            Purpose::Evaluate | Purpose::Factors => &[read, read, read, read, write, write],
            Purpose::Tangents => &[read, read, read, read, write, write, read],
            Purpose::Step => &[read, read, read, read, write, write, write],
            Purpose::Terms => &[read, read, read, read, write, write, write, read],
        };
        let kernel = cache.get(device, text, accesses)?;
        let tile = super::batch::tile_vectors(points, rows);
        let (scratch, groups) = (layout.scratch(keep), layout.max_groups(keep, sums));
        let table = device.upload(&layout.table(keep, (points, tile), groups))?;
        // A backward pass takes twice the time of a forward pass.
        let operations = 6.0 * (network.weight_count() * points * channels.count()) as f64;
        let rounds = (context.launch_operations / operations) as usize / groups;
        let tiles_per_launch = rounds.clamp(1, u32::MAX as usize / 2 / groups) * groups;
        Ok(Self { kernel, table, channels, points, tile, scratch, groups, tiles_per_launch })
    }

    /// The number of tiles of `points` points.
    pub(super) fn tiles(&self, points: usize) -> usize {
        points.div_ceil(self.points)
    }

    /// The number of workgroups for `points` points of one network.
    pub(super) fn used_groups(&self, points: usize) -> usize {
        self.tiles(points).min(self.groups)
    }
}
