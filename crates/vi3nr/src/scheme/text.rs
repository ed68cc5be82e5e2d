//! The text form of schemes: `NAME` or `NAME:key=value,key=value`.

use std::fmt;
use std::str::FromStr;

use super::{Fan, PAPER_SAMPLES, Scheme};
use crate::Error;
use crate::activation::{Named, Parameter};

/// A scheme's names and its parameters.
struct Entry {
    /// The name in files, options and messages.
    name: &'static str,
    /// Another name that is accepted.
    alias: Option<&'static str>,
    /// The variance of the weights, as a formula.
    variance: &'static str,
    parameters: &'static [Parameter],
    /// Parameters that may be omitted and have no default.
    optional: &'static [OptionalParameter],
    /// The parameters that must be given.
    required: &'static [&'static str],
    /// Of the values of `parameters` and of `optional`.
    build: fn(&[f64], &[Option<f64>]) -> Scheme,
}

/// A parameter of a scheme that may be omitted and has no default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionalParameter {
    /// The key in the text form; its value is a finite number above 0.
    pub name: &'static str,
    /// The meaning, as a phrase.
    pub meaning: &'static str,
}

const SIGMA_P: Parameter =
    Parameter::positive("sigma_p", 1.0, "standard deviation of the preactivations");

const OMEGA: Parameter = Parameter::positive("omega", 30.0, "angular frequency of the activation");
/// The α of [`Scheme::WeightScaling`] in its authors' code.
pub(super) const DEFAULT_ALPHA: f64 = 2.5;
/// The k of [`Scheme::Finer`] in its authors' script for shapes.
pub(super) const DEFAULT_K: f64 = 1.0;

const FIRST_SIGMA_P: OptionalParameter = OptionalParameter {
    name: "first_sigma_p",
    meaning: "standard deviation of the first layer's preactivations, if it differs from sigma_p",
};
const LAST_SIGMA_P: OptionalParameter = OptionalParameter {
    name: "last_sigma_p",
    meaning: "standard deviation of the outputs, if it differs from sigma_p",
};

const ENTRIES: &[Entry] = &[
    Entry {
        name: "ours",
        alias: Some("vi3nr"),
        variance: "sigma_p^2/(M_i E[f^2]); first layer sigma_p^2/(M_0 E[x^2])",
        parameters: &[SIGMA_P],
        optional: &[FIRST_SIGMA_P, LAST_SIGMA_P],
        required: &["sigma_p"],
        build: |values, optional| Scheme::VarianceInformed {
            sigma_p: values[0],
            first_sigma_p: optional[0],
            last_sigma_p: optional[1],
        },
    },
    Entry {
        name: "backward",
        alias: None,
        variance: "1/(M_{i+1} E[f'^2]); first layer as ours",
        parameters: &[SIGMA_P],
        optional: &[],
        required: &["sigma_p"],
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
        required: &["sigma_p"],
        build: |values, _| Scheme::MonteCarlo { sigma_p: values[0], samples: values[1] as u64 },
    },
    Entry {
        name: "eoc",
        alias: None,
        variance: "1/(M_i E[f'^2]), biases sigma_p^2 (1 - E[f^2]/(sigma_p^2 E[f'^2])); first layer as ours",
        parameters: &[SIGMA_P],
        optional: &[FIRST_SIGMA_P],
        required: &["sigma_p"],
        build: |values, optional| Scheme::EdgeOfChaos {
            sigma_p: values[0],
            first_sigma_p: optional[0],
        },
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
        parameters: &[OMEGA],
        optional: &[],
        required: &[],
        build: |values, _| Scheme::Siren { omega: values[0] },
    },
    Entry {
        name: "ws",
        alias: None,
        variance: "as siren, times alpha^2 in all layers but the last",
        parameters: &[
            Parameter::positive("alpha", DEFAULT_ALPHA, "factor of SIREN's weights"),
            OMEGA,
        ],
        optional: &[],
        required: &[],
        build: |values, _| Scheme::WeightScaling { alpha: values[0], omega: values[1] },
    },
    Entry {
        name: "finer",
        alias: None,
        variance: "as siren; biases of the first layer uniform on ±k",
        parameters: &[
            OMEGA,
            Parameter::positive("k", DEFAULT_K, "bound of the first layer's biases"),
        ],
        optional: &[],
        required: &[],
        build: |values, _| Scheme::Finer { omega: values[0], k: values[1] },
    },
    Entry {
        name: "winner",
        alias: None,
        variance: "as siren, plus s0^2 in the first layer and s1^2 in the second (normal noise)",
        parameters: &[
            OMEGA,
            Parameter::not_negative("s0", 0.0, "standard deviation of the first layer's noise"),
            Parameter::not_negative("s1", 0.0, "standard deviation of the second layer's noise"),
        ],
        optional: &[],
        required: &["s0", "s1"],
        build: |values, _| Scheme::Winner { omega: values[0], s0: values[1], s1: values[2] },
    },
    Entry {
        name: "normal",
        alias: None,
        variance: "std^2",
        parameters: &[Parameter::positive("std", 1.0, "standard deviation of all weights")],
        optional: &[],
        required: &["std"],
        build: |values, _| Scheme::Normal { std: values[0] },
    },
];

const fn simple(
    name: &'static str,
    variance: &'static str,
    build: fn(&[f64], &[Option<f64>]) -> Scheme,
) -> Entry {
    Entry { name, alias: None, variance, parameters: &[], optional: &[], required: &[], build }
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
    /// The parameters that may be omitted and have no default.
    pub optional: &'static [OptionalParameter],
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
            let omitted = vec![None; entry.optional.len()];
            SchemeEntry {
                name: entry.name,
                variance: entry.variance,
                parameters: entry.parameters,
                optional: entry.optional,
                derived_for: (entry.build)(&values, &omitted).derived_for(),
            }
        })
    }

    /// The name in the text form.
    pub fn name(&self) -> &'static str {
        match self {
            Self::VarianceInformed { .. } => "ours",
            Self::MonteCarlo { .. } => "ours_mc",
            Self::Backward { .. } => "backward",
            Self::EdgeOfChaos { .. } => "eoc",
            Self::Xavier => "xavier",
            Self::Kaiming { fan: Fan::In } => "kaiming",
            Self::Kaiming { fan: Fan::Out } => "kaiming_out",
            Self::Kumar => "kumar",
            Self::PyTorch => "pytorch",
            Self::Siren { .. } => "siren",
            Self::WeightScaling { .. } => "ws",
            Self::Finer { .. } => "finer",
            Self::Winner { .. } => "winner",
            Self::Normal { .. } => "normal",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = Vec::new();
        let mut push = |name, value: Option<f64>| {
            parameters.extend(value.map(|value| (name, value)));
        };
        match *self {
            Self::VarianceInformed { sigma_p, first_sigma_p, last_sigma_p } => {
                push("sigma_p", Some(sigma_p));
                push("first_sigma_p", first_sigma_p);
                push("last_sigma_p", last_sigma_p);
            }
            Self::MonteCarlo { sigma_p, samples } => {
                push("sigma_p", Some(sigma_p));
                push("samples", Some(samples as f64));
            }
            Self::Backward { sigma_p } => push("sigma_p", Some(sigma_p)),
            Self::EdgeOfChaos { sigma_p, first_sigma_p } => {
                push("sigma_p", Some(sigma_p));
                push("first_sigma_p", first_sigma_p);
            }
            Self::Siren { omega } => push("omega", Some(omega)),
            Self::WeightScaling { alpha, omega } => {
                push("alpha", Some(alpha));
                push("omega", Some(omega));
            }
            Self::Finer { omega, k } => {
                push("omega", Some(omega));
                push("k", Some(k));
            }
            Self::Winner { omega, s0, s1 } => {
                push("omega", Some(omega));
                push("s0", Some(s0));
                push("s1", Some(s1));
            }
            Self::Normal { std } => push("std", Some(std)),
            Self::Xavier | Self::Kaiming { .. } | Self::Kumar | Self::PyTorch => {}
        }
        crate::activation::write_named(f, self.name(), &parameters)
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
    /// assert_eq!(scheme, Scheme::ours(0.15));
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
        let optional =
            entry.optional.iter().map(|own| Parameter::positive(own.name, 1.0, own.meaning));
        let all: Vec<Parameter> = entry.parameters.iter().copied().chain(optional).collect();
        let values = named.values(&all)?;
        let is_missing =
            |own: &&Parameter| entry.required.contains(&own.name) && named.get(own.name).is_none();
        if let Some(missing) = all.iter().find(is_missing) {
            return Err(Error::MissingParameter {
                scheme: named.name,
                parameter: missing.name,
                expected: missing.accepted.description(),
            });
        }
        let optional: Vec<_> = entry.optional.iter().map(|own| named.get(own.name)).collect();
        Ok((entry.build)(&values[..entry.parameters.len()], &optional))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in [
            "ours:sigma_p=0.15",
            "ours:sigma_p=0.15,last_sigma_p=0.3",
            "ours_mc:sigma_p=0.15,samples=1000",
            "ours:sigma_p=0.15,first_sigma_p=1,last_sigma_p=0.3",
            "eoc:sigma_p=0.5",
            "eoc:sigma_p=0.5,first_sigma_p=2",
            "backward:sigma_p=2",
            "xavier",
            "kaiming",
            "kaiming_out",
            "kumar",
            "pytorch",
            "siren:omega=30",
            "ws:alpha=2,omega=30",
            "finer:omega=30,k=20",
            "winner:omega=30,s0=0.25,s1=0",
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
        assert!(message("he").contains("known: ours, backward, ours_mc, eoc, xavier"));
        assert_eq!(
            message("ours"),
            "'ours' is without sigma_p; expected ours:sigma_p=VALUE, where VALUE is a finite number above 0"
        );
        assert!(message("ours:sigma_p=0").contains("above 0"));
        assert!(message("ours:sigma_p=1,last_sigma_p=-1").contains("above 0"));
        assert!(message("eoc").contains("'eoc' is without sigma_p"));
        assert!(message("eoc:sigma_p=1,first_sigma_p=0").contains("above 0"));
        assert!(message("eoc:sigma_p=1,last_sigma_p=1").contains("known: sigma_p, first_sigma_p"));
        assert!(message("ours_mc:sigma_p=1,samples=1.5").contains("a whole number above 0"));
        assert!(message("xavier:gain=2").contains("known: none"));
        assert!(message("siren:w=30").contains("known: omega"));
        assert!(message("ws:alpha=0").contains("above 0"));
        assert!(message("winner").contains("'winner' is without s0"));
        assert!(message("winner:s0=1").contains("'winner' is without s1"));
        assert!(message("winner:s0=-1,s1=0").contains("a finite number of at least 0"));
        assert!(message("finer:k=-1").contains("above 0"));
        assert!(message("finer:alpha=2").contains("known: omega, k"));
        assert!(message("normal").contains("'normal' is without std"));
    }
}
