//! The defaults of shapes.

use vi3nr::BiasRule;

use super::{Recipe, Steps};
use crate::optimizer::Schedule;
use crate::preset::ByPreset;

pub(super) const RECIPES: ByPreset<Recipe> = ByPreset { fast: FAST, paper: PAPER };

/// Measured in docs/defaults.md: many small steps are better than few large ones here, too, and
/// twice the learning rate fails.
const FAST: Recipe = Recipe {
    activation: "sine:omega=30",
    tuned: None,
    layers: 8,
    width: 128,
    biases: BiasRule::Zero,
    even_first_biases: BiasRule::LikeWeights,
    sigma_p_factor: 2.0,
    sine_input_scale: 1.0,
    winner: None,
    steps: Steps::Budget(1e13),
    batch: Some(6_144),
    learning_rate: 5e-4,
    schedule: Schedule::Cosine,
    max_kfac_points: 0,
    pieces: None,
};

/// The default terms of a shape that is learned by terms on its surface.
pub const SURFACE_TERMS: &str = "siren heat:100,lambda=8";

/// The recipe of a shape that is learned by terms on its surface, measured in docs/points.md. Twice
/// the learning rate fails, and so does this one with 8 layers.
pub(super) fn from_surface(recipe: &Recipe) -> Recipe {
    Recipe {
        activation: FAST.activation,
        layers: 5,
        steps: Steps::Exactly(3_000),
        batch: Some(4_096),
        learning_rate: 1e-3,
        schedule: Schedule::Cosine,
        ..*recipe
    }
}

/// A Gaussian network; the paper says for no shape which one was trained, nor how.
const PAPER: Recipe = Recipe {
    activation: "gaussian:sigma=0.09",
    steps: Steps::Exactly(30_000),
    batch: Some(30_000),
    learning_rate: 3e-5,
    schedule: Schedule::Exponential { factor: 0.9999 },
    even_first_biases: BiasRule::Zero,
    ..FAST
};
