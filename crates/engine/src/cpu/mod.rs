//! The fused float32 engine.
//!
//! One step: the batch is cut into chunks of whole tiles, a fixed number of them. Each chunk has a
//! partial gradient; whichever thread takes the chunk runs its tiles through all layers and back
//! ([`tile`]), one after the other, in its own cache. Then the partial gradients are summed in the
//! order of their chunks, Adam moves the parameters and the weights are packed for the next step
//! ([`update`]), again shared among the threads. No array of the size of the batch exists.

mod activate;
mod aligned;
mod curvature;
mod dense;
mod formula;
mod instruction_set;
mod lane;
mod layout;
mod peak;
mod product;
mod subnormals;
mod tangent;
mod tile;
mod update;
mod vector;

pub use dense::DenseLayers;
pub use instruction_set::InstructionSet;
pub use peak::peak_gflops;

use std::sync::Mutex;

use rayon::prelude::*;
use vi3nr::Network;

use crate::batch::{check_length, check_parameters, check_values};
use crate::curvature::{check_directions, check_signs};
use crate::{Adam, AdamMemory, Batch, Engine, EngineError, LayerCurvature};
use activate::VectorFunction;
use aligned::Aligned;
use layout::Layout;
use tile::{Scratch, Shared, Sum};
use update::AdamState;

/// The float32 engine for CPUs: fused, vectorised, on several threads, with the same bytes for any
/// number of them.
pub struct CpuEngine {
    network: Network,
    set: InstructionSet,
    layout: Layout,
    function: Box<dyn VectorFunction>,
    pool: rayon::ThreadPool,
    /// One per thread.
    scratch: Vec<Mutex<Scratch>>,
    parameters: Aligned,
    forward: Aligned,
    backward: Aligned,
    /// One per chunk of the largest batch so far.
    partials: Vec<Aligned>,
    /// How many of them the last batch used.
    used_partials: usize,
    adam: AdamState,
}

/// What the threads read, and their scratch.
macro_rules! shared {
    ($engine:ident) => {
        Shared {
            set: $engine.set,
            layout: &$engine.layout,
            function: &*$engine.function,
            parameters: &$engine.parameters,
            forward: &$engine.forward,
            backward: &$engine.backward,
        }
    };
}

use shared;

impl CpuEngine {
    /// An engine for `network` that starts from `parameters`, in the order of [`Network::layers`],
    /// with `threads` workers or one per core.
    ///
    /// # Errors
    /// The number of parameters is not the network's, or memory or threads cannot be had.
    pub fn new(
        network: &Network,
        parameters: &[f32],
        threads: Option<usize>,
    ) -> Result<Self, EngineError> {
        let best = InstructionSet::available()[0];
        Self::with_instruction_set(network, parameters, threads, best)
    }

    /// As [`CpuEngine::new`], with the vector instructions of `set`, one of
    /// [`InstructionSet::available`].
    ///
    /// # Errors
    /// As [`CpuEngine::new`].
    ///
    /// # Panics
    /// If this machine does not have the instructions.
    pub fn with_instruction_set(
        network: &Network,
        parameters: &[f32],
        threads: Option<usize>,
        set: InstructionSet,
    ) -> Result<Self, EngineError> {
        assert!(InstructionSet::available().contains(&set), "this machine lacks {set:?}");
        check_parameters(network, parameters.len())?;
        let layout = Layout::new(network);
        let pool = thread_pool(threads)?;
        let scratch = (0..pool.current_num_threads())
            .map(|_| Scratch::new(&layout).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        let mut engine = Self {
            network: network.clone(),
            set,
            function: activate::vector_function(network.activation()),
            pool,
            scratch,
            parameters: Aligned::zeros(layout.len)?,
            forward: Aligned::zeros(layout.len)?,
            backward: Aligned::zeros(layout.backward_len())?,
            partials: Vec::new(),
            used_partials: 0,
            adam: AdamState {
                mean: Aligned::zeros(layout.len)?,
                mean_square: Aligned::zeros(layout.len)?,
                steps: 0,
            },
            layout,
        };
        // The first two chunks' sums now, so that a lack of memory is found before any work.
        engine.reserve_partials(2)?;
        engine.layout.scatter(parameters, &mut engine.parameters);
        engine.pack();
        Ok(engine)
    }

    /// The number of worker threads.
    pub fn threads(&self) -> usize {
        self.scratch.len()
    }

    /// The vector instructions in use.
    pub fn instruction_set(&self) -> InstructionSet {
        self.set
    }

    fn reserve_partials(&mut self, count: usize) -> Result<(), EngineError> {
        while self.partials.len() < count {
            self.partials.push(Aligned::zeros(self.layout.len)?);
        }
        Ok(())
    }

    fn pack(&mut self) {
        let Self { set, layout, parameters, forward, backward, pool, .. } = self;
        pool.install(|| update::pack_weights(*set, layout, parameters, forward, backward));
    }
}

impl Engine for CpuEngine {
    fn network(&self) -> &Network {
        &self.network
    }

    fn backpropagate(&mut self, batch: &Batch<'_>) -> f64 {
        let chunks = self.layout.chunk_count(batch.count);
        self.used_partials = match self.reserve_partials(chunks) {
            Ok(()) => chunks,
            // Fewer sums need less memory; the two of `new` are always there.
            Err(_) => self.partials.len(),
        };
        let chunks = self.used_partials;
        let scale = 1.0 / batch.targets.len() as f64;
        let shared = shared!(self);
        let scratch = &self.scratch;
        let tile_points = self.layout.tile_points;
        let partials = &mut self.partials[..chunks];
        let sums: Vec<f64> = self.pool.install(|| {
            let partials = partials.par_iter_mut().enumerate().with_max_len(1);
            partials
                .map(|(chunk, partial)| {
                    let range = shared.layout.chunk_points(chunk, chunks, batch.count);
                    let mut scratch = own_scratch(scratch);
                    if range.is_empty() {
                        partial.fill(0.0);
                    }
                    let tiles = range.clone().step_by(tile_points).map(|first| {
                        let tile = batch.part(first..range.end.min(first + tile_points));
                        let sum = Sum { partial: &mut *partial, is_new: first == range.start };
                        tile::backpropagate(&shared, &mut scratch, &tile, scale, sum)
                    });
                    tiles.sum::<f64>()
                })
                .collect()
        });
        sums.iter().sum::<f64>() * scale
    }

    fn adam_step(&mut self, adam: &Adam, learning_rate: f64) {
        assert!(self.used_partials > 0, "adam_step needs a gradient: call backpropagate first");
        self.adam.steps += 1;
        let step = adam.step(self.adam.steps, learning_rate);
        let Self { set, layout, parameters, forward, backward, adam, pool, .. } = self;
        let partials = &self.partials[..self.used_partials];
        pool.install(|| {
            update::adam_step(*set, parameters, adam, partials, step);
            update::pack_weights(*set, layout, parameters, forward, backward);
        });
    }

    fn evaluate(&mut self, points: &[f32], values: &mut [f32]) -> Result<(), EngineError> {
        check_values(&self.network, points, values)?;
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let shared = shared!(self);
        let scratch = &self.scratch;
        let tile_points = self.layout.tile_points;
        self.pool.install(|| {
            values
                .par_chunks_mut(tile_points * outputs)
                .zip(points.par_chunks(tile_points * inputs))
                .for_each(|(values, points)| {
                    tile::evaluate(&shared, &mut own_scratch(scratch), points, values);
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
        let count = check_values(&self.network, points, values)?;
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        check_length("derivatives", derivatives.len(), count, outputs * inputs)?;
        let shared = shared!(self);
        let scratch = &self.scratch;
        let tile_points = self.layout.tile_points;
        self.pool.install(|| {
            values
                .par_chunks_mut(tile_points * outputs)
                .zip(derivatives.par_chunks_mut(tile_points * outputs * inputs))
                .zip(points.par_chunks(tile_points * inputs))
                .for_each(|((values, derivatives), points)| {
                    let mut scratch = own_scratch(scratch);
                    tile::differentiate(&shared, &mut scratch, points, values, derivatives);
                });
        });
        Ok(())
    }

    fn copy_parameters(&self, parameters: &mut Vec<f32>) {
        parameters.resize(self.network.parameter_count(), 0.0);
        self.layout.gather(&self.parameters, parameters);
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), EngineError> {
        check_parameters(&self.network, parameters.len())?;
        self.layout.scatter(parameters, &mut self.parameters);
        self.pack();
        Ok(())
    }

    fn gradient(&self) -> Vec<f32> {
        let mut gradient = vec![0.0; self.network.parameter_count()];
        if self.used_partials > 0 {
            let total = update::total_gradient(&self.layout, &self.partials[..self.used_partials]);
            self.layout.gather(&total, &mut gradient);
        }
        gradient
    }

    fn curvature(
        &mut self,
        points: &[f32],
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError> {
        check_signs(&self.network, points, signs)?;
        self.curvature_of(points, signs)
    }

    fn tangents(
        &mut self,
        points: &[f32],
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        check_directions(&self.network, points, directions)?;
        self.tangents_of(points, directions)
    }

    fn adam_memory(&self) -> AdamMemory {
        let outer = |inner: &[f32]| {
            let mut outer = vec![0.0; self.network.parameter_count()];
            self.layout.gather(inner, &mut outer);
            outer
        };
        AdamMemory {
            mean: outer(&self.adam.mean),
            mean_square: outer(&self.adam.mean_square),
            steps: self.adam.steps,
        }
    }

    fn set_adam_memory(&mut self, memory: &AdamMemory) -> Result<(), EngineError> {
        memory.check(&self.network)?;
        self.layout.scatter(&memory.mean, &mut self.adam.mean);
        self.layout.scatter(&memory.mean_square, &mut self.adam.mean_square);
        self.adam.steps = memory.steps;
        Ok(())
    }
}

/// The scratch of the thread that asks; no other thread holds its lock.
fn own_scratch(scratch: &[Mutex<Scratch>]) -> std::sync::MutexGuard<'_, Scratch> {
    let index = rayon::current_thread_index().unwrap_or(0);
    scratch[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// As many threads as were asked for, or one per core.
pub fn thread_count(asked: Option<usize>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(cores)
}

/// Workers that live as long as the engine.
fn thread_pool(threads: Option<usize>) -> Result<rayon::ThreadPool, EngineError> {
    let threads = thread_count(threads);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("vi3nr-{index}"))
        .start_handler(|_| subnormals::flush_to_zero())
        .build()
        .map_err(|error| EngineError::Threads { threads, reason: error.to_string() })
}
