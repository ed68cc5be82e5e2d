//! How fast the engine is, how much work optimizers need, and what a grid of values reaches with as
//! many parameters.

mod grid;
mod work;

pub use grid::{GridError, GridFit, GridLevel, GridPlan, GridReport, Interpolation, fit_grid};
pub use work::{WorkError, WorkPoint, WorkReport, work_chart, work_csv, work_to_psnr};

use std::time::{Duration, Instant};

use serde::Serialize;
use vi3nr::rng::{Random, Stream};
use vi3nr::{Activation, InitRule, Network, Scheme};
use vi3nr_engine::{Adam, Batch, CpuEngine, Engine, EngineError, Ensemble, peak_gflops};
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::recipes;
use vi3nr_inr::session::FitError;
use vi3nr_inr::signal::SignalKind;

/// What the points and targets that are timed are drawn for.
const POINTS: Stream = Stream::new(2);

/// A problem to time: points and a network, as in the peers' script.
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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Img256, Self::Img128, Self::Audio, Self::Sdf];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Img256 => "img256",
            Self::Img128 => "img128",
            Self::Audio => "audio",
            Self::Sdf => "sdf",
        }
    }

    /// Points, inputs, activations, width, outputs.
    fn sizes(self) -> (usize, usize, usize, usize, usize) {
        match self {
            Self::Img256 => (65_536, 2, 8, 128, 3),
            Self::Img128 => (16_384, 2, 7, 128, 3),
            Self::Audio => (65_536, 1, 3, 256, 1),
            Self::Sdf => (30_000, 3, 7, 128, 1),
        }
    }
}

/// What is timed.
#[derive(Debug, Clone)]
pub struct BenchPlan {
    /// The problem.
    pub shape: BenchShape,
    /// Its number of points, if not the shape's own.
    pub points: Option<usize>,
    /// How many such networks are trained side by side, each on its own points.
    pub networks: usize,
    /// The activation.
    pub activation: Activation,
    /// Worker threads, or one per core.
    pub threads: Option<usize>,
}

/// Times (medians) and rates. A step counts 6·weights·points floating-point operations, an
/// inference 2·weights·points.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The problem.
    pub shape: &'static str,
    /// Points of each network.
    pub points: usize,
    /// Networks side by side; times and rates are of all together.
    pub networks: usize,
    /// The activation.
    pub activation: String,
    /// Worker threads.
    pub threads: usize,
    /// Vector instructions in use.
    pub instructions: String,
    /// Seconds of one training step: forward, loss, backward, Adam.
    pub step_seconds: f64,
    /// 10⁹ operations a second during a step.
    pub step_gflops: f64,
    /// Their share of the peak.
    pub step_fraction_of_peak: f64,
    /// Seconds of one evaluation of all points.
    pub inference_seconds: f64,
    /// 10⁹ operations a second during an evaluation.
    pub inference_gflops: f64,
    /// Their share of the peak.
    pub inference_fraction_of_peak: f64,
    /// What the machine reaches with multiply-adds on registers alone: the median of measurements
    /// in the same process, in turn with the steps.
    pub peak_gflops: f64,
    /// The fastest step's rate as a share of the fastest peak: the same on an idle machine, and
    /// nearer to the truth where neighbors take a part of the time.
    pub step_fraction_of_peak_at_best: f64,
    /// The same of the fastest evaluation.
    pub inference_fraction_of_peak_at_best: f64,
}

/// Times what `plan` says for about ten seconds.
///
/// # Errors
/// Returns [`FitError::Init`] if the activation has no finite gain, [`FitError::Engine`] if threads or
/// memory cannot be had.
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
        median_and_least_seconds(Duration::from_secs(6), threads, &mut peaks, || {
            ensemble.train(1, &adam, |_, _| (batch, 1e-5)).map(drop)
        })?;
    let (inference_seconds, best_inference) =
        median_and_least_seconds(Duration::from_secs(3), threads, &mut peaks, || {
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
    })
}

/// The median and the least time of `run` over at least ten runs and `least` time, after three to warm up. In turn
/// with the runs the machine's peak is measured, so that a slow moment slows both.
fn median_and_least_seconds(
    least: Duration,
    threads: usize,
    peaks: &mut Vec<f64>,
    mut run: impl FnMut() -> Result<(), EngineError>,
) -> Result<(f64, f64), EngineError> {
    /// Time between two measurements of the peak.
    const TURN: Duration = Duration::from_millis(200);
    for _ in 0..3 {
        run()?;
    }
    let (mut times, mut total) = (Vec::new(), Duration::ZERO);
    while times.len() < 10 || total < least {
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

/// The median; leaves the values in order.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
