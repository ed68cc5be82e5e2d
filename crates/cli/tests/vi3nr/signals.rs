//! Images of every kind through the binary.

use std::fs;
use std::path::Path;

use crate::{SMALL_FIT, error, json, small_fit};

/// A gray 8-bit PNG with an alpha channel: one pixel, written by hand (stored deflate block).
fn transparent_pixel(path: &Path) {
    fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
        let crc = |bytes: &[u8]| {
            !bytes.iter().fold(u32::MAX, |crc, byte| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                    if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 }
                })
            })
        };
        let body = [kind, data].concat();
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(&body);
        out.extend(crc(&body).to_be_bytes());
    }
    let row = [0u8, 200, 100]; // no filter, gray 200, alpha 100
    let (mut a, mut b) = (1u32, 0u32);
    for byte in row {
        a += u32::from(byte);
        b += a;
    }
    let mut stream = vec![0x78, 0x01, 0x01, 3, 0, !3, 0xFF];
    stream.extend(row);
    stream.extend(((b << 16) | a).to_be_bytes());
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 4, 0, 0, 0]);
    chunk(&mut png, b"IDAT", &stream);
    chunk(&mut png, b"IEND", &[]);
    fs::write(path, png).unwrap();
}

#[test]
fn transparency_needs_a_decision() {
    let folder = tempfile::tempdir().unwrap();
    transparent_pixel(&folder.path().join("glass.png"));
    let message = error(folder.path(), 2, &["fit", "glass.png"]);
    assert!(message.contains("white or black (--alpha)"), "{message}");
    let fit =
        [&SMALL_FIT[..], &["glass.png", "--alpha", "white", "--out", "run", "--json"]].concat();
    json(folder.path(), &fit);
    let info = json(folder.path(), &["info", "run", "--json"]);
    assert_eq!(info["dims"], serde_json::json!([2, 16, 16, 1]));
    assert_eq!(info["settings"]["source"]["alpha"], "white");
}

#[test]
fn an_image_reduced_and_cropped() {
    let photo = vi3nr_test_data::image("leaves.png");
    let folder = tempfile::tempdir().unwrap();
    let photo = photo.to_str().unwrap();
    let report =
        small_fit(folder.path(), "run", &[photo, "--downscale", "3", "--crop", "64", "--gray"]);
    let info = json(folder.path(), &["info", "run", "--json"]);
    assert_eq!(info["signal"]["width"], 64);
    assert_eq!(info["signal"]["channels"], 1);
    assert_eq!(info["settings"]["source"]["file"], "leaves.png");
    // The original is prepared as it was for the fit.
    let eval = json(folder.path(), &["eval", "run", "--against", photo, "--json"]);
    assert!((eval["psnr"].as_f64().unwrap() - report["psnr"].as_f64().unwrap()).abs() < 1e-9);
    let message = error(folder.path(), 2, &["fit", photo, "--downscale", "3", "--crop", "65"]);
    assert!(message.contains("cannot cut 65x65 pixels"), "{message}");
}
