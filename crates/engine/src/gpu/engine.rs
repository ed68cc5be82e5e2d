//! The engine of GPUs as an implementation of [`Engine`].

use std::sync::{Arc, MutexGuard};
use std::time::Instant;

use vi3nr::Network;

use super::arena::{Place, Pool, Request};
use super::networks::{Context, MAX_RUN, Networks, Resident, ResidentTerms};
use crate::batch::{LoadedBatch, check_derivatives, check_length, check_parameters, check_values};
use crate::curvature::{check_directions, check_signs};
use crate::run::by_single_steps;
use crate::terms::{LoadedTerms, Tally};
use crate::{
    AdamMemory, AdamRun, Batch, BestParameters, Curvature, Engine, EngineError, LayerCurvature,
    Residuals, RunEnd, RunOutcome, TermBatch, Update,
};

/// The longest time in seconds that the steps of one submission should take. Displays freeze for
/// that long, and drivers reset a device that does not answer for about two seconds.
const RUN_SECONDS: f64 = 0.05;

/// The float32 engine for GPUs. Its results have the same bytes in every run on the same device with
/// the same driver.
pub struct GpuEngine {
    context: Context,
    /// Where the network lies. An engine from one of several backends side by side moves to memory in
    /// common with others when it loads a batch.
    place: Place,
    pool: Option<Arc<Pool>>,
    network: Network,
    loaded: Loaded,
    /// The loaded batch of terms, if it is one of terms, and its copy on the device.
    terms: LoadedTerms,
    resident_terms: ResidentTerms,
    tally: Tally,
    has_gradient: bool,
    adam_steps: u64,
    /// The number of steps of the next run.
    run_steps: usize,
}

/// The loaded batch.
enum Loaded {
    Nothing,
    /// It is on the device.
    Resident(Resident),
    /// The points of several steps are on the device; the next step is that of this number.
    Steps(Resident, usize),
    /// It is too large to stay there.
    Streamed(LoadedBatch),
}

impl GpuEngine {
    pub(super) fn new(
        context: &Context,
        pool: Option<Arc<Pool>>,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Self, EngineError> {
        check_parameters("parameters", network, parameters.len())?;
        let place = Place::alone(context, network)?;
        place.networks().set_parameters(place.slot, parameters);
        Ok(Self {
            context: context.clone(),
            place,
            pool,
            network: network.clone(),
            loaded: Loaded::Nothing,
            terms: LoadedTerms::default(),
            resident_terms: ResidentTerms::default(),
            tally: Tally::default(),
            has_gradient: false,
            adam_steps: 0,
            run_steps: 1,
        })
    }

    fn networks(&self) -> MutexGuard<'_, Networks> {
        self.place.networks()
    }

    /// Moves the network to memory in common with others, if it is to be trained beside them.
    fn join(&mut self) -> Result<(), EngineError> {
        // A gradient is kept where it is.
        let Some(pool) = self.pool.as_ref().filter(|_| !self.has_gradient) else { return Ok(()) };
        let place = pool.place(&self.context, &self.network)?;
        let (parameters, memory) = (self.parameters()?, self.adam_memory()?);
        let networks = place.networks();
        networks.set_parameters(place.slot, &parameters);
        networks.set_means(place.slot, (&memory.mean, &memory.mean_square));
        drop(networks);
        self.place = place;
        self.pool = None;
        Ok(())
    }
}

impl Engine for GpuEngine {
    fn network(&self) -> &Network {
        &self.network
    }

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        self.loaded = Loaded::Nothing;
        self.terms.clear();
        batch.check(&self.network)?;
        self.join()?;
        let resident = self.networks().load(self.place.slot, batch, batch.count)?;
        self.loaded = match resident {
            Some(resident) => Loaded::Resident(resident),
            None => {
                let mut copy = LoadedBatch::default();
                copy.load(&self.network, batch)?;
                Loaded::Streamed(copy)
            }
        };
        Ok(())
    }

    fn load_steps(&mut self, batch: &Batch<'_>, size: usize) -> Result<(), EngineError> {
        self.loaded = Loaded::Nothing;
        self.terms.clear();
        batch.check(&self.network)?;
        self.join()?;
        let size = size.clamp(1, batch.count());
        let resident = self.networks().load(self.place.slot, batch, size)?;
        let memory = || EngineError::memory_for::<f32>(batch.count() * 2 * batch.inputs());
        self.loaded = Loaded::Steps(resident.ok_or_else(memory)?, 0);
        Ok(())
    }

    fn load_terms(&mut self, batch: &TermBatch<'_>) -> Result<(), EngineError> {
        self.loaded = Loaded::Nothing;
        self.terms.load(&self.network, batch)?;
        let mut resident = std::mem::take(&mut self.resident_terms);
        let loaded = self.networks().load_terms(batch, &mut resident);
        self.resident_terms = resident;
        loaded.inspect_err(|_| self.terms.clear())
    }

    fn term_losses(&self) -> &[f64] {
        &self.tally.losses
    }

    fn loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        self.has_gradient = false;
        self.tally.losses.clear();
        if let Some(batch) = self.terms.get() {
            let sums = self.networks().sums_and_gradient(self.place.slot, &self.resident_terms)?;
            let loss = self.tally.set(&batch, &sums);
            self.has_gradient = true;
            return Ok(loss);
        }
        let mut networks = self.networks();
        let loss = match &self.loaded {
            Loaded::Nothing | Loaded::Steps(..) => Err(EngineError::NoBatch),
            Loaded::Resident(batch) => networks.loss_and_gradient(self.place.slot, *batch),
            Loaded::Streamed(batch) => {
                networks.streamed_loss_and_gradient(self.place.slot, &batch.get()?)
            }
        }?;
        drop(networks);
        self.has_gradient = true;
        Ok(loss)
    }

    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError> {
        update.check(&self.network)?;
        match *update {
            Update::Adam { constants, learning_rate, except_weights_of } => {
                if !self.has_gradient {
                    return Err(EngineError::NoGradient);
                }
                let step = constants.step(self.adam_steps + 1, learning_rate);
                self.networks().adam_step(self.place.slot, step, except_weights_of)?;
                self.adam_steps += 1;
                Ok(())
            }
            Update::Displace { layer, direction, rate } => {
                self.networks().displace(self.place.slot, layer, direction, rate)
            }
        }
    }

    fn run(
        &mut self,
        run: &AdamRun<'_>,
        best: &mut BestParameters,
    ) -> Result<RunOutcome, EngineError> {
        let (batch, first, left) = match self.loaded {
            // Without a step there is no loss, and the gradient stays.
            _ if run.learning_rates.is_empty() => return by_single_steps(self, run, best),
            Loaded::Resident(batch) => (batch, 0, MAX_RUN),
            Loaded::Steps(batch, next) => (batch, next, batch.steps() - next),
            _ => {
                let learning_rates = &run.learning_rates[..1];
                return by_single_steps(self, &AdamRun { learning_rates, ..*run }, best);
            }
        };
        if left == 0 {
            return Err(EngineError::NoBatch);
        }
        let has_several = matches!(self.loaded, Loaded::Steps(..));
        self.has_gradient = false;
        let count = run.learning_rates.len().min(self.run_steps).min(left);
        let steps: Vec<_> = (1..)
            .zip(&run.learning_rates[..count])
            .map(|(step, rate)| run.constants.step(self.adam_steps + step, *rate))
            .collect();
        let began = Instant::now();
        // Losses of different points are not compared.
        let target = run.target_loss.filter(|_| !has_several);
        let goal = target.unwrap_or(f64::NEG_INFINITY);
        let smallest = if has_several { f64::NEG_INFINITY } else { best.loss };
        let slot = self.place.slot;
        let mut losses =
            self.place.run(Request { slot, batch, first, steps, best: smallest, goal })?;
        let count = losses.len();
        // The first run includes what drivers do only once.
        let longest = if self.adam_steps == 0 { 2 } else { 4 * count };
        let suited = count as f64 * RUN_SECONDS / began.elapsed().as_secs_f64();
        self.run_steps = (suited as usize).clamp(1, longest.min(MAX_RUN));
        let ends = |loss: &f64| !loss.is_finite() || *loss <= f64::from(goal as f32);
        let end = losses.iter().position(ends);
        losses.truncate(end.map_or(count, |index| index + 1));
        let smallest = (0..).zip(&losses).filter(|(_, loss)| loss.is_finite()).fold(
            (None, f64::from(smallest as f32)),
            |(index, smallest), (at, loss)| match *loss < smallest {
                true => (Some(at), *loss),
                false => (index, smallest),
            },
        );
        if let (Some(_), loss) = smallest {
            best.loss = loss;
            self.networks().best(self.place.slot, &mut best.parameters)?;
        }
        let steps = end.unwrap_or(losses.len());
        if let Loaded::Steps(_, next) = &mut self.loaded {
            *next += steps;
        }
        self.adam_steps += steps as u64;
        // The device goes on computing gradients after the end, at the same parameters.
        self.has_gradient = true;
        let end = end.map(|index| match losses[index].is_finite() {
            true => RunEnd::Target,
            false => RunEnd::Diverged,
        });
        Ok(RunOutcome { losses, steps, best: smallest.0, end })
    }

    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError> {
        check_values(&self.network, points, values)?;
        self.networks().evaluate(self.place.slot, points, values)
    }

    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError> {
        let count = check_values(&self.network, points, values)?;
        let each = self.network.outputs() * self.network.inputs();
        check_length("derivatives", derivatives.len(), count, each)?;
        self.networks().differentiate(self.place.slot, points, (values, derivatives))
    }

    fn differentiate_twice(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
        hessians: &mut [f32],
    ) -> Result<(), EngineError> {
        check_derivatives(&self.network, points, (values, derivatives, hessians))?;
        let results = (values, derivatives, hessians);
        self.networks().differentiate_twice(self.place.slot, points, results)
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) -> Result<(), EngineError> {
        self.networks().parameters(self.place.slot, parameters)
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        check_parameters("parameters", &self.network, parameters.len())?;
        self.networks().set_parameters(self.place.slot, parameters);
        Ok(())
    }

    fn gradient(&self) -> Result<Vec<f32>, EngineError> {
        if !self.has_gradient {
            return Err(EngineError::NoGradient);
        }
        let mut gradient = Vec::new();
        self.networks().gradient(self.place.slot, &mut gradient)?;
        Ok(gradient)
    }

    fn adam_memory(&self) -> Result<AdamMemory, EngineError> {
        let (mean, mean_square) = self.networks().means(self.place.slot)?;
        Ok(AdamMemory { mean, mean_square, steps: self.adam_steps })
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        memory.check(&self.network)?;
        self.networks().set_means(self.place.slot, (&memory.mean, &memory.mean_square));
        self.adam_steps = memory.steps;
        Ok(())
    }

    fn curvature(&mut self) -> Option<&mut dyn Curvature> {
        Some(self)
    }
}

impl Curvature for GpuEngine {
    fn factors(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        check_signs(&self.network, points, residuals, signs)?;
        self.networks().factors(self.place.slot, points, (residuals, signs))
    }

    fn tangents(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        check_directions(&self.network, points, directions)?;
        self.networks().tangents(self.place.slot, points, (residuals, directions))
    }
}
