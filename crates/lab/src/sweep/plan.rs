//! The plan of a sweep: all combinations of its settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use vi3nr_inr::request::{FitRequest, RequestError};

use super::identity::Identities;
use super::setting::{invalid, six_digits};
use super::trial::{is_replicate, words};
use super::{
    Assignment, Identity, Row, Setting, Store, Strategy, SweepError, SweepFile, Trial, TrialScore,
    Value,
};
use crate::{field, request_file};

/// The maximum number of trials of a sweep.
const MAX_TRIALS: usize = 100_000;
/// The options that the sweep sets for its trials.
const RESERVED: [&str; 7] =
    ["out", "threads", "json", "resume", "request", "checkpoint_every", "overwrite"];

/// A sweep that is ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The title.
    pub title: String,
    /// The name of the number of a fit's report by which trials are compared.
    pub metric: String,
    /// Whether larger values of the metric are better.
    pub is_maximized: bool,
    /// The strategy that schedules the trials.
    pub strategy: Strategy,
    /// The cases, at least one.
    pub cases: Vec<Case>,
    /// The folder to which paths are relative.
    pub folder: PathBuf,
    trials: Vec<Trial>,
    identities: Identities,
}

/// A case: settings with their values.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The name; empty if the sweep has no named cases.
    pub name: String,
    /// Each field once, in alphabetical order.
    pub settings: Vec<Setting>,
}

impl Plan {
    /// The plan of `file`, whose paths are relative to `folder`. No signal is read.
    ///
    /// # Errors
    /// Returns [`SweepError::Setting`] if the file has no metric or contradicts itself,
    /// [`SweepError::Request`] if a setting is unknown or has an invalid value, and
    /// [`SweepError::TooMany`] for more than 100,000 combinations.
    pub fn new(file: &SweepFile, folder: &Path) -> Result<Self, SweepError> {
        let (metric, is_maximized) = match (&file.maximize, &file.minimize) {
            (Some(metric), None) => (metric.clone(), true),
            (None, Some(metric)) => (metric.clone(), false),
            _ => {
                let reason = "expected one of the two, for example maximize = \"psnr\"";
                return Err(invalid("maximize, minimize", reason));
            }
        };
        let shared = read(&file.settings, "", folder)?;
        if let Some(setting) = shared.iter().find(|setting| setting.values.is_empty()) {
            return Err(invalid(setting.name, "it has no values"));
        }
        let mut cases = Vec::new();
        for case in &file.cases {
            let mut settings = read(&case.settings, &case.name, folder)?;
            for setting in &shared {
                if settings.iter().all(|own| own.name != setting.name) {
                    settings.push(setting.clone());
                }
            }
            // An empty list removes a shared setting from the case.
            settings.retain(|setting| !setting.values.is_empty());
            cases.push(Case { name: case.name.clone(), settings });
        }
        if cases.is_empty() {
            cases.push(Case { name: String::new(), settings: shared });
        }
        let mut trials = Vec::new();
        for (index, case) in cases.iter_mut().enumerate() {
            case.settings.sort_by(|a, b| a.name.cmp(b.name));
            let count = case.settings.iter().try_fold(1usize, |count, setting| {
                count.checked_mul(setting.values.len()).filter(|count| *count <= MAX_TRIALS)
            });
            if count.is_none_or(|count| trials.len() + count > MAX_TRIALS) {
                return Err(SweepError::TooMany { max: MAX_TRIALS });
            }
            for settings in combinations(&case.settings) {
                trials.push(Trial::new(index, settings)?);
            }
        }
        let plan = Self {
            title: file.title.clone(),
            metric,
            is_maximized,
            strategy: file.strategy.clone(),
            cases,
            folder: folder.to_owned(),
            trials,
            identities: Identities::default(),
        };
        plan.strategy.check(&plan)?;
        Ok(plan)
    }

    /// Every combination of every case; the last setting varies fastest.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Whether a trial has the number of steps of its case, which those of the first rungs of
    /// successive halving do not.
    pub fn is_full_length(&self, trial: &Trial) -> bool {
        let own = trial.get("steps").and_then(|steps| steps.number);
        let of_case = self.cases.get(trial.case).and_then(|case| {
            let steps = case.settings.iter().find(|setting| setting.name == "steps")?;
            Some(steps.values.iter().any(|steps| steps.number == own))
        });
        of_case.unwrap_or(own.is_none())
    }

    /// The trials that are scheduled before any has a score. Their requests are checked, so that an
    /// invalid sweep is rejected before anything is run.
    ///
    /// # Errors
    /// Returns [`SweepError::Request`] with the field if the request of a trial is invalid, and the
    /// errors of [`Strategy::scheduled`].
    pub fn first_scheduled(&self) -> Result<Vec<Trial>, SweepError> {
        let scheduled = self.strategy.scheduled(self, &|_| Ok(TrialScore::Pending))?;
        scheduled.iter().try_for_each(|trial| self.identity(trial).map(drop))?;
        Ok(scheduled)
    }

    /// The request of a trial with absolute paths.
    pub fn request(&self, trial: &Trial) -> FitRequest {
        let request = request_file::relative_to(trial.request(), &self.folder);
        let absolute = |path: &mut Option<PathBuf>| {
            let absolute = path.as_deref().and_then(|path| std::path::absolute(path).ok());
            *path = absolute.or(path.take());
        };
        let mut request = request;
        absolute(&mut request.file);
        absolute(&mut request.from);
        request
    }

    /// The identity of a trial. The signal is read for the first of the trials that share it.
    ///
    /// # Errors
    /// Returns [`SweepError::Request`] with the field if the request is invalid.
    pub fn identity(&self, trial: &Trial) -> Result<Arc<Identity>, SweepError> {
        self.identities
            .of(&trial.name, &self.request(trial))
            .map_err(|error| SweepError::Request { trial: self.full_label(trial), error })
    }

    /// The row of a trial in the store. If a file of the trial cannot be read, that is the row of
    /// the last result of the same request.
    ///
    /// # Errors
    /// As [`Plan::identity`].
    pub fn row<'a>(&self, store: &'a Store, trial: &Trial) -> Result<Option<&'a Row>, SweepError> {
        let identity = self.identity(trial)?;
        let row = store.get(&identity.key);
        Ok(match &identity.plan {
            Ok(_) => row,
            Err(_) => store.last_of(&Json::Object(trial.request().settings())).or(row),
        })
    }

    /// The number of a setting that tables and charts show. For `sigma_p` it is the resolved value
    /// with six significant digits.
    ///
    /// # Errors
    /// As [`Plan::identity`].
    pub fn number(&self, trial: &Trial, name: &str) -> Result<Option<f64>, SweepError> {
        let number = trial.get(name).and_then(|value| value.number);
        if name != "sigma_p" || trial.get(name).is_none() {
            return Ok(number);
        }
        Ok(self.sigma_p(trial)?.map(six_digits))
    }

    /// The resolved σ_p of a trial, if its scheme has one and its files can be read.
    ///
    /// # Errors
    /// As [`Plan::identity`].
    pub fn sigma_p(&self, trial: &Trial) -> Result<Option<f64>, SweepError> {
        let identity = self.identity(trial)?;
        Ok(identity.plan.as_ref().ok().and_then(|plan| plan.init.scheme.sigma_p()))
    }

    /// Whether score `a` is better than `b`; every number is better than NaN.
    pub fn is_better(&self, a: f64, b: f64) -> bool {
        let order = if self.is_maximized { a > b } else { a < b };
        order || (b.is_nan() && !a.is_nan())
    }

    /// The label of a trial's configuration: its case and the settings that vary, except for the
    /// file and the seed.
    pub fn label(&self, trial: &Trial) -> String {
        let words = words(self.varied(trial).filter(|assignment| !is_replicate(assignment)));
        match (self.cases[trial.case].name.as_str(), words) {
            ("", words) => words,
            (name, words) if words.is_empty() => name.into(),
            (name, words) => format!("{name}: {words}"),
        }
    }

    /// The label of a trial: that of its configuration with the file and the seed.
    pub fn full_label(&self, trial: &Trial) -> String {
        let replicate = words(self.varied(trial).filter(|assignment| is_replicate(assignment)));
        let all = [self.label(trial), replicate];
        all.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn varied<'a>(&'a self, trial: &'a Trial) -> impl Iterator<Item = &'a Assignment> {
        let settings = &self.cases[trial.case].settings;
        trial.settings.iter().filter(move |assignment| {
            let own = settings.iter().find(|setting| setting.name == assignment.name);
            own.is_none_or(|setting| {
                setting.is_varied() || setting.values[0].text != assignment.value.text
            })
        })
    }
}

/// Reads the settings of a table, which belongs to the case with this name.
fn read(table: &toml::Table, case: &str, folder: &Path) -> Result<Vec<Setting>, SweepError> {
    let plain = |name: &str| name.replace('-', "_");
    if let Some(name) = table.keys().find(|name| RESERVED.contains(&&*plain(name))) {
        return Err(invalid(name, "the sweep itself sets it for its trials"));
    }
    let fields = field::fields(table).map_err(|error| in_case(case, error))?;
    fields.into_iter().map(|(name, value)| Setting::read(name, value, folder)).collect()
}

fn in_case(case: &str, error: RequestError) -> SweepError {
    SweepError::Request { trial: case.to_owned(), error }
}

/// Every combination of values; the last setting varies fastest.
fn combinations(settings: &[Setting]) -> Vec<Vec<Assignment>> {
    let mut partial = vec![Vec::new()];
    for setting in settings {
        let assignment = |value: &Value| Assignment { name: setting.name, value: value.clone() };
        let extended = partial.iter().flat_map(|before: &Vec<Assignment>| {
            let values = setting.values.iter();
            values.map(move |value| before.iter().cloned().chain([assignment(value)]).collect())
        });
        partial = extended.collect();
    }
    partial
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(toml: &str) -> Result<Plan, SweepError> {
        Plan::new(&toml::from_str(toml).unwrap(), Path::new("some/folder"))
    }

    #[test]
    fn names_are_fields_with_dashes_or_underscores() {
        let plan = plan(
            "maximize = 'psnr'\n[settings]\nsigma-p = ['auto', '2*auto', 0.1]\nlr_decay = 0.9\n\
             learning-rate = 1e-3\nfile = 'a.png'",
        )
        .unwrap();
        let lines: Vec<String> = plan.trials().iter().map(Trial::to_string).collect();
        assert_eq!(lines[1], "file=a.png lr=0.001 lr_decay=0.9 sigma_p=2*auto");
        let request = plan.request(&plan.trials()[2]);
        assert!(request.file.as_ref().unwrap().is_absolute());
        assert!(request.file.unwrap().ends_with("some/folder/a.png"));
        assert_eq!(plan.label(&plan.trials()[0]), "sigma_p=auto");
    }

    #[test]
    fn invalid_settings_are_rejected_with_their_field() {
        for (settings, part) in [
            ("widht = 3", "did you mean 'width'?"),
            ("nothing = 3", "unknown setting 'nothing'"),
            ("width = [8, 'wide']", "width: "),
            ("activation = 'gauss'", "activation: "),
            ("sigma-p = 'x*auto'", "sigma_p: "),
            ("out = 'x'", "the sweep itself"),
            ("checkpoint-every = 3", "the sweep itself"),
            ("lr = []", "no values"),
            ("sigma-p = 1\nsigma_p = 2", "given twice"),
            (
                "seed = { from = 0, to = 9999, points = 10000 }\n\
                 width = { from = 1, to = 11, points = 11 }",
                "combinations",
            ),
        ] {
            let error = plan(&format!("maximize = 'psnr'\n[settings]\n{settings}")).unwrap_err();
            assert!(error.to_string().contains(part), "{settings}: {error}");
        }
        let error = plan("maximize = 'psnr'\n[[case]]\nname = 'big'\nwdth = 3").unwrap_err();
        assert!(error.to_string().starts_with("trial big: unknown setting"), "{error}");
    }

    #[test]
    fn numbers_of_sigma_p_are_those_of_the_plan() {
        let plan = plan(
            "maximize = 'psnr'\n[settings]\nactivation = 'gaussian:sigma=0.05'\n\
             sigma-p = { format = '{}*auto', values = [0.5, 2] }",
        )
        .unwrap();
        let number = |index: usize| plan.number(&plan.trials()[index], "sigma_p").unwrap();
        assert_eq!((number(0), number(1)), (Some(0.0388443), Some(0.155377)));
        // A contradiction between settings is found before anything is run.
        let refused = self::plan(
            "maximize = 'psnr'\n[settings]\nactivation = ['sine', 'tanh']\n\
             init = 'siren'\nseed = 1",
        )
        .unwrap();
        let error = refused.first_scheduled().unwrap_err();
        let SweepError::Request { trial, error } = error else { panic!("{error}") };
        assert_eq!((trial.as_str(), error.fields.as_slice()), ("activation=tanh", &["init"][..]));
    }
}
