//! What the condition tends to as σ_p tends to 0 and to infinity.

use crate::moments::scaled::Scaled;
use crate::{Activation, Bounded};

/// Binary exponents of the |x| at which f is looked at, near 0 and far out.
const PLACES: [f64; 3] = [300.0, 600.0, 900.0];
/// Relative bound on a value that may be judged.
const CERTAIN: f64 = 1e-3;

/// What f goes as, as |x| tends to 0 or to infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tail {
    /// As |x|^p.
    Power(f64),
    /// Faster than every power to 0, or 0.
    Vanishing,
    /// No power is known.
    Unknown,
}

/// The limits of cond(σ_p) for M_i = M_{i+1}, each where it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ends {
    /// As σ_p tends to 0; may be infinite.
    pub(super) zero: Option<f64>,
    /// As σ_p tends to infinity; may be infinite.
    pub(super) infinity: Option<f64>,
}

impl Ends {
    /// The limits of `ratio` times the condition.
    pub(super) fn times(self, ratio: f64) -> Self {
        Self {
            zero: self.zero.map(|own| ratio * own),
            infinity: self.infinity.map(|own| ratio * own),
        }
    }

    /// If f goes as |x|^p with p > 1/2, cond tends to p²/(2p - 1), that of |x|^p. For smaller p, toward
    /// infinity, E\[f'²\] falls as 1/σ_p only and E\[f²\] grows more slowly than σ_p: cond is unbounded.
    pub(super) fn of(activation: &Activation) -> Self {
        let limit = |p: f64| if p > 1e6 { f64::INFINITY } else { p * p / (2.0 * p - 1.0) };
        // The code of a built-in form and its definition as a formula lose digits at different places.
        let by_code = |x: Scaled| activation.value_and_slope_on(x);
        let formula = activation.to_formula().ok();
        let tail = |vanishes: bool, direction: f64| {
            let known = dominant(&by_code, vanishes, direction);
            match &formula {
                Some(formula) if matches!(known, Tail::Unknown) => {
                    dominant(&|x| formula.program().run(x), vanishes, direction)
                }
                _ => known,
            }
        };
        let zero = match tail(vanishes_at_zero(activation), -1.0) {
            Tail::Power(p) if p.abs() < 1e-9 => Some(0.0),
            Tail::Power(p) if p > 0.5 + 1e-6 => Some(limit(p)),
            Tail::Vanishing => Some(f64::INFINITY),
            _ => None,
        };
        let is_continuous = activation.singularities().is_none_or(|known| known.jump.is_none());
        let infinity = match tail(false, 1.0) {
            Tail::Power(p) if p > 0.5 + 1e-6 => Some(limit(p)),
            Tail::Power(p) if p < 0.5 - 1e-6 && is_continuous => Some(f64::INFINITY),
            Tail::Vanishing if is_continuous => Some(f64::INFINITY),
            _ => None,
        };
        Self { zero, infinity }
    }
}

/// Whether f(0) = 0 to within rounding; a value that is missing at 0 is taken from beside it.
pub(super) fn vanishes_at_zero(activation: &Activation) -> bool {
    let at = |x: f64| activation.value_and_slope_on(Scaled::new(Bounded::exact(x))).0;
    let (value, beside) = (at(0.0), at(libm::exp2(-1000.0)));
    let is_zero = |value: Scaled| value.may_be_zero();
    if value.plain().value.is_nan() {
        // As small as x itself, or uncertain beside 0.
        return is_zero(beside) || beside.ln_magnitude() < -100.0;
    }
    is_zero(value)
}

/// f and f' at a point.
type Run<'a> = &'a dyn Fn(Scaled) -> (Scaled, Scaled);

/// The dominant side of f toward 0 (`direction` -1) or infinity (1).
fn dominant(run: Run<'_>, vanishes: bool, direction: f64) -> Tail {
    let sides = [1.0, -1.0].map(|side| one_side(run, vanishes, direction, side));
    match sides {
        [Tail::Unknown, _] | [_, Tail::Unknown] => Tail::Unknown,
        [Tail::Vanishing, other] | [other, Tail::Vanishing] => other,
        // The larger of both: the smaller power near 0, the larger one far out.
        [Tail::Power(p), Tail::Power(q)] => {
            Tail::Power(if direction < 0.0 { p.min(q) } else { p.max(q) })
        }
    }
}

fn one_side(run: Run<'_>, vanishes: bool, direction: f64, side: f64) -> Tail {
    // The local power x f'(x)/f(x), once more a little beside: an oscillation shows there.
    let local = |place: f64, factor: f64| -> Option<(f64, f64)> {
        let x = side * factor * libm::exp2(direction * place);
        let place = Scaled::new(Bounded::exact(x));
        let (value, slope) = run(place);
        if value.ln_magnitude() == f64::NEG_INFINITY && value.plain().error < f64::MIN_POSITIVE {
            return Some((f64::INFINITY, 1.0));
        }
        let power = (place * slope / value).plain();
        let is_certain = power.is_finite() && power.error <= CERTAIN * power.value.abs().max(1.0);
        is_certain.then_some((power.value, libm::log(x.abs())))
    };
    if vanishes && starts_with_a_slope(run, side) {
        return Tail::Power(1.0);
    }
    let mut seen = [(0.0, 0.0); 3];
    for (seen, place) in seen.iter_mut().zip(PLACES) {
        let (Some(here), Some(beside)) = (local(place, 1.37), local(place, 1.91)) else {
            return Tail::Unknown;
        };
        let is_steady = (here.0 - beside.0).abs() <= 1e-3 * (1.0 + here.0.abs());
        // The power of an exponential grows with |x| or 1/|x|; that of an oscillation jumps.
        let ratio = beside.0 / here.0;
        let is_growing = here.0.abs() >= 1e6 && (0.2..=5.0).contains(&ratio);
        if here.0.is_finite() && !is_steady && !is_growing {
            return Tail::Unknown;
        }
        *seen = here;
    }
    if seen.iter().any(|(power, _)| !power.is_finite()) || seen[2].0.abs() > 1e6 {
        let falls = seen[2].0 * -direction > 0.0 || !seen[2].0.is_finite();
        return if falls { Tail::Vanishing } else { Tail::Unknown };
    }
    // A logarithm beside the power is of order 1/ln x.
    let limit = |(p, x): (f64, f64), (q, y): (f64, f64)| (q * y - p * x) / (y - x);
    let (first, second) = (limit(seen[0], seen[1]), limit(seen[1], seen[2]));
    if (first - second).abs() > 1e-6 * (1.0 + second.abs()) {
        return Tail::Unknown;
    }
    let nearest = (8.0 * second).round() / 8.0;
    Tail::Power(if (second - nearest).abs() < 1e-6 { nearest } else { second })
}

/// Whether f' tends to a finite number other than 0 toward 0 from this side.
fn starts_with_a_slope(run: Run<'_>, side: f64) -> bool {
    let slope = |place: f64| {
        let x = Bounded::exact(side * libm::exp2(-place));
        run(Scaled::new(x)).1.plain()
    };
    let (near, nearer) = (slope(300.0), slope(600.0));
    let is_certain = |slope: &Bounded| {
        slope.is_finite() && slope.value != 0.0 && slope.error <= CERTAIN * slope.value.abs()
    };
    is_certain(&near) && is_certain(&nearer) && (nearer.value / near.value - 1.0).abs() < 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_the_condition() {
        let huge = Some(f64::INFINITY);
        for (text, zero, infinity) in [
            ("tanh", Some(1.0), huge),
            ("gaussian", Some(0.0), huge),
            ("gelu", Some(1.0), Some(1.0)),
            ("x^2*exp(-1/x^2)", huge, Some(4.0 / 3.0)),
            ("exp(-1/x^2)*x", huge, Some(1.0)),
            ("x^2/(1+x^2)", Some(4.0 / 3.0), huge),
            ("x*log(abs(x))", Some(1.0), Some(1.0)),
            ("log(1+x^2)", Some(4.0 / 3.0), huge),
            ("max(x-1,0)", huge, Some(1.0)),
            ("x/(exp(x)-1)", Some(0.0), Some(1.0)),
            ("tanh(x)/x", Some(0.0), huge),
            ("1/(1+exp(-x))-0.5", Some(1.0), huge),
            ("sqrt(1+x^2)", Some(0.0), Some(1.0)),
            ("sin(x)", Some(1.0), None),
            ("abs(x)^1.5", Some(1.125), Some(1.125)),
            ("exp(-(x-3)^2/(2*1e-6))", Some(0.0), huge),
        ] {
            let activation: Activation = text.parse().unwrap();
            assert_eq!(Ends::of(&activation), Ends { zero, infinity }, "{text}");
        }
    }

    #[test]
    fn zeros_at_zero() {
        for (text, vanishes) in [
            ("tanh", true),
            ("1/(1+exp(-x))-0.5", true),
            ("tanh(x)/x", false),
            ("x/(exp(x)-1)", false),
            ("x*log(abs(x))", true),
            ("exp(-1/x^2)", true),
            ("tanh(x)+1e-30", false),
            ("exp(-(x-3)^2/(2*1e-6))", false),
        ] {
            assert_eq!(vanishes_at_zero(&text.parse().unwrap()), vanishes, "{text}");
        }
    }
}
