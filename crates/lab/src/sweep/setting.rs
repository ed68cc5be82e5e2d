//! One setting of `fit` with the values that it takes.

use std::path::Path;

use super::SweepError;

/// A value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// As it is typed on the command line.
    pub text: String,
    /// The number that varies, if one does: 0.05 in `gaussian:sigma=0.05` made by a format.
    pub number: Option<f64>,
}

/// A setting of `fit` by its long name, without dashes, and the values that a sweep gives it. The
/// setting `file` is the signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// `sigma-p`, for example.
    pub name: String,
    /// One or more in a plan.
    pub values: Vec<Value>,
}

/// A setting with one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The setting's name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

impl Value {
    /// A value that is typed as `text`.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Self { text, number }
    }

    /// A number.
    pub fn number(number: f64) -> Self {
        Self { text: number.to_string(), number: Some(number) }
    }

    fn formatted(self, format: Option<&str>) -> Self {
        match format {
            Some(format) => Self { text: format.replace("{}", &self.text), number: self.number },
            None => self,
        }
    }
}

impl Setting {
    /// Reads what a file says of the setting `name`: one value, a list, or a table with `values`, with
    /// `from`, `to`, `points` and perhaps `scale = "log"`, each perhaps with a `format`, or with
    /// `glob`. Paths are those from `folder`. An empty list gives no values.
    ///
    /// # Errors
    /// Anything else.
    pub(super) fn read(name: &str, value: &toml::Value, folder: &Path) -> Result<Self, SweepError> {
        Ok(Self { name: name.into(), values: read_values(name, value, folder)? })
    }

    /// Whether a sweep tries more than one value.
    pub fn is_varied(&self) -> bool {
        self.values.len() > 1
    }
}

pub(super) fn wrong(name: &str, reason: impl Into<String>) -> SweepError {
    SweepError::Setting { name: name.into(), reason: reason.into() }
}

fn read_values(name: &str, value: &toml::Value, folder: &Path) -> Result<Vec<Value>, SweepError> {
    match value {
        toml::Value::Array(list) => list.iter().map(|value| scalar(name, value)).collect(),
        toml::Value::Table(table) => read_table(name, table, folder),
        value => Ok(vec![scalar(name, value)?]),
    }
}

fn scalar(name: &str, value: &toml::Value) -> Result<Value, SweepError> {
    Ok(match value {
        toml::Value::String(text) => Value::new(text.clone()),
        toml::Value::Integer(number) => Value::new(number.to_string()),
        toml::Value::Float(number) if number.is_finite() => Value::number(*number),
        toml::Value::Boolean(flag) => Value { text: flag.to_string(), number: None },
        other => {
            let reason = format!("{other} is neither text, a finite number, true nor false");
            return Err(wrong(name, reason));
        }
    })
}

fn read_table(name: &str, table: &toml::Table, folder: &Path) -> Result<Vec<Value>, SweepError> {
    const KNOWN: [&str; 7] = ["values", "from", "to", "points", "scale", "format", "glob"];
    if let Some(key) = table.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(wrong(name, format!("unknown key '{key}', expected {}", KNOWN.join(", "))));
    }
    let format = match table.get("format") {
        None => None,
        Some(toml::Value::String(format)) if format.contains("{}") => Some(format.as_str()),
        Some(other) => {
            let reason = format!("format = {other}: expected text with {{}} for the value");
            return Err(wrong(name, reason));
        }
    };
    let kinds = ["values", "from", "glob"].map(|key| table.contains_key(key));
    let values = match kinds {
        [true, false, false] => read_values(name, &table["values"], folder)?,
        [false, true, false] => range(name, table)?,
        [false, false, true] => files(name, &table["glob"], folder)?,
        _ => return Err(wrong(name, "expected one of values, from with to and points, or glob")),
    };
    Ok(values.into_iter().map(|value| value.formatted(format)).collect())
}

/// Values from `from` to `to`, both included, with equal differences or equal quotients.
fn range(name: &str, table: &toml::Table) -> Result<Vec<Value>, SweepError> {
    let number = |key: &str| match table.get(key) {
        Some(toml::Value::Float(number)) if number.is_finite() => Ok(*number),
        Some(toml::Value::Integer(number)) => Ok(*number as f64),
        Some(other) => Err(wrong(name, format!("{key} = {other}: expected a finite number"))),
        None => Err(wrong(name, format!("a range needs {key}"))),
    };
    let (from, to, points) = (number("from")?, number("to")?, number("points")?);
    if points.fract() != 0.0 || !(2.0..=10_000.0).contains(&points) {
        return Err(wrong(name, format!("points = {points}: expected a whole number, 2 to 10000")));
    }
    let at: Box<dyn Fn(f64) -> f64> = match table.get("scale").map(toml::Value::as_str) {
        None | Some(Some("linear")) => Box::new(|share| from + (to - from) * share),
        Some(Some("log")) if from > 0.0 && to > 0.0 => {
            Box::new(|share| from * (to / from).powf(share))
        }
        Some(Some("log")) => {
            return Err(wrong(name, "a logarithmic range needs from and to above 0"));
        }
        Some(_) => return Err(wrong(name, "expected scale = \"linear\" or \"log\"")),
    };
    let last = points as usize - 1;
    let value = |index| {
        let exact = if index == last { to } else { at(index as f64 / last as f64) };
        Value::number(six_digits(exact))
    };
    Ok((0..=last).map(value).collect())
}

/// The number with six significant digits, so that commands stay readable.
pub(super) fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

/// The files of a pattern, in the order of their names.
fn files(name: &str, pattern: &toml::Value, folder: &Path) -> Result<Vec<Value>, SweepError> {
    let toml::Value::String(pattern) = pattern else {
        return Err(wrong(name, format!("glob = {pattern}: expected a pattern such as \"*.png\"")));
    };
    // The folder's own name may hold what means something in a pattern.
    let escaped = glob::Pattern::escape(&folder.to_string_lossy());
    let is_whole = escaped.is_empty() || Path::new(pattern).is_absolute();
    let whole = if is_whole { pattern.clone() } else { format!("{escaped}/{pattern}") };
    let found = glob::glob(&whole).map_err(|error| wrong(name, format!("'{pattern}': {error}")))?;
    let mut values = Vec::new();
    for path in found {
        let path = path.map_err(|error| wrong(name, format!("'{pattern}': {error}")))?;
        let path = path.strip_prefix(folder).unwrap_or(&path);
        let Some(text) = path.to_str() else {
            let reason = format!("'{}' is no Unicode and cannot be kept", path.display());
            return Err(wrong(name, reason));
        };
        values.push(Value { text: text.into(), number: None });
    }
    if values.is_empty() {
        return Err(wrong(name, format!("no file matches '{whole}'")));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(toml: &str) -> Result<Vec<String>, String> {
        let table: toml::Table = toml.parse().unwrap();
        let setting = Setting::read("a", &table["a"], Path::new(""));
        let texts = |setting: Setting| setting.values.into_iter().map(|value| value.text);
        setting.map(|setting| texts(setting).collect()).map_err(|error| error.to_string())
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
    fn what_varies_keeps_its_number() {
        let table: toml::Table = "a = { values = [0.1], format = 'g:s={}' }".parse().unwrap();
        let setting = Setting::read("a", &table["a"], Path::new("")).unwrap();
        assert_eq!(setting.values[0].number, Some(0.1));
    }

    #[test]
    fn nonsense_is_named() {
        for (toml, part) in [
            ("a = [[1]]", "neither text"),
            ("a = inf", "neither text"),
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
    fn files_come_in_the_order_of_their_names() {
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
