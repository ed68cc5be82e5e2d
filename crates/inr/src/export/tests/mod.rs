//! Exported graphs, read and run by code that shares nothing with their writer.

mod runtime;
mod wire;

use std::sync::Arc;

use vi3nr::activation::builtin::catalog;
use vi3nr::activation::formula::{Pair, Unary};
use vi3nr::{Activation, InitRule, Network};
use vi3nr_engine::{Engine, ReferenceEngine};

use super::function::{Source, Step};
use super::*;
use crate::model_file::Storage;
use crate::pieces::{PieceGrid, PieceSet};
use crate::signal::image::{BitDepth, ImageInfo};
use wire::{integers, part, parts, text, texts};

fn image(channels: usize) -> Arc<ImageInfo> {
    Arc::new(ImageInfo { width: 6, height: 4, channels, bit_depth: BitDepth::Eight })
}

fn model(dims: &[usize], activation: &str, parameters: Vec<f32>) -> Model {
    let network = Network::new(dims.to_vec(), activation.parse().unwrap()).unwrap();
    let channels = network.outputs();
    Model::new(network, parameters, image(channels))
}

/// Operator, inputs and output of each operation.
fn operations(file: &[u8]) -> Vec<String> {
    let node = |node: Vec<u8>| {
        let (inputs, output) = (texts(&node, 1).join(" "), text(&node, 2));
        assert_eq!(text(&node, 3), output);
        format!("{} {inputs} -> {output}", text(&node, 4))
    };
    parts(&part(file, 7), 1).into_iter().map(node).collect()
}

#[test]
fn a_file_has_the_structure_of_an_onnx_model() {
    let parameters: Vec<f32> = (0..13).map(|i| i as f32 / 8.0).collect();
    let mut model = model(&[2, 3, 1], "sine:omega=30", parameters);
    (model.input_scale, model.seed) = (0.5, 9);
    let onnx = OnnxModel::new(&model).unwrap();
    let file = onnx.to_bytes();
    assert_eq!(OnnxModel::new(&model).unwrap(), onnx);
    assert_eq!((onnx.inputs, onnx.outputs, onnx.parameters, onnx.operations), (2, 1, 13, 4));

    assert_eq!((integers(file, 1), text(file, 2)), (vec![9], "vi3nr".into()));
    let operators = part(file, 8);
    assert_eq!((text(&operators, 1), integers(&operators, 2)), (String::new(), vec![20]));
    let entries = parts(file, 14);
    let entries: Vec<(String, String)> =
        entries.iter().map(|entry| (text(entry, 1), text(entry, 2))).collect();
    for (key, value) in [
        ("format", "vi3nr"),
        ("activation", "sine:omega=30"),
        ("alignment", "areas"),
        ("dims", "2,3,1"),
        ("input_scale", "0.5"),
        ("seed", "9"),
        ("signal", r#"{"bit_depth":8,"channels":1,"height":4,"kind":"image","width":6}"#),
    ] {
        assert!(entries.contains(&(key.into(), value.into())), "{key}: {entries:?}");
    }

    let graph = part(file, 7);
    assert_eq!(
        operations(file),
        [
            "Gemm coordinates net.0.weight net.0.bias -> net.0.sum",
            "Mul constant.30 net.0.sum -> net.0.activation.0",
            "Sin net.0.activation.0 -> net.0.activation.1",
            "Gemm net.0.activation.1 net.1.weight net.1.bias -> values",
        ]
    );
    let attribute = part(&parts(&graph, 1)[0], 5);
    assert_eq!(text(&attribute, 1), "transB");
    assert_eq!((integers(&attribute, 3), integers(&attribute, 20)), (vec![1], vec![2]));

    let tensors: Vec<(String, Vec<u64>, usize)> = parts(&graph, 5)
        .iter()
        .map(|tensor| (text(tensor, 8), integers(tensor, 1), part(tensor, 9).len() / 4))
        .collect();
    let tensor = |name: &str, shape: &[u64], count| (name.to_owned(), shape.to_vec(), count);
    assert_eq!(
        tensors,
        [
            tensor("net.0.weight", &[3, 2], 6),
            tensor("net.0.bias", &[3], 3),
            tensor("net.1.weight", &[1, 3], 3),
            tensor("net.1.bias", &[1], 1),
            tensor("constant.30", &[], 1),
        ]
    );
    for (number, name, width) in [(11, "coordinates", 2), (12, "values", 1)] {
        let port = part(&graph, number);
        assert_eq!(text(&port, 1), name);
        let tensor = part(&part(&port, 2), 1);
        assert_eq!(integers(&tensor, 1), [1], "float32");
        let sizes = parts(&part(&tensor, 2), 1);
        assert_eq!((text(&sizes[0], 2), integers(&sizes[1], 1)), ("n".into(), vec![width]));
        assert!(!text(&port, 3).is_empty());
    }
}

/// Formulas that need every operation.
const FORMULAS: [&str; 24] = [
    "x",
    "2",
    "x*0",
    "exp(-1000)*exp(-1000)",
    "exp(x)/(2+exp(x))",
    "(exp(x)-1)/x",
    "log(1+x^2)/x",
    "sqrt(1+x^2)-1",
    "sign(x)*abs(x)^0.7",
    "tan(x/40)",
    "sinh(x/10)*cosh(x/10)",
    "sinh(x)/(1+cosh(x))",
    "sech(x)",
    "erf(x)*erfc(x)",
    "atan(3*x)",
    "sinc(4*x)",
    "sin(4*x)^2/x^2",
    "sigmoid(-3*x)+softplus(x/2)",
    "max(x,0.3)-min(sin(x),cos(x))",
    "x^3*exp(-x^2)",
    "(x/30)^1000",
    "(1+x^2)^(sin(x))",
    "cos(x)-1",
    "a*x/(1+abs(x)):a=0.7",
];

/// Every activation of the catalog and every formula, as a function: 1 - 1 - 1 with weights 1.
#[test]
fn every_activation_is_translated() {
    let names = catalog().map(|(name, _)| name);
    for name in names.chain(FORMULAS) {
        let activation: Activation = name.parse().unwrap();
        let weights = vec![1.0, 0.0, 0.0, 1.0, 0.0];
        let file = OnnxModel::new(&model(&[2, 1, 1], name, weights)).unwrap();
        let xs: Vec<f32> = (-3000..=3000).map(|i| i as f32 / 100.0).chain([1e-6, -1e-6]).collect();
        let points: Vec<f32> = xs.iter().flat_map(|x| [*x, 0.0]).collect();
        let values = runtime::run(file.to_bytes(), &points, 2);
        for (x, value) in xs.into_iter().zip(values) {
            let (exact, slope) = activation.value_and_slope(f64::from(x));
            if exact.is_nan() && value.is_nan() {
                continue;
            }
            // The rounding of x within the function, and of the value.
            let inner = f64::from(x) * slope;
            let inner = if inner.is_nan() { 0.0 } else { inner.abs() };
            let rounding = 3e-7 * (1.0 + exact.abs() + inner);
            let error = (f64::from(value) - exact).abs();
            assert!(error <= rounding, "{name} at {x}: {value}, not {exact}");
        }
    }
}

/// What formulas have only in derivatives.
#[test]
fn operations_of_derivatives_are_translated() {
    let steps = |function| Steps::new(vec![Step::Unary(function, Source::Input)], Source::Step(0));
    let mut graph = Graph::default();
    let port = |name, width| Port { name, width, description: String::new() };
    let slope = steps(Unary::SincSlope).add_to(&mut graph, &"coordinates".into(), "f");
    let chosen = [Source::Input, Source::Constant(1.0), Source::Input, Source::Constant(-2.0)];
    let choose = Steps::new(vec![Step::Choose(chosen)], Source::Step(0));
    let chosen = choose.add_to(&mut graph, &slope, "g");
    graph.node("Add", &[&slope, &chosen], "values".into(), &[]);
    let file = graph.into_file(&port("coordinates", 1), &port("values", 1), [].into());
    let points: Vec<f32> = (-400..400).map(|i| i as f32 / 50.0).collect();
    for (x, value) in points.iter().zip(runtime::run(&file, &points, 1)) {
        // The slope is at most 0.44, so that -2 is chosen everywhere.
        let exact = Pair::SincAndSlope.apply(f64::from(*x)).1 - 2.0;
        assert!((f64::from(value) - exact).abs() < 1e-6, "{x}: {value}, not {exact}");
    }
    for function in [Unary::SincSecond, Unary::SincThird] {
        let mut graph = Graph::default();
        let result = steps(function).add_to(&mut graph, &"coordinates".into(), "f");
        graph.node("Neg", &[&result], "values".into(), &[]);
        let file = graph.into_file(&port("coordinates", 1), &port("values", 1), [].into());
        for (x, value) in points.iter().zip(runtime::run(&file, &points, 1)) {
            let exact = -function.apply(f64::from(*x));
            assert!((f64::from(value) - exact).abs() < 2e-6, "{x}: {value}, not {exact}");
        }
    }
}

/// What the derivative alone needs is not exported, and what is equal is stored once.
#[test]
fn graphs_hold_only_what_the_values_need() {
    let operations = |activation: &str| {
        let parameters = vec![0.1; 2 * 4 + 4 + 4 * 4 + 4 + 4 + 1];
        let file = OnnxModel::new(&model(&[2, 4, 4, 1], activation, parameters)).unwrap();
        let graph = part(file.to_bytes(), 7);
        let names: Vec<String> = parts(&graph, 5).iter().map(|tensor| text(tensor, 8)).collect();
        let constants = names.iter().filter(|name| name.starts_with("constant.")).count();
        (file.operations, constants)
    };
    // Three layers, and two activations.
    for (activation, expected) in [
        ("relu", (3 + 2, 1)),
        ("tanh", (3 + 2, 0)),
        ("gaussian:sigma=0.1", (3 + 2 * 3, 1)),
        ("wavelet:a=5", (3 + 2 * 6, 2)),
        ("x", (3, 0)),
        // With Min against overflow.
        ("exp(x)", (3 + 2 * 2, 1)),
    ] {
        assert_eq!(operations(activation), expected, "{activation}");
    }
}

#[test]
fn deep_networks_have_the_values_of_the_engine() {
    for (activation, scheme) in [
        ("sine:omega=30", "siren:omega=30"),
        ("gaussian:sigma=0.2", "xavier"),
        ("mish", "kaiming"),
        ("elu", "kaiming"),
        ("x*exp(-x^2)", "xavier"),
    ] {
        let network = Network::uniform(2, 16, 5, 3, activation.parse().unwrap()).unwrap();
        let rule = InitRule::new(scheme.parse().unwrap());
        let parameters = vi3nr::draw(&network, &rule.plan(&network).unwrap(), 5);
        let points: Vec<f32> = (0..200).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut exact = vec![0.0; 300];
        let mut engine = ReferenceEngine::new(&network, &parameters).unwrap();
        engine.evaluate(&points, &mut exact).unwrap();
        let model = Model { storage: Storage::F16, ..Model::new(network, parameters, image(3)) };
        let onnx = OnnxModel::new(&model).unwrap();
        for (value, exact) in runtime::run(onnx.to_bytes(), &points, 2).iter().zip(&exact) {
            assert!((value - exact).abs() < 2e-5, "{activation}: {value}, not {exact}");
        }
    }
}

#[test]
fn files_are_written_whole_and_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(&[2, 1], "relu", vec![1.0, 2.0, 3.0]);
    for name in ["a.onnx", "b", "c.ONNX"] {
        let path = folder.path().join(name);
        let onnx = export_onnx(&model, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), onnx.to_bytes());
    }
    let error = export_onnx(&model, Path::new("model.pt")).unwrap_err().to_string();
    assert_eq!(error, "out: 'model.pt'; expected a name that ends with .onnx");
    let absent = folder.path().join("absent").join("a.onnx");
    assert!(matches!(export_onnx(&model, &absent), Err(ExportError::Write(_))));
}

#[test]
fn models_without_one_valid_network_are_refused() {
    let mut broken = model(&[2, 1], "relu", vec![1.0, f32::NAN, 3.0]);
    let error = OnnxModel::new(&broken).unwrap_err().to_string();
    assert_eq!(error, "the model is invalid: net.0.weight holds NaN; expected finite numbers");
    let network = broken.network().clone();
    let grid = PieceGrid::of_side(&[6, 4], 3, 0);
    let pieces = vec![(network, vec![0.0; 3]); grid.piece_count()];
    broken.body = Body::Pieces(PieceSet::new(grid, vec![6, 4], pieces).unwrap());
    let error = OnnxModel::new(&broken).unwrap_err();
    assert!(matches!(error, ExportError::Pieces { count: 2 }), "{error}");
}
