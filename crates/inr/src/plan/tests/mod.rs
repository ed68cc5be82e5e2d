//! Tests of resolving requests: one row for each decision.

mod refusals;
mod rows;
mod stored;
mod tuned;

use serde_json::{Value, json};

use super::*;
use crate::model_file::parameters_fingerprint;
use crate::recipe::recipes;
use crate::request::{FitRequest, RequestError};
use crate::signal::audio::AudioInfo;
use crate::signal::image::{BitDepth, ImageInfo};
use crate::signal::shape::{Placement, ShapeForm, ShapeInfo};

/// The signals of the rows: a small image, two images on either side of the size limit of kfac,
/// audio, a mesh and points.
fn info(signal: &str) -> Arc<dyn SignalInfo> {
    let image = |width, height| {
        Arc::new(ImageInfo { width, height, channels: 3, bit_depth: BitDepth::Eight })
    };
    match signal {
        "image" => image(64, 48),
        "image of 16384" => image(128, 128),
        "image of 16512" => image(129, 128),
        "audio" => {
            Arc::new(AudioInfo { rate: 8_000, samples: 8_000, channels: 1, scale: 0.5, start: 0.0 })
        }
        "shape" => Arc::new(ShapeInfo {
            placement: Placement { center: [0.0; 3], scale: 1.0 },
            elements: 4,
            closed: true,
            form: ShapeForm::Mesh,
        }),
        "points" => Arc::new(ShapeInfo {
            placement: Placement { center: [0.0; 3], scale: 1.0 },
            elements: 20_000,
            closed: false,
            form: ShapeForm::Points,
        }),
        other => panic!("{other}"),
    }
}

fn request(settings: &Value) -> FitRequest {
    FitRequest::from_settings(settings.as_object().unwrap())
        .unwrap_or_else(|error| panic!("{settings}: {error}"))
}

fn facts(signal: &str, request: &FitRequest) -> SignalFacts {
    let info = info(signal);
    let options = request.signal.options(request.preset.unwrap_or_default());
    let source = Source {
        file: Some("a.file".into()),
        options: options.to_json(info.kind()),
        fingerprint: "00000000".into(),
    };
    SignalFacts { info, source, loss_at_0_db: Some(4.0), spectral_centroid: Some(0.3), start: None }
}

fn resolved(signal: &str, settings: &Value) -> Result<Resolved, RequestError> {
    let request = request(settings);
    resolve(&request, &facts(signal, &request))
}

fn plan(signal: &str, settings: &Value) -> FitPlan {
    resolved(signal, settings).unwrap_or_else(|error| panic!("{signal} {settings}: {error}")).plan
}

/// Checks that the plan of each row has the given values at the given paths.
fn check(rows: &[(&str, Value, Value)]) {
    for (signal, settings, expected) in rows {
        let seen = plan(signal, settings).to_json();
        for (path, expected) in expected.as_object().unwrap() {
            // A missing value counts as null.
            let seen =
                seen.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or(&Value::Null);
            assert_eq!(seen, expected, "{path} of {signal} {settings}");
        }
    }
}

/// The scheme `ours` with `factor` times the automatic σ_p of `activation`.
fn ours(factor: f64, activation: &str) -> String {
    let root = vi3nr::auto_sigma_p(&activation.parse().unwrap()).unwrap();
    format!("ours:sigma_p={}", factor * root)
}

/// The scheme `ours` with the automatic σ_p of `activation` and that of the first layer.
fn tuned(activation: &str, first_sigma_p: f64) -> String {
    format!("{},first_sigma_p={first_sigma_p}", ours(1.0, activation))
}

#[test]
fn reasons_and_warnings_explain_the_defaults() {
    let reason = |signal: &str, settings: Value, field: &str| {
        let reasons = resolved(signal, &settings).unwrap().reasons;
        reasons.into_iter().find(|reason| reason.field == field).map(|reason| reason.text)
    };
    for (signal, settings, field, text) in [
        ("shape", json!({}), "init", "siren:omega=30, which was published with this activation"),
        ("image", json!({}), "activation", "sine:omega=20, tuned together with the weights"),
        ("image", json!({}), "first_sigma_p", "0.5, tuned together with the activation"),
        ("image", json!({}), "sigma_p", "0.0500027, the largest value"),
        (
            "image",
            json!({}),
            "optimizer",
            "kfac, the best by measurement for signals of at most 16384",
        ),
        ("image of 16512", json!({}), "optimizer", "kfac, the best by measurement for pieces"),
        ("image of 16512", json!({}), "tile", "64, since the signal has more than 16384 samples"),
        ("image of 16512", json!({}), "quality", "42 dB"),
        ("image of 16512", json!({}), "storage", "auto"),
        ("image of 16512", json!({"tile": "none"}), "optimizer", "adam, the best by measurement"),
        ("image", json!({"lr": 0.1}), "optimizer", "adam, since lr is given"),
        ("image", json!({"batch": 9}), "optimizer", "adam, since batch is given"),
        (
            "image",
            json!({"activation": "gaussian:sigma=0.05"}),
            "sigma_p",
            "2 times the smallest value",
        ),
        ("image", json!({"activation": "gaussian:sigma=0.05"}), "first_bias", "like-weights"),
        ("audio", json!({}), "input_scale", "100"),
        ("image", json!({"init": "winner"}), "init", "noise for a spectral centroid of 0.3"),
        ("image", json!({"first_sigma_p": "7*auto"}), "first_sigma_p", "7 times"),
    ] {
        let seen = reason(signal, settings.clone(), field).unwrap_or_default();
        assert!(seen.contains(text), "{signal} {settings}: {seen}");
    }
    for (settings, field) in [
        (json!({"optimizer": "adam"}), "optimizer"),
        (json!({"init": "xavier"}), "init"),
        (json!({}), "input_scale"),
        (json!({"init": "siren"}), "sigma_p"),
        (json!({"init": "siren"}), "activation"),
        (json!({"init": "siren"}), "first_sigma_p"),
        (json!({}), "tile"),
        (json!({}), "quality"),
        (json!({}), "storage"),
        (json!({"first_sigma_p": 0.3}), "first_sigma_p"),
        (json!({"init": "eoc", "activation": "tanh"}), "first_bias"),
        (json!({"init": "eoc", "activation": "gaussian", "preset": "paper"}), "first_bias"),
    ] {
        assert_eq!(reason("image", settings.clone(), field), None, "{settings} {field}");
    }
    let warnings = |settings: Value| resolved("image", &settings).unwrap().warnings;
    assert!(warnings(json!({})).is_empty());
    assert!(!warnings(json!({"init": "siren:omega=30", "activation": "tanh"})).is_empty());
    let unstable = |init: &str| warnings(json!({"init": init, "activation": "gelu", "layers": 30}));
    for (init, part) in [("ours", "tenfold in 17 layers"), ("eoc", "only where chi <= cond")] {
        let seen = unstable(init);
        assert!(seen.len() == 1 && seen[0].contains(part), "{seen:?}");
    }
    let ripples = warnings(json!({"init": "winner", "tile": 20})).join("; ");
    assert!(ripples.contains("over 46 % of the frequencies of the samples"), "{ripples}");
    assert!(ripples.contains("as with winner:s0=0.18,s1=0"), "{ripples}");
    assert!(warnings(json!({"init": "winner:s0=0.18,s1=0", "tile": 20})).is_empty());
    let few = warnings(json!({"batch": 100, "steps": 9})).join("; ");
    assert!(few.contains("9 steps of 100 samples do not reach all"), "{few}");
    assert!(warnings(json!({"batch": 100, "steps": 9000})).is_empty());
}

/// A formula that equals a built-in sine gets the same initialization, scale and training.
#[test]
fn a_sine_written_out_is_a_sine() {
    for signal in ["image", "audio", "shape"] {
        let [named, written] = ["sine:omega=30", "sin(30*x)"].map(|activation| {
            plan(signal, &json!({"activation": activation, "width": 16, "layers": 4, "seed": 3}))
        });
        assert_eq!(named.init, written.init);
        assert_eq!(named.input_scale, written.input_scale);
        assert_eq!(named.training, written.training);
        let weights = |plan: &FitPlan| {
            let rules = plan.init.plan(&plan.network).unwrap();
            parameters_fingerprint(&vi3nr::draw(&plan.network, &rules, plan.seed))
        };
        assert_eq!(weights(&named), weights(&written), "{signal}");
    }
}

/// Initial weights drawn alone are those from which a fit starts.
#[test]
fn the_initialization_alone_is_that_of_the_fit() {
    for (signal, settings) in [
        ("image", json!({"activation": "sine:omega=30"})),
        ("image", json!({"activation": "gaussian:sigma=0.05"})),
        ("image", json!({"preset": "paper"})),
        ("audio", json!({"activation": "tanh", "sigma_p": "0.5*auto"})),
        ("shape", json!({"init": "kaiming", "weights": "orthogonal", "first_bias": "uniform:0.1"})),
        ("image", json!({"activation": "relu", "biases": "like-weights"})),
        ("image", json!({"init": "eoc", "first_sigma_p": "7*auto"})),
    ] {
        let (request, plan) = (request(&settings), plan(signal, &settings));
        let recipe = recipes(plan.signal.kind()).of(request.preset.unwrap_or_default());
        let alone = resolve_initialization(&request, &plan.network, &recipe, None).unwrap();
        assert_eq!(alone.rule, plan.init, "{signal} {settings}");
    }
}

#[test]
fn weights_to_start_from_determine_the_network() {
    let network = |dims: &[usize]| Network::new(dims.to_vec(), "tanh".parse().unwrap()).unwrap();
    let from = |dims: &[usize], settings: Value| {
        let request = request(&settings);
        let start = Start { parameters: "12345678".into() };
        let start = Some(StartFacts { network: network(dims), input_scale: None, start });
        resolve(&request, &SignalFacts { start, ..facts("image", &request) })
    };
    let dims = [2, 20, 20, 3];
    for settings in [json!({}), json!({"width": 20, "layers": 3, "activation": "tanh"})] {
        let Resolved { plan, reasons, warnings, .. } = from(&dims, settings).unwrap();
        assert_eq!(plan.network, network(&dims));
        assert_eq!(plan.start, Some(Start { parameters: "12345678".into() }));
        assert!(reasons.iter().all(|reason| reason.field == "optimizer") && warnings.is_empty());
    }
    for (settings, field) in [
        (json!({"width": 21}), "width"),
        (json!({"layers": 4}), "layers"),
        (json!({"activation": "relu"}), "activation"),
    ] {
        assert_eq!(from(&dims, settings).unwrap_err().fields, [field, "from"]);
    }
    for dims in [[3, 20, 20, 3], [2, 20, 20, 1]] {
        assert_eq!(from(&dims, json!({})).unwrap_err().fields, ["from"]);
    }
}

/// Trained weights are only valid for the coordinates that they were trained with.
#[test]
fn weights_to_start_from_keep_their_input_scale() {
    let network = Network::new(vec![1, 8, 8, 1], "sine".parse().unwrap()).unwrap();
    for (input_scale, asked, expected) in [
        (Some(50.0), json!({}), 50.0),
        (Some(50.0), json!({"input_scale": 20.0}), 20.0),
        (None, json!({}), 100.0),
    ] {
        let request = request(&asked);
        let start = Start { parameters: "12345678".into() };
        let start = Some(StartFacts { network: network.clone(), input_scale, start });
        let facts = SignalFacts { start, ..facts("audio", &request) };
        let plan = resolve(&request, &facts).unwrap().plan;
        assert_eq!(plan.input_scale, expected, "{input_scale:?} {asked}");
    }
}
