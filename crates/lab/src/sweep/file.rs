//! The TOML file of a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Strategy, SweepError};

/// The contents of a sweep's file; the settings are not parsed yet.
///
/// ```toml
/// title = "sigma_p of a Gaussian network"
/// maximize = "psnr"                      # or minimize; a number of the fit's report
///
/// [strategy]                             # default: every combination
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
/// [[case]]                               # a named case with settings of its own; repeatable
/// name = "SIREN"
/// activation = "sine"
/// ```
///
/// The spellings `maximise` and `minimise` are accepted, too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// The title of the sweep.
    #[serde(default)]
    pub title: String,
    /// The number of a fit's report to maximize.
    #[serde(alias = "maximise")]
    pub maximize: Option<String>,
    /// The number of a fit's report to minimize.
    #[serde(alias = "minimise")]
    pub minimize: Option<String>,
    /// The strategy that chooses among the combinations.
    #[serde(default)]
    pub strategy: Strategy,
    /// Settings that all cases share.
    #[serde(default)]
    pub settings: toml::Table,
    /// Cases, whose settings override the shared ones.
    #[serde(default, rename = "case")]
    pub cases: Vec<CaseFile>,
}

/// A named set of settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CaseFile {
    /// The name of the case.
    pub name: String,
    /// All other entries.
    #[serde(flatten)]
    pub settings: toml::Table,
}

impl SweepFile {
    /// Reads a file. Returns it with its folder, to which paths in it are relative.
    ///
    /// # Errors
    /// Returns [`SweepError::Read`] if the file cannot be read, [`SweepError::Syntax`] if it is not
    /// a sweep.
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
