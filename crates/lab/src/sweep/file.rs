//! A sweep as its TOML file says it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Strategy, SweepError};

/// What a file says, its settings not yet read.
///
/// ```toml
/// title = "sigma_p of a Gaussian network"
/// maximize = "psnr"                      # or minimize: a number of the fit's report
///
/// [strategy]                             # every combination where there is none
/// kind = "halving"
/// rungs = [100, 300]
/// keep = 0.33
///
/// [settings]                             # any field of a request
/// file = { glob = "photos/*.png" }
/// activation = { format = "gaussian:sigma={}", values = [0.03, 0.05, 0.09] }
/// sigma-p = { format = "{}*auto", values = [0.5, 1, 2, 4] }
/// lr = { from = 1e-4, to = 1e-2, points = 5, scale = "log" }
/// steps = 1000
/// seed = [0, 1, 2]
///
/// [[case]]                               # further settings under a name, as many as there are
/// name = "SIREN"
/// activation = "sine"
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// What it is about.
    #[serde(default)]
    pub title: String,
    /// The number of a fit that is to be large.
    #[serde(alias = "maximise")]
    pub maximize: Option<String>,
    /// The number of a fit that is to be small.
    #[serde(alias = "minimise")]
    pub minimize: Option<String>,
    /// Which combinations are tried.
    #[serde(default)]
    pub strategy: Strategy,
    /// Settings of all cases.
    #[serde(default)]
    pub settings: toml::Table,
    /// Settings of single cases, which go before those of all.
    #[serde(default, rename = "case")]
    pub cases: Vec<CaseFile>,
}

/// Settings under a name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CaseFile {
    /// What they are called.
    pub name: String,
    /// Everything else.
    #[serde(flatten)]
    pub settings: toml::Table,
}

impl SweepFile {
    /// Reads a file. Returns it with the folder that its paths are taken from.
    ///
    /// # Errors
    /// Returns [`SweepError::Read`] if the file cannot be read, [`SweepError::Syntax`] if it is not a sweep.
    pub fn read(path: &Path) -> Result<(Self, PathBuf), SweepError> {
        let fail = |source| SweepError::Read { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(fail)?;
        let file: Self = toml::from_str(&text).map_err(|error| SweepError::Syntax {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })?;
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Ok((file, folder))
    }
}
