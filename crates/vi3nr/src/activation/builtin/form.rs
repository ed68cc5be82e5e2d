//! What every built-in form states about itself.

use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// What a built-in form states about itself besides its value and derivative.
pub(crate) trait Builtin: Function {
    /// How it is written.
    const NAME: &'static str;
    /// Its parameters in the order of `from_values` and `values`.
    const PARAMETERS: &'static [Parameter];

    /// Its definition as a formula in x and the parameters' names: what the enclosures of the
    /// quadrature are computed from, and what its code is tested against.
    const DEFINITION: &'static str;

    /// Whether it is even or odd for all values of its parameters.
    const SYMMETRY: Symmetry = Symmetry::Unknown;

    /// The form with these parameter values, one per entry of `PARAMETERS`.
    fn from_values(values: &[f64]) -> Self;

    /// The parameter values, one per entry of `PARAMETERS`.
    fn values(&self) -> Vec<f64>;

    /// The points where f or f' is not smooth, in increasing order.
    fn kinks(&self) -> Vec<f64> {
        Vec::new()
    }

    /// The width of the finest feature of the function.
    fn feature_width(&self) -> f64;
}

/// [`Builtin::from_values`] and [`Builtin::values`] of a form whose fields are its parameters, in the
/// order of [`Builtin::PARAMETERS`].
macro_rules! fields {
    () => {
        fn from_values(_: &[f64]) -> Self {
            Self
        }

        fn values(&self) -> Vec<f64> {
            Vec::new()
        }
    };
    ($($field:ident),+) => {
        fn from_values(values: &[f64]) -> Self {
            let mut values = values.iter().copied();
            // One for each entry of PARAMETERS; a NaN would be refused by every use.
            Self { $($field: values.next().unwrap_or(f64::NAN)),+ }
        }

        fn values(&self) -> Vec<f64> {
            vec![$(self.$field),+]
        }
    };
}
pub(super) use fields;
