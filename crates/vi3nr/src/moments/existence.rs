//! Which of the four expectations exist at all.

use super::scaled::Scaled;
use crate::activation::formula::Singularities;
use crate::number::significant;
use crate::{Activation, Bounded, Error};

/// Standard deviations at which it is tested whether f outgrows the density: so far out that a peak
/// of f at a distance of some thousand of them is passed.
const FAR: [f64; 3] = [1e5, 2e5, 4e5];
/// The relative accuracy of the exponents there.
const ROUNDING: f64 = 1e-9;

pub(super) const NAMES: [&str; 4] = ["E[f]", "E[f^2]", "E[f']", "E[f'^2]"];

/// How many of E\[f\], E\[f²\], E\[f'\], E\[f'²\], in this order, exist: 2, 3 or 4.
///
/// # Errors
/// Returns [`Error::Moment`] if E\[f\] or E\[f²\] is infinite: f or f² has no finite integral beside a
/// singular point, wherever under the density, or grows faster than the density falls.
pub(super) fn count(activation: &Activation, sigma: f64) -> Result<usize, Error> {
    let fail = |k: usize, reason: String| {
        Err(Error::Moment { moment: NAMES[k], activation: activation.to_string(), sigma, reason })
    };
    let divergent = activation.singularities().map_or([None; 4], |known| known.divergent);
    for (k, place) in divergent.iter().take(2).enumerate() {
        if let Some(point) = place {
            return fail(
                k,
                format!(
                    "it is infinite: no finite integral exists near x = {}",
                    significant(*point, 6)
                ),
            );
        }
    }
    for side in [-1.0, 1.0] {
        let ln_square = FAR.map(|u| {
            let place = Scaled::new(Bounded::exact(side * u * sigma));
            2.0 * activation.value_and_slope_on(place).0.ln_magnitude() - 0.5 * u * u
        });
        let grows =
            |k: usize| ln_square[k + 1] >= ln_square[k] - ROUNDING * FAR[k + 1] * FAR[k + 1];
        if ln_square.iter().all(|ln| ln.is_finite()) && grows(0) && grows(1) {
            return fail(
                1,
                "it is infinite or overflows: f^2 grows at least as fast as the normal density falls".into(),
            );
        }
    }
    Ok(if divergent[2].is_some() {
        2
    } else if divergent[3].is_some() {
        3
    } else {
        4
    })
}

impl Activation {
    /// What is known of its singular points; `None` for a built-in form, which has none.
    pub(crate) fn singularities(&self) -> Option<&Singularities> {
        self.formula().map(|formula| formula.singularities())
    }
}
