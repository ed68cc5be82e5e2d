//! The expectations that covariances of derivatives need.

use crate::activation::formula::Derived;
use crate::moments::budget::Budget;
use crate::number::significant;
use crate::{Activation, Error, Moments};

/// Relative distance of two σ at which expectations are taken for equal: far below what the theory
/// of wide layers neglects.
const SAME: f64 = 1e-12;

/// Operations for the integrals of all layers, some 2 s, and for one of them. A thousand layers of
/// tanh, each with a variance of its own, take 0.2 s.
const OPERATIONS: u64 = 60_000_000;
const PER_INTEGRAL: u64 = 4_000_000;

/// E\[u^p g²\] for u = z/σ ~ N(0, 1) and p = 0, 2, 4.
pub(super) type ByPower = [f64; 3];

/// Expectations of f, f' and f'' under N(0, σ²).
#[derive(Debug, Clone, Copy)]
pub(super) struct Expectations {
    pub(super) sigma: f64,
    /// Those of f; the last is NaN if those of f'' are not known.
    pub(super) value: ByPower,
    /// Those of f'; the last is NaN if those of f'' are not known.
    pub(super) slope: ByPower,
    /// Those of f''.
    pub(super) second: Option<ByPower>,
}

impl Expectations {
    /// Whether they are those under N(0, `sigma`²).
    pub(super) fn are_at(&self, sigma: f64) -> bool {
        (sigma - self.sigma).abs() <= SAME * sigma
    }
}

/// A function with its derivative, and its second derivative where that has expectations.
pub(super) struct Functions<'a> {
    activation: &'a Activation,
    /// f', whose derivative is f''.
    slope: Option<Activation>,
    /// Why there are no expectations of f'', until it is taken.
    refusal: Option<Error>,
    budget: Budget,
}

impl<'a> Functions<'a> {
    /// # Errors
    /// Returns [`Error::Moment`] if f jumps: f' then has a point mass.
    pub(super) fn of(activation: &'a Activation) -> Result<Self, Error> {
        if let Some(point) = activation.singularities().and_then(|known| known.jump) {
            return Err(Error::Moment {
                moment: "E[f'^2]",
                activation: activation.to_string(),
                sigma: activation.feature_width(),
                reason: format!(
                    "it is infinite: f jumps or has a pole near x = {}",
                    significant(point, 6)
                ),
            });
        }
        let (slope, refusal) = match activation.derived(Derived::Slope) {
            Ok(slope) => (Some(slope), None),
            Err(error) => (None, Some(error)),
        };
        let budget = Budget::of(OPERATIONS, PER_INTEGRAL);
        Ok(Self { activation, slope, refusal, budget })
    }

    /// Why expectations of f'' have become unknown since the last call.
    pub(super) fn take_refusal(&mut self) -> Option<Error> {
        self.refusal.take()
    }

    /// The expectations under N(0, `sigma`²).
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] and [`Error::Moment`] as [`Moments::of`] does, and
    /// [`Error::Moment`] if E\[f'²\] is infinite.
    pub(super) fn expectations(&mut self, sigma: f64) -> Result<Expectations, Error> {
        let plain = Moments::within(self.activation, sigma, &self.budget)?;
        let by_square = Moments::by_power(self.activation, sigma, 2, &self.budget)?;
        let infinite = |moment, name: &Activation, reason: &str| Error::Moment {
            moment,
            activation: name.to_string(),
            sigma,
            reason: reason.into(),
        };
        if !plain.derivative_second_moment.is_finite() {
            let reason = "it is infinite: f'^2 has no finite integral";
            return Err(infinite("E[f'^2]", self.activation, reason));
        }
        let [mut value, mut slope] = [
            [plain.second_moment.value, by_square.second_moment.value, f64::NAN],
            [
                plain.derivative_second_moment.value,
                by_square.derivative_second_moment.value,
                f64::NAN,
            ],
        ];
        let mut second = None;
        if let Some(function) = &self.slope {
            let of_power = |power| Moments::by_power(function, sigma, power, &self.budget);
            let found = of_power(0).and_then(|none| Ok([none, of_power(2)?, of_power(4)?]));
            let found = found.and_then(|found| {
                let squares = found.map(|moments| moments.derivative_second_moment.value);
                if squares.iter().all(|square| square.is_finite()) {
                    let fourth = Moments::by_power(self.activation, sigma, 4, &self.budget)?;
                    return Ok((squares, fourth));
                }
                let jump = function.singularities().and_then(|known| known.jump);
                let reason = match jump {
                    Some(x) => format!("it is infinite: f' jumps near x = {}", significant(x, 6)),
                    None => "it is infinite: f''^2 has no finite integral".into(),
                };
                Err(infinite("E[f''^2]", self.activation, &reason))
            });
            match found {
                Ok((squares, fourth)) => {
                    second = Some(squares);
                    value[2] = fourth.second_moment.value;
                    slope[2] = fourth.derivative_second_moment.value;
                }
                Err(error) => {
                    self.slope = None;
                    self.refusal = Some(error);
                }
            }
        }
        Ok(Expectations { sigma, value, slope, second })
    }
}
