//! The setting `terms`: a list of terms and presets.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vi3nr_engine::WeightedTerm;

use super::TermPreset;

/// An entry of a [`TermList`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TermEntry {
    /// All terms of a preset.
    Preset(TermPreset),
    /// A term with its weight.
    Term(WeightedTerm),
}

impl FromStr for TermEntry {
    type Err = String;

    /// Reads the name of a preset or a [`WeightedTerm`].
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(preset) = TermPreset::named(text.trim()) {
            return Ok(Self::Preset(preset));
        }
        text.parse().map(Self::Term).map_err(|error: vi3nr_engine::EngineError| {
            let presets: Vec<&str> = TermPreset::ALL.iter().map(|preset| preset.name).collect();
            format!("{error}; presets: {}", presets.join(", "))
        })
    }
}

impl fmt::Display for TermEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(preset) => formatter.write_str(preset.name),
            Self::Term(term) => term.fmt(formatter),
        }
    }
}

/// Terms and presets, of which a later entry replaces an earlier term of the same name. A term with
/// a weight of 0 is left out.
///
/// The text form has a space between two entries. JSON and TOML may also contain a list of texts.
///
/// ```
/// use vi3nr_inr::supervision::TermList;
///
/// let list: TermList = "igr eikonal:0.5 gradient:0".parse()?;
/// let terms: Vec<String> = list.terms().iter().map(ToString::to_string).collect();
/// assert_eq!(terms, ["value:1,power=1", "eikonal:0.5"]);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TermList {
    /// The entries, in their order.
    pub entries: Vec<TermEntry>,
}

impl TermList {
    /// The terms, each name once, in the order of their first entries.
    pub fn terms(&self) -> Vec<WeightedTerm> {
        let mut terms: Vec<WeightedTerm> = Vec::new();
        for entry in &self.entries {
            let added = match entry {
                TermEntry::Preset(preset) => preset.terms(),
                TermEntry::Term(term) => vec![*term],
            };
            for term in added {
                match terms.iter_mut().find(|own| own.term.name() == term.term.name()) {
                    Some(own) => *own = term,
                    None => terms.push(term),
                }
            }
        }
        terms.retain(|term| term.weight > 0.0);
        terms
    }
}

impl From<TermPreset> for TermList {
    fn from(preset: TermPreset) -> Self {
        Self { entries: vec![TermEntry::Preset(preset)] }
    }
}

impl FromStr for TermList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries: Vec<TermEntry> =
            text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        match entries.is_empty() {
            true => Err("there is no term; expected one or more".into()),
            false => Ok(Self { entries }),
        }
    }
}

impl fmt::Display for TermList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(formatter, "{space}{entry}")?;
        }
        Ok(())
    }
}

impl Serialize for TermList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TermList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected text or a list of texts")]
        enum Given {
            Text(String),
            List(Vec<String>),
        }
        let text = match Given::deserialize(deserializer)? {
            Given::Text(text) => text,
            Given::List(list) => list.join(" "),
        };
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> String {
        let terms = text.parse::<TermList>().unwrap().terms();
        terms.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn later_entries_replace_earlier_ones() {
        assert_eq!(
            terms("siren eikonal:100"),
            "value:3000,power=1 normal:100 eikonal:100 off-surface:100"
        );
        assert_eq!(terms("eikonal:100 igr"), "eikonal:0.1 value:1,power=1 gradient:1,power=1");
        assert_eq!(terms("siren normal:0 off_surface:0"), "value:3000,power=1 eikonal:50,power=1");
        assert_eq!(terms("eikonal:0"), "");
    }

    #[test]
    fn text_round_trips_and_json_may_be_a_list() {
        for preset in TermPreset::ALL {
            assert_eq!(preset.name.parse::<TermList>(), Ok(TermList::from(*preset)));
        }
        let text = "siren eikonal:100 heat:16,lambda=20";
        let list: TermList = text.parse().unwrap();
        assert_eq!(list.to_string(), text);
        assert_eq!(serde_json::to_value(&list).unwrap(), text);
        let read = |value| serde_json::from_value::<TermList>(value);
        assert_eq!(read(text.into()).unwrap(), list);
        let entries = serde_json::json!(["siren", "eikonal:100", "heat:16,lambda=20"]);
        assert_eq!(read(entries).unwrap(), list);
        assert!(read(serde_json::json!([])).unwrap_err().to_string().contains("no term"));
        assert!(read(serde_json::json!(3)).unwrap_err().to_string().contains("list of texts"));
        let error = "siren ikonal:3".parse::<TermList>().unwrap_err();
        assert!(error.contains("ikonal") && error.contains("presets: siren, igr"), "{error}");
    }
}
