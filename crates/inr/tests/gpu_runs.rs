//! Training with many steps in one call of the engine of a GPU, against single steps of the same engine.
#![cfg(feature = "gpu")]

#[path = "../../engine/tests/common/gpu.rs"]
mod gpu_backend;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gpu_backend::backend;
use vi3nr::Network;
use vi3nr_engine::gpu::GpuBackend;
use vi3nr_engine::{Backend, Capabilities, Engine, EngineError, Workers};
use vi3nr_inr::optimizer::{AdamSettings, OptimizerSettings, Schedule};
use vi3nr_inr::points::{Indices, PointBatch, Points, Sampled};
use vi3nr_inr::train::{Progress, RunContext, TrainOutcome, TrainSettings, TrainState, Trainer};

/// A GPU whose engines are asked for one step at a time.
#[derive(Debug)]
struct OneByOne(GpuBackend);

impl Backend for OneByOne {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.0.capabilities();
        capabilities.runs = false;
        capabilities
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

/// 110 samples of a curve.
struct Curve;

impl Sampled for Curve {
    fn count(&self) -> usize {
        110
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        indices.for_each(|index| {
            let x = index as f32 / 54.5 - 1.0;
            batch.points.push(x);
            batch.targets.push((4.0 * x).sin() * x);
        });
    }
}

fn train(
    backend: &dyn Backend,
    settings: &TrainSettings,
    from: Option<&TrainState>,
) -> (Vec<Progress>, Vec<TrainState>, TrainOutcome, Vec<f32>) {
    let network = Network::uniform(1, 12, 3, 1, "sine:omega=3".parse().unwrap()).unwrap();
    let start: Vec<f32> =
        (0..network.parameter_count()).map(|i| 0.3 * (1.7 * i as f32).sin()).collect();
    let context = RunContext { seed: 1, backend, started: Instant::now() };
    let engine = backend.engine(&network, &start).unwrap();
    let points = Points::Sampled(Arc::new(Curve));
    let mut trainer = Trainer::new(engine, points, settings.clone(), context).unwrap();
    if let Some(state) = from {
        trainer.restore(state).unwrap();
    }
    let (mut all, mut states) = (Vec::new(), Vec::new());
    while let Some(progress) = trainer.step().unwrap() {
        all.push(Progress { elapsed: Duration::ZERO, ..progress });
        if trainer.is_settled() {
            states.push(TrainState { elapsed: Duration::ZERO, ..trainer.state().unwrap() });
        }
    }
    let (engine, outcome) = trainer.finish();
    (all, states, outcome, engine.parameters().unwrap())
}

/// Full batches and mini-batches, with and without a target, from the start and from a checkpoint: the
/// same bytes.
#[test]
fn runs_are_single_steps() {
    let Some(backend) = backend() else { return };
    let one_by_one = OneByOne(backend.clone());
    let adam = AdamSettings { learning_rate: 1e-2, schedule: Schedule::Cosine };
    let settings = |batch, target_psnr| TrainSettings {
        steps: 60,
        batch,
        optimizer: OptimizerSettings::Adam(adam),
        target_psnr,
        time_limit: None,
    };
    for settings in [
        settings(None, None),
        settings(Some(20), None),
        settings(Some(7), None),
        settings(None, Some(25.0)),
        settings(Some(20), Some(22.0)),
    ] {
        let (all, states, outcome, parameters) = train(&one_by_one, &settings, None);
        let (seen, seen_states, seen_outcome, seen_parameters) = train(&backend, &settings, None);
        assert_eq!(seen, all, "{settings:?}");
        assert_eq!((seen_outcome.stop, &seen_outcome.best), (outcome.stop, &outcome.best));
        assert_eq!(seen_parameters, parameters);
        for state in &seen_states {
            let expected = states.iter().find(|other| other.step == state.step).unwrap();
            assert_eq!(state, expected);
        }
        let middle = &states[states.len() / 2];
        let (rest, _, rest_outcome, parameters) = train(&backend, &settings, Some(middle));
        assert_eq!(rest[..], all[middle.step as usize..]);
        assert_eq!((rest_outcome.best, parameters), (outcome.best, seen_parameters));
    }
}
