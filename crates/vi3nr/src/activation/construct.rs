//! Constructors of activations from numbers instead of text.

use super::builtin::Form;
use super::{Activation, Kind, Named};
use crate::Error;

impl Activation {
    /// Creates the built-in form `name` with these parameters; those that are omitted have their
    /// defaults. The names and keys are those of [`catalog`](super::builtin::catalog).
    ///
    /// # Errors
    /// Returns [`Error::UnknownActivation`] if no form has this name, [`Error::UnknownParameter`]
    /// if the form does not have one of the parameters, [`Error::OutOfRange`] if a value is not
    /// accepted, and [`Error::Syntax`] if a parameter is given twice.
    ///
    /// ```
    /// use vi3nr::Activation;
    ///
    /// let bump = Activation::builtin("super_gaussian", &[("sigma", 0.1), ("b", 4.0)])?;
    /// assert_eq!(bump, "super_gaussian:sigma=0.1,b=4".parse()?);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn builtin(name: &str, parameters: &[(&str, f64)]) -> Result<Self, Error> {
        let form = Form::from_named(&Named::from_parts(name, parameters)?)?;
        Ok(Self { kind: Kind::Builtin(form) })
    }

    /// exp(-x²/(2σ_a²)) with σ_a = `sigma`.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `sigma` is not a finite number above 0.
    ///
    /// ```
    /// use vi3nr::Activation;
    ///
    /// assert_eq!(Activation::gaussian(0.05)?, "gaussian:sigma=0.05".parse()?);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn gaussian(sigma: f64) -> Result<Self, Error> {
        Self::builtin("gaussian", &[("sigma", sigma)])
    }

    /// sin(ωx) with ω = `omega`, SIREN's activation.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `omega` is not a finite number above 0.
    pub fn sine(omega: f64) -> Result<Self, Error> {
        Self::builtin("sine", &[("omega", omega)])
    }

    /// sin(ax)/(ax).
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `a` is not a finite number above 0.
    pub fn sinc(a: f64) -> Result<Self, Error> {
        Self::builtin("sinc", &[("a", a)])
    }

    /// cos(ax) exp(-(ax)²), the real part of a Gabor wavelet.
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `a` is not a finite number above 0.
    pub fn wavelet(a: f64) -> Result<Self, Error> {
        Self::builtin("wavelet", &[("a", a)])
    }

    /// max(x, 0).
    pub fn relu() -> Self {
        Self { kind: Kind::Builtin(Form::RELU) }
    }

    /// The hyperbolic tangent.
    pub fn tanh() -> Self {
        Self { kind: Kind::Builtin(Form::TANH) }
    }

    /// x Φ(x), where Φ is the cumulative distribution function of N(0, 1).
    pub fn gelu() -> Self {
        Self { kind: Kind::Builtin(Form::GELU) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constructors_and_text_make_the_same_activations() {
        for (made, text) in [
            (Activation::gaussian(0.05), "gaussian:sigma=0.05"),
            (Activation::sine(30.0), "sine:omega=30"),
            (Activation::sinc(2.5), "sinc:a=2.5"),
            (Activation::wavelet(10.0), "wavelet:a=10"),
            (Ok(Activation::relu()), "relu"),
            (Ok(Activation::tanh()), "tanh"),
            (Ok(Activation::gelu()), "gelu"),
            (Activation::builtin("finer", &[]), "finer:omega=30"),
        ] {
            let made = made.unwrap();
            assert_eq!(made, text.parse().unwrap());
            assert_eq!(made.to_string(), text);
        }
    }

    #[test]
    fn what_no_form_accepts_is_refused() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(Activation::gaussian(value), Err(Error::OutOfRange { .. })));
            assert!(matches!(Activation::sine(value), Err(Error::OutOfRange { .. })));
        }
        let builtin = Activation::builtin;
        assert!(matches!(builtin("exp(x)", &[]), Err(Error::UnknownActivation { .. })));
        assert!(matches!(builtin("tanh", &[("a", 1.0)]), Err(Error::UnknownParameter { .. })));
        let twice = builtin("sinc", &[("a", 1.0), ("a", 2.0)]);
        assert!(matches!(twice, Err(Error::Syntax { .. })));
    }
}
