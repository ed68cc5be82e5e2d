//! The built-in forms, listed once.

use super::elu::Elu;
use super::erf::Erf;
use super::expsin::ExpSin;
use super::finer::Finer;
use super::gaussian::Gaussian;
use super::gelu::Gelu;
use super::laplacian::Laplacian;
use super::leaky_relu::LeakyRelu;
use super::mish::Mish;
use super::multi_quadratic::MultiQuadratic;
use super::quadratic::Quadratic;
use super::relu::Relu;
use super::selu::Selu;
use super::sigmoid::Sigmoid;
use super::silu::Silu;
use super::sinc::Sinc;
use super::sine::Sine;
use super::softplus::Softplus;
use super::super_gaussian::SuperGaussian;
use super::tanh::Tanh;
use super::wavelet::Wavelet;
use super::{Formula, Function, Named, Parameter, Symmetry, Visitor};
use crate::moments::Moments;
use crate::{Error, Scheme};

/// What a built-in form states about itself besides its value and derivative.
pub(crate) trait Builtin: Function {
    /// How it is written.
    const NAME: &'static str;
    /// Its parameters in the order of `from_values` and `values`.
    const PARAMETERS: &'static [Parameter];

    /// Its definition as a formula in x and the parameters' names: what the enclosures of the
    /// quadrature are computed from, and what its code is tested against.
    const DEFINITION: &'static str;

    /// The form with these parameter values, one per entry of `PARAMETERS`.
    fn from_values(values: &[f64]) -> Self;

    /// The parameter values, one per entry of `PARAMETERS`.
    fn values(&self) -> Vec<f64>;

    /// The points where f or f' is not smooth, in increasing order.
    fn kinks(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Whether it is even or odd for all values of its parameters.
    const SYMMETRY: Symmetry = Symmetry::Unknown;

    /// The width of the finest feature of the function.
    fn feature_width(&self) -> f64;

    /// The initialisation that was published with this activation, where one was.
    fn own_scheme(&self) -> Option<Scheme> {
        None
    }

    /// What `torch.nn.init.calculate_gain` lists for it, where it does.
    fn torch_gain(&self) -> Option<f64> {
        None
    }

    /// The moments under N(0, sigma²) in closed form, where one exists.
    fn closed_moments(&self, _sigma: f64) -> Option<Moments> {
        None
    }
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

/// Lists the forms: one line here and one file in this folder make a built-in.
macro_rules! forms {
    ($($form:ident),* $(,)?) => {
        /// A built-in form with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        pub(super) enum Form { $($form($form)),* }

        impl Form {
            pub(super) fn from_named(named: &Named) -> Result<Self, Error> {
                $(if named.name == $form::NAME {
                    return Ok(Self::$form($form::from_values(&named.values($form::PARAMETERS)?)));
                })*
                Err(Error::UnknownActivation {
                    name: named.name.clone(),
                    known: catalogue().map(|(name, _)| name).collect::<Vec<_>>().join(", "),
                })
            }

            /// The form whose definition, with 1 or one of the numbers in `formula` as its parameter,
            /// is compiled to the very same program: what is known of it holds for the formula too.
            /// A parameter of 1 leaves no number behind, as in sin(x).
            pub(super) fn behind(formula: &Formula) -> Option<Self> {
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
                        let twin = Formula::twin(form.definition(), &form.parameters());
                        if twin.is_ok_and(|twin| twin.program() == formula.program()) {
                            return Some(form);
                        }
                    }
                })*
                None
            }

            pub(super) fn name(&self) -> &'static str {
                match self { $(Self::$form(_) => $form::NAME),* }
            }

            pub(super) fn definition(&self) -> &'static str {
                match self { $(Self::$form(_) => $form::DEFINITION),* }
            }

            pub(super) fn parameters(&self) -> Vec<(&'static str, f64)> {
                let (parameters, values) = match self {
                    $(Self::$form(form) => ($form::PARAMETERS, form.values())),*
                };
                parameters.iter().map(|parameter| parameter.name).zip(values).collect()
            }

            pub(super) fn kinks(&self) -> Vec<f64> {
                match self { $(Self::$form(form) => form.kinks()),* }
            }

            pub(super) fn feature_width(&self) -> f64 {
                match self { $(Self::$form(form) => form.feature_width()),* }
            }

            pub(super) fn symmetry(&self) -> Symmetry {
                match self { $(Self::$form(_) => $form::SYMMETRY),* }
            }

            pub(super) fn own_scheme(&self) -> Option<Scheme> {
                match self { $(Self::$form(form) => form.own_scheme()),* }
            }

            pub(super) fn torch_gain(&self) -> Option<f64> {
                match self { $(Self::$form(form) => form.torch_gain()),* }
            }

            pub(super) fn closed_moments(&self, sigma: f64) -> Option<Moments> {
                match self { $(Self::$form(form) => form.closed_moments(sigma)),* }
            }

            pub(super) fn visit<V: Visitor>(&self, visitor: V) -> V::Output {
                match self { $(Self::$form(form) => visitor.visit(form.clone())),* }
            }
        }

        /// Every built-in activation: its name and its parameters.
        pub fn catalogue() -> impl Iterator<Item = (&'static str, &'static [Parameter])> {
            [$(($form::NAME, $form::PARAMETERS)),*].into_iter()
        }
    };
}

forms!(
    Sine,
    Gaussian,
    Sinc,
    Wavelet,
    Tanh,
    Sigmoid,
    Relu,
    LeakyRelu,
    Elu,
    Selu,
    Gelu,
    Silu,
    Softplus,
    Mish,
    Erf,
    Laplacian,
    Quadratic,
    MultiQuadratic,
    SuperGaussian,
    ExpSin,
    Finer,
);

impl Form {
    pub(super) const RELU: Self = Self::Relu(Relu);
    pub(super) const TANH: Self = Self::Tanh(Tanh);
    pub(super) const GELU: Self = Self::Gelu(Gelu);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Bounded};

    #[test]
    fn every_slope_is_the_derivative_of_its_value() {
        for (name, _) in catalogue() {
            let activation: Activation = name.parse().unwrap();
            let h = 1e-5 * activation.feature_width();
            for step in -40..=40 {
                let x = 0.0707 * f64::from(step) * activation.feature_width() * 3.0 + 1.3e-3;
                if activation.kinks().iter().any(|kink| (x - kink).abs() <= h) {
                    continue;
                }
                let difference = (activation.value(x + h) - activation.value(x - h)) / (2.0 * h);
                let slope = activation.value_and_slope(x).1;
                let scale = 1.0 / activation.feature_width();
                assert!(
                    (slope - difference).abs() < 1e-8 * scale,
                    "{activation}: f'({x}) = {slope}, difference quotient {difference}"
                );
            }
        }
    }

    #[test]
    fn every_form_is_what_its_definition_says() {
        for (name, _) in catalogue() {
            let activation: Activation = name.parse().unwrap();
            let definition = activation.to_formula().unwrap();
            for step in -60..=60 {
                let x = 0.1234 * f64::from(step) * activation.feature_width() + 1e-3;
                let (value, slope) = activation.value_and_slope_on(Bounded::exact(x));
                let (same, also) = definition.program().run(Bounded::exact(x));
                for (a, b) in [(value, same), (slope, also)] {
                    let allowed = a.error + b.error + 1e-14 * a.value.abs();
                    assert!((a.value - b.value).abs() <= allowed, "{name} at {x}: {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn stated_symmetries_are_those_of_the_definitions() {
        for (name, _) in catalogue() {
            let activation: Activation = name.parse().unwrap();
            let definition = activation.to_formula().unwrap();
            assert_eq!(activation.symmetry(), definition.symmetry(), "{name}");
        }
    }

    #[test]
    fn tails_neither_overflow_nor_cancel() {
        let at = |name: &str, x: f64| name.parse::<Activation>().unwrap().value_and_slope(x);
        for (name, _) in catalogue() {
            for x in [-1e4, -800.0, 800.0, 1e4] {
                let (value, slope) = at(name, x);
                assert!(value.is_finite() && slope.is_finite(), "{name} at {x}: {value} {slope}");
            }
        }
        // Left tails with all their digits: x e^x, x Φ(x), e^x.
        assert!((at("silu", -40.0).0 / (-40.0 * (-40f64).exp()) - 1.0).abs() < 1e-14);
        assert!((at("softplus", -40.0).0 / (-40f64).exp() - 1.0).abs() < 1e-14);
        assert!((at("mish", -40.0).0 / (-40.0 * (-40f64).exp()) - 1.0).abs() < 1e-14);
        assert!((at("gelu", -10.0).0 / -7.619853024160495e-23 - 1.0).abs() < 1e-12);
        assert_eq!(at("elu", -1e-20).0, -1e-20);
    }

    #[test]
    fn text_round_trips() {
        for text in ["sine:omega=30", "gaussian:sigma=0.05", "sinc:a=2.5", "tanh", "relu"] {
            let activation: Activation = text.parse().unwrap();
            assert_eq!(activation.to_string(), text);
            assert_eq!(activation.to_string().parse::<Activation>().unwrap(), activation);
        }
        let spaced: Activation = " gaussian : sigma = 5e-2 ".parse().unwrap();
        assert_eq!(spaced.to_string(), "gaussian:sigma=0.05");
    }

    #[test]
    fn defaults_are_the_papers() {
        let written: Vec<_> =
            catalogue().map(|(name, _)| name.parse::<Activation>().unwrap().to_string()).collect();
        assert_eq!(
            written,
            [
                "sine:omega=30",
                "gaussian:sigma=0.05",
                "sinc:a=1",
                "wavelet:a=1",
                "tanh",
                "sigmoid",
                "relu",
                "leaky_relu:slope=0.01",
                "elu:alpha=1",
                "selu",
                "gelu",
                "silu",
                "softplus",
                "mish",
                "erf",
                "laplacian:sigma=1",
                "quadratic:a=1",
                "multi_quadratic:a=1",
                "super_gaussian:sigma=1,b=1",
                "expsin:a=1",
                "finer:omega=30"
            ]
        );
    }

    #[test]
    fn bad_text_is_refused_with_what_was_expected() {
        let message = |text: &str| text.parse::<Activation>().unwrap_err().to_string();
        assert!(message("gausian").contains("known: sine, gaussian"));
        assert!(message("gaussian:omega=1").contains("it has: sigma"));
        assert!(message("tanh:a=1").contains("it has: none"));
        assert!(message("gaussian:sigma=0").contains("above 0"));
        assert!(message("gaussian:sigma=-1").contains("above 0"));
        assert!(message("gaussian:sigma=nan").contains("finite"));
        assert!(message("gaussian:sigma=inf").contains("finite"));
        assert!(message("gaussian:sigma").contains("not key=value"));
        assert!(message("gaussian:sigma=x").contains("not a number"));
        assert!(message("gaussian:sigma=1,sigma=2").contains("twice"));
        assert!(message("").contains("empty"));
        assert!(message(&"x".repeat(100_000)).contains("100000 bytes"));
    }
}
