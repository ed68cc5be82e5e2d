//! Audio files as other programs write them.

use std::path::Path;

use super::*;
use crate::signal::audio::test_files::{FLAC, mp3, wav, wav_of};

fn open(bytes: &[u8]) -> Result<Audio, String> {
    let options = AudioOptions { channels: ChannelRule::All, ..AudioOptions::default() };
    Audio::decode(Path::new("a"), bytes, &options).map_err(|error| error.to_string())
}

fn samples(bytes: &[u8]) -> Vec<f32> {
    open(bytes).unwrap().samples().collect()
}

fn warning(bytes: &[u8]) -> String {
    open(bytes).unwrap().warnings.join("; ")
}

/// The chunk of a format: number, channels, bytes of a block, bits, and what follows.
fn format(number: u16, channels: u16, block: u16, bits: u16, more: &[u8]) -> Vec<u8> {
    let mut chunk = wav(number, channels, bits, &[])[20..36].to_vec();
    chunk[8..12].copy_from_slice(&(8000 * u32::from(block)).to_le_bytes());
    chunk[12..14].copy_from_slice(&block.to_le_bytes());
    [&chunk, more].concat()
}

fn wav_with(format: &[u8], announced: u32, data: &[u8]) -> Vec<u8> {
    wav_of(b"RIFF", &[(b"fmt ", format.len() as u32, format), (b"data", announced, data)])
}

const DATA: [u8; 8] = [0, 0x40, 0, 0xC0, 0, 0x20, 0, 0x10];
const VALUES: [f32; 4] = [0.5, -0.5, 0.25, 0.125];

#[test]
fn lengths_that_programs_left_open_or_wrote_wrong_do_not_matter() {
    let plain = format(1, 1, 2, 16, &[]);
    let whole = wav_with(&plain, 8, &DATA);
    assert_eq!((samples(&whole), warning(&whole)), (VALUES.to_vec(), String::new()));
    for length in [0, 1, 36, 0x7FFF_FFFF, u32::MAX] {
        let mut file = whole.clone();
        file[4..8].copy_from_slice(&u32::to_le_bytes(length));
        assert_eq!(samples(&file), VALUES, "{length}");
    }
    for announced in [0, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        let file = wav_with(&plain, announced, &DATA);
        assert_eq!(samples(&file), VALUES, "{announced}");
        assert!(warning(&file).contains("open"), "{}", warning(&file));
    }
    assert!(open(&wav_with(&plain, 12, &DATA)).unwrap_err().contains("4 of the 6 samples"));
    let chunks: [(&[u8; 4], u32, &[u8]); 3] =
        [(b"fmt ", 16, &plain), (b"data", 0, &[]), (b"LIST", 4, b"INFO")];
    assert!(open(&wav_of(b"RIFF", &chunks)).unwrap_err().contains("0 samples"));
    let joined = [whole.clone(), whole].concat();
    assert_eq!(samples(&joined), VALUES);
    assert!(warning(&joined).contains("more samples follow at byte 52"), "{}", warning(&joined));
}

#[test]
fn formats_are_read_or_named() {
    let more = [2, 0, 0, 0];
    assert_eq!(samples(&wav_with(&format(1, 1, 2, 16, &more), 8, &DATA)), VALUES);
    let float: Vec<u8> = VALUES.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(samples(&wav_with(&format(3, 1, 4, 32, &more), 16, &float)), VALUES);
    for more in [&[][..], &more] {
        // The largest code of µ-law, and its negative.
        let found = samples(&wav_with(&format(7, 1, 1, 8, more), 2, &[0x80, 0x00]));
        assert_eq!(found, [32_124.0 / 32_768.0, -32_124.0 / 32_768.0]);
    }
    // 24 bits in 4 bytes, in the high bits as they should be, and in the low ones.
    let high: Vec<u8> = [1i32 << 30, -(1 << 29)].iter().flat_map(|x| x.to_le_bytes()).collect();
    let low: Vec<u8> =
        [(1i32 << 22) + 1, -(1 << 21)].iter().flat_map(|x| x.to_le_bytes()).collect();
    let spare = format(1, 1, 4, 24, &[]);
    assert_eq!(samples(&wav_with(&spare, 8, &high)), [0.5, -0.25]);
    let found = samples(&wav_with(&spare, 8, &low));
    assert!((found[0] - 0.5).abs() < 1e-6 && found[1] == -0.25, "{found:?}");
    // 64-bit sizes.
    let sizes = [[0u8; 8], 8u64.to_le_bytes(), [0; 8], [0; 8]].concat();
    let plain = format(1, 1, 2, 16, &[]);
    let file = wav_of(
        b"RF64",
        &[(b"ds64", 28, &sizes[..28]), (b"fmt ", 16, &plain), (b"data", u32::MAX, &DATA)],
    );
    assert_eq!((samples(&file), warning(&file)), (VALUES.to_vec(), String::new()));
    for (number, block, bits, text) in [
        (0x11, 1024, 4, "IMA ADPCM"),
        (0x55, 1, 0, "MP3 in WAV"),
        (2, 256, 4, "Microsoft ADPCM"),
        (1, 3, 16, "contradicts itself"),
        (1, 2, 0, "0 bits"),
        (3, 2, 16, "float samples of 16 bits"),
    ] {
        let mut format = format(number, 1, block, bits, &[]);
        if number == 1 {
            format[8] = 7;
        }
        let error = open(&wav_with(&format, 8, &DATA)).unwrap_err();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn what_follows_the_last_flac_frame_is_not_audio() {
    let expected = [25_588.0 / 32_768.0, 10_416.0 / 32_768.0];
    assert_eq!(samples(&FLAC), expected);
    let tag = [b"TAG".as_slice(), &[0; 125]].concat();
    for trailer in [&tag[..], b"\n", b"some text", &[0; 4096]] {
        assert_eq!(samples(&[&FLAC, trailer].concat()), expected);
    }
    let id3 = [b"ID3\x04\0\0\0\0\0\x05".as_slice(), &[0; 5], &FLAC].concat();
    assert_eq!(samples(&id3), expected);
    let joined = [FLAC, FLAC].concat();
    assert!(warning(&joined).contains("another FLAC stream"), "{}", warning(&joined));
    for length in 4..FLAC.len() {
        assert!(open(&FLAC[..length]).is_err(), "{length}");
    }
    let mut damaged = FLAC;
    damaged[50] ^= 4;
    assert!(open(&damaged).unwrap_err().contains("checksum"));
}

/// A frame of the length of [`mp3`]'s that counts `frames` and has LAME's delays.
fn header(frames: u32, delay: u32, padding: u32) -> Vec<u8> {
    let mut frame = mp3(1);
    frame[21..29].copy_from_slice(b"Xing\0\0\0\x01");
    frame[29..33].copy_from_slice(&frames.to_be_bytes());
    frame[33..37].copy_from_slice(b"LAME");
    frame[54..57].copy_from_slice(&(delay << 12 | padding).to_be_bytes()[1..]);
    frame
}

#[test]
fn all_frames_of_mp3_files_are_read() {
    assert_eq!(samples(&mp3(7)).len(), 7 * 1152);
    let counted = [header(7, 576, 1000), mp3(7)].concat();
    assert_eq!((samples(&counted).len(), warning(&counted)), (7 * 1152 - 1576, String::new()));
    // A header that counts nothing tells nothing about the end.
    let uncounted = [header(0, 576, 1000), mp3(7)].concat();
    assert_eq!(samples(&uncounted).len(), 7 * 1152 - 1105);
    let joined = [counted.clone(), counted.clone()].concat();
    assert_eq!(samples(&joined).len(), 14 * 1152 - 1105);
    assert!(warning(&joined).contains("second MP3 stream"), "{}", warning(&joined));
    let cut = &counted[..417 * 5];
    assert!(warning(cut).contains("announces 7 frames"), "{}", warning(cut));
    let tagged = [mp3(3), [b"TAG".as_slice(), &[0; 125]].concat()].concat();
    assert_eq!((samples(&tagged).len(), warning(&tagged)), (3 * 1152, String::new()));
    let torn = [mp3(3), b"garbage".to_vec(), mp3(2)].concat();
    assert!(warning(&torn).contains("7 bytes from byte 1251"), "{}", warning(&torn));
    assert!(warning(&mp3(3)[..1000]).contains("cut short"));
}

#[test]
fn channels_that_cancel_are_named() {
    let data: Vec<u8> = [100i16, -100, 3000, -3000].iter().flat_map(|x| x.to_le_bytes()).collect();
    let file = wav(1, 2, 16, &data);
    let mean = Audio::decode(Path::new("a"), &file, &AudioOptions::default()).unwrap();
    assert!(mean.warnings[0].contains("--channels 1"), "{:?}", mean.warnings);
    assert_eq!(warning(&file), "");
    let equal: Vec<u8> = [100i16, 100, 3000, 3000].iter().flat_map(|x| x.to_le_bytes()).collect();
    let mean = Audio::decode(Path::new("a"), &wav(1, 2, 16, &equal), &AudioOptions::default());
    assert!(mean.unwrap().warnings.is_empty());
}
