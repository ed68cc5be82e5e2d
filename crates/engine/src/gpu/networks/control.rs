//! Adam and other updates of the parameters, and the state that its kernels share.

use super::{Context, Networks, Resident};
use crate::adam::AdamStep;
use crate::gpu::device::{Access, Dispatch};
use crate::gpu::kernels::update;
use crate::{EngineError, Loss};

/// The largest number of steps of a run.
pub(in crate::gpu) const MAX_RUN: usize = 1024;

/// A part of the steps of [`Networks::run`] for one slot.
pub(in crate::gpu) struct Steps<'a> {
    pub(in crate::gpu) slot: usize,
    pub(in crate::gpu) batch: Resident,
    /// The first step's number among those that have points of their own.
    pub(in crate::gpu) first: usize,
    pub(in crate::gpu) steps: &'a [AdamStep],
    /// The smallest loss so far.
    pub(in crate::gpu) best: f64,
    /// The loss at which the run ends.
    pub(in crate::gpu) goal: f64,
}

/// The number of 4-byte words of the control buffer before the numbers of slots.
pub(super) const CONTROL_HEAD: usize = 8;

impl Networks {
    /// The loss of a slot at a step of the last run.
    pub(super) fn loss(&self, slot: usize, step: usize) -> Result<f64, EngineError> {
        let mut loss = [0.0f32];
        self.device().read(&self.control, self.loss_index(slot, step), &mut loss)?;
        Ok(loss[0].into())
    }

    pub(super) fn loss_index(&self, slot: usize, step: usize) -> usize {
        CONTROL_HEAD + 4 * self.slots + 2 * MAX_RUN * self.slots + step * self.slots + slot
    }

    /// Writes the constants of Adam, and the state and rates of each of `runs`. A slot without a run
    /// counts as one that has not stopped and has no best loss to improve.
    pub(super) fn write_control(&self, runs: &[Steps<'_>]) {
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
    pub(in crate::gpu) fn adam_step(
        &mut self,
        slot: usize,
        step: AdamStep,
        except_weights_of: &[usize],
    ) -> Result<(), EngineError> {
        let training = self.training()?;
        let steps = [step];
        let batch = Resident { count: 1, size: 1, loss: Loss::Squared };
        let (best, goal) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        let job = self.job(&training.pass, slot, (1, 1), 0);
        self.device().write(&self.jobs, 0, &[job]);
        self.write_control(&[Steps { slot, batch, first: 0, steps: &steps, best, goal }]);
        let bindings = self.adam_bindings(&training);
        let mut commands = self.device().commands();
        let ranges = self.layout.ranges_without_weights_of(except_weights_of);
        let dispatch = |range| self.adam_dispatch(&training, &bindings, (0, 1), (0, range));
        commands.run(ranges.into_iter().map(dispatch));
        self.device().submit(commands);
        Ok(())
    }

    /// W ← W - rate · D for the weights of one layer.
    pub(in crate::gpu) fn displace(
        &mut self,
        slot: usize,
        layer: usize,
        direction: &[f32],
        rate: f32,
    ) -> Result<(), EngineError> {
        let Context { device, cache, .. } = &self.context;
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
}

/// The number of workgroups for `count` vectors in an update.
pub(super) fn groups_of(count: usize) -> u32 {
    count.div_ceil(update::INVOCATIONS).min(update::MAX_GROUPS) as u32
}
