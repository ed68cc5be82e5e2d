//! The length and rate of audio, without its samples.

use std::any::Any;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{MAX_CHANNELS, MAX_SAMPLES};
use crate::signal::error::SignalError;
use crate::signal::info::{PointCount, SignalInfo, Unit};
use crate::signal::kind::SignalKind;

/// The properties of audio that a model file keeps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AudioInfo {
    /// The number of samples per second.
    pub rate: u32,
    /// The number of samples of each channel.
    pub samples: u64,
    /// The number of channels that are kept.
    pub channels: usize,
    /// The factor from the network's outputs to the original amplitude.
    pub scale: f64,
    /// The start of the audio within its file, in seconds.
    pub start: f64,
}

impl AudioInfo {
    /// The number of samples of all channels.
    pub fn values(&self) -> u64 {
        self.samples * self.channels as u64
    }

    /// The time from the first sample to the last, in seconds.
    pub fn span(&self) -> f64 {
        self.samples.saturating_sub(1) as f64 / f64::from(self.rate)
    }

    /// The coordinate of sample `index` at `rate` samples per second, if coordinates span
    /// -`input_scale` to `input_scale`.
    ///
    /// The samples of the audio itself span that range, both ends included. At another rate the
    /// first sample keeps its coordinate, and the others are spaced by their time. A single sample
    /// has coordinate 0.
    ///
    /// ```
    /// use vi3nr_inr::signal::audio::AudioInfo;
    ///
    /// let info = AudioInfo { rate: 4, samples: 5, channels: 1, scale: 1.0, start: 0.0 };
    /// assert_eq!([0, 1, 4].map(|index| info.coordinate(index, 4, 100.0)), [-100.0, -50.0, 100.0]);
    /// assert_eq!(info.samples_at(8), 9);
    /// assert_eq!(info.coordinate(1, 8, 100.0), -75.0);
    /// ```
    pub fn coordinate(&self, index: u64, rate: u32, input_scale: f64) -> f32 {
        self.coordinate_at(index as f64 * f64::from(self.rate) / f64::from(rate), input_scale)
    }

    /// The coordinate of a position in samples, which need not be an integer.
    pub fn coordinate_at(&self, position: f64, input_scale: f64) -> f32 {
        if self.samples <= 1 {
            return 0.0;
        }
        let steps = (self.samples - 1) as f64;
        (input_scale * (2.0 * position - steps) / steps) as f32
    }

    /// The number of samples at `rate` from the first to the last, both included.
    pub fn samples_at(&self, rate: u32) -> u64 {
        // In integers, so that rounding cannot drop the last sample.
        let steps = u128::from(self.samples.saturating_sub(1)) * u128::from(rate);
        (steps / u128::from(self.rate.max(1))) as u64 + 1
    }
}

impl SignalInfo for AudioInfo {
    fn kind(&self) -> SignalKind {
        SignalKind::Audio
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn inputs(&self) -> usize {
        1
    }

    fn outputs(&self) -> usize {
        self.channels
    }

    fn points(&self) -> PointCount {
        PointCount::Sampled(self.samples as usize)
    }

    fn axes(&self) -> Vec<usize> {
        vec![self.samples as usize]
    }

    fn shape(&self) -> String {
        let Self { samples, channels, rate, .. } = self;
        let plural = if *channels == 1 { "" } else { "s" };
        format!("{samples} samples, {channels} channel{plural} at {rate} Hz")
    }

    fn details(&self) -> String {
        let seconds = self.samples as f64 / f64::from(self.rate);
        let mut text =
            format!("{} ({seconds:.3} s), values within ±{:.4}", self.shape(), self.scale);
        if self.start > 0.0 {
            text += &format!(", from {} s", self.start);
        }
        text
    }

    fn unit(&self) -> Option<Unit> {
        Some(Unit {
            name: "sample",
            bits: "bits_per_sample",
            bits_unit: "bits/sample",
            count: self.values() as f64,
        })
    }

    fn value_range(&self) -> &'static str {
        "-1,1"
    }

    fn coordinate_range(&self, input_scale: f64) -> String {
        format!("-{input_scale},{input_scale} from the first sample to the last, ends included")
    }

    fn check(&self) -> Result<(), SignalError> {
        let refuse = |what: String, expected: String| Err(SignalError::Audio { what, expected });
        if self.samples == 0 || self.samples > MAX_SAMPLES {
            let expected = format!("1 to {MAX_SAMPLES} (choose a part by start and duration)");
            return refuse(format!("{} samples a channel", self.samples), expected);
        }
        if self.channels == 0 || self.channels > MAX_CHANNELS {
            return refuse(format!("{} channels", self.channels), format!("1 to {MAX_CHANNELS}"));
        }
        if self.rate == 0 {
            return refuse("0 samples a second".into(), "a rate above 0".into());
        }
        let Self { scale, start, .. } = *self;
        let is_scale = scale.is_finite() && scale > 0.0;
        if !is_scale || !start.is_finite() || start < 0.0 {
            let expected = "finite numbers, the scale above 0, the start 0 or more";
            return refuse(format!("scale {scale}, start {start}"), expected.into());
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(samples: u64) -> AudioInfo {
        AudioInfo { rate: 44_100, samples, channels: 1, scale: 0.5, start: 0.0 }
    }

    #[test]
    fn other_rates_stay_within_the_audio() {
        for (samples, rate) in
            [(308_207, 48_000), (308_207, 8_000), (2, 1), (1, 96_000), (7, 44_100)]
        {
            let info = info(samples);
            let count = info.samples_at(rate);
            assert!(info.coordinate(count - 1, rate, 1.0) <= 1.0);
            // One more would lie outside.
            assert!(samples == 1 || info.coordinate(count, rate, 1.0) > 1.0);
        }
        assert_eq!(info(308_207).samples_at(44_100), 308_207);
        assert_eq!(info(308_207).coordinate(308_206, 44_100, 1.0), 1.0);
    }

    #[test]
    fn impossible_audio_are_refused() {
        assert!(info(5).check().is_ok());
        for wrong in [
            info(0),
            info(MAX_SAMPLES + 1),
            AudioInfo { rate: 0, ..info(5) },
            AudioInfo { channels: 0, ..info(5) },
            AudioInfo { channels: 65, ..info(5) },
            AudioInfo { scale: 0.0, ..info(5) },
            AudioInfo { scale: f64::NAN, ..info(5) },
            AudioInfo { start: f64::INFINITY, ..info(5) },
            AudioInfo { start: -1.0, ..info(5) },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
