//! The built-in forms, one file each.

mod elu;
mod erf;
mod expsin;
mod finer;
mod form;
mod gaussian;
mod gelu;
mod laplacian;
mod leaky_relu;
mod mish;
mod multi_quadratic;
mod quadratic;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod sinc;
mod sine;
mod softplus;
mod super_gaussian;
mod tanh;
mod wavelet;

use super::formula::Formula;
use super::function::Function;
use super::named::Named;
use super::parameter::Parameter;
use super::symmetry::Symmetry;
use super::visitor::Visitor;
use crate::Error;
use form::Builtin;

/// Defines [`Form`] and [`catalog`] from a list of `module::Type`.
macro_rules! forms {
    ($($module:ident::$form:ident),* $(,)?) => {
        $(pub(crate) use $module::$form;)*

        /// A built-in form with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum Form { $($form($form)),* }

        impl Form {
            pub(crate) fn from_named(named: &Named) -> Result<Self, Error> {
                $(if named.name == $form::NAME {
                    return Ok(Self::$form($form::from_values(&named.values($form::PARAMETERS)?)));
                })*
                Err(Error::UnknownActivation {
                    name: named.name.clone(),
                    known: catalog().map(|(name, _)| name).collect::<Vec<_>>().join(", "),
                })
            }

            /// The built-in form that `formula` is equal to: the one whose definition compiles to
            /// the same program, with one of the numbers in `formula` as its parameter, or with 1,
            /// which leaves no number in a formula such as sin(x).
            pub(crate) fn spelled_by(formula: &Formula) -> Option<Self> {
                let mut numbers = formula.numbers();
                if !numbers.contains(&1.0) {
                    numbers.push(1.0);
                }
                $({
                    let parameters = $form::PARAMETERS;
                    let candidates: Vec<Vec<f64>> = match parameters.len() {
                        0 => vec![Vec::new()],
                        1 => numbers.iter().map(|number| vec![*number]).collect(),
                        _ => Vec::new(),
                    };
                    for values in candidates {
                        if !parameters.iter().zip(&values).all(|(p, v)| p.accepted.contains(*v)) {
                            continue;
                        }
                        let form = $form::from_values(&values);
                        let agrees = |x: f64| {
                            let difference = form.value(x) - formula.value(x);
                            difference.abs() <= 1e-9 * form.value(x).abs()
                        };
                        if !(agrees(0.3172) && agrees(-1.2345)) {
                            continue;
                        }
                        let form = Self::$form(form);
                        let definition =
                            Formula::of_definition(form.definition(), &form.parameters());
                        if definition.is_ok_and(|it| it.program() == formula.program()) {
                            return Some(form);
                        }
                    }
                })*
                None
            }

            pub(crate) fn name(&self) -> &'static str {
                match self { $(Self::$form(_) => $form::NAME),* }
            }

            pub(crate) fn definition(&self) -> &'static str {
                match self { $(Self::$form(_) => $form::DEFINITION),* }
            }

            pub(crate) fn parameters(&self) -> Vec<(&'static str, f64)> {
                let (parameters, values) = match self {
                    $(Self::$form(form) => ($form::PARAMETERS, form.values())),*
                };
                parameters.iter().map(|parameter| parameter.name).zip(values).collect()
            }

            pub(crate) fn kinks(&self) -> Vec<f64> {
                match self { $(Self::$form(form) => form.kinks()),* }
            }

            pub(crate) fn feature_width(&self) -> f64 {
                match self { $(Self::$form(form) => form.feature_width()),* }
            }

            pub(crate) fn symmetry(&self) -> Symmetry {
                match self { $(Self::$form(_) => $form::SYMMETRY),* }
            }

            pub(crate) fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
                match self { $(Self::$form(form) => visitor.visit(form.clone())),* }
            }
        }

        /// The name and the parameters of every built-in activation.
        pub fn catalog() -> impl Iterator<Item = (&'static str, &'static [Parameter])> {
            [$(($form::NAME, $form::PARAMETERS)),*].into_iter()
        }
    };
}

forms!(
    sine::Sine,
    gaussian::Gaussian,
    sinc::Sinc,
    wavelet::Wavelet,
    tanh::Tanh,
    sigmoid::Sigmoid,
    relu::Relu,
    leaky_relu::LeakyRelu,
    elu::Elu,
    selu::Selu,
    gelu::Gelu,
    silu::Silu,
    softplus::Softplus,
    mish::Mish,
    erf::Erf,
    laplacian::Laplacian,
    quadratic::Quadratic,
    multi_quadratic::MultiQuadratic,
    super_gaussian::SuperGaussian,
    expsin::ExpSin,
    finer::Finer,
);

impl Form {
    pub(crate) const RELU: Self = Self::Relu(Relu);
    pub(crate) const TANH: Self = Self::Tanh(Tanh);
    pub(crate) const GELU: Self = Self::Gelu(Gelu);
}

#[cfg(test)]
mod tests;
