//! The format of the samples of a WAV file, from its `fmt ` chunk.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64BE,
    CODEC_ID_PCM_F64LE, CODEC_ID_PCM_MULAW, CODEC_ID_PCM_S16BE, CODEC_ID_PCM_S16LE,
    CODEC_ID_PCM_S24BE, CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S32BE, CODEC_ID_PCM_S32LE,
    CODEC_ID_PCM_U8,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

use super::riff::Form;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
/// The format is in a GUID at the end of the chunk.
const EXTENSIBLE: u16 = 0xFFFE;
/// All GUIDs of formats that have a number end like this.
const GUID_END: [u8; 12] = [0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

/// Formats that are not supported, and their names.
const NAMES: [(u16, &str); 16] = [
    (0x0002, "Microsoft ADPCM"),
    (0x0011, "IMA ADPCM"),
    (0x0022, "TrueSpeech"),
    (0x0031, "GSM 6.10"),
    (0x0040, "G.721 ADPCM"),
    (0x0042, "G.723.1"),
    (0x0045, "G.726 ADPCM"),
    (0x0050, "MPEG audio layer I or II"),
    (0x0055, "MP3 in WAV"),
    (0x0092, "AC-3"),
    (0x00FF, "AAC"),
    (0x0161, "Windows Media Audio"),
    (0x1610, "AAC"),
    (0x2000, "AC-3"),
    (0x674F, "Vorbis"),
    (0xF1AC, "FLAC in WAV"),
];

/// The format of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WavFormat {
    codec: AudioCodecId,
    pub(super) channels: usize,
    pub(super) rate: u32,
    /// The number of bytes of one sample of one channel.
    pub(super) width: usize,
    /// The number of bits of a sample that are used.
    pub(super) bits: u16,
}

impl WavFormat {
    /// Reads the content of a `fmt ` chunk.
    ///
    /// # Errors
    /// Returns the reason if the chunk is invalid, or the name of an unsupported format.
    pub(super) fn parse(chunk: &[u8], form: Form) -> Result<Self, String> {
        let short = |at: usize| -> Option<u16> {
            let pair = *chunk.get(at..)?.first_chunk()?;
            Some(if form == Form::Rifx {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            })
        };
        let long = |at: usize| -> Option<u32> {
            let four = *chunk.get(at..)?.first_chunk()?;
            Some(if form == Form::Rifx {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            })
        };
        let header = (|| Some((short(0)?, short(2)?, long(4)?, long(8)?, short(12)?)))();
        let Some((tag, channels, rate, byte_rate, block)) = header else {
            let found = chunk.len();
            return Err(format!("its 'fmt ' chunk has {found} bytes; expected at least 14"));
        };
        let tag = match tag {
            EXTENSIBLE => match (short(24), chunk.get(28..40)) {
                (Some(tag), Some(end)) if end == GUID_END => tag,
                _ => return Err("the GUID of its format is not known".into()),
            },
            tag => tag,
        };
        if !matches!(tag, PCM | FLOAT | A_LAW | MU_LAW) {
            let name = NAMES.iter().find(|(other, _)| *other == tag).map(|(_, name)| *name);
            let name = name.unwrap_or("in a format that is not known");
            return Err(format!(
                "its samples are {name} (format {tag:#06x}); expected integers, floats, A-law or \
                 µ-law"
            ));
        }
        let bits = match (tag, short(14).unwrap_or(0)) {
            (A_LAW | MU_LAW, 0) => 8,
            (FLOAT, 0) => 32,
            (_, bits) => bits,
        };
        let channels = usize::from(channels);
        let width = width(bits, channels, rate, byte_rate, block.into())?;
        let is_big = form == Form::Rifx;
        let codec = match (tag, width) {
            (PCM, 1) => CODEC_ID_PCM_U8,
            (PCM, 2) => {
                if is_big {
                    CODEC_ID_PCM_S16BE
                } else {
                    CODEC_ID_PCM_S16LE
                }
            }
            (PCM, 3) => {
                if is_big {
                    CODEC_ID_PCM_S24BE
                } else {
                    CODEC_ID_PCM_S24LE
                }
            }
            (PCM, 4) => {
                if is_big {
                    CODEC_ID_PCM_S32BE
                } else {
                    CODEC_ID_PCM_S32LE
                }
            }
            (FLOAT, 4) if bits == 32 => {
                if is_big {
                    CODEC_ID_PCM_F32BE
                } else {
                    CODEC_ID_PCM_F32LE
                }
            }
            (FLOAT, 8) if bits == 64 => {
                if is_big {
                    CODEC_ID_PCM_F64BE
                } else {
                    CODEC_ID_PCM_F64LE
                }
            }
            (A_LAW, 1) => CODEC_ID_PCM_ALAW,
            (MU_LAW, 1) => CODEC_ID_PCM_MULAW,
            _ => {
                let kind = match tag {
                    PCM => "integer",
                    FLOAT => "float",
                    _ => "logarithmic (G.711)",
                };
                return Err(format!("it has {kind} samples of {bits} bits in {width} bytes each"));
            }
        };
        Ok(Self { codec, channels, rate, width, bits })
    }

    /// The number of bytes of one sample of all channels.
    pub(super) fn block(&self) -> usize {
        self.width * self.channels
    }

    /// Whether samples are integers of fewer bits than their bytes have.
    pub(super) fn has_spare_byte(&self) -> bool {
        self.codec == CODEC_ID_PCM_S32LE && self.bits == 24
    }

    pub(super) fn parameters(&self) -> AudioCodecParameters {
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(self.codec)
            .with_sample_rate(self.rate)
            .with_channels(Channels::Discrete(self.channels as u16));
        parameters
    }
}

/// The number of bytes of one sample of one channel. Integers of fewer bits than their bytes have
/// are in the high bits, so that only the width matters.
fn width(
    bits: u16,
    channels: usize,
    rate: u32,
    byte_rate: u32,
    block: usize,
) -> Result<usize, String> {
    let least = usize::from(bits).div_ceil(8);
    if channels == 0 {
        return Err("it has 0 channels; expected at least 1".into());
    }
    if least == 0 {
        return Err("its samples have 0 bits; expected 1 to 32, or 64".into());
    }
    let fits = |block: usize| u64::from(byte_rate) == u64::from(rate) * block as u64;
    if block == least * channels || block == 0 {
        return Ok(least);
    }
    if block.is_multiple_of(channels) && block / channels > least && fits(block) {
        return Ok(block / channels);
    }
    // The other numbers agree, or the program did not multiply by the channels.
    if fits(least * channels) || block == least {
        return Ok(least);
    }
    Err(format!(
        "its header contradicts itself: {channels} channels of {bits} bits in blocks of {block} bytes"
    ))
}
