//! Presets: the goal that decides the default settings of a fit.

use serde::{Deserialize, Serialize};

/// The goal that decides every setting that is not given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The best quality per minute, by the measurements in the repository's docs/defaults.md.
    #[default]
    Fast,
    /// The paper's experiment on this kind of signal.
    Paper,
}

/// A value for each preset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByPreset<T> {
    /// For [`Preset::Fast`].
    pub fast: T,
    /// For [`Preset::Paper`].
    pub paper: T,
}

impl<T> ByPreset<T> {
    /// The value for `preset`.
    pub fn of(self, preset: Preset) -> T {
        match preset {
            Preset::Fast => self.fast,
            Preset::Paper => self.paper,
        }
    }
}
