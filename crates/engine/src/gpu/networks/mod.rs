//! The memory of networks on the device, and the launches that work on it.

mod control;
mod curvature;
mod evaluate;
mod terms;
mod train;

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use vi3nr::Network;

use super::batch::pack_batch;
use super::device::{Buffer, Checks, Device, Kernel};
use super::layout::{Keep, Layout};
use super::passes::{KernelCache, Pass};
use crate::{Batch, EngineError, Loss};
use control::CONTROL_HEAD;
pub(super) use control::{MAX_RUN, Steps};
pub(super) use terms::ResidentTerms;
use train::Training;

/// The largest size in bytes of the points and targets that stay on the device; larger batches are
/// copied to it in parts at each step.
const MAX_RESIDENT_BYTES: u64 = 1 << 30;

/// The device and the kernels that were compiled for it.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) device: Arc<Device>,
    pub(super) cache: Arc<KernelCache>,
    /// The largest size of a resident batch in bytes.
    pub(super) max_resident_bytes: u64,
}

impl Context {
    pub(super) fn new(device: Arc<Device>, checks: Checks) -> Self {
        let max_resident_bytes = MAX_RESIDENT_BYTES.min(device.info().buffer_bytes);
        Self { device, cache: Arc::new(KernelCache::new(checks)), max_resident_bytes }
    }
}

/// Networks of one shape and activation, each in its slot.
#[derive(Debug)]
pub(super) struct Networks {
    context: Context,
    network: Network,
    layout: Layout,
    slots: usize,
    parameters: Buffer,
    gradient: Buffer,
    mean: Buffer,
    mean_square: Buffer,
    best: Buffer,
    jobs: Buffer,
    control: Buffer,
    /// Grown to what the passes so far need.
    scratch: Buffer,
    /// The points and targets of each slot, `points_per_slot` vectors of each.
    points: Buffer,
    points_per_slot: usize,
    evaluations: Vec<Pass>,
    term_passes: Vec<Pass>,
    factor_passes: Vec<Pass>,
    tangent_passes: Vec<Pass>,
    training: Option<Training>,
    displace: Option<Kernel>,
}

/// The work of a launch on one network; `struct Job` in the kernels.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct Job {
    slot: u32,
    tiles: u32,
    points: u32,
    scale: f32,
    groups: u32,
}

/// A batch that a slot has loaded: the points of one step, or of several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resident {
    /// The number of points of all steps.
    count: usize,
    /// The number of points of a step; the last step can have fewer.
    size: usize,
    loss: Loss,
}

impl Resident {
    /// A batch with which runs panic.
    #[cfg(test)]
    pub(super) fn without_points() -> Self {
        Self { count: 0, size: 1, loss: Loss::Squared }
    }

    pub(super) fn loss(&self) -> Loss {
        self.loss
    }

    /// The number of steps that have points of their own.
    pub(super) fn steps(&self) -> usize {
        self.count.div_ceil(self.size)
    }
}

impl Networks {
    /// Allocates memory for `slots` networks.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if the device has no room, and [`EngineError::Unsupported`] if
    /// the network has no hidden layer.
    pub(super) fn new(
        context: &Context,
        network: &Network,
        slots: usize,
    ) -> Result<Self, EngineError> {
        let layout = Layout::new(network)?;
        let device = &context.device;
        let array = || device.buffer::<[f32; 4]>(slots * layout.parameters);
        let numbers = CONTROL_HEAD + slots * (4 + 3 * MAX_RUN);
        Ok(Self {
            context: context.clone(),
            network: network.clone(),
            slots,
            parameters: array()?,
            gradient: array()?,
            mean: array()?,
            mean_square: array()?,
            best: array()?,
            jobs: device.buffer::<Job>(slots * MAX_RUN)?,
            control: device.buffer::<f32>(numbers)?,
            scratch: device.buffer::<[f32; 4]>(1)?,
            points: device.buffer::<[f32; 4]>(1)?,
            points_per_slot: 0,
            evaluations: Vec::new(),
            term_passes: Vec::new(),
            factor_passes: Vec::new(),
            tangent_passes: Vec::new(),
            training: None,
            displace: None,
            layout,
        })
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// The largest number of networks whose training steps fit in the buffers of the device.
    ///
    /// # Errors
    /// Returns [`EngineError::Unsupported`] if the network has no hidden layer.
    pub(super) fn max_slots(context: &Context, network: &Network) -> Result<usize, EngineError> {
        let layout = Layout::new(network)?;
        let groups = layout.max_groups(Keep::All, layout.parameters);
        let each = 16 * groups * layout.scratch(Keep::All).max(layout.parameters);
        Ok((context.device.info().buffer_bytes / each as u64).max(1) as usize)
    }

    fn device(&self) -> &Device {
        &self.context.device
    }

    // Parameters and the state of Adam.

    /// Writes one number per parameter to the slot of an array.
    fn scatter(&self, array: &Buffer, slot: usize, numbers: &[f32]) {
        let mut padded = vec![0.0; 4 * self.layout.parameters];
        self.layout.scatter(numbers, &mut padded);
        self.device().write(array, slot * padded.len(), &padded);
    }

    /// Reads one number per parameter from the slot of an array.
    fn gather(
        &self,
        array: &Buffer,
        slot: usize,
        numbers: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let mut padded = vec![0.0; 4 * self.layout.parameters];
        self.device().read(array, slot * padded.len(), &mut padded)?;
        numbers.resize(self.network.parameter_count(), 0.0);
        self.layout.gather(&padded, numbers);
        Ok(())
    }

    pub(super) fn set_parameters(&self, slot: usize, parameters: &[f32]) {
        self.scatter(&self.parameters, slot, parameters);
    }

    pub(super) fn parameters(&self, slot: usize, into: &mut Vec<f32>) -> Result<(), EngineError> {
        self.gather(&self.parameters, slot, into)
    }

    pub(super) fn best(&self, slot: usize, into: &mut Vec<f32>) -> Result<(), EngineError> {
        self.gather(&self.best, slot, into)
    }

    pub(super) fn gradient(&self, slot: usize, into: &mut Vec<f32>) -> Result<(), EngineError> {
        self.gather(&self.gradient, slot, into)
    }

    pub(super) fn set_means(&self, slot: usize, (mean, mean_square): (&[f32], &[f32])) {
        self.scatter(&self.mean, slot, mean);
        self.scatter(&self.mean_square, slot, mean_square);
    }

    pub(super) fn means(&self, slot: usize) -> Result<(Vec<f32>, Vec<f32>), EngineError> {
        let (mut mean, mut mean_square) = (Vec::new(), Vec::new());
        self.gather(&self.mean, slot, &mut mean)?;
        self.gather(&self.mean_square, slot, &mut mean_square)?;
        Ok((mean, mean_square))
    }

    // Batches.

    /// Copies `batch`, with `size` points for each step, to the slot, or returns `None` if it is too
    /// large to stay on the device.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if the device has no room for it.
    pub(super) fn load(
        &mut self,
        slot: usize,
        batch: &Batch<'_>,
        size: usize,
    ) -> Result<Option<Resident>, EngineError> {
        let resident = Resident { count: batch.count, size, loss: batch.loss };
        let pass = &self.training()?.pass;
        let vectors = resident.steps() * pass.tiles(size) * pass.tile;
        if (16 * vectors * self.slots) as u64 > self.context.max_resident_bytes {
            return Ok(None);
        }
        let mut packed = Vec::new();
        let memory = |_| EngineError::memory_for::<f32>(4 * vectors);
        packed.try_reserve_exact(4 * vectors).map_err(memory)?;
        for first in (0..batch.count).step_by(size) {
            let range = first..batch.count.min(first + size);
            pack_batch(batch, range, pass.points, &mut packed);
        }
        self.reserve_points(vectors)?;
        self.device().write(&self.points, 4 * slot * self.points_per_slot, &packed);
        Ok(Some(resident))
    }

    /// Makes room for `vectors` vectors of points in each slot.
    fn reserve_points(&mut self, vectors: usize) -> Result<(), EngineError> {
        if vectors <= self.points_per_slot {
            return Ok(());
        }
        let larger = self.device().buffer::<[f32; 4]>(self.slots * vectors)?;
        let mut commands = self.device().commands();
        for slot in 0..self.slots {
            let (from, to) = (slot * self.points_per_slot, slot * vectors);
            commands.copy((&self.points, from), (&larger, to), self.points_per_slot);
        }
        self.device().submit(commands);
        (self.points, self.points_per_slot) = (larger, vectors);
        Ok(())
    }

    // Passes.

    /// Makes room for the scratch memory of `groups` workgroups of a pass.
    fn reserve_scratch(&mut self, pass: &Pass, groups: usize) -> Result<(), EngineError> {
        let vectors = groups * pass.scratch;
        if self.scratch.bytes() < 16 * vectors as u64 {
            // The old one is freed first.
            self.scratch = self.device().buffer::<[f32; 4]>(1)?;
            self.scratch = self.device().buffer::<[f32; 4]>(vectors)?;
        }
        Ok(())
    }
}
