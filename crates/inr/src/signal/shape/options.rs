//! The options of training and measuring a shape.

use serde::{Deserialize, Serialize};
use vi3nr_engine::Loss;

use super::placement::Placement;

use crate::preset::{ByPreset, Preset};

/// The defaults of each preset.
pub const OPTIONS: ByPreset<ShapeOptions> = ByPreset { fast: FAST, paper: PAPER };

/// Measured in the repository's docs/defaults.md: the squared loss learns faster. Distances far
/// from the surface are clamped, and some points are uniform, so that no spurious surface appears
/// where the other points are rare.
const FAST: ShapeOptions =
    ShapeOptions { loss: DistanceLoss::Squared, clamp: Some(0.1), uniform: 0.2, ..PAPER };

const PAPER: ShapeOptions = ShapeOptions {
    loss: DistanceLoss::Absolute,
    clamp: None,
    uniform: 0.0,
    grid: 128,
    placement: None,
};

/// The options of training and measuring a shape.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapeOptions {
    /// The loss of the difference of two distances.
    pub loss: DistanceLoss,
    /// Distances are clamped to ± this, on the \[-1, 1\] scale; `None` for no clamp.
    pub clamp: Option<f64>,
    /// The share of the far points that are drawn uniformly in the space instead.
    pub uniform: f64,
    /// The number of points per side of the grid on which the intersection over union is measured.
    pub grid: usize,
    /// The transform of the file's units to \[-1, 1\]; by default that of its own points.
    #[serde(skip)]
    pub placement: Option<Placement>,
}

impl Default for ShapeOptions {
    /// The options of the paper: absolute loss, no clamp, no uniform points, 128 points per side.
    fn default() -> Self {
        PAPER
    }
}

/// The training loss as a function of the difference e between the network's output and the true
/// distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistanceLoss {
    /// |e|, as in the paper.
    #[default]
    Absolute,
    /// e².
    Squared,
}

impl DistanceLoss {
    /// The name in model files: `absolute` or `squared`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Squared => "squared",
        }
    }
}

impl ShapeOptions {
    /// The loss that the engine minimizes.
    pub fn engine_loss(&self) -> Loss {
        match (self.loss, self.clamp) {
            (DistanceLoss::Absolute, None) => Loss::Absolute,
            (DistanceLoss::Absolute, Some(limit)) => Loss::ClampedAbsolute { limit },
            (DistanceLoss::Squared, None) => Loss::Squared,
            (DistanceLoss::Squared, Some(limit)) => Loss::ClampedSquared { limit },
        }
    }
}

/// The requested [`ShapeOptions`].
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

    /// The options, with the defaults of `preset` for fields that are not given.
    pub fn options(&self, preset: Preset) -> ShapeOptions {
        let default = OPTIONS.of(preset);
        ShapeOptions {
            loss: self.loss.unwrap_or(default.loss),
            clamp: self.clamp.or(default.clamp),
            ..default
        }
    }
}
