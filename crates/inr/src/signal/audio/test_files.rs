//! Small audio files for tests.

/// A WAV file of the given format number, channels and bits, whose samples have these bytes.
pub(in crate::signal) fn wav(format: u16, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    let mut chunk = Vec::new();
    chunk.extend(format.to_le_bytes());
    chunk.extend(channels.to_le_bytes());
    chunk.extend(8000u32.to_le_bytes());
    chunk.extend((8000 * u32::from(block)).to_le_bytes());
    chunk.extend(block.to_le_bytes());
    chunk.extend(bits.to_le_bytes());
    wav_of(b"RIFF", &[(b"fmt ", chunk.len() as u32, &chunk), (b"data", data.len() as u32, data)])
}

/// A RIFF file of chunks with the lengths that their headers announce.
pub(in crate::signal) fn wav_of(form: &[u8; 4], chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
    let mut bytes = [form.as_slice(), &[0; 4], b"WAVE"].concat();
    for (name, length, content) in chunks {
        bytes.extend(*name);
        bytes.extend(length.to_le_bytes());
        bytes.extend(*content);
    }
    let length = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// The example of RFC 9639, appendix D.1: one sample of two channels of 16 bits, 25,588 and 10,416.
pub(in crate::signal) const FLAC: [u8; 57] = [
    0x66, 0x4C, 0x61, 0x43, 0x80, 0x00, 0x00, 0x22, 0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x0F, 0x00,
    0x00, 0x0F, 0x0A, 0xC4, 0x42, 0xF0, 0x00, 0x00, 0x00, 0x01, 0x3E, 0x84, 0xB4, 0x18, 0x07, 0xDC,
    0x69, 0x03, 0x07, 0x58, 0x6A, 0x3D, 0xAD, 0x1A, 0x2E, 0x0F, 0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00,
    0xBF, 0x03, 0x58, 0xFD, 0x03, 0x12, 0x8B, 0xAA, 0x9A,
];

/// An MP3 file of the given number of silent frames, 128 kbit/s at 44.1 kHz, mono.
pub(in crate::signal) fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0; 417];
    frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0xC0]);
    frame.repeat(frames)
}
