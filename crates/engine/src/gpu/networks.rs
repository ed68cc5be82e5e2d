//! The memory of networks on the device, and the launches that work on it.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use vi3nr::Network;

use super::batch::{pack_batch, pack_points};
use super::device::{Access, Bindings, Buffer, Commands, Device, Dispatch, Kernel};
use super::kernels::{Purpose, update};
use super::layout::Layout;
use super::passes::{KernelCache, Pass};
use crate::adam::AdamStep;
use crate::channels::Channels;
use crate::{Batch, EngineError, Loss};

/// The largest number of steps of a run.
pub(super) const MAX_RUN: usize = 1024;

/// The largest size in bytes of the points and targets that stay on the device; larger batches are
/// copied to it in parts at each step.
const MAX_RESIDENT_BYTES: u64 = 1 << 30;

/// The size in bytes of the points and results that an evaluation has on the device at one time.
const EVALUATION_BYTES: usize = 32 << 20;

/// The device and the kernels that were compiled for it.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) device: Arc<Device>,
    pub(super) cache: Arc<KernelCache>,
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
    evaluate: Option<Pass>,
    training: Option<Training>,
    displace: Option<Kernel>,
    /// The largest size of a resident batch in bytes.
    max_resident_bytes: u64,
}

/// The kernels and buffers of training steps.
#[derive(Debug, Clone)]
struct Training {
    pass: Pass,
    partials: Buffer,
    losses: Buffer,
    reduce: Kernel,
    adam: Kernel,
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

/// A batch that a slot has loaded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resident {
    count: usize,
    loss: Loss,
}

/// A part of the steps of [`Networks::run`] for one slot.
pub(super) struct Steps<'a> {
    pub(super) slot: usize,
    pub(super) batch: Resident,
    pub(super) steps: &'a [AdamStep],
    /// The smallest loss so far.
    pub(super) best: f64,
    /// The loss at which the run ends.
    pub(super) goal: f64,
}

/// The number of 4-byte words of the control buffer before the numbers of slots.
const CONTROL_HEAD: usize = 8;

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
            jobs: device.buffer::<Job>(slots)?,
            control: device.buffer::<f32>(numbers)?,
            scratch: device.buffer::<[f32; 4]>(1)?,
            points: device.buffer::<[f32; 4]>(1)?,
            points_per_slot: 0,
            evaluate: None,
            training: None,
            displace: None,
            max_resident_bytes: MAX_RESIDENT_BYTES.min(device.info().buffer_bytes),
            layout,
        })
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
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

    /// Copies `batch` to the slot, or returns `None` if it is too large to stay on the device.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if the device has no room for it.
    pub(super) fn load(
        &mut self,
        slot: usize,
        batch: &Batch<'_>,
    ) -> Result<Option<Resident>, EngineError> {
        let pass = &self.training()?.pass;
        let (tile, vectors) = (pass.points, pass.tiles(batch.count) * pass.tile);
        if (16 * vectors * self.slots) as u64 > self.max_resident_bytes {
            return Ok(None);
        }
        let mut packed = Vec::new();
        let memory = |_| EngineError::memory_for::<f32>(4 * vectors);
        packed.try_reserve_exact(4 * vectors).map_err(memory)?;
        pack_batch(batch, 0..batch.count, tile, &mut packed);
        self.reserve_points(vectors)?;
        self.device().write(&self.points, 4 * slot * self.points_per_slot, &packed);
        Ok(Some(Resident { count: batch.count, loss: batch.loss }))
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

    fn training(&mut self) -> Result<Training, EngineError> {
        if let Some(training) = &self.training {
            return Ok(training.clone());
        }
        let Context { device, cache } = &self.context;
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let kind = (Purpose::Step, Channels::of_order(0, inputs), inputs + outputs + 1);
        let pass = Pass::new((device, cache), (&self.network, &self.layout), kind)?;
        let groups = self.slots * pass.groups;
        let (read, write) = (Access::Read, Access::Write);
        let reduce = [read, read, read, read, write, write];
        let adam = [read, read, read, read, write, write, write, write];
        let training = Training {
            partials: device.buffer::<[f32; 4]>(groups * self.layout.parameters)?,
            losses: device.buffer::<f32>(groups)?,
            reduce: cache.get(device, update::reduce(), &reduce)?,
            adam: cache.get(device, update::adam(), &adam)?,
            pass,
        };
        Ok(self.training.insert(training).clone())
    }

    fn evaluation(&mut self) -> Result<Pass, EngineError> {
        if let Some(pass) = &self.evaluate {
            return Ok(pass.clone());
        }
        let inputs = self.network.inputs();
        let kind = (Purpose::Evaluate, Channels::of_order(0, inputs), inputs);
        let Context { device, cache } = &self.context;
        let pass = Pass::new((device, cache), (&self.network, &self.layout), kind)?;
        Ok(self.evaluate.insert(pass).clone())
    }

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

    // Losses and gradients.

    /// The loss of a resident batch, whose gradient is kept.
    pub(super) fn loss_and_gradient(
        &mut self,
        slot: usize,
        batch: Resident,
    ) -> Result<f64, EngineError> {
        let training = self.training()?;
        let points = slot * self.points_per_slot;
        let job = self.job(&training.pass, slot, (batch.count, batch.count), points);
        let mut commands = self.device().commands();
        self.record_step(&training, &mut commands, &[job], (batch.loss, false))?;
        self.record_reduction(&training, &mut commands, 1, 0);
        self.device().submit(commands);
        self.loss(slot, 0)
    }

    /// The loss of a batch of any size, whose gradient is kept. Its points are copied in parts.
    pub(super) fn streamed_loss_and_gradient(
        &mut self,
        slot: usize,
        batch: &Batch<'_>,
    ) -> Result<f64, EngineError> {
        let training = self.training()?;
        let pass = &training.pass;
        let per_slot = self.max_resident_bytes as usize / self.slots;
        let part = (per_slot / (16 * pass.tile)).max(1) * pass.points;
        self.reserve_points(part / pass.points * pass.tile)?;
        let mut packed = Vec::new();
        for first in (0..batch.count).step_by(part) {
            let range = first..batch.count.min(first + part);
            packed.clear();
            pack_batch(batch, range.clone(), pass.points, &mut packed);
            let points = slot * self.points_per_slot;
            self.device().write(&self.points, 4 * points, &packed);
            let mut job = self.job(pass, slot, (range.len(), batch.count), points);
            job.groups = pass.used_groups(part.min(batch.count)) as u32;
            let mut commands = self.device().commands();
            self.record_step(&training, &mut commands, &[job], (batch.loss, first > 0))?;
            if range.end == batch.count {
                self.record_reduction(&training, &mut commands, 1, 0);
            }
            self.device().submit(commands);
            self.device().wait()?;
        }
        self.loss(slot, 0)
    }

    fn job(&self, pass: &Pass, slot: usize, (count, all): (usize, usize), points: usize) -> Job {
        Job {
            slot: slot as u32,
            tiles: pass.tiles(count) as u32,
            points: points as u32,
            scale: (1.0 / (all as f64 * self.network.outputs() as f64)) as f32,
            groups: pass.used_groups(count) as u32,
        }
    }

    /// Records the passes of `jobs`, which are written to the device before.
    fn record_step(
        &mut self,
        training: &Training,
        commands: &mut Commands,
        jobs: &[Job],
        (loss, accumulates): (Loss, bool),
    ) -> Result<(), EngineError> {
        let groups = jobs.iter().map(|job| job.groups).max().unwrap_or(1);
        self.reserve_scratch(&training.pass, jobs.len() * training.pass.groups)?;
        self.device().write(&self.jobs, 0, jobs);
        self.write_control(0, &[]);
        let bindings = self.step_bindings(training);
        let dispatch = step_dispatch(training, &bindings, jobs.len(), groups, (loss, accumulates));
        commands.run([dispatch]);
        Ok(())
    }

    fn step_bindings(&self, training: &Training) -> Bindings {
        let Training { pass, partials, losses, .. } = training;
        let buffers = [
            &pass.table,
            &self.jobs,
            &self.points,
            &self.parameters,
            &self.scratch,
            partials,
            losses,
        ];
        self.device().bind(&pass.kernel, &buffers)
    }

    fn reduce_bindings(&self, training: &Training) -> Bindings {
        let Training { pass, partials, losses, reduce, .. } = training;
        let buffers = [&pass.table, &self.jobs, partials, losses, &self.gradient, &self.control];
        self.device().bind(reduce, &buffers)
    }

    fn adam_bindings(&self, training: &Training) -> Bindings {
        let buffers = [
            &training.pass.table,
            &self.jobs,
            &self.gradient,
            &self.control,
            &self.parameters,
            &self.mean,
            &self.mean_square,
            &self.best,
        ];
        self.device().bind(&training.adam, &buffers)
    }

    fn record_reduction(
        &self,
        training: &Training,
        commands: &mut Commands,
        jobs: usize,
        step: u32,
    ) {
        let bindings = self.reduce_bindings(training);
        commands.run([self.reduce_dispatch(training, &bindings, jobs, step)]);
    }

    fn reduce_dispatch<'a>(
        &self,
        training: &'a Training,
        bindings: &'a Bindings,
        jobs: usize,
        step: u32,
    ) -> Dispatch<'a> {
        Dispatch {
            kernel: &training.reduce,
            bindings,
            immediates: [step, 0, 0, 0, 0, 0, 0, 0],
            groups: [groups_of(self.layout.parameters), jobs as u32],
        }
    }

    fn adam_dispatch<'a>(
        &self,
        training: &'a Training,
        bindings: &'a Bindings,
        jobs: usize,
        (step, (start, count)): (u32, (usize, usize)),
    ) -> Dispatch<'a> {
        Dispatch {
            kernel: &training.adam,
            bindings,
            immediates: [step, 0, start as u32, count as u32, 0, 0, 0, 0],
            groups: [groups_of(count), jobs as u32],
        }
    }

    /// The loss of a slot at a step of the last run.
    fn loss(&self, slot: usize, step: usize) -> Result<f64, EngineError> {
        let mut loss = [0.0f32];
        self.device().read(&self.control, self.loss_index(slot, step), &mut loss)?;
        Ok(loss[0].into())
    }

    fn loss_index(&self, slot: usize, step: usize) -> usize {
        CONTROL_HEAD + 4 * self.slots + 2 * MAX_RUN * self.slots + step * self.slots + slot
    }

    // Updates.

    /// Writes the constants of Adam, and the state and rates of each of `runs`. A slot without a run
    /// counts as one that has not stopped and has no best loss to improve.
    fn write_control(&self, epsilon_bits: u32, runs: &[Steps<'_>]) {
        let _ = epsilon_bits;
        let constants = runs.first().and_then(|run| run.steps.first());
        let head = match constants {
            None => [0.0; CONTROL_HEAD],
            Some(step) => [
                step.beta1 as f32,
                (1.0 - step.beta1) as f32,
                step.beta2 as f32,
                (1.0 - step.beta2) as f32,
                step.epsilon as f32,
                0.0,
                0.0,
                0.0,
            ],
        };
        let mut words: Vec<u32> = head.iter().map(|number| number.to_bits()).collect();
        words[5] = self.slots as u32;
        words[6] = MAX_RUN as u32;
        for slot in 0..self.slots {
            let run = runs.iter().find(|run| run.slot == slot);
            let (best, goal) =
                run.map_or((f64::NEG_INFINITY, f64::NEG_INFINITY), |run| (run.best, run.goal));
            words.extend([(best as f32).to_bits(), (goal as f32).to_bits(), 0, 0]);
        }
        let steps = runs.iter().map(|run| run.steps.len()).max().unwrap_or(0);
        for step in 0..steps {
            for slot in 0..self.slots {
                let run = runs.iter().find(|run| run.slot == slot);
                let (size, root) = run
                    .and_then(|run| run.steps.get(step))
                    .map_or((0.0, 0.0), |step| (step.step_size, step.root_correction));
                words.extend([(size as f32).to_bits(), (root as f32).to_bits()]);
            }
        }
        self.device().write(&self.control, 0, &words);
    }

    /// One step of Adam with the kept gradient, for the parameters in `ranges` of vectors.
    pub(super) fn adam_step(
        &mut self,
        slot: usize,
        step: AdamStep,
        except_weights_of: &[usize],
    ) -> Result<(), EngineError> {
        let training = self.training()?;
        let steps = [step];
        let batch = Resident { count: 1, loss: Loss::Squared };
        let (best, goal) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let job = self.job(&training.pass, slot, (1, 1), 0);
        self.device().write(&self.jobs, 0, &[job]);
        self.write_control(0, &[Steps { slot, batch, steps: &steps, best, goal }]);
        let bindings = self.adam_bindings(&training);
        let mut commands = self.device().commands();
        let ranges = self.layout.ranges_without_weights_of(except_weights_of);
        let dispatch = |range| self.adam_dispatch(&training, &bindings, 1, (0, range));
        commands.run(ranges.into_iter().map(dispatch));
        self.device().submit(commands);
        Ok(())
    }

    /// W ← W - rate · D for the weights of one layer.
    pub(super) fn displace(
        &mut self,
        slot: usize,
        layer: usize,
        direction: &[f32],
        rate: f32,
    ) -> Result<(), EngineError> {
        let Context { device, cache } = &self.context;
        let kernel = match &self.displace {
            Some(kernel) => kernel.clone(),
            None => {
                let text = update::displace().to_owned();
                let kernel = cache.get(device, text, &[Access::Read, Access::Write])?;
                self.displace.insert(kernel).clone()
            }
        };
        let (start, count) = self.layout.weights(layer);
        let direction = device.upload(&self.layout.pad_weights(layer, direction))?;
        let bindings = device.bind(&kernel, &[&direction, &self.parameters]);
        let start = (slot * self.layout.parameters + start) as u32;
        let mut commands = device.commands();
        commands.run([Dispatch {
            kernel: &kernel,
            bindings: &bindings,
            immediates: [start, count as u32, rate.to_bits(), 0, 0, 0, 0, 0],
            groups: [groups_of(count), 1],
        }]);
        device.submit(commands);
        Ok(())
    }

    /// Takes steps of Adam on the resident batches of several slots, which have equally many steps and
    /// the same loss, in one submission. Returns for each the losses before its steps; a run that has
    /// reached its goal or whose loss is not finite takes no further step.
    pub(super) fn run(&mut self, runs: &[Steps<'_>]) -> Result<Vec<Vec<f64>>, EngineError> {
        let training = self.training()?;
        let steps = runs.first().map_or(0, |run| run.steps.len()).min(MAX_RUN);
        let jobs: Vec<Job> = runs
            .iter()
            .map(|run| {
                let (slot, count) = (run.slot, run.batch.count);
                self.job(&training.pass, slot, (count, count), slot * self.points_per_slot)
            })
            .collect();
        let groups = jobs.iter().map(|job| job.groups).max().unwrap_or(1);
        let loss = runs.first().map_or(Loss::Squared, |run| run.batch.loss);
        self.reserve_scratch(&training.pass, jobs.len() * training.pass.groups)?;
        self.device().write(&self.jobs, 0, &jobs);
        self.write_control(0, runs);
        let bindings = [
            self.step_bindings(&training),
            self.reduce_bindings(&training),
            self.adam_bindings(&training),
        ];
        let mut commands = self.device().commands();
        let all = (0, self.layout.parameters);
        commands.run((0..steps as u32).flat_map(|step| {
            [
                step_dispatch(&training, &bindings[0], jobs.len(), groups, (loss, false)),
                self.reduce_dispatch(&training, &bindings[1], jobs.len(), step),
                self.adam_dispatch(&training, &bindings[2], jobs.len(), (step, all)),
            ]
        }));
        self.device().submit(commands);
        let mut losses = vec![0.0f32; steps * self.slots];
        self.device().read(&self.control, self.loss_index(0, 0), &mut losses)?;
        let of_run = |run: &Steps<'_>| {
            let own = losses.iter().skip(run.slot).step_by(self.slots);
            own.map(|loss| f64::from(*loss)).collect()
        };
        Ok(runs.iter().map(of_run).collect())
    }

    // Evaluations.

    /// Φ at `points`, shape (n, inputs), to `values`, shape (n, outputs).
    pub(super) fn evaluate(
        &mut self,
        slot: usize,
        points: &[f32],
        values: &mut [f32],
    ) -> Result<(), EngineError> {
        let pass = self.evaluation()?;
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let columns = self.layout.tile.columns;
        let per_tile = 4 * (inputs * pass.points + outputs * columns);
        let part = (EVALUATION_BYTES / per_tile).max(1) * pass.points;
        let mut packed = Vec::new();
        let mut results = Vec::new();
        for (points, values) in points.chunks(part * inputs).zip(values.chunks_mut(part * outputs))
        {
            packed.clear();
            pack_points(points, inputs, pass.points, &mut packed);
            let tiles = pass.tiles(points.len() / inputs);
            results.resize(tiles * outputs * columns, 0.0);
            self.pass_results(&pass, slot, (&packed, tiles), &mut results)?;
            unpack(&results, (columns, pass.points), outputs, values);
        }
        Ok(())
    }

    /// Runs an evaluating pass on packed points and reads its results.
    fn pass_results(
        &mut self,
        pass: &Pass,
        slot: usize,
        (packed, tiles): (&[f32], usize),
        results: &mut [f32],
    ) -> Result<(), EngineError> {
        let groups = tiles.min(pass.groups);
        self.reserve_scratch(pass, groups)?;
        let job = Job {
            slot: slot as u32,
            tiles: tiles as u32,
            points: 0,
            scale: 1.0,
            groups: groups as u32,
        };
        let device = self.device();
        device.write(&self.jobs, 0, &[job]);
        let points = device.upload(packed)?;
        let output = device.buffer::<f32>(results.len())?;
        let buffers = [&pass.table, &self.jobs, &points, &self.parameters, &self.scratch, &output];
        let bindings = device.bind(&pass.kernel, &buffers);
        let mut commands = device.commands();
        commands.run([Dispatch {
            kernel: &pass.kernel,
            bindings: &bindings,
            immediates: [0; 8],
            groups: [groups as u32, 1],
        }]);
        device.submit(commands);
        device.read(&output, 0, results)
    }
}

/// The launch of a step's pass.
fn step_dispatch<'a>(
    training: &'a Training,
    bindings: &'a Bindings,
    jobs: usize,
    groups: u32,
    (loss, accumulates): (Loss, bool),
) -> Dispatch<'a> {
    let (kind, limit) = match loss {
        Loss::Squared => (0, 0.0),
        Loss::Absolute => (1, 0.0),
        Loss::ClampedAbsolute { limit } => (2, limit),
        Loss::ClampedSquared { limit } => (3, limit),
    };
    Dispatch {
        kernel: &training.pass.kernel,
        bindings,
        immediates: [accumulates.into(), kind, (limit as f32).to_bits(), 0, 0, 0, 0, 0],
        groups: [groups, jobs as u32],
    }
}

/// The number of workgroups for `count` vectors in an update.
fn groups_of(count: usize) -> u32 {
    count.div_ceil(update::INVOCATIONS) as u32
}

/// The values of the first channel, shape (n, outputs), from tiles of `columns` columns, of which the
/// first `points` are the values.
fn unpack(results: &[f32], (columns, points): (usize, usize), outputs: usize, values: &mut [f32]) {
    for (index, value) in values.chunks_exact_mut(outputs).enumerate() {
        let (tile, column) = (index / points, index % points);
        for (o, value) in value.iter_mut().enumerate() {
            *value = results[(tile * outputs + o) * columns + column];
        }
    }
}
