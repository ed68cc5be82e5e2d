//! Audio as a signal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::samples::Audio;
use super::waveform;
use super::write::SampleFormat;
use crate::metrics::{Digits, Metric, Metrics, mean_squared_error, spectral_convergence};
use crate::points::{Indices, PointBatch, Points, Region, Sampled};
use crate::signal::error::SignalError;
use crate::signal::info::SignalInfo;
use crate::signal::{Fingerprint, Reconstruction, Signal};
use crate::supervision::Supervision;

/// The samples with their coordinates.
struct Samples<'a> {
    audio: &'a Audio,
    input_scale: f64,
}

impl Sampled for Samples<'_> {
    fn count(&self) -> usize {
        self.audio.values.len() / self.audio.info.channels
    }

    fn push(&self, indices: Indices<'_>, batch: &mut PointBatch) {
        let Audio { info, values, .. } = self.audio;
        indices.for_each(|index| {
            batch.points.push(info.coordinate(index as u64, info.rate, self.input_scale));
            batch.targets.extend_from_slice(&values[info.channels * index..][..info.channels]);
        });
    }
}

impl Signal for Audio {
    fn info(&self) -> Arc<dyn SignalInfo> {
        Arc::new(self.info)
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn points<'a>(&'a self, input_scale: f64, _: &'a Supervision) -> Points<'a> {
        Points::Sampled(Arc::new(Samples { audio: self, input_scale }))
    }

    fn push_values(&self, region: &Region, values: &mut Vec<f32>) {
        let channels = self.info.channels;
        region.for_each_run(&self.info.axes(), |run| {
            values.extend_from_slice(&self.values[channels * run.start..channels * run.end]);
        });
    }

    fn loss_at_0_db(&self) -> Option<f64> {
        // Silence has no signal-to-noise ratio.
        Some(self.power).filter(|power| *power > 0.0)
    }

    fn fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::of(&self.info);
        fingerprint.add(&self.values);
        fingerprint.finish()
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
        // The first weight of the window is 0: one sample has no spectrum.
        let (value, convention) = match self.info.samples {
            1 => (f64::NAN, "not defined for a single sample"),
            _ => (
                spectral_convergence(values, &self.values, self.info.channels),
                "STFT magnitudes, Hann window of 1024 samples, hop 256",
            ),
        };
        metrics.all.push(Metric {
            name: "spectral_convergence",
            label: "spectral convergence",
            value,
            unit: "",
            digits: Digits::Decimals(5),
            convention,
        });
        Ok(metrics)
    }

    fn save_images(
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
