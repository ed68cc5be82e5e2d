//! What a fit needs of a recording.

use std::path::{Path, PathBuf};

use vi3nr::BiasRule;

use super::{Audio, SampleFormat, waveform};
use crate::metrics::{Digits, Metric, Metrics, mean_squared_error, spectral_convergence};
use crate::optimiser::Schedule;
use crate::points::{PointBatch, Points, Sampled};
use crate::recipe::{ByPreset, PaperTable, Recipe, Steps};
use crate::signal::{Reconstruction, Signal, SignalError, SignalInfo};

/// Measured in the repository's docs/audio.md. Few layers have to reach high frequencies, so σ_p is far above that of
/// Eq. (13).
const FAST: Recipe = Recipe {
    activation: "sine:omega=30",
    layers: 4,
    width: 256,
    biases: BiasRule::LikeWeights,
    even_first_biases: BiasRule::LikeWeights,
    sigma_p_factor: 6.0,
    // About a minute on two idle present cores.
    steps: Steps::Budget(8e12),
    batch: Some(4_096),
    learning_rate: 5e-4,
    schedule: Schedule::Cosine,
    kfac_points: 0,
};

/// Table 7, as far as it is known how it was trained.
const PAPER: Recipe = Recipe {
    steps: Steps::Exactly(30_000),
    batch: None,
    learning_rate: 1e-5,
    schedule: Schedule::Exponential { factor: 0.9999 },
    ..FAST
};

/// On SIREN's recordings.
const TABLE_7: PaperTable = PaperTable {
    name: "Table 7",
    quantity: "MSE x 1000 on the scaled waveform",
    metric: "mse",
    factor: 1e3,
    columns: &["bach", "counting", "two speakers"],
    rows: &[
        ("SIREN + random normal init", &[35.5, 19.4, 30.79]),
        ("SIREN + SIREN init", &[0.005, 0.37, 0.018]),
        ("Gaussian + random normal init", &[6.57, 5.10, 1.35]),
        ("Gaussian + our MC init", &[1.17, 1.36, 0.25]),
        ("Gaussian + our init", &[0.48, 1.49, 0.24]),
    ],
};

impl Sampled for Audio {
    fn count(&self) -> usize {
        self.values.len() / self.info.channels
    }

    fn push(&self, index: usize, batch: &mut PointBatch) {
        batch.points.push(self.info.coordinate(index as u64, self.info.rate));
        let channels = self.info.channels;
        batch.targets.extend_from_slice(&self.values[channels * index..][..channels]);
    }
}

impl Signal for Audio {
    fn info(&self) -> SignalInfo {
        SignalInfo::Audio(self.info)
    }

    fn points(&self) -> Points<'_> {
        Points::Sampled(self)
    }

    fn recipes(&self) -> ByPreset<Recipe> {
        ByPreset { fast: FAST, paper: PAPER }
    }

    fn paper_table(&self) -> PaperTable {
        TABLE_7
    }

    fn loss_convention(&self) -> &'static str {
        "mean squared error over samples and channels of the waveform divided by its largest |x|"
    }

    fn metrics_of_loss(&self, loss: f64) -> Metrics {
        // A perfect reconstruction of silence is perfect, too: 0/0 would be NaN.
        let ratio = if loss == 0.0 { f64::INFINITY } else { self.power / loss };
        Metrics::new([Metric {
            name: "snr",
            label: "SNR",
            value: 10.0 * ratio.log10(),
            unit: "dB",
            digits: Digits::Decimals(2),
            convention: "power of the waveform over power of the error",
        }])
    }

    fn metrics_of_fit(
        &self,
        _loss: f64,
        reconstruction: &Reconstruction<'_>,
    ) -> Result<Metrics, SignalError> {
        self.metrics(reconstruction)
    }

    fn metrics(&self, reconstruction: &Reconstruction<'_>) -> Result<Metrics, SignalError> {
        let values = reconstruction.values;
        let mse = mean_squared_error(values, &self.values);
        let mut metrics = self.metrics_of_loss(mse);
        metrics.all.insert(
            0,
            Metric {
                name: "mse",
                label: "MSE",
                value: mse,
                unit: "",
                digits: Digits::Scientific(3),
                convention: "on the waveform divided by its largest |x|",
            },
        );
        metrics.all.push(Metric {
            name: "spectral_convergence",
            label: "spectral convergence",
            value: spectral_convergence(values, &self.values, self.info.channels),
            unit: "",
            digits: Digits::Decimals(5),
            convention: "STFT magnitudes, Hann window of 1024 samples, hop 256",
        });
        Ok(metrics)
    }

    fn save_pictures(
        &self,
        reconstruction: &Reconstruction<'_>,
        directory: &Path,
    ) -> Result<Vec<PathBuf>, SignalError> {
        let chart = waveform::chart(&self.info, &self.values, reconstruction.values);
        let names = ["waveform.png", "waveform.svg", "reconstruction.wav"];
        let paths = names.map(|name| directory.join(name));
        chart.save(&paths[0])?;
        chart.save(&paths[1])?;
        Self::of_network(self.info, reconstruction.values.to_vec())
            .save_wav(&paths[2], SampleFormat::Float)?;
        Ok(paths.to_vec())
    }
}
