//! Engines of equal networks that are trained at the same time.

use std::panic::resume_unwind;
use std::thread;

use vi3nr_engine::{Adam, AdamRun, Backend, BestParameters, Engine, EngineError, Update};
use vi3nr_inr::optimizer::OptimizerName;

use super::BenchError;
use super::optimizer::Restarting;
use super::problem::Problem;

/// The largest number of steps that an engine is asked for, as in a fit.
const MAX_STEPS: usize = 1024;
/// So small that the network stays nearly as it is.
const LEARNING_RATE: f64 = 1e-5;

/// One of the networks.
pub(super) struct Member {
    pub(super) engine: Box<dyn Engine>,
    pub(super) best: BestParameters,
    /// Room for the values at all points.
    pub(super) values: Vec<f32>,
    /// The optimizer that is timed beside Adam, if there is one.
    pub(super) optimizer: Option<Restarting>,
    steps_per_run: usize,
}

impl Member {
    /// Takes as many steps in one call as the engine chooses, and returns their number.
    pub(super) fn run(&mut self) -> Result<usize, BenchError> {
        let learning_rates = &[LEARNING_RATE; MAX_STEPS];
        let run = AdamRun { constants: Adam::default(), learning_rates, target_loss: None };
        let outcome = self.engine.run(&run, &mut self.best)?;
        if let Some(loss) = outcome.losses.iter().find(|loss| !loss.is_finite()) {
            return Err(self.non_finite(*loss));
        }
        self.steps_per_run = outcome.steps;
        Ok(outcome.steps)
    }

    /// Takes one step and reads its loss.
    pub(super) fn step(&mut self) -> Result<usize, BenchError> {
        let loss = self.engine.loss_and_gradient()?;
        if !loss.is_finite() {
            return Err(self.non_finite(loss));
        }
        self.engine.apply(&Update::adam(Adam::default(), LEARNING_RATE))?;
        Ok(1)
    }

    pub(super) fn non_finite(&self, loss: f64) -> BenchError {
        let activation = self.engine.network().activation().to_string();
        BenchError::NonFiniteLoss { activation, loss }
    }
}

/// All networks.
pub(super) struct Members {
    /// The networks of each thread.
    lanes: Vec<Vec<Member>>,
}

impl Members {
    /// Creates `count` networks, with `optimizer` beside Adam.
    ///
    /// If the engines take several steps in one call, they wait for a device,
    /// and each gets a thread; otherwise there are no more threads than those of the backend.
    pub(super) fn new(
        backend: &dyn Backend,
        problem: &Problem,
        (count, optimizer): (usize, Option<OptimizerName>),
    ) -> Result<Self, EngineError> {
        let member = |backend: &dyn Backend| -> Result<Member, EngineError> {
            let engine = backend.engine(&problem.network, &problem.parameters)?;
            let restarting = |name| Restarting::new(name, problem, (backend, &*engine));
            Ok(Member {
                optimizer: optimizer.map(restarting).transpose()?,
                engine,
                best: BestParameters::default(),
                values: vec![0.0; problem.targets.len()],
                steps_per_run: 1,
            })
        };
        if count == 1 {
            return Ok(Self { lanes: vec![vec![member(backend)?]] });
        }
        let threads = match backend.capabilities().runs {
            true => count,
            false => count.min(backend.workers().threads()),
        };
        let backends = backend.side_by_side(threads)?;
        let lane = |(lane, backend): (usize, Box<dyn Backend>)| {
            (lane..count).step_by(threads).map(|_| member(&*backend)).collect()
        };
        Ok(Self { lanes: backends.into_iter().enumerate().map(lane).collect::<Result<_, _>>()? })
    }

    /// The number of networks.
    pub(super) fn count(&self) -> usize {
        self.lanes.iter().map(Vec::len).sum()
    }

    /// The number of threads.
    pub(super) fn threads(&self) -> usize {
        self.lanes.len()
    }

    /// The number of steps of the last run, or 1 if there was none.
    pub(super) fn steps_per_run(&self) -> usize {
        self.lanes.iter().flatten().map(|member| member.steps_per_run).max().unwrap_or(1)
    }

    /// Calls `work` for every network, and returns the results.
    pub(super) fn each<R: Send>(
        &mut self,
        work: impl Fn(&mut Member) -> Result<R, BenchError> + Sync,
    ) -> Result<Vec<R>, BenchError> {
        let threads = self.threads();
        let on_lane = |lane: &mut Vec<Member>| -> Result<Vec<R>, BenchError> {
            lane.iter_mut().map(&work).collect()
        };
        let Some((first, others)) = self.lanes.split_first_mut() else { return Ok(Vec::new()) };
        thread::scope(|scope| {
            let start = |lane| {
                let started = thread::Builder::new().spawn_scoped(scope, || on_lane(lane));
                started.map_err(|error| EngineError::Threads { threads, reason: error.to_string() })
            };
            let started: Vec<_> = others.iter_mut().map(start).collect::<Result<_, _>>()?;
            let mut results = on_lane(first);
            for thread in started {
                let own = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                results = results.and_then(|mut all| {
                    all.extend(own?);
                    Ok(all)
                });
            }
            results
        })
    }
}
