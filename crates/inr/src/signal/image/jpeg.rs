//! Whether a JPEG file is all there: the decoder fills what is missing with gray and says nothing.

/// Whether the end-of-image marker follows the picture's data.
///
/// Segments with a length are skipped as a whole, since a thumbnail inside one has an end marker
/// of its own.
pub(super) fn reaches_its_end(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(start) = rest.iter().position(|&byte| byte == 0xFF) {
        let skipped = match rest[start..] {
            [_, 0xD9, ..] => return true,
            // A byte of padding before a marker.
            [_, 0xFF, ..] => 1,
            // A stuffed data byte; markers without a length (TEM, restarts, start of image).
            [_, 0x00 | 0x01 | 0xD0..=0xD8, ..] => 2,
            [_, _, high, low, ..] => 2 + usize::from(u16::from_be_bytes([high, low])),
            _ => return false,
        };
        rest = rest.get(start + skipped..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_marker_ends_the_picture() {
        // Start; a comment that holds an end marker; a scan with stuffing and a restart; end.
        let file = [
            0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 0xFF, 0xD9, 0xFF, 0xDA, 0, 2, 7, 0xFF, 0, 0xFF, 0xD0, 9,
            0xFF, 0xFF, 0xD9,
        ];
        assert!(reaches_its_end(&file));
        for length in 0..file.len() {
            assert!(!reaches_its_end(&file[..length]), "{length}");
        }
    }
}
