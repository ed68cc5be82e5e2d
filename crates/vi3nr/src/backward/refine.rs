//! From places seen in a scan to exact ones: crossings of 1 and dips toward it.

use crate::{Bounded, Error};

/// Conditions this close to 1 are taken for the limit 1.
pub(super) const LIMIT_REACHED: f64 = 1e-7;
/// A dip of |cond - 1| in the scan that is looked at more closely.
const DIP: f64 = 0.02;

/// The condition at a σ_p, from exact moments.
pub(crate) type Condition<'a> = &'a dyn Fn(f64) -> Result<Bounded, Error>;

/// The root between two σ_p whose conditions differ in sign, if that is certain.
///
/// Chandrupatla's method in ln σ: inverse quadratic steps where they are safe, else halving.
pub(crate) fn crossing(from: f64, to: f64, condition: Condition) -> Result<Option<f64>, Error> {
    let at = |t: f64| -> Result<(f64, bool), Error> {
        let cond = condition(libm::exp(t))?;
        Ok((cond.value - 1.0, (cond.value - 1.0).abs() > 2.0 * cond.error))
    };
    // The scan is approximate: extend the ends a little, unless moments end there.
    let end = |t: f64, margin: f64| match at(t + margin) {
        Ok(seen) => Ok((t + margin, seen)),
        Err(_) => at(t).map(|seen| (t, seen)),
    };
    let (mut a, (mut fa, sure_a)) = end(libm::log(from), -0.02)?;
    let (mut b, (mut fb, sure_b)) = end(libm::log(to), 0.02)?;
    if !sure_a || !sure_b || (fa < 0.0) == (fb < 0.0) {
        return Ok(None);
    }
    let mut share = 0.5;
    for _ in 0..100 {
        let (c, fc);
        let t = a + share * (b - a);
        let (ft, _) = at(t)?;
        if (ft < 0.0) == (fa < 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, fc, b, fb) = (b, fb, a, fa);
        }
        (a, fa) = (t, ft);
        let tolerance = 1e-13 / (b - a).abs().max(f64::MIN_POSITIVE);
        if fa == 0.0 || tolerance > 0.5 {
            break;
        }
        let (xi, phi) = ((a - b) / (c - b), (fa - fb) / (fc - fb));
        share = if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
            fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        } else {
            0.5
        };
        share = share.clamp(tolerance, 1.0 - tolerance);
    }
    let best = if fa.abs() < fb.abs() { a } else { b };
    Ok(Some(libm::exp(best)))
}

/// The interior minimum of |cond - 1| without a crossing: (σ_p, depth, whether it is met exactly).
pub(super) fn deepest_dip(
    seen: &[(f64, f64)],
    condition: Condition,
) -> Result<Option<(f64, f64, bool)>, Error> {
    let distance = |index: usize| (seen[index].1 - 1.0).abs();
    let is_dip = |index: &usize| {
        let i = *index;
        let same_side = (seen[i - 1].1 < 1.0) == (seen[i].1 < 1.0)
            && (seen[i].1 < 1.0) == (seen[i + 1].1 < 1.0);
        same_side && distance(i) < distance(i - 1) && distance(i) < distance(i + 1)
    };
    let Some(index) =
        (1..seen.len() - 1).filter(is_dip).min_by(|&i, &j| distance(i).total_cmp(&distance(j)))
    else {
        return Ok(None);
    };
    if distance(index) < LIMIT_REACHED * 1e-3 || distance(index) > DIP {
        // Rounding noise near a limit, or too far from 1 to be worth exact moments.
        let is_noise = distance(index) <= DIP;
        return Ok((!is_noise).then_some((seen[index].0, distance(index), false)));
    }
    // Golden section in ln σ.
    let golden = 0.5 * (libm::sqrt(5.0) - 1.0);
    let (mut a, mut b) = (libm::log(seen[index - 1].0), libm::log(seen[index + 1].0));
    let at = |t: f64| condition(libm::exp(t)).map(|cond| ((cond.value - 1.0).abs(), cond.error));
    let (mut u, mut v) = (b - golden * (b - a), a + golden * (b - a));
    let (mut fu, mut fv) = (at(u)?, at(v)?);
    for _ in 0..32 {
        if fu.0 < fv.0 {
            (b, v, fv) = (v, u, fu);
            u = b - golden * (b - a);
            fu = at(u)?;
        } else {
            (a, u, fu) = (u, v, fv);
            v = a + golden * (b - a);
            fv = at(v)?;
        }
    }
    let (t, (depth, error)) = if fu.0 < fv.0 { (u, fu) } else { (v, fv) };
    Ok(Some((libm::exp(t), depth, depth <= 4.0 * error)))
}
