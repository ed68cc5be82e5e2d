//! The measurement by which `auto` decides between the CPU and a GPU.

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use vi3nr::Network;
use vi3nr::rng::{Random, Stream};
use vi3nr_engine::{
    Adam, AdamRun, Backend, Batch, BestParameters, Capabilities, Engine, EngineError, Update,
};

use super::BackendName;
use crate::model_file::{Body, Model};
use crate::optimizer::OptimizerName;
use crate::plan::FitPlan;
use crate::signal::PointCount;
use crate::supervision::Supervision;

/// Parameters, points and targets of a measurement, in the substreams 0 to 2.
const NUMBERS: Stream = Stream::new(16);

/// How long each backend is timed, after the first repetition. A repetition is completed.
const BUDGET: Duration = Duration::from_millis(500);
/// The largest number of repetitions.
const MAX_REPETITIONS: usize = 200;
/// The number of points at which a model is evaluated.
const EVALUATED: usize = 1 << 16;
/// The same for a model in pieces, whose networks are evaluated at the points of their pieces.
const EVALUATED_OF_PIECE: usize = 1 << 12;

/// What is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// A training step: the loss, its gradient and a step of Adam.
    Step {
        /// Whether each step loads its points, as with mini-batches.
        loads: bool,
    },
    /// An evaluation at all points.
    Evaluation,
}

/// The work of a fit or of decoding a model, for a measurement.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Workload {
    /// The network.
    pub network: Network,
    /// The number of points of each repetition.
    pub points: usize,
    /// The largest number of networks that are trained or evaluated at the same time, one on each
    /// thread.
    pub networks: NonZeroUsize,
    /// What is repeated.
    pub work: Work,
    /// What the backend must offer.
    pub needs: Capabilities,
}

impl Workload {
    /// The steps of a fit of `plan`.
    pub fn of_plan(plan: &FitPlan) -> Self {
        let pieces = plan.pieces.as_ref().map(|pieces| &pieces.grid);
        let all = match pieces {
            Some(grid) => grid.max_points(&plan.signal.axes()),
            None => plan.signal.points().default_count(),
        };
        let is_drawn = matches!(plan.signal.points(), PointCount::Drawn(_));
        let mut needs = Capabilities::default();
        needs.curvature = plan.training.optimizer.name() == OptimizerName::Kfac;
        needs.terms = !plan.supervision.is_values();
        needs.derivatives = matches!(plan.supervision, Supervision::Derivatives(_));
        Self {
            network: plan.network.clone(),
            points: plan.training.batch.unwrap_or(all),
            networks: at_least_one(pieces.map_or(1, |grid| grid.piece_count())),
            work: Work::Step { loads: is_drawn || plan.training.batch.is_some() },
            needs,
        }
    }

    /// Evaluations of `model`.
    pub fn of_model(model: &Model) -> Self {
        let (points, networks) = match &model.body {
            Body::Network { .. } => (EVALUATED, 1),
            Body::Pieces(set) => (EVALUATED_OF_PIECE, set.grid().piece_count()),
        };
        Self {
            network: model.network().clone(),
            points,
            networks: at_least_one(networks),
            work: Work::Evaluation,
            needs: Capabilities::default(),
        }
    }

    /// Steps of `networks` networks like `network` at `points` points each, which are loaded once.
    pub fn of_steps(
        network: Network,
        points: usize,
        networks: NonZeroUsize,
        needs: Capabilities,
    ) -> Self {
        Self { network, points, networks, work: Work::Step { loads: false }, needs }
    }

    /// What is needed and not offered, as a noun phrase.
    pub fn missing(&self, offered: Capabilities) -> Option<&'static str> {
        let parts = [
            (self.needs.curvature, offered.curvature, "curvature, which kfac needs"),
            (self.needs.terms, offered.terms, "losses on derivatives"),
            (self.needs.derivatives, offered.derivatives, "derivatives"),
        ];
        parts.into_iter().find(|(needed, is_there, _)| *needed && !is_there).map(|part| part.2)
    }

    /// What is timed, as a noun phrase.
    pub fn unit(&self) -> String {
        match self.work {
            Work::Step { .. } => "a step".into(),
            Work::Evaluation => format!("an evaluation at {} points", self.points),
        }
    }
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}

/// The time of a repetition on both backends, in seconds. If several networks are trained at the same
/// time, it is the time of one of them divided by their number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// On the CPU.
    pub cpu: f64,
    /// On the GPU.
    pub gpu: f64,
}

impl Times {
    /// The faster backend; the CPU if both take the same time.
    pub fn faster(self) -> BackendName {
        if self.gpu < self.cpu { BackendName::Gpu } else { BackendName::Cpu }
    }
}

/// The time in seconds of a repetition of `workload` on `backend`, with random numbers as parameters,
/// points and targets. It takes about half a second, and longer if the backend compiles kernels or if
/// a repetition takes that long. Steps are timed with the squared error of values and with Adam,
/// whatever the loss and the optimizer of a fit are.
///
/// # Errors
/// Returns the [`EngineError`] of the backend or its engines.
pub fn measure(workload: &Workload, backend: &dyn Backend) -> Result<f64, EngineError> {
    let networks = workload.networks.get().min(backend.networks_side_by_side());
    if networks == 1 {
        return Ok(1.0 / rate(workload, backend)?);
    }
    let backends = backend.side_by_side(networks)?;
    let rates: Result<Vec<f64>, EngineError> = thread::scope(|scope| {
        let begin = |backend| {
            let run = move || rate(workload, backend);
            thread::Builder::new().spawn_scoped(scope, run).map_err(|error| EngineError::Threads {
                threads: networks,
                reason: error.to_string(),
            })
        };
        let running: Result<Vec<_>, _> = backends.iter().map(|own| begin(&**own)).collect();
        let ended = |thread: thread::ScopedJoinHandle<'_, _>| match thread.join() {
            Ok(rate) => rate,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        running?.into_iter().map(ended).collect()
    });
    Ok(1.0 / rates?.iter().sum::<f64>())
}

/// The number of repetitions per second.
fn rate(workload: &Workload, backend: &dyn Backend) -> Result<f64, EngineError> {
    let network = &workload.network;
    let random = |substream: u32, count: usize, scale: f32| -> Vec<f32> {
        let random = Random::new(0, NUMBERS, substream);
        (0..count as u64).map(|index| scale * (2.0 * random.uniform(index) as f32 - 1.0)).collect()
    };
    let parameters = random(0, network.parameter_count(), 0.1);
    let points = random(1, workload.points * network.inputs(), 1.0);
    let targets = random(2, workload.points * network.outputs(), 1.0);
    let batch = Batch::new(network, &points, &targets)?;
    let mut engine = backend.engine(network, &parameters)?;
    let mut values = Vec::new();
    let mut is_first = true;
    let takes_runs = backend.capabilities().runs;
    let mut best = BestParameters::default();
    // Returns the number of repetitions.
    let mut repeat = |engine: &mut dyn Engine| -> Result<usize, EngineError> {
        match workload.work {
            Work::Evaluation => {
                values.resize(targets.len(), 0.0);
                engine.evaluate(&points, &mut values).map(|()| 1)
            }
            Work::Step { loads: false } if takes_runs => {
                if is_first {
                    engine.load_batch(&batch)?;
                }
                is_first = false;
                let run = AdamRun {
                    constants: Adam::default(),
                    learning_rates: &[1e-4; 256],
                    target_loss: None,
                };
                engine.run(&run, &mut best).map(|outcome| outcome.losses.len())
            }
            Work::Step { loads } => {
                if !is_first {
                    engine.apply(&Update::adam(Adam::default(), 1e-4))?;
                }
                if loads || is_first {
                    engine.load_batch(&batch)?;
                }
                is_first = false;
                // The loss comes back last, so that all of the step has ended.
                engine.loss_and_gradient().map(|_| 1)
            }
        }
    };
    // The first step compiles kernels, and the second is the first with an update. Runs become longer
    // from one to the next.
    for _ in 0..if takes_runs { 5 } else { 2 } {
        repeat(&mut *engine)?;
    }
    let began = Instant::now();
    let mut count = 0;
    while count == 0 || (count < MAX_REPETITIONS && began.elapsed() < BUDGET) {
        count += repeat(&mut *engine)?;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64().max(1e-9))
}

#[cfg(test)]
mod tests {
    use vi3nr_engine::{CpuBackend, ReferenceBackend};

    use super::*;

    fn workload(networks: usize, work: Work) -> Workload {
        let network = Network::uniform(2, 8, 3, 1, "sine:omega=30".parse().unwrap()).unwrap();
        let needs = Capabilities::default();
        Workload { network, points: 20, networks: at_least_one(networks), work, needs }
    }

    #[test]
    fn the_faster_backend_is_taken_and_the_cpu_if_they_are_equal() {
        for (cpu, gpu, expected) in [
            (0.014, 0.0009, BackendName::Gpu),
            (0.0009, 0.014, BackendName::Cpu),
            (0.001, 0.001, BackendName::Cpu),
            (0.001, f64::NAN, BackendName::Cpu),
        ] {
            assert_eq!(Times { cpu, gpu }.faster(), expected, "{cpu} {gpu}");
        }
    }

    #[test]
    fn every_backend_is_measured() {
        let backends: [Box<dyn Backend>; 2] = [
            Box::new(CpuBackend::new(Some(2)).unwrap()),
            Box::new(ReferenceBackend::new(Some(2)).unwrap()),
        ];
        for backend in &backends {
            for work in [Work::Step { loads: false }, Work::Step { loads: true }, Work::Evaluation]
            {
                for networks in [1, 5] {
                    let seconds = measure(&workload(networks, work), &**backend).unwrap();
                    assert!(seconds > 0.0 && seconds.is_finite(), "{work:?}: {seconds}");
                }
            }
        }
    }

    #[test]
    fn what_a_backend_lacks_is_named() {
        let mut workload = workload(1, Work::Evaluation);
        assert_eq!(workload.missing(Capabilities::default()), None);
        workload.needs.curvature = true;
        let missing = workload.missing(Capabilities::default()).unwrap();
        assert!(missing.contains("kfac"), "{missing}");
        assert_eq!(workload.missing(CpuBackend::new(Some(1)).unwrap().capabilities()), None);
    }
}
