//! The results of a benchmark.

use serde::Serialize;
use vi3nr_inr::backend::{BackendName, Device};
use vi3nr_inr::optimizer::OptimizerName;

/// The results of a benchmark: median times and rates. A step counts as 6·weights·points
/// floating-point operations, and an evaluation as 2·weights·points.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    /// The name of the problem.
    pub shape: &'static str,
    /// The sizes of the network: inputs, units of each hidden layer and outputs.
    pub dims: Vec<usize>,
    /// The number of points of each network.
    pub points: usize,
    /// The number of networks; times and rates are those of all networks together.
    pub networks: usize,
    /// The activation.
    pub activation: String,
    /// The backend.
    pub backend: BackendName,
    /// The GPU with its driver, or `None` on the CPU.
    pub device: Option<Device>,
    /// The number of worker threads.
    pub threads: usize,
    /// The vector instructions in use, on the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The duration of one training step (forward, loss, backward, Adam), in seconds. If the engine
    /// takes several steps in one call, it is the time of a call divided by its steps.
    pub step_seconds: f64,
    /// The duration of a step divided by the number of networks, in seconds.
    pub step_seconds_per_network: f64,
    /// The rate of a step in GFLOP/s.
    pub step_gflops: f64,
    /// The rate of a step as a share of the peak.
    pub step_fraction_of_peak: f64,
    /// The number of steps that the engine took in its last call, 1 if it takes single steps.
    pub steps_per_run: usize,
    /// Steps of one call each, whose loss is read back, if [`BenchReport::step_seconds`] is that of
    /// several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_steps: Option<Rate>,
    /// The duration of one evaluation of all points, in seconds, including copies to and from the
    /// device.
    pub inference_seconds: f64,
    /// The rate of an evaluation in GFLOP/s.
    pub inference_gflops: f64,
    /// The rate of an evaluation as a share of the peak.
    pub inference_fraction_of_peak: f64,
    /// The peak rate of the machine or device with multiply-adds on registers only, in GFLOP/s: the
    /// median of measurements that alternate with the steps in the same process.
    pub peak_gflops: f64,
    /// The rate of the fastest step as a share of the fastest peak. It equals the share of the
    /// medians on an idle machine, and is more accurate if other processes take part of the time.
    pub step_fraction_of_peak_at_best: f64,
    /// The same for the fastest evaluation.
    pub inference_fraction_of_peak_at_best: f64,
    /// Single steps on a loss of terms, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermSteps>,
    /// The steps of an optimizer beside Adam, if one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerSteps>,
}

/// The time of a training step of an optimizer.
#[derive(Debug, Clone, Serialize)]
pub struct OptimizerSteps {
    /// The optimizer.
    pub optimizer: OptimizerName,
    /// The duration of a step with its gradient, in seconds: the mean of runs of 60 steps from the initial
    /// parameters, and the median of these.
    pub step_seconds: f64,
    /// The duration of a step relative to that of a single step of Adam: the quotient of the fastest
    /// ones, which other processes affect less than the medians.
    pub relative_to_adam: f64,
    /// The floating-point operations of a step with its gradient, relative to those of the gradient.
    /// Operations in double precision count twice.
    pub relative_operations: f64,
    /// The rate of all these operations as a share of the median peak.
    pub fraction_of_peak: f64,
    /// The same for the fastest run and the fastest peak.
    pub fraction_of_peak_at_best: f64,
}

/// How fast something is that is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// The median duration, in seconds.
    pub seconds: f64,
    /// The rate in GFLOP/s.
    pub gflops: f64,
    /// The rate as a share of the median peak.
    pub fraction_of_peak: f64,
    /// The rate of the fastest repetition as a share of the fastest peak.
    pub fraction_of_peak_at_best: f64,
}

/// The time of a training step on a loss of terms.
#[derive(Debug, Clone, Serialize)]
pub struct TermSteps {
    /// The terms.
    pub terms: Vec<String>,
    /// The duration of one training step, in seconds.
    pub step_seconds: f64,
    /// The duration of a step relative to that of a single step on values: the quotient of the
    /// fastest steps, which other processes affect less than the medians.
    pub relative_to_values: f64,
}
