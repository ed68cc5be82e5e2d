//! Training steps of an optimizer beside those of Adam.

use std::time::Duration;

use vi3nr_engine::{Backend, Engine, EngineError};
use vi3nr_inr::optimizer::{Optimizer, OptimizerName, OptimizerState, StepContext, StepStatus};
use vi3nr_inr::points::PointBatch;
use vi3nr_inr::signal::PointCount;

use super::clock::Clock;
use super::members::{Member, Members};
use super::problem::Problem;
use super::{BenchError, OptimizerSteps};

/// The number of steps of a run from the initial parameters, about that of a piece of an image: K-FAC
/// updates its factors more often in the first of them.
const STEPS: u64 = 60;

/// An optimizer that starts again and again from the initial parameters.
pub(super) struct Restarting {
    optimizer: Box<dyn Optimizer>,
    /// The state before the first step.
    fresh: OptimizerState,
    /// Floating-point operations of a step besides those of the gradient, the mean of the last run.
    operations: f64,
}

impl Restarting {
    pub(super) fn new(
        name: OptimizerName,
        problem: &Problem,
        (backend, engine): (&dyn Backend, &dyn Engine),
    ) -> Result<Self, EngineError> {
        let points = PointCount::Sampled(problem.count);
        let settings = problem.recipe.training(&problem.network, points, name).optimizer;
        let optimizer = settings.start(&problem.network, 0, backend)?;
        Ok(Self { fresh: optimizer.save(engine)?, optimizer, operations: 0.0 })
    }
}

impl Member {
    /// Trains from the initial parameters, and returns the number of steps.
    fn train(&mut self, problem: &Problem, batch: &PointBatch) -> Result<usize, BenchError> {
        let Some(Restarting { optimizer, fresh, operations }) = &mut self.optimizer else {
            return Ok(0);
        };
        self.engine.set_parameters(&problem.parameters)?;
        optimizer.restore(&mut *self.engine, fresh, 0)?;
        let (mut taken, mut all) = (0, 0.0);
        for step in 0..STEPS {
            let loss = self.engine.loss_and_gradient()?;
            let progress = step as f64 / STEPS as f64;
            let at = StepContext { batch, loss, step, progress };
            let outcome = optimizer.step(&mut *self.engine, &at)?;
            if outcome.status == StepStatus::Diverged {
                return Err(self.non_finite(loss));
            }
            (taken, all) = (taken + 1, all + outcome.operations);
            if outcome.status == StepStatus::Exhausted {
                break;
            }
        }
        *operations = all / taken as f64;
        Ok(taken)
    }

    fn operations(&self) -> f64 {
        self.optimizer.as_ref().map_or(0.0, |restarting| restarting.operations)
    }
}

/// Times the steps of `name` for about `duration`. `gradient` is the number of floating-point
/// operations of a gradient of all networks, and `best_single` the least time of a step of Adam.
pub(super) fn optimizer_steps(
    name: OptimizerName,
    problem: &Problem,
    (clock, members): (&mut Clock<'_>, &mut Members),
    (gradient, best_single): (f64, f64),
    duration: Duration,
) -> Result<OptimizerSteps, BenchError> {
    let batch = PointBatch {
        points: problem.points.clone(),
        targets: problem.targets.clone(),
        ..PointBatch::default()
    };
    let time = clock.time(duration, members, |member| member.train(problem, &batch))?;
    let operations: f64 = members.each(|member| Ok(member.operations()))?.into_iter().sum();
    let rate = clock.rate(gradient + operations, time);
    Ok(OptimizerSteps {
        optimizer: name,
        step_seconds: time.median,
        relative_to_adam: time.best / best_single,
        relative_operations: 1.0 + operations / gradient,
        fraction_of_peak: rate.fraction_of_peak,
        fraction_of_peak_at_best: rate.fraction_of_peak_at_best,
    })
}
