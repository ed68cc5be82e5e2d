//! The defaults of audio.

use vi3nr::BiasRule;

use super::{PieceRecipe, PieceWidth, Recipe, Steps, Tuned, WinnerNoise};
use crate::optimizer::Schedule;
use crate::preset::ByPreset;

pub(super) const RECIPES: ByPreset<Recipe> = ByPreset { fast: FAST, paper: PAPER };

/// Measured in docs/audio.md. Few layers must represent high frequencies, so σ_p is far above that
/// of Eq. (13). The input scale for sines is SIREN's.
const FAST: Recipe = Recipe {
    activation: "sine:omega=30",
    tuned: None,
    layers: 4,
    width: 256,
    biases: BiasRule::LikeWeights,
    even_first_biases: BiasRule::LikeWeights,
    sigma_p_factor: 6.0,
    sine_input_scale: 100.0,
    winner: Some(WinnerNoise { max_first: 3500.0, rate: 7.0, second: 3.0 }),
    // About a minute on two idle modern cores.
    steps: Steps::Budget(8e12),
    batch: Some(4_096),
    learning_rate: 5e-4,
    schedule: Schedule::Cosine,
    max_kfac_points: 0,
    pieces: Some(PIECES),
};

/// Measured in docs/any-size.md. A larger input scale or σ_p of the first layer needs fewer steps, but
/// rings between the samples.
const PIECES: PieceRecipe = PieceRecipe {
    above: 16_384,
    side: 4_096,
    overlap: 32,
    activation: "sine:omega=30",
    tuned: Some(Tuned { activation: "sine:omega=15", first_sigma_p: 24.0 }),
    layers: 4,
    widths: &[PieceWidth { max_quality: f64::INFINITY, units: 64 }],
    sine_input_scale: 24.0,
    steps: 300,
    quality: Some(40.0),
};

/// Table 7, as far as its training is known.
const PAPER: Recipe = Recipe {
    steps: Steps::Exactly(30_000),
    batch: None,
    learning_rate: 1e-5,
    schedule: Schedule::Exponential { factor: 0.9999 },
    pieces: Some(PieceRecipe { above: usize::MAX, quality: None, ..PIECES }),
    ..FAST
};
