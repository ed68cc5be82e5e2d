//! The defaults of a fit, for each kind of signal.

mod audio;
mod image;
mod shape;

use vi3nr::scheme::{SigmaP, default_sigma_p};
use vi3nr::{Activation, BiasRule, Error, Network, Scheme};
use vi3nr_engine::curvature_bytes;

use crate::optimizer::{AdamSettings, OptimizerName, Problem, Schedule};
use crate::preset::ByPreset;
use crate::signal::{PointCount, SignalKind};
use crate::supervision::Supervision;
use crate::train::TrainSettings;

/// The default settings of a fit for one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// The activation, in the form that [`Activation`] parses, if the request says something of the initial
    /// weights or if there are no [`Recipe::tuned`] ones.
    pub activation: &'static str,
    /// The activation and its initial weights if the request says nothing of either.
    pub tuned: Option<Tuned>,
    /// The number of weight matrices.
    pub layers: usize,
    /// The number of units of each hidden layer.
    pub width: usize,
    /// The initial biases.
    pub biases: BiasRule,
    /// The initial biases of the first layer if the activation is even; otherwise they are
    /// [`Recipe::biases`]. With zero biases in the first layer, a network with an even activation
    /// is an even function of its input.
    pub even_first_biases: BiasRule,
    /// The default σ_p as a multiple of the smallest root of Eq. (13).
    pub sigma_p_factor: f64,
    /// The factor of the coordinates if the activation is a sine.
    pub sine_input_scale: f64,
    /// How the noise of the scheme `winner` follows from the signal; `None` if it does not.
    pub winner: Option<WinnerNoise>,
    /// The number of steps.
    pub steps: Steps,
    /// The number of points of a step; if `None`, all points, or the default number of drawn
    /// points.
    pub batch: Option<usize>,
    /// Adam's initial learning rate.
    pub learning_rate: f64,
    /// Adam's learning-rate schedule.
    pub schedule: Schedule,
    /// The largest number of points for which `kfac` is the default optimizer; above, it is Adam.
    pub max_kfac_points: usize,
    /// How the signal is cut into pieces; `None` if it cannot be cut.
    pub pieces: Option<PieceRecipe>,
}

/// An activation and the σ_p of the first layer, tuned together. The other layers have the default σ_p.
///
/// The first layer decides which frequencies the network begins with: low ones need more steps, high ones
/// ring between the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    /// The activation, in the form that [`Activation`] parses.
    pub activation: &'static str,
    /// The standard deviation of the first layer's preactivations, for coordinates in \[-1, 1\].
    pub first_sigma_p: f64,
}

/// How the noise of [`Scheme::Winner`] follows from the spectral centroid ψ of a signal with C channels
/// ([`spectral_centroid`](crate::signal::spectral_centroid)): the standard deviations are
/// s_0 = `max_first` (1 - exp(-`rate` ψ/C))/ω and s_1 = `second` ψ/(C ω), with the numbers of the
/// authors' code (`modules/networks.py` of `hemanthgrylls/SIREN-square`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WinnerNoise {
    /// The limit of ω s_0 for large ψ.
    pub max_first: f64,
    /// The rate at which ω s_0 approaches it.
    pub rate: f64,
    /// The factor of ω s_1.
    pub second: f64,
}

impl WinnerNoise {
    /// The standard deviations s_0 and s_1 for the activation sin(`omega` x), to six digits, so that
    /// they do not depend on the rounding of a processor.
    pub fn stds(&self, centroid: f64, channels: usize, omega: f64) -> [f64; 2] {
        let share = centroid / channels as f64;
        let first = self.max_first * (1.0 - (-self.rate * share).exp());
        [first / omega, self.second * share / omega].map(six_digits)
    }
}

/// `value` rounded to six significant digits.
fn six_digits(value: f64) -> f64 {
    // Cannot fail: a number in this form can be read.
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// How signals that are too large for one network are cut, and how each piece is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PieceRecipe {
    /// By default, signals of more samples than this are cut.
    pub above: usize,
    /// The number of samples along each side of a piece.
    pub side: usize,
    /// The number of samples beyond each inner border on which a piece is also trained.
    pub overlap: usize,
    /// The activation, as [`Recipe::activation`].
    pub activation: &'static str,
    /// The activation and its initial weights, as [`Recipe::tuned`].
    pub tuned: Option<Tuned>,
    /// The number of weight matrices.
    pub layers: usize,
    /// The number of units of each hidden layer, by quality, in ascending order.
    pub widths: &'static [PieceWidth],
    /// The factor of the coordinates if the activation is a sine.
    pub sine_input_scale: f64,
    /// The maximum number of steps.
    pub steps: u64,
    /// The default quality in dB of every piece; `None` if there is no default.
    pub quality: Option<f64>,
}

/// The width of the networks of pieces, up to a quality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PieceWidth {
    /// The highest quality in dB for which this width is used; infinite for the widest.
    pub max_quality: f64,
    /// The number of units of each hidden layer.
    pub units: usize,
}

impl PieceRecipe {
    /// The width of the networks if every piece is trained to `quality` dB, by default to the
    /// quality of the recipe.
    pub fn width(&self, quality: Option<f64>) -> usize {
        let quality = quality.or(self.quality).unwrap_or_default();
        let suits = |width: &&PieceWidth| quality <= width.max_quality;
        self.widths.iter().find(suits).or(self.widths.last()).map_or(1, |width| width.units)
    }
}

/// The rule for the number of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steps {
    /// A fixed number.
    Exactly(u64),
    /// The number of steps that a budget of floating-point operations allows, but at least 500 and
    /// at most 20,000. The budget is not a time, so that the result is the same on every machine.
    Budget(f64),
}

/// The largest size of K-FAC's factors, in bytes, for which `kfac` is the default optimizer.
const MAX_FACTOR_BYTES: usize = 128 << 20;

pub use shape::SURFACE_TERMS;

/// The recipes for signals of `kind`.
pub fn recipes(kind: SignalKind) -> ByPreset<Recipe> {
    match kind {
        SignalKind::Image => image::RECIPES,
        SignalKind::Audio => audio::RECIPES,
        SignalKind::Shape => shape::RECIPES,
    }
}

impl Recipe {
    /// The recipe of one piece of a signal that is cut by `pieces`, each trained to `quality` dB.
    #[must_use]
    pub fn of_piece(&self, pieces: &PieceRecipe, quality: Option<f64>) -> Self {
        Self {
            activation: pieces.activation,
            tuned: pieces.tuned,
            layers: pieces.layers,
            width: pieces.width(quality),
            sine_input_scale: pieces.sine_input_scale,
            steps: Steps::Exactly(pieces.steps),
            batch: None,
            max_kfac_points: usize::MAX,
            ..*self
        }
    }

    /// The recipe of a fit with this supervision.
    #[must_use]
    pub fn supervised_by(&self, supervision: &Supervision) -> Self {
        match supervision {
            Supervision::Values => *self,
            Supervision::Surface(_) => shape::from_surface(self),
            Supervision::Derivatives(_) => image::from_derivatives(self),
        }
    }

    /// The initial biases of the first layer.
    pub fn first_biases(&self, activation: &Activation) -> BiasRule {
        if activation.is_even() { self.even_first_biases } else { self.biases }
    }

    /// The default σ_p: a multiple of the smallest root of Eq. (13), or the choice of
    /// [`vi3nr::auto_sigma_p`] if there is no root.
    ///
    /// # Errors
    /// Returns the [`Error`] of an activation without a finite gain.
    pub fn sigma_p(&self, activation: &Activation) -> Result<SigmaP, Error> {
        default_sigma_p(activation, self.sigma_p_factor)
    }

    /// The default factor of the coordinates. It is 1 for [`Scheme::Winner`], whose noise takes its
    /// place, as in the authors' code.
    pub fn input_scale(&self, activation: &Activation, scheme: &Scheme) -> f64 {
        match scheme {
            Scheme::Winner { .. } => 1.0,
            _ if activation.sine_frequency().is_some() => self.sine_input_scale,
            _ => 1.0,
        }
    }

    /// The default optimizer for a fit of `network` to `points`.
    pub fn optimizer(&self, network: &Network, points: PointCount) -> OptimizerName {
        match points {
            PointCount::Sampled(count)
                if count <= self.max_kfac_points
                    && curvature_bytes(network) <= MAX_FACTOR_BYTES =>
            {
                OptimizerName::Kfac
            }
            _ => OptimizerName::Adam,
        }
    }

    /// The training settings of a fit of `network` to `points` by `optimizer`.
    pub fn training(
        &self,
        network: &Network,
        points: PointCount,
        optimizer: OptimizerName,
    ) -> TrainSettings {
        let all = points.default_count().max(1);
        let optimizer = optimizer.suited_to(&Problem {
            network,
            points: all,
            adam: AdamSettings { learning_rate: self.learning_rate, schedule: self.schedule },
        });
        let batch = match points {
            PointCount::Sampled(_) if optimizer.needs_all_points() => None,
            PointCount::Sampled(_) => self.batch.filter(|batch| *batch < all),
            PointCount::Drawn(_) => self.batch,
        };
        TrainSettings {
            steps: self.steps.for_network(network, batch.unwrap_or(all)),
            batch,
            optimizer,
            target_psnr: None,
            time_limit: None,
        }
    }
}

impl Steps {
    /// The number of steps of `batch` points each.
    fn for_network(self, network: &Network, batch: usize) -> u64 {
        match self {
            Self::Exactly(steps) => steps,
            Self::Budget(operations) => {
                let step = 6.0 * network.weight_count() as f64 * batch as f64;
                (operations / step).clamp(500.0, 20_000.0) as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::Preset;

    #[test]
    fn sigma_p_is_a_multiple_of_the_root_where_there_is_one() {
        let recipe = recipes(SignalKind::Image).of(Preset::Fast);
        let at = |text: &str| recipe.sigma_p(&text.parse().unwrap()).unwrap().value;
        assert!((at("gaussian:sigma=0.05") - 2.0 * 0.0776886987).abs() < 1e-9);
        assert_eq!(at("relu"), 1.0);
        assert!((at("sine:omega=30") - 1.0 / 30.0).abs() < 1e-4);
    }

    /// The authors' formulas for ψ = 0.3 and one channel, and for three.
    #[test]
    fn the_noise_of_winner_follows_from_the_centroid() {
        let noise = |kind| recipes(kind).of(Preset::Fast).winner;
        let audio = noise(SignalKind::Audio).unwrap().stds(0.3, 1, 30.0);
        let first = 3500.0 * (1.0 - (-2.1f64).exp()) / 30.0;
        assert!((audio[0] / first - 1.0).abs() < 5e-6 && audio[1] == 0.03, "{audio:?}");
        let image = noise(SignalKind::Image).unwrap().stds(0.3, 3, 30.0);
        let first = 50.0 * (1.0 - (-0.5f64).exp()) / 30.0;
        assert!((image[0] / first - 1.0).abs() < 5e-6, "{image:?}");
        assert_eq!(image[1], 0.00133333);
        assert_eq!(noise(SignalKind::Audio).unwrap().stds(0.0, 1, 30.0), [0.0, 0.0]);
        assert_eq!(noise(SignalKind::Shape), None);
    }

    #[test]
    fn the_budget_fixes_the_steps() {
        let network = Network::uniform(2, 128, 8, 3, "sine".parse().unwrap()).unwrap();
        let training = |side: usize| {
            let recipe = recipes(SignalKind::Image).of(Preset::Fast);
            recipe.training(&network, PointCount::Sampled(side * side), OptimizerName::Adam)
        };
        assert_eq!(training(128).steps, 2056);
        assert_eq!(training(1024).steps, 2056);
        assert_eq!(training(64).batch, None);
        assert_eq!(training(65).batch, Some(4_096));
        assert_eq!(training(1).steps, 20_000);
    }

    #[test]
    fn kfac_is_the_default_for_few_points_and_small_factors() {
        let recipe = recipes(SignalKind::Image).of(Preset::Fast);
        let optimizer = |width, points| {
            let network = Network::uniform(2, width, 3, 3, "sine".parse().unwrap()).unwrap();
            recipe.optimizer(&network, points)
        };
        let few = PointCount::Sampled(16_384);
        assert_eq!(optimizer(128, few), OptimizerName::Kfac);
        assert_eq!(optimizer(8192, few), OptimizerName::Adam);
        assert_eq!(optimizer(128, PointCount::Sampled(16_385)), OptimizerName::Adam);
        assert_eq!(optimizer(128, PointCount::Drawn(100)), OptimizerName::Adam);
    }

    #[test]
    fn every_recipe_has_an_activation() {
        for kind in SignalKind::ALL {
            for preset in [Preset::Fast, Preset::Paper] {
                let recipe = recipes(*kind).of(preset);
                let pieces = recipe.pieces.map(|pieces| recipe.of_piece(&pieces, None));
                for recipe in [Some(recipe), pieces].into_iter().flatten() {
                    let tuned = recipe.tuned.map(|tuned| tuned.activation);
                    for text in [Some(recipe.activation), tuned].into_iter().flatten() {
                        assert!(text.parse::<Activation>().is_ok(), "{kind:?} {preset:?} {text}");
                    }
                }
            }
        }
    }
}
