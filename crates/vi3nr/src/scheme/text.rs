//! The text form of schemes: `NAME` or `NAME:key=value,key=value`.

use std::fmt;
use std::str::FromStr;

use super::{BiasRule, Fan, PAPER_SAMPLES, Scheme, WeightShape};
use crate::activation::{Accepted, Named, Parameter};
use crate::{Error, number};

/// A scheme's names, its parameters, and whether the first of them must be given.
struct Entry {
    /// The name in files, options and messages.
    name: &'static str,
    /// Another name that is accepted.
    alias: Option<&'static str>,
    /// The variance of the weights, as a formula.
    variance: &'static str,
    parameters: &'static [Parameter],
    /// Parameters that may be omitted and have no default.
    optional: &'static [&'static str],
    is_required: bool,
    build: fn(&[f64], Option<f64>) -> Scheme,
}

const SIGMA_P: Parameter =
    Parameter::positive("sigma_p", 1.0, "standard deviation of the preactivations");

const ENTRIES: &[Entry] = &[
    Entry {
        name: "ours",
        alias: Some("vi3nr"),
        variance: "sigma_p^2/(M_i E[f^2]); first layer sigma_p^2/(M_0 E[x^2])",
        parameters: &[SIGMA_P],
        optional: &["last_sigma_p"],
        is_required: true,
        build: |values, last_sigma_p| Scheme::VarianceInformed { sigma_p: values[0], last_sigma_p },
    },
    Entry {
        name: "backward",
        alias: None,
        variance: "1/(M_{i+1} E[f'^2]); first layer as ours",
        parameters: &[SIGMA_P],
        optional: &[],
        is_required: true,
        build: |values, _| Scheme::Backward { sigma_p: values[0] },
    },
    Entry {
        name: "ours_mc",
        alias: Some("vi3nr-mc"),
        variance: "as ours, with E[f^2] averaged over samples",
        parameters: &[
            SIGMA_P,
            Parameter::whole("samples", PAPER_SAMPLES as f64, "number of samples"),
        ],
        optional: &[],
        is_required: true,
        build: |values, _| Scheme::MonteCarlo { sigma_p: values[0], samples: values[1] as u64 },
    },
    simple("xavier", "2/(M_i + M_{i+1})", |_, _| Scheme::Xavier),
    simple("kaiming", "2/M_i", |_, _| Scheme::Kaiming { fan: Fan::In }),
    simple("kaiming_out", "2/M_{i+1}", |_, _| Scheme::Kaiming { fan: Fan::Out }),
    simple("kumar", "1/(M_i f'(0)^2 (1 + f(0)^2))", |_, _| Scheme::Kumar),
    simple("pytorch", "gain^2/M_i with the gain of torch.nn.init.calculate_gain", |_, _| {
        Scheme::PyTorch
    }),
    Entry {
        name: "siren",
        alias: None,
        variance: "2/(omega^2 M_i); first layer 1/(3 M_0^2)",
        parameters: &[Parameter::positive("omega", 30.0, "angular frequency of the activation")],
        optional: &[],
        is_required: false,
        build: |values, _| Scheme::Siren { omega: values[0] },
    },
    Entry {
        name: "normal",
        alias: None,
        variance: "std^2",
        parameters: &[Parameter::positive("std", 1.0, "standard deviation of all weights")],
        optional: &[],
        is_required: true,
        build: |values, _| Scheme::Normal { std: values[0] },
    },
];

const fn simple(
    name: &'static str,
    variance: &'static str,
    build: fn(&[f64], Option<f64>) -> Scheme,
) -> Entry {
    Entry { name, alias: None, variance, parameters: &[], optional: &[], is_required: false, build }
}

/// A scheme as a list of all of them shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SchemeEntry {
    /// The name in the text form.
    pub name: &'static str,
    /// The variance of the weights of layer i, as a formula; M_i is its fan-in and M_{i+1} its
    /// fan-out.
    pub variance: &'static str,
    /// The parameters, in the order in which they are written.
    pub parameters: &'static [Parameter],
    /// For which activation the scheme was derived, as [`Scheme::derived_for`] has it.
    pub derived_for: &'static str,
}

impl Scheme {
    /// The names of all schemes in their text form.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ENTRIES.iter().map(|entry| entry.name)
    }

    /// All schemes, in the order of [`Scheme::names`].
    ///
    /// ```
    /// let siren = vi3nr::Scheme::catalog().find(|entry| entry.name == "siren").unwrap();
    /// assert_eq!(siren.parameters[0].name, "omega");
    /// assert_eq!(siren.derived_for, "sin(omega x)");
    /// ```
    pub fn catalog() -> impl Iterator<Item = SchemeEntry> {
        ENTRIES.iter().map(|entry| {
            let values: Vec<f64> = entry.parameters.iter().map(|own| own.default).collect();
            SchemeEntry {
                name: entry.name,
                variance: entry.variance,
                parameters: entry.parameters,
                derived_for: (entry.build)(&values, None).derived_for(),
            }
        })
    }

    /// The name in the text form.
    pub fn name(&self) -> &'static str {
        match self {
            Self::VarianceInformed { .. } => "ours",
            Self::MonteCarlo { .. } => "ours_mc",
            Self::Backward { .. } => "backward",
            Self::Xavier => "xavier",
            Self::Kaiming { fan: Fan::In } => "kaiming",
            Self::Kaiming { fan: Fan::Out } => "kaiming_out",
            Self::Kumar => "kumar",
            Self::PyTorch => "pytorch",
            Self::Siren { .. } => "siren",
            Self::Normal { .. } => "normal",
        }
    }
}

/// Writes `zero`, `like-weights` or `uniform:B`.
impl fmt::Display for BiasRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("zero"),
            Self::LikeWeights => f.write_str("like-weights"),
            Self::Uniform { bound } => write!(f, "uniform:{bound}"),
        }
    }
}

impl FromStr for BiasRule {
    type Err = Error;

    /// Reads `zero`, `like-weights` or `uniform:B`.
    ///
    /// # Errors
    /// Returns [`Error::Unreadable`] if the text is none of these or B is not a finite number above 0.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bound = text.strip_prefix("uniform:").map(number::real);
        match (text, bound) {
            ("zero", _) => Ok(Self::Zero),
            ("like-weights", _) => Ok(Self::LikeWeights),
            (_, Some(Some(bound))) if bound.is_finite() && bound > 0.0 => {
                Ok(Self::Uniform { bound })
            }
            _ => Err(Error::unreadable(
                "a rule for biases",
                text,
                "zero, like-weights or uniform:B with a finite B above 0",
            )),
        }
    }
}

/// Writes the [`name`](WeightShape::name).
impl fmt::Display for WeightShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for WeightShape {
    type Err = Error;

    /// Reads `uniform`, `normal`, `truncated-normal` or `orthogonal`.
    ///
    /// # Errors
    /// Returns [`Error::Unreadable`] if the text is none of these.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|shape| shape.name() == text).ok_or_else(|| {
            let expected = "uniform, normal, truncated-normal or orthogonal";
            Error::unreadable("a distribution of weights", text, expected)
        })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: &[(&str, f64)] = match *self {
            Self::VarianceInformed { sigma_p, last_sigma_p: Some(last) } => {
                &[("sigma_p", sigma_p), ("last_sigma_p", last)]
            }
            Self::MonteCarlo { sigma_p, samples } => {
                &[("sigma_p", sigma_p), ("samples", samples as f64)]
            }
            Self::VarianceInformed { sigma_p, .. } | Self::Backward { sigma_p } => {
                &[("sigma_p", sigma_p)]
            }
            Self::Siren { omega } => &[("omega", omega)],
            Self::Normal { std } => &[("std", std)],
            _ => &[],
        };
        crate::activation::write_named(f, self.name(), parameters)
    }
}

impl FromStr for Scheme {
    type Err = Error;

    /// Reads `NAME` or `NAME:key=value,key=value` with one of [`Scheme::names`]. `vi3nr` and
    /// `vi3nr-mc` are read as `ours` and `ours_mc`.
    ///
    /// # Errors
    /// Returns [`Error::Syntax`] if the text is not of this form, [`Error::UnknownScheme`] or
    /// [`Error::UnknownParameter`] if a name or key is unknown, and [`Error::OutOfRange`] if a
    /// value is missing or not accepted.
    ///
    /// ```
    /// use vi3nr::Scheme;
    ///
    /// let scheme: Scheme = "vi3nr:sigma_p=0.15".parse()?;
    /// assert_eq!(scheme, Scheme::VarianceInformed { sigma_p: 0.15, last_sigma_p: None });
    /// assert_eq!(scheme.to_string(), "ours:sigma_p=0.15");
    /// assert_eq!(scheme.to_string().parse::<Scheme>()?, scheme);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = Named::parse(text)?;
        let has_name =
            |entry: &&Entry| entry.name == named.name || entry.alias == Some(named.name.as_str());
        let Some(entry) = ENTRIES.iter().find(has_name) else {
            return Err(Error::UnknownScheme {
                name: named.name,
                known: Self::names().collect::<Vec<_>>().join(", "),
            });
        };
        // Optional parameters are read like the others, but kept only if they were given.
        let optional = entry.optional.iter().map(|name| Parameter::positive(name, 1.0, ""));
        let all: Vec<Parameter> = entry.parameters.iter().copied().chain(optional).collect();
        let values = named.values(&all)?;
        if entry.is_required && named.get(all[0].name).is_none() {
            return Err(Error::OutOfRange {
                quantity: format!("{}:{}, which must be given,", named.name, all[0].name),
                value: f64::NAN,
                expected: Accepted::Positive.description(),
            });
        }
        let last = entry.optional.first().and_then(|name| named.get(name));
        Ok((entry.build)(&values[..entry.parameters.len()], last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_rules_are_read_as_they_are_written() {
        for rule in [BiasRule::Zero, BiasRule::LikeWeights, BiasRule::Uniform { bound: 0.3 }] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        for text in ["", "uniform", "uniform:", "uniform:0", "uniform:-1", "uniform:inf", "0.3"] {
            assert!(text.parse::<BiasRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn weight_shapes_are_read_by_their_names() {
        for shape in WeightShape::ALL {
            assert_eq!(shape.to_string().parse(), Ok(shape));
        }
        let error = "gaussian".parse::<WeightShape>().unwrap_err().to_string();
        assert!(error.contains("'gaussian'") && error.contains("truncated-normal"), "{error}");
    }

    #[test]
    fn text_round_trips() {
        for text in [
            "ours:sigma_p=0.15",
            "ours:sigma_p=0.15,last_sigma_p=0.3",
            "ours_mc:sigma_p=0.15,samples=1000",
            "backward:sigma_p=2",
            "xavier",
            "kaiming",
            "kaiming_out",
            "kumar",
            "pytorch",
            "siren:omega=30",
            "normal:std=0.01",
        ] {
            let scheme: Scheme = text.parse().unwrap();
            assert_eq!(scheme.to_string(), text);
        }
        assert_eq!("siren".parse::<Scheme>().unwrap(), Scheme::Siren { omega: 30.0 });
        assert_eq!(Scheme::names().count(), ENTRIES.len());
        for (alias, text) in [
            ("vi3nr:sigma_p=0.15", "ours:sigma_p=0.15"),
            ("vi3nr-mc:sigma_p=0.15,samples=1000", "ours_mc:sigma_p=0.15,samples=1000"),
        ] {
            assert_eq!(alias.parse::<Scheme>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn errors_explain_the_mistake() {
        let message = |text: &str| text.parse::<Scheme>().unwrap_err().to_string();
        assert!(message("he").contains("known: ours, backward, ours_mc, xavier"));
        assert!(message("ours").contains("sigma_p, which must be given"));
        assert!(message("ours:sigma_p=0").contains("above 0"));
        assert!(message("ours:sigma_p=1,last_sigma_p=-1").contains("above 0"));
        assert!(message("ours_mc:sigma_p=1,samples=1.5").contains("a whole number above 0"));
        assert!(message("xavier:gain=2").contains("known: none"));
        assert!(message("siren:w=30").contains("known: omega"));
        assert!(message("normal").contains("must be given"));
    }
}
