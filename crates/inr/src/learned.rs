//! Warnings about a fit that represents little of its signal.

use vi3nr_engine::Loss;

use crate::points::{EvalPoints, Indices, PointBatch};
use crate::signal::SignalKind;
use crate::train::Stop;

/// The number of sampled points that are read at a time.
const BAND: usize = 1 << 18;
/// The maximum loss without a warning, as a part of the loss of the best constant: for a squared
/// loss, an SNR of 3 dB.
const MAX_PART: f64 = 0.5;
/// A signal whose best constant has at most this loss (a PSNR of 76 dB) counts as constant.
const CONSTANT: f64 = 1e-7;

/// How training went, as far as these warnings need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Training {
    /// The loss of the model.
    pub(crate) loss: f64,
    /// The number of steps.
    pub(crate) steps: u64,
    /// The step after which the network had the parameters of the model.
    pub(crate) kept_step: u64,
}

/// Warnings about a model of a signal of this kind. `constant_loss` gives the loss that it would
/// have as the best constant function.
pub(crate) fn warnings(
    kind: SignalKind,
    training: Training,
    stop: Stop,
    constant_loss: impl FnOnce() -> f64,
) -> Vec<String> {
    const REMEDY: &str =
        "try more steps, another learning rate, another activation or another initialization";
    if matches!(stop, Stop::Diverged | Stop::Interrupted | Stop::Target) {
        return Vec::new();
    }
    let Training { loss, steps, kept_step } = training;
    if steps > 0 && kept_step == 0 {
        return vec![format!(
            "training did not reduce the loss, and the model has the initial weights; {REMEDY}"
        )];
    }
    let constant = constant_loss();
    if loss > MAX_PART * constant && constant > CONSTANT {
        return vec![format!(
            "the model represents little of the {}: its loss is {loss:.2e}, and a constant has \
             {constant:.2e}; {REMEDY}",
            kind.name()
        )];
    }
    Vec::new()
}

/// The loss at `points` of the best constant: for sampled points, the mean of each of the `outputs`
/// values. For drawn points, whose loss can be of another kind, the better of the mean and the
/// median; infinite for terms, whose loss no constant bounds.
pub(crate) fn constant_loss(points: &EvalPoints<'_>, outputs: usize) -> f64 {
    if points.has_terms() {
        return f64::INFINITY;
    }
    match points {
        EvalPoints::Sampled(points) => {
            let mut batch = PointBatch::default();
            let mut sums = vec![(0.0, 0.0); outputs];
            let count = points.count();
            for first in (0..count).step_by(BAND) {
                batch.clear();
                points.push(Indices::Range(first..count.min(first + BAND)), &mut batch);
                for values in batch.targets.chunks_exact(outputs) {
                    for ((sum, squares), value) in sums.iter_mut().zip(values) {
                        let value = f64::from(*value);
                        *sum += value;
                        *squares += value * value;
                    }
                }
            }
            let count = count as f64;
            let variance = |(sum, squares): &(f64, f64)| squares / count - (sum / count).powi(2);
            sums.iter().map(variance).sum::<f64>().max(0.0) / outputs as f64
        }
        EvalPoints::Drawn(batch) => of_drawn(batch, outputs),
    }
}

fn of_drawn(batch: &PointBatch, outputs: usize) -> f64 {
    let weight = |point: usize| batch.weights.get(point).map_or(1.0, |weight| f64::from(*weight));
    let targets = |output: usize| batch.targets.iter().skip(output).step_by(outputs);
    let total: f64 = (0..batch.targets.len() / outputs).map(weight).sum();
    let weighted_mean = |output: usize, value: &dyn Fn(f32) -> f64| {
        let values = targets(output).enumerate();
        values.map(|(point, target)| weight(point) * value(*target)).sum::<f64>() / total
    };
    let of_output = |output: usize| {
        let clamped = |target: f32| match batch.loss {
            Loss::Squared | Loss::Absolute => f64::from(target),
            Loss::ClampedSquared { limit } | Loss::ClampedAbsolute { limit } => {
                f64::from(target).max(-limit).min(limit)
            }
        };
        let mut sorted: Vec<f32> = targets(output).copied().collect();
        let middle = sorted.len() / 2;
        let median = match sorted.is_empty() {
            true => 0.0,
            false => clamped(*sorted.select_nth_unstable_by(middle, f32::total_cmp).1),
        };
        [weighted_mean(output, &clamped), median]
            .map(|constant| {
                weighted_mean(output, &|target| {
                    batch.loss.value_and_slope(constant, f64::from(target)).0
                })
            })
            .into_iter()
            .fold(f64::INFINITY, f64::min)
    };
    (0..outputs).map(of_output).sum::<f64>() / outputs as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::signal::Signal;
    use crate::signal::image::test_image;
    use crate::supervision::Supervision;

    #[test]
    fn the_best_constant_of_an_image_is_its_mean_color() {
        let image = test_image(17).unwrap();
        let crate::points::Points::Sampled(points) = image.points(1.0, &Supervision::Values) else {
            panic!("sampled")
        };
        let mut batch = PointBatch::default();
        points.push(Indices::Range(0..points.count()), &mut batch);
        let drawn = constant_loss(&EvalPoints::Drawn(batch), 3);
        let sampled = constant_loss(&EvalPoints::Sampled(Arc::clone(&points)), 3);
        assert!((sampled - drawn).abs() < 1e-9, "{sampled} {drawn}");
        assert!(sampled > 0.01 && sampled < 1.0, "{sampled}");
    }

    #[test]
    fn a_constant_suits_each_kind_of_loss() {
        let batch = |loss, weights: &[f32]| {
            EvalPoints::Drawn(PointBatch {
                points: vec![0.0; 12],
                targets: vec![0.0, 0.0, 0.0, 4.0],
                weights: weights.to_vec(),
                loss,
                ..PointBatch::default()
            })
        };
        for (loss, weights, expected) in [
            (Loss::Squared, &[][..], 3.0),
            (Loss::Absolute, &[], 1.0),
            (Loss::ClampedSquared { limit: 2.0 }, &[], 0.75),
            (Loss::ClampedAbsolute { limit: 2.0 }, &[], 0.5),
            (Loss::Squared, &[1.0, 0.0, 0.0, 1.0], 4.0),
        ] {
            assert_eq!(constant_loss(&batch(loss, weights), 1), expected, "{loss:?} {weights:?}");
        }
    }

    #[test]
    fn only_a_poor_result_draws_a_warning() {
        let of = |loss, kept_step, constant| {
            let training = Training { loss, steps: 9, kept_step };
            warnings(SignalKind::Image, training, Stop::Steps, || constant).join("; ")
        };
        assert_eq!(of(0.1, 9, 0.3), "");
        assert_eq!(of(1e-8, 9, 1e-8), "");
        assert!(of(0.2, 9, 0.3).contains("its loss is 2.00e-1, and a constant has 3.00e-1"));
        assert!(of(0.1, 0, 0.3).starts_with("training did not reduce the loss"));
        let training = Training { loss: 0.2, steps: 9, kept_step: 9 };
        assert!(warnings(SignalKind::Image, training, Stop::Target, || 0.3).is_empty());
    }
}
