//! The defaults of images.

use vi3nr::BiasRule;

use super::{PieceRecipe, PieceWidth, Recipe, Steps, Tuned, WinnerNoise};
use crate::optimizer::Schedule;
use crate::preset::ByPreset;

pub(super) const RECIPES: ByPreset<Recipe> = ByPreset { fast: FAST, paper: PAPER };

/// Measured in docs/defaults.md. At equal work, many small steps are better than few large ones, as
/// long as threads have enough work to share. Twice the learning rate is better for small images
/// and fails for large ones. Twice the σ_p of Eq. (13) is best for every activation that has a
/// root: the paper's Fig. 2b, and our own measurement.
const FAST: Recipe = Recipe {
    activation: "sine:omega=30",
    tuned: Some(Tuned { activation: "sine:omega=20", first_sigma_p: 0.5 }),
    layers: 8,
    width: 128,
    biases: BiasRule::Zero,
    even_first_biases: BiasRule::LikeWeights,
    sigma_p_factor: 2.0,
    sine_input_scale: 1.0,
    winner: Some(WinnerNoise { max_first: 50.0, rate: 5.0, second: 0.4 }),
    // 30 to 40 s on two modern cores.
    steps: Steps::Budget(5e12),
    batch: Some(4_096),
    learning_rate: 5e-4,
    schedule: Schedule::Cosine,
    max_kfac_points: 128 * 128,
    pieces: Some(PIECES),
};

/// Measured in docs/defaults.md and docs/any-size.md. A larger omega or σ_p of the first layer needs
/// fewer steps, but ripples between the pixels; smaller ones need more steps. Narrower networks stall.
const PIECES: PieceRecipe = PieceRecipe {
    above: 128 * 128,
    side: 64,
    overlap: 2,
    activation: "sine:omega=23",
    tuned: Some(Tuned { activation: "sine:omega=9", first_sigma_p: 1.0 }),
    layers: 4,
    widths: &[
        PieceWidth { max_quality: 46.0, units: 80 },
        PieceWidth { max_quality: f64::INFINITY, units: 96 },
    ],
    sine_input_scale: 1.0,
    steps: 300,
    quality: Some(42.0),
};

/// The best network of Table 5, as far as its training is known.
const PAPER: Recipe = Recipe {
    activation: "gaussian:sigma=0.05",
    tuned: None,
    steps: Steps::Exactly(30_000),
    batch: None,
    learning_rate: 1e-5,
    schedule: Schedule::Exponential { factor: 0.9999 },
    even_first_biases: BiasRule::Zero,
    max_kfac_points: 0,
    pieces: Some(PieceRecipe { above: usize::MAX, quality: None, ..PIECES }),
    ..FAST
};

/// The recipe of an image that is learned from its derivatives. A derivative weights a frequency ω
/// by ω, so that a network of lower frequencies learns the picture sooner: see the repository's
/// docs/derivatives.md. The derivatives of a picture are known as a whole, so that it is not cut.
pub(super) fn from_derivatives(recipe: &Recipe) -> Recipe {
    Recipe {
        activation: "sine:omega=10",
        tuned: None,
        layers: 5,
        steps: Steps::Exactly(400),
        pieces: None,
        ..*recipe
    }
}
