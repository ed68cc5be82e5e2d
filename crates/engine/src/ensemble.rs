//! Many networks at once.

use std::sync::Mutex;

use vi3nr::Network;

use crate::workers::thread_count;
use crate::{Adam, Batch, CpuEngine, Engine, EngineError, Update};

/// Independent networks trained side by side: other seeds, signals or settings.
///
/// One small network does not use many cores well. Here every core has a network of its own as long as
/// there are enough of them, and none waits for another. Each comes out with the bytes that it would
/// have alone.
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
    /// How many are trained at the same time.
    side_by_side: usize,
    threads: usize,
}

impl Ensemble {
    /// Engines for `members`, each a network and its initial parameters in the order of
    /// [`Network::layers`], on `threads` threads in all, or one per core.
    ///
    /// # Errors
    /// Those of [`CpuEngine::new`].
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

    /// `steps` steps of Adam for every member, on the batch and with the learning rate that
    /// `batch_for` gives for a member and a step, both counted from 0. Returns, for each member, the
    /// loss before each step.
    ///
    /// # Errors
    /// Those of [`Engine::load_batch`] and [`Engine::loss_and_gradient`], of the first member that
    /// has one; the other members are trained all the same.
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

    /// Calls `work` for every member, as many at a time as have threads, and returns its results in
    /// the order of the members.
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
            // The calling thread attends to members too: one alone needs no further thread.
            for _ in 1..self.side_by_side {
                scope.spawn(worker);
            }
            worker();
        });
        // A member without a result means that `work` panicked, and the scope has passed that on.
        results.into_iter().flatten().collect()
    }

    /// Threads of all members together.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The engines, in the order of [`Ensemble::new`].
    pub fn members(&self) -> &[CpuEngine] {
        &self.members
    }
}
