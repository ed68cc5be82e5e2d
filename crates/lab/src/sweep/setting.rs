//! A setting of a sweep with its values.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value as Json;

use super::SweepError;
use crate::field;

/// A value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The value as it is given to a request.
    pub json: Json,
    /// The value as text.
    pub text: String,
    /// The number that varies, if there is one: 0.05 for `gaussian:sigma=0.05` made with a
    /// `format`.
    pub number: Option<f64>,
}

/// A field of a [`FitRequest`](vi3nr_inr::request::FitRequest) and the values that a sweep gives
/// it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The field's name: `sigma_p`, for example.
    pub name: &'static str,
    /// The values, at least one in a plan.
    pub values: Vec<Value>,
}

/// A setting with one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The field's name.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

impl Value {
    /// A value given as text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Self { json: text.clone().into(), text, number }
    }

    /// A number. A whole number is valid for settings that take integers.
    pub fn number(number: f64) -> Self {
        /// Every whole number below this is exact.
        const MAX_EXACT: f64 = 9e15;
        let is_whole = number.fract() == 0.0 && number.abs() < MAX_EXACT;
        let json = if is_whole { Json::from(number as i64) } else { Json::from(number) };
        Self { json, text: number.to_string(), number: Some(number) }
    }

    fn formatted(self, format: Option<&str>) -> Self {
        match format {
            Some(format) => {
                let number = self.number;
                Self { number, ..Self::new(format.replace("{}", &self.text)) }
            }
            None => self,
        }
    }
}

impl Setting {
    /// Reads the values of the field `name`: a single value, a list, or a table. A table has either
    /// `values`, or `from`, `to`, `points` and optionally `scale = "log"`, or `glob`, and
    /// optionally a `format`. Paths are relative to `folder`. An empty list gives no values.
    ///
    /// # Errors
    /// Returns [`SweepError::Setting`] for anything else, and [`SweepError::Request`] if a value is
    /// not valid for the field.
    pub(super) fn read(
        name: &'static str,
        value: &toml::Value,
        folder: &Path,
    ) -> Result<Self, SweepError> {
        let values = read_values(name, value, folder)?;
        require_different(name, &values)?;
        for value in &values {
            field::request([(name, value.json.clone())])
                .map_err(|error| SweepError::Request { trial: String::new(), error })?;
        }
        Ok(Self { name, values })
    }

    /// Whether the setting has more than one value.
    pub fn is_varied(&self) -> bool {
        self.values.len() > 1
    }
}

pub(super) fn invalid(name: &str, reason: impl Into<String>) -> SweepError {
    SweepError::Setting { name: name.into(), reason: reason.into() }
}

/// A value that is given twice would count as a repetition, with a deviation of 0.
fn require_different(name: &str, values: &[Value]) -> Result<(), SweepError> {
    let mut seen = HashSet::new();
    match values.iter().find(|value| !seen.insert(&value.text)) {
        None => Ok(()),
        Some(value) => {
            Err(invalid(name, format!("{} is given twice; expected different values", value.text)))
        }
    }
}

fn read_values(name: &str, value: &toml::Value, folder: &Path) -> Result<Vec<Value>, SweepError> {
    match value {
        toml::Value::Array(list) => list.iter().map(|value| scalar(name, value)).collect(),
        toml::Value::Table(table) => read_table(name, table, folder),
        value => Ok(vec![scalar(name, value)?]),
    }
}

fn scalar(name: &str, value: &toml::Value) -> Result<Value, SweepError> {
    match (value, field::to_json(value)) {
        (toml::Value::String(text), _) => Ok(Value::new(text.clone())),
        (toml::Value::Float(number), Some(_)) => Ok(Value::number(*number)),
        (toml::Value::Integer(number), Some(json)) => {
            Ok(Value { json, text: number.to_string(), number: Some(*number as f64) })
        }
        (_, Some(json)) => Ok(Value { text: json.to_string(), json, number: None }),
        (other, None) => {
            let reason = format!("{other}: expected a string, a finite number, true or false");
            Err(invalid(name, reason))
        }
    }
}

fn read_table(name: &str, table: &toml::Table, folder: &Path) -> Result<Vec<Value>, SweepError> {
    const KNOWN: [&str; 7] = ["values", "from", "to", "points", "scale", "format", "glob"];
    if let Some(key) = table.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(invalid(name, format!("unknown key '{key}', expected {}", KNOWN.join(", "))));
    }
    let format = match table.get("format") {
        None => None,
        Some(toml::Value::String(format)) if format.contains("{}") => Some(format.as_str()),
        Some(other) => {
            let reason = format!("format = {other}: expected a string with {{}} for the value");
            return Err(invalid(name, reason));
        }
    };
    let kinds = ["values", "from", "glob"].map(|key| table.contains_key(key));
    let values = match kinds {
        [true, false, false] => read_values(name, &table["values"], folder)?,
        [false, true, false] => range(name, table)?,
        [false, false, true] => files(name, &table["glob"], folder)?,
        _ => return Err(invalid(name, "expected one of values, from with to and points, or glob")),
    };
    Ok(values.into_iter().map(|value| value.formatted(format)).collect())
}

/// Values from `from` to `to` inclusive, equally spaced on a linear or a logarithmic scale.
fn range(name: &str, table: &toml::Table) -> Result<Vec<Value>, SweepError> {
    let number = |key: &str| match table.get(key) {
        Some(toml::Value::Float(number)) if number.is_finite() => Ok(*number),
        Some(toml::Value::Integer(number)) => Ok(*number as f64),
        Some(other) => Err(invalid(name, format!("{key} = {other}: expected a finite number"))),
        None => Err(invalid(name, format!("a range needs {key}"))),
    };
    let (from, to, points) = (number("from")?, number("to")?, number("points")?);
    if points.fract() != 0.0 || !(2.0..=10_000.0).contains(&points) {
        return Err(invalid(
            name,
            format!("points = {points}: expected a whole number, 2 to 10000"),
        ));
    }
    let at: Box<dyn Fn(f64) -> f64> = match table.get("scale").map(toml::Value::as_str) {
        None | Some(Some("linear")) => Box::new(|share| from + (to - from) * share),
        Some(Some("log")) if from > 0.0 && to > 0.0 => {
            Box::new(|share| from * (to / from).powf(share))
        }
        Some(Some("log")) => {
            return Err(invalid(name, "a logarithmic range needs from and to above 0"));
        }
        Some(_) => return Err(invalid(name, "expected scale = \"linear\" or \"log\"")),
    };
    let last = points as usize - 1;
    let value = |index| {
        let exact = if index == last { to } else { at(index as f64 / last as f64) };
        Value::number(six_digits(exact))
    };
    Ok((0..=last).map(value).collect())
}

/// The number rounded to six significant digits, so that labels stay short.
pub(super) fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

/// The files that match a pattern, sorted by name.
fn files(name: &str, pattern: &toml::Value, folder: &Path) -> Result<Vec<Value>, SweepError> {
    let toml::Value::String(pattern) = pattern else {
        return Err(invalid(
            name,
            format!("glob = {pattern}: expected a pattern such as \"*.png\""),
        ));
    };
    // The folder's own name may contain wildcard characters.
    let escaped = glob::Pattern::escape(&folder.to_string_lossy());
    let is_whole = escaped.is_empty() || Path::new(pattern).is_absolute();
    let whole = if is_whole { pattern.clone() } else { format!("{escaped}/{pattern}") };
    let found =
        glob::glob(&whole).map_err(|error| invalid(name, format!("'{pattern}': {error}")))?;
    let mut values = Vec::new();
    for path in found {
        let path = path.map_err(|error| invalid(name, format!("'{pattern}': {error}")))?;
        let path = path.strip_prefix(folder).unwrap_or(&path);
        let Some(text) = path.to_str() else {
            let reason = format!("'{}' is not valid Unicode and cannot be stored", path.display());
            return Err(invalid(name, reason));
        };
        values.push(Value { number: None, ..Value::new(text) });
    }
    if values.is_empty() {
        return Err(invalid(name, format!("no file matches '{whole}'")));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toml: &str) -> Result<Vec<String>, String> {
        let table: toml::Table = toml.parse().unwrap();
        let values = read_values("a", &table["a"], Path::new(""));
        let texts = |values: Vec<Value>| values.into_iter().map(|value| value.text);
        values.map(|values| texts(values).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_may_be_given_once() {
        for (toml, repeated) in [
            ("a = [0, 1, 0]", "0"),
            ("a = ['x', 'x']", "x"),
            ("a = { from = 2, to = 2, points = 3 }", "2"),
            ("a = [1, 1.0]", "1"),
        ] {
            let table: toml::Table = toml.parse().unwrap();
            let error = Setting::read("seed", &table["a"], Path::new("")).unwrap_err().to_string();
            assert!(error.contains(&format!("{repeated} is given twice")), "{toml}: {error}");
        }
    }

    #[test]
    fn settings_have_one_value_or_several() {
        for (toml, expected) in [
            ("a = 3", &["3"][..]),
            ("a = 1e-4", &["0.0001"]),
            ("a = true", &["true"]),
            ("a = ['auto', 0.5, 2]", &["auto", "0.5", "2"]),
            ("a = { from = 1, to = 3, points = 3 }", &["1", "2", "3"]),
            (
                "a = { from = 1e-4, to = 1e-2, points = 3, scale = 'log' }",
                &["0.0001", "0.001", "0.01"],
            ),
            (
                "a = { from = 1, to = 10, points = 4, scale = 'log' }",
                &["1", "2.15443", "4.64159", "10"],
            ),
            ("a = { values = [0.1, 0.2], format = 'g:s={}' }", &["g:s=0.1", "g:s=0.2"]),
        ] {
            assert_eq!(texts(toml).unwrap(), expected, "{toml}");
        }
    }

    #[test]
    fn formatted_values_keep_their_number() {
        let table: toml::Table = "a = { values = [0.1], format = 'g:s={}' }".parse().unwrap();
        let values = read_values("a", &table["a"], Path::new("")).unwrap();
        assert_eq!(values[0].number, Some(0.1));
    }

    #[test]
    fn values_that_are_invalid_for_a_field_are_rejected() {
        let read = |name, toml: &str| {
            let table: toml::Table = toml.parse().unwrap();
            Setting::read(name, &table["a"], Path::new(""))
        };
        for (name, toml) in [
            ("steps", "a = { from = 100, to = 1000, points = 4 }"),
            ("sigma_p", "a = { values = [0.5, 2], format = '{}*auto' }"),
            ("batch", "a = ['full', 100]"),
            ("gray", "a = [true, 'false']"),
            ("lr", "a = ['1e-3', 2]"),
        ] {
            assert!(read(name, toml).is_ok(), "{name}: {:?}", read(name, toml));
        }
        for (name, toml) in [
            ("steps", "a = [10, 0.5]"),
            ("sigma_p", "a = { values = [-2], format = '{}*auto' }"),
            ("gray", "a = 'yes'"),
            ("activation", "a = 'gauss'"),
        ] {
            let error = read(name, toml).unwrap_err();
            let SweepError::Request { error, .. } = error else { panic!("{error}") };
            assert_eq!(error.fields, [name]);
        }
    }

    #[test]
    fn errors_name_the_setting_and_the_reason() {
        for (toml, part) in [
            ("a = [[1]]", "expected a string"),
            ("a = inf", "expected a string"),
            ("a = { from = 1, to = 2 }", "needs points"),
            ("a = { from = 1, to = 2, points = 1 }", "2 to 10000"),
            ("a = { from = 0, to = 2, points = 3, scale = 'log' }", "above 0"),
            ("a = { from = 1, to = 2, points = 3, scale = 'cube' }", "linear"),
            ("a = { form = 1 }", "unknown key 'form'"),
            ("a = { values = [1], glob = '*' }", "expected one of"),
            ("a = { values = [1], format = 'x' }", "{}"),
            ("a = { glob = 'no/such/*.file' }", "no file matches"),
            ("a = { glob = '***' }", "***"),
        ] {
            let error = texts(toml).unwrap_err();
            assert!(error.starts_with("setting 'a': ") && error.contains(part), "{toml}: {error}");
        }
    }

    #[test]
    fn files_are_sorted_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "a.png", "c.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let table: toml::Table = "file = { glob = '*.png' }".parse().unwrap();
        let setting = Setting::read("file", &table["file"], folder.path()).unwrap();
        let names: Vec<_> = setting.values.iter().map(|value| value.text.as_str()).collect();
        assert_eq!(names, ["a.png", "b.png"]);
    }
}
