//! The forms whose moments are known in closed form, one file for each.
//!
//! Every file has a function `moments`, of the form's parameters and of σ, that returns E\[f\],
//! E\[f²\], E\[f'\] and E\[f'²\] under N(0, σ²) in this order, with the bounds that the arithmetic of
//! [`Bounded`] carries along. A new one is a file and its lines below; a form without one is
//! integrated.

mod erf;
mod expsin;
mod finer;
mod gaussian;
mod leaky_relu;
mod relu;
mod sinc;
mod sine;
mod super_gaussian;
mod wavelet;

use crate::Bounded;
use crate::activation::builtin::Form;

/// The four moments of `form`; `None` where no closed form is known, or where it would lose more
/// digits than the quadrature does.
pub(super) fn moments(form: &Form, sigma: f64) -> Option<[Bounded; 4]> {
    match form {
        Form::Erf(_) => Some(erf::moments(sigma)),
        Form::ExpSin(form) => Some(expsin::moments(form, sigma)),
        Form::Finer(form) => finer::moments(form, sigma),
        Form::Gaussian(form) => Some(gaussian::moments(form, sigma)),
        Form::LeakyRelu(form) => Some(leaky_relu::moments(form, sigma)),
        Form::Relu(_) => Some(relu::moments(sigma)),
        Form::Sinc(form) => sinc::moments(form, sigma),
        Form::Sine(form) => Some(sine::moments(form, sigma)),
        Form::SuperGaussian(form) => Some(super_gaussian::moments(form, sigma)),
        Form::Wavelet(form) => Some(wavelet::moments(form, sigma)),
        _ => None,
    }
}
