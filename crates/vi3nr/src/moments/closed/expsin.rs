//! The moments of exp(-sin(ax)).

use crate::activation::builtin::ExpSin;
use crate::{Bounded, Real};

/// e^(-k sin θ) is the Fourier series Σ I_n(k) cos n(θ + π/2) over all n with the modified
/// Bessel functions I_n, and E[cos nθ] = e^(-n²a²σ²/2).
pub(super) fn moments(form: &ExpSin, sigma: f64) -> [Bounded; 4] {
    let a = Bounded::exact(form.a);
    let angle = a * Bounded::exact(sigma);
    let square = angle * angle;
    let decay = |n: usize| (-0.5 * (n * n) as f64 * square).exp();
    let (once, twice) = (bessel(1.0), bessel(2.0));
    // Sums over even n, each n > 0 counted for -n too; i^n = (-1)^(n/2).
    let even = |term: &dyn Fn(usize) -> Bounded| {
        (2..ORDERS - 2).step_by(2).fold(term(0), |sum, n| {
            let sign = if n % 4 == 0 { 2.0 } else { -2.0 };
            sum + sign * term(n) * decay(n)
        })
    };
    // cos θ e^(-sin θ) is minus the derivative of e^(-sin θ): odd n remain.
    let odd = (1..ORDERS).step_by(2).fold(Bounded::exact(0.0), |sum, n| {
        let sign = if n % 4 == 1 { 2.0 } else { -2.0 };
        sum + sign * n as f64 * once[n] * decay(n)
    });
    // cos² θ = 1/2 + (e^(2iθ) + e^(-2iθ))/4 shifts the coefficients by two.
    let slope = even(&|n| {
        let below = twice[n.abs_diff(2)];
        0.5 * twice[n] + -0.25 * (below + twice[n + 2])
    });
    [even(&|n| once[n]), even(&|n| twice[n]), -(a * odd), a * a * slope]
}

/// How many Bessel functions are summed: I_25(2) is below 1e-25.
const ORDERS: usize = 28;

/// I_n(k) for n < `ORDERS` by their power series, for k up to 2.
fn bessel(k: f64) -> [Bounded; ORDERS] {
    let half = Bounded::exact(0.5 * k);
    let mut first = Bounded::exact(1.0);
    std::array::from_fn(|n| {
        if n > 0 {
            first = first * half / Bounded::exact(n as f64);
        }
        let (mut term, mut sum) = (first, first);
        for m in 1..24 {
            term = term * half * half / Bounded::exact((m * (m + n)) as f64);
            sum = sum + term;
        }
        sum
    })
}
