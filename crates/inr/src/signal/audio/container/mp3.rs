//! MP3 files: a sequence of frames without a count.

use std::ops::Range;

use symphonia::core::audio::{Channels, Position};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;

use super::id3::tag_length;
use super::mpeg_frame::{Frame, StreamInfo};
use super::{Ending, Packets, Track};

/// The maximum number of bytes before the first frame.
const MAX_LEAD: usize = 1 << 16;

/// Finds the first frame after `start`; `None` if there are no frames.
pub(super) fn open(bytes: &[u8], start: usize) -> Option<Result<Track, String>> {
    let first = first_frame(bytes, start)?;
    let frame = Frame::parse(&bytes[first..])?;
    let end = (first + frame.length).min(bytes.len());
    let info = StreamInfo::parse(frame, &bytes[first..end]);
    let channels = match frame.channels {
        1 => Channels::Positioned(Position::FRONT_LEFT),
        _ => Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT),
    };
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(CODEC_ID_MP3).with_sample_rate(frame.rate).with_channels(channels);
    let position = if info.is_some() { end } else { first };
    let info = info.unwrap_or_default();
    Some(Ok(Track {
        parameters,
        rate: frame.rate,
        channels: frame.channels,
        announced: None,
        delay: info.delay,
        gain: 1.0,
        packets: Box::new(Frames { position, stream: frame, info, frames: 0, end: End::default() }),
        warnings: Vec::new(),
    }))
}

/// The position of the first frame: one that is followed by another, or that ends the file.
fn first_frame(bytes: &[u8], start: usize) -> Option<usize> {
    (start..bytes.len().min(start + MAX_LEAD)).find(|position| {
        let Some(frame) = Frame::parse(&bytes[*position..]) else { return false };
        let next = position + frame.length;
        // In a file of one frame, only the position identifies the frame.
        let is_alone = *position == start && next >= bytes.len();
        is_alone || follows(bytes, next, frame)
    })
}

/// Whether a frame of the same stream, a tag or the end of the file is at `position`.
fn follows(bytes: &[u8], position: usize, stream: Frame) -> bool {
    position == bytes.len()
        || tag_length(bytes, position).is_some()
        || bytes.get(position..).and_then(Frame::parse).is_some_and(|frame| frame.agrees(stream))
}

/// The frames of a stream.
struct Frames {
    position: usize,
    /// The first frame.
    stream: Frame,
    info: StreamInfo,
    /// The number of frames found so far.
    frames: u64,
    end: End,
}

/// The contents beside the frames.
#[derive(Default)]
struct End {
    /// The number of bytes that are neither frames nor tags, and the position of the first of them.
    skipped: usize,
    first_skipped: usize,
    /// The number of frames before another stream begins.
    joined: Option<u64>,
    is_cut: bool,
}

impl Packets for Frames {
    fn next(&mut self, bytes: &[u8]) -> Result<Option<Range<usize>>, String> {
        while self.position < bytes.len() {
            let position = self.position;
            match Frame::parse(&bytes[position..]) {
                Some(frame) if frame.agrees(self.stream) => {
                    let end = position + frame.length;
                    if end > bytes.len() {
                        self.end.is_cut = true;
                        return Ok(None);
                    }
                    self.position = end;
                    if StreamInfo::parse(frame, &bytes[position..end]).is_some() {
                        self.end.joined.get_or_insert(self.frames);
                        continue;
                    }
                    if frame.channels != self.stream.channels {
                        return Err(format!(
                            "its number of channels changes from {} to {} at byte {position}",
                            self.stream.channels, frame.channels
                        ));
                    }
                    self.frames += 1;
                    return Ok(Some(position..end));
                }
                Some(frame) if follows(bytes, position + frame.length, frame) => {
                    return Err(format!(
                        "its sample rate changes from {} Hz to {} Hz at byte {position}",
                        self.stream.rate, frame.rate
                    ));
                }
                _ => self.skip(bytes),
            }
        }
        Ok(None)
    }

    fn ending(&self) -> Ending {
        let samples = self.stream.samples();
        let seconds = |frames: u64| (frames * samples) as f64 / f64::from(self.stream.rate);
        let mut warnings = Vec::new();
        if let Some(frames) = self.end.joined {
            warnings.push(format!(
                "a second MP3 stream begins at {:.3} s: both are read, with the silence that the \
                 encoder put between them",
                seconds(frames)
            ));
        } else if let Some(announced) = self.info.frames
            && announced > self.frames
        {
            warnings.push(format!(
                "its header announces {announced} frames ({:.3} s), and it has {}: it may have \
                 been cut",
                seconds(announced),
                self.frames
            ));
        }
        if self.end.skipped > 0 {
            warnings.push(format!(
                "{} bytes from byte {} on are no MP3 frames and were skipped",
                self.end.skipped, self.end.first_skipped
            ));
        }
        if self.end.is_cut {
            warnings.push("its last frame is cut short and was left out".into());
        }
        let is_whole = self.info.frames == Some(self.frames);
        Ending { padding: if is_whole { self.info.padding } else { 0 }, warnings }
    }
}

impl Frames {
    /// Skips a tag, zeros, or unknown bytes.
    fn skip(&mut self, bytes: &[u8]) {
        let start = self.position;
        if let Some(length) = tag_length(bytes, start) {
            self.position += length;
            return;
        }
        let zeros = bytes[start..].iter().take_while(|byte| **byte == 0).count();
        self.position += zeros.max(1);
        if zeros == 0 {
            if self.end.skipped == 0 {
                self.end.first_skipped = start;
            }
            self.end.skipped += 1;
        }
    }
}
