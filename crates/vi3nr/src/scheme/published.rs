//! Published initializations and gains of particular activations.

use super::Scheme;
use crate::Activation;
use crate::activation::builtin::Form;

impl Activation {
    /// The scheme that was published together with this activation, if there is one: SIREN's for
    /// the sine. A formula that is equal to a built-in form has the scheme of the form.
    pub fn own_scheme(&self) -> Option<Scheme> {
        self.sine_frequency().map(|omega| Scheme::Siren { omega })
    }

    /// The gain that `torch.nn.init.calculate_gain` lists for this activation, or `None` if it does
    /// not list the activation. A formula that is equal to a built-in form has the gain of the
    /// form.
    pub fn torch_gain(&self) -> Option<f64> {
        match self.form()? {
            Form::Sigmoid(_) => Some(1.0),
            Form::Tanh(_) => Some(5.0 / 3.0),
            Form::Relu(_) => Some(std::f64::consts::SQRT_2),
            Form::LeakyRelu(form) => Some(libm::sqrt(2.0 / (1.0 + form.slope * form.slope))),
            Form::Selu(_) => Some(0.75),
            _ => None,
        }
    }
}
