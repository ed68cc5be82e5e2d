//! The fingerprint of a signal depends on every value.

use vi3nr_inr::signal::Signal;
use vi3nr_inr::signal::image::Image;

/// Changes a single value, including the first and the last one.
#[test]
fn any_single_value_of_an_image_changes_its_fingerprint() {
    // More than the 2^18 points of version 1's checksum.
    let (width, height) = (600, 500);
    let values: Vec<f32> = (0..3 * width * height).map(|i| (i as f32).sin()).collect();
    let fingerprint =
        |values: Vec<f32>| Image::from_values(width, height, 3, values).unwrap().fingerprint();
    let own = fingerprint(values.clone());
    assert_eq!(own, fingerprint(values.clone()));
    for index in [0, 1, values.len() / 2, values.len() - 2, values.len() - 1] {
        let mut other = values.clone();
        other[index] += 1e-3;
        assert_ne!(own, fingerprint(other), "{index}");
    }
    // The fingerprint also depends on the size.
    let turned = Image::from_values(height, width, 3, values).unwrap();
    assert_ne!(own, turned.fingerprint());
}

#[cfg(feature = "audio")]
#[test]
fn any_single_sample_of_audio_changes_its_fingerprint() {
    use vi3nr_inr::signal::audio::{Audio, AudioInfo};

    let samples: Vec<f32> = (0..600_000).map(|i| 0.9 * (i as f32 * 0.01).sin()).collect();
    let fingerprint = |samples: Vec<f32>, rate| {
        let info = AudioInfo { rate, samples: 0, channels: 2, scale: 1.0, start: 0.0 };
        Audio::from_samples(samples, info, Some(1.0)).unwrap().fingerprint()
    };
    let own = fingerprint(samples.clone(), 8_000);
    assert_eq!(own, fingerprint(samples.clone(), 8_000));
    for index in [0, 1, samples.len() / 2, samples.len() - 2, samples.len() - 1] {
        let mut other = samples.clone();
        other[index] += 1e-3;
        assert_ne!(own, fingerprint(other, 8_000), "{index}");
    }
    assert_ne!(own, fingerprint(samples, 16_000));
}

#[cfg(feature = "shape")]
#[test]
fn any_single_vertex_of_a_shape_changes_its_fingerprint() {
    let fingerprint = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ply");
        std::fs::write(&path, text).unwrap();
        let signal = vi3nr_inr::signal::open(&path, &Default::default()).unwrap();
        signal.fingerprint()
    };
    let text = include_str!("fixtures/tetra.ply");
    let own = fingerprint(text);
    assert_eq!(own, fingerprint(text));
    for (vertex, moved) in [("0 0 0\n", "0 0 0.01\n"), ("0 0 1\n", "0 0 1.01\n")] {
        assert_ne!(own, fingerprint(&text.replacen(vertex, moved, 1)));
    }
    let open = text.replace("face 4", "face 3").replace("3 1 2 3\n", "");
    assert_ne!(own, fingerprint(&open));
}
