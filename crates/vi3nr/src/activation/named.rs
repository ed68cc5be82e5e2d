//! The grammar `NAME` or `NAME:key=value,key=value`, shared by activations and schemes.

use std::fmt;

use super::parameter::Parameter;
use crate::{Error, number};

/// The maximum length of a text in bytes.
pub(super) const MAX_TEXT: usize = 4096;

/// A name and its key=value pairs as given, before they are looked up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pairs: Vec<(String, f64)>,
}

impl Named {
    /// Splits a text and parses its numbers.
    ///
    /// # Errors
    /// Returns [`Error::Syntax`] if the text is too long or does not have the form.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let fail = |reason: String| Err(Error::Syntax { text: text.to_owned(), reason });
        if text.len() > MAX_TEXT {
            return fail(format!("it is {} bytes long, at most {MAX_TEXT} are read", text.len()));
        }
        let (name, rest) = match text.split_once(':') {
            None => (text, None),
            Some((name, rest)) => (name, Some(rest)),
        };
        let name = name.trim();
        if name.is_empty() {
            return fail("the name is empty".into());
        }
        let mut pairs: Vec<(String, f64)> = Vec::new();
        for part in rest.into_iter().flat_map(|rest| rest.split(',')) {
            let Some((key, value)) = part.split_once('=') else {
                return fail(format!("'{part}' is not key=value"));
            };
            let (key, value) = (key.trim(), value.trim());
            let Some(number) = number::real(value) else {
                return fail(format!("the value '{value}' of '{key}' is not a number"));
            };
            if pairs.iter().any(|(seen, _)| seen == key) {
                return fail(format!("'{key}' is given twice"));
            }
            pairs.push((key.to_owned(), number));
        }
        Ok(Self { name: name.to_owned(), pairs })
    }

    /// Creates the value from its parts.
    ///
    /// # Errors
    /// Returns [`Error::Syntax`] if a key is given twice.
    pub(crate) fn from_parts(name: &str, pairs: &[(&str, f64)]) -> Result<Self, Error> {
        for (index, (key, _)) in pairs.iter().enumerate() {
            if pairs[..index].iter().any(|(seen, _)| seen == key) {
                let reason = format!("'{key}' is given twice");
                return Err(Error::Syntax { text: name.to_owned(), reason });
            }
        }
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        Ok(Self { name: name.to_owned(), pairs })
    }

    /// The pairs as given.
    pub(super) fn pairs(&self) -> &[(String, f64)] {
        &self.pairs
    }

    /// The value that was given for a key.
    pub(crate) fn get(&self, key: &str) -> Option<f64> {
        self.pairs.iter().find(|(seen, _)| seen == key).map(|(_, value)| *value)
    }

    /// The values of `parameters` in their order, with defaults for those that were not given.
    ///
    /// # Errors
    /// Returns [`Error::UnknownParameter`] if a key is not one of `parameters`, and
    /// [`Error::OutOfRange`] if a value is not accepted.
    pub(crate) fn values(&self, parameters: &[Parameter]) -> Result<Vec<f64>, Error> {
        let is_unknown = |key: &str| !parameters.iter().any(|p| p.name == key);
        if let Some((key, _)) = self.pairs.iter().find(|(key, _)| is_unknown(key)) {
            let known: Vec<_> = parameters.iter().map(|p| p.name).collect();
            return Err(Error::UnknownParameter {
                owner: self.name.clone(),
                parameter: key.clone(),
                known: if known.is_empty() { "none".into() } else { known.join(", ") },
            });
        }
        let value_of = |parameter: &Parameter| {
            let given = self.pairs.iter().find(|(key, _)| key == parameter.name);
            given.map_or(parameter.default, |(_, value)| *value)
        };
        parameters
            .iter()
            .map(|parameter| {
                let value = value_of(parameter);
                if parameter.accepted.contains(value) {
                    return Ok(value);
                }
                Err(Error::OutOfRange {
                    quantity: format!("{}:{}", self.name, parameter.name),
                    value,
                    expected: parameter.accepted.description(),
                })
            })
            .collect()
    }
}

/// Writes `name` or `name:key=value,key=value`, the inverse of [`Named::parse`].
pub(crate) fn write(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    parameters: &[(&str, f64)],
) -> fmt::Result {
    f.write_str(name)?;
    for (index, (key, value)) in parameters.iter().enumerate() {
        write!(f, "{}{key}={value}", if index == 0 { ':' } else { ',' })?;
    }
    Ok(())
}
