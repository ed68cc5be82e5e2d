//! The properties that every built-in form defines.

use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// The properties of a built-in form besides its value and derivative.
pub(crate) trait Builtin: Function {
    /// The name in the text form.
    const NAME: &'static str;
    /// The parameters, in the order of `from_values` and `values`.
    const PARAMETERS: &'static [Parameter];

    /// The definition as a formula in x and the names of the parameters. The quadrature computes
    /// its enclosures from it, and the tests compare the code of the form with it.
    const DEFINITION: &'static str;

    /// Whether the form is even or odd for all values of its parameters.
    const SYMMETRY: Symmetry = Symmetry::Unknown;

    /// Creates the form with these values, one per entry of `PARAMETERS`.
    fn from_values(values: &[f64]) -> Self;

    /// The values of the parameters, one per entry of `PARAMETERS`.
    fn values(&self) -> Vec<f64>;

    /// The points at which f or f' is not smooth, in increasing order.
    fn kinks(&self) -> Vec<f64> {
        Vec::new()
    }

    /// The width of the finest feature of the function.
    fn feature_width(&self) -> f64;
}

/// [`Builtin::from_values`] and [`Builtin::values`] of a form whose fields are its parameters, in
/// the order of [`Builtin::PARAMETERS`].
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
            // There is one value for each entry of PARAMETERS, so that the NaN is never used.
            Self { $($field: values.next().unwrap_or(f64::NAN)),+ }
        }

        fn values(&self) -> Vec<f64> {
            vec![$(self.$field),+]
        }
    };
}
pub(super) use fields;
