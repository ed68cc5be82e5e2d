//! From an audio file to a recording.

use std::io::{Cursor, ErrorKind};
use std::path::Path;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::info::AudioInfo;
use super::options::{AudioOptions, ChannelRule};
use super::recording::Audio;
use super::{MAX_CHANNELS, MAX_SAMPLES};
use crate::signal::error::SignalError;
use crate::signal::read_file;
use crate::signal::registry::seen;

impl Audio {
    /// Reads a WAV (8 to 32 bits, float, A-law and µ-law), FLAC or MP3 file, recognized by its
    /// content. Samples are on \[-1, 1) where the file has whole numbers.
    ///
    /// # Errors
    /// A file that cannot be read, is no recording, is damaged or cut short (an MP3 file has no
    /// length that could tell), has too many samples, none, or some that are not finite; a channel
    /// or a part that it does not have.
    pub fn open(path: &Path, options: &AudioOptions) -> Result<Self, SignalError> {
        Self::decode(path, read_file(path)?, options)
    }

    /// [`Audio::open`] of a file whose bytes have been read.
    pub(in crate::signal) fn decode(
        path: &Path,
        bytes: Vec<u8>,
        options: &AudioOptions,
    ) -> Result<Self, SignalError> {
        let unusable = |reason| SignalError::UnusableAudio { path: path.to_owned(), reason };
        let reader = Reader::new(path, bytes)?;
        let (rate, found) = (reader.rate, reader.channels);
        let at_rate = |seconds: f64| (seconds * f64::from(rate)).round();
        // Casts saturate; what is beyond the file is refused below.
        let first = at_rate(options.start) as u64;
        let wanted = options.duration.map(|duration| at_rate(duration).max(1.0) as u64);
        if let ChannelRule::One(number) = options.channels
            && !(1..=found).contains(&number)
        {
            return Err(unusable(format!(
                "it has {found} channels; expected one of them, not {number}"
            )));
        }
        let (samples, total) = reader.samples(first, wanted, options.channels)?;
        if samples.is_empty() {
            let length = total as f64 / f64::from(rate);
            return Err(unusable(match total {
                0 => "it has 0 samples; expected at least 1".into(),
                _ => format!("it ends after {length:.3} s; expected a start before that"),
            }));
        }
        let channels = if options.channels == ChannelRule::All { found } else { 1 };
        let info = AudioInfo { rate, samples: 0, channels, scale: 1.0, start: options.start };
        Self::from_samples(samples, info, options.scale)
            .map_err(|error| unusable(error.to_string()))
    }
}

/// An audio file in the middle of being decoded.
struct Reader<'a> {
    path: &'a Path,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    channels: usize,
    /// Samples of each channel that the header announces, where its format is exact about it.
    announced: Option<u64>,
    /// Bytes of the file.
    bytes: usize,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, bytes: Vec<u8>) -> Result<Self, SignalError> {
        let damaged = |reason: String| SignalError::DamagedAudio { path: path.to_owned(), reason };
        let is_exact = bytes.starts_with(b"RIFF") || bytes.starts_with(b"fLaC");
        let (what, length) = (seen(&bytes), bytes.len());
        let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
        let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, format, metadata)
            .map_err(|error| match (is_exact, error) {
                (true, Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    damaged("it ends within its header".into())
                }
                (true, error) => damaged(error.to_string()),
                (false, _) => SignalError::NotAudio { path: path.to_owned(), seen: what },
            })?;
        let track = format
            .default_track(TrackType::Audio)
            .ok_or_else(|| damaged("it has no audio track".into()))?;
        let parameters = track
            .codec_params
            .as_ref()
            .and_then(|parameters| parameters.audio())
            .ok_or_else(|| damaged("its audio format is not known".into()))?;
        let (track_id, announced) = (track.id, track.num_frames.filter(|_| is_exact));
        let rate = parameters.sample_rate.filter(|rate| *rate > 0);
        let rate = rate.ok_or_else(|| damaged("it has no sample rate".into()))?;
        let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
        if !(1..=MAX_CHANNELS).contains(&channels) {
            let reason = format!("it has {channels} channels; expected 1 to {MAX_CHANNELS}");
            return Err(damaged(reason));
        }
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| damaged(error.to_string()))?;
        let (track, bytes) = (track_id, length);
        Ok(Self { path, format, decoder, track, rate, channels, announced, bytes })
    }

    /// The samples from `first` on, `wanted` of each channel at most, and how many were decoded.
    fn samples(
        mut self,
        first: u64,
        wanted: Option<u64>,
        rule: ChannelRule,
    ) -> Result<(Vec<f32>, u64), SignalError> {
        let end = wanted.map_or(u64::MAX, |wanted| first.saturating_add(wanted));
        let channels = if rule == ChannelRule::All { self.channels } else { 1 };
        let length = self.announced.unwrap_or(0).min(end).saturating_sub(first).min(MAX_SAMPLES);
        // A vector that grows on its way takes twice the memory. A header may announce more than there
        // is.
        let likely = (length as usize * channels).min(self.bytes);
        let (mut kept, mut packet_samples) = (Vec::with_capacity(likely), Vec::new());
        let mut decoded = 0;
        while decoded < end {
            if !self.next(&mut packet_samples)? {
                self.require_whole(decoded)?;
                break;
            }
            for moment in packet_samples.chunks_exact(self.channels) {
                if (first..end).contains(&decoded) {
                    match rule {
                        ChannelRule::All => kept.extend_from_slice(moment),
                        ChannelRule::One(number) => kept.push(moment[number - 1]),
                        ChannelRule::Mean => kept.push(mean(moment)),
                    }
                }
                decoded += 1;
            }
            if decoded.saturating_sub(first) > MAX_SAMPLES {
                let path = self.path.to_owned();
                return Err(SignalError::TooLong { path, most: MAX_SAMPLES });
            }
        }
        Ok((kept, decoded))
    }

    /// Decodes the next packet; false at the end of the file.
    fn next(&mut self, samples: &mut Vec<f32>) -> Result<bool, SignalError> {
        samples.clear();
        let damaged =
            |reason: String| SignalError::DamagedAudio { path: self.path.to_owned(), reason };
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(false),
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                return Ok(false);
            }
            Err(error) => return Err(damaged(error.to_string())),
        };
        if packet.track_id != self.track {
            return Ok(true);
        }
        match self.decoder.decode(&packet) {
            Ok(buffer) if buffer.spec().channels().count() == self.channels => {
                buffer.copy_to_vec_interleaved(samples);
                Ok(true)
            }
            Ok(_) => Err(damaged("its number of channels changes on the way".into())),
            // The last packet of a file that was cut short.
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(damaged(error.to_string())),
        }
    }

    fn require_whole(&self, decoded: u64) -> Result<(), SignalError> {
        match self.announced {
            Some(announced) if decoded < announced => Err(SignalError::DamagedAudio {
                path: self.path.to_owned(),
                reason: format!(
                    "it ends after {decoded} of the {announced} samples that its header announces"
                ),
            }),
            _ => Ok(()),
        }
    }
}

fn mean(moment: &[f32]) -> f32 {
    let sum: f64 = moment.iter().map(|sample| f64::from(*sample)).sum();
    (sum / moment.len() as f64) as f32
}
