//! Parses audio files: the format of the samples and the byte ranges of the packets, which the
//! decoder converts to samples.
//!
//! The containers are parsed here and not by the library of the decoders, because its readers
//! estimate the length of MP3 files, drop the last frame of FLAC files that end with tags, and
//! refuse or misread headers that other programs write (see docs/formats.md of the repository).

mod flac;
mod flac_frame;
mod id3;
mod mp3;
mod mpeg_frame;
mod riff;
mod wav;
mod wav_format;

use std::ops::Range;
use std::path::Path;

use symphonia::core::codecs::audio::AudioCodecParameters;

use super::MAX_CHANNELS;
use crate::signal::error::SignalError;
use crate::signal::registry::seen;

/// The audio of a file before it is decoded.
pub(super) struct Track {
    /// The parameters of the decoder.
    pub(super) parameters: AudioCodecParameters,
    /// Samples per second.
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// The number of samples of each channel in the header, if its format is exact about it.
    pub(super) announced: Option<u64>,
    /// The number of samples that the encoder added before the first one.
    pub(super) delay: u64,
    /// The factor of the decoded samples.
    pub(super) gain: f32,
    pub(super) packets: Box<dyn Packets>,
    /// Warnings about the header.
    pub(super) warnings: Vec<String>,
}

/// Finds the packets of a file in order.
pub(super) trait Packets {
    /// The byte range of the next packet; `None` after the last.
    ///
    /// # Errors
    /// Returns the reason if the file is invalid.
    fn next(&mut self, bytes: &[u8]) -> Result<Option<Range<usize>>, String>;

    /// The properties that are known after the last packet.
    fn ending(&self) -> Ending {
        Ending::default()
    }
}

/// The properties of a file that are known after its last packet.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ending {
    /// The number of samples that the encoder added after the last one.
    pub(super) padding: u64,
    pub(super) warnings: Vec<String>,
}

impl Track {
    /// Reads the header of a WAV, FLAC or MP3 file, recognized by its content.
    ///
    /// # Errors
    /// Returns [`SignalError::NotAudio`] if the content is none of these, and
    /// [`SignalError::DamagedAudio`] if its header cannot be read or has a format that is not
    /// supported.
    pub(super) fn open(path: &Path, bytes: &[u8]) -> Result<Self, SignalError> {
        let start = id3::end_of_id3v2(bytes, 0);
        let content = &bytes[start..];
        let track = if riff::is_riff(content) {
            wav::open(bytes, start)
        } else if content.starts_with(b"fLaC") {
            flac::open(bytes, start)
        } else {
            match mp3::open(bytes, start) {
                Some(track) => track,
                None => {
                    return Err(SignalError::NotAudio { path: path.to_owned(), seen: seen(bytes) });
                }
            }
        };
        let damaged = |reason| SignalError::DamagedAudio { path: path.to_owned(), reason };
        let track = track.map_err(damaged)?;
        if track.rate == 0 {
            return Err(damaged("its sample rate is 0".into()));
        }
        if !(1..=MAX_CHANNELS).contains(&track.channels) {
            let found = track.channels;
            let reason = format!("it has {found} channels; expected 1 to {MAX_CHANNELS}");
            return Err(damaged(reason));
        }
        Ok(track)
    }
}
