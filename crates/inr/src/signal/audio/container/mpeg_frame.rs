//! Headers of MPEG audio frames (ISO/IEC 11172-3 and 13818-3), layer III.

/// The bit rate in kilobits per second by the index in the header, for MPEG-1, and for MPEG-2 and
/// 2.5; 0 is unknown.
const BIT_RATES: [[u32; 16]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
];
/// The sample rate by the index in the header, for MPEG-1.
const RATES: [u32; 4] = [44_100, 48_000, 32_000, 0];

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// The size in bytes, including the header.
    pub(super) length: usize,
    /// Whether it is MPEG-1, with 1,152 samples; others have 576.
    is_mpeg_1: bool,
}

impl Frame {
    /// The frame of layer III at the start of these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let [0xFF, b, c, d] = *bytes.first_chunk()? else { return None };
        let (version, layer) = (b >> 3 & 3, b >> 1 & 3);
        if b >> 5 != 7 || version == 1 || layer != 1 {
            return None;
        }
        let is_mpeg_1 = version == 3;
        let bit_rate = 1000 * BIT_RATES[usize::from(!is_mpeg_1)][usize::from(c >> 4)];
        // MPEG-2 halves the rates, MPEG-2.5 halves them again.
        let rate = RATES[usize::from(c >> 2 & 3)] >> [2, 0, 1, 0][usize::from(version)];
        if bit_rate == 0 || rate == 0 {
            return None;
        }
        let factor = if is_mpeg_1 { 144 } else { 72 };
        let length = (factor * bit_rate / rate) as usize + usize::from(c >> 1 & 1);
        let channels = if d >> 6 == 3 { 1 } else { 2 };
        Some(Self { rate, channels, length, is_mpeg_1 })
    }

    /// The number of samples of each channel.
    pub(super) fn samples(self) -> u64 {
        if self.is_mpeg_1 { 1152 } else { 576 }
    }

    /// Whether another frame can belong to the same stream.
    pub(super) fn agrees(self, other: Self) -> bool {
        (self.rate, self.is_mpeg_1) == (other.rate, other.is_mpeg_1)
    }

    /// The offset of the stream information in a frame: after the header and the side information.
    fn info_offset(self) -> usize {
        match (self.is_mpeg_1, self.channels) {
            (true, 1) | (false, 2) => 21,
            (true, _) => 36,
            (false, _) => 13,
        }
    }
}

/// The stream information in a first frame without audio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StreamInfo {
    /// The number of frames of the stream without this one.
    pub(super) frames: Option<u64>,
    /// The number of samples that the encoder and the decoder added at the beginning.
    pub(super) delay: u64,
    /// The number of samples that the encoder added at the end, minus those of the decoder.
    pub(super) padding: u64,
}

/// The delay of a decoder in samples.
const DECODER_DELAY: u64 = 529;

impl StreamInfo {
    /// The information in the bytes of a frame, if it is such a frame: `Xing`, `Info` (with LAME's
    /// delays) or `VBRI`.
    pub(super) fn parse(frame: Frame, bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        if bytes.get(36..40) == Some(b"VBRI") {
            return Some(Self { frames: long(50).map(u64::from), ..Self::default() });
        }
        // A frame with a checksum has it between header and side information.
        let offset = frame.info_offset();
        let found = [offset, offset + 2]
            .into_iter()
            .find(|at| matches!(bytes.get(*at..*at + 4), Some(b"Xing" | b"Info")))?;
        let flags = long(found + 4)?;
        let mut position = found + 8;
        let mut info = Self::default();
        if flags & 1 != 0 {
            info.frames = long(position).map(u64::from);
            position += 4;
        }
        position += [(2, 4), (4, 100), (8, 4)]
            .into_iter()
            .map(|(flag, length)| if flags & flag != 0 { length } else { 0 })
            .sum::<usize>();
        // Encoders that write the delays write their name before them.
        let has_delays = matches!(bytes.get(position..position + 3), Some(b"LAM" | b"Lav"));
        if has_delays && let Some([a, b, c]) = bytes.get(position + 21..position + 24) {
            info.delay = (u64::from(*a) << 4 | u64::from(*b) >> 4) + DECODER_DELAY;
            info.padding = (u64::from(*b & 0xF) << 8 | u64::from(*c)).saturating_sub(DECODER_DELAY);
        }
        Some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_give_lengths() {
        let stereo = Frame::parse(&[0xFF, 0xFB, 0x90, 0x00]).unwrap();
        assert_eq!((stereo.rate, stereo.channels, stereo.length), (44_100, 2, 417));
        assert_eq!(Frame::parse(&[0xFF, 0xFB, 0x92, 0xC4]).unwrap().length, 418);
        // MPEG-2.5, 8 kbit/s at 8 kHz, mono.
        let small = Frame::parse(&[0xFF, 0xE3, 0x18, 0xC0]).unwrap();
        assert_eq!((small.rate, small.channels, small.length), (8000, 1, 72));
        assert_eq!(small.samples(), 576);
        // Layer II, a reserved version, a free bit rate, a reserved rate.
        for other in [
            [0xFF, 0xFD, 0x90, 0],
            [0xFF, 0xEB, 0x90, 0],
            [0xFF, 0xFB, 0, 0],
            [0xFF, 0xFB, 0x9C, 0],
        ] {
            assert_eq!(Frame::parse(&other), None, "{other:?}");
        }
    }
}
