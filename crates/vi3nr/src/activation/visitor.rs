//! Being compiled for the function behind an activation.

use super::formula::Formula;
use super::function::Function;

/// A caller that wants the concrete [`Function`] behind an [`Activation`](crate::Activation).
///
/// The one way to be compiled for each activation without naming any: `visit` is instantiated for
/// every built-in form, and for [`Formula`], which interprets its program.
pub trait Visitor {
    /// What the visit returns.
    type Output;

    /// Called with the function of the activation.
    fn visit<F: Function>(self, function: F) -> Self::Output;

    /// Called instead of [`Visitor::visit`] when the activation is a formula, for engines that walk
    /// its [`Program`](super::formula::Program) over whole tiles; otherwise it is visited like any other
    /// function.
    fn visit_formula(self, formula: &Formula) -> Self::Output
    where
        Self: Sized,
    {
        self.visit(formula.clone())
    }
}
