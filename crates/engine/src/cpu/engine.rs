//! The fused engine as an implementation of [`Engine`].

use std::sync::Arc;

use rayon::prelude::*;
use vi3nr::Network;

use super::aligned::Aligned;
use super::core::Core;
use super::instruction_set::InstructionSet;
use super::jets::{self, Jets, JetsByOrder};
use super::tile::{self, GradSink};
use super::update::{self, AdamState};
use super::{curvature, tangent};
use crate::batch::{LoadedBatch, check_derivatives, check_length, check_parameters, check_values};
use crate::channels::Channels;
use crate::curvature::{check_directions, check_signs};
use crate::error::try_zeros;
use crate::terms::{LoadedTerms, Tally};
use crate::{
    AdamMemory, Batch, Curvature, Engine, EngineError, LayerCurvature, Residuals, TermBatch,
    Update, Workers,
};

/// The float32 engine for CPUs: fused, vectorized and multi-threaded. Its results have the same
/// bytes for any number of threads. Between two layers, values and derivatives below
/// 2⁻⁶³ = 1.1e-19 can be replaced by 0, since many processors are slow with the subnormal numbers
/// that such values lead to.
pub struct CpuEngine {
    core: Core,
    /// The loaded batch: one of the two, or none.
    batch: LoadedBatch,
    terms: LoadedTerms,
    tally: Tally,
    /// The passes of the derivatives that terms need.
    jets: JetsByOrder,
    /// The passes of [`Engine::differentiate_twice`], if it has been called.
    hessian: Option<Jets>,
    /// The partial gradients, one per chunk of the largest batch so far, in the inner layout.
    partials: Vec<Aligned>,
    /// The number of `partials` that hold the current gradient; 0 if there is none.
    used_partials: usize,
    adam: AdamState,
}

impl CpuEngine {
    /// Creates an engine for `network` with the initial `parameters`, in the order of
    /// [`Network::layers`], and with its own `threads` threads or one per core.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is not one parameter per weight and bias,
    /// [`EngineError::Memory`] if an allocation fails, and [`EngineError::Threads`] if the threads
    /// cannot be started.
    pub fn new(
        network: &Network,
        parameters: &[f32],
        threads: Option<usize>,
    ) -> Result<Self, EngineError> {
        Self::with_instruction_set(network, parameters, threads, InstructionSet::best())
    }

    /// Creates an engine as [`CpuEngine::new`] does, on threads that it shares with other engines.
    ///
    /// # Errors
    /// Returns the errors of [`CpuEngine::new`].
    pub fn on_workers(
        network: &Network,
        parameters: &[f32],
        workers: &Arc<Workers>,
    ) -> Result<Self, EngineError> {
        Self::create(network, parameters, workers.clone(), InstructionSet::best())
    }

    /// Creates an engine as [`CpuEngine::new`] does, with the vector instructions of `set`, one of
    /// [`InstructionSet::available`].
    ///
    /// # Errors
    /// Returns the errors of [`CpuEngine::new`].
    pub fn with_instruction_set(
        network: &Network,
        parameters: &[f32],
        threads: Option<usize>,
        set: InstructionSet,
    ) -> Result<Self, EngineError> {
        check_parameters("parameters", network, parameters.len())?;
        Self::create(network, parameters, Workers::new(threads)?, set)
    }

    fn create(
        network: &Network,
        parameters: &[f32],
        workers: Arc<Workers>,
        set: InstructionSet,
    ) -> Result<Self, EngineError> {
        check_parameters("parameters", network, parameters.len())?;
        let mut core = Core::new(network, workers, set)?;
        let (layout, inner) = core.parameters_mut();
        layout.scatter(parameters, inner);
        let len = core.layout.len;
        let mut engine = Self {
            core,
            batch: LoadedBatch::default(),
            terms: LoadedTerms::default(),
            tally: Tally::default(),
            jets: JetsByOrder::default(),
            hessian: None,
            partials: Vec::new(),
            used_partials: 0,
            adam: AdamState {
                mean: Aligned::zeros(len)?,
                mean_square: Aligned::zeros(len)?,
                steps: 0,
            },
        };
        // Allocate the first two partial gradients now, so that a lack of memory is found early.
        reserve_partials(&engine.core, &mut engine.partials, 2)?;
        Ok(engine)
    }

    /// The number of worker threads.
    pub fn threads(&self) -> usize {
        self.core.workers.threads()
    }

    /// The vector instructions in use.
    pub fn instruction_set(&self) -> InstructionSet {
        self.core.set
    }

    /// The loss of the loaded terms, whose gradient is kept.
    fn term_loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        let batch = self.terms.get().ok_or(EngineError::NoBatch)?;
        let chunks = jets::chunk_count(&self.core, &batch);
        reserve_partials(&self.core, &mut self.partials, chunks)?;
        let partials = &mut self.partials[..chunks];
        let sums = jets::sums_and_partials(self.core.packed(), &self.jets, &batch, partials);
        self.used_partials = chunks;
        Ok(self.tally.set(&batch, &sums))
    }
}

/// Allocates partial gradients until there are `count`.
fn reserve_partials(
    core: &Core,
    partials: &mut Vec<Aligned>,
    count: usize,
) -> Result<(), EngineError> {
    while partials.len() < count {
        partials.push(Aligned::zeros(core.layout.len)?);
    }
    Ok(())
}

impl Engine for CpuEngine {
    fn network(&self) -> &Network {
        &self.core.network
    }

    fn load_batch(&mut self, batch: &Batch<'_>) -> Result<(), EngineError> {
        self.terms.clear();
        self.batch.load(&self.core.network, batch)
    }

    fn load_terms(&mut self, batch: &TermBatch<'_>) -> Result<(), EngineError> {
        self.batch.clear();
        self.terms.load(&self.core.network, batch)?;
        self.jets.prepare(&self.core, batch).inspect_err(|_| self.terms.clear())
    }

    fn term_losses(&self) -> &[f64] {
        &self.tally.losses
    }

    fn loss_and_gradient(&mut self) -> Result<f64, EngineError> {
        self.used_partials = 0;
        self.tally.losses.clear();
        if self.terms.is_loaded() {
            return self.term_loss_and_gradient();
        }
        let chunks = self.core.layout.chunk_count(self.batch.get()?.count);
        reserve_partials(&self.core, &mut self.partials, chunks)?;
        let batch = self.batch.get()?;
        let core = self.core.packed();
        let (shared, layout) = (core.shared(), &core.layout);
        let scale = 1.0 / batch.targets.len() as f64;
        let partials = &mut self.partials[..chunks];
        let sums: Vec<f64> = core.workers.install(|| {
            let partials = partials.par_iter_mut().enumerate().with_max_len(1);
            partials
                .map(|(chunk, partial)| {
                    let range = layout.chunk_points(chunk, chunks, batch.count);
                    let mut scratch = core.own_scratch();
                    if range.is_empty() {
                        partial.fill(0.0);
                    }
                    let tiles = range.clone().step_by(layout.tile_points).map(|first| {
                        let tile = batch.part(first..range.end.min(first + layout.tile_points));
                        let sink =
                            GradSink { partial: &mut *partial, overwrite: first == range.start };
                        tile::backpropagate(&shared, &mut scratch, &tile, scale, sink)
                    });
                    tiles.sum::<f64>()
                })
                .collect()
        });
        self.used_partials = chunks;
        Ok(sums.iter().sum::<f64>() * scale)
    }

    fn apply(&mut self, update: &Update<'_>) -> Result<(), EngineError> {
        update.check(&self.core.network)?;
        match *update {
            Update::Adam { constants, learning_rate, except_weights_of } => {
                if self.used_partials == 0 {
                    return Err(EngineError::NoGradient);
                }
                self.adam.steps += 1;
                let step = constants.step(self.adam.steps, learning_rate);
                let (set, adam) = (self.core.set, &mut self.adam);
                let moved = self.core.layout.ranges_without_weights_of(except_weights_of);
                let partials = &self.partials[..self.used_partials];
                self.core.change_and_pack(|parameters| {
                    update::adam_step(set, &moved, parameters, adam, partials, step);
                });
            }
            Update::Displace { layer, direction, rate } => {
                let (layout, parameters) = self.core.parameters_mut();
                layout.layers[layer].displace(parameters, direction, rate);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError> {
        check_values(&self.core.network, points, values)?;
        let core = self.core.packed();
        let (inputs, outputs) = (core.network.inputs(), core.network.outputs());
        let (shared, tile_points) = (core.shared(), core.layout.tile_points);
        core.workers.install(|| {
            values
                .par_chunks_mut(tile_points * outputs)
                .zip(points.par_chunks(tile_points * inputs))
                .for_each(|(values, points)| {
                    tile::evaluate(&shared, &mut core.own_scratch(), points, values);
                });
        });
        Ok(())
    }

    fn differentiate(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
    ) -> Result<(), EngineError> {
        let network = &self.core.network;
        let count = check_values(network, points, values)?;
        let (inputs, outputs) = (network.inputs(), network.outputs());
        check_length("derivatives", derivatives.len(), count, outputs * inputs)?;
        let core = self.core.packed();
        let (shared, tile_points) = (core.shared(), core.layout.tile_points);
        core.workers.install(|| {
            values
                .par_chunks_mut(tile_points * outputs)
                .zip(derivatives.par_chunks_mut(tile_points * outputs * inputs))
                .zip(points.par_chunks(tile_points * inputs))
                .for_each(|((values, derivatives), points)| {
                    let mut scratch = core.own_scratch();
                    tile::differentiate(&shared, &mut scratch, points, values, derivatives);
                });
        });
        Ok(())
    }

    fn differentiate_twice(
        &mut self,
        points: &[f32],
        values: &mut [f32],
        derivatives: &mut [f32],
        hessians: &mut [f32],
    ) -> Result<(), EngineError> {
        check_derivatives(&self.core.network, points, (values, derivatives, hessians))?;
        if self.hessian.is_none() {
            let channels = Channels::hessian(self.core.network.inputs());
            self.hessian = Some(Jets::new(&self.core, channels, false)?);
        }
        let core = self.core.packed();
        if let Some(jets) = &self.hessian {
            jets.differentiate_twice(core, points, (values, derivatives, hessians));
        }
        Ok(())
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) -> Result<(), EngineError> {
        parameters.resize(self.core.network.parameter_count(), 0.0);
        self.core.layout.gather(&self.core.parameters, parameters);
        Ok(())
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        check_parameters("parameters", &self.core.network, parameters.len())?;
        let (layout, inner) = self.core.parameters_mut();
        layout.scatter(parameters, inner);
        Ok(())
    }

    fn gradient(&self) -> Result<Vec<f32>, EngineError> {
        if self.used_partials == 0 {
            return Err(EngineError::NoGradient);
        }
        let Core { set, layout, workers, network, .. } = &self.core;
        let partials = &self.partials[..self.used_partials];
        let total = workers.install(|| update::total_gradient(*set, layout, partials))?;
        let mut gradient = try_zeros(network.parameter_count())?;
        layout.gather(&total, &mut gradient);
        Ok(gradient)
    }

    fn adam_memory(&self) -> Result<AdamMemory, EngineError> {
        let outer = |inner: &[f32]| {
            let mut outer = vec![0.0; self.core.network.parameter_count()];
            self.core.layout.gather(inner, &mut outer);
            outer
        };
        Ok(AdamMemory {
            mean: outer(&self.adam.mean),
            mean_square: outer(&self.adam.mean_square),
            steps: self.adam.steps,
        })
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        memory.check(&self.core.network)?;
        let layout = &self.core.layout;
        layout.scatter(&memory.mean, &mut self.adam.mean);
        layout.scatter(&memory.mean_square, &mut self.adam.mean_square);
        self.adam.steps = memory.steps;
        Ok(())
    }

    fn curvature(&mut self) -> Option<&mut dyn Curvature> {
        Some(self)
    }
}

impl Curvature for CpuEngine {
    fn factors(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        check_signs(&self.core.network, points, residuals, signs)?;
        if residuals == Residuals::VALUES {
            return curvature::factors(self.core.packed(), points, signs);
        }
        let jets = self.jets.of_order(&self.core, residuals.order())?;
        jets.factors(self.core.packed(), points, (residuals, signs))
    }

    fn tangents(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        check_directions(&self.core.network, points, directions)?;
        if residuals == Residuals::VALUES {
            return tangent::tangents(self.core.packed(), points, directions);
        }
        let jets = self.jets.of_order(&self.core, residuals.order())?;
        jets.tangents(self.core.packed(), points, (residuals, directions))
    }
}
