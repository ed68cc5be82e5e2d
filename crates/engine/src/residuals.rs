//! The residuals of a squared loss on values and derivatives.

use crate::{Power, Term, WeightedTerm};

/// Which residuals the curvature of a squared loss is of: the loss at a point is
/// Σ_o (v Φ_o - …)² + ‖g ∇Φ_o - …‖² + (l ΔΦ_o - …)² with these factors v, g and l. A residual with
/// the factor 0 is left out.
///
/// The residuals of a point are ordered by kind: values, the derivatives along each coordinate,
/// Laplacians; each kind has one residual for each output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residuals {
    /// The factor v of the values.
    pub value: f64,
    /// The factor g of the first derivatives.
    pub gradient: f64,
    /// The factor l of the Laplacians.
    pub laplacian: f64,
}

impl Residuals {
    /// The residuals of a loss on values alone.
    pub const VALUES: Self = Self { value: 1.0, gradient: 0.0, laplacian: 0.0 };

    /// The residuals whose weighted mean squares are the sum of `terms`, or `None` if a term is not
    /// the square of a difference to a known value, gradient or Laplacian.
    ///
    /// ```
    /// use vi3nr_engine::Residuals;
    ///
    /// let of = |text: &str| Residuals::of_terms(&[text.parse().unwrap()]);
    /// assert_eq!(of("gradient:4").unwrap().gradient, 2.0);
    /// assert_eq!(of("eikonal:1"), None);
    /// ```
    pub fn of_terms(terms: &[WeightedTerm]) -> Option<Self> {
        let (power, signed) = (Power::Two, true);
        let mut squares = [0.0; 3];
        for WeightedTerm { term, weight } in terms {
            let kind = [
                Term::Value { power, signed },
                Term::Gradient { power, signed },
                Term::Laplacian { power },
            ];
            squares[kind.iter().position(|kind| kind == term)?] += weight;
        }
        let [value, gradient, laplacian] = squares.map(f64::sqrt);
        Some(Self { value, gradient, laplacian })
    }

    /// The highest derivative with respect to the coordinates: 0, 1 or 2.
    pub fn order(&self) -> usize {
        match (self.gradient != 0.0, self.laplacian != 0.0) {
            (_, true) => 2,
            (true, false) => 1,
            (false, false) => 0,
        }
    }

    /// The number of residuals of a point for a network with `inputs` coordinates and `outputs`
    /// values.
    pub fn count(&self, inputs: usize, outputs: usize) -> usize {
        self.channels(inputs).count() * outputs
    }

    /// The channel and the factor of each kind of residual, in their order; see
    /// [`Channels::of_order`](crate::channels::Channels::of_order).
    pub(crate) fn channels(&self, inputs: usize) -> impl Iterator<Item = (usize, f64)> {
        let value = std::iter::once((0, self.value));
        let gradient = (0..inputs).map(|a| (1 + a, self.gradient));
        let laplacian = std::iter::once((1 + inputs, self.laplacian));
        value.chain(gradient).chain(laplacian).filter(|(_, factor)| *factor != 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_are_counted_by_kind() {
        let count = |value, gradient, laplacian| {
            let residuals = Residuals { value, gradient, laplacian };
            (residuals.count(3, 2), residuals.order())
        };
        assert_eq!(count(1.0, 0.0, 0.0), (2, 0));
        assert_eq!(count(0.0, 2.0, 0.0), (6, 1));
        assert_eq!(count(1.0, 2.0, 0.5), (10, 2));
        assert_eq!(Residuals::VALUES.count(7, 1), 1);
    }
}
