//! A network's parameters in the layout of the kernels, and the threads with their scratch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vi3nr::Network;

use super::activate::vector_function;
use super::aligned::Aligned;
use super::instruction_set::InstructionSet;
use super::layout::Layout;
use super::tile::{Scratch, Shared};
use super::update;
use super::vector_function::VectorFunction;
use crate::{EngineError, Workers};

/// The data that every kernel reads, and the threads that it runs on.
pub(super) struct Core {
    pub(super) network: Network,
    pub(super) set: InstructionSet,
    pub(super) layout: Layout,
    function: Box<dyn VectorFunction>,
    pub(super) workers: Arc<Workers>,
    /// One scratch per thread.
    scratch: Vec<Mutex<Scratch>>,
    pub(super) parameters: Aligned,
    /// Copies of the weights in panels for the forward and the backward product; valid if
    /// `is_packed`.
    forward: Aligned,
    backward: Aligned,
    is_packed: bool,
}

impl Core {
    /// Creates the core of `network` with all parameters 0.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if an allocation fails.
    pub(super) fn new(
        network: &Network,
        workers: Arc<Workers>,
        set: InstructionSet,
    ) -> Result<Self, EngineError> {
        let layout = Layout::new(network);
        let scratch = (0..workers.threads())
            .map(|_| Scratch::new(&layout).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            network: network.clone(),
            set,
            function: vector_function(network.activation()),
            workers,
            scratch,
            parameters: Aligned::zeros(layout.len)?,
            forward: Aligned::zeros(layout.len)?,
            backward: Aligned::zeros(layout.backward_len())?,
            is_packed: false,
            layout,
        })
    }

    /// Mutable access to the parameters, which invalidates their packed copies.
    pub(super) fn parameters_mut(&mut self) -> (&Layout, &mut [f32]) {
        self.is_packed = false;
        (&self.layout, &mut self.parameters)
    }

    /// Calls `change` with the parameters on the workers, and packs the weights there.
    pub(super) fn change_and_pack(&mut self, change: impl FnOnce(&mut [f32]) + Send) {
        let Self { set, layout, parameters, forward, backward, workers, .. } = self;
        workers.install(|| {
            change(parameters);
            update::pack_weights(*set, layout, parameters, forward, backward);
        });
        self.is_packed = true;
    }

    /// This core, after packing the weights if the parameters have changed.
    pub(super) fn packed(&mut self) -> &Self {
        if !self.is_packed {
            self.change_and_pack(|_| ());
        }
        self
    }

    /// The data that the threads read. Call [`Core::packed`] first.
    pub(super) fn shared(&self) -> Shared<'_> {
        debug_assert!(self.is_packed, "the packed weights are those of earlier parameters");
        Shared {
            set: self.set,
            layout: &self.layout,
            function: &*self.function,
            parameters: &self.parameters,
            forward: &self.forward,
            backward: &self.backward,
        }
    }

    /// The scratch of the calling thread. No other thread holds its lock.
    pub(super) fn own_scratch(&self) -> MutexGuard<'_, Scratch> {
        let index = rayon::current_thread_index().unwrap_or(0);
        self.scratch[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
