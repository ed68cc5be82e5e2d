//! Headers and checksums of FLAC frames (RFC 9639, 9.1 and 9.3).

/// The remainders of the checksum of headers, x⁸ + x² + x + 1.
const CRC_8: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x80 != 0 { crc << 1 ^ 0x07 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The remainders of the checksum of frames, x¹⁶ + x¹⁵ + x² + 1.
const CRC_16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x8005 } else { crc << 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The checksum of a frame after one more byte; 0 after a whole frame, its own checksum included.
pub(super) fn crc_16(crc: u16, byte: u8) -> u16 {
    crc << 8 ^ CRC_16[usize::from((crc >> 8) as u8 ^ byte)]
}

/// Samples of each channel of the frame that begins with these bytes; none if they are not the header
/// of a frame.
pub(super) fn block_size(bytes: &[u8]) -> Option<u64> {
    let [0xFF, sync, sizes, channels] = *bytes.first_chunk()? else { return None };
    let (size, rate) = (sizes >> 4, sizes & 0xF);
    if sync & 0xFE != 0xF8 || size == 0 || rate == 0xF || channels & 1 != 0 || channels >> 4 > 10 {
        return None;
    }
    // The number of the frame or sample, as long as its first byte has ones.
    let ones = bytes.get(4)?.leading_ones() as usize;
    let number = match ones {
        0 => 1,
        2..=7 => ones,
        _ => return None,
    };
    let mut position = 4 + number;
    let block_size = match size {
        1 => 192,
        2..=5 => 144 << size,
        6 => u64::from(*bytes.get(position)?) + 1,
        7 => u64::from(u16::from_be_bytes(*bytes.get(position..)?.first_chunk()?)) + 1,
        _ => 1 << size,
    };
    position += match size {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    position += match rate {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let crc = bytes.get(..position)?.iter().fold(0, |crc, byte| CRC_8[usize::from(crc ^ byte)]);
    (crc == *bytes.get(position)?).then_some(block_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9639, appendix D.1: one sample of two channels.
    #[test]
    fn the_frame_of_the_specification_is_read() {
        let frame = [
            0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00, 0xBF, 0x03, 0x58, 0xFD, 0x03, 0x12, 0x8B, 0xAA,
            0x9A,
        ];
        assert_eq!(block_size(&frame), Some(1));
        assert_eq!(frame.into_iter().fold(0, crc_16), 0);
        let mut other = frame;
        other[5] = 1;
        assert_eq!(block_size(&other), None);
        assert_ne!(other.into_iter().fold(0, crc_16), 0);
    }
}
