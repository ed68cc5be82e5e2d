//! Names and values of settings in files.

use serde_json::{Map, Value};
use vi3nr_inr::request::{FitRequest, RequestError};

/// The field of a request with the given name, in which dashes and underscores are equivalent.
///
/// # Errors
/// Returns a [`RequestError`] with the nearest name and all known names if there is no such field.
pub(crate) fn known(name: &str) -> Result<&'static str, RequestError> {
    FitRequest::field(name).ok_or_else(|| FitRequest::unknown_field(name))
}

/// The fields of the entries of a table, with their values.
///
/// # Errors
/// Returns a [`RequestError`] if a name is not known or if two names denote the same field.
pub(crate) fn fields<'a, V>(
    table: impl IntoIterator<Item = (&'a String, V)>,
) -> Result<Vec<(&'static str, V)>, RequestError> {
    let mut found: Vec<(&'static str, V)> = Vec::new();
    for (name, value) in table {
        let field = known(name)?;
        if found.iter().any(|(own, _)| *own == field) {
            return Err(RequestError::new(field, "it is given twice", "one of the two"));
        }
        found.push((field, value));
    }
    Ok(found)
}

/// A TOML number, string or Boolean as JSON. `None` for anything else, including infinite numbers
/// and NaN, which JSON lacks.
pub(crate) fn to_json(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(text.as_str().into()),
        toml::Value::Integer(number) => Some((*number).into()),
        toml::Value::Float(number) if number.is_finite() => Some((*number).into()),
        toml::Value::Boolean(flag) => Some((*flag).into()),
        _ => None,
    }
}

/// The request with these values of its fields.
///
/// # Errors
/// Returns a [`RequestError`] with the field if a value is not valid for its field.
pub(crate) fn request<'a>(
    values: impl IntoIterator<Item = (&'a str, Value)>,
) -> Result<FitRequest, RequestError> {
    let settings: Map<String, Value> =
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    FitRequest::from_settings(&settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_right_are_recognized() {
        assert_eq!(known("sigma-p"), Ok("sigma_p"));
        assert_eq!(known("lr-decay"), Ok("lr_decay"));
        for (name, nearest) in
            [("widht", "width"), ("sigmap", "sigma_p"), ("optimiser", "optimizer")]
        {
            let error = known(name).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean '{nearest}'?")), "{error}");
            assert!(error.contains("(known: file, preset"), "{error}");
        }
        assert!(!known("nothing_like_it").unwrap_err().to_string().contains("did you mean"));
    }

    #[test]
    fn one_field_has_one_value() {
        let table: toml::Table = "sigma-p = 1\nsigma_p = 2".parse().unwrap();
        let error = fields(&table).unwrap_err();
        assert_eq!(error.fields, ["sigma_p"]);
    }
}
