//! Static dispatch on the function of an activation.

use super::formula::Formula;
use super::function::Function;

/// Code that needs the concrete [`Function`] of an [`Activation`](crate::Activation).
///
/// [`Visitor::visit`] is instantiated for every built-in form, and for [`Formula`], which
/// interprets its program. A visitor is thus compiled for each activation without naming any of
/// them.
pub trait Visitor {
    /// The result of the visit.
    type Output;

    /// Receives the function of the activation.
    fn visit<F: Function>(self, function: F) -> Self::Output;

    /// Receives the formula instead of [`Visitor::visit`] if the activation is one. Engines
    /// override it to interpret the [`Program`](super::formula::Program) over whole tiles. The
    /// default visits the formula like any other function.
    fn visit_formula(self, formula: &Formula) -> Self::Output
    where
        Self: Sized,
    {
        self.visit(formula.clone())
    }
}
