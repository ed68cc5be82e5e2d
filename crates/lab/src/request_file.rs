//! The request of a fit in a TOML or JSON file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vi3nr_inr::request::{FitRequest, RequestError};

use crate::field;

/// A file that is not a valid request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFileError {
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file's extension is not that of a known format.
    #[error("'{}': expected a file name that ends with .toml or .json", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a table of settings in its format.
    #[error("'{}': {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A setting is unknown or has an invalid value.
    #[error("'{}': {error}", path.display())]
    Request {
        /// The file.
        path: PathBuf,
        /// The setting, its value and what was expected.
        error: RequestError,
    },
}

/// Reads a [`FitRequest`] from a TOML or JSON file that gives settings by name. The extension
/// decides the format. Paths in the file are relative to its folder.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("fit.toml");
/// std::fs::write(&path, "file = 'a.png'\nsigma-p = '2*auto'\nsteps = 100\n")?;
/// let request = vi3nr_lab::request_file::read(&path)?;
/// assert_eq!(request.steps, Some(100));
/// assert_eq!(request.file, Some(folder.path().join("a.png")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns [`RequestFileError::Read`] if the file cannot be read, [`RequestFileError::Ending`] or
/// [`RequestFileError::Syntax`] if it is neither TOML nor JSON, and [`RequestFileError::Request`]
/// if a setting is unknown or has an invalid value.
pub fn read(path: &Path) -> Result<FitRequest, RequestFileError> {
    let owned = || path.to_owned();
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_toml = match ending.to_ascii_lowercase().as_str() {
        "toml" => true,
        "json" => false,
        _ => return Err(RequestFileError::Ending { path: owned() }),
    };
    let text = fs::read_to_string(path)
        .map_err(|source| RequestFileError::Read { path: owned(), source })?;
    let syntax = |reason: String| RequestFileError::Syntax {
        path: owned(),
        reason: reason.trim_end().to_owned(),
    };
    let wrong = |error| RequestFileError::Request { path: owned(), error };
    let settings = if is_toml {
        let table: toml::Table =
            toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        from_toml(&table).map_err(wrong)?
    } else {
        let settings: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        field::fields(settings.iter().map(|(name, value)| (name, value.clone()))).map_err(wrong)?
    };
    let request = field::request(settings).map_err(wrong)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(relative_to(&request, folder))
}

fn from_toml(table: &toml::Table) -> Result<Vec<(&'static str, Value)>, RequestError> {
    let values = field::fields(table)?.into_iter().map(|(field, value)| {
        let expected = "a string, a finite number, true or false";
        let wrong = || RequestError::new(field, value.to_string(), expected);
        Ok((field, field::to_json(value).ok_or_else(wrong)?))
    });
    values.collect()
}

/// The request with its relative paths resolved against `folder`.
pub(crate) fn relative_to(request: &FitRequest, folder: &Path) -> FitRequest {
    let mut request = request.clone();
    for path in [&mut request.file, &mut request.from].into_iter().flatten() {
        *path = folder.join(&path);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            read(&path)
        };
        let toml = file("a.toml", "file = 'x/a.png'\nlearning-rate = 1e-3\ngray = true").unwrap();
        let json = r#"{"file": "x/a.png", "lr": 0.001, "gray": true, "steps": null}"#;
        assert_eq!(file("a.json", json).unwrap(), toml);
        assert_eq!(toml.file, Some(folder.path().join("x/a.png")));
        assert_eq!((toml.lr, toml.signal.image.gray), (Some(1e-3), Some(true)));
        // A written request is read back unchanged.
        let written = Value::Object(toml.settings()).to_string();
        assert_eq!(file("b.json", &written).unwrap(), toml);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, part) in [
            ("a.txt", "", ".toml or .json"),
            ("a.toml", "steps =", "a.toml"),
            ("a.json", "[]", "a.json"),
            ("a.json", "{", "a.json"),
            ("a.toml", "widht = 3", "did you mean 'width'"),
            ("a.toml", "steps = 'many'", "steps: "),
            ("a.toml", "lr = nan", "lr: nan"),
            ("a.toml", "lr = [1, 2]", "lr: [1, 2]"),
            ("a.json", r#"{"sigma_p": 1, "sigma-p": 2}"#, "sigma_p: it is given twice"),
            ("a.toml", "activation = 'gauss'", "activation: "),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(matches!(
            read(&folder.path().join("none.json")),
            Err(RequestFileError::Read { .. })
        ));
    }
}
