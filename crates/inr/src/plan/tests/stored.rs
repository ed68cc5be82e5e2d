//! The JSON form of plans.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::plan;
use crate::backend::BackendName;
use crate::plan::{FitPlan, PLAN_FORMAT, Start, differences};

fn rich() -> FitPlan {
    plan(
        "image",
        &json!({
            "activation": "gaussian:sigma=0.25", "width": 4, "layers": 3, "sigma_p": 0.5,
            "last_sigma_p": 0.125, "weights": "normal", "first_bias": "uniform:0.5", "seed": 7,
            "steps": 12, "batch": 100, "lr": 0.25, "lr_decay": 0.5, "time_limit": 3.5,
            "target_psnr": 40.0, "backend": "reference", "gray": false, "crop": 8,
        }),
    )
}

/// Stored results are identified by this text: if this test fails, `PLAN_FORMAT` must be increased.
#[test]
fn the_canonical_text_is_part_of_the_format() {
    let expected = concat!(
        r#"{"engine":"reference","format":2,"#,
        r#""init":{"biases":"zero","first_biases":"uniform:0.5","#,
        r#""scheme":"ours:sigma_p=0.5,last_sigma_p=0.125","weights":"normal"},"input_scale":1.0,"#,
        r#""network":{"activation":"gaussian:sigma=0.25","dims":[2,4,4,3]},"seed":7,"#,
        r#""signal":{"bit_depth":8,"channels":3,"height":48,"kind":"image","width":64},"#,
        r#""source":{"file":"a.file","fingerprint":"00000000","#,
        r#""options":{"alpha":"refuse","crop":8,"downscale":1,"gray":false}},"start":null,"#,
        r#""training":{"batch":100,"learning_rate":0.25,"optimizer":"adam","#,
        r#""schedule":{"factor":0.5,"kind":"exponential"},"steps":12,"target_psnr":40.0,"#,
        r#""time_limit":3.5}}"#
    );
    assert_eq!(rich().canonical(), expected);
}

/// An earlier program refuses the plan of a fit on a GPU by its format.
#[test]
fn plans_for_a_gpu_have_a_format_of_their_own() {
    let gpu = plan("image", &json!({"backend": "gpu", "device": 3})).to_json();
    assert_eq!((&gpu["engine"], &gpu["format"]), (&json!("gpu"), &json!(PLAN_FORMAT)));
    assert_eq!(plan("shape", &json!({"terms": "siren"})).to_json()["format"], 4);
    let without = plan("image", &json!({"backend": "gpu"}));
    assert_eq!(gpu, without.to_json(), "the device is not part of the plan");
}

#[test]
fn plans_survive_a_round_trip() {
    let mut all = vec![rich()];
    for signal in ["image", "image of 16512", "audio", "shape"] {
        all.extend(["fast", "paper"].map(|preset| plan(signal, &json!({"preset": preset}))));
    }
    all.push(FitPlan { backend: BackendName::Gpu, ..rich() });
    all.push(FitPlan { start: Some(Start { parameters: "12345678".into() }), ..rich() });
    for plan in &all {
        let read: FitPlan = serde_json::from_str(&plan.canonical()).unwrap();
        assert_eq!(read.canonical(), plan.canonical());
        assert_eq!(&read, plan);
        assert_eq!((&read.network, read.init), (&plan.network, plan.init));
        assert_eq!(read.training, plan.training);
    }
    let distinct: BTreeSet<_> = all.iter().map(FitPlan::canonical).collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn plans_of_other_formats_and_damaged_plans_are_rejected() {
    let change = |path: &str, value: Value| {
        let mut json = rich().to_json();
        *json.pointer_mut(path).unwrap() = value;
        serde_json::from_value::<FitPlan>(json).unwrap_err().to_string()
    };
    for (path, value, text) in [
        ("/format", json!(1), "its plan has format 1, expected 2 to 5"),
        ("/format", json!(6), "its plan has format 6, expected 2 to 5"),
        ("/network/activation", json!("gausian"), "gausian"),
        ("/network/dims", json!([2]), "layer"),
        ("/init/scheme", json!("he"), "he"),
        ("/signal/kind", json!("smell"), "smell"),
        ("/training/optimizer", json!("sgd"), "sgd"),
        ("/training/time_limit", json!(-1.0), "time_limit"),
    ] {
        let error = change(path, value.clone());
        assert!(error.contains(text), "{path} {value}: {error}");
    }
    let whole = rich().to_json();
    for field in whole.as_object().unwrap().keys().filter(|key| *key != "start") {
        let mut part: Map<String, Value> = whole.as_object().unwrap().clone();
        part.remove(field);
        let read = serde_json::from_value::<FitPlan>(Value::Object(part));
        assert!(read.is_err(), "{field}");
    }
}

#[test]
fn differences_name_the_settings() {
    let [one, other] = [json!({}), json!({"seed": 5})].map(|settings| plan("image", &settings));
    assert_eq!(
        differences(&one.to_json(), &other.to_json()),
        ["seed is 0 there and 5 here".to_owned()]
    );
    assert!(differences(&one.to_json(), &one.to_json()).is_empty());
}
