//! Training with several steps in one call of the engine.

use std::sync::Arc;

use vi3nr::Network;
use vi3nr_engine::{Backend, Capabilities, CpuBackend, Engine, Workers};

use super::tests::{adam, backend, problem, sampled, settings};
use super::*;
use crate::optimizer::Schedule;
use crate::train::{RunContext, Trainer};

/// A CPU backend that states other capabilities.
#[derive(Debug)]
pub(super) struct With(pub(super) CpuBackend, pub(super) Capabilities);

impl Backend for With {
    fn name(&self) -> &'static str {
        "other"
    }

    fn capabilities(&self) -> Capabilities {
        self.1
    }

    fn engine(
        &self,
        network: &Network,
        parameters: &[f32],
    ) -> Result<Box<dyn Engine>, EngineError> {
        self.0.engine(network, parameters)
    }

    fn workers(&self) -> &Arc<Workers> {
        self.0.workers()
    }

    fn side_by_side(&self, count: usize) -> Result<Vec<Box<dyn Backend>>, EngineError> {
        self.0.side_by_side(count)
    }
}

/// The steps of a trainer until it ends, the states at which it is settled, and the outcome.
fn steps(
    backend: &dyn Backend,
    settings: &TrainSettings,
    from: Option<&TrainState>,
) -> (Vec<Progress>, Vec<TrainState>, TrainOutcome) {
    let (network, start) = problem();
    let context = RunContext { seed: 1, backend, started: std::time::Instant::now() };
    let engine = backend.engine(&network, &start).unwrap();
    let mut trainer = Trainer::new(engine, sampled(), settings.clone(), context).unwrap();
    if let Some(state) = from {
        trainer.restore(state).unwrap();
    }
    let (mut all, mut states) = (Vec::new(), Vec::new());
    while let Some(progress) = trainer.step().unwrap() {
        all.push(progress);
        if trainer.is_settled() {
            states.push(trainer.state().unwrap());
        }
    }
    (all, states, trainer.finish().1)
}

/// What does not depend on time.
fn timeless(progress: &Progress) -> Progress {
    Progress { elapsed: Duration::ZERO, ..*progress }
}

/// Runs give the same steps, the same best parameters and the same end as single steps.
#[test]
fn runs_are_the_same_steps() {
    let single = backend();
    let mut capabilities = single.capabilities();
    capabilities.runs = true;
    let runs = With(backend(), capabilities);
    let reached = steps(&single, &settings(60), None).2.best.unwrap().loss;
    let target = crate::metrics::psnr_of_mse(1.5 * reached);
    let diverging = adam(1e30, Schedule::Constant);
    for settings in [
        settings(60),
        TrainSettings { target_psnr: Some(target), ..settings(60) },
        TrainSettings { optimizer: diverging, ..settings(60) },
        settings(1),
    ] {
        let (all, states, outcome) = steps(&single, &settings, None);
        let (seen, seen_states, seen_outcome) = steps(&runs, &settings, None);
        let times: Vec<_> = all.iter().map(timeless).collect();
        assert_eq!(seen.iter().map(timeless).collect::<Vec<_>>(), times);
        assert!(seen.windows(2).all(|pair| pair[0].elapsed <= pair[1].elapsed));
        assert_eq!((seen_outcome.stop, &seen_outcome.best), (outcome.stop, &outcome.best));
        assert_eq!(seen_outcome.points_seen, outcome.points_seen);
        // The engine takes all steps in one call and is settled at the end.
        assert!(seen_states.len() < states.len().max(2));
        // From the state in the middle of single steps, as a checkpoint of another backend.
        let middle = &states[states.len() / 2];
        let (rest, _, rest_outcome) = steps(&runs, &settings, Some(middle));
        assert_eq!(rest.len(), all.len() - middle.step as usize);
        assert_eq!(rest_outcome.best, outcome.best);
    }
}

/// An interrupt returns the steps that the engine has taken.
#[test]
fn an_interrupt_returns_what_the_engine_has_done() {
    let mut capabilities = backend().capabilities();
    capabilities.runs = true;
    let backend = With(backend(), capabilities);
    let (network, start) = problem();
    let context = RunContext { seed: 1, backend: &backend, started: std::time::Instant::now() };
    let engine = backend.engine(&network, &start).unwrap();
    let mut trainer = Trainer::new(engine, sampled(), settings(1500), context).unwrap();
    let mut count = 0;
    while let Some(progress) = trainer.step().unwrap() {
        count += 1;
        assert_eq!(progress.step, count);
        trainer.interrupt();
    }
    // The engine takes at most 1024 steps in one call.
    assert_eq!((count, trainer.state().unwrap().step), (1024, 1024));
    assert_eq!(trainer.finish().1.stop, Stop::Interrupted);
}
