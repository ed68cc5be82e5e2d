//! Training steps whose loss is a sum of terms.

use bytemuck::{Pod, Zeroable};

use super::Networks;
use super::launch::Launch;
use crate::channels::Channels;
use crate::gpu::batch::{constraint_rows, pack_constraint};
use crate::gpu::device::Buffer;
use crate::gpu::kernels::{MAX_TERMS, Purpose};
use crate::gpu::passes::Pass;
use crate::{EngineError, Power, Term, TermBatch, WeightedTerm};

/// The constraints of a batch on the device.
#[derive(Debug, Default)]
pub(in crate::gpu) struct ResidentTerms {
    constraints: Vec<ResidentConstraint>,
}

#[derive(Debug)]
struct ResidentConstraint {
    pass: Pass,
    points: Buffer,
    terms: Buffer,
    sums: Buffer,
    term_count: usize,
    count: usize,
}

/// A term; `struct Term` in the kernels.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct TermRecord {
    kind: u32,
    is_squared: u32,
    is_signed: u32,
    parameter: f32,
    factor: f32,
}

/// A term of a constraint whose loss is a mean over `count` points and outputs.
fn record(weighted: &WeightedTerm, count: usize) -> TermRecord {
    let squared = |power| u32::from(power == Power::Two);
    let (kind, is_squared, is_signed, parameter) = match weighted.term {
        Term::Value { power, signed } => (0, squared(power), signed.into(), 0.0),
        Term::Gradient { power, signed } => (1, squared(power), signed.into(), 0.0),
        Term::Directional { power } => (2, squared(power), 1, 0.0),
        Term::Normal { signed } => (3, 0, signed.into(), 0.0),
        Term::Eikonal { power } => (4, squared(power), 1, 0.0),
        Term::Laplacian { power } => (5, squared(power), 1, 0.0),
        Term::OffSurface { a } => (6, 0, 1, a as f32),
        Term::Heat { lambda } => (7, 0, 1, lambda as f32),
    };
    let factor = (weighted.weight / count as f64) as f32;
    TermRecord { kind, is_squared, is_signed, parameter, factor }
}

impl Networks {
    /// Copies the constraints of `batch` to the device, into the buffers of `resident` where they are
    /// large enough.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if the device has no room, [`EngineError::Unsupported`] if a
    /// constraint has too many terms, and the errors of [`Pass::new`].
    pub(in crate::gpu) fn load_terms(
        &mut self,
        batch: &TermBatch<'_>,
        resident: &mut ResidentTerms,
    ) -> Result<(), EngineError> {
        let mut earlier = std::mem::take(&mut resident.constraints).into_iter();
        for constraint in batch.constraints() {
            if constraint.terms.len() > MAX_TERMS {
                let missing = "more than 16 terms for a set of points";
                return Err(EngineError::Unsupported { backend: "gpu", missing });
            }
            let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
            let channels = Channels::of_order(constraint.order(), inputs);
            let pass = self.pass(Purpose::Terms, channels, constraint_rows(inputs, outputs))?;
            let mut packed = Vec::new();
            pack_constraint(constraint, pass.points, &mut packed);
            let count = constraint.count * constraint.outputs;
            let terms: Vec<_> = constraint.terms.iter().map(|term| record(term, count)).collect();
            let device = self.device();
            let old = earlier.next();
            let points = match old {
                Some(old) if old.points.bytes() >= 4 * packed.len() as u64 => old.points,
                _ => device.buffer::<f32>(packed.len())?,
            };
            device.write(&points, 0, &packed);
            resident.constraints.push(ResidentConstraint {
                points,
                terms: device.upload(&terms)?,
                sums: device.buffer::<f32>(pass.groups * MAX_TERMS)?,
                term_count: terms.len(),
                count: constraint.count,
                pass,
            });
        }
        Ok(())
    }

    /// The sums Σ w ρ_t of the terms of a resident batch, whose gradient is kept.
    pub(in crate::gpu) fn sums_and_gradient(
        &mut self,
        slot: usize,
        resident: &ResidentTerms,
    ) -> Result<Vec<f64>, EngineError> {
        let training = self.training()?;
        // The constraint with the most workgroups comes first, so that each partial gradient is first
        // overwritten and then added to.
        let mut order: Vec<&ResidentConstraint> = resident.constraints.iter().collect();
        order.sort_by_key(|constraint| usize::MAX - constraint.groups());
        let most = order.first().map_or(1, |constraint| constraint.groups());
        self.reserve_scratch(&training.pass, most)?;
        self.write_control(&[]);
        for (index, constraint) in order.iter().enumerate() {
            let ResidentConstraint { pass, points, terms, sums, term_count, count } = constraint;
            let mut job = self.job(pass, slot, (*count, *count), 0);
            job.groups = most as u32;
            let device = self.device();
            device.write(&self.jobs, 0, &[job]);
            let buffers = [
                &pass.table,
                &self.jobs,
                points,
                &self.parameters,
                &self.scratch,
                &training.partials,
                sums,
                terms,
            ];
            let bindings = device.bind(&pass.kernel, &buffers);
            let mut commands = device.commands();
            let launch = Launch {
                accumulate: u32::from(index > 0),
                terms: *term_count as u32,
                ..Launch::default()
            };
            let groups = [constraint.groups() as u32, 1];
            commands.run(launch.of_pass(pass, &bindings, pass.tiles(*count), groups));
            if index + 1 == order.len() {
                self.record_reduction(&training, &mut commands, 1, 0);
            }
            self.device().submit(commands);
        }
        let outputs = self.network.outputs() as f64;
        let mut sums = Vec::new();
        for constraint in &resident.constraints {
            let mut parts = vec![0.0f32; constraint.groups() * MAX_TERMS];
            self.device().read(&constraint.sums, 0, &mut parts)?;
            for term in 0..constraint.term_count {
                let parts = parts.iter().skip(term).step_by(MAX_TERMS);
                sums.push(parts.map(|part| f64::from(*part)).sum::<f64>() / outputs);
            }
        }
        Ok(sums)
    }
}

impl ResidentConstraint {
    fn groups(&self) -> usize {
        self.pass.used_groups(self.count)
    }
}
