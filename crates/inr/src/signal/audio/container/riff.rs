//! RIFF files as lists of chunks.

use std::ops::Range;

/// The byte order and the width of sizes of a RIFF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Little-endian.
    Riff,
    /// Big-endian.
    Rifx,
    /// Little-endian, with 64-bit sizes in a chunk of their own. RF64 and BW64 are the same.
    Rf64,
}

/// A chunk: its name and where its content lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chunk {
    pub(super) name: [u8; 4],
    pub(super) start: usize,
    /// The length in bytes that its header announces; the file may end before.
    pub(super) announced: u64,
}

impl Chunk {
    /// The bytes that are there.
    pub(super) fn range(&self, bytes: &[u8]) -> Range<usize> {
        let left = bytes.len() - self.start;
        self.start..self.start + usize::try_from(self.announced).map_or(left, |n| n.min(left))
    }
}

/// Whether content begins like a WAV file.
pub(super) fn is_riff(bytes: &[u8]) -> bool {
    matches!(bytes.get(..4), Some(b"RIFF" | b"RIFX" | b"RF64" | b"BW64"))
        && bytes.get(8..12) == Some(b"WAVE")
}

/// The form and the chunks of the RIFF file that begins at `start`. The length of the whole is not
/// looked at: many programs write a wrong one.
pub(super) fn chunks(bytes: &[u8], start: usize) -> (Form, Vec<Chunk>) {
    let form = match &bytes[start..start + 4] {
        b"RIFX" => Form::Rifx,
        b"RF64" | b"BW64" => Form::Rf64,
        _ => Form::Riff,
    };
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut position = start + 12;
    while let Some(header) = bytes.get(position..).and_then(|rest| rest.first_chunk::<8>()) {
        let [a, b, c, d, size @ ..] = *header;
        let size = match form {
            Form::Rifx => u32::from_be_bytes(size),
            _ => u32::from_le_bytes(size),
        };
        let mut chunk = Chunk { name: [a, b, c, d], start: position + 8, announced: size.into() };
        if form == Form::Rf64 && size == u32::MAX && &chunk.name == b"data" {
            chunk.announced = data_size(bytes, &chunks).unwrap_or(u64::from(u32::MAX));
        }
        let end = chunk.range(bytes).end;
        let is_odd = chunk.announced % 2 == 1;
        chunks.push(chunk);
        // Some programs forget the byte that makes the length even.
        let is_padded = !begins_chunk(bytes, end) || begins_chunk(bytes, end + 1);
        position = if is_odd && is_padded { end + 1 } else { end };
    }
    (form, chunks)
}

/// The length of the data in bytes, from the chunk with 64-bit sizes.
fn data_size(bytes: &[u8], chunks: &[Chunk]) -> Option<u64> {
    let sizes = chunks.iter().find(|chunk| &chunk.name == b"ds64")?;
    Some(u64::from_le_bytes(*bytes[sizes.range(bytes)].get(8..)?.first_chunk()?))
}

fn begins_chunk(bytes: &[u8], position: usize) -> bool {
    let name = bytes.get(position..).and_then(|rest| rest.first_chunk::<4>());
    name.is_some_and(|name| name.iter().all(|byte| (b' '..=b'~').contains(byte)))
}
