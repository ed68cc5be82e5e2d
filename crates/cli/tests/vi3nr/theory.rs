//! The commands that answer from the theory alone.

use std::path::Path;

use serde_json::{Value, json};

use crate::{error, texts, vi3nr};

/// The JSON object of a command that must succeed and needs no files.
fn answer(arguments: &[&str]) -> Value {
    crate::json(Path::new("."), &[arguments, &["--json"]].concat())
}

/// What people read.
fn text(arguments: &[&str]) -> String {
    let output = vi3nr(Path::new("."), arguments);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    stdout
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn gains_are_those_of_the_table() {
    for (activation, gain_squared, condition) in [
        ("tanh", 2.53617543, 1.17780723),
        ("sigmoid", 3.40855984, 0.15282701),
        ("relu", 2.0, 1.0),
        ("gaussian:sigma=0.05", 28.3019434, 199.7503121),
        ("exp(-x^2/(2*s^2)):s=0.05", 28.3019434, 199.7503121),
    ] {
        let gain = answer(&["gain", activation]);
        let near = |key: &str, exact: f64| {
            let seen = number(&gain[key]);
            assert!((seen - exact).abs() < 6e-8 * exact.max(1.0), "{activation} {key}: {seen}");
        };
        near("sigma_p", 1.0);
        near("gain_squared", gain_squared);
        near("gain", gain_squared.sqrt());
        near("second_moment", 1.0 / gain_squared);
        near("derivative_second_moment", condition / gain_squared);
        near("condition", condition);
        assert!(number(&gain["error_bound"]) < 1e-9);
        assert!(gain["mean"].is_number());
    }
    assert_eq!(answer(&["gain", "sine"])["method"], "closed");
    assert_eq!(answer(&["gain", "tanh"])["method"], "quadrature");
    assert_eq!(answer(&["gain", "relu", "--method", "quadrature"])["method"], "quadrature");
    let auto = answer(&["gain", "gaussian:sigma=0.05", "--sigma-p", "auto"]);
    assert!((number(&auto["sigma_p"]) - 0.0776886987).abs() < 1e-9);
    assert!((number(&auto["condition"]) - 1.0).abs() < 1e-9);
}

#[test]
fn monte_carlo_says_how_uncertain_it_is() {
    let typed = ["gain", "tanh", "--method", "mc", "--samples", "20000", "--seed", "7"];
    let gain = answer(&typed);
    assert_eq!(gain["method"], "mc");
    assert_eq!((&gain["samples"], &gain["seed"]), (&json!(20000), &json!(7)));
    let off = (number(&gain["gain_squared"]) - 2.53617543).abs();
    assert!(off < 5.0 * number(&gain["error_bound"]), "{gain}");
    assert_eq!(gain, answer(&typed));
    assert!(text(&typed).contains("Monte Carlo, 20000 samples, seed 7"));
    assert!(text(&typed).contains("standard error"));
}

#[test]
fn solutions_are_roots_every_or_none() {
    let gaussian = answer(&["solve", "gaussian:sigma=0.05"]);
    assert_eq!(gaussian["kind"], "roots");
    assert_eq!(gaussian["roots"].as_array().unwrap().len(), 1);
    let root = &gaussian["roots"][0];
    assert!((number(&root["sigma_p"]) - 0.0776886987).abs() < 1e-10);
    assert!((number(&root["gain_squared"]) - 0.0145710678).abs() < 1e-10);
    assert_eq!((&gaussian["infimum"], &gaussian["approached_at"]), (&Value::Null, &Value::Null));
    assert_eq!(
        answer(&["solve", "relu"]),
        json!({"kind": "every", "roots": [], "infimum": null, "approached_at": null})
    );
    for activation in ["sine", "tanh"] {
        assert_eq!(
            answer(&["solve", activation]),
            json!({"kind": "none", "roots": [], "infimum": 0.0, "approached_at": 0.0})
        );
    }
    let halved = answer(&["solve", "relu", "--fan-in", "256", "--fan-out", "128"]);
    assert_eq!((&halved["kind"], &halved["approached_at"]), (&json!("none"), &json!("everywhere")));
    assert!((number(&halved["infimum"]) - 0.5).abs() < 1e-12);
    let sine = answer(&["solve", "sine:omega=1", "--fan-in", "2", "--fan-out", "1"]);
    assert_eq!(sine["kind"], "roots");
}

/// Word for word.
#[test]
fn people_read_tables() {
    assert_eq!(
        text(&["gain", "relu"]),
        "relu, z ~ N(0, sigma_p^2), sigma_p = 1: closed form\n\
         \x20 mean  E[f(z)]                        0.398942280401   error at most 1.8e-16\n\
         \x20 second moment  E[f(z)^2]             0.5              error at most 2.2e-16\n\
         \x20 slope's mean  E[f'(z)]               0.5              error at most 2.2e-308\n\
         \x20 slope's second moment  E[f'(z)^2]    0.5              error at most 2.2e-308\n\
         \x20 gain^2  sigma_p^2/E[f^2], Eq. (15)   2                error at most 1.8e-15\n\
         \x20 gain                                 1.41421356237    error at most 9.4e-16\n\
         \x20 condition  gain^2 E[f'^2], Eq. (13)  1                error at most 1.1e-15\n\
         Weights of a hidden layer: standard deviation gain/sqrt(fan-in) = 1.41421356237/sqrt(fan-in);\n\
         uniform on plus or minus sqrt(3) gain/sqrt(fan-in) = 2.44948974278/sqrt(fan-in).\n\
         This keeps sigma_p = 1 where the first layer establishes it: on coordinates in [-1, 1],\n\
         uniform on plus or minus 3 sigma_p/sqrt(fan-in), Eq. (27).\n"
    );
    assert_eq!(
        text(&["solve", "gaussian:sigma=0.05"]),
        "gaussian:sigma=0.05: cond = sigma_p^2 E[f'^2]/E[f^2] = 1, Eq. (13)\n\
         One sigma_p satisfies it; there, weights of variance gain^2/fan-in keep the variance of both\n\
         preactivations and gradients:\n\
         \x20 sigma_p           gain^2\n\
         \x20 0.0776886987      0.01457106781\n"
    );
    assert_eq!(
        text(&["solve", "tanh"]),
        "tanh: cond = sigma_p^2 E[f'^2]/E[f^2] = 1, Eq. (13)\n\
         No sigma_p satisfies it: it is met in the limit only, as sigma_p tends to 0.\n\
         `--sigma-p auto` takes 1; between layers of equal width cond is 1.17781 there.\n"
    );
}

#[test]
fn questions_that_make_no_sense() {
    let deep = "(".repeat(4_000);
    let long = "x+".repeat(20_000);
    for (arguments, expected) in [
        (&["gain", "gausian"][..], "known: sine, gaussian"),
        (&["gain", "x*tanh(x"], "column"),
        (&["gain", "tanh", "--sigma-p", "0"], "above 0, or auto"),
        (&["gain", "tanh", "--sigma-p", "-1"], "above 0, or auto"),
        (&["gain", "tanh", "--method", "closed"], "no closed form is known for tanh"),
        (&["gain", "tanh", "--method", "mc", "--samples", "1"], "2.."),
        (&["gain", "1/x"], "cannot be computed"),
        (&["gain", &deep], "column"),
        (&["gain", &long], "at most 4096 are read"),
        (&["solve", "x*tanh(x"], "column"),
        (&["solve", "tanh", "--fan-in", "2"], "--fan-out"),
        (&["solve", "tanh", "--fan-in", "0", "--fan-out", "1"], "0 is not in 1.."),
    ] {
        let message = error(Path::new("."), 2, arguments);
        // Clap repeats what was typed.
        let end: String = message.chars().rev().take(600).collect();
        let end: String = end.chars().rev().collect();
        assert!(message.contains(expected), "{expected}: {end}");
    }
}
