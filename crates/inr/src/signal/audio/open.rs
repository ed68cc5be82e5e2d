//! Reads the samples of an audio file.

use std::io::ErrorKind;
use std::path::Path;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

use super::MAX_SAMPLES;
use super::container::Track;
use super::info::AudioInfo;
use super::options::{AudioOptions, ChannelRule};
use super::samples::Audio;
use crate::catch_panic::catch_panic;
use crate::signal::error::SignalError;
use crate::signal::read_file;

/// If the mean of the channels has less than this share of their power, the channels cancel out.
const CANCELLED: f64 = 1e-3;

impl Audio {
    /// Reads a WAV (8 to 32 bits, float, A-law and µ-law), FLAC or MP3 file, recognized by its
    /// content. Integer samples become values on \[-1, 1).
    ///
    /// # Errors
    /// Returns [`SignalError::Read`] if the file cannot be read, [`SignalError::NotAudio`] or
    /// [`SignalError::DamagedAudio`] if it is not a whole audio file of a supported format,
    /// [`SignalError::TooLong`] if more than [`MAX_SAMPLES`] of each channel would be kept, and
    /// [`SignalError::UnusableAudio`] if it lacks the channel or the part that the options name, or
    /// has samples that are not finite.
    pub fn open(path: &Path, options: &AudioOptions) -> Result<Self, SignalError> {
        Self::decode(path, &read_file(path)?, options)
    }

    /// Like [`Audio::open`], for a file whose bytes have been read.
    pub(in crate::signal) fn decode(
        path: &Path,
        bytes: &[u8],
        options: &AudioOptions,
    ) -> Result<Self, SignalError> {
        let unusable = |reason| SignalError::UnusableAudio { path: path.to_owned(), reason };
        let track = Track::open(path, bytes)?;
        let (rate, found) = (track.rate, track.channels);
        let at_rate = |seconds: f64| (seconds * f64::from(rate)).round();
        // Casts saturate; positions beyond the end of the file are refused below.
        let first = at_rate(options.start) as u64;
        let wanted = options.duration.map(|duration| at_rate(duration).max(1.0) as u64);
        if let ChannelRule::One(number) = options.channels
            && !(1..=found).contains(&number)
        {
            let channels = if found == 1 { "channel" } else { "channels" };
            return Err(unusable(format!(
                "it has {found} {channels}; expected one of them, not {number}"
            )));
        }
        let selection = Selection { first, wanted, channels: options.channels };
        let decoded = Reader::new(path, bytes, track)?.samples(&selection)?;
        if decoded.samples.is_empty() {
            let length = decoded.total as f64 / f64::from(rate);
            return Err(unusable(match decoded.total {
                0 => "it has 0 samples; expected at least 1".into(),
                _ => format!("it ends after {length:.3} s; expected a start before that"),
            }));
        }
        let channels = if options.channels == ChannelRule::All { found } else { 1 };
        let info = AudioInfo { rate, samples: 0, channels, scale: 1.0, start: options.start };
        let mut audio = Self::from_samples(decoded.samples, info, options.scale)
            .map_err(|error| unusable(error.to_string()))?;
        audio.warnings = decoded.warnings;
        Ok(audio)
    }
}

/// The samples that are kept.
struct Selection {
    /// The first one.
    first: u64,
    /// The maximum number of samples of each channel; all if `None`.
    wanted: Option<u64>,
    channels: ChannelRule,
}

/// The samples that were read.
struct Decoded {
    /// The selected samples.
    samples: Vec<f32>,
    /// The number of samples of each channel that were decoded.
    total: u64,
    warnings: Vec<String>,
}

/// An audio file during decoding.
struct Reader<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    track: Track,
    decoder: Box<dyn AudioDecoder>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, bytes: &'a [u8], track: Track) -> Result<Self, SignalError> {
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&track.parameters, &AudioDecoderOptions::default())
            .map_err(|error| SignalError::DamagedAudio {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Self { path, bytes, track, decoder })
    }

    fn damaged(&self, reason: String) -> SignalError {
        SignalError::DamagedAudio { path: self.path.to_owned(), reason }
    }

    fn samples(mut self, selection: &Selection) -> Result<Decoded, SignalError> {
        let Selection { first, wanted, channels: rule } = *selection;
        let end = wanted.map_or(u64::MAX, |wanted| first.saturating_add(wanted));
        let channels = if rule == ChannelRule::All { self.track.channels } else { 1 };
        let length = self.track.announced.unwrap_or(0).min(end).saturating_sub(first);
        // A vector that grows while it is filled takes twice the memory. A header may announce more
        // samples than the file contains.
        let likely = (length.min(MAX_SAMPLES) as usize * channels).min(self.bytes.len());
        let (mut kept, mut packet) = (Vec::with_capacity(likely), Vec::new());
        let mut powers = Powers::default();
        let (mut decoded, mut early) = (0, self.track.delay);
        let mut warnings = std::mem::take(&mut self.track.warnings);
        while decoded < end {
            if !self.next(&mut packet)? {
                self.require_whole(decoded)?;
                let ending = self.track.packets.ending();
                let total = decoded.saturating_sub(ending.padding);
                let whole = total.saturating_sub(first) as usize * channels;
                kept.truncate(whole);
                decoded = total;
                warnings.extend(ending.warnings);
                break;
            }
            for moment in packet.chunks_exact(self.track.channels) {
                if early > 0 {
                    early -= 1;
                    continue;
                }
                if (first..end).contains(&decoded) {
                    match rule {
                        ChannelRule::All => kept.extend_from_slice(moment),
                        ChannelRule::One(number) => kept.push(moment[number - 1]),
                        ChannelRule::Mean => kept.push(powers.mean(moment)),
                    }
                }
                decoded += 1;
            }
            if decoded.min(end).saturating_sub(first) > MAX_SAMPLES {
                let path = self.path.to_owned();
                return Err(SignalError::TooLong { path, most: MAX_SAMPLES });
            }
        }
        warnings.extend(powers.warning(self.track.channels));
        Ok(Decoded { samples: kept, total: decoded, warnings })
    }

    /// Decodes the next packet; false at the end of the file.
    fn next(&mut self, samples: &mut Vec<f32>) -> Result<bool, SignalError> {
        samples.clear();
        let range = match self.track.packets.next(self.bytes) {
            Ok(Some(range)) => range,
            Ok(None) => return Ok(false),
            Err(reason) => return Err(self.damaged(reason)),
        };
        let start = range.start;
        let bytes = self.bytes;
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, &bytes[range]);
        let channels = self.track.channels;
        let decoder = &mut self.decoder;
        let decoded = catch_panic(|| {
            let buffer = decoder.decode_ref(&packet)?;
            let is_same = buffer.spec().channels().count() == channels;
            if is_same {
                buffer.copy_to_vec_interleaved(samples);
            }
            Ok(is_same)
        });
        let reason = match decoded {
            Err(panic) => panic.to_string(),
            Ok(Ok(true)) => {
                if self.track.gain != 1.0 {
                    samples.iter_mut().for_each(|sample| *sample *= self.track.gain);
                }
                return Ok(true);
            }
            Ok(Ok(false)) => "its number of channels changes on the way".to_owned(),
            Ok(Err(Error::IoError(error))) if error.kind() == ErrorKind::UnexpectedEof => {
                format!("the packet at byte {start} ends before its samples do")
            }
            Ok(Err(error)) => format!("the packet at byte {start} cannot be decoded: {error}"),
        };
        Err(self.damaged(reason))
    }

    fn require_whole(&self, decoded: u64) -> Result<(), SignalError> {
        match self.track.announced {
            Some(announced) if decoded < announced => Err(self.damaged(format!(
                "it ends after {decoded} of the {announced} samples that its header announces"
            ))),
            _ => Ok(()),
        }
    }
}

/// The power of the channels and of their mean, summed over samples.
#[derive(Default)]
struct Powers {
    channels: f64,
    mean: f64,
}

impl Powers {
    /// The mean of the channels at one moment.
    fn mean(&mut self, moment: &[f32]) -> f32 {
        let count = moment.len() as f64;
        let mean = moment.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
        self.channels +=
            moment.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / count;
        self.mean += mean * mean;
        mean as f32
    }

    fn warning(&self, channels: usize) -> Option<String> {
        (self.mean < CANCELLED * self.channels).then(|| {
            let share = 100.0 * self.mean / self.channels;
            format!(
                "its {channels} channels cancel each other: their mean, which is fitted, has \
                 {share:.2} % of their power; choose one with --channels 1 or keep all with \
                 --channels all"
            )
        })
    }
}

#[cfg(test)]
mod tests;
