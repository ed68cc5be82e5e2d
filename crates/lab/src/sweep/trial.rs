//! One fit of a sweep.

use std::fmt;
use std::path::Path;

use serde_json::Value as Json;
use vi3nr_inr::request::FitRequest;

use super::{Chosen, SweepError, Value};
use crate::field;

/// Settings over which results are averaged; all others tell configurations apart.
const REPLICATES: [&str; 2] = ["file", "seed"];

/// One fit: a request, and the settings from which it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The index of its case.
    pub case: usize,
    /// All its settings, in alphabetical order.
    pub settings: Vec<Chosen>,
    request: FitRequest,
    /// The request as JSON, by which it is found again.
    pub(super) name: String,
}

impl Trial {
    pub(super) fn new(case: usize, settings: Vec<Chosen>) -> Result<Self, SweepError> {
        let values = settings.iter().map(|chosen| (chosen.name, chosen.value.json.clone()));
        let request = field::request(values)
            .map_err(|error| SweepError::Request { trial: String::new(), error })?;
        let name = Json::Object(request.settings()).to_string();
        Ok(Self { case, settings, request, name })
    }

    /// What is asked for, its paths as the sweep's file has them.
    pub fn request(&self) -> &FitRequest {
        &self.request
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.settings.iter().find(|chosen| chosen.name == name).map(|chosen| &chosen.value)
    }

    /// The same trial with another value of a setting.
    ///
    /// # Errors
    /// Returns [`SweepError::Request`] if the setting cannot have the value.
    pub(super) fn with(&self, name: &'static str, value: Value) -> Result<Self, SweepError> {
        let mut settings = self.settings.clone();
        match settings.iter_mut().find(|chosen| chosen.name == name) {
            Some(chosen) => chosen.value = value,
            None => {
                settings.push(Chosen { name, value });
                settings.sort_by(|a, b| a.name.cmp(b.name));
            }
        }
        Self::new(self.case, settings)
    }

    /// Its settings without the file, the seed and those in `also`: equal for trials of one
    /// configuration.
    pub(super) fn configuration(&self, also: &[&str]) -> (usize, String) {
        let kept = self
            .settings
            .iter()
            .filter(|chosen| !is_replicate(chosen) && !also.contains(&chosen.name));
        let words = kept.map(|chosen| format!("{}\0{}\0", chosen.name, chosen.value.text));
        (self.case, words.collect())
    }

    /// Its file and its seed: equal for trials of different configurations that can be compared.
    pub fn replicate(&self) -> String {
        words(self.settings.iter().filter(|chosen| chosen.name == "seed"))
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

pub(super) fn is_replicate(chosen: &Chosen) -> bool {
    REPLICATES.contains(&chosen.name)
}

/// Settings as people read them.
pub(super) fn words<'a>(settings: impl Iterator<Item = &'a Chosen>) -> String {
    let word = |chosen: &Chosen| match chosen.name {
        "file" => {
            let path = Path::new(&chosen.value.text);
            path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        name => format!("{name}={}", chosen.value.text),
    };
    settings.map(word).collect::<Vec<_>>().join(" ")
}
