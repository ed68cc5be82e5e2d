//! What a fit does where nothing is asked for.

use vi3nr::{Activation, BiasRule, Error, Network};

use crate::optimiser::{
    AdamSettings, KfacSettings, MuonSettings, OptimiserName, OptimiserSettings, Schedule,
};
use crate::points::Points;
use crate::train::TrainSettings;

/// What the settings of a fit are chosen for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preset {
    /// The best quality per minute, by measurement (the repository's docs/defaults.md).
    #[default]
    Fast,
    /// The paper's experiment on this kind of signal.
    Paper,
}

/// What a signal has for each preset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByPreset<T> {
    /// For [`Preset::Fast`].
    pub fast: T,
    /// For [`Preset::Paper`].
    pub paper: T,
}

impl<T> ByPreset<T> {
    /// The one that `preset` asks for.
    pub fn of(self, preset: Preset) -> T {
        match preset {
            Preset::Fast => self.fast,
            Preset::Paper => self.paper,
        }
    }
}

/// Settings of a fit that suit one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// The nonlinearity, as it is typed.
    pub activation: &'static str,
    /// Weight matrices.
    pub layers: usize,
    /// Units of each hidden layer.
    pub width: usize,
    /// How the biases start.
    pub biases: BiasRule,
    /// How the first layer's start where the activation is even; elsewhere like the others.
    pub even_first_biases: BiasRule,
    /// The multiple of the smallest root of Eq. (13) that is taken for σ_p.
    pub sigma_p_factor: f64,
    /// How long.
    pub steps: Steps,
    /// Points of a step; all of them, or as many as are usually drawn, if none.
    pub batch: Option<usize>,
    /// Adam's first learning rate.
    pub learning_rate: f64,
    /// How it falls.
    pub schedule: Schedule,
    /// Most points for which `kfac` is taken where no optimiser is asked for; beyond, it is Adam.
    pub kfac_points: usize,
}

/// How many steps a fit takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steps {
    /// This many.
    Exactly(u64),
    /// As many as this many floating-point operations allow, not fewer than 500 or more than
    /// 20,000. Not a time, so that the result is the same on every machine.
    Budget(f64),
}

impl Recipe {
    /// How the first layer's biases start.
    pub fn first_biases(&self, activation: &Activation) -> BiasRule {
        if activation.is_even() { self.even_first_biases } else { self.biases }
    }

    /// The σ_p of a fit where none is asked for: a multiple of the smallest root of Eq. (13), or
    /// what [`vi3nr::auto_sigma_p`] chooses where there is no root.
    ///
    /// # Errors
    /// Returns [`Error::Moment`] if the activation has no finite gain.
    pub fn sigma_p(&self, activation: &Activation) -> Result<f64, Error> {
        Ok(vi3nr::scheme::default_sigma_p(activation, self.sigma_p_factor)?.value)
    }

    /// The steps of a fit of `network` to `points` by `optimiser`, or by the one that suits them.
    pub fn training(
        &self,
        network: &Network,
        points: Points<'_>,
        optimiser: Option<OptimiserName>,
    ) -> TrainSettings {
        let all = points.usual_count().max(1);
        let optimiser = optimiser.unwrap_or(match points {
            Points::Sampled(_) if all <= self.kfac_points => OptimiserName::Kfac,
            _ => OptimiserName::Adam,
        });
        let batch = match points {
            Points::Sampled(_) if optimiser == OptimiserName::Kfac => None,
            Points::Sampled(_) => self.batch.filter(|batch| *batch < all),
            Points::Drawn(_) => self.batch,
        };
        let steps = match self.steps {
            Steps::Exactly(steps) => steps,
            Steps::Budget(operations) => {
                let step = 6.0 * network.weight_count() as f64 * batch.unwrap_or(all) as f64;
                (operations / step).clamp(500.0, 20_000.0) as u64
            }
        };
        TrainSettings {
            steps,
            batch,
            optimiser: match optimiser {
                OptimiserName::Adam => OptimiserSettings::Adam(AdamSettings {
                    learning_rate: self.learning_rate,
                    schedule: self.schedule,
                }),
                OptimiserName::Muon => OptimiserSettings::Muon(MuonSettings::for_network(network)),
                OptimiserName::Kfac => OptimiserSettings::Kfac(KfacSettings::for_points(all)),
            },
            target_psnr: None,
            time_limit: None,
        }
    }
}

/// What the paper reports on one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperTable {
    /// `Table 5`.
    pub name: &'static str,
    /// The quantity and its unit.
    pub quantity: &'static str,
    /// The metric of ours that is comparable.
    pub metric: &'static str,
    /// What our metric is multiplied by to be in the paper's unit.
    pub factor: f64,
    /// What the columns are.
    pub columns: &'static [&'static str],
    /// The paper's methods with a number for each column.
    pub rows: &'static [(&'static str, &'static [f64])],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Signal;
    use crate::signal::image;
    use crate::signal::image::Image;

    #[test]
    fn sigma_p_is_a_multiple_of_the_root_where_there_is_one() {
        let recipe = image::FAST;
        let at = |text: &str| recipe.sigma_p(&text.parse().unwrap()).unwrap();
        assert!((at("gaussian:sigma=0.05") - 2.0 * 0.0776886987).abs() < 1e-9);
        assert_eq!(at("relu"), 1.0);
        assert!((at("sine:omega=30") - 1.0 / 30.0).abs() < 1e-4);
    }

    #[test]
    fn the_budget_fixes_the_steps() {
        let network = Network::uniform(2, 128, 8, 3, "sine".parse().unwrap()).unwrap();
        let training = |side: u32| {
            let pixels = vec![0.0; 3 * (side * side) as usize];
            let image = Image::from_values(side, side, 3, pixels).unwrap();
            image.recipes().of(Preset::Fast).training(
                &network,
                image.points(),
                Some(OptimiserName::Adam),
            )
        };
        assert_eq!(training(128).steps, 2056);
        assert_eq!(training(1024).steps, 2056);
        assert_eq!(training(64).batch, None);
        assert_eq!(training(65).batch, Some(4_096));
        assert_eq!(training(1).steps, 20_000);
    }
}
