//! The moments of FINER's sin(ω(|x| + 1)x).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, FRAC_PI_4, SQRT_2};

use crate::Bounded;
use crate::activation::builtin::Finer;
use crate::moments::gauss::THIRTY_TWO;

/// With φ = ω(x² + x) for x > 0: E[f²] = (1 - E[cos 2φ])/2, E[f'] = ωE[(2|x| + 1) cos φ] and
/// E[f'²] = ω²/2 (E[(2|x| + 1)²] + E[(2|x| + 1)² cos 2φ]), the cosines by [`turned`]. Where
/// φ(σ) is small they nearly cancel, and the quadrature is better.
pub(super) fn moments(form: &Finer, sigma: f64) -> Option<[Bounded; 4]> {
    if form.omega * sigma * (sigma + 1.0) < 10.0 {
        return None;
    }
    let (omega, s) = (Bounded::exact(form.omega), Bounded::exact(sigma));
    let once = turned(form.omega, sigma);
    let twice = turned(2.0 * form.omega, sigma);
    let mean = 2.0 * s * Bounded::rounded(FRAC_2_SQRT_PI * SQRT_2);
    let squares = 4.0 * s * s + (1.0 + mean);
    Some([
        Bounded::exact(0.0),
        0.5 * (1.0 + -twice[0]),
        omega * once[1],
        0.5 * omega * omega * (squares + twice[2]),
    ])
}

/// E[(2|x| + 1)^k cos Ω(x² + |x|)] under N(0, `sigma`²) for k = 0, 1, 2.
///
/// The integral of (2x + 1)^k e^(-x²/2σ² + iΩ(x² + x)) over x > 0 is turned to x = t e^(iπ/4),
/// t > 0, which is allowed since its modulus falls in all of the sector between. There it is
/// e^(-Ωt² - Ωt/√2) times a phase, smooth, and gone where the exponent reaches -42.
fn turned(frequency: f64, sigma: f64) -> [Bounded; 3] {
    let linear = frequency * FRAC_1_SQRT_2;
    // Ωt² + Ωt/√2 = 42, without cancellation.
    let end = 84.0 / (linear + libm::sqrt(linear * linear + 168.0 * frequency));
    let (mut sums, mut sizes) = ([0.0; 3], [0.0; 3]);
    let half = 0.5 * end / f64::from(PANELS);
    for panel in 0..PANELS {
        let center = half * f64::from(2 * panel + 1);
        for (node, weight) in THIRTY_TWO {
            for t in [center - half * node, center + half * node] {
                let modulus = half * weight * libm::exp(-(frequency * t * t + linear * t));
                // The angle of dx/dt is π/4.
                let angle = linear * t - 0.5 * (t / sigma) * (t / sigma) + FRAC_PI_4;
                let (sine, cosine) = libm::sincos(angle);
                let (mut real, mut imaginary) = (modulus * cosine, modulus * sine);
                let (right, up) = (1.0 + SQRT_2 * t, SQRT_2 * t);
                for k in 0..3 {
                    sums[k] += real;
                    sizes[k] += libm::hypot(real, imaginary);
                    (real, imaginary) =
                        (real * right - imaginary * up, real * up + imaginary * right);
                }
            }
        }
    }
    // Twice the density: both halves of the line.
    let density = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / sigma;
    // Roundings: those of the angle, up to 100, and of 512 additions.
    let rounding = 1000.0 * f64::EPSILON;
    std::array::from_fn(|k| Bounded {
        value: density * sums[k],
        error: density * sizes[k] * rounding,
    })
}

/// Panels of the turned integral; the exponent changes by about 4 over each.
const PANELS: u32 = 10;
