//! Requests for a scheme and their resolution.

use std::fmt;
use std::str::FromStr;

use super::{PAPER_SAMPLES, Scheme, SigmaP, SigmaReason, SigmaRequest, default_sigma_p};
use crate::{Activation, Error, require_positive};

/// A request for a scheme: a name whose parameters are chosen later, or a complete scheme.
///
/// ```
/// use vi3nr::{Activation, Scheme};
/// use vi3nr::scheme::SchemeRequest;
///
/// let auto: SchemeRequest = "auto".parse()?;
/// let chosen = auto.resolve(&Activation::sine(30.0)?, None, None, 1.0).unwrap();
/// assert_eq!(chosen.scheme, Scheme::Siren { omega: 30.0 });
/// let chosen = auto.resolve(&Activation::relu(), None, None, 1.0).unwrap();
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
    /// `siren`: [`Scheme::Siren`] with the ω of the activation, which must be a sine.
    Siren,
    /// A complete scheme with its parameters.
    Given(Scheme),
}

/// The result of [`SchemeRequest::resolve`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChosenScheme {
    /// The scheme.
    pub scheme: Scheme,
    /// The σ_p of the scheme and where it comes from; `None` if the scheme has no σ_p.
    pub sigma_p: Option<SigmaP>,
}

/// An argument of [`SchemeRequest::resolve`] that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemeField {
    /// The scheme itself.
    Scheme,
    /// The σ_p.
    SigmaP,
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
    /// The scheme for `activation`. If `sigma_p` is `None`, the scheme uses [`default_sigma_p`]
    /// with `default_factor`.
    ///
    /// # Errors
    /// Returns [`SchemeRefusal::Field`] if `sigma_p` or `last_sigma_p` is not a finite number above
    /// 0, if the scheme does not have that parameter or already contains it, or if SIREN's scheme
    /// is requested for an activation that is not a sine. Returns [`SchemeRefusal::Theory`] if no
    /// σ_p can be computed.
    pub fn resolve(
        &self,
        activation: &Activation,
        sigma_p: Option<SigmaRequest>,
        last_sigma_p: Option<f64>,
        default_factor: f64,
    ) -> Result<ChosenScheme, SchemeRefusal> {
        check_numbers(sigma_p, last_sigma_p)?;
        let choose = || match sigma_p {
            Some(request) => request.resolve(activation),
            None => default_sigma_p(activation, default_factor),
        };
        let given = sigma_p
            .map(|_| SchemeField::SigmaP)
            .or_else(|| last_sigma_p.map(|_| SchemeField::LastSigmaP));
        match self {
            Self::MonteCarlo | Self::Backward => {
                if last_sigma_p.is_some() {
                    return Err(self.refuse(SchemeField::LastSigmaP));
                }
                let sigma_p = choose()?;
                let scheme = match self {
                    Self::Backward => Scheme::Backward { sigma_p: sigma_p.value },
                    _ => Scheme::MonteCarlo { sigma_p: sigma_p.value, samples: PAPER_SAMPLES },
                };
                Ok(ChosenScheme { scheme, sigma_p: Some(sigma_p) })
            }
            Self::Siren | Self::Given(_) if let Some(field) = given => Err(self.refuse(field)),
            Self::Siren => match activation.own_scheme() {
                Some(scheme) => Ok(ChosenScheme::complete(scheme)),
                None => Err(SchemeRefusal::Field {
                    field: SchemeField::Scheme,
                    seen: format!("the scheme siren was requested for {activation}"),
                    expected: "it was derived for the sine, sin(omega x), only".into(),
                }),
            },
            Self::Given(scheme) => Ok(ChosenScheme::complete(*scheme)),
            Self::Auto
                if given.is_none()
                    && let Some(scheme) = activation.own_scheme() =>
            {
                Ok(ChosenScheme::complete(scheme))
            }
            Self::Auto | Self::VarianceInformed => {
                let sigma_p = choose()?;
                let scheme = Scheme::VarianceInformed { sigma_p: sigma_p.value, last_sigma_p };
                Ok(ChosenScheme { scheme, sigma_p: Some(sigma_p) })
            }
        }
    }

    /// The error for a number that the scheme does not accept.
    fn refuse(&self, field: SchemeField) -> SchemeRefusal {
        let what = match field {
            SchemeField::LastSigmaP => "a sigma_p of the last layer",
            _ => "a sigma_p",
        };
        let owners = match field {
            SchemeField::LastSigmaP => "ours",
            _ => "ours, ours_mc or backward",
        };
        SchemeRefusal::Field {
            field,
            seen: format!("{what} was given with the scheme {self}"),
            expected: format!("it belongs to the scheme {owners}, written without numbers"),
        }
    }
}

fn check_numbers(
    sigma_p: Option<SigmaRequest>,
    last_sigma_p: Option<f64>,
) -> Result<(), SchemeRefusal> {
    let numbers = [
        (SchemeField::SigmaP, "sigma_p", sigma_p.and_then(|request| request.number())),
        (SchemeField::LastSigmaP, "the sigma_p of the last layer", last_sigma_p),
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

impl ChosenScheme {
    /// A scheme whose parameters were given or belong to the activation.
    fn complete(scheme: Scheme) -> Self {
        let given = |value| SigmaP { value, reason: SigmaReason::Given };
        Self { scheme, sigma_p: scheme.sigma_p().map(given) }
    }
}

/// Writes `auto`, `ours`, `ours_mc`, `backward`, `siren`, or a scheme with its parameters.
impl fmt::Display for SchemeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::VarianceInformed => f.write_str("ours"),
            Self::MonteCarlo => f.write_str("ours_mc"),
            Self::Backward => f.write_str("backward"),
            Self::Siren => f.write_str("siren"),
            Self::Given(scheme) => scheme.fmt(f),
        }
    }
}

impl FromStr for SchemeRequest {
    type Err = Error;

    /// Reads `auto`, `ours` (or `vi3nr`), `ours_mc` (or `vi3nr-mc`), `backward` or `siren`, otherwise a
    /// [`Scheme`].
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
            "siren" => Self::Siren,
            scheme => Self::Given(scheme.parse()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (scheme, activation, sigma_p, last sigma_p).
    type Case = (&'static str, &'static str, &'static str, Option<f64>);

    fn resolve((scheme, activation, sigma_p, last): Case) -> Result<ChosenScheme, SchemeRefusal> {
        let sigma_p = (!sigma_p.is_empty()).then(|| sigma_p.parse().unwrap());
        let request: SchemeRequest = scheme.parse().unwrap();
        request.resolve(&activation.parse().unwrap(), sigma_p, last, 2.0)
    }

    #[test]
    fn requests_are_read_as_they_are_written() {
        for (text, request) in [
            ("auto", SchemeRequest::Auto),
            ("ours", SchemeRequest::VarianceInformed),
            ("ours_mc", SchemeRequest::MonteCarlo),
            ("backward", SchemeRequest::Backward),
            ("siren", SchemeRequest::Siren),
            ("siren:omega=30", SchemeRequest::Given(Scheme::Siren { omega: 30.0 })),
            ("xavier", SchemeRequest::Given(Scheme::Xavier)),
            ("normal:std=0.1", SchemeRequest::Given(Scheme::Normal { std: 0.1 })),
        ] {
            assert_eq!(text.parse(), Ok(request));
            assert_eq!(request.to_string(), text);
        }
        assert_eq!("vi3nr".parse(), Ok(SchemeRequest::VarianceInformed));
        assert_eq!("vi3nr-mc".parse(), Ok(SchemeRequest::MonteCarlo));
        assert!(matches!("he".parse::<SchemeRequest>(), Err(Error::UnknownScheme { .. })));
        assert!("normal".parse::<SchemeRequest>().is_err());
        assert!(" ours".parse::<SchemeRequest>().is_err());
    }

    #[test]
    fn requests_resolve_to_schemes() {
        let root = crate::auto_sigma_p(&Activation::gaussian(0.1).unwrap()).unwrap();
        let doubled = format!("ours:sigma_p={}", 2.0 * root);
        let automatic = format!("ours:sigma_p={root}");
        let last = format!("ours:sigma_p={},last_sigma_p=0.3", 2.0 * root);
        let multiple = SigmaReason::TimesSmallestRoot { factor: 2.0, root };
        let half = SigmaReason::TimesSmallestRoot { factor: 0.5, root };
        let halved = format!("ours:sigma_p={}", 0.5 * root);
        let sampled = format!("ours_mc:sigma_p={},samples=1000000", 2.0 * root);
        let gaussian = "gaussian:sigma=0.1";
        let given = Some(SigmaReason::Given);
        let cases: [(Case, &str, Option<SigmaReason>); 19] = [
            (("auto", gaussian, "", None), &doubled, Some(multiple)),
            (("ours", gaussian, "", None), &doubled, Some(multiple)),
            (("auto", gaussian, "auto", None), &automatic, Some(SigmaReason::SmallestRoot)),
            (("ours", gaussian, "0.5*auto", None), &halved, Some(half)),
            (("ours", gaussian, "0.15", None), "ours:sigma_p=0.15", given),
            (("auto", gaussian, "", Some(0.3)), &last, Some(multiple)),
            (("ours_mc", gaussian, "", None), &sampled, Some(multiple)),
            (("backward", "tanh", "", None), "backward:sigma_p=1", Some(SigmaReason::NearOne)),
            (("backward", "tanh", "0.3", None), "backward:sigma_p=0.3", given),
            (("auto", "relu", "", None), "ours:sigma_p=1", Some(SigmaReason::EveryValue)),
            (("auto", "tanh", "", None), "ours:sigma_p=1", Some(SigmaReason::NearOne)),
            (("auto", "sine:omega=5", "", None), "siren:omega=5", None),
            (("siren", "sine:omega=5", "", None), "siren:omega=5", None),
            (("auto", "sine:omega=5", "0.3", None), "ours:sigma_p=0.3", given),
            (("siren:omega=7", gaussian, "", None), "siren:omega=7", None),
            (("ours:sigma_p=0.2", gaussian, "", None), "ours:sigma_p=0.2", given),
            (("backward:sigma_p=0.2", gaussian, "", None), "backward:sigma_p=0.2", given),
            (("xavier", "sine", "", None), "xavier", None),
            (("normal:std=0.1", gaussian, "", None), "normal:std=0.1", None),
        ];
        for (case, scheme, reason) in cases {
            let chosen = resolve(case).unwrap();
            assert_eq!(chosen.scheme.to_string(), scheme, "{case:?}");
            assert_eq!(chosen.sigma_p.map(|sigma_p| sigma_p.reason), reason, "{case:?}");
            assert_eq!(chosen.sigma_p.map(|sigma_p| sigma_p.value), chosen.scheme.sigma_p());
        }
    }

    #[test]
    fn arguments_that_do_not_fit_together_are_errors_with_their_field() {
        let bad = Some(f64::NAN);
        let cases: [(Case, SchemeField, &str); 9] = [
            (("siren", "tanh", "", None), SchemeField::Scheme, "siren was requested for tanh"),
            (("siren", "sine", "0.1", None), SchemeField::SigmaP, "with the scheme siren;"),
            (("siren", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "ours, written without"),
            (("xavier", "sine", "auto", None), SchemeField::SigmaP, "with the scheme xavier;"),
            (("ours:sigma_p=1", "sine", "2", None), SchemeField::SigmaP, "scheme ours:sigma_p=1"),
            (("xavier", "sine", "1", Some(1.0)), SchemeField::SigmaP, "ours, ours_mc or"),
            (("ours_mc", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "the scheme ours_mc;"),
            (("ours", "sine", "", Some(0.0)), SchemeField::LastSigmaP, "with the number 0;"),
            (("ours", "sine", "", bad), SchemeField::LastSigmaP, "a finite number above 0"),
        ];
        for (case, field, part) in cases {
            let refusal = resolve(case).unwrap_err();
            assert_eq!(refusal.field(), Some(field), "{case:?}: {refusal}");
            assert!(refusal.to_string().contains(part), "{case:?}: {refusal}");
            assert!(!refusal.to_string().contains("--"), "{refusal}");
        }
        let request = SchemeRequest::VarianceInformed;
        let infinite = Some(SigmaRequest::TimesAuto(f64::INFINITY));
        let refusal = request.resolve(&Activation::tanh(), infinite, None, 1.0).unwrap_err();
        assert_eq!(refusal.field(), Some(SchemeField::SigmaP));
        let refusal = resolve(("ours", "1/x", "", None)).unwrap_err();
        assert!(matches!(refusal, SchemeRefusal::Theory(Error::Moment { .. })), "{refusal:?}");
    }
}
