//! What is timed: a network, points and targets.

use std::num::NonZeroUsize;
use std::time::Duration;

use vi3nr::rng::{Random, Stream};
use vi3nr::{Activation, InitRule, Network, Scheme};
use vi3nr_engine::{Capabilities, Constraint, EngineError, TermBatch, WeightedTerm};
use vi3nr_inr::backend::Workload;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::preset::Preset;
use vi3nr_inr::recipe::{Recipe, recipes};
use vi3nr_inr::signal::SignalKind;

use super::BenchError;

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
    /// The number of units of each hidden layer, if not that of the problem.
    pub width: Option<usize>,
    /// The number of weight matrices, if not that of the problem.
    pub layers: Option<usize>,
    /// The number of networks that are trained at the same time, each on points of its own.
    pub networks: usize,
    /// The activation.
    pub activation: Activation,
    /// Terms of a loss on derivatives, whose step is timed too; none if empty. Targets are 0, and
    /// normals are random.
    pub terms: Vec<WeightedTerm>,
    /// An optimizer whose steps are timed too, beside those of Adam.
    pub optimizer: Option<OptimizerName>,
    /// About how long to measure, without the measurements of the peak in between.
    pub duration: Duration,
}

impl BenchPlan {
    fn network(&self) -> Result<Network, vi3nr::Error> {
        let (_, inputs, activations, width, outputs) = self.shape.sizes();
        let (width, layers) = (self.width.unwrap_or(width), self.layers.unwrap_or(activations + 1));
        Network::uniform(inputs, width, layers, outputs, self.activation.clone())
    }

    fn count(&self) -> usize {
        self.points.unwrap_or(self.shape.sizes().0)
    }

    /// The steps, as what a choice between backends is measured with.
    ///
    /// # Errors
    /// Returns [`BenchError::Init`] if the network cannot be built.
    pub fn workload(&self) -> Result<Workload, BenchError> {
        let networks = NonZeroUsize::new(self.networks).unwrap_or(NonZeroUsize::MIN);
        let mut needs = Capabilities::default();
        needs.terms = !self.terms.is_empty();
        Ok(Workload::of_steps(self.network()?, self.count(), networks, needs))
    }
}

/// The numbers of a benchmark.
pub(super) struct Problem {
    pub(super) network: Network,
    /// The settings of fits of images.
    pub(super) recipe: Recipe,
    /// The initial parameters.
    pub(super) parameters: Vec<f32>,
    /// The number of points of each network.
    pub(super) count: usize,
    /// Shape (count, inputs).
    pub(super) points: Vec<f32>,
    /// Shape (count, outputs).
    pub(super) targets: Vec<f32>,
}

impl Problem {
    pub(super) fn new(plan: &BenchPlan) -> Result<Self, BenchError> {
        let (network, count) = (plan.network()?, plan.count());
        let recipe = recipes(SignalKind::Image).of(Preset::Fast);
        let sigma_p = recipe.sigma_p(&plan.activation)?.value;
        let init = InitRule::new(Scheme::ours(sigma_p));
        let parameters = vi3nr::draw(&network, &init.plan(&network)?, 0);
        let mut uniform = uniform(0);
        let points = uniform(count * network.inputs());
        let targets = uniform(count * network.outputs());
        Ok(Self { network, recipe, parameters, count, points, targets })
    }

    /// Targets of the derivatives.
    pub(super) fn term_targets(&self) -> TermTargets {
        let (inputs, outputs) = (self.network.inputs(), self.network.outputs());
        let mut uniform = uniform(1);
        TermTargets {
            directions: uniform(self.count * inputs),
            normals: uniform(self.count * inputs * outputs),
            slopes: vec![0.0; self.count * outputs],
        }
    }
}

/// Targets of the terms on derivatives.
pub(super) struct TermTargets {
    directions: Vec<f32>,
    normals: Vec<f32>,
    slopes: Vec<f32>,
}

impl TermTargets {
    /// `terms` at all points of `problem`.
    pub(super) fn batch<'a>(
        &'a self,
        problem: &'a Problem,
        terms: &'a [WeightedTerm],
    ) -> Result<TermBatch<'a>, EngineError> {
        let constraint = Constraint::new(&problem.network, &problem.points, terms)?
            .with_gradients(&self.normals)?
            .with_directional(&self.directions, &self.slopes)?;
        TermBatch::new([constraint])
    }
}

/// Returns arrays of numbers between -1 and 1, each with the next numbers of a random sequence.
fn uniform(seed: u64) -> impl FnMut(usize) -> Vec<f32> {
    let random = Random::new(seed, POINTS, 0);
    let mut next = 0..;
    move |count| {
        next.by_ref().take(count).map(|index| (2.0 * random.uniform(index) - 1.0) as f32).collect()
    }
}
