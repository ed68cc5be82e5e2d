//! One fit of a sweep.

use std::fmt;
use std::path::Path;

use serde_json::Value as Json;
use vi3nr_inr::request::FitRequest;

use super::{Assignment, SweepError, Value};
use crate::field;

/// The settings over which results are averaged; all others distinguish configurations.
const REPLICATES: [&str; 2] = ["file", "seed"];

/// One fit: a request, and the settings from which it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The index of its case.
    pub case: usize,
    /// The values of all settings, in alphabetical order.
    pub settings: Vec<Assignment>,
    request: FitRequest,
    /// The request as JSON, which is unique in the sweep.
    pub(super) name: String,
}

impl Trial {
    pub(super) fn new(case: usize, settings: Vec<Assignment>) -> Result<Self, SweepError> {
        let values =
            settings.iter().map(|assignment| (assignment.name, assignment.value.json.clone()));
        let request = field::request(values)
            .map_err(|error| SweepError::Request { trial: String::new(), error })?;
        let name = Json::Object(request.settings()).to_string();
        Ok(Self { case, settings, request, name })
    }

    /// The request, with paths as in the sweep's file.
    pub fn request(&self) -> &FitRequest {
        &self.request
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.settings
            .iter()
            .find(|assignment| assignment.name == name)
            .map(|assignment| &assignment.value)
    }

    /// The same trial with another value of a setting.
    ///
    /// # Errors
    /// Returns [`SweepError::Request`] if the value is not valid for the setting.
    pub(super) fn with(&self, name: &'static str, value: Value) -> Result<Self, SweepError> {
        let mut settings = self.settings.clone();
        match settings.iter_mut().find(|assignment| assignment.name == name) {
            Some(assignment) => assignment.value = value,
            None => {
                settings.push(Assignment { name, value });
                settings.sort_by(|a, b| a.name.cmp(b.name));
            }
        }
        Self::new(self.case, settings)
    }

    /// The settings except for the file, the seed and those in `also`: equal for all trials of a
    /// configuration.
    pub(super) fn configuration(&self, also: &[&str]) -> (usize, String) {
        let kept = self
            .settings
            .iter()
            .filter(|assignment| !is_replicate(assignment) && !also.contains(&assignment.name));
        let words =
            kept.map(|assignment| format!("{}\0{}\0", assignment.name, assignment.value.text));
        (self.case, words.collect())
    }

    /// The file and the seed. Trials of two configurations can be compared in pairs if these are
    /// equal.
    pub fn replicate(&self) -> String {
        words(self.settings.iter().filter(|assignment| assignment.name == "seed"))
            + "\0"
            + self.get("file").map_or("", |file| file.text.as_str())
    }
}

/// The request in one line: `name=value` for every setting.
impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let settings = self.request.settings();
        let words = settings.iter().map(|(name, value)| format!("{name}={}", word(value)));
        f.write_str(&words.collect::<Vec<_>>().join(" "))
    }
}

pub(super) fn is_replicate(assignment: &Assignment) -> bool {
    REPLICATES.contains(&assignment.name)
}

/// Settings as a label: the stem of a file, `name=value` for others.
pub(super) fn words<'a>(settings: impl Iterator<Item = &'a Assignment>) -> String {
    let word = |assignment: &Assignment| match assignment.name {
        "file" => {
            let path = Path::new(&assignment.value.text);
            path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        name => format!("{name}={}", assignment.value.text),
    };
    settings.map(word).collect::<Vec<_>>().join(" ")
}
