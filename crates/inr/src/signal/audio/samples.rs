//! The samples of an audio file.

use super::info::AudioInfo;
use crate::signal::error::SignalError;
use crate::signal::info::SignalInfo as _;

/// Samples in order of time, with the channels interleaved.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    pub(super) info: AudioInfo,
    /// The values, divided by the scale.
    pub(super) values: Vec<f32>,
    /// The mean of the squared values.
    pub(super) power: f64,
    /// Warnings about the file.
    pub(super) warnings: Vec<String>,
}

impl Audio {
    /// Audio with the given samples, in the units of the file. `info.samples` is replaced by their
    /// number, and `info.scale` by `scale`, or by max|x| if that is `None` (by 1 for silence).
    ///
    /// # Errors
    /// Returns [`SignalError::Audio`] if there are no samples, too many, or some that are not
    /// finite.
    pub fn from_samples(
        mut samples: Vec<f32>,
        info: AudioInfo,
        scale: Option<f64>,
    ) -> Result<Self, SignalError> {
        let channels = info.channels.max(1);
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            let (number, channel) = (index / channels + 1, index % channels + 1);
            return Err(SignalError::Audio {
                what: format!("sample {number} of channel {channel} being {}", samples[index]),
                expected: "finite numbers".into(),
            });
        }
        let largest = samples.iter().fold(0.0f32, |largest, sample| largest.max(sample.abs()));
        let own = if largest > 0.0 { f64::from(largest) } else { 1.0 };
        let scale = scale.unwrap_or(own);
        let info = AudioInfo { samples: (samples.len() / channels) as u64, scale, ..info };
        info.check()?;
        let mut power = 0.0;
        for sample in &mut samples {
            *sample = (f64::from(*sample) / scale) as f32;
            power += f64::from(*sample).powi(2);
        }
        power /= samples.len() as f64;
        Ok(Self { info, values: samples, power, warnings: Vec::new() })
    }

    /// The audio that a network represents: `values` are its outputs.
    pub(crate) fn of_network(info: AudioInfo, values: Vec<f32>) -> Self {
        let power = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
        Self { info, power: power / values.len() as f64, values, warnings: Vec::new() }
    }

    /// The properties that a model file keeps.
    pub fn audio_info(&self) -> AudioInfo {
        self.info
    }

    /// The values, divided by the scale: on \[-1, 1\] unless the scale was given.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The samples in the units of the file.
    pub fn samples(&self) -> impl Iterator<Item = f32> {
        self.values.iter().map(|value| (f64::from(*value) * self.info.scale) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn info(channels: usize) -> AudioInfo {
        AudioInfo { rate: 8000, samples: 0, channels, scale: 1.0, start: 0.0 }
    }

    #[test]
    fn values_are_scaled_and_come_back() {
        let samples = vec![0.1, -0.4, 0.2, 0.05];
        let audio = Audio::from_samples(samples.clone(), info(2), None).unwrap();
        assert_eq!(audio.values(), [0.25, -1.0, 0.5, 0.125]);
        assert_eq!(audio.audio_info().samples, 2);
        assert_eq!(audio.samples().collect::<Vec<_>>(), samples);
        let fixed = Audio::from_samples(samples, info(1), Some(0.8)).unwrap();
        assert_eq!(fixed.values(), [0.125, -0.5, 0.25, 0.0625]);
    }

    #[test]
    fn silence_stays_silent_and_nonsense_is_refused() {
        let silence = Audio::from_samples(vec![0.0; 5], info(1), None).unwrap();
        assert_eq!((silence.audio_info().scale, silence.values()), (1.0, &[0.0; 5][..]));
        for (samples, text) in [
            (vec![], "0 samples"),
            (vec![0.0, 1.0, f32::NAN, 0.0], "sample 2 of channel 1 being NaN"),
            (vec![f32::INFINITY; 2], "sample 1 of channel 1 being inf"),
        ] {
            let error = Audio::from_samples(samples, info(2), None).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
