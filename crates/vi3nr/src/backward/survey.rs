//! The condition from exact moments over a range of σ_p, and what can be read off it.

use super::refine::{Condition, is_sure, lowest};
use crate::moments::budget::Budget;
use crate::{Activation, Bounded, Moments};

/// Decades of σ_p on either side of the function's own scale.
const DECADES: i32 = 6;
/// Failures in a row after which no farther σ_p is tried: each may take a second.
const PATIENCE: usize = 2;
/// Halvings toward the σ_p beyond which moments do not exist.
const HALVINGS: u32 = 20;

/// A σ_p with the condition there.
pub(super) type Sample = (f64, Bounded);

/// Conditions in increasing σ_p, `per_decade` to a decade, from the function's own scale outwards to a
/// factor of 10^6, or to where they cannot be computed or the `budget` of a direction is spent. `is_enough`, asked with the latest samples of one
/// direction, may end it earlier.
pub(super) fn survey(
    activation: &Activation,
    per_decade: i32,
    condition: Condition,
    budget: &Budget,
    is_enough: &dyn Fn(&[Sample]) -> bool,
) -> Vec<Sample> {
    let scale = activation.feature_width();
    let place = |step: i32| scale * libm::exp10(f64::from(step) / f64::from(per_decade));
    let steps = DECADES * per_decade;
    let outwards = |steps: &mut dyn Iterator<Item = i32>| {
        let (mut seen, mut failures): (Vec<Sample>, usize) = (Vec::new(), 0);
        for step in steps {
            match condition(place(step)) {
                Ok(cond) => {
                    seen.push((place(step), cond));
                    failures = 0;
                    if is_enough(&seen) {
                        break;
                    }
                }
                Err(_) => {
                    failures += 1;
                    if failures == 1 && !Moments::exist(activation, place(step)) {
                        close_in(activation, &mut seen, place(step), condition);
                        break;
                    }
                    if failures == PATIENCE {
                        break;
                    }
                }
            }
        }
        seen
    };
    budget.renew();
    let mut below = outwards(&mut (1..=steps).map(|step| -step));
    budget.renew();
    let above = outwards(&mut (0..=steps));
    below.reverse();
    below.extend(above);
    below
}

/// Adds places between the last sample and `outside`, where moments do not exist: there the condition
/// may cross 1 just before, as that of exp(x²) does.
pub(super) fn close_in(
    activation: &Activation,
    seen: &mut Vec<Sample>,
    outside: f64,
    condition: Condition,
) {
    let Some(&(last, _)) = seen.last() else { return };
    let (mut inner, mut outer) = (libm::log(last), libm::log(outside));
    for _ in 0..HALVINGS {
        let middle = 0.5 * (inner + outer);
        if Moments::exist(activation, libm::exp(middle))
            && let Ok(cond) = condition(libm::exp(middle))
        {
            seen.push((libm::exp(middle), cond));
            inner = middle;
        } else {
            outer = middle;
        }
    }
}

/// The least |cond - 1| of the samples, refined where it is a dip between others: (σ_p, distance, whether
/// the distance is 0 to within the error). The ends of a range are not dips.
pub(super) fn deepest(seen: &[Sample], condition: Condition) -> Option<(f64, f64, bool)> {
    let distance = |sample: &Sample| (sample.1.value - 1.0).abs();
    let (index, best) =
        seen.iter().enumerate().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
    if index == 0 || index + 1 == seen.len() || !is_sure(best.1) {
        return Some((best.0, distance(best), false));
    }
    Some(lowest(seen[index - 1].0, seen[index + 1].0, condition).map_or(
        (best.0, distance(best), false),
        |(sigma, depth, error)| {
            if depth < distance(best) {
                (sigma, depth, depth <= 4.0 * error)
            } else {
                (best.0, distance(best), false)
            }
        },
    ))
}
