//! Writes audio to a WAV file.

use std::io::{self, Cursor, Seek, Write};
use std::path::Path;

use hound::{SampleFormat as Kind, WavSpec, WavWriter};

use super::{Audio, AudioInfo};
use crate::atomic_file::write_atomically;
use crate::signal::error::SignalError;

/// The sample formats of WAV files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SampleFormat {
    /// Integers of 16 bits.
    #[default]
    Sixteen,
    /// Integers of 24 bits.
    TwentyFour,
    /// Float32.
    Float,
}

impl SampleFormat {
    /// The largest integer, if the format has integers.
    fn largest(self) -> Option<f64> {
        match self {
            Self::Sixteen => Some(32_767.0),
            Self::TwentyFour => Some(8_388_607.0),
            Self::Float => None,
        }
    }

    fn bits(self) -> u16 {
        match self {
            Self::Sixteen => 16,
            Self::TwentyFour => 24,
            Self::Float => 32,
        }
    }
}

/// Receives the next samples of audio in its original amplitude, with the channels interleaved.
pub(crate) type Samples<'a> = dyn FnMut(&[f32]) -> io::Result<()> + 'a;

impl Audio {
    /// Writes a WAV file in the original amplitude, atomically: see [`write_atomically`].
    ///
    /// Integers are x·2^(bits-1), rounded; those beyond the format are clipped. Returns how many
    /// samples were beyond \[-1, 1\] and therefore clipped; float files clip nothing.
    ///
    /// # Errors
    /// Returns an error if the file would have 4 GiB or more, which WAV does not allow, or the
    /// error of the system, with the path.
    pub fn save_wav(&self, path: &Path, format: SampleFormat) -> Result<u64, SignalError> {
        write_wav(path, &self.audio_info(), format, |push| {
            let mut samples = self.samples();
            let mut part = Vec::with_capacity(PART);
            loop {
                part.clear();
                part.extend(samples.by_ref().take(PART));
                if part.is_empty() {
                    return Ok(());
                }
                push(&part)?;
            }
        })
    }
}

/// The number of samples passed at a time.
const PART: usize = 1 << 16;

/// Writes a WAV file of `info`'s rate, channels and length, whose samples `play` passes in any
/// portions, like [`Audio::save_wav`]. The audio need not be in memory as a whole.
///
/// # Errors
/// Returns the errors of [`Audio::save_wav`] and of `play`.
pub(crate) fn write_wav(
    path: &Path,
    info: &AudioInfo,
    format: SampleFormat,
    play: impl FnOnce(&mut Samples<'_>) -> io::Result<()>,
) -> Result<u64, SignalError> {
    let bytes = info.values().saturating_mul(u64::from(format.bits()) / 8);
    if bytes >= u64::from(u32::MAX) - 64 {
        return Err(SignalError::Audio {
            what: format!("{bytes} bytes"),
            expected: "less than the 4 GiB that a WAV file can hold; choose a smaller --rate"
                .into(),
        });
    }
    let mut clipped = 0;
    write_atomically(path, |output| {
        // The header at the start contains the length, which is known at the end.
        if output.stream_position().is_ok() {
            clipped = encode(output, info, format, play)?;
            return Ok(());
        }
        let mut bytes = Cursor::new(Vec::new());
        clipped = encode(&mut bytes, info, format, play)?;
        output.write_all(bytes.get_ref())
    })?;
    Ok(clipped)
}

fn encode(
    output: impl Write + Seek,
    info: &AudioInfo,
    format: SampleFormat,
    play: impl FnOnce(&mut Samples<'_>) -> io::Result<()>,
) -> io::Result<u64> {
    let plain = |error| match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    };
    let sample_format = if format == SampleFormat::Float { Kind::Float } else { Kind::Int };
    let spec = WavSpec {
        channels: info.channels as u16,
        sample_rate: info.rate,
        bits_per_sample: format.bits(),
        sample_format,
    };
    let mut writer = WavWriter::new(output, spec).map_err(plain)?;
    let mut clipped = 0;
    play(&mut |samples| {
        for sample in samples {
            match format.largest() {
                None => writer.write_sample(*sample),
                Some(largest) => {
                    clipped += u64::from(sample.abs() > 1.0);
                    let whole = (f64::from(*sample) * (largest + 1.0)).round();
                    // A cast converts NaN to 0.
                    writer.write_sample(whole.clamp(-largest - 1.0, largest) as i32)
                }
            }
            .map_err(plain)?;
        }
        Ok(())
    })?;
    writer.finalize().map_err(plain)?;
    Ok(clipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::audio::{AudioOptions, ChannelRule};

    #[test]
    fn every_format_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let samples: Vec<f32> = (0..200).map(|i| (i as f32 * 0.37).sin() * 0.7).collect();
        let info = AudioInfo { rate: 11_025, samples: 0, channels: 2, scale: 1.0, start: 0.0 };
        let audio = Audio::from_samples(samples.clone(), info, None).unwrap();
        for (format, error) in [
            (SampleFormat::Sixteen, 1.6e-5),
            (SampleFormat::TwentyFour, 1e-7),
            (SampleFormat::Float, 6e-8),
        ] {
            assert_eq!(audio.save_wav(&path, format).unwrap(), 0);
            let options = AudioOptions { channels: ChannelRule::All, ..AudioOptions::default() };
            let read = Audio::open(&path, &options).unwrap();
            assert_eq!((read.audio_info().rate, read.audio_info().samples), (11_025, 100));
            let worst = read.samples().zip(&samples).map(|(a, b)| (a - b).abs());
            let worst = worst.fold(0.0, f32::max);
            assert!(worst <= error, "{format:?}: {worst}");
        }
    }

    #[test]
    fn clipping_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let info = AudioInfo { rate: 8000, samples: 0, channels: 1, scale: 1.0, start: 0.0 };
        let audio = Audio::from_samples(vec![1.5, -2.0, 0.5, 1.0], info, None).unwrap();
        assert_eq!(audio.save_wav(&path, SampleFormat::Sixteen).unwrap(), 2);
        let read = Audio::open(&path, &AudioOptions::default()).unwrap();
        let samples: Vec<f32> = read.samples().collect();
        assert_eq!(samples, [32_767.0 / 32_768.0, -1.0, 0.5, 32_767.0 / 32_768.0]);
        assert_eq!(audio.save_wav(&path, SampleFormat::Float).unwrap(), 0);
        let read = Audio::open(&path, &AudioOptions::default()).unwrap();
        assert_eq!(read.samples().collect::<Vec<_>>(), [1.5, -2.0, 0.5, 1.0]);
    }
}
