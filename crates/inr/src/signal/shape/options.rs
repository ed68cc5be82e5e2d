//! How a shape is learnt and measured.

use serde::{Deserialize, Serialize};
use vi3nr_engine::Loss;

use crate::preset::{ByPreset, Preset};

/// What a preset does where nothing is asked for.
pub const OPTIONS: ByPreset<ShapeOptions> = ByPreset { fast: FAST, paper: PAPER };

/// Measured in the repository's docs/defaults.md: squares learn faster. What lies far off is not learnt, and some points
/// come from anywhere, so that no surface appears where the others seldom come.
const FAST: ShapeOptions =
    ShapeOptions { loss: DistanceLoss::Squared, clamp: Some(0.1), uniform: 0.2, ..PAPER };

const PAPER: ShapeOptions =
    ShapeOptions { loss: DistanceLoss::Absolute, clamp: None, uniform: 0.0, grid: 128 };

/// How a shape is learnt and measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapeOptions {
    /// What is made of the difference of two distances.
    pub loss: DistanceLoss,
    /// Distances beyond this, on the \[-1, 1\] scale, count as this; all count if none.
    pub clamp: Option<f64>,
    /// The share of the far points that are drawn anywhere in the space instead.
    pub uniform: f64,
    /// Points a side of the grid that the intersection over union is measured on.
    pub grid: usize,
}

impl Default for ShapeOptions {
    /// The paper's: |.|, all distances, no uniform points, 128 points a side.
    fn default() -> Self {
        PAPER
    }
}

/// What the training loss makes of the difference e between the network's value and the true distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistanceLoss {
    /// |e|, the paper's.
    #[default]
    Absolute,
    /// e².
    Squared,
}

impl DistanceLoss {
    /// `absolute` or `squared`, as in model files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Squared => "squared",
        }
    }
}

impl ShapeOptions {
    /// What the engine minimises.
    pub fn engine_loss(&self) -> Loss {
        match (self.loss, self.clamp) {
            (DistanceLoss::Absolute, None) => Loss::Absolute,
            (DistanceLoss::Absolute, Some(limit)) => Loss::ClampedAbsolute { limit },
            (DistanceLoss::Squared, None) => Loss::Squared,
            (DistanceLoss::Squared, Some(limit)) => Loss::ClampedSquared { limit },
        }
    }
}

/// What is asked of [`ShapeOptions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShapeRequest {
    /// [`ShapeOptions::clamp`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clamp: Option<f64>,
    /// [`ShapeOptions::loss`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<DistanceLoss>,
}

impl ShapeRequest {
    /// The names of the fields.
    pub(super) const FIELDS: &'static [&'static str] = &["clamp", "loss"];

    /// The options, with those of `preset` where nothing is asked for.
    pub fn options(&self, preset: Preset) -> ShapeOptions {
        let default = OPTIONS.of(preset);
        ShapeOptions {
            loss: self.loss.unwrap_or(default.loss),
            clamp: self.clamp.or(default.clamp),
            ..default
        }
    }
}
