//! Files of every kind with bytes changed, cut out or repeated: each is read or refused, without a panic
//! and without control characters in the message.

use std::borrow::Cow;
use std::path::Path;

use image::{ExtendedColorType, ImageEncoder};
use vi3nr::rng::{Random, Stream};

use super::{SignalOptions, decode};

/// Changed files of each kind.
const MUTATIONS: u64 = 1500;

/// A small file of each kind.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let noise: Vec<u8> = (0..24 * 16 * 3u32)
        .map(|i| ((i.wrapping_mul(i).wrapping_mul(2_654_435)) >> 8) as u8)
        .collect();
    let (mut png, mut jpeg) = (Vec::new(), Vec::new());
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(&noise, 24, 16, ExtendedColorType::Rgb8)
        .unwrap();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 70)
        .write_image(&noise, 24, 16, ExtendedColorType::Rgb8)
        .unwrap();
    let wav = super::audio::test_files::wav(1, 2, 16, &noise);
    let ply = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\n\
        property float z\nelement face 4\nproperty list uchar int vertex_indices\nend_header\n\
        0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n";
    let obj =
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nv .2 .2 0\nf 1 3 5 2\nf 1 2 4\nf 1//1 4 -3\nf 2 3 4\n";
    let stl = "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n\
        endloop\nendfacet\nendsolid a\n";
    let mut binary = vec![0; 84];
    binary[80] = 2;
    binary.extend(noise.iter().take(100).map(|byte| byte & 0x3F));
    let xyz = "x,y,z,nx,ny,nz\n0,0,1,0,0,1\n0 1 0 0 1 0\n1;0;0;1;0;0\n0 0 -1 0 0 -1\n";
    vec![
        ("a.png", png),
        ("a.jpg", jpeg),
        ("a.wav", wav),
        ("a.flac", super::audio::test_files::FLAC.to_vec()),
        ("a.mp3", super::audio::test_files::mp3(4)),
        ("a.ply", ply.into()),
        ("a.obj", obj.into()),
        ("a.stl", stl.into()),
        ("b.stl", binary),
        ("a.xyz", xyz.into()),
    ]
}

fn mutated(bytes: &[u8], random: &Random, number: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let draw = |i: u64, below: usize| random.below(16 * number + i, below.max(1) as u64) as usize;
    for change in 0..1 + draw(0, 4) as u64 {
        let at = draw(3 * change + 1, bytes.len());
        let length = 1 + draw(3 * change + 2, 9).min(bytes.len() - at - 1);
        let value = draw(3 * change + 3, 1 << 12);
        match value & 7 {
            _ if bytes.len() < 2 => {}
            0..=3 => bytes[at] ^= 1 << (value >> 3 & 7),
            4 => bytes[at] = [0, 0x7F, 0x80, 0xFF, 0x1B][(value >> 3) % 5],
            5 => drop(bytes.drain(at..at + length)),
            6 => {
                let part = bytes[at..at + length].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.truncate(at.max(bytes.len() / 2)),
        }
    }
    bytes
}

#[test]
fn changed_files_are_read_or_refused() {
    let options = SignalOptions::default();
    for (name, whole) in files() {
        let random = Random::new(7, Stream::SAMPLES, whole.len() as u32);
        decode(Path::new(name), Cow::Borrowed(&whole), &options)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut refused = 0;
        for number in 0..MUTATIONS {
            let bytes = mutated(&whole, &random, number);
            if let Err(error) = decode(Path::new(name), Cow::Owned(bytes), &options) {
                let text = error.to_string();
                assert!(!text.contains(char::is_control) && text.len() < 1000, "{name}: {text:?}");
                refused += 1;
            }
        }
        assert!(refused > 0, "{name}: nothing was refused");
    }
}
