//! The commands that answer from the theory alone.

use std::path::Path;

use serde_json::{Value, json};

use crate::{error, texts, vi3nr};

/// The JSON object of a command that must succeed and needs no files.
pub(crate) fn answer(arguments: &[&str]) -> Value {
    crate::json(Path::new("."), &[arguments, &["--json"]].concat())
}

/// What people read.
fn text(arguments: &[&str]) -> String {
    let output = vi3nr(Path::new("."), arguments);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    stdout
}

pub(crate) fn number(value: &Value) -> f64 {
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
        let gain = answer(&["gain", activation, "--sigma-p", "1"]);
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

/// gain, solve, init and fit take the same sigma_p where none is given, and say why.
#[test]
fn one_default_for_sigma_p() {
    for (activation, signal, dims, expected, reason) in [
        (
            "gaussian:sigma=0.05",
            "image",
            "2,9,9,3",
            2.0 * 0.0776886987,
            "2 times the smallest value",
        ),
        (
            "gaussian:sigma=0.05",
            "audio",
            "1,9,9,1",
            6.0 * 0.0776886987,
            "6 times the smallest value",
        ),
        ("tanh", "image", "2,9,9,3", 1.0, "no value keeps the variance"),
    ] {
        let kind = ["--signal", signal];
        let gain = answer(&[&["gain", activation][..], &kind].concat());
        let solve = answer(&[&["solve", activation][..], &kind].concat());
        let init = answer(&["init", activation, "--dims", dims]);
        let near = |seen: &Value| {
            assert!((number(seen) - expected).abs() < 1e-8, "{activation} {signal}: {seen}");
        };
        near(&gain["sigma_p"]);
        near(&solve["default_sigma_p"]);
        let scheme = init["scheme"].as_str().unwrap().strip_prefix("ours:sigma_p=").unwrap();
        near(&scheme.parse::<f64>().unwrap().into());
        // The biases of networks for audio are drawn like the weights, which raises what is kept.
        let kept = number(&init["sigma_p"][0]);
        assert!(if signal == "audio" { kept > expected } else { (kept - expected).abs() < 1e-8 });
        assert_eq!(init["signal"], signal);
        for text in [&gain["sigma_p_reason"], &init["reasons"]["sigma_p"]] {
            assert!(text.as_str().unwrap().contains(reason), "{text}");
        }
    }
    let fit = answer(&["fit", "--activation", "gaussian:sigma=0.05", "--dry-run"]);
    let reason = fit["reasons"]["sigma_p"].as_str().unwrap();
    assert!(reason.contains("2 times the smallest value"), "{reason}");
    let scheme = fit["plan"]["init"]["scheme"].as_str().unwrap();
    assert!(scheme.starts_with("ours:sigma_p=0.15537739"), "{scheme}");
    assert_eq!(fit["plan"]["init"]["first_biases"], "like-weights");
}

#[test]
fn monte_carlo_says_how_uncertain_it_is() {
    let words = ["gain", "tanh", "--method", "mc", "--samples", "20000", "--seed", "7"];
    let gain = answer(&words);
    assert_eq!(gain["method"], "mc");
    assert_eq!((&gain["samples"], &gain["seed"]), (&json!(20000), &json!(7)));
    let off = (number(&gain["gain_squared"]) - 2.53617543).abs();
    assert!(off < 5.0 * number(&gain["error_bound"]), "{gain}");
    assert_eq!(gain, answer(&words));
    assert!(text(&words).contains("Monte Carlo, 20000 samples, seed 7"));
    assert!(text(&words).contains("standard error"));
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
        json!({
            "kind": "every", "roots": [], "infimum": null, "approached_at": null,
            "proven": true, "basis": "homogeneous", "range": null, "default_sigma_p": 1.0
        })
    );
    for (activation, default) in [("sine", 1.0 / 30.0), ("tanh", 1.0)] {
        let mut answer = answer(&["solve", activation]);
        assert!((number(&answer["default_sigma_p"].take()) - default).abs() < 1e-4, "{activation}");
        assert_eq!(
            answer,
            json!({
                "kind": "none", "roots": [], "infimum": 0.0, "approached_at": 0.0,
                "proven": true, "basis": "vanishes-at-zero", "range": null,
                "default_sigma_p": null
            })
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
         \x20 sigma_p is the usual choice if every value keeps the variance of gradients, Eq. (13)\n\
         \x20 mean  E[f(z)]                        0.398942280401   error at most 1.8e-16\n\
         \x20 second moment  E[f(z)^2]             0.5              error at most 2.2e-16\n\
         \x20 slope's mean  E[f'(z)]               0.5              error at most 2.2e-308\n\
         \x20 slope's second moment  E[f'(z)^2]    0.5              error at most 2.2e-308\n\
         \x20 gain^2  sigma_p^2/E[f^2], Eq. (15)   2                error at most 1.8e-15\n\
         \x20 gain                                 1.41421356237    error at most 9.4e-16\n\
         \x20 condition  gain^2 E[f'^2], Eq. (13)  1                error at most 1.1e-15\n\
         condition 1: the gradient keeps its variance from layer to layer, which is the goal\n\
         chi 1: a layer multiplies an error in the variance of the preactivations by 1, so an error \
         keeps its size\n\
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
         \x20 0.0776886987      0.01457106781\n\
         Proof: f is continuous, so cond crosses 1 at most once, upwards; there is no other root.\n\
         By default, gain, init and fit use sigma_p = 0.155377 for images:\n\
         2 times the smallest value at which gradients keep their variance, Eq. (13), 0.0776887.\n"
    );
    assert_eq!(
        text(&["solve", "tanh"]),
        "tanh: cond = sigma_p^2 E[f'^2]/E[f^2] = 1, Eq. (13)\n\
         No sigma_p satisfies it: it is met in the limit only, as sigma_p tends to 0.\n\
         Proof: f is continuous and f(0) = 0, so cond is nowhere below fan-out/fan-in.\n\
         `--sigma-p auto` uses 1. There, between layers of equal width:\n\
         condition 1.178: the gradient's variance grows 1.178 times per layer going back; 1 is the \
         goal\n\
         By default, gain, init and fit use sigma_p = 1 for images:\n\
         the usual choice if no value keeps the variance of gradients, Eq. (13), and a layer with \
         sigma_p = 1 multiplies it by a factor within 0.3131 of 1.\n"
    );
    assert_eq!(
        text(&["init", "gaussian", "--dims", "2,128,128,3"]),
        "ours:sigma_p=0.155377, derived for any activation; hidden layers keep sigma_p = 0.1553774\n\
         weights uniform, biases zero, those of the first layer like-weights\n\
         layer   fan-in  fan-out  variance        std             bound           std of biases\n\
         \x20   0        2      128  0.036213203     0.19029767      0.32960523      0.19029767\n\
         \x20   1      128      128  0.00085008103   0.029156149     0.050499932     0\n\
         \x20   2      128        3  0.00085008103   0.029156149     0.050499932     0\n\
         std: standard deviation of the weights, which are uniform on ±bound\n\
         gradient growth 4.591: the gradient's variance grows 4.591 times per layer going back; 1 is \
         the goal\n\
         chi -0.4754: a layer multiplies an error in the variance of the preactivations by -0.4754, \
         so an error shrinks tenfold in 3 layers\n\
         with 128 units per layer the variance stays within a factor of 2 of sigma_p^2 at every depth \
         (probability 95 %)\n\
         dPhi/dx 0.6996, Laplacian 17.11: the standard deviations at the start that the theory predicts \
         for each output, by each coordinate, where |x|^2 = 0.6667, the mean over inputs in [-1, 1]\n\
         default sigma_p of images: 0.155377, 2 times the smallest value at which gradients keep their \
         variance, Eq. (13), 0.0776887\n"
    );
    let chaos = text(&["init", "tanh", "--init", "eoc", "--sigma-p", "1", "--dims", "2,64,64,3"]);
    let parts = [
        "eoc:sigma_p=1, derived for activations with f(0) = 0, or any where cond >= 1; hidden",
        "weights uniform, biases scheme, those of the first layer zero\n",
        "bound           std of biases\n",
        "gradient growth 1: ",
        "chi 0.4611: a layer with its biases multiplies an error in the variance of the preactivations \
         by 0.3915, so an error shrinks tenfold in 2 layers\n",
    ];
    for part in parts {
        assert!(chaos.contains(part), "{part}: {chaos}");
    }
    let kaiming = text(&["init", "relu", "--init", "kaiming", "--dims", "2,64,64,3"]);
    assert!(kaiming.contains("gradient growth 1: the gradient keeps its variance"), "{kaiming}");
    let shrinking = text(&["init", "tanh", "--init", "xavier", "--dims", "2,64,64,1"]);
    assert!(shrinking.contains("hidden layers keep no sigma_p: it falls toward 0"), "{shrinking}");
    assert!(kaiming.contains("\ndPhi/dx 1: the standard deviation at"), "{kaiming}");
    let unknown = "\nthe Laplacian of Phi is not predicted: E[f''^2] of relu under N(0, ";
    assert!(kaiming.contains(unknown), "{kaiming}");
    assert!(kaiming.ends_with("cannot be computed: it is infinite: f' jumps near x = 0\n"));
    let root = text(&["init", "sqrt(abs(x))", "--dims", "2,64,64,1"]);
    assert!(root.contains("\ndPhi/dx is not predicted: E[f'^2] of sqrt(abs(x))"), "{root}");
    let short = text(&["init", "tanh", "--dims", "2,64,1"]);
    assert!(!short.contains("gradient growth"), "{short}");
}

/// The network's derivatives at the start, by layer and for the outputs.
#[test]
fn init_predicts_derivatives() {
    let init = |rest: &[&str]| answer(&[&["init"], rest].concat());
    let tanh = init(&["tanh", "--sigma-p", "1", "--dims", "2,128,128,128,128,1"]);
    let derivatives = &tanh["derivatives"];
    assert!((number(&derivatives["square_norm"]) - 2.0 / 3.0).abs() < 1e-15);
    assert!((number(&derivatives["std"]) - 1.5357f64.sqrt()).abs() < 1e-4, "{derivatives}");
    assert!((number(&derivatives["laplacian_std"]) - 51.03f64.sqrt()).abs() < 1e-3);
    assert_eq!(derivatives["missing"], json!(null));
    assert!((number(&tanh["layers"][0]["derivative_std"]) - 1.5f64.sqrt()).abs() < 1e-12);
    assert_eq!(number(&tanh["layers"][0]["laplacian_std"]), 0.0);
    assert_eq!(tanh["layers"][4]["derivative_std"], derivatives["std"]);
    let relu = init(&["relu", "--dims", "3,64,64,1"]);
    assert!((number(&relu["derivatives"]["std"]) - 1.0).abs() < 1e-12);
    assert_eq!(relu["derivatives"]["laplacian_std"], json!(null));
    assert!(relu["derivatives"]["missing"].as_str().unwrap().contains("jumps near x = 0"));
    let steep = ["gaussian", "--sigma-p", "1", "--dims"];
    let dims = [vec!["2"; 1], vec!["8"; 160], vec!["1"]].concat().join(",");
    let text = text(&[&["init"], &steep[..], &[dims.as_str()]].concat());
    assert!(text.contains("\ndPhi/dx beyond 1e154, Laplacian beyond 1e154: "), "{text}");
}

/// A formula may begin with a sign, a scheme may leave its numbers open, and what does not exist is null.
#[test]
fn formulas_and_schemes_are_read_as_the_help_has_them() {
    let gain = answer(&["gain", "-log(1+exp(-x))", "--sigma-p", "8"]);
    assert!(number(&gain["second_moment"]) > 1.0);
    assert_eq!(answer(&["solve", "-tanh(x)"])["basis"], "vanishes-at-zero");
    let dims = ["--dims", "2,64,64,1"];
    let init = |rest: &[&str]| answer(&[&["init"], rest, &dims[..]].concat());
    assert_eq!(init(&["tanh", "--scheme", "backward"])["scheme"], "backward:sigma_p=1");
    let backward = init(&["tanh", "--scheme", "backward", "--sigma-p", "0.5"]);
    assert_eq!(backward["scheme"], "backward:sigma_p=0.5");
    let normal = init(&["tanh", "--scheme", "normal:std=0.1"]);
    assert_eq!(normal["distribution"], "normal");
    let biased = init(&["tanh", "--biases", "like-weights"]);
    assert!((number(&biased["sigma_p"][0]).powi(2) - 1.07).abs() < 0.01, "{biased}");
    assert!(number(&init(&["gelu"])["chi"]) > 1.14);
    let root = answer(&["gain", "sqrt(abs(x))"]);
    assert!((number(&root["second_moment"]) - 0.7978845608).abs() < 1e-9);
    assert_eq!(
        (&root["derivative_second_moment"], &root["condition"]),
        (&json!(null), &json!(null))
    );
    assert!(text(&["gain", "sqrt(abs(x))"]).contains("infinite"));
    let scanned = answer(&["solve", "sign(x)*exp(-x^2)"]);
    assert_eq!((&scanned["proven"], &scanned["basis"]), (&json!(false), &json!("scan")));
    assert_eq!(scanned["range"], json!([1e-6, 1e6]));
}

#[test]
fn questions_that_make_no_sense() {
    let deep = "(".repeat(4_000);
    let long = "x+".repeat(20_000);
    for (arguments, expected) in [
        (&["gain", "gausian"][..], "known: sine, gaussian"),
        (&["gain", "x*tanh(x"], "column"),
        (&["gain", "tanh", "--sigma-p", "0"], "above 0, auto"),
        (&["gain", "tanh", "--sigma-p", "-1"], "above 0, auto"),
        (&["gain", "tanh", "--method", "closed"], "no closed form is known for tanh"),
        (&["gain", "tanh", "--method", "mc", "--samples", "1"], "from 2 to"),
        (&["gain", "1/x"], "cannot be computed"),
        (&["gain", &deep], "column"),
        (&["gain", &long], "at most 4096 are read"),
        (&["solve", "x*tanh(x"], "column"),
        (&["solve", "tanh", "--fan-in", "2"], "--fan-out"),
        (&["solve", "tanh", "--fan-in", "0", "--fan-out", "1"], "expected a whole number from 1"),
    ] {
        let message = error(Path::new("."), 2, arguments);
        // Clap repeats what was given.
        let end: String = message.chars().rev().take(600).collect();
        let end: String = end.chars().rev().collect();
        assert!(message.contains(expected), "{expected}: {end}");
    }
}

#[test]
fn plots_are_vector_drawings_or_images() {
    let folder = tempfile::tempdir().unwrap();
    let plot = |file: &str, rest: &[&str]| {
        let drawn = [&["plot", "gaussian:sigma=0.05", "--out", file, "--json"], rest].concat();
        let report = crate::json(folder.path(), &drawn);
        assert_eq!(report["file"], file);
        (report, std::fs::read(folder.path().join(file)).unwrap())
    };
    let (report, drawing) = plot("a.svg", &[]);
    assert!((number(&report["from"]) / 0.0776886987e-3 - 1.0).abs() < 1e-8);
    assert!((number(&report["to"]) / 0.0776886987e3 - 1.0).abs() < 1e-8);
    let svg = String::from_utf8(drawing.clone()).unwrap();
    assert!(svg.starts_with("<svg width=\"960\"") && svg.trim_end().ends_with("</svg>"));
    for text in ["f = gaussian:sigma=0.05", "cond = 1", "σₚ = 0.077689", "gain² = 0.014571"] {
        assert!(svg.contains(text), "no '{text}'");
    }
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert_eq!(drawing, plot("b.svg", &[]).1);
    let (report, image) = plot("a.PNG", &["--from", "0.01", "--to", "1"]);
    assert_eq!((&report["from"], &report["to"]), (&json!(0.01), &json!(1.0)));
    assert!(image.starts_with(b"\x89PNG\r\n\x1a\n") && image.ends_with(b"IEND\xaeB`\x82"));
    // The header's width and height.
    assert_eq!(image[16..24], [0, 0, 7, 128, 0, 0, 5, 248]);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn impossible_plots_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, expected) in [
        (&["tanh", "--out", "a.pdf"][..], 2, "ends in .svg or .png"),
        (&["tanh", "--out", "a"], 2, "ends in .svg or .png"),
        (&["tanh", "--from", "0"], 2, "above 0"),
        (&["tanh", "--from", "2", "--to", "1"], 2, "more than the lowest"),
        (&["1/x"], 2, "cannot be computed"),
        (&["tanh("], 2, "column"),
        (&["tanh", "--out", "missing/a.svg"], 1, "cannot write 'missing/a.svg'"),
    ] {
        let message = error(folder.path(), code, &[&["plot"], arguments].concat());
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
