//! From places seen in a scan to exact ones: crossings of 1 and dips toward it.

use crate::{Bounded, Error};

/// The condition at a σ_p, from exact moments.
pub(crate) type Condition<'a> = &'a dyn Fn(f64) -> Result<Bounded, Error>;

/// How far, in ln σ, a bracket is widened until the signs at its ends are certain and differ.
const MARGINS: [f64; 4] = [0.0, 0.02, 0.05, 0.1];

/// Whether a condition is certain not to be 1.
pub(super) fn is_sure(condition: Bounded) -> bool {
    (condition.value - 1.0).abs() > 2.0 * condition.error
}

/// The root between two σ_p at which the condition is on different sides of 1; where it is not, as an
/// approximate scan may have it, the bracket is widened a little. `None` if that does not help.
///
/// Chandrupatla's method in ln σ: inverse quadratic steps where they are safe, else halving.
pub(crate) fn crossing(from: f64, to: f64, condition: Condition) -> Result<Option<f64>, Error> {
    let at = |t: f64| -> Result<(f64, bool), Error> {
        let cond = condition(libm::exp(t))?;
        Ok((cond.value - 1.0, is_sure(cond)))
    };
    let mut bracket = None;
    for margin in MARGINS {
        let (a, b) = (libm::log(from) - margin, libm::log(to) + margin);
        match (at(a), at(b)) {
            (Ok((fa, true)), Ok((fb, true))) if (fa < 0.0) != (fb < 0.0) => {
                bracket = Some((a, fa, b, fb));
                break;
            }
            (Err(error), _) | (_, Err(error)) if margin == 0.0 => return Err(error),
            _ => {}
        }
    }
    let Some((mut a, mut fa, mut b, mut fb)) = bracket else { return Ok(None) };
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

/// The minimum of |cond - 1| between two σ_p by golden section in ln σ: σ_p, the minimum and the error
/// of the condition there.
pub(super) fn lowest(from: f64, to: f64, condition: Condition) -> Option<(f64, f64, f64)> {
    let golden = 0.5 * (libm::sqrt(5.0) - 1.0);
    let (mut a, mut b) = (libm::log(from), libm::log(to));
    let at = |t: f64| condition(libm::exp(t)).ok().map(|c| ((c.value - 1.0).abs(), c.error));
    let (mut u, mut v) = (b - golden * (b - a), a + golden * (b - a));
    let (mut fu, mut fv) = (at(u)?, at(v)?);
    for _ in 0..34 {
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
    Some((libm::exp(t), depth, error))
}
