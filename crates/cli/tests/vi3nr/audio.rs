//! Audio through the binary: every format, every command, bad files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::sound_files::{Format, flac, mp3, riff, tone, wav};
use crate::{error, json, small_fit, texts, vi3nr};

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
}

/// What `info` says of the signal after a fit of one step.
fn signal(folder: &Path, arguments: &[&str]) -> Value {
    let steps = ["--steps", "1"];
    small_fit(folder, "run", &[&steps[..], arguments].concat());
    let mut info = json(folder, &["info", "run", "--json"]);
    let mut signal = info["signal"].take();
    signal["input_scale"] = info["input_scale"].take();
    signal
}

fn near(value: &Value, expected: f64, tolerance: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected}");
}

#[test]
fn audio_is_fitted_decoded_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "tone.wav", &wav(Format::Whole(16), 1, 8000, &tone(2000, 1)));
    let report = small_fit(
        folder,
        "run",
        &["tone.wav", "--steps", "300", "--batch", "500", "--input-scale", "5"],
    );
    let number = |report: &Value, key: &str| report[key].as_f64().unwrap();
    assert!(number(&report, "snr") > 15.0, "{report}");
    assert_eq!(report["mse"], report["loss"]);
    let mut names: Vec<_> = fs::read_dir(folder.join("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "metrics.csv",
        "model.safetensors",
        "reconstruction.wav",
        "run.json",
        "waveform.png",
        "waveform.svg",
    ];
    assert_eq!(names, expected);
    let metrics = fs::read_to_string(folder.join("run/metrics.csv")).unwrap();
    assert!(metrics.starts_with("step,loss,snr,learning_rate,seconds\n"), "{metrics}");

    let eval = json(folder, &["eval", "run", "tone.wav", "--json"]);
    let mut keys: Vec<_> = eval.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["bits_per_sample", "mse", "parameters", "snr", "spectral_convergence"]);
    for key in keys {
        assert!((number(&eval, key) - number(&report, key)).abs() < 1e-9, "{key}");
    }
    assert_eq!(eval, json(folder, &["eval", "run", "--against", "tone.wav", "--json"]));

    // The decoded file has the amplitude and the rate of the original, and is what the model says.
    let decode = |arguments: &[&str]| {
        json(folder, &[&["decode", "run", "--json", "--out", "out.wav"], arguments].concat())
    };
    let decoded = decode(&["--sample-format", "float"]);
    let expected = serde_json::json!(
        {"file": "out.wav", "samples": 2000, "channels": 1, "rate": 8000, "clipped": 0}
    );
    assert_eq!(decoded, expected);
    let own = json(folder, &["eval", "run", "out.wav", "--json"]);
    assert!(number(&own, "mse") < 1e-12, "{own}");
    // The peak after a fit: near 0.5, where the original's is.
    let peak = signal(folder, &["out.wav", "--out", "peak"]);
    assert!(peak.is_object());
    decode(&[]);
    let sixteen = small_fit(folder, "again", &["out.wav", "--steps", "1"]);
    assert!(sixteen["mse"].is_number());
    near(&json(folder, &["info", "again", "--json"])["signal"]["scale"], 0.5, 0.1);
    // Twice the rate: twice as many moments but for the one after the last.
    assert_eq!(decode(&["--rate", "16000"])["samples"], 3999);
    assert_eq!(decode(&["--rate", "4000"])["samples"], 1000);
}

#[test]
fn every_sample_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for format in [8, 16, 24, 32].map(Format::Whole).into_iter().chain([32, 64].map(Format::Float))
    {
        write(folder, "a.wav", &wav(format, 1, 11_025, &tone(400, 1)));
        let signal = signal(folder, &["a.wav"]);
        assert_eq!((&signal["kind"], &signal["rate"]), (&"audio".into(), &11_025.into()));
        assert_eq!((&signal["samples"], &signal["channels"]), (&400.into(), &1.into()));
        // 8 bits know multiples of 1/128 only.
        near(&signal["scale"], 0.5, 0.01);
        assert_eq!(signal["input_scale"], 100.0);
    }
    let mut samples = [0i16; 192];
    samples[7] = -16_384;
    write(folder, "a.flac", &flac(32_000, &samples));
    let found = signal(folder, &["a.flac"]);
    assert_eq!((&found["rate"], &found["samples"]), (&32_000.into(), &192.into()));
    assert_eq!(found["scale"], 0.5);
    write(folder, "a.mp3", &mp3(4));
    let found = signal(folder, &["a.mp3"]);
    assert_eq!(found["rate"], 44_100);
    assert!((1152..=4608).contains(&found["samples"].as_u64().unwrap()), "{found}");
    assert_eq!(found["scale"], 1.0);
}

/// `tone.mp3` is 2,000 samples of [`tone`] at 8 kHz from an encoder that notes its delay (LAME 3.100, 24
/// kbit/s): what a network learns of the WAV file is what the MP3 file holds, sample for sample.
#[test]
fn an_mp3_file_is_read_without_the_encoders_delay() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "tone.wav", &wav(Format::Whole(16), 1, 8000, &tone(2000, 1)));
    write(folder, "tone.mp3", include_bytes!("tone.mp3"));
    let network = ["fit", "tone.wav", "--width", "32", "--layers", "3", "--input-scale", "10"];
    let training = ["--steps", "400", "--lr", "3e-3", "--json", "--overwrite", "--out", "run"];
    let report = json(folder, &[&network[..], &training].concat());
    assert!(report["snr"].as_f64().unwrap() > 30.0, "{report}");
    let metrics = json(folder, &["eval", "run", "tone.mp3", "--json"]);
    assert!(metrics["snr"].as_f64().unwrap() > 20.0, "{metrics}");
}

#[test]
fn channels_and_parts_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The second channel is half as loud: 0.5, 0.25, and 0.375 together.
    write(folder, "stereo.wav", &wav(Format::Whole(24), 2, 8000, &tone(1000, 2)));
    for (channels, count, scale) in
        [("mean", 1, 0.375), ("all", 2, 0.5), ("1", 1, 0.5), ("2", 1, 0.25)]
    {
        let found = signal(folder, &["stereo.wav", "--channels", channels]);
        assert_eq!(found["channels"], count, "{channels}");
        near(&found["scale"], scale, 1e-3);
        // The original is prepared as it was, and a decoded model taken as it is.
        let eval = json(folder, &["eval", "run", "stereo.wav", "--json"]);
        assert!(eval["mse"].is_number());
        json(folder, &["decode", "run", "--out", "own.wav", "--sample-format", "float", "--json"]);
        let own = json(folder, &["eval", "run", "own.wav", "--json"]);
        assert!(own["mse"].as_f64().unwrap() < 1e-10, "{channels}: {own}");
    }
    let message = error(folder, 2, &["fit", "stereo.wav", "--channels", "3"]);
    assert!(message.contains("it has 2 channels; expected one of them, not 3"), "{message}");

    let part = ["stereo.wav", "--start", "0.025", "--duration", "0.05"];
    let found = signal(folder, &part);
    assert_eq!((&found["samples"], &found["start"]), (&400.into(), &0.025.into()));
    json(folder, &["eval", "run", "stereo.wav", "--json"]);
    let message = error(folder, 2, &["eval", "run", "stereo.wav", "--start", "0", "--json"]);
    assert!(message.contains("the model is of 400 samples"), "{message}");
    let found = signal(folder, &["stereo.wav", "--start", "0.1", "--duration", "9"]);
    assert_eq!(found["samples"], 200);
    let message = error(folder, 2, &["fit", "stereo.wav", "--start", "1"]);
    assert!(message.contains("it ends after 0.125 s"), "{message}");
    let found = signal(folder, &["stereo.wav", "--input-scale", "3", "--activation", "gaussian"]);
    assert_eq!(found["input_scale"], 3.0);
    assert_eq!(signal(folder, &["stereo.wav", "--activation", "gaussian"])["input_scale"], 1.0);
}

#[test]
fn silence_and_a_single_sample_are_signals_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "silence.wav", &wav(Format::Whole(16), 1, 8000, &[0.0; 500]));
    assert_eq!(signal(folder, &["silence.wav"])["scale"], 1.0);
    let eval = json(folder, &["eval", "run", "silence.wav", "--json"]);
    // Nothing to compare the error with.
    assert!(eval["mse"].as_f64().unwrap() > 0.0 && eval["snr"].is_null(), "{eval}");

    write(folder, "one.wav", &wav(Format::Float(32), 1, 8000, &[-0.25]));
    let found = signal(folder, &["one.wav", "--steps", "50"]);
    assert_eq!((&found["samples"], &found["scale"]), (&1.into(), &0.25.into()));
    let decoded = json(folder, &["decode", "run", "--out", "out.wav", "--rate", "48000", "--json"]);
    assert_eq!(decoded["samples"], 1);
}

#[test]
fn files_that_are_not_audio_or_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = wav(Format::Whole(16), 1, 8000, &tone(100, 1));
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let claims = |data: u32, all: u32| {
        let mut file = changed(40, &data.to_le_bytes());
        file[4..8].copy_from_slice(&all.to_le_bytes());
        file
    };
    let with = |value: f64| {
        let mut samples = tone(100, 1);
        samples[41] = value;
        wav(Format::Float(32), 1, 8000, &samples)
    };
    let mut short_flac = flac(8000, &[5; 192]);
    short_flac.truncate(200);
    for (file, name, expected) in [
        (b"this is not audio".to_vec(), "a.wav", "is not an audio file: it contains text"),
        (vec![], "a.mp3", "is not an audio file: it is empty (0 bytes)"),
        (vec![0, 1, 2, 3], "a.flac", "is not an audio file: its content is not recognized"),
        (b"any text".to_vec(), "a.txt", "is not a signal of a known kind: it contains text"),
        (wav(Format::Whole(16), 1, 8000, &[]), "a.wav", "it has 0 samples"),
        (whole[..144].to_vec(), "a.wav", "ends after 50 of the 100 samples"),
        (whole[..30].to_vec(), "a.wav", "damaged or unsupported audio file"),
        (whole[..12].to_vec(), "a.wav", "damaged or unsupported audio file"),
        (short_flac, "a.flac", "audio file"),
        (with(f64::NAN), "a.wav", "sample 42 of channel 1 being NaN"),
        (with(f64::INFINITY), "a.wav", "sample 42 of channel 1 being inf"),
        // Claims: 4 GiB of data, 65,535 channels, no rate, no bits, bits that nobody knows.
        (claims(0x6FFF_FF00, 0x6FFF_FFF0), "a.wav", "ends after 100 of the"),
        (changed(22, &[0xFF, 0xFF]), "a.wav", "audio file"),
        (changed(22, &[0, 0]), "a.wav", "audio file"),
        (changed(24, &[0; 4]), "a.wav", "audio file"),
        (changed(34, &[0, 0]), "a.wav", "audio file"),
        (changed(34, &[77, 0]), "a.wav", "audio file"),
        (riff(0x1234, 16, 1, 8000, &[0; 64]), "a.wav", "audio file"),
    ] {
        write(folder, name, &file);
        let message = error(folder, 2, &["fit", name, "--dry-run"]);
        assert!(message.contains(name) && message.contains(expected), "{expected}: {message}");
    }
    assert!(!folder.join("runs").exists());
    // The length of a stream that is written as it comes is not known: all of it is taken.
    for (data, all) in [(u32::MAX, u32::MAX), (0xFFFF_FF00, 236)] {
        write(folder, "stream.wav", &claims(data, all));
        let arguments = ["fit", "stream.wav", "--steps", "1", "--overwrite", "--out", "run"];
        let (_, stderr) = texts(&vi3nr(folder, &arguments));
        assert!(stderr.contains("leaves the length of its samples open"), "{stderr}");
        assert_eq!(json(folder, &["info", "run", "--json"])["signal"]["samples"], 100);
    }
}

/// Any byte of a header or any length: an answer or an error, never a panic.
#[test]
fn changed_bytes_are_refused_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let files = [
        ("a.wav", wav(Format::Whole(16), 2, 8000, &tone(50, 2))),
        ("a.flac", flac(8000, &[5; 192])),
        ("a.mp3", mp3(2)),
    ];
    for (name, whole) in files {
        for place in (0..44.min(whole.len())).step_by(3) {
            let mut file = whole.clone();
            file[place] ^= 0xFF;
            write(folder, name, &file);
            let arguments = ["fit", name, "--steps", "1", "--width", "4", "--layers", "2"];
            let output = vi3nr(folder, &[&arguments[..], &["--out", "run"]].concat());
            let (_, stderr) = texts(&output);
            let code = output.status.code();
            assert!(code == Some(0) || code == Some(2), "{name} {place}: {code:?} {stderr}");
            assert!(!stderr.contains("panicked"), "{name} {place}: {stderr}");
        }
    }
}

#[test]
fn options_of_another_kind_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "tone.wav", &wav(Format::Whole(16), 1, 8000, &tone(700, 1)));
    small_fit(folder, "image", &[]);
    small_fit(folder, "sound", &["tone.wav"]);
    let image = "image/reconstruction.png";
    for (arguments, expected) in [
        (
            &["fit", "tone.wav", "--crop", "5"][..],
            "--crop: only images have this setting, and the signal is of kind audio",
        ),
        (&["fit", image, "--start", "1"], "only audio files"),
        (&["fit", "--channels", "all"], "needs a FILE"),
        (&["fit", "tone.wav", "--channels", "0"], "from 1"),
        (&["fit", "tone.wav", "--duration", "0"], "above 0"),
        (&["decode", "sound", "--out", "a.wav", "--size", "9x9"], "--size: only models of images"),
        (
            &["decode", "sound", "--out", "a.wav", "--derivative", "x"],
            "--derivative: only models of images",
        ),
        (
            &["decode", "image", "--out", "a.png", "--rate", "8000"],
            "--rate: only models of audio files",
        ),
        (&["decode", "sound", "--out", "a.wav", "--rate", "0"], "--rate"),
        (&["decode", "sound", "--out", "a.wav", "--rate", "4294967295"], "samples a channel"),
        (&["eval", "sound", image], "the model is of 700 samples, 1 channel at 8000 Hz"),
        (&["eval", "image", "tone.wav"], "the model is of 128x128 RGB pixels"),
        (&["eval", "sound"], "FILE"),
    ] {
        let message = error(folder, 2, arguments);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn info_shows_rate_range_and_bits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "tone.wav", &wav(Format::Float(32), 1, 8000, &tone(1000, 1)));
    small_fit(folder, "run", &["tone.wav"]);
    let info = json(folder, &["info", "run", "--json"]);
    // 1-16-16-1: 321 parameters.
    near(&info["bits_per_sample"], 32.0 * 321.0 / 1000.0, 1e-12);
    let (text, _) = texts(&vi3nr(folder, &["info", "run"]));
    let golden = "\
run/model.safetensors
audio         1000 samples, 1 channel at 8000 Hz (0.125 s), values within ±0.5000
coordinates   -100,100 from the first sample to the last, ends included
network       1-16-16-1 (3 weight matrices, 321 parameters, 10.3 bits per sample)
";
    assert!(text.starts_with(golden), "{text}");
    assert!(text.contains("biases        like-weights\n"), "{text}");
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "tone.wav", &wav(Format::Whole(16), 1, 8000, &tone(3000, 1)));
    let model = |threads: &str| {
        small_fit(folder, "run", &["tone.wav", "--batch", "700", "--threads", threads]);
        fs::read(folder.join("run/model.safetensors")).unwrap()
    };
    let one = model("1");
    assert!(one == model("2") && one == model("3"));
}

#[test]
fn loud_samples_are_clipped_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let loud: Vec<f64> = tone(200, 1).iter().map(|sample| 8.0 * sample).collect();
    write(folder, "loud.wav", &wav(Format::Float(32), 1, 8000, &loud));
    small_fit(folder, "run", &["loud.wav", "--steps", "200"]);
    let output = vi3nr(folder, &["decode", "run", "--out", "out.wav"]);
    let (stdout, stderr) = texts(&output);
    assert_eq!(stdout, "out.wav (200 samples, 1 channel at 8000 Hz)\n");
    assert!(stderr.starts_with("warning: ") && stderr.contains("were clipped"), "{stderr}");
    json(folder, &["decode", "run", "--out", "out.wav", "--sample-format", "float", "--json"]);
    let own = json(folder, &["eval", "run", "out.wav", "--json"]);
    assert!(own["mse"].as_f64().unwrap() < 1e-10, "{own}");
}

#[test]
fn the_papers_table_stands_beside_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "tone.wav", &wav(Format::Whole(16), 1, 8000, &tone(300, 1)));
    let arguments = ["fit", "tone.wav", "--preset", "paper", "--steps", "2", "--out", "run"];
    let (text, _) = texts(&vi3nr(folder, &arguments));
    for part in ["Table 7 of the paper: MSE x 1000", "SIREN + SIREN init", "0.48", "this fit"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let report = json(folder, &[&arguments[..], &["--json", "--overwrite"]].concat());
    assert_eq!(report["paper"]["results"]["Gaussian + our init"]["bach"], 0.48);
    near(&report["paper"]["this_fit"], 1e3 * report["mse"].as_f64().unwrap(), 1e-9);
    let settings = json(folder, &["info", "run", "--json"])["settings"].clone();
    assert_eq!(settings["learning_rate"], 1e-5);
    assert_eq!(settings["batch"], Value::Null);
    assert_eq!(settings["schedule"]["factor"], 0.9999);
}

#[test]
fn real_audio() {
    let Some(bach) = vi3nr_test_data::file("audio", "gt_bach.wav") else { return };
    let folder = tempfile::tempdir().unwrap();
    let bach = bach.to_str().unwrap();
    let part = [bach, "--start", "2", "--duration", "0.2", "--width", "64", "--layers", "4"];
    let report = small_fit(folder.path(), "run", &[&part[..], &["--steps", "400"]].concat());
    assert!(report["mse"].as_f64().unwrap() < 5e-3, "{report}");
    let info = json(folder.path(), &["info", "run", "--json"]);
    assert_eq!(
        (&info["signal"]["rate"], &info["signal"]["samples"]),
        (&44_100.into(), &8820.into())
    );
    let eval = json(folder.path(), &["eval", "run", bach, "--json"]);
    near(&eval["mse"], report["mse"].as_f64().unwrap(), 1e-9);
    // Two channels of 16 bits.
    let Some(speakers) = vi3nr_test_data::file("audio", "gt_twospeakers.wav") else { return };
    let found = signal(folder.path(), &[speakers.to_str().unwrap()]);
    assert_eq!((&found["samples"], &found["channels"]), (&162_816.into(), &1.into()));
}
