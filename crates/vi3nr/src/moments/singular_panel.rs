//! Panels at points where the enclosure stays infinite.

use super::integrand::{Integrand, rounded};
use super::quadrature::{Panel, RULES};
use super::sums::{Four, Sums};
use crate::Bounded;

/// Width in standard deviations of a panel at 0 on which a power of x is looked for.
const POWER_LAW: f64 = 1e-12;

impl Integrand<'_> {
    /// At a suspected singular point: the integrals by 64 points and an estimate of their error from
    /// the rules with 32 and 16, or from their whole size where the integrand grows toward an end.
    ///
    /// Ten times the differences is far more than the error of 64 points, both where the singular
    /// point is only one of the expression (the rules then converge geometrically) and at |x|^p with
    /// p > -0.9 (they differ by more than a tenth of the error). Where the integrand grows, four
    /// times what 64 points see is more than a panel holds unless p < -0.95, and then panels do not
    /// fade within the range of `f64`: the integral is refused.
    pub(super) fn estimate(&self, panel: &Panel) -> (Sums, Four) {
        let [coarse, middle, fine] = RULES.map(|rule| self.apply(rule, panel));
        let (center, half) = (0.5 * (panel.from + panel.to), 0.5 * (panel.to - panel.from));
        let at = |x: f64| self.node(rounded(x), half).map(|g| g.value.abs());
        let inner = at(center);
        let outer = [at(center - 0.997 * half), at(center + 0.997 * half)];
        let error = std::array::from_fn(|k| {
            let steps =
                (fine.value[k] - middle.value[k]).abs() + (middle.value[k] - coarse.value[k]).abs();
            let grows = outer.iter().any(|outer| outer[k] > 4.0 * inner[k]);
            10.0 * steps + if grows { 4.0 * fine.magnitude[k] } else { 0.0 }
        });
        (fine, error)
    }

    /// At a panel that ends at 0: the integrals of A x^a, where all four integrands go as such powers
    /// over the panel. The part near 0 of x^-0.98 cannot be made negligible by halving.
    pub(super) fn power_law(&self, panel: &Panel) -> Option<(Sums, Four)> {
        let width = panel.to - panel.from;
        if (panel.from != 0.0 && panel.to != 0.0) || width > POWER_LAW * self.sigma {
            return None;
        }
        let side = if panel.from == 0.0 { 1.0 } else { -1.0 };
        let at = |share: f64| self.node(Bounded::exact(side * share * width), 1.0);
        let [outer, middle, inner] = [1.0, 0.25, 0.0625].map(at);
        let mut part = Sums::default();
        let mut error = [0.0; 4];
        for k in 0..4 {
            if outer[k].value == 0.0 && middle[k].value == 0.0 && inner[k].value == 0.0 {
                part.error[k] = width * outer[k].error;
                continue;
            }
            let power = |from: Bounded, to: Bounded| libm::log2(to.value / from.value) / 2.0;
            let (a, b) = (power(middle[k], outer[k]), power(inner[k], middle[k]));
            let off = (a - b).abs() + outer[k].relative_error() + middle[k].relative_error();
            if !(off < 1e-12 && a > -0.9999) {
                return None;
            }
            part.value[k] = outer[k].value * width / (1.0 + a);
            part.magnitude[k] = part.value[k].abs();
            part.error[k] = part.magnitude[k] * outer[k].relative_error();
            error[k] = part.magnitude[k] * 4.0 * off / (1.0 + a);
        }
        Some((part, error))
    }
}
