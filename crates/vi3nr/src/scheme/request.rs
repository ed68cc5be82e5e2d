//! Requests for a scheme and their resolution.

use std::fmt;
use std::str::FromStr;

use super::text::{DEFAULT_ALPHA, DEFAULT_K};
use super::{PAPER_SAMPLES, Scheme, SigmaP, SigmaReason, SigmaRequest, default_sigma_p};
use crate::activation::{Named, write_named};
use crate::{Activation, Error, InitRule, require_positive};

/// A request for a scheme: a name whose parameters are chosen later, or a complete scheme.
///
/// ```
/// use vi3nr::{Activation, Scheme};
/// use vi3nr::scheme::{SchemeRequest, SigmaRequests};
///
/// let auto: SchemeRequest = "auto".parse()?;
/// let none = SigmaRequests::default();
/// let chosen = auto.resolve(&Activation::sine(30.0)?, &none, 1.0).unwrap();
/// assert_eq!(chosen.scheme, Scheme::Siren { omega: 30.0 });
/// let chosen = auto.resolve(&Activation::relu(), &none, 1.0).unwrap();
/// assert_eq!(chosen.scheme.to_string(), "ours:sigma_p=1");
/// # Ok::<(), vi3nr::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum SchemeRequest {
    /// `auto`: the scheme that was published with the activation if there is one and no σ_p is
    /// given, otherwise [`SchemeRequest::VarianceInformed`].
    Auto,
    /// `ours` or `vi3nr`: [`Scheme::VarianceInformed`] with the given σ_p, or the default.
    VarianceInformed,
    /// `ours_mc` or `vi3nr-mc`: [`Scheme::MonteCarlo`] with the given σ_p, or the default, and
    /// [`PAPER_SAMPLES`] samples.
    MonteCarlo,
    /// `backward`: [`Scheme::Backward`] with the given σ_p, or the default.
    Backward,
    /// `eoc`: [`Scheme::EdgeOfChaos`] with the given σ_p, or the default.
    EdgeOfChaos,
    /// `siren`: [`Scheme::Siren`] with the ω of the activation, which must be a sine.
    Siren,
    /// `ws` or `ws:alpha=A`: [`Scheme::WeightScaling`] with the ω of the activation, which must be a
    /// sine, and by default α = 2.5.
    WeightScaling {
        /// The factor of the weights.
        alpha: Option<f64>,
    },
    /// `winner` or `winner:s0=S,s1=T`: [`Scheme::Winner`] with the ω of the activation, which must be a
    /// sine. Without s0 and s1 the noise is to be computed from the spectrum of a signal, which this
    /// crate does not know: see [`SchemeRequest::needs_spectrum`].
    Winner {
        /// The standard deviations s0 and s1 of the noise.
        noise: Option<[f64; 2]>,
    },
    /// `finer` or `finer:k=K`: [`Scheme::Finer`] with the ω of the activation, which must be that of
    /// FINER, and by default k = 1.
    Finer {
        /// The bound of the first layer's biases.
        k: Option<f64>,
    },
    /// A complete scheme with its parameters.
    Given(Scheme),
}

/// The σ_p that are requested beside a scheme without numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SigmaRequests {
    /// The σ_p of the preactivations; if `None`, [`default_sigma_p`].
    pub sigma_p: Option<SigmaRequest>,
    /// That of the first layer, for [`Scheme::VarianceInformed`] and [`Scheme::EdgeOfChaos`].
    pub first_sigma_p: Option<SigmaRequest>,
    /// That of the last layer, for [`Scheme::VarianceInformed`].
    pub last_sigma_p: Option<f64>,
}

/// The result of [`SchemeRequest::resolve`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChosenScheme {
    /// The scheme.
    pub scheme: Scheme,
    /// The σ_p of the scheme and where it comes from; `None` if the scheme has no σ_p.
    pub sigma_p: Option<SigmaP>,
    /// The σ_p of the first layer, if it was requested.
    pub first_sigma_p: Option<SigmaP>,
}

/// An argument of [`SchemeRequest::resolve`] that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemeField {
    /// The scheme itself.
    Scheme,
    /// The σ_p.
    SigmaP,
    /// The σ_p of the first layer.
    FirstSigmaP,
    /// The σ_p of the last layer.
    LastSigmaP,
}

/// The error of [`SchemeRequest::resolve`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemeRefusal {
    /// An argument is invalid, or does not fit the others.
    #[error("{seen}; {expected}")]
    Field {
        /// The argument.
        field: SchemeField,
        /// What was seen, as a clause.
        seen: String,
        /// What was expected, as a clause.
        expected: String,
    },
    /// No σ_p could be computed.
    #[error(transparent)]
    Theory(#[from] Error),
}

impl SchemeRefusal {
    /// The argument that is invalid, if the error is about one.
    pub fn field(&self) -> Option<SchemeField> {
        match self {
            Self::Field { field, .. } => Some(*field),
            Self::Theory(_) => None,
        }
    }
}

impl SchemeRequest {
    /// The scheme for `activation`. If no σ_p is requested, the scheme uses [`default_sigma_p`] with
    /// `default_factor`.
    ///
    /// # Errors
    /// Returns [`SchemeRefusal::Field`] if a σ_p is not a finite number above 0, if the scheme does not
    /// have that parameter or already contains it, or if SIREN's scheme is requested for an activation
    /// that is not a sine. Returns [`SchemeRefusal::Theory`] if no σ_p can be computed, or if
    /// [`Scheme::EdgeOfChaos`] does not apply to the activation.
    pub fn resolve(
        &self,
        activation: &Activation,
        sigmas: &SigmaRequests,
        default_factor: f64,
    ) -> Result<ChosenScheme, SchemeRefusal> {
        sigmas.check()?;
        if let Some(field) = self.excess(sigmas) {
            return Err(self.refuse(field));
        }
        let chosen = match self {
            Self::Siren => ChosenScheme::complete(Scheme::Siren { omega: self.omega(activation)? }),
            Self::WeightScaling { alpha } => ChosenScheme::complete(Scheme::WeightScaling {
                alpha: alpha.unwrap_or(DEFAULT_ALPHA),
                omega: self.omega(activation)?,
            }),
            Self::Winner { noise } => {
                let omega = self.omega(activation)?;
                let Some([s0, s1]) = *noise else {
                    return Err(SchemeRefusal::Field {
                        field: SchemeField::Scheme,
                        seen:
                            "the scheme winner was requested without a signal, from whose spectrum \
                               its noise follows"
                                .into(),
                        expected: "the noise can be given, as winner:s0=S,s1=S".into(),
                    });
                };
                ChosenScheme::complete(Scheme::Winner { omega, s0, s1 })
            }
            Self::Finer { k } => ChosenScheme::complete(Scheme::Finer {
                omega: self.omega(activation)?,
                k: k.unwrap_or(DEFAULT_K),
            }),
            Self::Given(scheme) => ChosenScheme::complete(*scheme),
            Self::Auto
                if *sigmas == SigmaRequests::default()
                    && let Some(scheme) = activation.own_scheme() =>
            {
                ChosenScheme::complete(scheme)
            }
            Self::Auto
            | Self::VarianceInformed
            | Self::MonteCarlo
            | Self::Backward
            | Self::EdgeOfChaos => {
                let own = match sigmas.sigma_p {
                    Some(request) => request.resolve(activation)?,
                    None => default_sigma_p(activation, default_factor)?,
                };
                let first = match sigmas.first_sigma_p {
                    Some(request) => Some(request.resolve(activation)?),
                    None => None,
                };
                let (sigma_p, first_sigma_p) = (own.value, first.map(|first| first.value));
                let scheme = match self {
                    Self::MonteCarlo => Scheme::MonteCarlo { sigma_p, samples: PAPER_SAMPLES },
                    Self::Backward => Scheme::Backward { sigma_p },
                    Self::EdgeOfChaos => Scheme::EdgeOfChaos { sigma_p, first_sigma_p },
                    _ => {
                        let last_sigma_p = sigmas.last_sigma_p;
                        Scheme::VarianceInformed { sigma_p, first_sigma_p, last_sigma_p }
                    }
                };
                ChosenScheme { scheme, sigma_p: Some(own), first_sigma_p: first }
            }
        };
        if let Scheme::EdgeOfChaos { .. } = chosen.scheme {
            // Whether it applies depends on σ_p too, so that it is known only now.
            InitRule::new(chosen.scheme).hidden_layer(activation, 1, 1)?;
        }
        Ok(chosen)
    }

    /// Whether the scheme depends on the spectrum of a signal: [`SchemeRequest::Winner`] without its
    /// noise.
    pub fn needs_spectrum(&self) -> bool {
        matches!(self, Self::Winner { noise: None })
    }

    /// The ω of the activation, which must be the one that the scheme was derived for.
    fn omega(&self, activation: &Activation) -> Result<f64, SchemeRefusal> {
        let (omega, expected) = match self {
            Self::Finer { .. } => {
                (activation.finer_frequency(), "FINER's activation, sin(omega (|x| + 1) x)")
            }
            _ => (activation.sine_frequency(), "the sine, sin(omega x)"),
        };
        omega.ok_or_else(|| SchemeRefusal::Field {
            field: SchemeField::Scheme,
            seen: format!("the scheme {self} was requested for {activation}"),
            expected: format!("it was derived for {expected}, only"),
        })
    }

    /// A σ_p that is requested but that the scheme does not accept.
    fn excess(&self, sigmas: &SigmaRequests) -> Option<SchemeField> {
        let (has_own, has_first, has_last) = match self {
            Self::Auto | Self::VarianceInformed => (true, true, true),
            Self::EdgeOfChaos => (true, true, false),
            Self::MonteCarlo | Self::Backward => (true, false, false),
            Self::Siren
            | Self::WeightScaling { .. }
            | Self::Finer { .. }
            | Self::Winner { .. }
            | Self::Given(_) => (false, false, false),
        };
        let fields = [
            (SchemeField::SigmaP, sigmas.sigma_p.is_some() && !has_own),
            (SchemeField::FirstSigmaP, sigmas.first_sigma_p.is_some() && !has_first),
            (SchemeField::LastSigmaP, sigmas.last_sigma_p.is_some() && !has_last),
        ];
        fields.into_iter().find(|(_, is_excess)| *is_excess).map(|(field, _)| field)
    }

    /// The error for a number that the scheme does not accept.
    fn refuse(&self, field: SchemeField) -> SchemeRefusal {
        let (what, owners) = match field {
            SchemeField::FirstSigmaP => ("a sigma_p of the first layer", "ours or eoc"),
            SchemeField::LastSigmaP => ("a sigma_p of the last layer", "ours"),
            _ => ("a sigma_p", "ours, ours_mc, backward or eoc"),
        };
        SchemeRefusal::Field {
            field,
            seen: format!("{what} was given with the scheme {self}"),
            expected: format!("it belongs to the scheme {owners}, written without numbers"),
        }
    }
}

impl SigmaRequests {
    fn check(&self) -> Result<(), SchemeRefusal> {
        let number = |request: Option<SigmaRequest>| request.and_then(|request| request.number());
        let numbers = [
            (SchemeField::SigmaP, "sigma_p", number(self.sigma_p)),
            (
                SchemeField::FirstSigmaP,
                "the sigma_p of the first layer",
                number(self.first_sigma_p),
            ),
            (SchemeField::LastSigmaP, "the sigma_p of the last layer", self.last_sigma_p),
        ];
        for (field, name, number) in numbers {
            if let Some(number) = number
                && require_positive(name, number).is_err()
            {
                return Err(SchemeRefusal::Field {
                    field,
                    seen: format!("{name} was given with the number {number}"),
                    expected: "it must be a finite number above 0".into(),
                });
            }
        }
        Ok(())
    }
}

impl ChosenScheme {
    /// A scheme whose parameters were given or belong to the activation.
    fn complete(scheme: Scheme) -> Self {
        let given = |value| SigmaP { value, reason: SigmaReason::Given };
        Self { scheme, sigma_p: scheme.sigma_p().map(given), first_sigma_p: None }
    }
}

/// Writes `auto`, `ours`, `ours_mc`, `backward`, `eoc`, `siren`, or a scheme with its parameters.
impl fmt::Display for SchemeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::VarianceInformed => f.write_str("ours"),
            Self::MonteCarlo => f.write_str("ours_mc"),
            Self::Backward => f.write_str("backward"),
            Self::EdgeOfChaos => f.write_str("eoc"),
            Self::Siren => f.write_str("siren"),
            Self::WeightScaling { alpha } => {
                write_named(f, "ws", alpha.map(|alpha| ("alpha", alpha)).as_slice())
            }
            Self::Finer { k } => write_named(f, "finer", k.map(|k| ("k", k)).as_slice()),
            Self::Winner { noise: None } => f.write_str("winner"),
            Self::Winner { noise: Some([s0, s1]) } => {
                write_named(f, "winner", &[("s0", *s0), ("s1", *s1)])
            }
            Self::Given(scheme) => scheme.fmt(f),
        }
    }
}

impl FromStr for SchemeRequest {
    type Err = Error;

    /// Reads `auto`, `ours` (or `vi3nr`), `ours_mc` (or `vi3nr-mc`), `backward`, `eoc`, `siren`, `ws`,
    /// `finer` or `winner`, the last three also with all numbers but omega, otherwise a [`Scheme`].
    ///
    /// # Errors
    /// Returns the errors of [`Scheme::from_str`] if the text is none of these names and not a
    /// scheme.
    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text {
            "auto" => Self::Auto,
            "ours" | "vi3nr" => Self::VarianceInformed,
            "ours_mc" | "vi3nr-mc" => Self::MonteCarlo,
            "backward" => Self::Backward,
            "eoc" => Self::EdgeOfChaos,
            "siren" => Self::Siren,
            "winner" => Self::Winner { noise: None },
            text => {
                let scheme: Scheme = text.parse()?;
                let given = Named::parse(text)?;
                match scheme {
                    // The omega is that of the activation.
                    Scheme::WeightScaling { .. } if given.get("omega").is_none() => {
                        Self::WeightScaling { alpha: given.get("alpha") }
                    }
                    Scheme::Finer { .. } if given.get("omega").is_none() => {
                        Self::Finer { k: given.get("k") }
                    }
                    Scheme::Winner { s0, s1, .. } if given.get("omega").is_none() => {
                        Self::Winner { noise: Some([s0, s1]) }
                    }
                    scheme => Self::Given(scheme),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
