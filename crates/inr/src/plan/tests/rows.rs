//! The values in a plan for default and given settings.

use serde_json::{Value, json};

use super::{check, ours, plan, tuned};

#[test]
fn every_kind_and_preset_has_its_defaults() {
    let (hidden, gaussian) = ([128; 7].map(Value::from).to_vec(), "gaussian:sigma=0.05");
    let dims = |inputs: u64, outputs: u64| {
        Value::Array([vec![inputs.into()], hidden.clone(), vec![outputs.into()]].concat())
    };
    let cosine = json!({"kind": "cosine"});
    let exponential = json!({"kind": "exponential", "factor": 0.9999});
    check(&[
        (
            "image",
            json!({}),
            json!({
                "network.dims": dims(2, 3), "network.activation": "sine:omega=20",
                "init.scheme": tuned("sine:omega=20", 0.5), "init.weights": "uniform",
                "init.biases": "zero", "init.first_biases": "zero",
                "start": null, "seed": 0, "engine": "cpu", "input_scale": 1.0,
                "training.optimizer": "kfac", "training.steps": 2741, "training.batch": null,
                "training.factor_points": 1024, "training.model_points": 512,
                "training.target_psnr": null, "training.time_limit": null,
                "source.options.downscale": 1, "source.options.alpha": "refuse",
            }),
        ),
        (
            "image of 16384",
            json!({}),
            json!({
                "training.optimizer": "kfac", "training.steps": 514, "training.batch": null,
                "training.factor_points": 4096, "training.model_points": 1024,
            }),
        ),
        (
            "image of 16512",
            json!({}),
            json!({
                "network.dims": [2, 80, 80, 80, 3], "network.activation": "sine:omega=9",
                "init.scheme": tuned("sine:omega=9", 1.0), "init.first_biases": "zero",
                "training.optimizer": "kfac", "training.steps": 300, "training.batch": null,
                "training.target_psnr": 42.0, "pieces.overlap": 2, "pieces.cures": [120, 160],
                "storage": "auto", "format": 3,
            }),
        ),
        (
            "image of 16512",
            json!({"quality": 50}),
            json!({"network.dims": [2, 96, 96, 96, 3], "pieces.cures": [144, 192]}),
        ),
        (
            "image of 16512",
            json!({"tile": "none"}),
            json!({
                "training.optimizer": "adam", "training.steps": 2056, "training.batch": 4096,
                "training.learning_rate": 5e-4, "training.schedule": cosine,
            }),
        ),
        (
            "image",
            json!({"preset": "paper"}),
            json!({
                "network.dims": dims(2, 3), "network.activation": gaussian,
                "init.scheme": ours(2.0, gaussian), "init.first_biases": "zero",
                "training.optimizer": "adam", "training.steps": 30000, "training.batch": null,
                "training.learning_rate": 1e-5, "training.schedule": exponential,
            }),
        ),
        (
            "audio",
            json!({}),
            json!({
                "network.dims": [1, 256, 256, 256, 1], "network.activation": "sine:omega=30",
                "init.scheme": "siren:omega=30", "init.biases": "like-weights",
                "init.first_biases": "like-weights", "input_scale": 100.0,
                "training.optimizer": "adam", "training.steps": 2473, "training.batch": 4096,
                "training.learning_rate": 5e-4, "training.schedule": cosine,
                "source.options.channels": "mean", "source.options.start": 0.0,
            }),
        ),
        (
            "audio",
            json!({"preset": "paper"}),
            json!({
                "training.optimizer": "adam", "training.steps": 30000, "training.batch": null,
                "training.learning_rate": 1e-5, "training.schedule": exponential,
            }),
        ),
        (
            "shape",
            json!({}),
            json!({
                "network.dims": dims(3, 1), "network.activation": "sine:omega=30",
                "input_scale": 1.0, "init.biases": "zero",
                "training.optimizer": "adam", "training.steps": 2745, "training.batch": 6144,
                "training.learning_rate": 5e-4, "training.schedule": cosine,
                "source.options.loss": "squared", "source.options.clamp": 0.1,
                "source.options.uniform": 0.2,
            }),
        ),
        (
            "shape",
            json!({"preset": "paper"}),
            json!({
                "network.activation": "gaussian:sigma=0.09",
                "init.scheme": ours(2.0, "gaussian:sigma=0.09"),
                "training.optimizer": "adam", "training.steps": 30000, "training.batch": 30000,
                "training.learning_rate": 3e-5, "training.schedule": exponential,
                "source.options.loss": "absolute", "source.options.clamp": null,
                "source.options.uniform": 0.0,
            }),
        ),
    ]);
}

#[test]
fn the_initialization_follows_activation_and_request() {
    let gaussian = "gaussian:sigma=0.05";
    let with = |more: Value| {
        let mut settings = more;
        settings["activation"] = gaussian.into();
        settings
    };
    check(&[
        // Without biases in the first layer, a network with an even activation is even.
        (
            "image",
            with(json!({})),
            json!({"init.scheme": ours(2.0, gaussian), "init.biases": "zero",
                   "init.first_biases": "like-weights"}),
        ),
        ("audio", with(json!({})), json!({"init.scheme": ours(6.0, gaussian)})),
        ("image", with(json!({"biases": "zero"})), json!({"init.first_biases": "zero"})),
        (
            "image",
            with(json!({"biases": "like-weights"})),
            json!({"init.biases": "like-weights", "init.first_biases": "like-weights"}),
        ),
        (
            "image",
            with(json!({"biases": "like-weights", "first_bias": "uniform:0.5"})),
            json!({"init.biases": "like-weights", "init.first_biases": "uniform:0.5"}),
        ),
        ("image", with(json!({"first_bias": "zero"})), json!({"init.first_biases": "zero"})),
        ("image", with(json!({"sigma_p": "auto"})), json!({"init.scheme": ours(1.0, gaussian)})),
        ("image", with(json!({"sigma_p": "3*auto"})), json!({"init.scheme": ours(3.0, gaussian)})),
        ("image", with(json!({"sigma_p": 0.15})), json!({"init.scheme": "ours:sigma_p=0.15"})),
        (
            "image",
            with(json!({"sigma_p": 0.15, "last_sigma_p": 0.5})),
            json!({"init.scheme": "ours:sigma_p=0.15,last_sigma_p=0.5"}),
        ),
        (
            "image",
            with(json!({"init": "ours_mc", "sigma_p": 0.15})),
            json!({"init.scheme": "ours_mc:sigma_p=0.15,samples=1000000"}),
        ),
        ("image", with(json!({"init": "xavier"})), json!({"init.scheme": "xavier"})),
        // A scheme with biases of its own. Without any in the first layer an even network stays even.
        (
            "image",
            json!({"activation": "tanh", "init": "eoc", "sigma_p": 0.5}),
            json!({"init.scheme": "eoc:sigma_p=0.5", "init.biases": "scheme",
                   "init.first_biases": "zero"}),
        ),
        (
            "audio",
            json!({"init": "eoc", "first_sigma_p": 0.25}),
            json!({"init.scheme": format!("{},first_sigma_p=0.25",
                       ours(1.0, "sine:omega=30").replace("ours", "eoc")),
                   "init.biases": "scheme", "init.first_biases": "zero"}),
        ),
        (
            "image",
            with(json!({"init": "eoc", "sigma_p": 0.15})),
            json!({"init.biases": "scheme", "init.first_biases": "like-weights"}),
        ),
        (
            "image",
            with(json!({"init": "eoc:sigma_p=0.15", "biases": "normal:0.5"})),
            json!({"init.biases": "normal:0.5", "init.first_biases": "normal:0.5"}),
        ),
        (
            "image",
            json!({"init": "finer:k=5", "activation": "finer"}),
            json!({"init.scheme": "finer:omega=30,k=5", "init.biases": "zero",
                   "init.first_biases": "uniform:5"}),
        ),
        (
            "image",
            json!({"init": "winner"}),
            json!({"init.scheme": "winner:omega=30,s0=0.655782,s1=0.00133333",
                   "init.biases": "zero", "init.first_biases": "zero"}),
        ),
        (
            "audio",
            json!({"init": "winner"}),
            json!({"init.scheme": "winner:omega=30,s0=102.38,s1=0.03", "input_scale": 1.0}),
        ),
        (
            "audio",
            json!({"init": "winner:s0=5,s1=0", "input_scale": 50.0}),
            json!({"init.scheme": "winner:omega=30,s0=5,s1=0", "input_scale": 50.0}),
        ),
        (
            "audio",
            json!({"init": "ws:alpha=2"}),
            json!({"init.scheme": "ws:alpha=2,omega=30", "init.biases": "like-weights",
                   "init.first_biases": "like-weights"}),
        ),
        (
            "image",
            with(json!({"sigma_p": 0.15, "first_sigma_p": 0.6})),
            json!({"init.scheme": "ours:sigma_p=0.15,first_sigma_p=0.6"}),
        ),
        ("image", with(json!({"weights": "normal"})), json!({"init.weights": "normal"})),
        ("image", json!({"activation": "relu"}), json!({"init.scheme": "ours:sigma_p=1"})),
        // SIREN's scheme is the default only if no setting of another scheme is given.
        ("image", json!({"sigma_p": 0.3}), json!({"init.scheme": "ours:sigma_p=0.3"})),
        ("image", json!({"init": "ours"}), json!({"init.scheme": ours(1.0, "sine:omega=30")})),
        (
            "image",
            json!({"init": "siren", "activation": "sine:omega=7"}),
            json!({"init.scheme": "siren:omega=7"}),
        ),
        ("image", json!({"seed": 12}), json!({"seed": 12})),
        ("image", json!({"engine": "reference"}), json!({"engine": "reference"})),
        ("image", json!({"backend": "reference"}), json!({"engine": "reference"})),
        ("image", json!({"width": 9, "layers": 3}), json!({"network.dims": [2, 9, 9, 3]})),
        ("image", json!({"layers": 1}), json!({"network.dims": [2, 3]})),
    ]);
}

#[test]
fn pieces_follow_size_and_request() {
    let large = "image of 16512";
    check(&[
        ("image", json!({}), json!({"pieces": null})),
        ("image", json!({"tile": 16}), json!({"pieces.counts": [4, 3], "pieces.overlap": 2})),
        // A piece of the size of the image is one network.
        ("image", json!({"tile": 64}), json!({"pieces": null, "training.steps": 2741})),
        (large, json!({}), json!({"pieces.counts": [2, 2]})),
        (large, json!({"tile": "none"}), json!({"pieces": null})),
        (large, json!({"tile": 32}), json!({"pieces.counts": [4, 4]})),
        (large, json!({"lr": 1e-3}), json!({"pieces": null})),
        (large, json!({"preset": "paper"}), json!({"pieces": null})),
        (
            large,
            json!({"preset": "paper", "tile": 32}),
            json!({"pieces.counts": [4, 4], "network.activation": "gaussian:sigma=0.05",
                   "training.optimizer": "adam", "training.target_psnr": null}),
        ),
        (large, json!({"tile": 32, "lr": 1e-3}), json!({"training.optimizer": "adam"})),
        (large, json!({"quality": 30}), json!({"training.target_psnr": 30.0})),
        (large, json!({"target_psnr": 31}), json!({"training.target_psnr": 31.0})),
        ("image", json!({"quality": 50}), json!({"training.target_psnr": 50.0})),
        (large, json!({"storage": "f32"}), json!({"storage": null})),
        ("image", json!({"storage": "bf16"}), json!({"storage": "bf16", "format": 3})),
        // 4 networks of 2-48-48-48-3 have 20,124 parameters; the next width has more.
        (
            large,
            json!({"parameters": 21000}),
            json!({"network.dims": [2, 48, 48, 48, 3], "pieces.cures": [48, 48]}),
        ),
        // Fewer pieces rather than very small networks.
        (large, json!({"parameters": 4000}), json!({"pieces": null})),
        ("image", json!({"parameters": 100_000}), json!({"network.dims": dims_of(128)})),
        ("shape", json!({}), json!({"pieces": null})),
    ]);
}

/// The network of eight layers that maps 2 numbers to 3.
fn dims_of(width: u64) -> Value {
    let hidden = [width; 7].map(Value::from);
    Value::Array([vec![2.into()], hidden.to_vec(), vec![3.into()]].concat())
}

#[test]
fn the_optimizer_follows_signal_network_and_request() {
    let adam = |more: Value| {
        let mut expected = more;
        expected["training.optimizer"] = "adam".into();
        expected
    };
    let constant = json!({"kind": "constant"});
    let exponential = json!({"kind": "exponential", "factor": 0.5});
    check(&[
        // Settings that kfac does not have.
        ("image", json!({"lr": 0.25}), adam(json!({"training.learning_rate": 0.25}))),
        (
            "image",
            json!({"schedule": "constant"}),
            adam(json!({"training.schedule": constant, "training.learning_rate": 5e-4})),
        ),
        ("image", json!({"lr_decay": 0.5}), adam(json!({"training.schedule": exponential}))),
        (
            "image",
            json!({"schedule": "exponential", "lr_decay": 0.5}),
            adam(json!({"training.schedule": exponential})),
        ),
        ("image", json!({"batch": 100}), adam(json!({"training.batch": 100}))),
        // The number of Adam's steps follows from its own default batch.
        ("image", json!({"optimizer": "adam"}), adam(json!({"training.steps": 2741}))),
        (
            "image of 16512",
            json!({"batch": "full"}),
            adam(json!({"training.batch": null, "training.steps": 2056})),
        ),
        (
            "image",
            json!({"batch": "full"}),
            json!({"training.optimizer": "kfac", "training.batch": null}),
        ),
        ("image", json!({"width": 8192, "layers": 3}), adam(json!({}))),
        (
            "image of 16512",
            json!({"optimizer": "kfac"}),
            json!({"training.optimizer": "kfac", "training.batch": null}),
        ),
        (
            "audio",
            json!({"optimizer": "kfac"}),
            json!({"training.optimizer": "kfac", "training.batch": null}),
        ),
        // All points at each step, given as a number.
        (
            "image",
            json!({"optimizer": "kfac", "batch": 3072}),
            json!({"training.optimizer": "kfac", "training.batch": 3072}),
        ),
        (
            "image",
            json!({"optimizer": "muon"}),
            json!({"training.optimizer": "muon", "training.learning_rate": 1.5e-3,
                   "training.adam_learning_rate": 1e-3, "training.batch": null}),
        ),
        (
            "image of 16512",
            json!({"optimizer": "muon", "activation": "gaussian:sigma=0.05", "lr": 0.25}),
            json!({"training.optimizer": "muon", "training.learning_rate": 0.25,
                   "training.adam_learning_rate": 3e-4, "training.batch": 4096}),
        ),
        (
            "shape",
            json!({"batch": 50, "steps": 7, "time_limit": 2.5}),
            adam(json!({"training.batch": 50, "training.steps": 7, "training.time_limit": 2.5})),
        ),
        (
            "audio",
            json!({"target_psnr": 30.0, "input_scale": 3.0}),
            adam(json!({"training.target_psnr": 30.0, "input_scale": 3.0})),
        ),
        ("audio", json!({"activation": "gelu"}), json!({"input_scale": 1.0})),
    ]);
}

#[test]
fn points_of_a_surface_are_learned_by_terms() {
    let siren = ["value:3000,power=1", "normal:100", "eikonal:50,power=1", "off-surface:100"]
        .map(Value::from);
    let default = [&siren[..], &["heat:100,lambda=8".into()]].concat();
    check(&[
        (
            "points",
            json!({}),
            json!({
                "format": 4, "supervision.surface": default,
                "network.dims": [3, 128, 128, 128, 128, 1], "training.optimizer": "adam",
            }),
        ),
        ("points", json!({"supervise": "distance"}), json!({"format": 2, "supervision": null})),
        ("shape", json!({}), json!({"format": 2, "supervision": null})),
        ("shape", json!({"terms": "siren"}), json!({"supervision.surface": siren.to_vec()})),
        (
            "shape",
            json!({"terms": ["siren", "eikonal:100", "normal:0"], "supervise": "surface"}),
            json!({
                "supervision.surface": ["value:3000,power=1", "eikonal:100", "off-surface:100"],
            }),
        ),
        ("shape", json!({"supervise": "surface"}), json!({"init.scheme": "siren:omega=30"})),
    ]);
    // The plan in a model file is read back.
    let plan = plan("points", &json!({}));
    let read: crate::plan::FitPlan = serde_json::from_value(plan.to_json()).unwrap();
    assert_eq!(read, plan);
}
