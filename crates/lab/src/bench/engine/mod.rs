//! The speed of training steps and evaluations as a share of the peak of the machine or GPU.

mod clock;
mod members;
mod optimizer;
mod problem;
mod report;

use vi3nr_engine::{Batch, BestParameters, InstructionSet};
use vi3nr_inr::backend::{BackendName, OpenBackend};

use clock::Clock;
use members::Members;
use optimizer::optimizer_steps;
use problem::Problem;

pub use problem::{BenchPlan, BenchShape};
pub use report::{BenchReport, OptimizerSteps, Rate, TermSteps};

/// Why a benchmark fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The network cannot be built, or its activation has no finite gain.
    #[error(transparent)]
    Init(#[from] vi3nr::Error),
    /// Threads, memory or the device are unavailable, or the backend lacks something.
    #[error(transparent)]
    Engine(#[from] vi3nr_engine::EngineError),
    /// An optimizer cannot start again.
    #[error(transparent)]
    State(#[from] vi3nr_inr::optimizer::StateError),
    /// The loss is not finite, so that the time of a step means nothing.
    #[error("the loss of a step is {loss} with {activation}; expected a finite number")]
    NonFiniteLoss {
        /// The activation.
        activation: String,
        /// The loss.
        loss: f64,
    },
}

/// Runs a benchmark on the backend `opened` for about [`BenchPlan::duration`], and longer if a few
/// repetitions take longer or if kernels are compiled.
///
/// If the engines take several steps in one call, a step is timed in such runs, which are as long as the
/// engine chooses, and single steps whose loss is read back are timed beside them. Several networks are
/// trained in backends side by side: on a CPU as many at a time as there are threads, on a GPU all at
/// once, so that they meet in common launches. An evaluation includes copying the points to the device
/// and the values back.
///
/// # Errors
/// Returns [`BenchError::Init`] if the activation has no finite gain, [`BenchError::Engine`] if threads,
/// memory or the device are unavailable or the backend has no measurement of its peak, and
/// [`BenchError::NonFiniteLoss`] if the network cannot be trained.
pub fn bench(plan: &BenchPlan, opened: &OpenBackend) -> Result<BenchReport, BenchError> {
    let backend = &*opened.backend;
    let problem = Problem::new(plan)?;
    let network = &problem.network;
    let mut clock = Clock::new(backend)?;
    let mut members = Members::new(backend, &problem, (plan.networks.max(1), plan.optimizer))?;
    let batch = Batch::new(network, &problem.points, &problem.targets)?;
    members.each(|member| Ok(member.engine.load_batch(&batch)?))?;

    let share = |tenths: u32| plan.duration * tenths / 10;
    let takes_runs = backend.capabilities().runs;
    let run = match takes_runs {
        true => Some(clock.time(share(6), &mut members, |member| member.run())?),
        false => None,
    };
    let single =
        clock.time(share(6 - 3 * u32::from(takes_runs)), &mut members, |member| member.step())?;
    let inference = clock.time(share(3), &mut members, |member| {
        member.engine.evaluate(&problem.points, &mut member.values)?;
        Ok(1)
    })?;
    let operations = (network.weight_count() * problem.count * members.count()) as f64;
    let optimizer = match plan.optimizer {
        Some(name) => {
            let gradient = (6.0 * operations, single.best);
            let clocked = (&mut clock, &mut members);
            Some(optimizer_steps(name, &problem, clocked, gradient, share(6))?)
        }
        None => None,
    };
    let terms = match plan.terms.is_empty() {
        true => None,
        false => Some(term_steps(plan, &problem, (&mut clock, &mut members), single.best)?),
    };

    let rate = |factor: f64, time| clock.rate(factor * operations, time);
    let (step, inference) = (rate(6.0, run.unwrap_or(single)), rate(2.0, inference));
    Ok(BenchReport {
        shape: plan.shape.name(),
        dims: network.dims().to_vec(),
        points: problem.count,
        networks: members.count(),
        activation: plan.activation.to_string(),
        backend: opened.name,
        device: opened.device.clone(),
        threads: backend.workers().threads(),
        instructions: (opened.name == BackendName::Cpu)
            .then(|| format!("{:?}", InstructionSet::best()).to_lowercase()),
        step_seconds: step.seconds,
        step_seconds_per_network: step.seconds / members.count() as f64,
        step_gflops: step.gflops,
        step_fraction_of_peak: step.fraction_of_peak,
        step_fraction_of_peak_at_best: step.fraction_of_peak_at_best,
        steps_per_run: members.steps_per_run(),
        single_steps: takes_runs.then(|| rate(6.0, single)),
        inference_seconds: inference.seconds,
        inference_gflops: inference.gflops,
        inference_fraction_of_peak: inference.fraction_of_peak,
        inference_fraction_of_peak_at_best: inference.fraction_of_peak_at_best,
        peak_gflops: clock.peak(),
        terms,
        optimizer,
    })
}

/// Times single steps on the terms of `plan`, which are loaded once.
fn term_steps(
    plan: &BenchPlan,
    problem: &Problem,
    (clock, members): (&mut Clock<'_>, &mut Members),
    best_single: f64,
) -> Result<TermSteps, BenchError> {
    let targets = problem.term_targets();
    let batch = targets.batch(problem, &plan.terms)?;
    members.each(|member| {
        // Another loss has another minimum.
        member.best = BestParameters::default();
        Ok(member.engine.load_terms(&batch)?)
    })?;
    let time = clock.time(plan.duration * 4 / 10, members, |member| member.step())?;
    Ok(TermSteps {
        terms: plan.terms.iter().map(ToString::to_string).collect(),
        step_seconds: time.median,
        relative_to_values: time.best / best_single,
    })
}
