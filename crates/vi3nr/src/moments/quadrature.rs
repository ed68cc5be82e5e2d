//! Adaptive Gauss-Kronrod quadrature of the four moments at once.

use std::f64::consts::PI;

use super::Moments;
use crate::{Activation, Error};

/// Beyond this many standard deviations the normal density is below 1e-300.
const TAIL: f64 = 37.5;
/// Relative accuracy that stops the refinement.
const RELATIVE_TOLERANCE: f64 = 1e-13;
/// Bisections after which an integral is declared unresolved.
const MOST_PANELS: usize = 40_000;

#[allow(clippy::excessive_precision)] // the tabulated digits
/// Nodes of the 15-point Kronrod rule on [0, 1) of [-1, 1]; odd entries are the Gauss nodes.
const NODES: [f64; 8] = [
    0.991455371120812639206854697526329,
    0.949107912342758524526189684047851,
    0.864864423359769072789712788640926,
    0.741531185599394439863864773280788,
    0.586087235467691130294144691693117,
    0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
    0.0,
];
#[allow(clippy::excessive_precision)]
/// Kronrod weights of `NODES`.
const KRONROD: [f64; 8] = [
    0.022935322010529224963732008058970,
    0.063092092629978553290700663189204,
    0.104790010322250183839876322541518,
    0.140653259715525918745189590510238,
    0.169004726639267902826583426598550,
    0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
    0.209482141084727828012999174891714,
];
#[allow(clippy::excessive_precision)]
/// Weights of the embedded 7-point Gauss rule.
const GAUSS: [f64; 4] = [
    0.129484966168869693270611432679082,
    0.279705391489276667901467771423780,
    0.381830050505118944950369775488975,
    0.417959183673469387755102040816327,
];

/// The four integrands f, f², f', f'² at once.
type Four = [f64; 4];

/// One interval with its integrals and the size of their error.
struct Panel {
    from: f64,
    to: f64,
    value: Four,
    error: Four,
}

/// The moments of `activation` under N(0, `sigma`²).
pub(super) fn moments(activation: &Activation, sigma: f64) -> Result<Moments, Error> {
    let mut panels: Vec<Panel> = breakpoints(activation, sigma)
        .windows(2)
        .map(|pair| panel(activation, sigma, pair[0], pair[1]))
        .collect();
    loop {
        let total = sum(&panels, |panel| panel.value);
        let error = sum(&panels, |panel| panel.error);
        if let Some(index) = total.iter().position(|value| !value.is_finite()) {
            return Err(fail(activation, sigma, index, "the integral is not finite"));
        }
        let tolerance = [total[1].sqrt(), total[1], total[3].sqrt(), total[3]]
            .map(|scale| RELATIVE_TOLERANCE * scale + f64::MIN_POSITIVE);
        let Some(worst) = (0..4)
            .filter(|&k| error[k] > tolerance[k])
            .max_by(|&a, &b| (error[a] / tolerance[a]).total_cmp(&(error[b] / tolerance[b])))
        else {
            return Ok(Moments {
                mean: total[0],
                second_moment: total[1],
                derivative_mean: total[2],
                derivative_second_moment: total[3],
            });
        };
        if panels.len() > MOST_PANELS {
            return Err(fail(activation, sigma, worst, "the integral does not converge"));
        }
        // Halve every panel that holds more than its share of the worst error.
        let share = 0.5 * tolerance[worst] / panels.len() as f64;
        let (split, kept): (Vec<_>, Vec<_>) =
            panels.into_iter().partition(|panel| panel.error[worst] > share);
        panels = kept;
        for Panel { from, to, .. } in split {
            let middle = 0.5 * (from + to);
            panels.push(panel(activation, sigma, from, middle));
            panels.push(panel(activation, sigma, middle, to));
        }
    }
}

fn fail(activation: &Activation, sigma: f64, index: usize, reason: &str) -> Error {
    Error::Moment {
        moment: ["E[f]", "E[f^2]", "E[f']", "E[f'^2]"][index],
        activation: activation.to_string(),
        sigma,
        reason: reason.into(),
    }
}

fn sum(panels: &[Panel], part: impl Fn(&Panel) -> Four) -> Four {
    let mut total = [0.0; 4];
    for panel in panels {
        let part = part(panel);
        (0..4).for_each(|k| total[k] += part[k]);
    }
    total
}

/// Interval ends: kinks, zero, and points at doubling distances on the scales of f and of σ.
fn breakpoints(activation: &Activation, sigma: f64) -> Vec<f64> {
    let end = TAIL * sigma;
    let mut ends = vec![-end, 0.0, end];
    ends.extend(activation.kinks().into_iter().filter(|kink| kink.abs() < end));
    let mut distance = activation.feature_width().min(sigma).max(end * 1e-12);
    while distance < end {
        ends.extend([-distance, distance]);
        distance *= 2.0;
    }
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    ends
}

/// The 15-point Kronrod integrals over one interval; the error is the distance to the Gauss rule.
fn panel(activation: &Activation, sigma: f64, from: f64, to: f64) -> Panel {
    let (centre, half) = (0.5 * (from + to), 0.5 * (to - from));
    let (mut kronrod, mut gauss) = ([0.0; 4], [0.0; 4]);
    let mut add = |x: f64, kronrod_weight: f64, gauss_weight: f64| {
        let u = x / sigma;
        let density = libm::exp(-0.5 * u * u) / (sigma * libm::sqrt(2.0 * PI));
        let (value, slope) = activation.value_and_slope(x);
        for (k, integrand) in [value, value * value, slope, slope * slope].into_iter().enumerate() {
            kronrod[k] += half * kronrod_weight * density * integrand;
            gauss[k] += half * gauss_weight * density * integrand;
        }
    };
    for (index, node) in NODES.into_iter().enumerate() {
        let gauss_weight = if index % 2 == 1 { GAUSS[index / 2] } else { 0.0 };
        add(centre + half * node, KRONROD[index], gauss_weight);
        if node > 0.0 {
            add(centre - half * node, KRONROD[index], gauss_weight);
        }
    }
    let error = std::array::from_fn(|k| (kronrod[k] - gauss[k]).abs());
    Panel { from, to, value: kronrod, error }
}
