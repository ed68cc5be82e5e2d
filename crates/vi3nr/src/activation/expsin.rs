use super::builtin::{Builtin, fields};
use super::{Function, Parameter};
use crate::moments::Moments;
use crate::{Bounded, Real};

/// exp(-sin(ax)) (Ramasinghe and Lucey, "Beyond Periodicity", ECCV 2022).
///
/// The authors' published code has the Gaussian only; the defaults of 1 are those of the
/// implementation that most projects copy, `kwea123/Coordinate-MLPs` (`models.py`, `opt.py`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExpSin {
    a: f64,
}

impl Function for ExpSin {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let (sine, cosine) = (x * a).sin_cos();
        let value = (-sine).exp();
        (value, -(a * cosine * value))
    }
}

impl Builtin for ExpSin {
    const NAME: &'static str = "expsin";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("a", 1.0, "angular frequency")];
    const DEFINITION: &'static str = "exp(-sin(a*x))";

    fields!(a);

    fn feature_width(&self) -> f64 {
        0.5 / self.a
    }

    /// e^(-k sin θ) is the Fourier series Σ I_n(k) cos n(θ + π/2) over all n with the modified
    /// Bessel functions I_n, and E[cos nθ] = e^(-n²a²σ²/2).
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let a = Bounded::exact(self.a);
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
        Some(Moments::from_closed_form([
            even(&|n| once[n]),
            even(&|n| twice[n]),
            -(a * odd),
            a * a * slope,
        ]))
    }
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
