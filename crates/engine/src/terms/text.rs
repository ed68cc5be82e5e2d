//! The text form of terms.

use std::fmt;
use std::str::FromStr;

use super::{Power, Term, WeightedTerm};
use crate::EngineError;

/// The names of the terms with the settings that each of them has.
const NAMES: [(&str, &[&str]); 8] = [
    ("value", &["power", "signed"]),
    ("gradient", &["power", "signed"]),
    ("directional", &["power"]),
    ("normal", &["signed"]),
    ("eikonal", &["power"]),
    ("laplacian", &["power"]),
    ("off-surface", &["a"]),
    ("heat", &["lambda"]),
];

/// The settings of a term as text, before they are known to belong to it.
struct Settings {
    power: Power,
    signed: bool,
    rate: Option<f64>,
}

impl Term {
    /// The name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value { .. } => "value",
            Self::Gradient { .. } => "gradient",
            Self::Directional { .. } => "directional",
            Self::Normal { .. } => "normal",
            Self::Eikonal { .. } => "eikonal",
            Self::Laplacian { .. } => "laplacian",
            Self::OffSurface { .. } => "off-surface",
            Self::Heat { .. } => "heat",
        }
    }

    /// The settings that differ from the defaults, as `key=value` in the order of the text form.
    fn settings(self) -> Vec<String> {
        let power = |power| (power == Power::One).then(|| "power=1".to_owned());
        let signed = |signed: bool| (!signed).then(|| "signed=false".to_owned());
        let settings = match self {
            Self::Value { power: p, signed: s } | Self::Gradient { power: p, signed: s } => {
                [power(p), signed(s)]
            }
            Self::Directional { power: p }
            | Self::Eikonal { power: p }
            | Self::Laplacian { power: p } => [power(p), None],
            Self::Normal { signed: s } => [signed(s), None],
            Self::OffSurface { a } => [(a != DECAY).then(|| format!("a={a}")), None],
            Self::Heat { lambda } => {
                [(lambda != ABSORPTION).then(|| format!("lambda={lambda}")), None]
            }
        };
        settings.into_iter().flatten().collect()
    }

    /// The term `name` with `settings`, each `key=value`.
    fn read<'a>(name: &str, settings: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let name = name.trim().replace('_', "-");
        let Some((_, keys)) = NAMES.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no term '{name}'; known: {}", known.join(", ")));
        };
        let mut read = Settings { power: Power::Two, signed: true, rate: None };
        let mut seen: Vec<&str> = Vec::new();
        for setting in settings {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(format!("'{}' is not key=value", setting.trim()));
            };
            let (key, value) = (key.trim(), value.trim());
            if !keys.contains(&key) {
                return Err(format!("{name} has no setting '{key}'; known: {}", keys.join(", ")));
            }
            if seen.contains(&key) {
                return Err(format!("'{key}' is given twice"));
            }
            seen.push(key);
            read.set(key, value)?;
        }
        let Settings { power, signed, rate } = read;
        Ok(match name.as_str() {
            "value" => Self::Value { power, signed },
            "gradient" => Self::Gradient { power, signed },
            "directional" => Self::Directional { power },
            "normal" => Self::Normal { signed },
            "eikonal" => Self::Eikonal { power },
            "laplacian" => Self::Laplacian { power },
            "off-surface" => Self::OffSurface { a: rate.unwrap_or(DECAY) },
            _ => Self::Heat { lambda: rate.unwrap_or(ABSORPTION) },
        })
    }
}

/// The default of `off-surface`, that of SIREN.
const DECAY: f64 = 100.0;
/// The default of `heat`.
const ABSORPTION: f64 = 10.0;

impl Settings {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "power" => {
                self.power = match value {
                    "1" => Power::One,
                    "2" => Power::Two,
                    _ => return Err(format!("the power is '{value}', expected 1 or 2")),
                }
            }
            "signed" => {
                self.signed = value
                    .parse()
                    .map_err(|_| format!("signed is '{value}', expected true or false"))?;
            }
            _ => {
                let rate = value.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
                let Some(rate) = rate else {
                    return Err(format!("{key} is '{value}', expected a finite number above 0"));
                };
                self.rate = Some(rate);
            }
        }
        Ok(())
    }
}

fn fail(text: &str, reason: String) -> EngineError {
    EngineError::Term { text: vi3nr::printable::excerpt(text, 80), reason }
}

impl FromStr for Term {
    type Err = EngineError;

    /// Reads `NAME` or `NAME:key=value,key=value`.
    ///
    /// # Errors
    /// Returns [`EngineError::Term`] if a name, a setting or its value is unknown.
    fn from_str(text: &str) -> Result<Self, EngineError> {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let settings = settings.split(',').filter(|_| !settings.trim().is_empty());
        Self::read(name, settings).map_err(|reason| fail(text, reason))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        let settings = self.settings();
        if settings.is_empty() { Ok(()) } else { write!(f, ":{}", settings.join(",")) }
    }
}

impl FromStr for WeightedTerm {
    type Err = EngineError;

    /// Reads `NAME`, `NAME:WEIGHT` or `NAME:WEIGHT,key=value`; the default of the weight is 1.
    ///
    /// # Errors
    /// Returns [`EngineError::Term`] if the weight is not a finite number of at least 0, or a name,
    /// a setting or its value is unknown.
    fn from_str(text: &str) -> Result<Self, EngineError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, "1"));
        let mut parts = rest.split(',').peekable();
        let mut weight = 1.0;
        if let Some(first) = parts.peek().copied()
            && !first.contains('=')
        {
            parts.next();
            let number = first.trim().parse().ok();
            let Some(number) = number.filter(|w: &f64| w.is_finite() && *w >= 0.0) else {
                let reason = format!(
                    "the weight is '{}', expected a finite number of at least 0",
                    first.trim()
                );
                return Err(fail(text, reason));
            };
            weight = number;
        }
        let term = Term::read(name, parts).map_err(|reason| fail(text, reason))?;
        Ok(Self { term, weight })
    }
}

impl fmt::Display for WeightedTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.term.name(), self.weight)?;
        self.term.settings().iter().try_for_each(|setting| write!(f, ",{setting}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in [
            "value:1",
            "value:3000,power=1",
            "value:1,power=1,signed=false",
            "gradient:0.5",
            "gradient:1,signed=false",
            "directional:2",
            "normal:100",
            "normal:1,signed=false",
            "eikonal:0.1",
            "eikonal:50,power=1",
            "laplacian:0.001",
            "off-surface:100",
            "off-surface:1,a=50",
            "heat:16,lambda=20",
        ] {
            let term: WeightedTerm = text.parse().unwrap();
            assert_eq!(term.to_string(), text);
            let alone: Term = term.term.to_string().parse().unwrap();
            assert_eq!(alone, term.term);
        }
        let read = |text: &str| text.parse::<WeightedTerm>().unwrap().to_string();
        assert_eq!(read(" off_surface "), "off-surface:1");
        assert_eq!(read("eikonal:power=1"), "eikonal:1,power=1");
    }

    #[test]
    fn errors_say_what_was_expected() {
        let message = |text: &str| text.parse::<WeightedTerm>().unwrap_err().to_string();
        assert!(message("ikonal").contains("known: value, gradient"));
        assert!(message("eikonal:x").contains("the weight is 'x'"));
        assert!(message("eikonal:-1").contains("at least 0"));
        assert!(message("eikonal:nan").contains("at least 0"));
        assert!(message("eikonal:1,power=3").contains("expected 1 or 2"));
        assert!(message("eikonal:1,a=3").contains("known: power"));
        assert!(message("eikonal:1,power").contains("not key=value"));
        assert!(message("eikonal:1,power=1,power=2").contains("twice"));
        assert!(message("value:1,signed=maybe").contains("true or false"));
        assert!(message("off-surface:1,a=0").contains("above 0"));
        assert!(message("").contains("no term ''"));
    }
}
