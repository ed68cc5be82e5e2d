//! Networks that are trained at the same time, in common launches.
//!
//! A network of a piece of a photograph fills no GPU. Engines of a backend from
//! [`Backend::side_by_side`](crate::Backend::side_by_side) therefore share the memory of an [`Arena`],
//! and runs that their threads ask for at about the same time become one run of several networks.
//! Which runs meet depends on the threads; the results do not, because the workgroups of a network
//! never depend on those of another.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use vi3nr::Network;

use super::networks::{Context, Networks, Resident, Steps};
use crate::EngineError;
use crate::adam::AdamStep;

/// The longest time for which a run waits for those of other engines.
const MAX_WAIT: Duration = Duration::from_millis(2);

/// The memory of several networks of one shape and activation, each in a slot.
#[derive(Debug)]
pub(super) struct Arena {
    networks: Mutex<Networks>,
    desk: Mutex<Desk>,
    changed: Condvar,
}

/// The slots, and the runs that engines have asked for.
#[derive(Debug, Default)]
struct Desk {
    free: Vec<usize>,
    /// The slots whose engines have asked for a run before.
    runners: Vec<usize>,
    waiting: Vec<Request>,
    done: Vec<(usize, Result<Vec<f64>, EngineError>)>,
    /// Whether a thread collects or executes runs.
    is_busy: bool,
}

/// A run of one network.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) slot: usize,
    pub(super) batch: Resident,
    /// The first step's number among those that have points of their own.
    pub(super) first: usize,
    pub(super) steps: Vec<AdamStep>,
    /// The smallest loss so far.
    pub(super) best: f64,
    /// The loss at which the run ends.
    pub(super) goal: f64,
}

/// A slot of an arena, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    arena: Arc<Arena>,
    pub(super) slot: usize,
}

impl Place {
    /// The only slot of an arena of its own.
    ///
    /// # Errors
    /// Returns the errors of [`Networks::new`].
    pub(super) fn alone(context: &Context, network: &Network) -> Result<Self, EngineError> {
        Ok(Self { arena: Arc::new(Arena::new(context, network, 1)?), slot: 0 })
    }

    pub(super) fn networks(&self) -> MutexGuard<'_, Networks> {
        self.arena.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes steps, possibly fewer than asked for, and returns the losses before them.
    ///
    /// # Errors
    /// Returns the errors of [`Networks::run`].
    pub(super) fn run(&self, request: Request) -> Result<Vec<f64>, EngineError> {
        self.arena.run(request)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut desk = self.arena.desk();
        desk.runners.retain(|slot| *slot != self.slot);
        // Only after a panic is something of this slot left there.
        desk.waiting.retain(|request| request.slot != self.slot);
        desk.done.retain(|(slot, _)| *slot != self.slot);
        desk.free.push(self.slot);
        self.arena.changed.notify_all();
    }
}

impl Arena {
    fn new(context: &Context, network: &Network, slots: usize) -> Result<Self, EngineError> {
        let desk = Desk { free: (0..slots).rev().collect(), ..Desk::default() };
        Ok(Self {
            networks: Mutex::new(Networks::new(context, network, slots)?),
            desk: Mutex::new(desk),
            changed: Condvar::new(),
        })
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, request: Request) -> Result<Vec<f64>, EngineError> {
        let slot = request.slot;
        let mut desk = self.desk();
        if !desk.runners.contains(&slot) {
            desk.runners.push(slot);
        }
        desk.waiting.push(request);
        self.changed.notify_all();
        loop {
            if let Some(index) = desk.done.iter().position(|(of, _)| *of == slot) {
                return desk.done.swap_remove(index).1;
            }
            if desk.is_busy {
                desk = self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            desk.is_busy = true;
            desk = self.collect(desk);
            let requests = together(&mut desk.waiting);
            drop(desk);
            let results = catch_unwind(AssertUnwindSafe(|| self.execute(&requests)));
            desk = self.desk();
            desk.is_busy = false;
            self.changed.notify_all();
            let slots = requests.iter().map(|request| request.slot);
            match results {
                Ok(results) => desk.done.extend(slots.zip(results)),
                Err(panic) => {
                    // Without an answer, the other engines would wait forever.
                    let others = slots.filter(|of| *of != slot);
                    desk.done.extend(others.map(|of| (of, Err(panicked()))));
                    drop(desk);
                    resume_unwind(panic);
                }
            }
        }
    }

    /// Waits for the runs of the other engines.
    fn collect<'a>(&self, mut desk: MutexGuard<'a, Desk>) -> MutexGuard<'a, Desk> {
        let until = Instant::now() + MAX_WAIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if desk.waiting.len() >= desk.runners.len() || left.is_zero() {
                return desk;
            }
            let waited = self.changed.wait_timeout(desk, left);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn execute(&self, requests: &[Request]) -> Vec<Result<Vec<f64>, EngineError>> {
        let steps = requests.iter().map(|request| request.steps.len()).min().unwrap_or(0);
        let runs: Vec<Steps<'_>> = requests
            .iter()
            .map(|Request { slot, batch, first, steps: all, best, goal }| Steps {
                slot: *slot,
                batch: *batch,
                first: *first,
                steps: &all[..steps],
                best: *best,
                goal: *goal,
            })
            .collect();
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        match networks.run(&runs) {
            Ok(losses) => losses.into_iter().map(Ok).collect(),
            Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

/// Takes the requests that can be executed with the first: those of the same loss and constants.
fn together(waiting: &mut Vec<Request>) -> Vec<Request> {
    let key = |request: &Request| {
        let constants = request.steps.first().map(|step| (step.beta1, step.beta2, step.epsilon));
        (request.batch.loss(), constants)
    };
    let mut all = std::mem::take(waiting).into_iter();
    let Some(first) = all.next() else { return Vec::new() };
    // The first is taken even if its constants are NaN, which equal nothing.
    let (others, left): (Vec<_>, _) = all.partition(|request| key(request) == key(&first));
    *waiting = left;
    std::iter::once(first).chain(others).collect()
}

/// The error of a run that was to be executed together with one that panicked.
fn panicked() -> EngineError {
    EngineError::Device {
        seen: "the training of another network on this device panicked".into(),
        expected: "a run that ends".into(),
    }
}

/// The arenas of backends that work side by side.
#[derive(Debug)]
pub(super) struct Pool {
    arenas: Mutex<Vec<Weak<Arena>>>,
    /// The number of backends.
    count: usize,
}

impl Pool {
    pub(super) fn new(count: usize) -> Self {
        Self { arenas: Mutex::default(), count }
    }

    /// A free slot for a network.
    ///
    /// # Errors
    /// Returns the errors of [`Networks::new`].
    pub(super) fn place(&self, context: &Context, network: &Network) -> Result<Place, EngineError> {
        let mut arenas = self.arenas.lock().unwrap_or_else(PoisonError::into_inner);
        arenas.retain(|arena| arena.strong_count() > 0);
        for arena in arenas.iter().filter_map(Weak::upgrade) {
            let fits = {
                let networks = arena.networks.lock().unwrap_or_else(PoisonError::into_inner);
                networks.network() == network
            };
            let slot = if fits { arena.desk().free.pop() } else { None };
            if let Some(slot) = slot {
                return Ok(Place { arena, slot });
            }
        }
        let slots = Networks::max_slots(context, network)?.min(self.count);
        let arena = Arc::new(Arena::new(context, network, slots)?);
        let slot = arena.desk().free.pop().unwrap_or_default();
        arenas.push(Arc::downgrade(&arena));
        Ok(Place { arena, slot })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::device::{Checks, tests::device};

    /// A run of one step on no points, which panics.
    fn request(slot: usize, epsilon: f64) -> Request {
        let step = crate::Adam { epsilon, ..crate::Adam::default() }.step(1, 1e-3);
        let (best, goal) = (f64::INFINITY, f64::NEG_INFINITY);
        Request { slot, batch: Resident::without_points(), first: 0, steps: vec![step], best, goal }
    }

    #[test]
    fn the_first_request_is_always_taken() {
        let mut waiting = vec![request(0, f64::NAN), request(1, 1e-8), request(2, 1e-8)];
        let mut next = || -> Vec<usize> {
            together(&mut waiting).iter().map(|request| request.slot).collect()
        };
        assert_eq!([next(), next(), next()], [vec![0], vec![1, 2], vec![]]);
    }

    #[test]
    fn a_panic_is_an_error_for_the_runs_of_other_engines() {
        let Some(device) = device() else { return };
        let context = Context::new(device, Checks::None);
        let network = Network::new(vec![2, 8, 1], "tanh".parse().unwrap()).unwrap();
        let arena = Arena::new(&context, &network, 2).unwrap();
        arena.desk().waiting.push(request(1, 1e-8));
        assert!(catch_unwind(AssertUnwindSafe(|| arena.run(request(0, 1e-8)))).is_err());
        let desk = arena.desk();
        assert!(!desk.is_busy && desk.waiting.is_empty());
        assert_eq!(desk.done, [(1, Err(panicked()))]);
    }
}
