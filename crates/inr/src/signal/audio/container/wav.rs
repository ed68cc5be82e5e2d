//! WAV files: RIFF, RIFX, RF64 and BW64.

use std::ops::Range;

use super::riff::{Chunk, chunks};
use super::wav_format::WavFormat;
use super::{Packets, Track};

/// Lengths from here on are those of programs that write into pipes and do not know the length: the
/// file, which is smaller than 1 GiB, cannot have them.
const OPEN: u64 = 0x7FFF_0000;
/// The number of blocks decoded at a time.
const PACKET: usize = 1 << 14;

/// Reads the header of the WAV file that starts at `start`.
///
/// # Errors
/// Returns the reason if the file is invalid.
pub(super) fn open(bytes: &[u8], start: usize) -> Result<Track, String> {
    let (form, chunks) = chunks(bytes, start);
    let find = |name: &[u8; 4]| chunks.iter().position(|chunk| &chunk.name == name);
    let Some(format) = find(b"fmt ") else {
        return Err("it ends within its header: it has no 'fmt ' chunk".into());
    };
    let content = &bytes[chunks[format].range(bytes)];
    let format = WavFormat::parse(content, form)?;
    let Some(data) = find(b"data") else {
        return Err("it ends within its header: it has no 'data' chunk".into());
    };
    let mut warnings = Vec::new();
    let block = format.block();
    let (range, announced) = match extent(&chunks[data], &chunks[data + 1..], bytes) {
        Some(announced) => (chunks[data].range(bytes), announced / block as u64),
        None => {
            let range = chunks[data].start..bytes.len();
            warnings.push(format!(
                "its header leaves the length of its samples open: the {} bytes to the end of the \
                 file are read",
                range.len()
            ));
            let whole = (range.len() / block) as u64;
            (range, whole)
        }
    };
    warnings.extend(rest(&chunks[data + 1..], bytes, range.end));
    let data = &bytes[range.clone()];
    let gain = if format.has_spare_byte() && is_right_justified(data) { 256.0 } else { 1.0 };
    Ok(Track {
        parameters: format.parameters(),
        rate: format.rate,
        channels: format.channels,
        announced: Some(announced),
        delay: 0,
        gain,
        packets: Box::new(Blocks { left: range, block }),
        warnings,
    })
}

/// A warning about the bytes after the samples, which are not read.
fn rest(later: &[Chunk], bytes: &[u8], end: usize) -> Option<String> {
    let is_another = |chunk: &&Chunk| matches!(&chunk.name, b"RIFF" | b"RIFX" | b"RF64" | b"data");
    if let Some(chunk) = later.iter().find(is_another) {
        return Some(format!("more samples follow at byte {}; they are not read", chunk.start - 8));
    }
    let is_chunk = |chunk: &Chunk| chunk.name.iter().all(|byte| (b' '..=b'~').contains(byte));
    let left = &bytes[end.min(bytes.len())..];
    let is_plain = later.iter().all(is_chunk) && (!later.is_empty() || left.len() < 8);
    (!is_plain && left.iter().any(|byte| *byte != 0))
        .then(|| format!("{} bytes follow the samples and are not read", left.len()))
}

/// The number of bytes of samples in the header; `None` if the header leaves it open.
fn extent(data: &Chunk, later: &[Chunk], bytes: &[u8]) -> Option<u64> {
    // A length of 0 is either true, and chunks follow up to the end of the file, or the program
    // meant to fill it in later.
    let is_followed = || match later.last() {
        Some(last) => last.start as u64 + last.announced <= bytes.len() as u64 + 1,
        None => bytes.len() <= data.start,
    };
    let is_known = match data.announced {
        0 => is_followed(),
        announced => announced < OPEN,
    };
    is_known.then_some(data.announced)
}

/// Whether all samples of 24 bits in 4 bytes, which should be in the high bits, are in the low
/// bits: the highest byte then repeats the sign, and the lowest byte is used.
fn is_right_justified(data: &[u8]) -> bool {
    let samples = || data.as_chunks::<4>().0.iter();
    samples().any(|sample| sample[0] != 0)
        && samples().all(|sample| sample[3] == if sample[2] & 0x80 == 0 { 0 } else { 0xFF })
}

/// Samples without compression.
struct Blocks {
    left: Range<usize>,
    block: usize,
}

impl Packets for Blocks {
    fn next(&mut self, _: &[u8]) -> Result<Option<Range<usize>>, String> {
        // An incomplete block at the end is not a sample.
        let blocks = (self.left.len() / self.block).min(PACKET);
        let packet = self.left.start..self.left.start + blocks * self.block;
        self.left.start = packet.end;
        Ok((blocks > 0).then_some(packet))
    }
}
