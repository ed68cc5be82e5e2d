//! The chunks of a PNG file, for what its decoder does not tell or gets wrong.

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunks<'a> {
    /// Bytes of compressed data.
    pub(super) data: u64,
    /// EXIF data, which may stand after the pixels.
    pub(super) exif: Option<&'a [u8]>,
    /// Whether the last chunk is there.
    pub(super) has_end: bool,
    /// The length of the chunks that are whole.
    pub(super) whole: usize,
}

/// Lists the chunks of a file.
///
/// # Errors
/// A palette that is not made of colors, which the decoder does not look at.
pub(super) fn chunks(bytes: &[u8]) -> Result<Chunks<'_>, String> {
    let mut found = Chunks { whole: 8, ..Chunks::default() };
    while let Some(header) = bytes.get(found.whole..).and_then(|rest| rest.first_chunk::<8>()) {
        let [a, b, c, d, name @ ..] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let start = found.whole + 8;
        let Some(content) = start.checked_add(length).and_then(|end| bytes.get(start..end)) else {
            break;
        };
        // Without the checksum of its last chunk a file is whole.
        let end = start + length + 4;
        if &name == b"IEND" {
            found.has_end = end <= bytes.len();
            break;
        }
        if end > bytes.len() {
            break;
        }
        match &name {
            b"IDAT" => found.data += length as u64,
            b"eXIf" => found.exif = Some(content),
            b"PLTE" if !length.is_multiple_of(3) => {
                return Err(format!("its palette has {length} bytes, which are not whole colors"));
            }
            _ => {}
        }
        found.whole = end;
    }
    Ok(found)
}
