//! All combinations of a sweep's settings.

use std::path::{Path, PathBuf};

use vi3nr::Activation;

use super::setting::{six_digits, wrong};
use super::{Chosen, Setting, Strategy, SweepError, SweepFile, Value};

/// Most trials of a sweep.
const MOST_TRIALS: usize = 100_000;
/// Settings over which results are averaged; all others tell configurations apart.
const REPLICATES: [&str; 2] = ["file", "seed"];
/// Options of `fit` that are the executor's.
const RESERVED: [&str; 4] = ["out", "threads", "json", "resume"];

/// A sweep ready to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is about.
    pub title: String,
    /// The number of a fit's result that decides.
    pub metric: String,
    /// Whether it is to be large.
    pub is_maximised: bool,
    /// Which combinations are tried.
    pub strategy: Strategy,
    /// At least one.
    pub cases: Vec<Case>,
    /// The folder that paths are taken from and that commands run in.
    pub folder: PathBuf,
}

/// Settings with their values, under a name that is empty where a sweep has but one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What people call it.
    pub name: String,
    /// Each name once, in alphabetical order.
    pub settings: Vec<Setting>,
}

/// One fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The index of its case.
    pub case: usize,
    /// All its settings, in alphabetical order.
    pub settings: Vec<Chosen>,
}

impl Plan {
    /// What `file` means, its paths taken from `folder`.
    ///
    /// # Errors
    /// Settings that make no sense, or none that decides.
    pub fn new(file: &SweepFile, folder: &Path) -> Result<Self, SweepError> {
        let (metric, is_maximised) = match (&file.maximise, &file.minimise) {
            (Some(metric), None) => (metric.clone(), true),
            (None, Some(metric)) => (metric.clone(), false),
            _ => {
                let reason = "expected one of the two, for example maximise = \"psnr\"";
                return Err(wrong("maximise, minimise", reason));
            }
        };
        let read = |table: &toml::Table| -> Result<Vec<Setting>, SweepError> {
            table.iter().map(|(name, value)| Setting::read(name, value, folder)).collect()
        };
        let shared = read(&file.settings)?;
        if let Some(setting) = shared.iter().find(|setting| setting.values.is_empty()) {
            return Err(wrong(&setting.name, "it has no values"));
        }
        let mut cases = Vec::new();
        for case in &file.cases {
            let mut settings = read(&case.settings)?;
            for setting in &shared {
                if settings.iter().all(|own| own.name != setting.name) {
                    settings.push(setting.clone());
                }
            }
            // An empty list takes a setting of all cases back.
            settings.retain(|setting| !setting.values.is_empty());
            cases.push(Case { name: case.name.clone(), settings });
        }
        if cases.is_empty() {
            cases.push(Case { name: String::new(), settings: shared });
        }
        for (index, case) in cases.iter_mut().enumerate() {
            case.settings.sort_by(|a, b| a.name.cmp(&b.name));
            let taken = case.settings.iter().find(|own| RESERVED.contains(&own.name.as_str()));
            if let Some(setting) = taken {
                return Err(wrong(&setting.name, "the sweep itself gives it to its trials"));
            }
            let count = case.settings.iter().try_fold(1usize, |count, setting| {
                count.checked_mul(setting.values.len()).filter(|count| *count <= MOST_TRIALS)
            });
            if count.is_none_or(|count| count * (index + 1) > MOST_TRIALS) {
                return Err(SweepError::TooMany { most: MOST_TRIALS });
            }
        }
        let title = file.title.clone();
        let strategy = file.strategy.clone();
        let plan = Self { title, metric, is_maximised, strategy, cases, folder: folder.to_owned() };
        plan.strategy.check(&plan)?;
        Ok(plan)
    }

    /// Every combination of every case, the last setting changing fastest.
    ///
    /// # Errors
    /// A multiple of `auto` for an activation that has none.
    pub fn trials(&self) -> Result<Vec<Trial>, SweepError> {
        let mut trials = Vec::new();
        for (case, settings) in self.cases.iter().enumerate() {
            let mut partial = vec![Vec::new()];
            for setting in &settings.settings {
                let chosen =
                    |value: &Value| Chosen { name: setting.name.clone(), value: value.clone() };
                let extended = partial.iter().flat_map(|before: &Vec<Chosen>| {
                    setting
                        .values
                        .iter()
                        .map(move |value| before.iter().cloned().chain([chosen(value)]).collect())
                });
                partial = extended.collect();
            }
            for settings in partial {
                trials.push(Trial { case, settings }.with_numbers()?);
            }
        }
        Ok(trials)
    }

    /// `a` is better than `b`, or `b` is no number.
    pub fn is_better(&self, a: f64, b: f64) -> bool {
        let order = if self.is_maximised { a > b } else { a < b };
        order || (b.is_nan() && !a.is_nan())
    }

    /// What tells a trial's configuration from others of its case, in words: the settings that vary,
    /// but for the file and the seed.
    pub fn label(&self, trial: &Trial) -> String {
        let words = words(self.varied(trial).filter(|chosen| !is_replicate(chosen)));
        match (self.cases[trial.case].name.as_str(), words) {
            ("", words) => words,
            (name, words) if words.is_empty() => name.into(),
            (name, words) => format!("{name}: {words}"),
        }
    }

    /// The same with the file and the seed.
    pub fn full_label(&self, trial: &Trial) -> String {
        let replicate = words(self.varied(trial).filter(|chosen| is_replicate(chosen)));
        let all = [self.label(trial), replicate];
        all.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn varied<'a>(&'a self, trial: &'a Trial) -> impl Iterator<Item = &'a Chosen> {
        let settings = &self.cases[trial.case].settings;
        trial.settings.iter().filter(move |chosen| {
            let own = settings.iter().find(|setting| setting.name == chosen.name);
            own.is_none_or(|setting| {
                setting.is_varied() || setting.values[0].text != chosen.value.text
            })
        })
    }
}

fn is_replicate(chosen: &Chosen) -> bool {
    REPLICATES.contains(&chosen.name.as_str())
}

/// Settings as people read them.
fn words<'a>(settings: impl Iterator<Item = &'a Chosen>) -> String {
    let word = |chosen: &Chosen| match chosen.name.as_str() {
        "file" => {
            let path = Path::new(&chosen.value.text);
            path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        name => format!("{name}={}", chosen.value.text),
    };
    settings.map(word).collect::<Vec<_>>().join(" ")
}

impl Trial {
    /// The arguments of its command line, after the program's name: `fit`, the file, the options.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["fit".to_owned()];
        arguments.extend(self.get("file").map(|file| file.text.clone()));
        for Chosen { name, value } in &self.settings {
            match (name.as_str(), value.text.as_str()) {
                ("file", _) | (_, "false") => {}
                (name, "true") => arguments.push(format!("--{name}")),
                (name, text) => arguments.extend([format!("--{name}"), text.to_owned()]),
            }
        }
        arguments
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.settings.iter().find(|chosen| chosen.name == name).map(|chosen| &chosen.value)
    }

    /// The same trial with another value of a setting.
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut trial = self.clone();
        match trial.settings.iter_mut().find(|chosen| chosen.name == name) {
            Some(chosen) => chosen.value = value,
            None => {
                trial.settings.push(Chosen { name: name.into(), value });
                trial.settings.sort_by(|a, b| a.name.cmp(&b.name));
            }
        }
        trial
    }

    /// Its settings without the file, the seed and those in `also`: equal for trials of one
    /// configuration.
    pub fn configuration(&self, also: &[&str]) -> (usize, String) {
        let kept = self
            .settings
            .iter()
            .filter(|chosen| !is_replicate(chosen) && !also.contains(&chosen.name.as_str()));
        let words = kept.map(|chosen| format!("{}\0{}\0", chosen.name, chosen.value.text));
        (self.case, words.collect())
    }

    /// The trial's activation.
    ///
    /// # Errors
    /// None is set, or it is none.
    pub fn activation(&self) -> Result<Activation, SweepError> {
        match self.get("activation") {
            Some(value) => Ok(value.text.parse()?),
            None => {
                let reason = "a multiple of auto and a line search need the setting activation too";
                Err(wrong("sigma-p", reason))
            }
        }
    }

    /// Multiples of `auto` become the numbers that they stand for.
    fn with_numbers(self) -> Result<Self, SweepError> {
        let Some(value) = self.get("sigma-p") else { return Ok(self) };
        let Some(factor) = multiple_of_auto(&value.text)? else { return Ok(self) };
        let sigma_p = factor * vi3nr::auto_sigma_p(&self.activation()?)?;
        Ok(self.with("sigma-p", Value::number(six_digits(sigma_p))))
    }
}

/// The K of `K*auto`; 1 for `auto`.
fn multiple_of_auto(text: &str) -> Result<Option<f64>, SweepError> {
    let Some(factor) = text.strip_suffix("auto") else { return Ok(None) };
    if factor.is_empty() {
        return Ok(Some(1.0));
    }
    let number = factor.strip_suffix('*').and_then(|factor| factor.trim().parse().ok());
    match number {
        Some(factor) if f64::is_finite(factor) && factor > 0.0 => Ok(Some(factor)),
        _ => Err(wrong("sigma-p", format!("'{text}': expected a number, auto, or K*auto"))),
    }
}
