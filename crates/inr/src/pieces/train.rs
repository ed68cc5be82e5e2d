//! The fit of one piece, with repeated attempts if training stalls.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use vi3nr::Network;
use vi3nr_engine::Backend;

use super::core_loss::{CoreEvaluator, CoreLoss};
use super::grid::Piece;
use super::points::PiecePoints;
use crate::metrics::psnr_of_mse;
use crate::plan::FitPlan;
use crate::points::Points;
use crate::session::{FitError, non_finite_start};
use crate::signal::Signal;
use crate::train::{RunContext, Stop, TrainSettings, Trainer};

/// The first step at which training may count as stalled.
const STALL_CHECK_FROM: usize = 60;
/// The number of steps over which the current rate of improvement is measured.
const STALL_WINDOW: usize = 30;

/// The margin in dB by which the core of a piece must exceed the target quality, since blending
/// adds the error of the neighboring pieces at the borders.
const MARGIN: f64 = 0.03;
/// The maximum margin in dB by which the training loss may go beyond the target to compensate for
/// the core and for rounding; parameters that need more are stored with 32 bits.
const MAX_RAISE: f64 = 1.0;

/// The report of a piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PieceReport {
    /// The number of the piece.
    pub index: usize,
    /// The mean squared error over the core of the piece.
    pub loss: f64,
    /// The same after the parameters are rounded to 16 bits, if the plan considers this.
    pub rounded_loss: Option<f64>,
    /// The reason why training ended.
    pub stopped: Stop,
    /// The number of steps of all attempts.
    pub steps: u64,
    /// The number of floating-point operations of all attempts, as in
    /// [`Progress::operations`](crate::train::Progress::operations).
    pub operations: f64,
    /// The number of points in forward and backward passes of all attempts.
    pub points_seen: u64,
    /// The number of networks that were trained: 1 unless training stalled.
    pub attempts: usize,
    /// The number of units of the hidden layers of the network that is kept.
    pub width: usize,
    /// The processor time of all attempts, in seconds.
    pub seconds: f64,
}

/// A fitted piece.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FittedPiece {
    /// The report.
    pub report: PieceReport,
    /// The network.
    pub network: Network,
    /// The weights and biases, in the order of [`Network::layers`].
    pub parameters: Vec<f32>,
}

impl PieceReport {
    /// Whether a resumed run can skip this piece.
    pub fn is_finished(&self) -> bool {
        !matches!(self.stopped, Stop::Interrupted | Stop::Time)
    }
}

/// The common settings of the fits of all pieces of a signal.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) plan: &'a FitPlan,
    pub(super) signal: &'a dyn Signal,
    /// The number of samples of the signal along each axis.
    pub(super) axes: &'a [usize],
}

impl Job<'_> {
    pub(super) fn piece(&self, index: usize) -> Option<Piece> {
        Some(self.plan.pieces.as_ref()?.grid.piece(self.axes, index))
    }

    /// The loss at the target quality.
    pub(super) fn target_loss(&self) -> Option<f64> {
        self.plan.training.target_loss()
    }

    /// Fits `piece`. `watch` is called after every step and may stop training with a reason.
    pub(super) fn fit(
        &self,
        piece: &Piece,
        backend: &dyn Backend,
        watch: &dyn Fn() -> ControlFlow<Stop>,
    ) -> Result<FittedPiece, FitError> {
        let began = Instant::now();
        let points = Points::Sampled(Arc::new(PiecePoints::trained(
            self.signal,
            piece,
            self.plan.input_scale,
        )));
        let core = PiecePoints::core(self.signal, piece, self.plan.input_scale);
        let base = self.plan.network.dims().get(1).copied().unwrap_or(1);
        let cures = self.plan.pieces.as_ref().map_or(&[][..], |pieces| &pieces.cures);
        let widths: Vec<usize> = [base].into_iter().chain(cures.iter().copied()).collect();
        let mut kept: Option<FittedPiece> = None;
        let (mut steps, mut operations, mut points_seen) = (0, 0.0, 0);
        for (attempt, width) in widths.iter().enumerate() {
            let is_last = attempt + 1 == widths.len();
            let one = Try { number: attempt, width: *width, is_last };
            let one = self.attempt(piece, one, backend, (&points, &core), watch)?;
            let fitted = Self::fitted(piece, one, *width);
            steps += fitted.report.steps;
            operations += fitted.report.operations;
            points_seen += fitted.report.points_seen;
            let stopped = fitted.report.stopped;
            if kept.as_ref().is_none_or(|kept| fitted.report.loss < kept.report.loss) {
                kept = Some(fitted);
            }
            let attempts = attempt + 1;
            if let Some(kept) = &mut kept {
                let report = &mut kept.report;
                (report.steps, report.operations) = (steps, operations);
                (report.points_seen, report.attempts) = (points_seen, attempts);
                report.seconds = began.elapsed().as_secs_f64();
                if matches!(stopped, Stop::Interrupted | Stop::Time) {
                    report.stopped = stopped;
                }
            }
            let has_no_goal = self.target_loss().is_none();
            if has_no_goal || matches!(stopped, Stop::Target | Stop::Interrupted | Stop::Time) {
                break;
            }
        }
        kept.ok_or_else(|| non_finite_start(self.plan))
    }

    /// Trains a network from its own initial weights.
    fn attempt(
        &self,
        piece: &Piece,
        Try { number, width, is_last }: Try,
        backend: &dyn Backend,
        (points, core): (&Points<'_>, &PiecePoints),
        watch: &dyn Fn() -> ControlFlow<Stop>,
    ) -> Result<Attempt, FitError> {
        let plan = self.plan;
        let network = of_width(&plan.network, width)?;
        let seed = seed(plan.seed, piece.index, number);
        let initial = vi3nr::draw(&network, &plan.init.plan(&network)?, seed);
        let engine = backend.engine(&network, &initial)?;
        let context = RunContext { seed, started: Instant::now(), backend };
        // The watcher divides the time among the pieces.
        let settings = TrainSettings { time_limit: None, ..plan.training.clone() };
        let storage = plan.storage.rounded();
        let mut evaluator = CoreEvaluator::new(&network, &initial, core, storage, backend)?;
        let mut trainer = Trainer::new(engine, points.clone(), settings, context)?;
        let mut curve = Vec::new();
        let mut broken_off = None;
        let loss = loop {
            while let Some(step) = trainer.step()? {
                curve.push(psnr_of_mse(step.loss));
                let stop = match watch() {
                    ControlFlow::Break(stop) => Some(stop),
                    // If every step uses all points, losses can be compared.
                    ControlFlow::Continue(()) if is_last || plan.training.batch.is_some() => None,
                    ControlFlow::Continue(()) => {
                        let target = plan.training.target_psnr;
                        let stalls = target.is_some_and(|t| stalls(&curve, plan.training.steps, t));
                        stalls.then_some(Stop::Converged)
                    }
                };
                if let Some(stop) = stop {
                    broken_off = Some(stop);
                    trainer.interrupt();
                }
            }
            let best = trainer.best().ok_or_else(|| non_finite_start(plan))?;
            let loss = evaluator.loss(&best.parameters)?;
            let raised = self.raised_target(best.loss, loss).filter(|_| trainer.is_at_target());
            let Some(target) = raised else { break loss };
            trainer.resume_to(target);
        };
        let (_, outcome) = trainer.finish();
        let best = outcome.best.ok_or_else(|| non_finite_start(plan))?;
        Ok(Attempt {
            loss,
            network,
            parameters: best.parameters,
            stopped: broken_off.unwrap_or(outcome.stop),
            steps: outcome.steps,
            operations: outcome.operations,
            points_seen: outcome.points_seen,
        })
    }

    /// The PSNR to which training must continue if its loss `reached` the target, but the loss over
    /// the core misses the quality: after rounding for storage, or, if rounding costs too much,
    /// without it.
    fn raised_target(&self, reached: f64, core: CoreLoss) -> Option<f64> {
        let target = self.plan.training.target_psnr?;
        let reached = psnr_of_mse(reached);
        for loss in [core.stored(), core.exact] {
            let missing = target + MARGIN - psnr_of_mse(loss);
            if missing <= 0.0 {
                return None;
            }
            if reached + missing <= target + MAX_RAISE {
                return Some(reached + missing);
            }
        }
        None
    }

    /// The report of an attempt.
    fn fitted(piece: &Piece, attempt: Attempt, width: usize) -> FittedPiece {
        let Attempt { network, parameters, loss, stopped, steps, operations, points_seen } =
            attempt;
        let report = PieceReport {
            index: piece.index,
            loss: loss.exact,
            rounded_loss: loss.rounded,
            stopped,
            steps,
            operations,
            points_seen,
            attempts: 1,
            width,
            seconds: 0.0,
        };
        FittedPiece { report, network, parameters }
    }

    /// The placeholder for a piece that was not trained in time: the mean of its samples
    /// everywhere.
    pub(super) fn constant(&self, piece: &Piece, stopped: Stop) -> Result<FittedPiece, FitError> {
        let (inputs, outputs) = (self.plan.network.inputs(), self.plan.network.outputs());
        let activation = self.plan.network.activation().clone();
        let network = Network::new(vec![inputs, 1, outputs], activation)?;
        let mut values = Vec::new();
        self.signal.push_values(&piece.core, &mut values);
        let samples = values.len() / outputs;
        let mean = |output: usize| {
            let own = values.iter().skip(output).step_by(outputs);
            own.map(|value| f64::from(*value)).sum::<f64>() / samples as f64
        };
        let means: Vec<f64> = (0..outputs).map(mean).collect();
        let mut parameters = vec![0.0; network.parameter_count()];
        let biases = network.layers().pop().map_or(0..0, |layer| layer.biases);
        for (bias, mean) in parameters[biases].iter_mut().zip(&means) {
            *bias = *mean as f32;
        }
        let square =
            |(index, value): (usize, &f32)| (f64::from(*value) - means[index % outputs]).powi(2);
        let loss = values.iter().enumerate().map(square).sum::<f64>() / values.len() as f64;
        let report = PieceReport {
            index: piece.index,
            loss,
            rounded_loss: self.plan.storage.rounded().map(|_| loss),
            stopped,
            steps: 0,
            operations: 0.0,
            points_seen: 0,
            attempts: 0,
            width: 1,
            seconds: 0.0,
        };
        Ok(FittedPiece { report, network, parameters })
    }
}

/// An attempt at a piece.
#[derive(Clone, Copy)]
struct Try {
    /// The number of the attempt, from 0.
    number: usize,
    /// The number of units of the hidden layers.
    width: usize,
    /// Whether this is the last attempt, whose training continues even if it stalls.
    is_last: bool,
}

/// One trained network of a piece.
struct Attempt {
    network: Network,
    parameters: Vec<f32>,
    loss: CoreLoss,
    stopped: Stop,
    steps: u64,
    operations: f64,
    points_seen: u64,
}

/// The network with hidden layers of `width`.
fn of_width(network: &Network, width: usize) -> Result<Network, vi3nr::Error> {
    let mut dims = network.dims().to_vec();
    if let [_, hidden @ .., _] = &mut dims[..] {
        // Layers of different widths in the plan keep their proportions to the first.
        let first = hidden.first().copied().unwrap_or(width).max(1);
        hidden.iter_mut().for_each(|size| *size = (*size * width).div_ceil(first));
    }
    Network::new(dims, network.activation().clone())
}

/// Whether training, at its recent rate of improvement, will not reach `target` within `steps`.
/// `curve` has the PSNR before each step.
fn stalls(curve: &[f64], steps: u64, target: f64) -> bool {
    let done = curve.len();
    if done < STALL_CHECK_FROM {
        return false;
    }
    let best = |curve: &[f64]| curve.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (now, before) = (best(curve), best(&curve[..done - STALL_WINDOW]));
    let left = steps.saturating_sub(done as u64) as f64;
    let expected = now + (now - before) / STALL_WINDOW as f64 * left;
    expected.is_nan() || expected < target
}

/// The seed of an attempt at a piece; all are distinct.
fn seed(seed: u64, piece: usize, attempt: usize) -> u64 {
    // With odd multipliers, no two pieces of a fit and no two attempts at a piece have the same
    // seed.
    seed.wrapping_add((piece as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add((attempt as u64).wrapping_mul(0xD1B5_4A32_D192_ED03))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawling_piece_is_noticed_and_a_slow_one_left_alone() {
        let line = |from: f64, slope: f64, steps: usize| -> Vec<f64> {
            (0..steps).map(|i| from + slope * i as f64).collect()
        };
        // At 20 dB and 0.01 dB per step, 44 dB cannot be reached in 300 steps.
        assert!(stalls(&line(20.0, 0.01, 60), 300, 44.0));
        assert!(!stalls(&line(20.0, 0.01, 59), 300, 44.0));
        assert!(!stalls(&line(20.0, 0.11, 60), 300, 44.0));
        assert!(stalls(&vec![f64::NAN; 60], 300, 44.0));
    }

    #[test]
    fn every_attempt_has_a_seed_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for piece in 0..1000 {
            for attempt in 0..3 {
                assert!(seen.insert(seed(7, piece, attempt)));
            }
        }
        assert_eq!(seed(7, 0, 0), 7);
    }
}
