//! Tests of opening image files, good and bad.

use std::fs;
use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tempfile::TempDir;

use super::*;
use crate::signal::image::{AlphaRule, BitDepth};

/// A folder with one file in it.
fn file(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn png(width: u32, height: u32, color: ExtendedColorType, samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(samples, width, height, color).unwrap();
    bytes
}

/// An RGB JPEG file of 16x8 pixels, red on the left and blue on the right.
fn jpeg_file() -> Vec<u8> {
    let pixels: Vec<u8> =
        (0..128).flat_map(|i| if i % 16 < 8 { [255, 0, 0] } else { [0, 0, 255] }).collect();
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
    encoder.write_image(&pixels, 16, 8, ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn error_of(path: &Path, options: ImageOptions) -> String {
    let error = Image::open(path, &options).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    error
}

const AS_IT_IS: ImageOptions =
    ImageOptions { downscale: 1, crop: None, gray: false, alpha: AlphaRule::Refuse };

/// Pillow 13.0: open, `resize((128, 96), LANCZOS)`, `crop((32, 16, 96, 80))`.
#[test]
fn an_image_is_reduced_as_pillow_does() {
    let path = vi3nr_test_data::image("hills.png");
    let options = ImageOptions { downscale: 2, crop: Some(64), ..AS_IT_IS };
    let image = Image::open(&path, &options).unwrap();
    assert_eq!((image.width(), image.height(), image.channels()), (64, 64, 3));
    assert_eq!(image.bit_depth(), BitDepth::Eight);
    assert!(image.values().iter().all(|value| (-1.0..=1.0).contains(value)));
    let levels: Vec<f64> =
        image.values().iter().map(|&value| (f64::from(value) + 1.0) * 127.5).collect();
    for (channel, expected) in [98.68310547, 129.71142578, 132.50146484].into_iter().enumerate() {
        let mean = levels.iter().skip(channel).step_by(3).sum::<f64>() / 4_096.0;
        assert!((mean - expected).abs() < 1e-5, "{mean} {expected}");
    }
    for (x, y, expected) in [
        (0, 0, [140, 169, 223]),
        (63, 0, [164, 187, 229]),
        (32, 20, [148, 172, 210]),
        (15, 50, [45, 76, 47]),
        (63, 63, [59, 90, 62]),
    ] {
        for (channel, level) in expected.into_iter().enumerate() {
            let seen = levels[(y * 64 + x) * 3 + channel];
            assert!((seen - f64::from(level)).abs() < 1e-4, "({x}, {y}): {seen} {level}");
        }
    }
    let gray = Image::open(&path, &ImageOptions { gray: true, ..options }).unwrap();
    let mean = gray.values().iter().map(|&value| (f64::from(value) + 1.0) * 127.5).sum::<f64>();
    assert!((mean / 4_096.0 - 120.74584961).abs() < 0.001, "{mean}");
}

#[test]
fn all_layouts_open() {
    let samples: Vec<u8> = (0..48).map(|i| i * 5).collect();
    for (color, channels, depth) in [
        (ExtendedColorType::L8, 1, BitDepth::Eight),
        (ExtendedColorType::Rgb8, 3, BitDepth::Eight),
        (ExtendedColorType::L16, 1, BitDepth::Sixteen),
        (ExtendedColorType::Rgb16, 3, BitDepth::Sixteen),
    ] {
        let length = 4 * usize::from(color.bits_per_pixel() / 8);
        let (_folder, path) = file("a.png", &png(2, 2, color, &samples[..length]));
        let image = Image::open(&path, &AS_IT_IS).unwrap();
        assert_eq!((image.width(), image.height()), (2, 2));
        assert_eq!((image.channels(), image.bit_depth()), (channels, depth));
    }
    // A 2-bit palette image of 2x1 pixels: red, then half-transparent green.
    let palette = [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01\x02\x03\0\0\0\x89L\x97\x19".as_slice(),
        b"\0\0\0\x06PLTE\xff\0\0\0\xff\0\xd2\x87\xefq",
        b"\0\0\0\x02tRNS\xff\x80\x08\x0f\xb3j",
        b"\0\0\0\rIDATx\x01\x01\x02\0\xfd\xff\0\x10\0\x12\0\x11\x1ft)D",
        b"\0\0\0\0IEND\xaeB`\x82",
    ];
    let (_folder, path) = file("a.png", &palette.concat());
    assert!(error_of(&path, AS_IT_IS).contains("white or black"));
    let options = ImageOptions { alpha: AlphaRule::Black, ..AS_IT_IS };
    let image = Image::open(&path, &options).unwrap();
    let green = (2.0 * 128.0 / 255.0 - 1.0f64) as f32;
    assert_eq!(*image.values(), [1.0, -1.0, -1.0, -1.0, green, -1.0]);
}

#[test]
fn transparency_needs_a_rule_and_opaque_alpha_does_not() {
    let opaque = png(2, 1, ExtendedColorType::Rgba8, &[9, 8, 7, 255, 6, 5, 4, 255]);
    let (_folder, path) = file("a.png", &opaque);
    let image = Image::open(&path, &AS_IT_IS).unwrap();
    assert_eq!(image.channels(), 3);

    let clear = png(2, 1, ExtendedColorType::La16, &[0, 0, 0, 0, 0, 0, 255, 255]);
    let (_folder, path) = file("a.png", &clear);
    let error = error_of(&path, AS_IT_IS);
    assert!(error.contains("transparent") && error.contains("white or black"), "{error}");
    let options = ImageOptions { alpha: AlphaRule::White, ..AS_IT_IS };
    assert_eq!(*Image::open(&path, &options).unwrap().values(), [1.0, -1.0]);
}

#[test]
fn the_content_decides_and_not_the_name() {
    let (_folder, path) = file("a.png", &jpeg_file());
    let image = Image::open(&path, &AS_IT_IS).unwrap();
    assert_eq!((image.width(), image.height(), image.channels()), (16, 8, 3));
    for (content, text) in [
        (b"hello".as_slice(), "it contains text"),
        (b"", "it is empty"),
        (b"GIF89a", "looks like Gif"),
        (b"\xF3\0\0\0", "not recognized"),
    ] {
        let (_folder, path) = file("a.png", content);
        let error = error_of(&path, AS_IT_IS);
        assert!(error.contains(text) && error.contains("expected a PNG or JPEG"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(error_of(folder.path(), AS_IT_IS).contains("directory"));
    assert!(error_of(&folder.path().join("absent.png"), AS_IT_IS).contains("No such file"));
}

#[test]
fn files_cut_short_are_refused() {
    let noise: Vec<u8> = (0..3 * 40 * 40u32)
        .map(|i| ((i.wrapping_mul(i).wrapping_mul(2_654_435)) >> 8) as u8)
        .collect();
    let image = png(40, 40, ExtendedColorType::Rgb8, &noise);
    for bytes in [image, jpeg_file()] {
        // The last 12 bytes of a PNG file only say that it ends.
        for length in (3..bytes.len() - 20).step_by(7).chain([bytes.len() / 2]) {
            let (_folder, path) = file("a", &bytes[..length]);
            error_of(&path, AS_IT_IS);
        }
    }
}

#[test]
fn damaged_files_never_panic() {
    let image = png(4, 3, ExtendedColorType::Rgb8, &[77; 36]);
    for bytes in [image, jpeg_file()] {
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 0x5A;
            let (_folder, path) = file("a", &bytes);
            let _ = Image::open(&path, &AS_IT_IS);
        }
    }
}

#[test]
fn decompression_bombs_are_refused() {
    let small = png(1, 1, ExtendedColorType::L8, &[0]);
    for (width, height) in [(40_000u32, 10u32), (30_000, 30_000), (0x7FFF_FFFF, 0x7FFF_FFFF)] {
        let mut bytes = small.clone();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let check = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&check.to_be_bytes());
        let (_folder, path) = file("a.png", &bytes);
        let error = error_of(&path, AS_IT_IS);
        assert!(error.contains("at most") || error.contains("limit"), "{error}");
    }
}

/// The checksum of PNG chunks, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

#[test]
fn exif_orientation_turns_the_image() {
    // A TIFF block with one entry, orientation 6: turn by 90 degrees clockwise.
    let exif = [
        b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01".as_slice(),
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
    ]
    .concat();
    let plain = jpeg_file();
    let turned = [&plain[..2], &exif, &plain[2..]].concat();
    let (_folder, path) = file("a.jpg", &turned);
    let image = Image::open(&path, &AS_IT_IS).unwrap();
    assert_eq!((image.width(), image.height()), (8, 16));
    // The left side, red, is now the top.
    let (first, last) = (&image.values()[..3], &image.values()[128 * 3 - 3..]);
    assert!(first[0] > 0.9 && first[2] < -0.9, "{first:?}");
    assert!(last[0] < -0.9 && last[2] > 0.9, "{last:?}");
}

#[test]
fn impossible_reductions_and_crops_are_refused() {
    let (_folder, path) = file("a.png", &png(9, 6, ExtendedColorType::L8, &[7; 54]));
    let options = |downscale, crop| ImageOptions { downscale, crop, ..AS_IT_IS };
    assert!(error_of(&path, options(0, None)).contains("from 1 to 6"));
    assert!(error_of(&path, options(7, None)).contains("9x6"));
    assert!(error_of(&path, options(1, Some(7))).contains("7x7 pixels"));
    assert!(error_of(&path, options(1, Some(0))).contains("0x0 pixels"));
    assert!(error_of(&path, options(4, Some(2))).contains("2x1 after the reduction by 4"));
    let image = Image::open(&path, &options(2, Some(3))).unwrap();
    assert_eq!((image.width(), image.height()), (3, 3));
}

/// The decoder's own panics on such files are caught.
#[test]
fn a_palette_that_is_shorter_than_its_indices_does_not_panic() {
    use png::{BitDepth as Bits, ColorType};

    for bits in [Bits::One, Bits::Two, Bits::Four, Bits::Eight] {
        for marked in [0, 1, 2] {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, 8, 4);
            encoder.set_color(ColorType::Indexed);
            encoder.set_depth(bits);
            encoder.set_palette(vec![200, 100, 50]);
            if marked > 0 {
                encoder.set_trns(vec![0; marked]);
            }
            let content = vec![0xFF; 4 * bits as usize];
            encoder.write_header().unwrap().write_image_data(&content).unwrap();
            let (_folder, path) = file("a.png", &bytes);
            match Image::open(&path, &ImageOptions { alpha: AlphaRule::White, ..AS_IT_IS }) {
                Ok(image) => assert_eq!(image.width(), 8),
                Err(error) => assert!(matches!(error, SignalError::Damaged { .. }), "{error}"),
            }
        }
    }
}

/// A JPEG file of a few hundred bytes that promises many pixels is refused before memory is taken.
#[test]
fn a_jpeg_that_cannot_hold_its_pixels_is_refused() {
    let mut bytes = jpeg_file();
    let frame = bytes.windows(2).position(|pair| pair == b"\xFF\xC0").unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0x20, 0, 0x20, 0]);
    let (_folder, path) = file("a.jpg", &bytes);
    let error = error_of(&path, AS_IT_IS);
    assert!(error.contains("damaged"), "{error}");
}
