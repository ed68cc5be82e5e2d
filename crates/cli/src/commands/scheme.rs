//! From typed options to the rule for the first weights.

use vi3nr::scheme::PAPER_SAMPLES;
use vi3nr::{Activation, Scheme};

use crate::arguments::{InitChoice, Sigma};
use crate::output::Failure;

/// The options that decide the scheme.
pub(crate) struct TypedScheme<'a> {
    /// The name of the option that held `choice`, for messages.
    pub(crate) option: &'static str,
    pub(crate) choice: InitChoice,
    pub(crate) sigma_p: Option<Sigma>,
    pub(crate) last_sigma_p: Option<f64>,
    /// The sigma_p of ours where none was typed.
    pub(crate) default_sigma_p: &'a dyn Fn(&Activation) -> Result<f64, vi3nr::Error>,
}

impl TypedScheme<'_> {
    /// What they mean for `activation`.
    pub(crate) fn resolve(&self, activation: &Activation) -> Result<Scheme, Failure> {
        let option = self.option;
        let typed_sigma = self.sigma_p.is_some() || self.last_sigma_p.is_some();
        Ok(match self.choice {
            InitChoice::Ours => self.ours(activation)?,
            InitChoice::Sampled if self.last_sigma_p.is_some() => {
                let reason = format!("--last-sigma-p belongs to {option} ours");
                return Err(Failure::Unusable(reason));
            }
            InitChoice::Sampled => {
                Scheme::Sampled { sigma_p: self.sigma_p(activation)?, samples: PAPER_SAMPLES }
            }
            InitChoice::Auto if typed_sigma => self.ours(activation)?,
            InitChoice::Auto => match activation.own_scheme() {
                Some(scheme) => scheme,
                None => self.ours(activation)?,
            },
            InitChoice::Siren | InitChoice::Given(_) if typed_sigma => {
                let reason = format!("--sigma-p and --last-sigma-p belong to {option} ours");
                return Err(Failure::Unusable(reason));
            }
            InitChoice::Siren => activation.own_scheme().ok_or_else(|| {
                let reason =
                    format!("{option} siren was derived for the sine, not for {activation}");
                Failure::Unusable(reason)
            })?,
            InitChoice::Given(scheme) => scheme,
        })
    }

    fn ours(&self, activation: &Activation) -> Result<Scheme, Failure> {
        let sigma_p = self.sigma_p(activation)?;
        Ok(Scheme::VarianceInformed { sigma_p, last_sigma_p: self.last_sigma_p })
    }

    fn sigma_p(&self, activation: &Activation) -> Result<f64, Failure> {
        match self.sigma_p {
            Some(typed) => sigma_p(activation, typed),
            None => (self.default_sigma_p)(activation).map_err(Failure::unusable),
        }
    }
}

/// The number that was typed or that `auto` stands for.
pub(crate) fn sigma_p(activation: &Activation, typed: Sigma) -> Result<f64, Failure> {
    match typed {
        Sigma::Given(sigma_p) => Ok(sigma_p),
        Sigma::Auto => vi3nr::auto_sigma_p(activation).map_err(Failure::unusable),
    }
}
