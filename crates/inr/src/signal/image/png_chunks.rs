//! The chunks of a PNG file, for properties that the decoder does not report correctly.

/// The relevant contents of the chunks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunks<'a> {
    /// The number of bytes of compressed data.
    pub(super) data: u64,
    /// The EXIF data, which may follow the pixels.
    pub(super) exif: Option<&'a [u8]>,
    /// Whether the last chunk is present.
    pub(super) has_end: bool,
    /// The length of the complete chunks.
    pub(super) whole: usize,
}

/// Lists the chunks of a file.
///
/// # Errors
/// Returns an error if the palette is not a list of colors, which the decoder does not check.
pub(super) fn chunks(bytes: &[u8]) -> Result<Chunks<'_>, String> {
    let mut found = Chunks { whole: 8, ..Chunks::default() };
    while let Some(header) = bytes.get(found.whole..).and_then(|rest| rest.first_chunk::<8>()) {
        let [a, b, c, d, name @ ..] = *header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let start = found.whole + 8;
        let Some(content) = start.checked_add(length).and_then(|end| bytes.get(start..end)) else {
            break;
        };
        // A file without the checksum of its last chunk is complete.
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
