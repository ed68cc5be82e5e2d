//! Tests of valid and invalid model files.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tempfile::TempDir;

use super::*;
use crate::signal::image::{BitDepth, ImageInfo};

fn model(dims: &[usize], seed: u64) -> Model {
    let network = Network::new(dims.to_vec(), "gaussian:sigma=0.05".parse().unwrap()).unwrap();
    let random = vi3nr::rng::Random::new(seed, vi3nr::rng::Stream::WEIGHTS, 0);
    let count = network.parameter_count() as u64;
    let parameters = (0..count).map(|i| random.normal(i) as f32).collect();
    let channels = network.outputs();
    let bit_depth = BitDepth::Eight;
    let signal = Arc::new(ImageInfo { width: 6, height: 4, channels, bit_depth });
    let settings = serde_json::json!({"steps": 3000, "lr": 1e-4, "note": "déjà \"vu\"", "a": null});
    let origin = Origin::Settings(settings);
    Model { seed, origin, ..Model::new(network, parameters, signal) }
}

fn parameters(model: &Model) -> &[f32] {
    model.whole().unwrap().1
}

fn parameters_mut(model: &mut Model) -> &mut Vec<f32> {
    match &mut model.body {
        Body::Network { parameters, .. } => parameters,
        Body::Pieces(_) => panic!("not one network"),
    }
}

fn bytes_of(model: &Model) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    fs::read(path).unwrap()
}

/// A temporary file whose content the tests replace and load.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn load(&self, bytes: &[u8]) -> Result<Model, ModelError> {
        let path = self.folder.path().join("a.safetensors");
        fs::write(&path, bytes).unwrap();
        let result = Model::load(&path);
        if let Err(error) = &result {
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
        result
    }

    fn error(&self, bytes: &[u8]) -> String {
        self.load(bytes).unwrap_err().to_string()
    }
}

/// The file's header with `old` replaced by `new`, and the rest of it.
fn with_header(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(header.contains(old), "{header}");
    let header = header.replace(old, new);
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + length..]].concat()
}

#[test]
fn the_bytes_are_part_of_the_format() {
    let mut model = model(&[2, 1], 7);
    *parameters_mut(&mut model) = vec![1.0, -2.0, 0.5];
    model.origin = Origin::Settings(serde_json::json!({"b": 1, "a": [true]}));
    let header = concat!(
        r#"{"__metadata__":{"activation":"gaussian:sigma=0.05","alignment":"areas","#,
        r#""coordinate_range":"-1,1 on the longest side, same spacing on all, ends included","#,
        r#""dims":"2,1","format":"vi3nr","format_version":"3","input_scale":"1","seed":"7","#,
        r#""settings":"{\"a\":[true],\"b\":1}","#,
        r#""signal":"{\"bit_depth\":8,\"channels\":1,\"height\":4,\"kind\":\"image\",\"width\":6}","#,
        r#""value_range":"-1,1","vi3nr_version":"VERSION"},"#,
        r#""net.0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#,
        r#""net.0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#
    );
    let mut header = header.replace("VERSION", env!("CARGO_PKG_VERSION")).into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let data: Vec<u8> = [1f32, -2.0, 0.5].into_iter().flat_map(f32::to_le_bytes).collect();
    let expected = [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat();
    assert_eq!(bytes_of(&model), expected);
}

#[test]
fn the_safetensors_crate_reads_what_is_written() {
    let model = model(&[2, 5, 3], 1);
    let bytes = bytes_of(&model);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 4);
    let weight = file.tensor("net.1.weight").unwrap();
    assert_eq!((weight.dtype(), weight.shape()), (Dtype::F32, [3, 5].as_slice()));
    let first = f32::from_le_bytes(weight.data()[..4].try_into().unwrap());
    assert_eq!(first, parameters(&model)[model.network().layers()[1].weights.start]);
}

/// Other programs order tensors by name.
#[test]
fn tensors_may_come_in_any_order() {
    let model = model(&[2, 5, 4, 3], 1);
    let bytes = bytes_of(&model);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let rewritten = safetensors::serialize(file.iter(), header.metadata().clone()).unwrap();
    assert_ne!(rewritten, bytes);
    let loaded = Bench::new().load(&rewritten).unwrap();
    assert_eq!(loaded, model);
    assert_eq!(bytes_of(&loaded), bytes);
}

#[test]
fn no_prefix_of_a_file_is_a_model() {
    let bytes = bytes_of(&model(&[2, 3, 1], 1));
    let bench = Bench::new();
    for length in 0..bytes.len() {
        bench.error(&bytes[..length]);
    }
    assert!(bench.error(&[&bytes[..], b"x"].concat()).contains("expected"));
    assert!(bench.load(&bytes).is_ok());
}

#[test]
fn a_changed_byte_is_rejected_or_harmless() {
    let bytes = bytes_of(&model(&[2, 3, 1], 1));
    let bench = Bench::new();
    for index in 0..bytes.len() {
        for change in [0x01, 0x10, 0x80, 0xFF] {
            let mut bytes = bytes.clone();
            bytes[index] ^= change;
            if let Ok(loaded) = bench.load(&bytes) {
                assert_eq!(loaded.network().dims(), [2, 3, 1]);
                assert_eq!(parameters(&loaded).len(), 13);
                assert!(parameters(&loaded).iter().all(|value| value.is_finite()));
            }
        }
    }
}

#[test]
fn errors_name_invalid_metadata() {
    let bytes = bytes_of(&model(&[2, 3, 1], 1));
    let bench = Bench::new();
    for (old, new, text) in [
        (
            r#""format":"vi3nr""#,
            r#""format":"pt""#,
            "not a vi3nr model: its metadata has format = \"pt\"",
        ),
        (r#""format":"vi3nr","#, "", "not a vi3nr model: its metadata has no entry 'format'"),
        (r#""format_version":"3""#, r#""format_version":"4""#, "upgrade vi3nr"),
        (r#""alignment":"areas""#, r#""alignment":"left""#, "'alignment' is 'left'"),
        (r#""format_version":"3""#, r#""format_version":"x""#, "'format_version' is 'x'"),
        (r#""value_range":"-1,1""#, r#""value_range":"0,1""#, "expected '-1,1'"),
        (r#""input_scale":"1","#, "", "'input_scale' is missing"),
        (r#""input_scale":"1""#, r#""input_scale":"2""#, "'coordinate_range' is '-1,1"),
        (r#""input_scale":"1""#, r#""input_scale":"-1""#, "'input_scale' is '-1'"),
        (r#""input_scale":"1""#, r#""input_scale":"inf""#, "a finite number above 0"),
        (r#""dims":"2,3,1","#, "", "'dims' is missing"),
        (r#""dims":"2,3,1""#, r#""dims":"2,,1""#, "layer sizes"),
        (r#""dims":"2,3,1""#, r#""dims":"2,99999999,1""#, "cannot be built"),
        (r#""dims":"2,3,1""#, r#""dims":"2,3,3""#, "the signal needs 2 to 1"),
        (r#""dims":"2,3,1""#, r#""dims":"2,4,1""#, "tensor net.0.weight is F32 of shape [3, 2]"),
        (r#""dims":"2,3,1""#, r#""dims":"2,1""#, "expected F32 of shape [1, 2]"),
        (r#""dims":"2,3,1""#, r#""dims":"2,3,3,1""#, "tensor net.1.weight is"),
        ("gaussian:sigma=0.05", "gauss", "unknown activation"),
        ("gaussian:sigma=0.05", "gaussian:sigma=nan", "'activation'"),
        (r#"\"width\":6"#, r#"\"width\":0"#, "at least 1 pixel"),
        (r#"\"width\":6"#, r#"\"width\":4000000000"#, "'signal'"),
        (r#"\"kind\":\"image\""#, r#"\"kind\":\"smell\""#, "smell"),
        (r#""seed":"1""#, r#""seed":"-1""#, "'seed' is '-1'"),
        ("F32", "I32", "tensor net.0.weight is I32"),
        ("net.1.bias", "net.2.bias", "tensor net.1.bias is missing"),
        (r#""shape":[3,2]"#, r#""shape":[2,3]"#, "expected F32 of shape [3, 2]"),
        (r#""shape":[3,2]"#, r#""shape":[9999999999,9999999999]"#, "header cannot be read"),
        (r#""__metadata__":{"#, r#""__metadata__":{"x":1,"#, "header cannot be read"),
    ] {
        let error = bench.error(&with_header(&bytes, old, new));
        assert!(error.contains(text), "{new}: {error}");
    }
}

#[test]
fn foreign_files_and_extra_tensors_are_rejected() {
    let bench = Bench::new();
    let data = [0u8; 8];
    let view = || TensorView::new(Dtype::F32, vec![2], &data).unwrap();
    let foreign = safetensors::serialize([("weight", view())], None).unwrap();
    assert!(bench.error(&foreign).contains("not a vi3nr model: its metadata has no entries"));

    let bytes = bytes_of(&model(&[2, 3, 1], 1));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let entries: Option<HashMap<String, String>> = header.metadata().clone();
    let tensors = || file.iter().map(|(name, view)| (name.to_owned(), view));
    let extra = tensors().chain([("net.2.weight".to_owned(), view())]);
    let extended = safetensors::serialize(extra, entries.clone()).unwrap();
    assert!(bench.error(&extended).contains("it has 5 tensors; expected 4"));
    let fewer = safetensors::serialize(tensors().skip(1), entries).unwrap();
    assert!(bench.error(&fewer).contains("is missing"));

    for (bytes, text) in [
        (b"".as_slice(), "0 bytes"),
        (b"hello, this is text", "announce a header"),
        (b"\x10\0\0\0\0\0\0\0{}", "only 2 follow"),
        (b"\x02\0\0\0\0\0\0\0[]", "header cannot be read"),
        (&u64::MAX.to_le_bytes(), "announce a header"),
    ] {
        assert!(bench.error(bytes).contains(text));
    }
}

/// No memory is allocated for tensors that the file is too short to hold.
#[test]
fn a_short_file_with_huge_tensors_is_rejected() {
    let mut huge = model(&[2, 3, 1], 1);
    let activation = huge.network().activation().clone();
    huge.body = Body::Network {
        network: Network::new(vec![2, 8_000, 8_000, 1], activation).unwrap(),
        parameters: parameters(&huge).to_vec(),
    };
    let mut bytes = Vec::new();
    huge.write(&mut bytes).unwrap();
    let error = Bench::new().error(&bytes);
    assert!(error.contains("bytes; expected 256"), "{error}");
}

#[test]
fn errors_name_unreadable_files() {
    let folder = tempfile::tempdir().unwrap();
    let error = Model::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("it is a directory"), "{error}");
    let error = Model::load(Path::new("absent.safetensors")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read 'absent.safetensors': No such file"), "{error}");
}

#[test]
fn invalid_models_are_neither_written_nor_read() {
    let bench = Bench::new();
    let path = bench.folder.path().join("broken");
    let refused = |model: &Model, text: &str| {
        let error = model.save(&path).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert!(!path.exists());
    };
    let mut nan = model(&[2, 3, 1], 1);
    parameters_mut(&mut nan)[7] = f32::NAN;
    refused(&nan, "net.0.bias holds NaN");
    let mut bytes = Vec::new();
    nan.write(&mut bytes).unwrap();
    assert!(bench.error(&bytes).contains("net.0.bias holds NaN; expected finite numbers"));

    let mut short = model(&[2, 3, 1], 1);
    parameters_mut(&mut short).pop();
    refused(&short, "12 parameters for a network that has 13");
    let mut other = model(&[2, 3, 1], 1);
    other.signal = model(&[2, 3, 3], 1).signal;
    refused(&other, "the signal needs 2 to 3");
    refused(&model(&[2, 3, 2], 1), "2 channels");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_model_survives_the_round_trip(
        hidden in prop::collection::vec(1usize..9, 0..4),
        channels in prop::sample::select(vec![1usize, 3]),
        seed: u64,
        rate: f64,
        text in ".{0,40}",
        index: prop::sample::Index,
        value in prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL | prop::num::f32::ZERO,
    ) {
        let dims = [vec![2], hidden, vec![channels]].concat();
        let mut model = model(&dims, seed);
        let index = index.index(parameters(&model).len());
        parameters_mut(&mut model)[index] = value;
        model.origin = Origin::Settings(serde_json::json!({"rate": rate, &text: [text, 1]}));
        let bytes = bytes_of(&model);
        let loaded = Bench::new().load(&bytes).unwrap();
        prop_assert_eq!(&loaded, &model);
        prop_assert_eq!(parameters(&loaded)[index].to_bits(), value.to_bits());
        prop_assert_eq!(bytes_of(&loaded), bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bench = Bench::new();
        prop_assert!(bench.load(&bytes).is_err());
        // With a valid length in front, the rest is parsed as JSON.
        let length = bytes.len() as u64;
        bytes.splice(..0, length.to_le_bytes());
        prop_assert!(bench.load(&bytes).is_err());
    }
}
