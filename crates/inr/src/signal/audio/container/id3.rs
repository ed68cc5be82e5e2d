//! Tags that programs put before and after the audio of a file.

/// The position after the ID3v2 tags that begin at `start`; `start` if there are none.
pub(super) fn end_of_id3v2(bytes: &[u8], start: usize) -> usize {
    let mut position = start;
    while let Some([b'I', b'D', b'3', major, minor, flags, size @ ..]) =
        bytes.get(position..).and_then(|rest| rest.first_chunk::<10>())
    {
        // Each byte of the size has 7 bits.
        if *major == 0xFF || *minor == 0xFF || size.iter().any(|byte| *byte > 0x7F) {
            break;
        }
        let size = size.iter().fold(0, |size, byte| size << 7 | usize::from(*byte));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        position = position.saturating_add(10 + size + footer).min(bytes.len());
    }
    position
}

/// The length of the tag that begins at `position`, if it is one that ends a file or stands between
/// joined files: ID3v1, APEv2 and Lyrics3.
pub(super) fn tag_length(bytes: &[u8], position: usize) -> Option<usize> {
    let rest = bytes.get(position..)?;
    let length = if rest.starts_with(b"ID3") {
        end_of_id3v2(bytes, position) - position
    } else if rest.starts_with(b"TAG+") && rest.len() >= 227 {
        227
    } else if rest.starts_with(b"TAG") && rest.len() >= 128 {
        128
    } else if rest.starts_with(b"APETAGEX") && rest.len() >= 32 {
        // The size counts the items and the footer, not the header.
        let size = u32::from_le_bytes(*rest[12..].first_chunk()?) as usize;
        let is_header = rest[23] & 0x20 != 0;
        if is_header { size.checked_add(32)? } else { 32 }
    } else if rest.starts_with(b"LYRICSBEGIN") {
        let end =
            rest.windows(9).position(|window| window == b"LYRICS200" || window == b"LYRICSEND");
        end.map_or(rest.len(), |end| end + 9)
    } else {
        0
    };
    (length > 0).then_some(length.min(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_measured() {
        let id3 = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0; 130], b"fLaC"].concat();
        assert_eq!(end_of_id3v2(&id3, 0), 140);
        assert_eq!(end_of_id3v2(&id3, 140), 140);
        // A size beyond the end of the file.
        assert_eq!(end_of_id3v2(b"ID3\x04\0\0\x7F\x7F\x7F\x7F", 0), 10);
        assert_eq!(tag_length(&[b"TAG".as_slice(), &[0; 125]].concat(), 0), Some(128));
        assert_eq!(tag_length(b"TAG", 0), None);
        let ape =
            [b"APETAGEX\xD0\x07\0\0\x05\0\0\0".as_slice(), &[0; 7], &[0xA0], &[0; 50]].concat();
        assert_eq!(tag_length(&ape, 0), Some(37));
    }
}
