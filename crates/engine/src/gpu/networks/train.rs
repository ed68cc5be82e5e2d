//! Training steps.

use super::control::{MAX_RUN, Steps, groups_of};
use super::launch::Launch;
use super::{Context, Job, Networks, Resident};
use crate::channels::Channels;
use crate::gpu::batch::pack_batch;
use crate::gpu::device::{Access, Bindings, Buffer, Commands, Dispatch, Kernel};
use crate::gpu::kernels::{Purpose, update};
use crate::gpu::passes::Pass;
use crate::{Batch, EngineError, Loss};

/// The kernels and buffers of training steps.
#[derive(Debug, Clone)]
pub(super) struct Training {
    pub(super) pass: Pass,
    pub(super) partials: Buffer,
    pub(super) losses: Buffer,
    pub(super) reduce: Kernel,
    pub(super) adam: Kernel,
}

impl Networks {
    pub(super) fn training(&mut self) -> Result<Training, EngineError> {
        if let Some(training) = &self.training {
            return Ok(training.clone());
        }
        let Context { device, cache, .. } = &self.context;
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let kind = (Purpose::Step, Channels::of_order(0, inputs), inputs + outputs + 1);
        let pass = Pass::new(&self.context, (&self.network, &self.layout), kind)?;
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

    // Losses and gradients.

    /// The loss of a resident batch, whose gradient is kept.
    pub(in crate::gpu) fn loss_and_gradient(
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
    pub(in crate::gpu) fn streamed_loss_and_gradient(
        &mut self,
        slot: usize,
        batch: &Batch<'_>,
    ) -> Result<f64, EngineError> {
        let training = self.training()?;
        let pass = &training.pass;
        let per_slot = self.context.max_resident_bytes as usize / self.slots;
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

    pub(super) fn job(
        &self,
        pass: &Pass,
        slot: usize,
        (count, all): (usize, usize),
        points: usize,
    ) -> Job {
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
        self.write_control(&[]);
        let bindings = self.step_bindings(training);
        let launch = Launch { accumulate: accumulates.into(), ..Launch::of_loss(loss) };
        let tiles = jobs.iter().map(|job| job.tiles).max().unwrap_or(0) as usize;
        let groups = [groups, jobs.len() as u32];
        commands.run(launch.of_pass(&training.pass, &bindings, tiles, groups));
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

    pub(super) fn adam_bindings(&self, training: &Training) -> Bindings {
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

    pub(super) fn record_reduction(
        &self,
        training: &Training,
        commands: &mut Commands,
        jobs: usize,
        step: u32,
    ) {
        let bindings = self.reduce_bindings(training);
        commands.run([self.reduce_dispatch(training, &bindings, (0, jobs), step)]);
    }

    fn reduce_dispatch<'a>(
        &self,
        training: &'a Training,
        bindings: &'a Bindings,
        (first_job, jobs): (usize, usize),
        step: u32,
    ) -> Dispatch<'a> {
        Dispatch {
            kernel: &training.reduce,
            bindings,
            immediates: [step, first_job as u32, 0, 0, 0, 0, 0, 0],
            groups: [groups_of(self.layout.parameters), jobs as u32],
        }
    }

    pub(super) fn adam_dispatch<'a>(
        &self,
        training: &'a Training,
        bindings: &'a Bindings,
        (first_job, jobs): (usize, usize),
        (step, (start, count)): (u32, (usize, usize)),
    ) -> Dispatch<'a> {
        Dispatch {
            kernel: &training.adam,
            bindings,
            immediates: [step, first_job as u32, start as u32, count as u32, 0, 0, 0, 0],
            groups: [groups_of(count), jobs as u32],
        }
    }

    /// Takes steps of Adam on the resident batches of several slots, which have equally many steps and
    /// the same loss, in one submission. Returns for each the losses before its steps; a run that has
    /// reached its goal or whose loss is not finite takes no further step.
    pub(in crate::gpu) fn run(&mut self, runs: &[Steps<'_>]) -> Result<Vec<Vec<f64>>, EngineError> {
        let training = self.training()?;
        let steps = runs.first().map_or(0, |run| run.steps.len()).min(MAX_RUN);
        let has_several = runs.iter().any(|run| run.batch.steps() > 1);
        // The same jobs serve all steps if all have the same points.
        let jobs: Vec<Job> = (0..if has_several { steps } else { 1 })
            .flat_map(|step| runs.iter().map(move |run| (step, run)))
            .map(|(step, run)| self.job_of_step(&training.pass, run, step))
            .collect();
        let groups = jobs.iter().map(|job| job.groups).max().unwrap_or(1);
        let tiles = jobs.iter().map(|job| job.tiles).max().unwrap_or(0) as usize;
        let loss = runs.first().map_or(Loss::Squared, |run| run.batch.loss);
        self.reserve_scratch(&training.pass, runs.len() * training.pass.groups)?;
        self.device().write(&self.jobs, 0, &jobs);
        self.write_control(runs);
        let bindings = [
            self.step_bindings(&training),
            self.reduce_bindings(&training),
            self.adam_bindings(&training),
        ];
        let mut commands = self.device().commands();
        let all = (0, self.layout.parameters);
        commands.run((0..steps).flat_map(|step| {
            let own = (if has_several { step * runs.len() } else { 0 }, runs.len());
            let number = step as u32;
            let launch = Launch { first_job: own.0 as u32, ..Launch::of_loss(loss) };
            launch.of_pass(&training.pass, &bindings[0], tiles, [groups, runs.len() as u32]).chain(
                [
                    self.reduce_dispatch(&training, &bindings[1], own, number),
                    self.adam_dispatch(&training, &bindings[2], own, (number, all)),
                ],
            )
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

    /// The job of the step `step` of a run.
    fn job_of_step(&self, pass: &Pass, run: &Steps<'_>, step: usize) -> Job {
        let Resident { count, size, .. } = run.batch;
        let index = (run.first + step) % run.batch.steps();
        let own = size.min(count - index * size);
        let points = run.slot * self.points_per_slot + index * pass.tiles(size) * pass.tile;
        self.job(pass, run.slot, (own, own), points)
    }
}
