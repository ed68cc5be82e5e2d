//! A scalar function with its derivative, on any number type.

use crate::Real;

/// A scalar function with its derivative, evaluated on any [`Real`].
pub trait Function: Clone + Send + Sync + 'static {
    /// Whether f(x) = x for all x of some interval, as for ReLU. Only the speed of an engine depends on
    /// it.
    const IS_PARTLY_IDENTITY: bool = false;

    /// f(x) and f'(x). At a kink, the derivative of a built-in form is that of the left side.
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R);

    /// f(x) and its first three derivatives, for the derivatives of networks with respect to their
    /// coordinates. The first two agree with [`Function::value_and_slope`] to rounding. At a kink,
    /// the derivatives of a built-in form are those of the left side.
    fn jet<R: Real>(&self, x: R) -> [R; 4];

    /// f(x) only, with the same bits as the first result of [`Function::value_and_slope`].
    #[inline(always)]
    fn value<R: Real>(&self, x: R) -> R {
        self.value_and_slope(x).0
    }
}
