//! FLAC files (RFC 9639): frames whose lengths are found by their checksums.

use std::ops::Range;

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_FLAC;

use super::flac_frame::{block_size, crc_16};
use super::{Ending, Packets, Track};

/// Bytes of the block that describes the stream.
const STREAM_INFO: usize = 34;

/// Reads the header of the FLAC file that begins at `start`.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn open(bytes: &[u8], start: usize) -> Result<Track, String> {
    let ends = || "it ends within its header".to_owned();
    let mut position = start + 4;
    let mut info: Option<&[u8]> = None;
    loop {
        let [kind, length @ ..] =
            *bytes.get(position..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(ends)?;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let content = bytes.get(position + 4..position + 4 + length).ok_or_else(ends)?;
        position += 4 + length;
        if kind & 0x7F == 0 && info.is_none() {
            info = Some(content);
        }
        if kind & 0x80 != 0 {
            break;
        }
    }
    let info = info.ok_or("it has no block that describes the stream (STREAMINFO)")?;
    if info.len() != STREAM_INFO {
        let found = info.len();
        return Err(format!("its STREAMINFO block has {found} bytes; expected {STREAM_INFO}"));
    }
    // 20 bits of the rate, 3 of the channels less one, 5 of the bits less one, 36 of the samples.
    let packed = u64::from_be_bytes([
        info[10], info[11], info[12], info[13], info[14], info[15], info[16], info[17],
    ]);
    let rate = (packed >> 44) as u32;
    let channels = (packed >> 41 & 7) as usize + 1;
    let samples = packed & ((1 << 36) - 1);
    let mut parameters = AudioCodecParameters::new();
    parameters
        .for_codec(CODEC_ID_FLAC)
        .with_sample_rate(rate)
        .with_channels(Channels::Discrete(channels as u16))
        .with_extra_data(info.into());
    Ok(Track {
        parameters,
        rate,
        channels,
        announced: (samples > 0).then_some(samples),
        delay: 0,
        gain: 1.0,
        packets: Box::new(Frames { position, announced: samples, found: 0, second: None }),
        warnings: Vec::new(),
    })
}

/// The frames of a file.
struct Frames {
    position: usize,
    /// Samples that the header announces; 0 if it does not say.
    announced: u64,
    /// Samples of the frames so far.
    found: u64,
    /// Where another stream begins.
    second: Option<usize>,
}

impl Packets for Frames {
    fn next(&mut self, bytes: &[u8]) -> Result<Option<Range<usize>>, String> {
        let start = self.position;
        if start >= bytes.len() {
            return Ok(None);
        }
        let is_complete = self.announced > 0 && self.found >= self.announced;
        let Some(samples) = block_size(&bytes[start..]) else {
            self.note_rest(bytes, start);
            // Without a number of samples, whatever is not a frame ends them.
            return match self.announced {
                announced if announced == 0 || is_complete => Ok(None),
                announced => Err(format!(
                    "byte {start} should begin a frame and does not, after {} of the {announced} \
                     samples that its header announces",
                    self.found
                )),
            };
        };
        self.found += samples;
        let is_last = self.announced > 0 && self.found >= self.announced;
        let may_end = is_last || self.announced == 0;
        let end = frame_end(bytes, start, may_end).ok_or_else(|| match self.announced {
            0 => format!("the frame at byte {start} is cut short or damaged (its checksum fails)"),
            announced => format!(
                "it ends after {} of the {announced} samples that its header announces: the frame \
                 at byte {start} is cut short or damaged (its checksum fails)",
                self.found - samples
            ),
        })?;
        self.position = end;
        if end == bytes.len() {
            self.note_rest(bytes, start);
        }
        Ok(Some(start..end))
    }

    fn ending(&self) -> Ending {
        let mut warnings = Vec::new();
        if self.announced > 0 && self.found > self.announced {
            warnings.push(format!(
                "its header announces {} samples, and its frames hold {}: all are read",
                self.announced, self.found
            ));
        }
        if let Some(place) = self.second {
            warnings.push(format!("another FLAC stream begins at byte {place} and is not read"));
        }
        Ending { padding: 0, warnings }
    }
}

impl Frames {
    /// Looks for another stream in what is not a frame, from `start` on.
    fn note_rest(&mut self, bytes: &[u8], start: usize) {
        // The first block, of 34 bytes, may be the only one, which its highest bit says.
        let is_stream = |window: &[u8]| {
            window.starts_with(b"fLaC") && window[4] & 0x7F == 0 && window[5..] == [0, 0, 0x22]
        };
        let found = bytes[start..].windows(8).position(is_stream);
        self.second = found.map(|offset| start + offset);
    }
}

/// The end of the frame that begins at `start`: where its checksum holds and another frame begins or the
/// file ends. If it may be the last one, other bytes may follow: it is then given with them, since the
/// decoder stops at its end, provided that its checksum holds somewhere.
fn frame_end(bytes: &[u8], start: usize, may_be_last: bool) -> Option<usize> {
    /// The shortest frame: a header of 6 bytes, a subframe of 2, the checksum.
    const MIN_LENGTH: usize = 10;
    let mut crc = 0;
    let mut has_end = false;
    for (offset, byte) in bytes[start..].iter().enumerate() {
        if crc == 0 && offset >= MIN_LENGTH {
            if block_size(&bytes[start + offset..]).is_some() {
                return Some(start + offset);
            }
            has_end = true;
        }
        crc = crc_16(crc, *byte);
    }
    (crc == 0 || (has_end && may_be_last)).then_some(bytes.len())
}
