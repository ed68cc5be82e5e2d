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
            Self::Siren | Self::WeightScaling { .. } | Self::Finer { .. } | Self::Given(_) => {
                (false, false, false)
            }
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
            Self::WeightScaling { alpha } => named(f, "ws", "alpha", *alpha),
            Self::Finer { k } => named(f, "finer", "k", *k),
            Self::Given(scheme) => scheme.fmt(f),
        }
    }
}

/// Writes `NAME` or `NAME:KEY=VALUE`.
fn named(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    key: &'static str,
    value: Option<f64>,
) -> fmt::Result {
    let pair = value.map(|value| (key, value));
    write_named(f, name, pair.as_slice())
}

impl FromStr for SchemeRequest {
    type Err = Error;

    /// Reads `auto`, `ours` (or `vi3nr`), `ours_mc` (or `vi3nr-mc`), `backward`, `eoc`, `siren`, `ws`
    /// or `finer`, the last two also with all numbers but omega, otherwise a [`Scheme`].
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
                    scheme => Self::Given(scheme),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (scheme, activation, sigma_p, last sigma_p).
    type Case = (&'static str, &'static str, &'static str, Option<f64>);

    fn resolve(case: Case) -> Result<ChosenScheme, SchemeRefusal> {
        resolve_with_first(case, None)
    }

    fn resolve_with_first(
        (scheme, activation, sigma_p, last_sigma_p): Case,
        first: Option<&str>,
    ) -> Result<ChosenScheme, SchemeRefusal> {
        let sigma_p = (!sigma_p.is_empty()).then(|| sigma_p.parse().unwrap());
        let first_sigma_p = first.map(|first| first.parse().unwrap());
        let sigmas = SigmaRequests { sigma_p, first_sigma_p, last_sigma_p };
        let request: SchemeRequest = scheme.parse().unwrap();
        request.resolve(&activation.parse().unwrap(), &sigmas, 2.0)
    }

    #[test]
    fn requests_are_read_as_they_are_written() {
        for (text, request) in [
            ("auto", SchemeRequest::Auto),
            ("ours", SchemeRequest::VarianceInformed),
            ("ours_mc", SchemeRequest::MonteCarlo),
            ("backward", SchemeRequest::Backward),
            ("eoc", SchemeRequest::EdgeOfChaos),
            ("eoc:sigma_p=2", SchemeRequest::Given("eoc:sigma_p=2".parse().unwrap())),
            ("siren", SchemeRequest::Siren),
            ("ws", SchemeRequest::WeightScaling { alpha: None }),
            ("ws:alpha=2", SchemeRequest::WeightScaling { alpha: Some(2.0) }),
            ("finer", SchemeRequest::Finer { k: None }),
            ("finer:k=20", SchemeRequest::Finer { k: Some(20.0) }),
            ("finer:omega=30,k=1", SchemeRequest::Given(Scheme::Finer { omega: 30.0, k: 1.0 })),
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
        let chaos = format!("eoc:sigma_p={}", 2.0 * root);
        let given = Some(SigmaReason::Given);
        let cases: [(Case, &str, Option<SigmaReason>); 26] = [
            (("ws", "sine:omega=5", "", None), "ws:alpha=2.5,omega=5", None),
            (("ws:alpha=2", "sin(5*x)", "", None), "ws:alpha=2,omega=5", None),
            (("ws:alpha=2,omega=7", "sine:omega=5", "", None), "ws:alpha=2,omega=7", None),
            (("finer:k=20", "finer:omega=9", "", None), "finer:omega=9,k=20", None),
            (("eoc", gaussian, "", None), &chaos, Some(multiple)),
            (("eoc", "tanh", "0.5", None), "eoc:sigma_p=0.5", given),
            (("eoc:sigma_p=0.5", "tanh", "", None), "eoc:sigma_p=0.5", given),
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
    fn the_first_layer_has_a_sigma_p_of_its_own() {
        let auto = crate::auto_sigma_p(&Activation::sine(30.0).unwrap()).unwrap();
        let seven = format!("ours:sigma_p={auto},first_sigma_p={}", 7.0 * auto);
        for (scheme, first, text) in [
            ("auto", "7*auto", seven.as_str()),
            ("ours", "7*auto", &seven),
            ("eoc", "0.25", &format!("eoc:sigma_p={auto},first_sigma_p=0.25")),
        ] {
            let chosen = resolve_with_first((scheme, "sine:omega=30", "", None), Some(first));
            let chosen = chosen.unwrap();
            assert_eq!(chosen.scheme.to_string(), text);
            let own = chosen.first_sigma_p.unwrap();
            assert_eq!(own.reason == SigmaReason::Given, first == "0.25", "{own:?}");
        }
        for scheme in ["ours_mc", "backward", "siren", "ours:sigma_p=1", "xavier"] {
            let case = (scheme, "sine:omega=30", "", None);
            let refusal = resolve_with_first(case, Some("1")).unwrap_err();
            assert_eq!(refusal.field(), Some(SchemeField::FirstSigmaP), "{refusal}");
            assert!(refusal.to_string().contains("it belongs to the scheme ours or eoc"));
        }
    }

    #[test]
    fn arguments_that_do_not_fit_together_are_errors_with_their_field() {
        let bad = Some(f64::NAN);
        let cases: [(Case, SchemeField, &str); 13] = [
            (("ws", "finer", "", None), SchemeField::Scheme, "ws was requested for finer"),
            (("finer", "sine", "", None), SchemeField::Scheme, "sin(omega (|x| + 1) x), only"),
            (("ws:alpha=2", "sine", "1", None), SchemeField::SigmaP, "the scheme ws:alpha=2;"),
            (("eoc", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "with the scheme eoc;"),
            (("siren", "tanh", "", None), SchemeField::Scheme, "siren was requested for tanh"),
            (("siren", "sine", "0.1", None), SchemeField::SigmaP, "with the scheme siren;"),
            (("siren", "sine", "", Some(0.1)), SchemeField::LastSigmaP, "ours, written without"),
            (("xavier", "sine", "auto", None), SchemeField::SigmaP, "with the scheme xavier;"),
            (("ours:sigma_p=1", "sine", "2", None), SchemeField::SigmaP, "scheme ours:sigma_p=1"),
            (("xavier", "sine", "1", Some(1.0)), SchemeField::SigmaP, "ours, ours_mc, backward or"),
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
        let infinite = SigmaRequests { sigma_p: infinite, ..SigmaRequests::default() };
        let refusal = request.resolve(&Activation::tanh(), &infinite, 1.0).unwrap_err();
        assert_eq!(refusal.field(), Some(SchemeField::SigmaP));
        let refusal = resolve(("ours", "1/x", "", None)).unwrap_err();
        assert!(matches!(refusal, SchemeRefusal::Theory(Error::Moment { .. })), "{refusal:?}");
        for scheme in ["eoc", "eoc:sigma_p=0.01"] {
            let sigma_p = if scheme == "eoc" { "0.01" } else { "" };
            let refusal = resolve((scheme, "gaussian", sigma_p, None)).unwrap_err();
            assert!(matches!(refusal, SchemeRefusal::Theory(Error::Scheme { .. })), "{refusal:?}");
        }
    }
}
