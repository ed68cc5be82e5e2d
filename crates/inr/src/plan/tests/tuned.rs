//! Rows of the activations and weights that fits take which say nothing of either.

use serde_json::json;

use super::{check, ours, tuned};

/// A fit in which nothing is said of the initial weights takes the tuned ones, any other the scheme of its
/// activation.
#[test]
fn tuned_weights_are_for_requests_that_leave_them_open() {
    let pieces = || json!({"tile": 1000});
    let image = tuned("sine:omega=20", 0.5);
    let of_pieces = [
        ("image of 16512", json!({}), "sine:omega=9", 1.0, 1.0),
        ("audio", pieces(), "sine:omega=15", 24.0, 1.0),
    ];
    for (signal, settings, activation, first, scale) in of_pieces {
        let expected = json!({"network.activation": activation, "input_scale": scale,
                              "init.scheme": tuned(activation, first)});
        check(&[(signal, settings, expected)]);
    }
    check(&[
        (
            "image",
            json!({"init": "auto", "weights": "normal", "width": 32}),
            json!({"init.scheme": image, "init.weights": "normal"}),
        ),
        ("image", json!({"activation": "sine:omega=20"}), json!({"init.scheme": "siren:omega=20"})),
        ("image", json!({"init": "siren"}), json!({"init.scheme": "siren:omega=30"})),
        ("image of 16512", json!({"init": "siren"}), json!({"init.scheme": "siren:omega=23"})),
        (
            "image",
            json!({"first_sigma_p": 2.0}),
            json!({"init.scheme": tuned("sine:omega=30", 2.0), "input_scale": 1.0}),
        ),
        (
            "audio",
            json!({"tile": 1000, "init": "siren"}),
            json!({"init.scheme": "siren:omega=30", "input_scale": 24.0}),
        ),
        (
            "audio",
            json!({"tile": 1000, "input_scale": 20.0}),
            json!({"init.scheme": "siren:omega=30", "input_scale": 20.0}),
        ),
        ("audio", json!({"first_sigma_p": 9.0}), json!({"input_scale": 100.0})),
        (
            "image",
            json!({"preset": "paper"}),
            json!({"init.scheme": ours(2.0, "gaussian:sigma=0.05")}),
        ),
        ("image", json!({"supervise": "gradient"}), json!({"init.scheme": "siren:omega=10"})),
        ("shape", json!({}), json!({"init.scheme": "siren:omega=30"})),
    ]);
}
