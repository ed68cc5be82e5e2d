//! Training many networks in parallel.

use std::sync::Mutex;

use vi3nr::Network;

use crate::workers::thread_count;
use crate::{Adam, Batch, CpuEngine, Engine, EngineError, Update};

/// Independent networks that are trained in parallel, for example with different seeds, signals or
/// settings.
///
/// A single small network cannot use many cores efficiently. An ensemble trains one network per
/// core, without synchronization between them, as long as there are enough networks. Every network
/// ends with the same bytes as if it had been trained alone.
///
/// ```
/// use vi3nr::Network;
/// use vi3nr_engine::{Adam, Batch, Engine, Ensemble};
///
/// let network = Network::uniform(1, 16, 3, 1, "sine:omega=3".parse()?)?;
/// let points: Vec<f32> = (0..64).map(|i| i as f32 / 32.0 - 1.0).collect();
/// let targets: Vec<f32> = points.iter().map(|x| x * x).collect();
/// let batch = Batch::new(&network, &points, &targets)?;
/// // The same signal from two sets of initial weights.
/// let starts: Vec<Vec<f32>> = (1..=2)
///     .map(|seed| (0..network.parameter_count()).map(|i| ((i * seed) as f32).sin() * 0.3).collect())
///     .collect();
/// let members: Vec<_> = starts.iter().map(|start| (&network, &start[..])).collect();
/// let mut ensemble = Ensemble::new(&members, Some(2))?;
/// let losses = ensemble.train(100, &Adam::default(), |_member, _step| (batch, 1e-2))?;
/// assert_eq!((losses.len(), losses[0].len()), (2, 100));
/// assert!(losses.iter().all(|losses| losses[99] < losses[0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ensemble {
    members: Vec<CpuEngine>,
    /// The number of members that are trained at the same time.
    side_by_side: usize,
    threads: usize,
}

impl Ensemble {
    /// Creates an engine for each of `members`, a network with its initial parameters in the order
    /// of [`Network::layers`]. All members together use `threads` threads, or one per core.
    ///
    /// # Errors
    /// Returns the errors of [`CpuEngine::new`].
    pub fn new(
        members: &[(&Network, &[f32])],
        threads: Option<usize>,
    ) -> Result<Self, EngineError> {
        let threads = thread_count(threads);
        let side_by_side = members.len().clamp(1, threads);
        let each = Some(threads / side_by_side);
        let engines = members
            .iter()
            .map(|(network, parameters)| CpuEngine::new(network, parameters, each))
            .collect::<Result<_, _>>()?;
        Ok(Self { members: engines, side_by_side, threads })
    }

    /// Trains every member for `steps` steps of Adam. `batch_for(member, step)`, both counted from
    /// 0, gives the batch and the learning rate of a step. Returns the loss before each step for
    /// each member.
    ///
    /// # Errors
    /// Returns the error of [`Engine::load_batch`] or [`Engine::loss_and_gradient`] of the first
    /// member that fails. The other members are trained nevertheless.
    pub fn train<'a>(
        &mut self,
        steps: u64,
        adam: &Adam,
        batch_for: impl Fn(usize, u64) -> (Batch<'a>, f64) + Sync,
    ) -> Result<Vec<Vec<f64>>, EngineError> {
        let train = |member, engine: &mut CpuEngine| {
            let step = |step| {
                let (batch, learning_rate) = batch_for(member, step);
                engine.load_batch(&batch)?;
                let loss = engine.loss_and_gradient()?;
                engine.apply(&Update::adam(*adam, learning_rate))?;
                Ok(loss)
            };
            (0..steps).map(step).collect()
        };
        self.each(train).into_iter().collect()
    }

    /// Calls `work` once for every member, in parallel, and returns the results in the order of the
    /// members.
    pub fn each<R: Send>(&mut self, work: impl Fn(usize, &mut CpuEngine) -> R + Sync) -> Vec<R> {
        let mut results: Vec<Option<R>> = self.members.iter().map(|_| None).collect();
        let waiting = Mutex::new(self.members.iter_mut().zip(&mut results).enumerate());
        let next = || waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
        let worker = || {
            while let Some((member, (engine, result))) = next() {
                *result = Some(work(member, engine));
            }
        };
        std::thread::scope(|scope| {
            // The calling thread is a worker too, so that a single member needs no further thread.
            for _ in 1..self.side_by_side {
                scope.spawn(worker);
            }
            worker();
        });
        // Every member has a result here: if `work` panicked, the scope has propagated the panic.
        results.into_iter().flatten().collect()
    }

    /// The number of threads of all members together.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The engines, in the order of [`Ensemble::new`].
    pub fn members(&self) -> &[CpuEngine] {
        &self.members
    }
}
