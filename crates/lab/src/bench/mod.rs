//! Benchmarks: the speed of the engine, the work that optimizers need, and the quality of a grid of
//! values with the same number of parameters.

mod grid;
mod work;

pub use grid::{GridError, GridFit, GridLevel, GridPlan, GridReport, Interpolation, fit_grid};
pub use work::{TargetWork, WorkError, WorkPoint, WorkReport, work_chart, work_csv, work_to_psnr};

use std::time::{Duration, Instant};

use serde::Serialize;
use vi3nr::rng::{Random, Stream};
use vi3nr::{Activation, InitRule, Network, Scheme};
use vi3nr_engine::{
    Adam, Batch, Constraint, CpuEngine, Engine, EngineError, Ensemble, TermBatch, Update,
    WeightedTerm, peak_gflops,
};
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::recipes;
use vi3nr_inr::session::FitError;
use vi3nr_inr::signal::SignalKind;

/// The random stream of the points and targets.
const POINTS: Stream = Stream::new(2);

/// A problem to time: a number of points and a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchShape {
    /// 65,536 points, 2 to 3, 8 activations of width 128.
    Img256,
    /// 16,384 points, 2 to 3, 7 activations of width 128: the paper's image network.
    Img128,
    /// 65,536 points, 1 to 1, 3 activations of width 256.
    Audio,
    /// 30,000 points, 3 to 1, 7 activations of width 128.
    Sdf,
}

impl BenchShape {
    /// All problems.
    pub const ALL: [Self; 4] = [Self::Img256, Self::Img128, Self::Audio, Self::Sdf];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Img256 => "img256",
            Self::Img128 => "img128",
            Self::Audio => "audio",
            Self::Sdf => "sdf",
        }
    }

    /// The numbers of points, inputs, activations, units per layer and outputs.
    fn sizes(self) -> (usize, usize, usize, usize, usize) {
        match self {
            Self::Img256 => (65_536, 2, 8, 128, 3),
            Self::Img128 => (16_384, 2, 7, 128, 3),
            Self::Audio => (65_536, 1, 3, 256, 1),
            Self::Sdf => (30_000, 3, 7, 128, 1),
        }
    }
}

/// The settings of a benchmark.
#[derive(Debug, Clone)]
pub struct BenchPlan {
    /// The problem.
    pub shape: BenchShape,
    /// The number of points, if not that of the problem.
    pub points: Option<usize>,
    /// The number of networks that are trained at the same time, each on points of its own.
    pub networks: usize,
    /// The activation.
    pub activation: Activation,
    /// The number of worker threads; one per core if `None`.
    pub threads: Option<usize>,
    /// Terms of a loss on derivatives, whose step is timed too; none if empty. Targets are 0, and
    /// normals are random.
    pub terms: Vec<WeightedTerm>,
}

/// The results of a benchmark: median times and rates. A step counts as 6·weights·points
/// floating-point operations, and an evaluation as 2·weights·points.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The name of the problem.
    pub shape: &'static str,
    /// The number of points of each network.
    pub points: usize,
    /// The number of networks; times and rates are those of all networks together.
    pub networks: usize,
    /// The activation.
    pub activation: String,
    /// The number of worker threads.
    pub threads: usize,
    /// The vector instructions in use.
    pub instructions: String,
    /// The duration of one training step (forward, loss, backward, Adam), in seconds.
    pub step_seconds: f64,
    /// The rate of a step in GFLOP/s.
    pub step_gflops: f64,
    /// The rate of a step as a share of the peak.
    pub step_fraction_of_peak: f64,
    /// The duration of one evaluation of all points, in seconds.
    pub inference_seconds: f64,
    /// The rate of an evaluation in GFLOP/s.
    pub inference_gflops: f64,
    /// The rate of an evaluation as a share of the peak.
    pub inference_fraction_of_peak: f64,
    /// The peak rate of the machine with multiply-adds on registers only, in GFLOP/s: the median of
    /// measurements that alternate with the steps in the same process.
    pub peak_gflops: f64,
    /// The rate of the fastest step as a share of the fastest peak. It equals the share of the
    /// medians on an idle machine, and is more accurate if other processes take part of the time.
    pub step_fraction_of_peak_at_best: f64,
    /// The same for the fastest evaluation.
    pub inference_fraction_of_peak_at_best: f64,
    /// The same step on a loss of terms, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermSteps>,
}

/// The time of a training step on a loss of terms.
#[derive(Debug, Clone, Serialize)]
pub struct TermSteps {
    /// The terms.
    pub terms: Vec<String>,
    /// The duration of one training step, in seconds.
    pub step_seconds: f64,
    /// The duration of a step relative to that of a step on values: the quotient of the fastest
    /// steps, which other processes affect less than the medians.
    pub relative_to_values: f64,
}

/// Runs a benchmark for about ten seconds.
///
/// # Errors
/// Returns [`FitError::Init`] if the activation has no finite gain, and [`FitError::Engine`] if
/// threads or memory are unavailable.
pub fn bench(plan: &BenchPlan) -> Result<BenchReport, FitError> {
    let BenchPlan { shape, activation, threads, networks, .. } = plan;
    let (points, inputs, activations, width, outputs) = shape.sizes();
    let count = plan.points.unwrap_or(points);
    let network = Network::uniform(inputs, width, activations + 1, outputs, activation.clone())?;
    let sigma_p = recipes(SignalKind::Image).of(Preset::Fast).sigma_p(activation)?.value;
    let init = InitRule::new(Scheme::VarianceInformed { sigma_p, last_sigma_p: None });
    let parameters = vi3nr::draw(&network, &init.plan(&network)?, 0);
    let random = Random::new(0, POINTS, 0);
    let uniform = |index: usize| (2.0 * random.uniform(index as u64) - 1.0) as f32;
    let points: Vec<f32> = (0..count * inputs).map(uniform).collect();
    let targets: Vec<f32> = (0..count * outputs).map(|i| uniform(count * inputs + i)).collect();
    let batch = Batch::new(&network, &points, &targets)?;
    let members = vec![(&network, &parameters[..]); (*networks).max(1)];
    let mut ensemble = Ensemble::new(&members, *threads)?;
    let threads = ensemble.threads();

    let mut peaks = Vec::new();
    let adam = Adam::default();
    let (step_seconds, best_step) =
        median_and_min_seconds(Duration::from_secs(6), threads, &mut peaks, || {
            ensemble.train(1, &adam, |_, _| (batch, 1e-5)).map(drop)
        })?;
    let terms = (!plan.terms.is_empty())
        .then(|| term_steps(plan, &network, &points, &mut ensemble, best_step))
        .transpose()?;
    let (inference_seconds, best_inference) =
        median_and_min_seconds(Duration::from_secs(3), threads, &mut peaks, || {
            let evaluate = |_, engine: &mut CpuEngine| {
                let mut values = vec![0.0; targets.len()];
                engine.evaluate(&points, &mut values)
            };
            ensemble.each(evaluate).into_iter().collect()
        })?;
    let set = ensemble.members().first().map(CpuEngine::instruction_set);
    let peak = median(&mut peaks);
    let best_peak = peaks.last().copied().unwrap_or(peak);

    let operations = (network.weight_count() * count * members.len()) as f64;
    let step_gflops = 6.0 * operations / step_seconds / 1e9;
    let inference_gflops = 2.0 * operations / inference_seconds / 1e9;
    Ok(BenchReport {
        shape: shape.name(),
        points: count,
        networks: members.len(),
        activation: activation.to_string(),
        threads,
        instructions: set.map(|set| format!("{set:?}").to_lowercase()).unwrap_or_default(),
        step_seconds,
        step_gflops,
        step_fraction_of_peak: step_gflops / peak,
        inference_seconds,
        inference_gflops,
        inference_fraction_of_peak: inference_gflops / peak,
        peak_gflops: peak,
        step_fraction_of_peak_at_best: 6.0 * operations / best_step / 1e9 / best_peak,
        inference_fraction_of_peak_at_best: 2.0 * operations / best_inference / 1e9 / best_peak,
        terms,
    })
}

/// Times steps on the terms of `plan` at `points`.
fn term_steps(
    plan: &BenchPlan,
    network: &Network,
    points: &[f32],
    ensemble: &mut Ensemble,
    best_step: f64,
) -> Result<TermSteps, FitError> {
    let random = Random::new(1, POINTS, 0);
    let uniform = |index: usize| (2.0 * random.uniform(index as u64) - 1.0) as f32;
    let count = points.len() / network.inputs();
    let directions: Vec<f32> = (0..count * network.inputs()).map(uniform).collect();
    let normals: Vec<f32> = (0..directions.len() * network.outputs()).map(uniform).collect();
    let slopes = vec![0.0; count * network.outputs()];
    let constraint = Constraint::new(network, points, &plan.terms)?
        .with_gradients(&normals)?
        .with_directional(&directions, &slopes)?;
    let batch = TermBatch::new([constraint])?;
    let threads = ensemble.threads();
    let update = Update::adam(Adam::default(), 1e-5);
    let (step_seconds, best) =
        median_and_min_seconds(Duration::from_secs(4), threads, &mut Vec::new(), || {
            let step = |_, engine: &mut CpuEngine| {
                engine.load_terms(&batch)?;
                engine.loss_and_gradient()?;
                engine.apply(&update)
            };
            ensemble.each(step).into_iter().collect()
        })?;
    Ok(TermSteps {
        terms: plan.terms.iter().map(ToString::to_string).collect(),
        step_seconds,
        relative_to_values: best / best_step,
    })
}

/// The median and the minimum duration of `run` over at least ten runs and at least `min_duration`,
/// after three warm-up runs. The runs alternate with measurements of the machine's peak, so that a
/// slow moment affects both.
fn median_and_min_seconds(
    min_duration: Duration,
    threads: usize,
    peaks: &mut Vec<f64>,
    mut run: impl FnMut() -> Result<(), EngineError>,
) -> Result<(f64, f64), EngineError> {
    /// The time between two measurements of the peak.
    const TURN: Duration = Duration::from_millis(200);
    for _ in 0..3 {
        run()?;
    }
    let (mut times, mut total) = (Vec::new(), Duration::ZERO);
    while times.len() < 10 || total < min_duration {
        peaks.push(peak_gflops(threads));
        let turn = Instant::now();
        while turn.elapsed() < TURN {
            let began = Instant::now();
            run()?;
            times.push(began.elapsed().as_secs_f64());
        }
        total += turn.elapsed();
    }
    Ok((median(&mut times), times[0]))
}

/// The median. Sorts the values.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
